/* What wasm-bindgen itself asks of objects (its `lib.rs`, "Intrinsics"), told of Python's.
 * Each takes its arguments and returns its result as objects. */
#ifndef MPY_INTRINSICS_H
#define MPY_INTRINSICS_H

#include "mpy_calls.h"

#define MPY_INTRINSIC_FUNCTION(name) __attribute__((unused)) static mp_obj_t mpy_intrinsic_##name(mp_obj_t *args)
#define MPY_BOOL(condition) ((condition) ? mp_const_true : mp_const_false)

static bool mpy_is_bool(mp_obj_t obj) {
    return obj == mp_const_true || obj == mp_const_false;
}

static bool mpy_is_str(mp_obj_t obj) {
    return mp_fun_obj_get_type(obj) == &mp_type_str;
}

static bool mpy_is_integer(mp_obj_t obj) {
    return mp_fun_obj_get_type(obj) == mp_fun_obj_get_type(MP_OBJ_NEW_SMALL_INT(0));
}

__attribute__((unused)) static bool mpy_is_number(mp_obj_t obj) {
    float zero = 0;
    return mpy_is_integer(obj)
           || mp_fun_obj_get_type(obj) == mp_fun_obj_get_type(mp_fun_binary_get_val_array('f', &zero, 0));
}

__attribute__((unused)) static bool mpy_is_callable(mp_obj_t obj) {
    mp_obj_t callable = mp_fun_load_global(MP_QSTR_callable);
    return mp_fun_call_function_n_kw(callable, 1, &obj) == mp_const_true;
}

MPY_INTRINSIC_FUNCTION(is_none) { return MPY_BOOL(args[0] == mp_const_none); }
MPY_INTRINSIC_FUNCTION(is_string) { return MPY_BOOL(mpy_is_str(args[0])); }
MPY_INTRINSIC_FUNCTION(is_bigint) { return MPY_BOOL(mpy_is_integer(args[0])); }
MPY_INTRINSIC_FUNCTION(is_function) { return MPY_BOOL(mpy_is_callable(args[0])); }
MPY_INTRINSIC_FUNCTION(is_symbol) { (void)args; return MPY_BOOL(false); }
MPY_INTRINSIC_FUNCTION(is_object) {
    mp_obj_t obj = args[0];
    return MPY_BOOL(obj != mp_const_none && !mpy_is_bool(obj) && !mpy_is_str(obj) && !mpy_is_number(obj) && !mpy_is_callable(obj));
}
MPY_INTRINSIC_FUNCTION(is_falsy) { return MPY_BOOL(!mp_fun_table.obj_is_true(args[0])); }
MPY_INTRINSIC_FUNCTION(typeof) {
    return mp_fun_load_attr((mp_obj_t)mp_fun_obj_get_type(args[0]), MP_QSTR___name__);
}
MPY_INTRINSIC_FUNCTION(same) { return args[0]; }
MPY_INTRINSIC_FUNCTION(number_get) { return mpy_is_number(args[0]) ? args[0] : mp_const_none; }
MPY_INTRINSIC_FUNCTION(bigint_get) { return mpy_is_integer(args[0]) ? args[0] : mp_const_none; }
MPY_INTRINSIC_FUNCTION(boolean_get) { return mpy_is_bool(args[0]) ? args[0] : mp_const_none; }
MPY_INTRINSIC_FUNCTION(string_get) { return mpy_is_str(args[0]) ? args[0] : mp_const_none; }
MPY_INTRINSIC_FUNCTION(debug_string) {
    return mp_fun_call_function_n_kw(mp_fun_load_global(MP_QSTR_repr), 1, args);
}
MPY_INTRINSIC_FUNCTION(rethrow) {
#ifdef MPY_UNWINDS
    /* After panic_error Rust has dropped the payload, which was one of Python's. */
    mp_obj_t ended = mpy_ended;
    mpy_ended = NULL;
    if (mpy_catching && ended != NULL) {
        args[0] = ended;
    }
    mpy_catching = false;
#endif
    mp_fun_raise(args[0]);
    return mp_const_none;
}
#ifdef MPY_UNWINDS
/* The exception for a panic that has come to the end of an exported function, with this payload. */
MPY_INTRINSIC_FUNCTION(panic_error) {
    mpy_ended = NULL;
    mpy_catching = true;
    if (mpy_is_str(args[0])) {
        mp_buffer_info_t info;
        mp_fun_get_buffer(args[0], &info, MP_BUFFER_READ);
        /* What was remembered says where it was, too. */
        uint32_t at = MPY_LAST_PANIC();
        uint32_t len = mpy_load32(at);
        const char *last = mpy_text(at + 4, len);
        size_t same = 0;
        while (same < info.len && same < len && last[same] == ((const char *)info.buf)[same]) {
            same++;
        }
        if (len > 0 && (same == info.len || same == len)) {
            return mpy_panic_exception();
        }
        return mpy_text_exception(info.buf, info.len);
    }
    mp_obj_t is[2] = {args[0], mp_fun_load_global(MP_QSTR_BaseException)};
    if (mp_fun_call_function_n_kw(mp_fun_load_global(MP_QSTR_isinstance), 2, is) == mp_const_true) {
        return args[0];
    }
    return mp_fun_call_function_n_kw(mp_fun_load_global(MP_QSTR_RuntimeError), 1, args);
}
#endif
MPY_INTRINSIC_FUNCTION(neg) { return mp_fun_unary_op(MP_UNARY_OP_NEGATIVE, args[0]); }
MPY_INTRINSIC_FUNCTION(bit_not) { return mp_fun_unary_op(MP_UNARY_OP_INVERT, args[0]); }

MPY_INTRINSIC_FUNCTION(unref) {
#ifdef MPY_CLOSURES
    mpy_unref_closure(args[0]);
#endif
    (void)args;
    return mp_const_none;
}

#define MPY_BINARY(name, op) \
    MPY_INTRINSIC_FUNCTION(name) { return mp_fun_binary_op(MP_BINARY_OP_##op, args[0], args[1]); }
MPY_BINARY(eq, EQUAL)
MPY_BINARY(in, IN)
MPY_BINARY(lt, LESS)
MPY_BINARY(le, LESS_EQUAL)
MPY_BINARY(ge, MORE_EQUAL)
MPY_BINARY(gt, MORE)
MPY_BINARY(bit_and, AND)
MPY_BINARY(bit_or, OR)
MPY_BINARY(bit_xor, XOR)
MPY_BINARY(shl, LSHIFT)
MPY_BINARY(shr, RSHIFT)
MPY_BINARY(add, ADD)
MPY_BINARY(sub, SUBTRACT)
MPY_BINARY(mul, MULTIPLY)
MPY_BINARY(div, TRUE_DIVIDE)
MPY_BINARY(rem, MODULO)
MPY_BINARY(pow, POWER)

/* Writes the elements of a mutable slice back to the argument they came from. */
__attribute__((unused)) static void mpy_write_back(uint32_t ptr, uint32_t bytes, uint32_t object) {
#ifdef MPY_TRACKS
    mp_buffer_info_t info;
    const char *from = mpy_text(ptr, bytes);
    mp_obj_t obj = mpy_argument(object - MPY_OBJECT_ARGUMENT);
    if (obj != NULL && mp_fun_get_buffer(obj, &info, MP_BUFFER_RW)) {
        mp_fun_memmove(info.buf, from, info.len < bytes ? info.len : bytes);
    }
#else
    (void)ptr, (void)bytes, (void)object;
#endif
}

#endif
