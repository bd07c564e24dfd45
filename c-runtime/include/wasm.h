/* What C made from WebAssembly includes: its number types in memory, traps, and the operators C has not.
 *
 * The embedder defines, after the module and in the same translation unit, wasm_trap, the functions the
 * module imports, wasm_memory_grow if its memory can grow, and wasm_stack_low if its functions recurse.
 * When the module defines WASM_NAMES, the first and the last are told the function that they are called in.
 *
 * Numerics: WebAssembly core specification, section 4.3.
 */
#ifndef WASM_H
#define WASM_H

#include <stddef.h>
#include <stdint.h>

#include "wasm_state.h"

/* Generated code is what its author made it: it may ignore parameters, compare what is constant, and recurse
 * for ever. Compilers do not all know all of these. */
#pragma GCC diagnostic ignored "-Wpragmas"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#endif
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-but-set-parameter"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wunused-const-variable"
#pragma GCC diagnostic ignored "-Wtype-limits"
#pragma GCC diagnostic ignored "-Waddress"
#pragma GCC diagnostic ignored "-Wnonnull"
#pragma GCC diagnostic ignored "-Winfinite-recursion"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wself-assign"
#pragma GCC diagnostic ignored "-Wtautological-compare"
#pragma GCC diagnostic ignored "-Wint-in-bool-context"
#pragma GCC diagnostic ignored "-Wparentheses-equality"

/* The frame of a function is measured by its name, so GCC must not merge it with an equal one. Clang does not. */
#if defined(WASM_FRAMES_ARE_MEASURED) && !defined(__clang__)
#define WASM_FUNCTION __attribute__((no_icf)) WASM_UNUSED static
#else
#define WASM_FUNCTION WASM_UNUSED static
#endif
/* A function that is not inlined. */
#define WASM_APART __attribute__((noinline))

/* A function that returns a float. 32-bit x86 returns floats in a register of the x87, which makes signalling NaNs quiet
 * ones, unless it is told otherwise: where a function is only called by its name compilers know better. */
#if defined(__i386__) && defined(__clang__)
#define WASM_RETURNS_FLOAT __attribute__((regcall))
#elif defined(__i386__)
#define WASM_RETURNS_FLOAT __attribute__((sseregparm))
#else
#define WASM_RETURNS_FLOAT
#endif

/* Cells of memory, as wide as they are written; aligned, or by as much, or not. */
#define WASM_CELL(name, type) \
    typedef type __attribute__((may_alias)) wasm_##name; \
    typedef type __attribute__((may_alias, aligned(4))) wasm_##name##_at4; \
    typedef type __attribute__((may_alias, aligned(2))) wasm_##name##_at2; \
    typedef type __attribute__((may_alias, aligned(1))) wasm_##name##_unaligned;
WASM_CELL(u8, uint8_t)
WASM_CELL(s8, int8_t)
WASM_CELL(u16, uint16_t)
WASM_CELL(s16, int16_t)
WASM_CELL(u32, uint32_t)
WASM_CELL(s32, int32_t)
WASM_CELL(u64, uint64_t)
WASM_CELL(f32, float)
WASM_CELL(f64, double)
#undef WASM_CELL

/* Cells that may lie anywhere, though likely where their type wants it. Where the processor does not mind, or takes
 * two instructions for what need not be aligned, they are read and written as unaligned ones. Elsewhere an address is
 * looked at, and a word is as much as needs to be aligned. */
#if defined(__x86_64__) || defined(__i386__) || defined(__ARM_FEATURE_UNALIGNED)
#define WASM_LOOSE_LOAD(name, type) \
    static inline type wasm_get_##name(const uint8_t *cell) { return *(const wasm_##name##_unaligned *)cell; }
#define WASM_LOOSE_STORE(name, type) \
    static inline void wasm_set_##name(uint8_t *cell, type value) { *(wasm_##name##_unaligned *)cell = value; }
#else
#define WASM_LIES(cell, type) \
    __builtin_expect(((uintptr_t)(cell) & ((sizeof(type) < sizeof(uintptr_t) ? sizeof(type) : sizeof(uintptr_t)) - 1)) != 0, 0)
#define WASM_LOOSE_LOAD(name, type) \
    typedef type __attribute__((may_alias, aligned(sizeof(type) < sizeof(uintptr_t) ? sizeof(type) : sizeof(uintptr_t)))) \
        wasm_##name##_word; \
    WASM_UNUSED __attribute__((noinline)) static type wasm_get_##name##_anywhere(const uint8_t *cell) { \
        return *(const wasm_##name##_unaligned *)cell; \
    } \
    static inline type wasm_get_##name(const uint8_t *cell) { \
        return WASM_LIES(cell, type) ? wasm_get_##name##_anywhere(cell) : *(const wasm_##name##_word *)cell; \
    }
#define WASM_LOOSE_STORE(name, type) \
    WASM_UNUSED __attribute__((noinline)) static void wasm_set_##name##_anywhere(uint8_t *cell, type value) { \
        *(wasm_##name##_unaligned *)cell = value; \
    } \
    static inline void wasm_set_##name(uint8_t *cell, type value) { \
        if (WASM_LIES(cell, type)) { \
            wasm_set_##name##_anywhere(cell, value); \
        } else { \
            *(wasm_##name##_word *)cell = value; \
        } \
    }
#endif
WASM_LOOSE_LOAD(s16, int16_t)
WASM_LOOSE_LOAD(s32, int32_t)
#define WASM_LOOSE(name, type) \
    WASM_LOOSE_LOAD(name, type) \
    WASM_LOOSE_STORE(name, type)
WASM_LOOSE(u16, uint16_t)
WASM_LOOSE(u32, uint32_t)
WASM_LOOSE(u64, uint64_t)
WASM_LOOSE(f32, float)
WASM_LOOSE(f64, double)
#undef WASM_LOOSE

/* The cell `offset` bytes behind an address of the machine. */
#define WASM_AT(cell, addr, offset) (((struct { uint8_t before[offset]; cell at; } *)(uintptr_t)(addr))->at)

/* What 64-bit x86 is quicker with, where that is not about size.
 *
 * WASM_AT_INDEX: the cell `offset` bytes behind that of an array. The machine adds all three in an access for nothing,
 * where a compiler would keep the sum of two.
 * WASM_NEIGHBOURS: an address that many accesses are near, in a loop. GCC would keep what they read for the next turn, in
 * registers that there are not.
 * WASM_LOOPING_EXPORT: an exported function with loops. As a part of its binding, GCC finds worse registers for it. */
