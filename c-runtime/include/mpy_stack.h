/* Deep recursion in WebAssembly ends in a trap before the machine's stack does.
 *
 * Where that is, MicroPython knows and does not say, but its own functions refuse to run beyond. So one of them is asked
 * whenever the stack is 256 bytes deeper than ever, and a function that recurses pays for a comparison.
 *
 * The including file defines
 *   MPY_STACK_LIMIT     the module's limit, an lvalue of type uintptr_t, set to an address of the stack at the start.
 */
#ifndef MPY_STACK_H
#define MPY_STACK_H

#include "mpy_unwind.h"

/* Steps between questions; and how much deeper than ever a stack may be that is no other thread's. */
#define MPY_STACK_STEP 256
#define MPY_STACK_REACH 16384

/* To print an object, MicroPython checks the stack (py/obj.c, mp_obj_print_helper). */
__attribute__((noinline)) static void mpy_use_stack(void) {
    mp_obj_t none = mp_const_none;
    mp_fun_table.call_function_n_kw((mp_obj_t)mp_fun_table.type_str, 1, &none);
}

/* Other reasons to fail, as a heap that is locked, say nothing about the stack. */
__attribute__((noinline)) static bool mpy_is_memory_error(const nlr_buf_t *nlr) {
    return (mp_obj_t)mp_fun_table.obj_get_type(nlr->ret_val) == mp_fun_table.load_global(MP_QSTR_MemoryError);
}

/* As in mpy_imports.h, nothing but the address of the frame is wanted after the second return. */
__attribute__((noinline)) static bool mpy_stack_left(void) {
    nlr_buf_t nlr;
    if (mp_fun_table.nlr_push(&nlr) || (mp_fun_table.setjmp != NULL && mp_fun_table.setjmp(nlr.regs))) {
        return mpy_is_memory_error(&nlr);
    }
    mpy_use_stack();
    mp_fun_table.nlr_pop();
    return true;
}

__attribute__((noinline)) static void wasm_stack_low(WASM_WHERE_ONLY) {
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (!mpy_stack_left()) {
        wasm_trap(WASM_TRAP_STACK_OVERFLOW);
    }
    if (MPY_STACK_LIMIT - here < MPY_STACK_REACH) {
        MPY_STACK_LIMIT = here - MPY_STACK_STEP;
    }
}

#endif
