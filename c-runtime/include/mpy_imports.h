/* Calling Python from WebAssembly.
 *
 * An import is found anew at every call, by the firmware's own `import` and attribute lookup: nothing
 * is cached that the collector would have to know, and what Python replaces is replaced.
 *
 * Besides what mpy_unwind.h wants, the including file defines
 *   MPY_IMPORT_SLOTS    the largest number of parameters, or of results, of any import.
 */
#ifndef MPY_IMPORTS_H
#define MPY_IMPORTS_H

#include "mpy_unwind.h"

__attribute__((unused)) static void mpy_to_slot(char type, mpy_slot_t *slot, mp_obj_t obj) {
    if (type == 'i') {
        slot->i = mpy_to_i32(obj);
    } else if (type == 'q') {
        slot->q = mpy_to_i64(obj);
    } else {
        mp_fun_table.binary_set_val_array(type, slot, 0, obj);
    }
}

/* Calls attribute `field` of module `module` (indices of the module's strings). `type` is
 * "parameters>results"; `slots` holds the arguments and receives the results. */
__attribute__((noinline)) static void mpy_call_python(unsigned module, unsigned field, const char *type, mpy_slot_t *slots) {
    mp_obj_t objs[MPY_IMPORT_SLOTS + 1];
    size_t n = 0;
    for (; type[n] != '>'; n++) {
        objs[n] = mp_fun_table.binary_get_val_array(type[n], &slots[n], 0);
    }
    /* Any `fromlist` but None makes `import a.b` return b. */
    mp_obj_t function = mp_fun_table.load_attr(
        mp_fun_table.import_name(mp_native_qstr_table[module], (mp_obj_t)mp_fun_table.const_true, MP_OBJ_NEW_SMALL_INT(0)),
        mp_native_qstr_table[field]);
    mp_obj_t result = mp_fun_table.call_function_n_kw(function, n, objs);
    type += n + 1;
#ifdef MPY_IMPORT_MULTIPLE_RESULTS
    n = 0;
    while (type[n] != 0) {
        n++;
    }
    if (n > 1) {
        mp_fun_table.unpack_sequence(result, n, objs);
        for (size_t i = 0; i < n; i++) {
            mpy_to_slot(type[i], &slots[i], objs[n - 1 - i]);
        }
        return;
    }
#endif
    if (*type != 0) {
        mpy_to_slot(*type, slots, result);
    }
}

#ifdef MPY_HAS_STACKS
typedef struct {
    nlr_buf_t nlr;
    mpy_stacks_t outside;
} mpy_import_frame_t;

/* Passes on the exception that ended the call of an import. */
__attribute__((noinline, noreturn)) static void mpy_leave_import(mpy_import_frame_t *frame) {
    mpy_leave_python(&frame->outside);
    mpy_unwind();
    mp_fun_table.raise(frame->nlr.ret_val);
    __builtin_unreachable();
}
#endif

/* As mpy_call_python, and keeps the shadow stack in order whichever way the call ends.
 *
 * nlr_push returns twice, like setjmp, and compilers cannot be told so of a function behind a pointer:
 * they may have put something else where a value lay that is wanted after the second return. So all
 * that is wanted then is the address of the frame, and everything else is done by other functions. */
MPY_SHARED void mpy_call_import(unsigned module, unsigned field, const char *type, mpy_slot_t *slots) {
#ifdef MPY_HAS_STACKS
    mpy_import_frame_t frame;
    mpy_enter_python(&frame.outside);
    if (mp_fun_table.nlr_push(&frame.nlr)
        || (mp_fun_table.setjmp != NULL && mp_fun_table.setjmp(frame.nlr.regs))) {
        mpy_leave_import(&frame);
    }
    mpy_call_python(module, field, type, slots);
    mp_fun_table.nlr_pop();
    mpy_leave_python(&frame.outside);
#else
    mpy_call_python(module, field, type, slots);
#endif
}

#endif