#if defined(__x86_64__) && defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)
#define WASM_AT_INDEX(cell, base, addr, offset) (*(cell *)((base) + ((uintptr_t)(addr) + (offset))))
#define WASM_NEIGHBOURS(addr) __asm__("" : "+r"(addr))
#define WASM_LOOPING_EXPORT __attribute__((noinline)) WASM_FUNCTION
#else
#define WASM_AT_INDEX(cell, base, addr, offset) WASM_AT(cell, (base) + (addr), offset)
#define WASM_NEIGHBOURS(addr) ((void)0)
#define WASM_LOOPING_EXPORT WASM_FUNCTION
#endif

/* The element `addr` bytes behind `base`. Compilers regroup sums of integers, not of pointers, so that the index alone
 * is left for the access; where a pointer is wider, addr has to wrap around by itself. */
#if UINTPTR_MAX == UINT32_MAX
#define WASM_PLACE(base, addr) ((uint8_t *)((uintptr_t)(base) + (addr)))
#else
#define WASM_PLACE(base, addr) ((base) + (addr))
#endif

/* The byte `addr` bytes behind `base`, where addr has 64 bits, as pointers have. */
#define WASM_WIDE(base, addr) ((uint8_t *)((uintptr_t)(base) + (addr)))

/* The body of a short loop whose trip count is a multiple of two or four: so often, where that is not about size. Compilers that
 * unroll loops themselves do it later than they choose addresses. */
#if defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)
#define WASM_TWICE(...) __VA_ARGS__ __VA_ARGS__
#define WASM_FOUR_TIMES(...) __VA_ARGS__ __VA_ARGS__ __VA_ARGS__ __VA_ARGS__
#else
#define WASM_TWICE(...) __VA_ARGS__
#define WASM_FOUR_TIMES(...) __VA_ARGS__
#endif

/* One with more accesses to memory. */
#if defined(__thumb2__)
#define WASM_TWICE_WIDE WASM_TWICE
#else
#define WASM_TWICE_WIDE(...) __VA_ARGS__
#endif

/* What is said of the size of an exhausted shadow stack, a string. */
#ifndef WASM_SHADOW_STACK
#define WASM_SHADOW_STACK
#endif

/* Why execution cannot go on, in the words of the specification's tests. */
#define WASM_TRAPS(TRAP) \
    TRAP(UNREACHABLE, "unreachable") \
    TRAP(MEMORY_OUT_OF_BOUNDS, "out of bounds memory access") \
    TRAP(DIVIDE_BY_ZERO, "integer divide by zero") \
    TRAP(INTEGER_OVERFLOW, "integer overflow") \
    TRAP(INVALID_CONVERSION, "invalid conversion to integer") \
    TRAP(TABLE_OUT_OF_BOUNDS, "out of bounds table access") \
    TRAP(NULL_REFERENCE, "null reference") \
    TRAP(UNDEFINED_ELEMENT, "undefined element") \
    TRAP(UNINITIALIZED_ELEMENT, "uninitialized element") \
    TRAP(INDIRECT_CALL_TYPE, "indirect call type mismatch") \
    TRAP(STACK_OVERFLOW, "call stack exhausted") \
    TRAP(SHADOW_STACK_OVERFLOW, "call stack exhausted" WASM_SHADOW_STACK) \
    TRAP(UNCAUGHT_EXCEPTION, "uncaught exception") \
    TRAP(OUT_OF_MEMORY, "out of memory") \
    TRAP(UNALIGNED_ATOMIC, "unaligned atomic") \
    TRAP(NOT_SHARED, "expected shared memory") \
    TRAP(ENDLESS_WAIT, "wait without an end")

typedef enum {
#define WASM_TRAP_NAME(name, message) WASM_TRAP_##name,
    WASM_TRAPS(WASM_TRAP_NAME)
#undef WASM_TRAP_NAME
} wasm_trap_t;

/* Where a trap is: with WASM_NAMES each function of the module defines `wasm_here` as its WASM_SITE, and what may trap
 * takes that before its own parameters, as it may be called from several or be part of one. Elsewhere it is NULL.
 *
 * It is the end of a message: " in NAME", or with wasm_lines.h the line of the source too. */
#ifdef WASM_NAMES
#ifndef WASM_SITE
#define WASM_SITE(name) " in " name
#endif
#define WASM_WHERE_ONLY const char *wasm_here
#define WASM_WHERE WASM_WHERE_ONLY,
#define WASM_HERE_ONLY wasm_here
#define WASM_HERE WASM_HERE_ONLY,
WASM_UNUSED static const char *const wasm_here = NULL;
#else
#define WASM_WHERE_ONLY void
#define WASM_WHERE
#define WASM_HERE_ONLY
#define WASM_HERE
#endif

__attribute__((noreturn)) WASM_UNUSED static inline void wasm_trap(WASM_WHERE wasm_trap_t kind);
#ifdef WASM_NAMES
#define wasm_trap(kind) wasm_trap(wasm_here, kind)
#endif

/* Makes a memory of `bytes` bytes, zeroed, that begins with the `old` bytes at `memory`, which may be NULL;
 * NULL when there is no room. */
WASM_UNUSED static uint8_t *wasm_memory_grow(uint8_t *memory, uint32_t old, uint32_t bytes);

/* An access that is outside whatever the address is. */
WASM_UNUSED static inline uint8_t *wasm_outside(WASM_WHERE uint32_t addr) {
    (void)addr;
    wasm_trap(WASM_TRAP_MEMORY_OUT_OF_BOUNDS);
}

/* Whether `length` bytes at `start` are not inside `size` bytes. */
static inline int wasm_exceeds(uint32_t start, uint32_t length, uint32_t size) {
    return length > size || start > size - length;
}

WASM_UNUSED static void wasm_memory_copy(WASM_WHERE uint8_t *to_memory, uint32_t to_size, const uint8_t *from_memory,
                                         uint32_t from_size, uint32_t to, uint32_t from, uint32_t length) {
    if (wasm_exceeds(to, length, to_size) || wasm_exceeds(from, length, from_size)) {
        wasm_trap(WASM_TRAP_MEMORY_OUT_OF_BOUNDS);
    }
    if (length != 0) {
        __builtin_memmove(to_memory + to, from_memory + from, length);
    }
}

WASM_UNUSED static void wasm_memory_fill(WASM_WHERE uint8_t *memory, uint32_t size, uint32_t to, uint32_t value,
                                         uint32_t length) {
    if (wasm_exceeds(to, length, size)) {
        wasm_trap(WASM_TRAP_MEMORY_OUT_OF_BOUNDS);
    }
    if (length != 0) {
        __builtin_memset(memory + to, (int)(value & 0xff), length);
    }
}

/* Hides an index into a segment, whose length is only known when it is checked. Compilers add a constant to the address of
 * the segment before that, and no instruction may reach the sum. */
#define WASM_HIDE_INDEX(index) \
    if (!(__builtin_constant_p(index) && (index) == 0)) { \
        __asm__("" : "+r"(index)); \
    }

