/* What comes before the modules of a program: it runs one after the other, and prints what each does. A memory lies
 * between known bytes and pages that nobody may touch. */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>
#ifdef __TINYC__
/* It takes a hundredth of GCC's time, and has no optimiser that these would hide anything from. */
#define __SSE2__
#define __asm__(...)
#define __builtin_sqrt sqrt
#define __builtin_sqrtf sqrtf
#define __builtin_unreachable abort
#endif
#include "wasm.h"
#include "wasm_simd.h"
#ifdef __TINYC__
/* Types that it aligns in structures whatever they say. */
#undef WASM_AT
#define WASM_AT(cell, addr, offset) (*(cell *)((uintptr_t)(addr) + (offset)))
#endif

static jmp_buf harness_back;
static uintptr_t harness_stack_limit;
static inline void wasm_trap(wasm_trap_t kind) {
    longjmp(harness_back, (int)kind + 1);
}
static inline void wasm_stack_low(void) {
    wasm_trap(WASM_TRAP_STACK_OVERFLOW);
}
static const char *const harness_messages[] = {
#define MESSAGE(name, message) message,
    WASM_TRAPS(MESSAGE)
#undef MESSAGE
};
#define HARNESS_OUTSIDE 1000

/* Whether it traps. */
static int harness_try(const char *name, void (*call)(void)) {
    int kind = _setjmp(harness_back);
    if (kind == 0) {
        call();
        return 0;
    }
    if (kind >= HARNESS_OUTSIDE) {
        printf("ESCAPED %s: signal %d\n", name, kind - HARNESS_OUTSIDE);
        return 1;
    }
    const char *message = harness_messages[kind - 1];
    if (strcmp(message, "undefined element") == 0) {
        message = "out of bounds table access";
    } else if (strcmp(message, "null reference") == 0) {
        message = "uninitialized element";
    }
    printf("%s %s\n", name, message);
    return 1;
}

/* A vector as one number. */
static void harness_vector(wasm_v128_t vector) {
    simd_lanes_t lanes = simd_lanes(vector);
    if (lanes.u64[1] == 0) {
        printf(" %llx", (unsigned long long)lanes.u64[0]);
    } else {
        printf(" %llx%016llx", (unsigned long long)lanes.u64[1], (unsigned long long)lanes.u64[0]);
    }
}

static void harness_memory(const char *name, const uint8_t *base, uint32_t size) {
    uint64_t hash = 0xcbf29ce484222325ull;
    for (uint32_t i = 0; i < size; i++) {
        hash = (hash ^ base[i]) * 0x100000001b3ull;
    }
    printf("memory %s %u %llx\n", name, size, (unsigned long long)hash);
}

#define HARNESS_PAGE 4096
#define HARNESS_FILL 0xa5
/* What is around a memory: known bytes from `first` to it, and behind it to `last`, where a page begins. */
static struct harness_guarded {
    uint8_t *first, *at, *end, *last;
    size_t mapped;
} harness_guards[5000];
static size_t harness_guarded;

static uint8_t *harness_page(uint8_t *at) {
    return (uint8_t *)((uintptr_t)at & ~(uintptr_t)(HARNESS_PAGE - 1));
}

static uint8_t *harness_fill(uint8_t *first, uint8_t *at, size_t bytes, size_t mapped) {
    struct harness_guarded *new = &harness_guards[harness_guarded++];
    *new = (struct harness_guarded){first, at, at + bytes, harness_page(at + bytes + HARNESS_PAGE - 1), mapped};
    memset(first, HARNESS_FILL, (size_t)(at - first));
    memset(new->end, HARNESS_FILL, (size_t)(new->last - new->end));
    return new->last;
}

/* As far as an index of 32 bits and an offset of 32 bits reach. */
#define HARNESS_REACH ((size_t)9 << 30)

/* Room for a memory; NULL when there is none. */
static uint8_t *harness_room(uint32_t bytes) {
    if (bytes > 1 << 24 || harness_guarded == sizeof harness_guards / sizeof *harness_guards) {
        return NULL;
    }
    uint8_t *all =
        mmap(NULL, HARNESS_REACH, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) {
        return NULL;
    }
    size_t room = ((size_t)bytes + 2 * HARNESS_PAGE - 1) / HARNESS_PAGE * HARNESS_PAGE;
    uint8_t *first = all + 16 * HARNESS_PAGE;
    mprotect(first, room, PROT_READ | PROT_WRITE);
    uint8_t *at = (uint8_t *)((uintptr_t)(first + room - bytes) & ~(uintptr_t)7);
    harness_fill(first, at, bytes, HARNESS_REACH);
    return at;
}

