/* Text that WebAssembly code hands to Python by pointer and length: panic messages and prints.
 *
 * The including file defines MPY_MEMORY, the first byte of memory 0, and MPY_MEMORY_SIZE.
 */
#ifndef MPY_TEXT_H
#define MPY_TEXT_H

#include "mpy_unwind.h"

__attribute__((noinline, unused)) static const char *mpy_text(uint32_t ptr, uint32_t len) {
    if (ptr > MPY_MEMORY_SIZE || len > MPY_MEMORY_SIZE - ptr) {
        wasm_trap(WASM_TRAP_MEMORY_OUT_OF_BOUNDS);
    }
    return (const char *)((uintptr_t)MPY_MEMORY + ptr);
}

/* Raises RuntimeError with the text as its argument. */
__attribute__((noreturn, unused)) static void mpy_panic(uint32_t ptr, uint32_t len) {
    mpy_unwind();
    mp_obj_t message = mp_fun_table.obj_new_str(mpy_text(ptr, len), len);
    mp_fun_table.raise(mp_fun_table.call_function_n_kw(mp_fun_table.load_global(MP_QSTR_RuntimeError), 1, &message));
    __builtin_unreachable();
}

__attribute__((unused)) static void mpy_print(uint32_t ptr, uint32_t len) {
    mp_fun_table.printf(mp_fun_table.plat_print, "%.*s", (int)len, mpy_text(ptr, len));
}

#endif