WASM_UNUSED static void wasm_memory_init(WASM_WHERE uint8_t *memory, uint32_t size, const uint8_t *data, uint32_t data_size,
                                         uint32_t to, uint32_t from, uint32_t length) {
    if (wasm_exceeds(to, length, size) || wasm_exceeds(from, length, data_size)) {
        wasm_trap(WASM_TRAP_MEMORY_OUT_OF_BOUNDS);
    }
    if (length != 0) {
        WASM_HIDE_INDEX(from)
        __builtin_memcpy(memory + to, data + from, length);
    }
}

/* An active segment of `length` bytes, of which those from `used` are zero and not in `data`. */
WASM_UNUSED static void wasm_memory_place(uint8_t *memory, uint32_t size, const uint8_t *data, uint32_t used,
                                          uint32_t to, uint32_t length) {
    wasm_memory_init(WASM_HERE memory, size, data, used, to, 0, used);
    wasm_memory_fill(WASM_HERE memory, size, to + used, 0, length - used);
}

/* A memory that grows or is shared. */
typedef struct {
    uint8_t *data;
    uint32_t bytes;
    uint32_t maximum; /* in pages */
} wasm_memory_t;

WASM_UNUSED static void wasm_memory_new(wasm_memory_t *memory, uint32_t bytes, uint32_t maximum) {
    memory->data = bytes == 0 ? NULL : wasm_memory_grow(NULL, 0, bytes);
    if (memory->data == NULL && bytes != 0) {
        wasm_trap(WASM_TRAP_OUT_OF_MEMORY);
    }
    memory->bytes = bytes;
    memory->maximum = maximum;
}

/* memory.grow */
WASM_UNUSED static uint32_t wasm_memory_more(wasm_memory_t *memory, uint32_t pages, uint32_t page) {
    uint32_t old = memory->bytes / page;
    if (pages > memory->maximum - old) {
        return UINT32_MAX;
    }
    if (pages != 0) {
        uint8_t *moved = wasm_memory_grow(memory->data, memory->bytes, (old + pages) * page);
        if (moved == NULL) {
            return UINT32_MAX;
        }
        memory->data = moved;
        memory->bytes = (old + pages) * page;
    }
    return old;
}

/* The address of an array, no longer known to be constant. */
WASM_UNUSED static inline uint8_t *wasm_base(uint8_t *memory) {
    __asm__("" : "+r"(memory));
    return memory;
}

/* A frame's address, no longer known to lie below the stack pointer it was made of: loops would count from that, and
 * Thumb-2 reaches far up from an address, but hardly down. For others it is no gain. */
#if defined(__thumb2__)
#define WASM_FRAME(pointer) __asm__("" : "+r"(pointer))
#else
#define WASM_FRAME(pointer) ((void)0)
#endif

/* An index of 64 bits into a memory or table, which has less than 2^32 bytes or elements. */
WASM_UNUSED static inline uint32_t wasm_index(WASM_WHERE uint64_t index, wasm_trap_t kind) {
    if (index >> 32 != 0) {
        wasm_trap(kind);
    }
    return (uint32_t)index;
}

/* A number of pages or elements to grow by, which is too large in any case if it has more than 32 bits. */
WASM_UNUSED static inline uint32_t wasm_count(uint64_t count) { return count >> 32 != 0 ? UINT32_MAX : (uint32_t)count; }

/* addr, of which `last` is the last that is inside. */
WASM_UNUSED static inline uint32_t wasm_inside(WASM_WHERE uint32_t addr, uint32_t last) {
    if (addr > last) {
        wasm_trap(WASM_TRAP_MEMORY_OUT_OF_BOUNDS);
    }
    return addr;
}

/* The address of an atomic access of `bytes` bytes at addr + offset. */
WASM_UNUSED static inline uint32_t wasm_aligned(WASM_WHERE uint32_t addr, uint32_t offset, uint32_t bytes) {
    if ((addr + offset) & (bytes - 1)) {
        wasm_trap(WASM_TRAP_UNALIGNED_ATOMIC);
    }
    return addr;
}

/* The cell at addr + offset of an array; `last` is the last addr for which it is inside. */
WASM_UNUSED static inline uint8_t *wasm_cell(WASM_WHERE uint8_t *memory, uint32_t addr, uint32_t offset, uint32_t last) {
    return memory + offset + wasm_inside(WASM_HERE addr, last);
}

/* The cell at addr + offset, which ends at addr + end, of `size` bytes. */
WASM_UNUSED static inline uint8_t *wasm_cell_of(WASM_WHERE uint8_t *memory, uint32_t size, uint32_t addr, uint32_t offset,
                                                uint32_t end) {
    if (end > size || addr > size - end) {
        wasm_trap(WASM_TRAP_MEMORY_OUT_OF_BOUNDS);
    }
    return memory + offset + addr;
}

/* Recursion ends here, not where the machine's stack does. A module with functions that may recurse declares both. */
#define WASM_STACK_CHECK() \
    if (__builtin_expect((uintptr_t)__builtin_frame_address(0) < wasm_stack_limit, 0)) { \
        wasm_stack_low(WASM_HERE_ONLY); \
    }

/* The same, before a function is called whose frame has `size` bytes. */
#define WASM_STACK_CHECK_FOR(size) \
    if (__builtin_expect((uintptr_t)__builtin_frame_address(0) - (size) < wasm_stack_limit, 0)) { \
        wasm_stack_low_for(WASM_HERE (size)); \
    }

/* The shadow stack's pointer never exceeds its first value, nor wraps around below 0. */
#define WASM_STACK_TOP(pointer, top) \
    if ((pointer) > (top)) { \
        wasm_trap(WASM_TRAP_SHADOW_STACK_OVERFLOW); \
    }

/* There is room for a frame. */
#define WASM_STACK_ROOM(pointer, size) \
    if ((pointer) < (size)) { \
        wasm_trap(WASM_TRAP_SHADOW_STACK_OVERFLOW); \
    }

/* Something true that no compiler can see. */
#define WASM_KNOWN(fact) \
    if (!(fact)) { \
        __builtin_unreachable(); \
    }

/* After a call that may recurse: makes it an ordinary call, as a jump would not be seen by WASM_STACK_CHECK. */
#define WASM_KEEP_FRAME() __asm__ volatile("")

/* Other compilers do it unasked where they can. */
#if defined(__has_attribute)
#if __has_attribute(musttail)
#define WASM_TAIL_CALL __attribute__((musttail))
#endif
#endif
#ifndef WASM_TAIL_CALL
#define WASM_TAIL_CALL
#endif
/* A function of another type: clang takes the attribute for its own type only, and makes a jump of it all the same. */
#ifdef __clang__
#define WASM_TAIL_CALL_OTHER
#else
#define WASM_TAIL_CALL_OTHER WASM_TAIL_CALL
#endif

