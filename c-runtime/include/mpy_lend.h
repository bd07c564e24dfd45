/* Bytes of Rust's that functions of the firmware use where they are.
 *
 * A method such as `readfrom_into` of machine.I2C uses a buffer until it returns. Two objects of this module's state stand
 * for the buffers of such calls, so that a call takes nothing of the heap. After the call they are empty, in case the
 * function has kept them. Functions that are written in Python get copies, because they could keep a view of the memory.
 *
 * Which calls lend is up to the including file: MPY_LENDING in their flags. The addresses must be native.
 */
#ifndef MPY_LEND_H
#define MPY_LEND_H

#include "mpy_sequences.h"

/* Both a `bytes` (py/objstr.h, mp_obj_str_t) and a bytearray (py/objarray.h, mp_obj_array_t). */
typedef struct {
    const void *type;
    size_t kind; /* of a `bytes` the hash, 0 if it is not known; of a bytearray the type code */
    size_t len;
    const void *data;
} mpy_bytes_t;

#define MPY_LENT_BYTES 2

WASM_STATE(mpy_bytes_t, mpy_lent_bytes, [MPY_LENT_BYTES]);
WASM_STATE(uint8_t, mpy_lent_bytes_used);
#define mpy_lent_bytes WASM_REACH(mpy_lent_bytes)
#define mpy_lent_bytes_used WASM_REACH(mpy_lent_bytes_used)
/* What an object of each kind begins with, `bytes` and bytearray. */
WASM_STATE(mpy_bytes_t, mpy_empty_bytes, [2]);
#define mpy_empty_bytes WASM_REACH(mpy_empty_bytes)

/* Whether a function is one of the firmware's, or of another native module. */
static bool mpy_is_builtin(mp_obj_t function) {
    const mp_obj_type_t *type = mp_fun_obj_get_type(function);
    return type == mp_fun_table.type_fun_builtin_2 || type == mp_fun_table.type_fun_builtin_3
           || type == mp_fun_table.type_fun_builtin_var || type == mp_fun_table.type_fun_builtin_1;
}

/* An empty object of the kind, made after one of MicroPython's; NULL if that does not look as it should. */
static const mpy_bytes_t *mpy_empty(bool is_mutable) {
    mpy_bytes_t *empty = &mpy_empty_bytes[is_mutable];
    if (empty->type == NULL) {
        static const uint8_t some[3] = {1, 2, 3};
        mp_buffer_info_t info;
        const mpy_bytes_t *made = is_mutable ? mp_fun_table.obj_new_bytearray_by_ref(sizeof some, (void *)(uintptr_t)some)
                                             : mp_fun_table.obj_new_bytes(some, sizeof some);
        mp_fun_get_buffer((mp_obj_t)(uintptr_t)made, &info, MP_BUFFER_READ);
        if (made->type != (const void *)mp_fun_obj_get_type(made) || made->len != sizeof some || made->data != info.buf) {
            return NULL;
        }
        empty->kind = is_mutable ? made->kind : 0;
        empty->data = some;
        empty->type = made->type;
    }
    return empty;
}

/* An object for the slice in `slots`, of the type L or W; notes in `lent` which one it is. */
static mp_obj_t mpy_lend_bytes(bool is_mutable, const mpy_slot_t *slots, uint8_t *lent) {
    const mpy_bytes_t *empty = mpy_empty(is_mutable);
    for (unsigned i = 0; empty != NULL && i < MPY_LENT_BYTES; i++) {
        if ((mpy_lent_bytes_used >> i & 1u) == 0) {
            mpy_lent_bytes_used |= (uint8_t)(1u << i);
            *lent |= (uint8_t)(1u << i);
            mpy_lent_bytes[i] = *empty;
            mpy_lent_bytes[i].len = slots[1].i;
            mpy_lent_bytes[i].data = mpy_text(slots[0].i, slots[1].i);
            return &mpy_lent_bytes[i];
        }
    }
    return NULL;
}

/* Takes back what was lent. */
static inline void mpy_end_lent_bytes(uint8_t lent) {
    for (unsigned i = 0; i < MPY_LENT_BYTES; i++) {
        if ((lent >> i & 1u) != 0) {
            mpy_lent_bytes[i].len = 0;
            mpy_lent_bytes[i].data = mpy_empty_bytes[0].data != NULL ? mpy_empty_bytes[0].data : mpy_empty_bytes[1].data;
            mpy_lent_bytes_used &= (uint8_t)~(1u << i);
        }
    }
}

#endif
