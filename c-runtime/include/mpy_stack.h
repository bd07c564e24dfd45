/* Deep recursion in WebAssembly ends in a trap before the machine's stack does.
 *
 * Where that is, MicroPython knows and does not say, but its own functions refuse to run beyond. So one of them is asked
 * whenever the stack is 256 bytes deeper than ever, and a function that recurses pays for a comparison.
 *
 * The including file defines
 *   MPY_STACK_LIMIT     the module's limit, an lvalue of type uintptr_t, at first the highest address there is.
 */
#ifndef MPY_STACK_H
#define MPY_STACK_H

#include "mpy_unwind.h"

/* Steps between questions; and how much deeper than ever a stack may be that is no other thread's. */
#define MPY_STACK_STEP 256
#define MPY_STACK_REACH 16384

/* An iterator, whatever it iterates over, checks the stack before it looks (py/runtime.c, mp_iternext). Nothing here
 * takes memory, as the heap may be locked. */
__attribute__((noinline)) static void mpy_use_stack(void) {
    mp_obj_iter_buf_t iter;
    mp_fun_table.getiter(mp_fun_table.new_tuple(0, NULL), &iter);
    mp_fun_table.iternext(&iter);
}

/* As in mpy_imports.h, nothing but the address of the frame is wanted after the second return: the name of the function
 * that a trap is in must not be in this one's frame. */
#ifdef WASM_NAMES
__attribute__((noinline))
#endif
static bool mpy_stack_left(void) {
    nlr_buf_t nlr;
    if (mp_fun_table.nlr_push(&nlr) || (mp_fun_table.setjmp != NULL && mp_fun_table.setjmp(nlr.regs))) {
        return false;
    }
    mpy_use_stack();
    mp_fun_table.nlr_pop();
    return true;
}

__attribute__((noinline)) static void wasm_stack_low(WASM_WHERE_ONLY) {
    if (!mpy_stack_left()) {
        wasm_trap(WASM_TRAP_STACK_OVERFLOW);
    }
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (MPY_STACK_LIMIT - here < MPY_STACK_REACH || MPY_STACK_LIMIT == UINTPTR_MAX) {
        MPY_STACK_LIMIT = here - MPY_STACK_STEP;
    }
}

#endif