/* What a reference to a function points to, and an entry of a table that never changes: the number of the
 * function's type (of a null entry 0), and the function. */
typedef void (*wasm_function_t)(void);
typedef struct {
    uintptr_t type;
    wasm_function_t function;
} wasm_funcref_t;

/* A function of a table that never changes. */
WASM_UNUSED static wasm_function_t wasm_callee(WASM_WHERE const wasm_funcref_t *table, uint32_t size, uint32_t index,
                                               uintptr_t type) {
    if (index >= size) {
        wasm_trap(WASM_TRAP_UNDEFINED_ELEMENT);
    }
    if (table[index].type != type) {
        if (table[index].type == 0) {
            wasm_trap(WASM_TRAP_UNINITIALIZED_ELEMENT);
        }
        wasm_trap(WASM_TRAP_INDIRECT_CALL_TYPE);
    }
    return table[index].function;
}

/* References are null, 0; pointers to wasm_funcref_t; or the embedder's. */
WASM_UNUSED static inline uintptr_t wasm_non_null(WASM_WHERE uintptr_t reference) {
    if (reference == 0) {
        wasm_trap(WASM_TRAP_NULL_REFERENCE);
    }
    return reference;
}

WASM_UNUSED static inline wasm_function_t wasm_function_of(WASM_WHERE uintptr_t reference) {
    return ((const wasm_funcref_t *)wasm_non_null(WASM_HERE reference))->function;
}

/* What exceptions are told apart by is a tag's address. */
typedef struct {
    uint32_t values;
} wasm_tag_t;

typedef union {
    uint32_t i;
    uint64_t q;
    float f;
    double d;
    uintptr_t r;
} wasm_value_t;

/* An exception; a reference to one points to it. It comes from the memory that grows, and the embedder's collector
 * takes it back. */
typedef struct {
    const wasm_tag_t *tag;
    wasm_value_t values[];
} wasm_exception_t;

WASM_UNUSED static wasm_exception_t *wasm_exception_new(WASM_WHERE const wasm_tag_t *tag, uint32_t values) {
    uint8_t *memory = wasm_memory_grow(NULL, 0, (uint32_t)sizeof(wasm_exception_t) + values * (uint32_t)sizeof(wasm_value_t));
    if (memory == NULL) {
        wasm_trap(WASM_TRAP_OUT_OF_MEMORY);
    }
    wasm_exception_t *exception = (wasm_exception_t *)(void *)memory;
    exception->tag = tag;
    return exception;
}

/* Any other table. */
typedef struct {
    uintptr_t *elements;
    uint32_t size;
    uint32_t maximum;
} wasm_table_t;

WASM_UNUSED static wasm_function_t wasm_callee_of(WASM_WHERE const wasm_table_t *table, uint32_t index, uintptr_t type) {
    if (index >= table->size) {
        wasm_trap(WASM_TRAP_UNDEFINED_ELEMENT);
    }
    const wasm_funcref_t *function = (const wasm_funcref_t *)table->elements[index];
    if (function == NULL) {
        wasm_trap(WASM_TRAP_UNINITIALIZED_ELEMENT);
    }
    if (function->type != type) {
        wasm_trap(WASM_TRAP_INDIRECT_CALL_TYPE);
    }
    return function->function;
}

WASM_UNUSED static uintptr_t wasm_table_get(WASM_WHERE const wasm_table_t *table, uint32_t index) {
    if (index >= table->size) {
        wasm_trap(WASM_TRAP_TABLE_OUT_OF_BOUNDS);
    }
    return table->elements[index];
}

WASM_UNUSED static void wasm_table_set(WASM_WHERE wasm_table_t *table, uint32_t index, uintptr_t value) {
    if (index >= table->size) {
        wasm_trap(WASM_TRAP_TABLE_OUT_OF_BOUNDS);
    }
    table->elements[index] = value;
}

WASM_UNUSED static void wasm_table_fill(WASM_WHERE wasm_table_t *table, uint32_t to, uintptr_t value, uint32_t length) {
    if (wasm_exceeds(to, length, table->size)) {
        wasm_trap(WASM_TRAP_TABLE_OUT_OF_BOUNDS);
    }
    for (uint32_t i = 0; i < length; i++) {
        table->elements[to + i] = value;
    }
}

WASM_UNUSED static uint32_t wasm_table_grow(wasm_table_t *table, uintptr_t value, uint32_t more) {
    uint32_t old = table->size;
    if (more > table->maximum - old || old + more > UINT32_MAX / sizeof value) {
        return UINT32_MAX;
    }
    if (more != 0) {
        uint8_t *moved = wasm_memory_grow((uint8_t *)table->elements, old * sizeof value, (old + more) * sizeof value);
        if (moved == NULL) {
            return UINT32_MAX;
        }
        table->elements = (uintptr_t *)moved;
        table->size = old + more;
        wasm_table_fill(WASM_HERE table, old, value, more);
    }
    return old;
}

WASM_UNUSED static void wasm_table_new(wasm_table_t *table, uint32_t size, uint32_t maximum, uintptr_t value) {
    table->elements = NULL;
    table->size = 0;
    table->maximum = maximum;
    if (wasm_table_grow(table, value, size) != 0) {
        wasm_trap(WASM_TRAP_OUT_OF_MEMORY);
    }
}

WASM_UNUSED static void wasm_table_copy(WASM_WHERE wasm_table_t *table, const wasm_table_t *other, uint32_t to,
                                        uint32_t from, uint32_t length) {
    if (wasm_exceeds(to, length, table->size) || wasm_exceeds(from, length, other->size)) {
        wasm_trap(WASM_TRAP_TABLE_OUT_OF_BOUNDS);
    }
    if (length != 0) {
        __builtin_memmove(table->elements + to, other->elements + from, length * sizeof(uintptr_t));
    }
}

WASM_UNUSED static void wasm_table_init(WASM_WHERE wasm_table_t *table, const uintptr_t *items, uint32_t size, uint32_t to,
                                        uint32_t from, uint32_t length) {
    if (wasm_exceeds(to, length, table->size) || wasm_exceeds(from, length, size)) {
        wasm_trap(WASM_TRAP_TABLE_OUT_OF_BOUNDS);
    }
    if (length != 0) {
        WASM_HIDE_INDEX(from)
        __builtin_memcpy(table->elements + to, items + from, length * sizeof(uintptr_t));
    }
}

/* Bits and floats. */
static inline uint32_t wasm_bits32(float value) {
    uint32_t bits;
    __builtin_memcpy(&bits, &value, 4);
    return bits;
}

static inline uint64_t wasm_bits64(double value) {
    uint64_t bits;
    __builtin_memcpy(&bits, &value, 8);
    return bits;
}

static inline float wasm_float32(uint32_t bits) {
    float value;
    __builtin_memcpy(&value, &bits, 4);
    return value;
}

