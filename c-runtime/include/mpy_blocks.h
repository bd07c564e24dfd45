/* The heap of a module that allocates seldom, with the functions of mpy_heap.h: each block is one of MicroPython's heap. That
 * takes a quarter of the code, and more time, as MicroPython looks for free memory from the beginning of its heap.
 *
 * Addresses are the machine's. MicroPython's blocks are divisible by 16. Each begins with the links of a list, through which the
 * collector finds it, as it keeps blocks to whose start it finds a pointer. The word before an address that is handed out is the
 * link to the block before or, with a larger alignment, the distance from the block and MPY_BLOCK_ALIGNED.
 */
#ifndef MPY_BLOCKS_H
#define MPY_BLOCKS_H

#include "mpy_unwind.h"

typedef struct mpy_block {
    struct mpy_block *next;
    uintptr_t before; /* the block, and a flag */
} mpy_block_t;

enum {
    MPY_BLOCK_ALIGNED = 1,
    MPY_BLOCK_KEPT = 2, /* Rust only borrows it, and the bindings end it */
    MPY_BLOCK_FLAGS = 3,
};

typedef struct {
    mpy_block_t *first;
    uint32_t busy; /* is being changed */
    uint32_t later; /* the first block that a handler of an interrupt gave back meanwhile */
} mpy_blocks_t;

WASM_STATE(mpy_blocks_t, mpy_blocks);
#define mpy_blocks WASM_REACH(mpy_blocks)

#define MPY_BLOCK_WORD(at) (((wasm_u32 *)(uintptr_t)(at))[-1])

static mpy_block_t *mpy_block_of(uint32_t at) {
    uint32_t word = MPY_BLOCK_WORD(at);
    uint32_t distance = (word & MPY_BLOCK_ALIGNED) != 0 ? word & ~(uint32_t)MPY_BLOCK_FLAGS : sizeof(mpy_block_t);
    return (mpy_block_t *)(uintptr_t)(at - distance);
}

/* As the firmware's realloc, which may collect, and a finaliser call this module. */
static void *mpy_block_memory(mpy_block_t *block, uint32_t bytes) {
#ifdef MPY_HAS_STACKS
    mpy_stacks_t outside;
    mpy_enter_python(&outside);
#endif
    void *memory = mp_fun_realloc(block, bytes, true);
#ifdef MPY_HAS_STACKS
    mpy_leave_python(&outside);
#endif
    return memory;
}

static void mpy_block_insert(mpy_block_t *block) {
    mpy_block_t *next = mpy_blocks.first;
    block->next = next;
    block->before = 0;
    if (next != NULL) {
        next->before = (uintptr_t)block | (next->before & MPY_BLOCK_KEPT);
    }
    mpy_blocks.first = block;
}

static void mpy_block_remove(mpy_block_t *block) {
    mpy_block_t *next = block->next, *before = (mpy_block_t *)(block->before & ~(uintptr_t)MPY_BLOCK_FLAGS);
    *(before != NULL ? &before->next : &mpy_blocks.first) = next;
    if (next != NULL) {
        next->before = (uintptr_t)before | (next->before & MPY_BLOCK_KEPT);
    }
}

static void mpy_block_free(uint32_t at) {
    mpy_block_t *block = mpy_block_of(at);
    mpy_block_remove(block);
    mp_fun_realloc(block, 0, false);
}

/* A handler of an interrupt may come in the middle of a change: it gets no memory then, as it gets none of MicroPython, and
 * what it gives back is given back afterwards. */
static void mpy_blocks_begin(void) {
    mpy_blocks.busy = 1;
    mpy_barrier();
}

static void mpy_blocks_end(void) {
    while (mpy_blocks.later != 0) {
        uint32_t at = mpy_blocks.later;
        /* MicroPython's blocks have room for it. */
        mpy_blocks.later = *(wasm_u32 *)(uintptr_t)at;
        mpy_block_free(at);
    }
    mpy_barrier();
    mpy_blocks.busy = 0;
}

