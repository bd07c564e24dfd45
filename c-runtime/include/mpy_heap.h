/* The heap of a module whose language wants one: malloc and free by other names.
 *
 * Where addresses are the machine's, memory comes from MicroPython's heap in chunks. Its collector keeps a block
 * for a pointer to its start that it finds in a module's state or in a block it keeps, so the chunks are a chain,
 * and what lies in them may be found by any pointer. A chunk of which nothing is used goes back. With
 * MPY_HEAP_RESERVE, so many bytes are taken by mpy_heap_reserve and kept.
 *
 * Else the including file defines MPY_HEAP_BASE, the first byte of memory 0, MPY_HEAP_END, its size, and MPY_HEAP_START
 * and MPY_HEAP_FIRST_END, between which it is the heap's. An address is a uint32_t in both. A memory that can grow has
 * MPY_HEAP_MEMORY, its wasm_memory_t, and MPY_HEAP_PAGE. Whoever makes it grow has what is new, be it the heap or
 * another allocator of the program; what the heap got joins what it had when nothing lies between.
 *
 * A block begins 4 bytes before an address divisible by 8, with a word: its size, which is divisible by 8, and three
 * flags. A free one goes on with the links of its list and ends with its size again. Lists are by size, in steps of 8
 * up to 128 bytes, then by powers of two; the first block that fits is taken.
 */
#ifndef MPY_HEAP_H
#define MPY_HEAP_H

#include "mpy_unwind.h"

#ifdef MPY_HEAP_BASE
/* The memory is the module's, which may write anything into the words of blocks and call these functions with any
 * address. So nothing that is read there leads out of the memory, or to a word that is not aligned. */
MPY_SHARED uint8_t *mpy_heap_bytes(uint32_t at, uint32_t length) {
    if (wasm_exceeds(at, length, MPY_HEAP_END)) {
        wasm_trap(WASM_TRAP_MEMORY_OUT_OF_BOUNDS);
    }
    return MPY_HEAP_BASE + at;
}

MPY_SHARED wasm_u32 *mpy_heap_word(uint32_t at) {
    return (wasm_u32 *)(void *)mpy_heap_bytes(at % 4 == 0 ? at : UINT32_MAX, 4);
}

#define MPY_HEAP_WORD(at) (*mpy_heap_word(at))
#define MPY_HEAP_BYTES(at, length) mpy_heap_bytes(at, length)
/* Blocks overlap where their words say so. */
#define MPY_HEAP_COPY __builtin_memmove
#else
#define MPY_HEAP_WORD(at) (*(wasm_u32 *)(uintptr_t)(at))
#define MPY_HEAP_BYTES(at, length) ((uint8_t *)(uintptr_t)(at))
#define MPY_HEAP_COPY __builtin_memcpy
#endif

enum {
    MPY_HEAP_USED = 1,
    MPY_HEAP_USED_BEFORE = 2, /* the block before is used, or there is none */
    MPY_HEAP_FIRST = 4,       /* of a chunk that can be given back */
    MPY_HEAP_FLAGS = 7,
    MPY_HEAP_LEAST = 16, /* bytes of a block */
    MPY_HEAP_LISTS = 24,
    MPY_HEAP_HEAD = 12, /* bytes before a chunk's first block: the next chunk, and what alignment takes */
    MPY_HEAP_CHUNK = 512, /* bytes of the smallest chunk */
};

/* A flag of a used block, which no size reaches: Rust only borrows it, and the bindings end it. */
#define MPY_HEAP_KEPT 0x80000000u

typedef struct {
#ifdef MPY_HEAP_BASE
    uint32_t end; /* where the last that it took ends; at first 0 */
#else
    uint32_t chunks; /* the first of the chain */
    uint32_t count;
#endif
    uint32_t busy; /* is being changed */
    uint32_t later; /* the first block that a handler of an interrupt gave back meanwhile */
    uint32_t used; /* lists that are not empty, as bits */
    uint32_t lists[MPY_HEAP_LISTS];
} mpy_heap_t;

