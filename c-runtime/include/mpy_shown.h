/* Memories and globals of WebAssembly as attributes of the module.
 *
 * They are entries of the module's own dictionary, so that Python reads and writes them as any others. A buffer shows
 * the memory itself. What changes besides, mutable globals and where a memory is that grew, is written down whenever
 * Python goes on, and globals are read back whenever WebAssembly does: no function pays for it in a module that shows
 * nothing of the kind.
 *
 * The including file defines, when there is anything that changes,
 *   MPY_SHOWS           and the functions mpy_show and mpy_see of mpy_unwind.h.
 */
#ifndef MPY_SHOWN_H
#define MPY_SHOWN_H

#include "mpy_unwind.h"

/* The module's dictionary. */
WASM_STATE mp_obj_t mpy_attributes;

/* While the module is imported its globals are the current ones, which only swapping tells. */
__attribute__((unused)) static void mpy_find_attributes(void) {
    mp_obj_dict_t *own = mp_fun_table.swap_globals((mp_obj_dict_t *)(uintptr_t)&mp_fun_table);
    mp_fun_table.swap_globals(own);
    mpy_attributes = (mp_obj_t)own;
}

__attribute__((noinline, unused)) static void mpy_set_attribute(unsigned name, mp_obj_t value) {
    mp_fun_table.dict_store(mpy_attributes, mpy_string(name), value);
}

__attribute__((noinline, unused)) static mp_obj_t mpy_get_attribute(unsigned name) {
    return mp_fun_table.obj_subscr(mpy_attributes, mpy_string(name), MP_OBJ_SENTINEL);
}

__attribute__((noinline, unused)) static void mpy_show_memory(unsigned name, uint8_t *memory, uint32_t size) {
    mpy_set_attribute(name, mp_fun_table.obj_new_bytearray_by_ref(size, memory));
}

#endif
