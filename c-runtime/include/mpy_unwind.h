/* Leaving WebAssembly by an exception: traps, and the shadow stack.
 *
 * Exceptions leave by longjmp, so nothing that WebAssembly code would do on its way out is done, and
 * the shadow stack pointer stays where it was. It is put back where an exception starts (a trap) or
 * passes (an import), not at every entry: that costs an export nothing, and an interrupt handler may
 * call an export while another one runs.
 *
 * The including file defines, when the module has a shadow stack,
 *   MPY_STACK_POINTER   its pointer, an lvalue of type uint32_t;
 *   MPY_STACK_BASE      where the pointer is when no WebAssembly code runs but that which waits for an
 *                       import: an lvalue of type uint32_t, set to the pointer's value at the start.
 */
#ifndef MPY_UNWIND_H
#define MPY_UNWIND_H

#include "mpy_scalars.h"
#include "wasm.h"

/* Forgets the WebAssembly frames above the innermost import that is being called, or all. */
static inline void mpy_unwind(void) {
#ifdef MPY_STACK_POINTER
    MPY_STACK_POINTER = MPY_STACK_BASE;
#endif
}

__attribute__((noinline, noreturn, unused)) static void mpy_raise_trap(const char *message) {
    mpy_unwind();
    mp_fun_table.raise_msg(mp_fun_table.load_global(MP_QSTR_RuntimeError), message);
}

/* One function per kind, so that a trap costs a call without arguments and a module holds the
 * messages of its own traps only. */
#define MPY_TRAP(name, message) \
    __attribute__((noinline, noreturn, unused)) static void mpy_trap_##name(void) { mpy_raise_trap(message); }
WASM_TRAPS(MPY_TRAP)
#undef MPY_TRAP

__attribute__((always_inline)) static inline void wasm_trap(wasm_trap_t kind) {
    switch (kind) {
#define MPY_TRAP(name, message) case WASM_TRAP_##name: mpy_trap_##name();
        WASM_TRAPS(MPY_TRAP)
#undef MPY_TRAP
    }
    __builtin_unreachable();
}

#endif