WASM_STATE(mpy_heap_t, mpy_heap);
#define mpy_heap WASM_REACH(mpy_heap)

/* A handler of an interrupt may come in the middle of a change: it gets no memory then, and what it gives back is given
 * back afterwards. */
static inline void mpy_heap_begin(void) {
    mpy_heap.busy = 1;
    mpy_barrier();
}

static inline void mpy_heap_rest(void) {
    mpy_barrier();
    mpy_heap.busy = 0;
}

static inline uint32_t mpy_heap_size(uint32_t block) {
    return MPY_HEAP_WORD(block) & ~(uint32_t)MPY_HEAP_FLAGS;
}

static uint32_t mpy_heap_list(uint32_t size) {
#ifdef MPY_HEAP_BASE
    /* No block is smaller, but a word may say so. */
    if (size < MPY_HEAP_LEAST) {
        wasm_trap(WASM_TRAP_MEMORY_OUT_OF_BOUNDS);
    }
#endif
    if (size <= 128) {
        return size / 8 - 2;
    }
    uint32_t list = 15 + 24 - (uint32_t)__builtin_clz(size - 1);
    return list < MPY_HEAP_LISTS ? list : MPY_HEAP_LISTS - 1;
}

/* Puts a free block, whose first word is right, into its list. */
MPY_SHARED void mpy_heap_insert(uint32_t block) {
    uint32_t size = mpy_heap_size(block);
    uint32_t list = mpy_heap_list(size);
    uint32_t next = mpy_heap.lists[list];
    MPY_HEAP_WORD(block + 4) = next;
    MPY_HEAP_WORD(block + 8) = 0;
    MPY_HEAP_WORD(block + size - 4) = size;
    if (next != 0) {
        MPY_HEAP_WORD(next + 8) = block;
    }
    mpy_heap.lists[list] = block;
    mpy_heap.used |= 1u << list;
}

MPY_SHARED void mpy_heap_remove(uint32_t block) {
    uint32_t next = MPY_HEAP_WORD(block + 4);
    uint32_t previous = MPY_HEAP_WORD(block + 8);
    if (next != 0) {
        MPY_HEAP_WORD(next + 8) = previous;
    }
    if (previous != 0) {
        MPY_HEAP_WORD(previous + 4) = next;
        return;
    }
    uint32_t list = mpy_heap_list(mpy_heap_size(block));
    mpy_heap.lists[list] = next;
    if (next == 0) {
        mpy_heap.used &= ~(1u << list);
    }
}

/* Makes one free block of all from `block`, the first, to the end of its chunk. */
static void mpy_heap_add(uint32_t block, uint32_t end, uint32_t flags) {
    uint32_t size = (end - block - 4) & ~(uint32_t)MPY_HEAP_FLAGS;
    MPY_HEAP_WORD(block) = size | MPY_HEAP_USED_BEFORE | flags;
    /* A used block of no bytes ends it. */
    MPY_HEAP_WORD(block + size) = MPY_HEAP_USED;
    mpy_heap_insert(block);
}

MPY_SHARED void mpy_heap_free(uint32_t at);