static inline double wasm_float64(uint64_t bits) {
    double value;
    __builtin_memcpy(&value, &bits, 8);
#if defined(__i386__) && !defined(__clang__)
    /* GCC would compute bits in the register that value is passed in, which has room for one half of them. */
    if (!__builtin_constant_p(bits)) {
        __asm__("" : "+x"(value));
    }
#endif
    return value;
}

/* The same value, but the compiler does not know which: where floats have registers, in one of those. */
#if defined(__SSE2__)
#define WASM_FLOAT_REGISTER "+x"
#define WASM_DOUBLE_REGISTER "+x"
#elif defined(__ARM_FP) && (__ARM_FP & 4)
#define WASM_FLOAT_REGISTER "+t"
#if __ARM_FP & 8
#define WASM_DOUBLE_REGISTER "+w"
#endif
#endif

WASM_UNUSED static inline float wasm_hidden32(float a) {
#ifdef WASM_FLOAT_REGISTER
    __asm__("" : WASM_FLOAT_REGISTER(a));
    return a;
#else
    uint32_t bits = wasm_bits32(a);
    __asm__("" : "+r"(bits));
    return wasm_float32(bits);
#endif
}

WASM_UNUSED static inline double wasm_hidden64(double a) {
#ifdef WASM_DOUBLE_REGISTER
    __asm__("" : WASM_DOUBLE_REGISTER(a));
    return a;
#else
    uint64_t bits = wasm_bits64(a);
    uint32_t high = (uint32_t)(bits >> 32);
    __asm__("" : "+r"(high));
    return wasm_float64((uint64_t)high << 32 | (uint32_t)bits);
#endif
}

/* Arithmetic makes a signalling NaN a quiet one. GCC knows that (-fsignaling-nans). For clang x * 1 is x, and the sum of
 * a number and a signalling NaN that NaN, so it may not know any operand. */
#ifdef __clang__
#define WASM_OPERAND(bits, a) wasm_hidden##bits(a)
#else
#define WASM_OPERAND(bits, a) (a)
#endif
#define WASM_ARITHMETIC(bits, a, operator, b) (WASM_OPERAND(bits, a) operator WASM_OPERAND(bits, b))
#define wasm_add32(a, b) WASM_ARITHMETIC(32, a, +, b)
#define wasm_sub32(a, b) WASM_ARITHMETIC(32, a, -, b)
#define wasm_mul32(a, b) WASM_ARITHMETIC(32, a, *, b)
#define wasm_div32(a, b) WASM_ARITHMETIC(32, a, /, b)
#define wasm_add64(a, b) WASM_ARITHMETIC(64, a, +, b)
#define wasm_sub64(a, b) WASM_ARITHMETIC(64, a, -, b)
#define wasm_mul64(a, b) WASM_ARITHMETIC(64, a, *, b)
#define wasm_div64(a, b) WASM_ARITHMETIC(64, a, /, b)

/* Both compilers take (float)(double)x for x. */
#define wasm_demote(a) ((float)wasm_hidden64(a))

/* Integers. */
static inline uint32_t wasm_clz32(uint32_t a) { return a == 0 ? 32 : (uint32_t)__builtin_clz(a); }
static inline uint32_t wasm_ctz32(uint32_t a) { return a == 0 ? 32 : (uint32_t)__builtin_ctz(a); }
static inline uint64_t wasm_clz64(uint64_t a) { return a == 0 ? 64 : (uint64_t)__builtin_clzll(a); }
static inline uint64_t wasm_ctz64(uint64_t a) { return a == 0 ? 64 : (uint64_t)__builtin_ctzll(a); }

/* In C, as the compiler's library reads a table of 256 bytes for it. */
static inline uint32_t wasm_popcnt32(uint32_t a) {
    a -= (a >> 1) & 0x55555555u;
    a = (a & 0x33333333u) + ((a >> 2) & 0x33333333u);
    return (((a + (a >> 4)) & 0x0f0f0f0fu) * 0x01010101u) >> 24;
}

static inline uint64_t wasm_popcnt64(uint64_t a) { return wasm_popcnt32((uint32_t)a) + wasm_popcnt32((uint32_t)(a >> 32)); }

/* A product with a constant of many bits: one instruction. For ARMv6-M GCC reckons with the multipliers of older
 * cores, and would make shifts and additions of it, were it not hidden which constant it is. */
static inline uint32_t wasm_product(uint32_t a, uint32_t b) {
#if defined(__thumb__) && !defined(__thumb2__)
    if (__builtin_constant_p(a)) {
        __asm__("" : "+r"(a));
    } else if (__builtin_constant_p(b)) {
        __asm__("" : "+r"(b));
    }
#endif
    return a * b;
}

/* A product of 64 bits that fits into 32. ARMv7-M and 64-bit processors multiply to 64 bits in one instruction, and ARMv7-M
 * adds it to a sum there. */
static inline uint64_t wasm_narrow_product(int32_t a, int32_t b) {
#if defined(__thumb2__) || __SIZEOF_POINTER__ == 8
    return (uint64_t)((int64_t)a * b);
#else
    return (uint64_t)(int64_t)(int32_t)wasm_product((uint32_t)a, (uint32_t)b);
#endif
}

/* sum + a * b, the product as above. For ARMv6-M GCC keeps pairs of registers in memory, were it not told the three
 * instructions. */
static inline uint64_t wasm_add_narrow_product(uint64_t sum, int32_t a, int32_t b) {
#if defined(__thumb__) && !defined(__thumb2__) && !defined(__OPTIMIZE_SIZE__)
    uint32_t low = (uint32_t)sum, high = (uint32_t)(sum >> 32), product = wasm_product((uint32_t)a, (uint32_t)b), sign;
    __asm__(".syntax unified\n\tasrs %2, %3, #31\n\tadds %0, %0, %3\n\tadcs %1, %1, %2"
            : "+l"(low), "+l"(high), "=&l"(sign)
            : "l"(product)
            : "cc");
    return (uint64_t)high << 32 | low;
#else
    return wasm_narrow_product(a, b) + sum;
#endif
}

/* sum + a * b + c * d, of signed numbers of 16 bits. Processors with DSP instructions do that in one, with `ac` that has a
 * in its low and c in its high half, and `bd`. */
#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_UNALIGNED) && !defined(__OPTIMIZE_SIZE__)
static inline uint32_t wasm_pair(const uint8_t *low) { return *(const wasm_u32_unaligned *)low; }

static inline uint32_t wasm_pack(int32_t low, int32_t high) {
    uint32_t pair;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(pair) : "r"(low), "r"(high));
    return pair;
}

static inline uint32_t wasm_smlad(uint32_t sum, uint32_t ac, uint32_t bd) {
    uint32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(ac), "r"(bd), "r"(sum));
    return result;
}

