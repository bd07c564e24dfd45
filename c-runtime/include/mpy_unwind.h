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
 *                       import: an lvalue of type uint32_t, set to the pointer's value at the start;
 * and when it borrows objects of Python for the time of a call,
 *   MPY_LENT            how many at most.
 */
#ifndef MPY_UNWIND_H
#define MPY_UNWIND_H

#include "mpy_scalars.h"
#include "wasm.h"

#ifdef MPY_LENT
/* Objects lent, the last of them last, and how many of them belong to calls that wait for an import. */
WASM_STATE mp_obj_t mpy_lent[MPY_LENT];
WASM_STATE uint32_t mpy_lent_top;
WASM_STATE uint32_t mpy_lent_base;
#endif

/* Forgets the WebAssembly frames above the innermost import that is being called, or all. */
static inline void mpy_unwind(void) {
#ifdef MPY_STACK_POINTER
    MPY_STACK_POINTER = MPY_STACK_BASE;
#endif
#ifdef MPY_LENT
    mpy_lent_top = mpy_lent_base;
#endif
}

/* The stacks of the WebAssembly frames that wait while Python runs. */
#if defined(MPY_STACK_POINTER) || defined(MPY_LENT)
#define MPY_HAS_STACKS 1
typedef struct {
#ifdef MPY_STACK_POINTER
    uint32_t base;
#endif
#ifdef MPY_LENT
    uint32_t lent_base;
#endif
} mpy_stacks_t;

static inline void mpy_enter_python(mpy_stacks_t *saved) {
#ifdef MPY_STACK_POINTER
    saved->base = MPY_STACK_BASE;
    MPY_STACK_BASE = MPY_STACK_POINTER;
#endif
#ifdef MPY_LENT
    saved->lent_base = mpy_lent_base;
    mpy_lent_base = mpy_lent_top;
#endif
}

static inline void mpy_leave_python(const mpy_stacks_t *saved) {
#ifdef MPY_STACK_POINTER
    MPY_STACK_BASE = saved->base;
#endif
#ifdef MPY_LENT
    mpy_lent_base = saved->lent_base;
#endif
}
#endif

__attribute__((noinline, noreturn, unused)) static void mpy_raise_trap(const char *message) {
    mpy_unwind();
    mp_fun_table.raise_msg(mp_fun_table.load_global(MP_QSTR_RuntimeError), message);
}

/* Raises MemoryError, for a program that cannot go on without the memory it asked for. */
__attribute__((noinline, noreturn, unused)) static void mpy_out_of_memory(void) {
    mpy_unwind();
    mpy_raise_memory_error("out of memory");
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
