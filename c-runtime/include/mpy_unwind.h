/* Leaving WebAssembly by an exception: traps, and the shadow stack.
 *
 * Exceptions leave by longjmp, so nothing that WebAssembly code would do on its way out is done, and
 * the shadow stack pointer stays where it was. It is put back where an exception starts (a trap) or
 * passes (an import), not at every entry: that costs an export nothing, and an interrupt handler may
 * call an export while another one runs.
 *
 * The including file defines, when the module has a shadow stack,
 *   MPY_STACK_POINTER   its pointer, an lvalue of type uint32_t;
 *   MPY_STACK_TOP       the pointer's initial value;
 *   MPY_STACK_BASE      (only when the module has imports) where the pointer is when no WebAssembly
 *                       code runs but that which waits for an import: an lvalue of type uint32_t, as
 *                       a distance below MPY_STACK_TOP so that it starts at 0.
 */
#ifndef MPY_UNWIND_H
#define MPY_UNWIND_H

#include "mpy_scalars.h"

/* Forgets the WebAssembly frames above the innermost import that is being called, or all. */
static inline void mpy_unwind(void) {
#ifdef MPY_STACK_BASE
    MPY_STACK_POINTER = MPY_STACK_TOP - MPY_STACK_BASE;
#elif defined(MPY_STACK_POINTER)
    MPY_STACK_POINTER = MPY_STACK_TOP;
#endif
}

__attribute__((noinline, noreturn, unused)) static void mpy_raise_trap(const char *message) {
    mpy_unwind();
    mp_fun_table.raise_msg(mp_fun_table.load_global(MP_QSTR_RuntimeError), message);
}

/* One function per kind, so that a trap costs a call without arguments and a module holds the
 * messages of its own traps only. The messages are those of the specification's tests. */
#define MPY_TRAP(name, message) \
    __attribute__((noinline, noreturn, unused)) static void mpy_trap_##name(void) { mpy_raise_trap(message); }
MPY_TRAP(unreachable, "unreachable")
MPY_TRAP(divide_by_zero, "integer divide by zero")
MPY_TRAP(memory, "out of bounds memory access")
#undef MPY_TRAP

__attribute__((always_inline)) static inline void wasm_trap(wasm_trap_t kind) {
    switch (kind) {
        case WASM_TRAP_UNREACHABLE:
            mpy_trap_unreachable();
        case WASM_TRAP_DIVIDE_BY_ZERO:
            mpy_trap_divide_by_zero();
        case WASM_TRAP_MEMORY_OUT_OF_BOUNDS:
            mpy_trap_memory();
    }
    __builtin_unreachable();
}

#endif