/* Adds memory, in which a block of `need` bytes fits or can be made to by adding again; whether there was any. */
MPY_SHARED int mpy_heap_more(uint32_t need) {
#ifdef MPY_HEAP_BASE
    if (mpy_heap.end == 0) {
        uint32_t first = ((MPY_HEAP_START + 7) & ~7u) + 4;
        mpy_heap.end = first;
        if (first < MPY_HEAP_FIRST_END && MPY_HEAP_FIRST_END - first >= 2 * MPY_HEAP_LEAST) {
            mpy_heap.end = MPY_HEAP_FIRST_END & ~7u;
            mpy_heap_add(first, mpy_heap.end, 0);
            return 1;
        }
    }
#ifdef MPY_HEAP_MEMORY
    /* The more there is, the more at once. */
    uint32_t old = MPY_HEAP_END;
    uint32_t least = (need + 2 * MPY_HEAP_LEAST + MPY_HEAP_PAGE - 1) / MPY_HEAP_PAGE;
    uint32_t pages = old / 4 / MPY_HEAP_PAGE;
    if ((pages <= least || wasm_memory_more(&MPY_HEAP_MEMORY, pages, MPY_HEAP_PAGE) == UINT32_MAX)
        && wasm_memory_more(&MPY_HEAP_MEMORY, least, MPY_HEAP_PAGE) == UINT32_MAX) {
        return 0;
    }
    uint32_t last = mpy_heap.end;
    mpy_heap.end = MPY_HEAP_END & ~7u;
    if (last != old) {
        mpy_heap_add(((old + 7) & ~7u) + 4, mpy_heap.end, 0);
        return 1;
    }
    /* What ended the last becomes a used block, and is given back. */
    MPY_HEAP_WORD(last - 4) |= mpy_heap.end - last;
    MPY_HEAP_WORD(mpy_heap.end - 4) = MPY_HEAP_USED;
    mpy_heap_free(last);
    return 1;
#else
    (void)need;
    return 0;
#endif
#else
    need += MPY_HEAP_HEAD + 4;
    /* The more there is, the more at once. */
    uint32_t bytes = MPY_HEAP_CHUNK << (mpy_heap.count < 6 ? mpy_heap.count / 2 : 3);
    if (bytes < need) {
        bytes = (need + 15) & ~15u;
    }
    /* This may collect, and a finaliser call this module. */
    mpy_heap_rest();
#ifdef MPY_HAS_STACKS
    mpy_stacks_t outside;
    mpy_enter_python(&outside);
#endif
    uint8_t *chunk = mp_fun_realloc(NULL, bytes, false);
    if (chunk == NULL && bytes > need) {
        bytes = (need + 15) & ~15u;
        chunk = mp_fun_realloc(NULL, bytes, false);
    }
#ifdef MPY_HAS_STACKS
    mpy_leave_python(&outside);
#endif
    mpy_heap_begin();
    if (chunk == NULL) {
        return 0;
    }
    uint32_t at = (uint32_t)(uintptr_t)chunk;
    MPY_HEAP_WORD(at) = mpy_heap.chunks;
    mpy_heap.chunks = at;
    mpy_heap.count++;
    mpy_heap_add(at + MPY_HEAP_HEAD, at + bytes, MPY_HEAP_FIRST);
    return 1;
#endif
}

#ifndef MPY_HEAP_BASE
/* Gives back the chunk of a block that is all of it, and in no list. */
__attribute__((noinline)) static void mpy_heap_less(uint32_t block) {
    uint32_t chunk = block - MPY_HEAP_HEAD;
    uint32_t next = MPY_HEAP_WORD(chunk);
    if (mpy_heap.chunks == chunk) {
        mpy_heap.chunks = next;
    } else {
        uint32_t before = mpy_heap.chunks;
        while (MPY_HEAP_WORD(before) != chunk) {
            before = MPY_HEAP_WORD(before);
        }
        MPY_HEAP_WORD(before) = next;
    }
    mpy_heap.count--;
    mp_fun_realloc(MPY_HEAP_BYTES(chunk, 0), 0, false);
}
#endif

#if defined(MPY_CLOSES) && !defined(MPY_HEAP_BASE)
/* Leaves all chunks to the collector. */
static void mpy_end_heap(void) {
    mpy_heap.chunks = 0;
}
#endif

/* Makes a free block of what is in no list; the block behind it is used. */
static void mpy_heap_release(uint32_t block, uint32_t size, uint32_t flags) {
    uint32_t behind = block + size;
#ifndef MPY_HEAP_BASE
    if ((flags & MPY_HEAP_FIRST) && mpy_heap_size(behind) == 0 && (mpy_heap.count > 1 || size >= MPY_HEAP_CHUNK)) {
        mpy_heap_less(block);
        return;
    }
#endif
    MPY_HEAP_WORD(block) = size | flags;
    MPY_HEAP_WORD(behind) &= ~(uint32_t)MPY_HEAP_USED_BEFORE;
    mpy_heap_insert(block);
}