/* A memory that cannot grow is an array. */
#if defined(__SANITIZE_ADDRESS__)
/* The sanitizer looks at what is around it. */
#define HARNESS_MEMORY(name, bytes) static uint8_t name[bytes];
#define HARNESS_AT(name) name
#define HARNESS_GUARD(name) (void)0
static uint8_t *wasm_memory_grow(uint8_t *memory, uint32_t old, uint32_t bytes) {
    uint8_t *moved = calloc(bytes, 1);
#else
#ifdef __TINYC__
/* It does not align them. */
#define HARNESS_MEMORY(name, bytes) \
    static uint8_t *name; \
    enum { name##_bytes = bytes };
#define HARNESS_AT(name) name
#define HARNESS_GUARD(name) name = harness_room(name##_bytes)
#else
#define HARNESS_MEMORY(name, bytes) \
    static struct { \
        uint8_t before[2 * HARNESS_PAGE + ((HARNESS_PAGE - (bytes) % HARNESS_PAGE) % HARNESS_PAGE & ~7)]; \
        uint8_t at[bytes]; \
        uint8_t behind[HARNESS_PAGE + 8]; \
    } name __attribute__((aligned(HARNESS_PAGE)));
#define HARNESS_AT(name) name.at
#define HARNESS_GUARD(name) harness_guard(name.before, name.at, sizeof name.at)
static void harness_guard(uint8_t *before, uint8_t *at, size_t bytes) {
    uint8_t *last = harness_fill(before + HARNESS_PAGE, at, bytes, 0);
    mprotect(before, HARNESS_PAGE, PROT_NONE);
    mprotect(last, HARNESS_PAGE, PROT_NONE);
}
#endif
static uint8_t *wasm_memory_grow(uint8_t *memory, uint32_t old, uint32_t bytes) {
    uint8_t *moved = bytes > 1 << 20 ? NULL : harness_room(bytes);
#endif
    if (moved != NULL && old != 0) {
        memcpy(moved, memory, old);
    }
    return moved;
}

static void harness_check_guards(void) {
    for (size_t i = 0; i < harness_guarded; i++) {
        struct harness_guarded *g = &harness_guards[i];
        for (uint8_t *at = g->first; at < g->last; at = at + 1 == g->at ? g->end : at + 1) {
            if (*at != HARNESS_FILL && (at < g->at || at >= g->end)) {
                printf("ESCAPED to %s the memory\n", at < g->at ? "before" : "behind");
                break;
            }
        }
        if (g->mapped != 0) {
            munmap(harness_page(g->first) - 16 * HARNESS_PAGE, g->mapped);
        }
    }
    harness_guarded = 0;
}

static void harness_outside(int number) {
    longjmp(harness_back, HARNESS_OUTSIDE + number);
}

static void harness_hangs(int number) {
    static const char text[] = "HANGS\n";
    (void)number;
    _exit(write(1, text, sizeof text - 1) < 0 ? 4 : 3);
}

/* Runs modules, from the `first` one on; none takes ten seconds of the processor's. */
static void harness_run(int first, int count, void (*const *runs)(void), const char *const *names) {
    char here;
    harness_stack_limit = (uintptr_t)&here - 4000000;
#ifndef __SANITIZE_ADDRESS__
    static uint8_t other[1 << 16];
    sigaltstack(&(stack_t){.ss_sp = other, .ss_size = sizeof other}, NULL);
    int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sigaction(
            numbers[i], &(struct sigaction){.sa_handler = harness_outside, .sa_flags = SA_ONSTACK | SA_NODEFER}, NULL);
    }
#endif
    signal(SIGVTALRM, harness_hangs);
    for (int i = first; i < count; i++) {
        printf("# %s\n", names[i]);
        fflush(stdout);
        setitimer(ITIMER_VIRTUAL, &(struct itimerval){.it_value = {.tv_sec = 10}}, NULL);
        runs[i]();
        harness_check_guards();
        fflush(stdout);
    }
    puts("# end");
}
