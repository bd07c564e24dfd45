/* The native stack ends in an exception, not in a fault.
 *
 * MicroPython knows where the stack must end, and does not say, but its own functions refuse to run below. So one of them
 * is called to ask. The lowest address that was accepted is kept, so that functions with a check compare their frame's address
 * with that, and ask only if the stack is deeper than before.
 *
 * The including file may define
 *   MPY_STACK_LIMIT     if functions have checks: the module's limit, an lvalue of type uintptr_t, at first the highest
 *                       address there is;
 *   MPY_STACK_AHEAD     if frames are measured: the bytes of stack that a check needs below its frame.
 */
#ifndef MPY_STACK_H
#define MPY_STACK_H

#include "mpy_unwind.h"

/* How much deeper than before a check asks, and how much deeper than before a stack may be that is no other thread's. */
#define MPY_STACK_STEP 256
#define MPY_STACK_REACH 16384

/* An iterator, whatever it iterates over, checks the stack before it looks (py/runtime.c, mp_iternext). Nothing here
 * takes memory, as the heap may be locked. */
WASM_UNUSED static inline void mpy_ask_for_stack(void) {
    mp_obj_iter_buf_t iter;
    mp_fun_table.getiter(mp_fun_table.new_tuple(0, NULL), &iter);
    mp_fun_table.iternext(&iter);
}

#ifdef MPY_STACK_AHEAD
/* Ends in MicroPython's exception if the stack may not reach down to `end`. It asks in small steps, because a step is on
 * the stack itself before MicroPython has accepted it. */
MPY_SHARED void mpy_use_stack(void *end) {
    volatile uint8_t step[64];
    step[0] = 0;
    mpy_ask_for_stack();
    if ((uintptr_t)step > (uintptr_t)end) {
        mpy_use_stack(end);
    }
    /* No tail call, which would reuse this frame. */
    step[0] = 0;
}

/* The same, with `size` bytes below the caller. */
#define MPY_USE_STACK(size) mpy_use_stack((void *)((uintptr_t)__builtin_frame_address(0) - (size)))
#else
WASM_UNUSED static void mpy_use_stack(void *end) {
    (void)end;
    mpy_ask_for_stack();
}
#endif

#ifndef MPY_STACK_AHEAD
/* The complement of the lowest address that was accepted before a call of Python. */
WASM_STATE(uintptr_t, mpy_deepest);
#define mpy_deepest WASM_REACH(mpy_deepest)
#endif

/* To be called before Python is, which may call the module again: a built-in function does not check the stack. Where
 * nobody attacks it is enough to ask when the stack is deeper than before. */
WASM_UNUSED static inline void mpy_ask_before_call(void) {
#ifdef MPY_STACK_AHEAD
    mpy_ask_for_stack();
#else
    uintptr_t depth = ~(uintptr_t)__builtin_frame_address(0);
    if (depth > mpy_deepest) {
        mpy_ask_for_stack();
        if (mpy_deepest == 0 || depth - mpy_deepest < MPY_STACK_REACH) {
            mpy_deepest = depth;
        }
    }
#endif
}

#ifdef MPY_STACK_LIMIT
#ifdef MPY_STACK_AHEAD
__attribute__((noinline, unused)) static void wasm_stack_low_for(WASM_WHERE uintptr_t size) {
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    /* A step more, if there is room, so that not every deeper call asks again. */
    uintptr_t limit = here - size - MPY_STACK_STEP;
    if (mpy_try(mpy_use_stack, (void *)(limit - MPY_STACK_AHEAD)) != NULL) {
        limit += MPY_STACK_STEP;
        if (mpy_try(mpy_use_stack, (void *)(limit - MPY_STACK_AHEAD)) != NULL) {
            wasm_trap(WASM_TRAP_STACK_OVERFLOW);
        }
    }
    if (here - MPY_STACK_LIMIT + MPY_STACK_REACH < 2 * MPY_STACK_REACH || MPY_STACK_LIMIT == UINTPTR_MAX) {
        MPY_STACK_LIMIT = limit;
    }
}

__attribute__((unused)) static void wasm_stack_low(WASM_WHERE_ONLY) { wasm_stack_low_for(WASM_HERE 0); }
#else
__attribute__((noinline)) static void wasm_stack_low(WASM_WHERE_ONLY) {
    if (mpy_try(mpy_use_stack, NULL) != NULL) {
        wasm_trap(WASM_TRAP_STACK_OVERFLOW);
    }
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (MPY_STACK_LIMIT - here < MPY_STACK_REACH || MPY_STACK_LIMIT == UINTPTR_MAX) {
        MPY_STACK_LIMIT = here - MPY_STACK_STEP;
    }
}
#endif
#endif

#endif
