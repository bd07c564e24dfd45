/* A module that is imported again gives back the memory of its last instance first.
 *
 * MicroPython never lets go of the code and the state of a native module, as it does not know who points into them
 * (py/persistentcode.c, track_root_pointer), and so of nothing that the state points to. Therefore an instance leaves a
 * function in `sys.modules`, by which the next instance of the same name closes it. A closed instance has no memory, so
 * none of its code may run any more: function objects of it, of which Python may have any number, are changed to raise
 * an exception, and what they share looks whether the instance is open (mpy_check_open).
 *
 * While a call of it waits for Python, an instance cannot be closed. A later import does that: the functions of several
 * instances are found by the name of the module and one asterisk or more, which no module is called.
 *
 * The including file defines mpy_end, which gives back the memory, and mpy_change_functions.
 */
#ifndef MPY_CLOSE_H
#define MPY_CLOSE_H

#include "mpy_unwind.h"

/* Gives back the memory, which nobody will use. */
static void mpy_end(void);
/* Makes all functions of Python's mpy_closed. */
static void mpy_change_functions(void);

/* What is called in place of any function: none of its arguments is looked at. */
static mp_obj_t mpy_closed(void) {
    mpy_check_open();
    return mp_const_none;
}

__attribute__((unused)) static void mpy_end_memory(wasm_memory_t *memory) {
    uint8_t *data = memory->data;
    memory->data = NULL;
    memory->bytes = 0;
#ifdef MPY_SHOWS_GROWTH
    /* Python may still look at it; it is the collector's. */
    (void)data;
#else
    mp_fun_realloc(data, 0, false);
#endif
}

__attribute__((unused)) static void mpy_end_table(wasm_table_t *table) {
    void *elements = table->elements;
    table->elements = NULL;
    table->size = 0;
    mp_fun_realloc(elements, 0, false);
}

/* Closes the instance: False if it is in use. */
static mp_obj_t mpy_close(void) {
    if (mpy_uses != 0) {
        return mp_const_false;
    }
    mpy_is_closed = true;
    mpy_change_functions();
    mpy_end();
#ifdef MPY_MODULES
    mpy_end_modules();
#endif
    return mp_const_none;
}

MPY_FUNCTION(mpy_close_object, 0, mpy_close);

/* Closes the instances of this module before this one; `sys` and `modules` are the names of that. */
static void mpy_close_others(unsigned sys, unsigned modules) {
    mp_obj_t found[3];
    mp_obj_t from = mp_fun_import_name(mp_native_qstr_table[sys], mp_const_none, MP_OBJ_NEW_SMALL_INT(0));
    mp_fun_table.load_method_maybe(from, mp_native_qstr_table[modules], found);
    mp_obj_t known = found[0];
    if (known == MP_OBJ_NULL) {
        return;
    }
    mp_obj_t star = mp_fun_native_to_obj(MP_QSTR__star_, MP_NATIVE_TYPE_QSTR);
    mp_obj_t key = mp_fun_load_global(MP_QSTR___name__);
    mp_obj_t free = NULL;
    for (;;) {
        key = mp_fun_binary_op(MP_BINARY_OP_ADD, key, star);
        mp_fun_load_method(known, MP_QSTR_get, found);
        found[2] = key;
        mp_obj_t close = mp_fun_call_method_n_kw(1, 0, found);
        if (close == mp_const_none) {
            break;
        }
        if (mp_fun_call_function_n_kw(close, 0, NULL) == mp_const_none) {
            free = key;
        }
    }
    mp_fun_obj_subscr(known, free != NULL ? free : key, (mp_obj_t)(uintptr_t)MPY_OBJECT(mpy_close_object, 0, mpy_close));
}

#endif
