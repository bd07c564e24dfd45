/* Scalars between Python and WebAssembly.
 *
 * An i32 takes -2^31 to 2^32-1 and an i64 -2^63 to 2^64-1, as WebAssembly's integers have no sign;
 * what goes back to Python is signed. The firmware raises TypeError for what is not a number.
 *
 * All of it is shared between the functions of a module, and out of line, for size.
 */
#ifndef MPY_SCALARS_H
#define MPY_SCALARS_H

#include "mpy_state.h"
#include "wasm.h"

#define MPY_SHARED __attribute__((noinline, unused)) static

static inline void mpy_check_open(void);

/* Raises an exception of the type of that name. */
__attribute__((noreturn, unused)) static void mpy_raise(qstr type, const char *message) {
    mp_fun_table.raise_msg(mp_fun_load_global(type), message);
}

__attribute__((noinline, noreturn, unused)) static void mpy_raise_overflow(void) {
    mpy_raise(MP_QSTR_OverflowError, "integer out of range");
}

__attribute__((noinline, noreturn, unused)) static void mpy_raise_type_error(const char *message) {
    mpy_raise(MP_QSTR_TypeError, message);
}

__attribute__((noinline, noreturn, unused)) static void mpy_raise_memory_error(const char *message) {
    mpy_raise(MP_QSTR_MemoryError, message);
}

__attribute__((noinline, noreturn, unused)) static void mpy_raise_value_error(const char *message) {
    mpy_raise(MP_QSTR_ValueError, message);
}

/* The bits of `obj` below 32. Raises OverflowError outside the range of i32.
 *
 * The firmware's own conversion truncates silently, so the range is checked by what is left of the
 * number without its low 31 bits: -1, 0 or 1. A float cannot be shifted, which is a TypeError. */
MPY_SHARED uint32_t mpy_to_i32(mp_obj_t obj) {
    intptr_t small = MP_OBJ_SMALL_INT_VALUE(obj);
    if (MP_OBJ_IS_SMALL_INT(obj) && (sizeof(intptr_t) == 4 || small == (int32_t)small)) {
        return (uint32_t)small;
    }
    uint32_t low = (uint32_t)mp_fun_native_from_obj(obj, MP_NATIVE_TYPE_UINT);
    uintptr_t high = (uintptr_t)mp_fun_binary_op(MP_BINARY_OP_RSHIFT, obj, MP_OBJ_NEW_SMALL_INT(31));
    mpy_check_open();
    /* Small integers -1, 0, 1 are the words -1, 1, 3. */
    if (high + 1 > 4) {
        mpy_raise_overflow();
    }
    return low;
}

/* The bits of `obj` below 64. The upper half of an i64 has exactly the range of an i32. */
MPY_SHARED uint64_t mpy_to_i64(mp_obj_t obj) {
    if (MP_OBJ_IS_SMALL_INT(obj)) {
        return (uint64_t)(int64_t)MP_OBJ_SMALL_INT_VALUE(obj);
    }
    uint32_t low = (uint32_t)mp_fun_native_from_obj(obj, MP_NATIVE_TYPE_UINT);
    obj = mp_fun_binary_op(MP_BINARY_OP_RSHIFT, obj, MP_OBJ_NEW_SMALL_INT(32));
    mpy_check_open();
    return (uint64_t)mpy_to_i32(obj) << 32 | low;
}

MPY_SHARED float mpy_to_f32(mp_obj_t obj) {
    float value;
    mp_fun_table.binary_set_val_array('f', &value, 0, obj);
    mpy_check_open();
    return value;
}

MPY_SHARED double mpy_to_f64(mp_obj_t obj) {
    double value;
    mp_fun_table.binary_set_val_array('d', &value, 0, obj);
    mpy_check_open();
    return value;
}

MPY_SHARED mp_obj_t mpy_from_i32(uint32_t value) {
    return mp_fun_native_to_obj((mp_uint_t)(mp_int_t)(int32_t)value, MP_NATIVE_TYPE_INT);
}

MPY_SHARED mp_obj_t mpy_from_i64(uint64_t value) {
    return mp_fun_binary_get_val_array('q', &value, 0);
}

MPY_SHARED mp_obj_t mpy_from_f32(float value) {
    return mp_fun_binary_get_val_array('f', &value, 0);
}

MPY_SHARED mp_obj_t mpy_from_f64(double value) {
    return mp_fun_binary_get_val_array('d', &value, 0);
}

MPY_SHARED mp_obj_t mpy_from_u64(uint64_t value) {
    return mp_fun_binary_get_val_array('Q', &value, 0);
}

/* A string of the module, by its index. */
__attribute__((unused)) static mp_obj_t mpy_string(unsigned index) {
    return mp_fun_native_to_obj(mp_native_qstr_table[index], MP_NATIVE_TYPE_QSTR);
}

/* A WebAssembly value on its way. Its types are written with the letters that the firmware's
 * binary_get_val_array knows: i (i32), q (i64), f (f32), d (f64). */
typedef union {
    uint32_t i;
    uint64_t q;
    float f;
    double d;
} mpy_slot_t;

#ifdef MPY_CLOSES
__attribute__((noinline)) static void mpy_check_not_closed(void) {
    if (mpy_is_closed) {
        mpy_raise(MP_QSTR_RuntimeError, "the module was imported again");
    }
}

/* To be called after what may run code of Python's, before the memory is used. */
static inline void mpy_check_open(void) { mpy_check_not_closed(); }
/* Or that code runs between these two. If it may raise an exception, that is caught. */
static inline void mpy_begin_use(void) { mpy_uses++; }
static inline void mpy_end_use(void) { mpy_uses--; }
#else
static inline void mpy_check_open(void) {}
static inline void mpy_begin_use(void) {}
static inline void mpy_end_use(void) {}
#endif

/* Raises RuntimeError("float unsupported") on firmware built without floats, which would otherwise
 * take and give wrong values silently. */
__attribute__((unused)) static void mpy_require_floats(void) {
    mp_fun_table.obj_new_float_from_f();
}

#endif