static inline uint64_t wasm_smlald(uint64_t sum, uint32_t ac, uint32_t bd) {
    __asm__("smlald %Q0, %R0, %1, %2" : "+r"(sum) : "r"(ac), "r"(bd));
    return sum;
}

#define WASM_DUAL_PRODUCT32(sum, a, b, c, d, ac, bd) wasm_smlad(sum, ac, bd)
#define WASM_DUAL_PRODUCT64(sum, a, b, c, d, ac, bd) wasm_smlald(sum, ac, bd)

/* Bytes 0 and 2, and bytes 1 and 3, as signed halves, plus both halves of `addends`. */
static inline uint32_t wasm_even_bytes(uint32_t bytes, uint32_t addends) {
    uint32_t halves;
    if (__builtin_constant_p(addends) && addends == 0) {
        __asm__("sxtb16 %0, %1" : "=r"(halves) : "r"(bytes));
    } else {
        __asm__("sxtab16 %0, %1, %2" : "=r"(halves) : "r"(addends), "r"(bytes));
    }
    return halves;
}

static inline uint32_t wasm_odd_bytes(uint32_t bytes, uint32_t addends) {
    uint32_t halves;
    if (__builtin_constant_p(addends) && addends == 0) {
        __asm__("sxtb16 %0, %1, ror #8" : "=r"(halves) : "r"(bytes));
    } else {
        __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(halves) : "r"(addends), "r"(bytes));
    }
    return halves;
}

#define WASM_QUAD_PRODUCT(sum, a0, b0, a1, b1, a2, b2, a3, b3, a02, a13, b02, b13) \
    wasm_smlad(wasm_smlad(sum, a02, b02), a13, b13)
#else
#define WASM_DUAL_PRODUCT32(sum, a, b, c, d, ac, bd) \
    (wasm_product((uint32_t)(c), (uint32_t)(d)) + (wasm_product((uint32_t)(a), (uint32_t)(b)) + (sum)))
#define WASM_DUAL_PRODUCT64(sum, a, b, c, d, ac, bd) \
    wasm_add_narrow_product(wasm_add_narrow_product(sum, a, b), c, d)
#define WASM_QUAD_PRODUCT(sum, a0, b0, a1, b1, a2, b2, a3, b3, a02, a13, b02, b13) \
    ((uint32_t)((a3) * (b3)) + ((uint32_t)((a2) * (b2)) + ((uint32_t)((a1) * (b1)) + ((uint32_t)((a0) * (b0)) + (sum)))))
#endif

#include "wasm_dot_products.h"

/* A sum of several such products, which is there before what comes behind it: GCC delays it until somebody wants it,
 * and has all the factors in registers by then. */
static inline uint32_t wasm_sum(uint32_t a) {
#if defined(__thumb__) && !defined(__thumb2__)
    __asm__("" : "+r"(a));
#endif
    return a;
}

/* The larger and the smaller of two signed numbers. */
static inline uint32_t wasm_max_s32(uint32_t a, uint32_t b) {
    return (uint32_t)((int32_t)a > (int32_t)b ? (int32_t)a : (int32_t)b);
}

static inline uint32_t wasm_min_s32(uint32_t a, uint32_t b) {
    return (uint32_t)((int32_t)a < (int32_t)b ? (int32_t)a : (int32_t)b);
}

static inline uint64_t wasm_max_s64(uint64_t a, uint64_t b) {
    return (uint64_t)((int64_t)a > (int64_t)b ? (int64_t)a : (int64_t)b);
}

static inline uint64_t wasm_min_s64(uint64_t a, uint64_t b) {
    return (uint64_t)((int64_t)a < (int64_t)b ? (int64_t)a : (int64_t)b);
}

static inline uint32_t wasm_rotl32(uint32_t a, uint32_t b) { return a << (b & 31) | a >> (-b & 31); }
static inline uint32_t wasm_rotr32(uint32_t a, uint32_t b) { return a >> (b & 31) | a << (-b & 31); }
static inline uint64_t wasm_rotl64(uint64_t a, uint64_t b) { return a << (b & 63) | a >> (-b & 63); }
static inline uint64_t wasm_rotr64(uint64_t a, uint64_t b) { return a >> (b & 63) | a << (-b & 63); }

/* 128 bits: the low half of the result, and the high half in `high`. */
WASM_UNUSED static inline uint64_t wasm_add128(uint64_t a, uint64_t a_high, uint64_t b, uint64_t b_high, uint64_t *high) {
    uint64_t low = a + b;
    *high = a_high + b_high + (low < a);
    return low;
}

WASM_UNUSED static inline uint64_t wasm_sub128(uint64_t a, uint64_t a_high, uint64_t b, uint64_t b_high, uint64_t *high) {
    *high = a_high - b_high - (a < b);
    return a - b;
}

WASM_UNUSED static inline uint64_t wasm_mul_wide_u(uint64_t a, uint64_t b, uint64_t *high) {
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 wasm_u128;
    wasm_u128 product = (wasm_u128)a * b;
    *high = (uint64_t)(product >> 64);
    return (uint64_t)product;
#else
    uint64_t low = (uint64_t)(uint32_t)a * (uint32_t)b;
    uint64_t first = (a >> 32) * (uint32_t)b + (low >> 32);
    uint64_t second = (uint64_t)(uint32_t)a * (b >> 32) + (uint32_t)first;
    *high = (a >> 32) * (b >> 32) + (first >> 32) + (second >> 32);
    return second << 32 | (uint32_t)low;
#endif
}

WASM_UNUSED static inline uint64_t wasm_mul_wide_s(uint64_t a, uint64_t b, uint64_t *high) {
    uint64_t low = wasm_mul_wide_u(a, b, high);
    *high -= ((int64_t)a < 0 ? b : 0) + ((int64_t)b < 0 ? a : 0);
    return low;
}

#define WASM_DIVISION(bits) \
    static inline uint##bits##_t wasm_div_s##bits(WASM_WHERE uint##bits##_t a, uint##bits##_t b) { \
        if (b == 0) { \
            wasm_trap(WASM_TRAP_DIVIDE_BY_ZERO); \
        } \
        if (a == (uint##bits##_t)INT##bits##_MIN && b == (uint##bits##_t)-1) { \
            wasm_trap(WASM_TRAP_INTEGER_OVERFLOW); \
        } \
        return (uint##bits##_t)((int##bits##_t)a / (int##bits##_t)b); \
    } \
    static inline uint##bits##_t wasm_div_u##bits(WASM_WHERE uint##bits##_t a, uint##bits##_t b) { \
        if (b == 0) { \
            wasm_trap(WASM_TRAP_DIVIDE_BY_ZERO); \
        } \
        return a / b; \
    } \
    static inline uint##bits##_t wasm_rem_s##bits(WASM_WHERE uint##bits##_t a, uint##bits##_t b) { \
        if (b == 0) { \
            wasm_trap(WASM_TRAP_DIVIDE_BY_ZERO); \
        } \
        return b == (uint##bits##_t)-1 ? 0 : (uint##bits##_t)((int##bits##_t)a % (int##bits##_t)b); \
    } \
    static inline uint##bits##_t wasm_rem_u##bits(WASM_WHERE uint##bits##_t a, uint##bits##_t b) { \
        if (b == 0) { \
            wasm_trap(WASM_TRAP_DIVIDE_BY_ZERO); \
        } \
        return a % b; \
    }