MPY_SHARED void mpy_dealloc(uint32_t at) {
#ifdef MPY_LENDS
    if (mpy_lending != NULL && mpy_is_lent(at)) {
        return;
    }
#endif
#ifdef MPY_COPIES
    if (MPY_BLOCK_WORD(at) & MPY_BLOCK_KEPT) {
        return;
    }
#endif
    if (mpy_blocks.busy) {
        *(wasm_u32 *)(uintptr_t)at = mpy_blocks.later;
        mpy_blocks.later = at;
        return;
    }
    mpy_blocks_begin();
    mpy_block_free(at);
    mpy_blocks_end();
}

#ifdef MPY_COPIES
static void mpy_keep(uint32_t at) {
    mpy_blocks_begin();
    MPY_BLOCK_WORD(at) |= MPY_BLOCK_KEPT;
    mpy_blocks_end();
}

static void mpy_end_kept(uint32_t at) {
    mpy_blocks_begin();
    MPY_BLOCK_WORD(at) &= ~(uint32_t)MPY_BLOCK_KEPT;
    mpy_block_free(at);
    mpy_blocks_end();
}
#endif

/* The address of `bytes` bytes, a multiple of `align`, which is a power of two; 0 when there is no memory, or in a handler of
 * an interrupt. */
MPY_SHARED uint32_t mpy_alloc(uint32_t bytes, uint32_t align) {
    if (bytes > INT32_MAX || align > INT32_MAX / 4 || mpy_blocks.busy) {
        return 0;
    }
    uint32_t more = align <= sizeof(mpy_block_t) ? sizeof(mpy_block_t) : sizeof(mpy_block_t) + align;
    mpy_block_t *block = mpy_block_memory(NULL, bytes + more);
    if (block == NULL) {
        return 0;
    }
    mpy_blocks_begin();
    mpy_block_insert(block);
    mpy_blocks_end();
    uint32_t at = (uint32_t)(uintptr_t)(block + 1);
    if (align > sizeof(mpy_block_t)) {
        /* A block is divisible by 16, so there is a word between its links and the address. */
        at = (at + align - 1) & -align;
        MPY_BLOCK_WORD(at) = (at - (uint32_t)(uintptr_t)block) | MPY_BLOCK_ALIGNED;
    }
    return at;
}

__attribute__((unused)) static uint32_t mpy_alloc_zeroed(uint32_t bytes, uint32_t align) {
    uint32_t at = mpy_alloc(bytes, align);
    if (at != 0) {
        mp_fun_table.memset((void *)(uintptr_t)at, 0, bytes);
    }
    return at;
}

/* The address of `bytes` bytes that begin with what was at `at`, where there were `old`. */
MPY_SHARED uint32_t mpy_realloc(uint32_t at, uint32_t old, uint32_t bytes, uint32_t align) {
    if (align > sizeof(mpy_block_t)) {
        uint32_t moved = mpy_alloc(bytes, align);
        if (moved != 0) {
            mp_fun_memmove((void *)(uintptr_t)moved, (void *)(uintptr_t)at, old < bytes ? old : bytes);
            mpy_dealloc(at);
        }
        return moved;
    }
    if (bytes > INT32_MAX || mpy_blocks.busy) {
        return 0;
    }
    /* While it may move, nothing refers to it but MicroPython's realloc, which the collector sees on the stack. */
    mpy_block_t *block = mpy_block_of(at);
    uintptr_t kept = block->before & MPY_BLOCK_KEPT;
    mpy_blocks_begin();
    mpy_block_remove(block);
    mpy_blocks_end();
    mpy_block_t *moved = mpy_block_memory(block, bytes + sizeof(mpy_block_t));
    block = moved != NULL ? moved : block;
    mpy_blocks_begin();
    mpy_block_insert(block);
    block->before |= kept;
    mpy_blocks_end();
    return moved != NULL ? (uint32_t)(uintptr_t)(moved + 1) : 0;
}

#ifdef MPY_CLOSES
/* Leaves all blocks to the collector. */
static void mpy_end_heap(void) {
    mpy_blocks.first = NULL;
}
#endif

#endif
