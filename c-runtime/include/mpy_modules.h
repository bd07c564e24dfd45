/* Python's modules that are called from WebAssembly. Each is imported at its first use and kept, as by an `import` at the
 * head of a Python file: MicroPython looks for most modules in the filesystem at every import. What is in a module is
 * looked up at every use, so what Python replaces there is replaced.
 *
 * The including file defines MPY_MODULES, the number of modules that are kept.
 */
#ifndef MPY_MODULES_H
#define MPY_MODULES_H

#include "mpy_unwind.h"

#ifdef MPY_MODULES
WASM_STATE(mp_obj_t, mpy_modules, [MPY_MODULES]);
WASM_STATE(uint16_t, mpy_module_names, [MPY_MODULES]);
#define mpy_modules WASM_REACH(mpy_modules)
#define mpy_module_names WASM_REACH(mpy_module_names)
#endif

/* The module whose name is the string `name` of this one. */
MPY_SHARED mp_obj_t mpy_import(unsigned name) {
#ifdef MPY_MODULES
    for (unsigned i = 0; i < MPY_MODULES && mpy_modules[i] != NULL; i++) {
        if (mpy_module_names[i] == name) {
            return mpy_modules[i];
        }
    }
#endif
    /* Any `fromlist` but None makes `import a.b` return b. */
    mp_obj_t module = mp_fun_import_name(
        mp_native_qstr_table[name], mp_const_true, MP_OBJ_NEW_SMALL_INT(0));
#ifdef MPY_MODULES
    /* The module may have called this one when it was imported. */
    for (unsigned i = 0; i < MPY_MODULES; i++) {
        if (mpy_modules[i] == NULL) {
            mpy_modules[i] = module;
            mpy_module_names[i] = (uint16_t)name;
            break;
        }
    }
#endif
    return module;
}

#if defined(MPY_CLOSES) && defined(MPY_MODULES)
static void mpy_end_modules(void) {
    mp_fun_table.memset(mpy_modules, 0, sizeof mpy_modules);
}
#endif

#endif