WASM_DIVISION(32)
WASM_DIVISION(64)
#undef WASM_DIVISION

/* Floats. Abs, neg and copysign are about bits, also of NaNs. */
static inline float wasm_abs32(float a) { return wasm_float32(wasm_bits32(a) & 0x7fffffffu); }
static inline double wasm_abs64(double a) { return wasm_float64(wasm_bits64(a) & 0x7fffffffffffffffull); }
static inline float wasm_neg32(float a) { return wasm_float32(wasm_bits32(a) ^ 0x80000000u); }
static inline double wasm_neg64(double a) { return wasm_float64(wasm_bits64(a) ^ 0x8000000000000000ull); }
static inline float wasm_copysign32(float a, float b) {
    return wasm_float32((wasm_bits32(a) & 0x7fffffffu) | (wasm_bits32(b) & 0x80000000u));
}
static inline double wasm_copysign64(double a, double b) {
    return wasm_float64((wasm_bits64(a) & 0x7fffffffffffffffull) | (wasm_bits64(b) & 0x8000000000000000ull));
}

/* A NaN operand gives a quiet NaN; -0 is less than 0. */
#define WASM_MINMAX(bits, type) \
    WASM_UNUSED static type wasm_min##bits(type a, type b) { \
        if (a != a || b != b) { \
            return wasm_add##bits(a, b); \
        } \
        if (a == b) { \
            return wasm_float##bits(wasm_bits##bits(a) | wasm_bits##bits(b)); \
        } \
        return a < b ? a : b; \
    } \
    WASM_UNUSED static type wasm_max##bits(type a, type b) { \
        if (a != a || b != b) { \
            return wasm_add##bits(a, b); \
        } \
        if (a == b) { \
            return wasm_float##bits(wasm_bits##bits(a) & wasm_bits##bits(b)); \
        } \
        return a > b ? a : b; \
    }
WASM_MINMAX(32, float)
WASM_MINMAX(64, double)
#undef WASM_MINMAX

/* Rounding to an integer: everything from 2^(digits - 1) is one; NaN becomes quiet. */
#define WASM_ROUND(bits, type, integer, one) \
    WASM_UNUSED static type wasm_trunc##bits(type a) { \
        type magnitude = wasm_abs##bits(a); \
        if (!(magnitude < (one))) { \
            return wasm_add##bits(a, 0); \
        } \
        return wasm_copysign##bits((type)(integer)magnitude, a); \
    } \
    WASM_UNUSED static type wasm_floor##bits(type a) { \
        type whole = wasm_trunc##bits(a); \
        return whole > a ? whole - 1 : whole; \
    } \
    WASM_UNUSED static type wasm_ceil##bits(type a) { \
        type whole = wasm_trunc##bits(a); \
        return whole < a ? wasm_copysign##bits(whole + 1, a) : whole; \
    } \
    WASM_UNUSED static type wasm_nearest##bits(type a) { \
        type magnitude = wasm_abs##bits(a); \
        if (!(magnitude < (one))) { \
            return wasm_add##bits(a, 0); \
        } \
        type whole = (type)(integer)magnitude; \
        type rest = magnitude - whole; \
        if (rest > (type)0.5 || (rest == (type)0.5 && ((integer)magnitude & 1))) { \
            whole += 1; \
        } \
        return wasm_copysign##bits(whole, a); \
    }
WASM_ROUND(32, float, uint32_t, 8388608.0f)
WASM_ROUND(64, double, uint64_t, 4503599627370496.0)
#undef WASM_ROUND

/* The processor's where it has one, else sqrt.c. */
#if defined(__SSE2__) || (defined(__ARM_FP) && (__ARM_FP & 4)) || defined(__riscv_flen)
static inline float wasm_sqrt32(float a) { return __builtin_sqrtf(a); }
#else
float wasm_sqrt32(float a);
#endif
#if defined(__SSE2__) || (defined(__ARM_FP) && (__ARM_FP & 8)) || (defined(__riscv_flen) && __riscv_flen == 64)
static inline double wasm_sqrt64(double a) { return __builtin_sqrt(a); }
#else
double wasm_sqrt64(double a);
#endif

/* Floats to integers: above `low` and below `high`, both exclusive, or a trap; saturating, or a limit. */
#define WASM_TRUNCATE(to, from, type, integer, low_ok, high, min, max) \
    WASM_UNUSED static uint##to##_t wasm_trunc_##integer##to##_f##from(WASM_WHERE type a) { \
        if (a != a) { \
            wasm_trap(WASM_TRAP_INVALID_CONVERSION); \
        } \
        if (!((low_ok) && a < (high))) { \
            wasm_trap(WASM_TRAP_INTEGER_OVERFLOW); \
        } \
        return (uint##to##_t)(WASM_##integer(to))a; \
    }
