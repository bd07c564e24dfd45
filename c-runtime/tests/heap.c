/* The heap in the memory of a module that attacks it: whatever is in the words of blocks, and whichever addresses are
 * given back, nothing outside the memory changes. With GROWS, the memory is one that grows. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wasm.h"

#define MPY_UNWIND_H
#define MPY_SHARED __attribute__((noinline, unused)) static

enum { SIZE = 4096, MOST = 4 * SIZE, GUARD = 256, START = 100, RUNS = 300, CALLS = 200, STEPS = 20000 };

static _Alignas(16) uint8_t block[GUARD + MOST + GUARD];
static jmp_buf back;

static inline void(wasm_trap)(wasm_trap_t kind) {
    longjmp(back, 1 + (int)kind);
}

static uint8_t *wasm_memory_grow(uint8_t *memory, uint32_t old, uint32_t bytes) {
    (void)memory;
    memset(block + GUARD + old, 0, bytes - old);
    return block + GUARD;
}

/* Lists that go in a circle are searched for ever: as a loop of the module's, that is nobody's loss. */
static uint32_t steps;
WASM_UNUSED static int exceeds(uint32_t start, uint32_t length, uint32_t size) {
    if (steps-- == 0) {
        longjmp(back, 1);
    }
    return wasm_exceeds(start, length, size);
}
#define wasm_exceeds exceeds

#ifdef GROWS
static wasm_memory_t memory;
#define MPY_HEAP_MEMORY memory
#define MPY_HEAP_PAGE 512
#define MPY_HEAP_BASE (memory.data)
#define MPY_HEAP_END (memory.bytes)
#else
#define MPY_HEAP_BASE (block + GUARD)
#define MPY_HEAP_END ((uint32_t)SIZE)
#endif
static inline void mpy_barrier(void) { __asm__ volatile("" ::: "memory"); }
#define MPY_HEAP_START START
#define MPY_HEAP_FIRST_END ((uint32_t)SIZE)
#include "mpy_heap.h"

static uint64_t state = 0x9e3779b97f4a7c15;
static uint32_t any(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16);
}

/* Numbers that lead somewhere: sizes, addresses in the memory and about its end, and any. */
static uint32_t number(void) {
    uint32_t x = any();
    switch (x % 6) {
        case 0: return any() % 160;
        case 1: return any() % SIZE;
        case 2: return SIZE - 16 + any() % 32;
        case 3: return -(any() % 64);
        case 4: return (any() % SIZE) & ~7u;
        default: return any();
    }
}

static uint32_t held[16];

static void call(void) {
    uint32_t *one = &held[any() % 16];
    uint32_t at = any() % 8 == 0 ? number() : *one;
    switch (any() % 8) {
        case 0:
        case 1: *one = mpy_alloc(any() % 4 == 0 ? number() : any() % 200, 1u << any() % 8); break;
        case 2: *one = mpy_alloc_zeroed(any() % 4 == 0 ? number() : any() % 200, 8); break;
        case 3: *one = mpy_realloc(at, number(), number(), 8); break;
        case 4: mpy_dealloc(at); break;
        default:
            /* The words of a block: its size, its links, and its size again. */
            at = (*one + any() % 6 * 4 - 4) & ~3u;
            if (at <= SIZE - 4) {
                uint32_t word = any() % 2 == 0 ? number() : (number() & ~7u) | (any() & 3);
                memcpy(block + GUARD + at, &word, 4);
            }
    }
}

static void check(unsigned run, uint32_t size) {
    for (uint32_t i = 0; i < GUARD; i++) {
        if (block[i] != 0xa5 || block[GUARD + MOST + i] != 0xa5) {
            printf("run %u: byte %u outside the memory changed\n", run, i);
            exit(1);
        }
    }
    for (uint32_t i = size; i < MOST; i++) {
        if (block[GUARD + i] != 0xa5) {
            printf("run %u: byte %u behind the memory changed\n", run, i - size);
            exit(1);
        }
    }
}

static unsigned traps, done;

static void attack(void) {
    steps = STEPS;
    /* Now and then as in a handler of an interrupt; a trap leaves it so. */
    mpy_heap.busy = any() % 8 == 0;
    if (setjmp(back) == 0) {
        call();
        done++;
    } else {
        traps++;
    }
}

int main(void) {
    for (unsigned run = 0; run < RUNS; run++) {
        memset(block, 0xa5, sizeof block);
        memset(block + GUARD, 0, SIZE);
        memset(&mpy_heap, 0, sizeof mpy_heap);
        memset(held, 0, sizeof held);
#ifdef GROWS
        memory = (wasm_memory_t){.data = block + GUARD, .bytes = SIZE, .maximum = MOST / MPY_HEAP_PAGE};
#endif
        for (unsigned at = 0; at < CALLS; at++) {
            attack();
            check(run, MPY_HEAP_END);
        }
    }
    printf("%u calls, %u traps\n", done, traps);
    return traps < 1000 || done < 1000;
}