/* The free block behind, merged into `size`. */
static inline uint32_t mpy_heap_join(uint32_t block, uint32_t size) {
    uint32_t behind = block + size;
    if (!(MPY_HEAP_WORD(behind) & MPY_HEAP_USED)) {
        size += mpy_heap_size(behind);
        mpy_heap_remove(behind);
    }
    return size;
}

/* Uses `need` bytes of the `size` that begin at `block`, which are in no list; the block behind is used. */
MPY_SHARED void mpy_heap_use(uint32_t block, uint32_t size, uint32_t need, uint32_t flags) {
    if (size - need >= MPY_HEAP_LEAST) {
        mpy_heap_release(block + need, size - need, MPY_HEAP_USED_BEFORE);
        size = need;
    } else {
        MPY_HEAP_WORD(block + size) |= MPY_HEAP_USED_BEFORE;
    }
    MPY_HEAP_WORD(block) = size | MPY_HEAP_USED | flags;
}

static inline uint32_t mpy_heap_need(uint32_t bytes) {
    return bytes <= MPY_HEAP_LEAST - 4 ? (uint32_t)MPY_HEAP_LEAST : (bytes + 4 + 7) & ~7u;
}

MPY_SHARED void mpy_heap_free(uint32_t at) {
    uint32_t block = at - 4;
    uint32_t size = mpy_heap_join(block, mpy_heap_size(block));
    uint32_t flags = MPY_HEAP_WORD(block) & (MPY_HEAP_USED_BEFORE | MPY_HEAP_FIRST);
    if (!(flags & MPY_HEAP_USED_BEFORE)) {
        uint32_t before = MPY_HEAP_WORD(block - 4);
        block -= before;
        size += before;
        mpy_heap_remove(block);
        flags = MPY_HEAP_WORD(block) & (MPY_HEAP_USED_BEFORE | MPY_HEAP_FIRST);
    }
    mpy_heap_release(block, size, flags);
}

/* After a change. */
static void mpy_heap_end(void) {
    while (mpy_heap.later != 0) {
        uint32_t at = mpy_heap.later;
        mpy_heap.later = MPY_HEAP_WORD(at);
        mpy_heap_free(at);
    }
    mpy_heap_rest();
}

MPY_SHARED void mpy_dealloc(uint32_t at) {
#ifdef MPY_LENDS
    if (mpy_lending != NULL && mpy_is_lent(at)) {
        return;
    }
#endif
#ifdef MPY_COPIES
    if (MPY_HEAP_WORD(at - 4) & MPY_HEAP_KEPT) {
        return;
    }
#endif
    if (mpy_heap.busy) {
        MPY_HEAP_WORD(at) = mpy_heap.later;
        mpy_heap.later = at;
        return;
    }
    mpy_heap_begin();
    mpy_heap_free(at);
    mpy_heap_end();
}

#ifdef MPY_COPIES
static void mpy_keep(uint32_t at) {
    MPY_HEAP_WORD(at - 4) |= MPY_HEAP_KEPT;
}

static void mpy_end_kept(uint32_t at) {
    MPY_HEAP_WORD(at - 4) &= ~MPY_HEAP_KEPT;
    mpy_dealloc(at);
}
#endif

