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
static void mpy_use_stack(void *with) {
    (void)with;
    mp_obj_iter_buf_t iter;
    mp_fun_table.getiter(mp_fun_table.new_tuple(0, NULL), &iter);
    mp_fun_table.iternext(&iter);
}

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