#define WASM_SATURATE(to, from, type, integer, low_ok, high, min, max) \
    WASM_UNUSED static uint##to##_t wasm_sat_##integer##to##_f##from(type a) { \
        if (a != a) { \
            return 0; \
        } \
        if (!(low_ok)) { \
            return (uint##to##_t)(min); \
        } \
        return a < (high) ? (uint##to##_t)(WASM_##integer(to))a : (uint##to##_t)(max); \
    }
#define WASM_s(bits) int##bits##_t
#define WASM_u(bits) uint##bits##_t
WASM_TRUNCATE(32, 32, float, s, a >= -2147483648.0f, 2147483648.0f, INT32_MIN, INT32_MAX)
WASM_TRUNCATE(32, 32, float, u, a > -1.0f, 4294967296.0f, 0, UINT32_MAX)
WASM_TRUNCATE(32, 64, double, s, a > -2147483649.0, 2147483648.0, INT32_MIN, INT32_MAX)
WASM_TRUNCATE(32, 64, double, u, a > -1.0, 4294967296.0, 0, UINT32_MAX)
WASM_TRUNCATE(64, 32, float, s, a >= -9223372036854775808.0f, 9223372036854775808.0f, INT64_MIN, INT64_MAX)
WASM_TRUNCATE(64, 32, float, u, a > -1.0f, 18446744073709551616.0f, 0, UINT64_MAX)
WASM_TRUNCATE(64, 64, double, s, a >= -9223372036854775808.0, 9223372036854775808.0, INT64_MIN, INT64_MAX)
WASM_TRUNCATE(64, 64, double, u, a > -1.0, 18446744073709551616.0, 0, UINT64_MAX)
#if defined(__ARM_FP) && (__ARM_FP & 4)
/* The processor's instructions saturate. */
#define WASM_CONVERT(integer) \
    WASM_UNUSED static uint32_t wasm_sat_##integer##32_f32(float a) { \
        uint32_t bits; \
        __asm__("vcvt." #integer "32.f32 %0, %0" : "+t"(a)); \
        __builtin_memcpy(&bits, &a, sizeof bits); \
        return bits; \
    }
WASM_CONVERT(s)
WASM_CONVERT(u)
#undef WASM_CONVERT
#elif defined(__SSE2__) || defined(__i386__) || defined(__riscv_flen) || defined(__XTENSA__)
WASM_SATURATE(32, 32, float, s, a >= -2147483648.0f, 2147483648.0f, INT32_MIN, INT32_MAX)
WASM_SATURATE(32, 32, float, u, a > -1.0f, 4294967296.0f, 0, UINT32_MAX)
#else
/* Without an FPU, comparisons of floats are calls. */
WASM_UNUSED static uint32_t wasm_sat_s32_f32(float a) {
    uint32_t bits;
    __builtin_memcpy(&bits, &a, sizeof bits);
    int32_t right = 158 - (int32_t)(bits << 1 >> 24);
    uint32_t sign = (uint32_t)((int32_t)bits >> 31);
    if (right > 31) {
        return 0;
    }
    if (right <= 0) {
        return bits << 1 > 0xff000000u ? 0 : INT32_MAX - sign;
    }
    return (((bits << 8 | 0x80000000u) >> right) ^ sign) - sign;
}
WASM_UNUSED static uint32_t wasm_sat_u32_f32(float a) {
    uint32_t bits;
    __builtin_memcpy(&bits, &a, sizeof bits);
    int32_t right = 158 - (int32_t)(bits << 1 >> 24);
    if (right > 31 || bits >> 31) {
        return 0;
    }
    if (right < 0) {
        return bits << 1 > 0xff000000u ? 0 : UINT32_MAX;
    }
    return (bits << 8 | 0x80000000u) >> right;
}
#endif
WASM_SATURATE(32, 64, double, s, a > -2147483649.0, 2147483648.0, INT32_MIN, INT32_MAX)
WASM_SATURATE(32, 64, double, u, a > -1.0, 4294967296.0, 0, UINT32_MAX)
WASM_SATURATE(64, 32, float, s, a >= -9223372036854775808.0f, 9223372036854775808.0f, INT64_MIN, INT64_MAX)
WASM_SATURATE(64, 32, float, u, a > -1.0f, 18446744073709551616.0f, 0, UINT64_MAX)
WASM_SATURATE(64, 64, double, s, a >= -9223372036854775808.0, 9223372036854775808.0, INT64_MIN, INT64_MAX)
WASM_SATURATE(64, 64, double, u, a > -1.0, 18446744073709551616.0, 0, UINT64_MAX)
#undef WASM_TRUNCATE
#undef WASM_SATURATE
#undef WASM_s
#undef WASM_u

/* A function of the module need not say where it is. */
#ifdef WASM_NAMES
#define wasm_outside(...) wasm_outside(wasm_here, __VA_ARGS__)
#define wasm_memory_copy(...) wasm_memory_copy(wasm_here, __VA_ARGS__)
#define wasm_memory_fill(...) wasm_memory_fill(wasm_here, __VA_ARGS__)
#define wasm_memory_init(...) wasm_memory_init(wasm_here, __VA_ARGS__)
#define wasm_index(...) wasm_index(wasm_here, __VA_ARGS__)
#define wasm_inside(...) wasm_inside(wasm_here, __VA_ARGS__)
#define wasm_aligned(...) wasm_aligned(wasm_here, __VA_ARGS__)
#define wasm_cell(...) wasm_cell(wasm_here, __VA_ARGS__)
#define wasm_cell_of(...) wasm_cell_of(wasm_here, __VA_ARGS__)
#define wasm_callee(...) wasm_callee(wasm_here, __VA_ARGS__)
#define wasm_callee_of(...) wasm_callee_of(wasm_here, __VA_ARGS__)
#define wasm_non_null(...) wasm_non_null(wasm_here, __VA_ARGS__)
#define wasm_function_of(...) wasm_function_of(wasm_here, __VA_ARGS__)
#define wasm_exception_new(...) wasm_exception_new(wasm_here, __VA_ARGS__)
#define wasm_table_get(...) wasm_table_get(wasm_here, __VA_ARGS__)
#define wasm_table_set(...) wasm_table_set(wasm_here, __VA_ARGS__)
#define wasm_table_fill(...) wasm_table_fill(wasm_here, __VA_ARGS__)
#define wasm_table_copy(...) wasm_table_copy(wasm_here, __VA_ARGS__)
#define wasm_table_init(...) wasm_table_init(wasm_here, __VA_ARGS__)
#define wasm_div_s32(...) wasm_div_s32(wasm_here, __VA_ARGS__)
#define wasm_div_u32(...) wasm_div_u32(wasm_here, __VA_ARGS__)
#define wasm_rem_s32(...) wasm_rem_s32(wasm_here, __VA_ARGS__)
#define wasm_rem_u32(...) wasm_rem_u32(wasm_here, __VA_ARGS__)
#define wasm_div_s64(...) wasm_div_s64(wasm_here, __VA_ARGS__)
#define wasm_div_u64(...) wasm_div_u64(wasm_here, __VA_ARGS__)
#define wasm_rem_s64(...) wasm_rem_s64(wasm_here, __VA_ARGS__)
#define wasm_rem_u64(...) wasm_rem_u64(wasm_here, __VA_ARGS__)
#define wasm_trunc_s32_f32(...) wasm_trunc_s32_f32(wasm_here, __VA_ARGS__)
#define wasm_trunc_u32_f32(...) wasm_trunc_u32_f32(wasm_here, __VA_ARGS__)
#define wasm_trunc_s32_f64(...) wasm_trunc_s32_f64(wasm_here, __VA_ARGS__)
#define wasm_trunc_u32_f64(...) wasm_trunc_u32_f64(wasm_here, __VA_ARGS__)
#define wasm_trunc_s64_f32(...) wasm_trunc_s64_f32(wasm_here, __VA_ARGS__)
#define wasm_trunc_u64_f32(...) wasm_trunc_u64_f32(wasm_here, __VA_ARGS__)
#define wasm_trunc_s64_f64(...) wasm_trunc_s64_f64(wasm_here, __VA_ARGS__)
#define wasm_trunc_u64_f64(...) wasm_trunc_u64_f64(wasm_here, __VA_ARGS__)
#endif

#endif