MPY_SHARED uint32_t mpy_heap_take(uint32_t bytes, uint32_t align) {
    if (bytes > INT32_MAX || align > INT32_MAX / 4) {
        return 0;
    }
    uint32_t need = mpy_heap_need(bytes);
    /* Of a block that is long enough, the part at the wanted place, and before it nothing or another block. */
    uint32_t least = align <= 8 ? need : need + align + MPY_HEAP_LEAST;
    uint32_t block;
    for (;;) {
        uint32_t left = mpy_heap.used >> mpy_heap_list(least) << mpy_heap_list(least);
        for (; left != 0; left &= left - 1) {
            block = mpy_heap.lists[__builtin_ctz(left)];
            while (block != 0 && mpy_heap_size(block) < least) {
                block = MPY_HEAP_WORD(block + 4);
            }
            if (block != 0) {
                goto found;
            }
        }
        if (!mpy_heap_more(least)) {
            return 0;
        }
    }
found:
    mpy_heap_remove(block);
    uint32_t size = mpy_heap_size(block);
    uint32_t flags = MPY_HEAP_WORD(block) & (MPY_HEAP_USED_BEFORE | MPY_HEAP_FIRST);
    if (align > 8) {
        uint32_t front = -(block + 4) & (align - 1);
        if (front != 0 && front < MPY_HEAP_LEAST) {
            front += align;
        }
        if (front != 0) {
            MPY_HEAP_WORD(block) = front | flags;
            mpy_heap_insert(block);
            block += front;
            size -= front;
            flags = 0;
        }
    }
    mpy_heap_use(block, size, need, flags);
    return block + 4;
}

/* The address of `bytes` bytes, a multiple of `align`, which is a power of two; 0 when there is no memory, or in a handler
 * of an interrupt that came while the heap was changed. */
MPY_SHARED uint32_t mpy_alloc(uint32_t bytes, uint32_t align) {
    if (mpy_heap.busy) {
        return 0;
    }
    mpy_heap_begin();
    uint32_t at = mpy_heap_take(bytes, align);
    mpy_heap_end();
    return at;
}

__attribute__((unused)) static uint32_t mpy_alloc_zeroed(uint32_t bytes, uint32_t align) {
    uint32_t at = mpy_alloc(bytes, align);
    if (at != 0) {
        __builtin_memset(MPY_HEAP_BYTES(at, bytes), 0, bytes);
    }
    return at;
}

/* Another size for what is at `at`, without moving it; whether that is done. */
static int mpy_heap_resize(uint32_t at, uint32_t old, uint32_t bytes) {
    uint32_t block = at - 4;
    uint32_t need = mpy_heap_need(bytes);
    uint32_t size = mpy_heap_size(block);
    uint32_t behind = block + size;
    if (size < need && !(MPY_HEAP_WORD(behind) & MPY_HEAP_USED) && size + mpy_heap_size(behind) >= need) {
        size = mpy_heap_join(block, size);
    }
    if (size >= need) {
        if (bytes < old) {
            size = mpy_heap_join(block, size);
        }
        mpy_heap_use(block, size, need, MPY_HEAP_WORD(block) & (MPY_HEAP_USED_BEFORE | MPY_HEAP_FIRST));
        return 1;
    }
    return 0;
}

/* The address of `bytes` bytes that begin with what was at `at`, where there were `old`. */
MPY_SHARED uint32_t mpy_realloc(uint32_t at, uint32_t old, uint32_t bytes, uint32_t align) {
    if (bytes > INT32_MAX || mpy_heap.busy) {
        return 0;
    }
    mpy_heap_begin();
    int is_done = mpy_heap_resize(at, old, bytes);
    mpy_heap_end();
    if (is_done) {
        return at;
    }
    uint32_t moved = mpy_alloc(bytes, align);
    if (moved != 0) {
        uint32_t kept = old < bytes ? old : bytes;
        MPY_HEAP_COPY(MPY_HEAP_BYTES(moved, kept), MPY_HEAP_BYTES(at, kept), kept);
        mpy_dealloc(at);
    }
    return moved;
}

#if defined(MPY_HEAP_RESERVE) && !defined(MPY_HEAP_BASE)
/* Takes so many bytes of MicroPython's heap when the module is imported, in a chunk that is never given back. */
static void mpy_heap_reserve(void) {
    uint32_t at = mpy_alloc(MPY_HEAP_RESERVE, 8);
    if (at == 0) {
        mpy_raise_no_memory("out of memory");
    }
    MPY_HEAP_WORD(at - 4) &= ~(uint32_t)MPY_HEAP_FIRST;
    mpy_dealloc(at);
}
#endif

#endif
