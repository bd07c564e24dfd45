/* What of JavaScript's library has no direct counterpart in Python: see javascript.toml. Each function takes its arguments
 * and returns its result as objects.
 *
 * The including file defines MPY_JS_USES_x for each function x that the module calls, MPY_STRING_x for the strings that these
 * use, and, if there are functions in Python, MPY_JS_FUNCTIONS, their number, and
 * MPY_JS_EXEC, the string "exec".
 */
#ifndef MPY_JS_H
#define MPY_JS_H

#include "mpy_intrinsics.h"

#define MPY_JS_FUNCTION(name) __attribute__((unused)) static mp_obj_t mpy_js_##name(size_t n, mp_obj_t *args)

/* A global of Python's, also if the module has one of that name. */
__attribute__((unused)) static mp_obj_t mpy_js_builtin(unsigned name) {
    mp_obj_t builtins = mp_fun_import_name(MP_QSTR_builtins, mp_const_none, MP_OBJ_NEW_SMALL_INT(0));
    return mp_fun_load_attr(builtins, mp_native_qstr_table[name]);
}

/* Whether `obj` is an instance of a built-in class. */
__attribute__((unused)) static bool mpy_js_is(mp_obj_t obj, mp_obj_t class) {
    mp_obj_t is[2] = {obj, class};
    return (mp_obj_t)mp_fun_obj_get_type(obj) == class
           || mp_fun_call_function_n_kw(mp_fun_load_global(MP_QSTR_isinstance), 2, is)
                  == mp_const_true;
}

__attribute__((unused)) static size_t mpy_js_length(mp_obj_t obj) {
    return (size_t)MP_OBJ_SMALL_INT_VALUE(mp_fun_unary_op(MP_UNARY_OP_LEN, obj));
}

/* Whether `obj` is a buffer of bytes. */
__attribute__((unused)) static bool mpy_js_is_buffer(mp_obj_t obj) {
    mp_buffer_info_t info;
    return !mpy_is_str(obj) && mp_fun_get_buffer(obj, &info, MP_BUFFER_READ)
           && (info.typecode == 'B' || info.typecode == 1);
}

/* Functions in Python, each compiled when it is first called. */
#ifdef MPY_JS_FUNCTIONS
WASM_STATE(mp_obj_t, mpy_js_functions, [MPY_JS_FUNCTIONS]);
#define mpy_js_functions WASM_REACH(mpy_js_functions)

/* What a text defines, as a dict. */
static mp_obj_t mpy_js_exec(const char *text, size_t length) {
    mp_obj_t exec[2] = {mp_fun_obj_new_str(text, length), mp_fun_table.new_dict(0)};
    mp_fun_call_function_n_kw(mpy_js_builtin(MPY_JS_EXEC), 2, exec);
    return exec[1];
}

/* Calls the function `name` of a dict, which is kept as number `which`. */
static mp_obj_t mpy_js_call_of(mp_obj_t dict, unsigned which, const char *name, size_t length, size_t n, mp_obj_t *args) {
    mp_obj_t key = mp_fun_obj_new_str(name, length);
    mpy_js_functions[which] = mp_fun_obj_subscr(dict, key, MP_OBJ_SENTINEL);
    return mp_fun_call_function_n_kw(mpy_js_functions[which], n, args);
}

__attribute__((unused)) static mp_obj_t mpy_js_run(unsigned which, const char *text, size_t length, size_t n, mp_obj_t *args) {
    if (mpy_js_functions[which] == NULL) {
        return mpy_js_call_of(mpy_js_exec(text, length), which, "f", 1, n, args);
    }
    return mp_fun_call_function_n_kw(mpy_js_functions[which], n, args);
}

/* A function of a text that several share, whose dict is number `shared`. */
__attribute__((unused)) static mp_obj_t mpy_js_run_shared(unsigned which, unsigned shared, const char *text, size_t length,
                                                          const char *name, size_t name_length, size_t n, mp_obj_t *args) {
    if (mpy_js_functions[which] == NULL) {
        if (mpy_js_functions[shared] == NULL) {
            mpy_js_functions[shared] = mpy_js_exec(text, length);
        }
        return mpy_js_call_of(mpy_js_functions[shared], which, name, name_length, n, args);
    }
    return mp_fun_call_function_n_kw(mpy_js_functions[which], n, args);
}
#endif

__attribute__((unused)) static void mpy_js_iterate(void *with) {
    *(mp_obj_t *)with = mp_fun_table.getiter(*(mp_obj_t *)with, NULL);
}

/* `Symbol.iterator`, and the function that an object has under it. */
#ifdef MPY_STRING_iter
static bool mpy_js_is_symbol(mp_obj_t obj) {
    return obj == mpy_js_builtin(MPY_STRING_iter);
}
#endif

/* A property: an item of a dict, an element, or an attribute; MP_OBJ_NULL if there is none. A dict is not iterable, like an
 * object in JavaScript. */
#ifdef MPY_STRING_getattr
static mp_obj_t mpy_js_find(mp_obj_t obj, mp_obj_t key) {
    bool is_dict = mpy_js_is(obj, (mp_obj_t)mp_fun_table.type_dict);
    if (mpy_js_is_symbol(key)) {
        return is_dict || mpy_try(mpy_js_iterate, &obj) != NULL ? MP_OBJ_NULL : key;
    }
    if (is_dict) {
        return mp_fun_binary_op(MP_BINARY_OP_IN, key, obj) == mp_const_true
                   ? mp_fun_obj_subscr(obj, key, MP_OBJ_SENTINEL)
                   : MP_OBJ_NULL;
    }
    if (MP_OBJ_IS_SMALL_INT(key)) {
        return (size_t)MP_OBJ_SMALL_INT_VALUE(key) < mpy_js_length(obj)
                   ? mp_fun_obj_subscr(obj, key, MP_OBJ_SENTINEL)
                   : MP_OBJ_NULL;
    }
    /* An object that no attribute is. */
    mp_obj_t args[3] = {obj, key, (mp_obj_t)mp_fun_table.type_fun_builtin_var};
    mp_obj_t found = mp_fun_call_function_n_kw(mpy_js_builtin(MPY_STRING_getattr), 3, args);
    return found == args[2] ? MP_OBJ_NULL : found;
}

MPY_JS_FUNCTION(get) {
    (void)n;
    mp_obj_t found = mpy_js_find(args[0], args[1]);
    return found == MP_OBJ_NULL ? mp_const_none : found;
}

MPY_JS_FUNCTION(has) {
    (void)n;
    return MPY_BOOL(mpy_js_find(args[0], args[1]) != MP_OBJ_NULL);
}

MPY_INTRINSIC_FUNCTION(js_in) { return MPY_BOOL(mpy_js_find(args[1], args[0]) != MP_OBJ_NULL); }

#endif

#ifdef MPY_STRING_setattr
MPY_JS_FUNCTION(set) {
    (void)n;
    if (mpy_is_str(args[1]) && !mpy_js_is(args[0], (mp_obj_t)mp_fun_table.type_dict)) {
        mp_fun_call_function_n_kw(mpy_js_builtin(MPY_STRING_setattr), 3, args);
    } else {
        mp_fun_obj_subscr(args[0], args[1], args[2]);
    }
    return MPY_BOOL(true);
}
#endif

MPY_JS_FUNCTION(none) {
    (void)n, (void)args;
    return mp_const_none;
}

MPY_JS_FUNCTION(empty) {
    (void)n, (void)args;
    return mp_fun_obj_new_str("", 0);
}

/* Elements. Those beyond the end are None; a list grows when one is set. */
MPY_JS_FUNCTION(item) {
    (void)n;
    size_t at = (size_t)MP_OBJ_SMALL_INT_VALUE(args[1]);
    return at < mpy_js_length(args[0]) ? mp_fun_obj_subscr(args[0], args[1], MP_OBJ_SENTINEL) : mp_const_none;
}

MPY_JS_FUNCTION(set_item) {
    (void)n;
    size_t at = (size_t)MP_OBJ_SMALL_INT_VALUE(args[1]);
    size_t length = mpy_js_length(args[0]);
    if (at < length) {
        mp_fun_obj_subscr(args[0], args[1], args[2]);
    } else if (mp_fun_obj_get_type(args[0]) == mp_fun_table.type_list) {
        for (; length < at; length++) {
            mp_fun_table.list_append(args[0], mp_const_none);
        }
        mp_fun_table.list_append(args[0], args[2]);
    }
    return mp_const_none;
}

#ifdef MPY_STRING_tuple
MPY_JS_FUNCTION(is_array) {
    (void)n;
    return MPY_BOOL(mpy_js_is(args[0], (mp_obj_t)mp_fun_table.type_list)
                    || mpy_js_is(args[0], mpy_js_builtin(MPY_STRING_tuple)));
}
#endif

MPY_JS_FUNCTION(map_set) {
    (void)n;
    mp_fun_obj_subscr(args[0], args[1], args[2]);
    return args[0];
}

#ifdef MPY_STRING_items
MPY_JS_FUNCTION(entries) {
    (void)n;
    mp_obj_t items[2];
    mp_fun_load_method(args[0], mp_native_qstr_table[MPY_STRING_items], items);
    mp_obj_t found = mp_fun_call_method_n_kw(0, 0, items);
    return mp_fun_call_function_n_kw((mp_obj_t)mp_fun_table.type_list, 1, &found);
}
#endif

/* What `next` returns is a tuple of the value, which is empty at the end. */
MPY_JS_FUNCTION(next) {
    (void)n;
    mp_obj_iter_buf_t iter = {{NULL, args[0], NULL, NULL}};
    mp_obj_t value = mp_fun_table.iternext(&iter);
    return mp_fun_table.new_tuple(value != MP_OBJ_NULL, &value);
}

MPY_JS_FUNCTION(result_done) {
    (void)n;
    return MPY_BOOL(mpy_js_length(args[0]) == 0);
}

MPY_JS_FUNCTION(result_value) {
    (void)n;
    mp_obj_t zero = MP_OBJ_NEW_SMALL_INT(0);
    return mpy_js_length(args[0]) == 0 ? mp_const_none : mp_fun_obj_subscr(args[0], zero, MP_OBJ_SENTINEL);
}

/* The property `next` of iterators, which are their own iterators. */
#ifdef MPY_STRING_next
MPY_JS_FUNCTION(next_function) {
    (void)n;
    mp_obj_t iterator = args[0];
    return mpy_try(mpy_js_iterate, &iterator) == NULL && iterator == args[0]
               ? mpy_js_builtin(MPY_STRING_next)
               : mp_const_none;
}
#endif

/* `function.call(this, …)` */
#ifdef MPY_JS_USES_CALL
MPY_JS_FUNCTION(call) {
    if (mpy_js_is_symbol(args[0])) {
        return mp_fun_table.getiter(args[1], NULL);
    }
    return mp_fun_call_function_n_kw(args[0], n - 2, args + 2);
}
#endif

/* Buffers. */

MPY_JS_FUNCTION(is_bytes) {
    (void)n;
    return MPY_BOOL(mpy_js_is_buffer(args[0]));
}

MPY_JS_FUNCTION(byte_length) {
    (void)n;
    mp_buffer_info_t info;
    mp_fun_get_buffer(args[0], &info, MP_BUFFER_READ | MP_BUFFER_RAISE_IF_UNSUPPORTED);
    return mp_fun_native_to_obj(info.len, MP_NATIVE_TYPE_UINT);
}

#ifdef MPY_STRING_memoryview
MPY_JS_FUNCTION(bytes_new) {
    (void)n;
    mp_obj_t view = mpy_js_builtin(MPY_STRING_memoryview);
    if ((mp_obj_t)mp_fun_obj_get_type(args[0]) == view) {
        return args[0];
    }
    return mp_fun_call_function_n_kw(
        mpy_js_builtin(MPY_STRING_bytearray), 1, args);
}
#endif

MPY_JS_FUNCTION(bytes_copy) {
    (void)n;
    mp_buffer_info_t to, from;
    mp_fun_get_buffer(args[0], &to, MP_BUFFER_RW | MP_BUFFER_RAISE_IF_UNSUPPORTED);
    mp_fun_get_buffer(args[1], &from, MP_BUFFER_READ | MP_BUFFER_RAISE_IF_UNSUPPORTED);
    if (to.len < from.len) {
        mpy_raise_value_error("the buffer is too small");
    }
    mp_fun_memmove(to.buf, from.buf, from.len);
    return mp_const_none;
}

/* Fills the buffer that is the last argument, from the port's source of random numbers, or where it has none the generator
 * that it seeds at its start. */
#ifdef MPY_JS_USES_RANDOM_FILL
MPY_JS_FUNCTION(random_fill) {
    mp_buffer_info_t to;
    mp_fun_get_buffer(args[n - 1], &to, MP_BUFFER_RW | MP_BUFFER_RAISE_IF_UNSUPPORTED);
    mp_obj_t urandom[2];
    mp_fun_table.load_method_maybe(mpy_import(MPY_STRING_os), mp_native_qstr_table[MPY_STRING_urandom], urandom);
    for (size_t at = 0, part; at < to.len; at += part) {
        uint8_t *place = (uint8_t *)to.buf + at;
        part = to.len - at < 32 ? to.len - at : 32;
        if (urandom[0] != MP_OBJ_NULL) {
            mp_obj_t count = MP_OBJ_NEW_SMALL_INT(part);
            mp_buffer_info_t bytes;
            mp_fun_get_buffer(mp_fun_call_function_n_kw(urandom[0], 1, &count), &bytes,
                MP_BUFFER_READ | MP_BUFFER_RAISE_IF_UNSUPPORTED);
            mp_fun_memmove(place, bytes.buf, part);
        } else {
            mp_obj_t bits = MP_OBJ_NEW_SMALL_INT(8);
            mp_obj_t random = mpy_import(MPY_STRING_random);
            part = 1;
            *place = (uint8_t)mpy_to_i32(mp_fun_call_function_n_kw(
                mp_fun_load_attr(random, mp_native_qstr_table[MPY_STRING_getrandbits]), 1, &bits));
        }
    }
    return args[n - 1];
}
#endif

/* Numbers. */

/* Whether it is whole and between -2^53 and 2^53. */
MPY_JS_FUNCTION(is_safe_integer) {
    (void)n;
    if (!mpy_is_number(args[0])) {
        return MPY_BOOL(false);
    }
    uint64_t bits = mpy_to_number(args[0]);
    unsigned exponent = (unsigned)(bits >> 52 & 0x7ff);
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    if ((bits << 1) == 0) {
        return MPY_BOOL(true);
    }
    return MPY_BOOL(exponent >= 1023 && exponent < 1023 + 53
                    && (fraction << (exponent - 1023) & (((uint64_t)1 << 52) - 1)) == 0);
}

/* A date is a number of milliseconds. */
#ifdef MPY_JS_USES_DATE_NEW
MPY_JS_FUNCTION(date_new) {
    (void)n, (void)args;
    mpy_slot_t time;
    mpy_time_python(&time);
    return mpy_from_u64(time.q / 1000000);
}
#endif

MPY_JS_FUNCTION(date_of) {
    (void)n;
    return mp_fun_call_function_n_kw(mp_fun_load_global(MP_QSTR_int), 1, args);
}

/* Text, whose length and indices are those of UTF-16. */

MPY_JS_FUNCTION(string_length) {
    (void)n;
    mp_buffer_info_t info;
    mpy_utf8_buffer(args[0], &info);
    size_t units = 0;
    for (size_t i = 0; i < info.len; i++) {
        uint8_t byte = ((const uint8_t *)info.buf)[i];
        units += (byte & 0xc0u) == 0x80 ? 0 : byte < 0xf0 ? 1 : 2;
    }
    return mp_fun_native_to_obj(units, MP_NATIVE_TYPE_UINT);
}

MPY_JS_FUNCTION(code_point_at) {
    (void)n;
    mp_buffer_info_t info;
    mpy_utf8_buffer(args[0], &info);
    size_t unit = (size_t)MP_OBJ_SMALL_INT_VALUE(args[1]);
    for (size_t at = 0, i = 0; at < info.len;) {
        uint32_t scalar = 0;
        at += mpy_scalar((const uint8_t *)info.buf + at, info.len - at, &scalar);
        size_t units = scalar > 0xffff ? 2 : 1;
        if (unit < i + units) {
            return mpy_from_i32(unit == i ? scalar : 0xdc00 | (scalar & 0x3ff));
        }
        i += units;
    }
    return mp_const_none;
}

/* The global object. What it has besides functions is itself: only the names of functions matter. */
#ifdef MPY_STRING_crypto
WASM_STATE(mp_obj_t, mpy_js_globals);
#define mpy_js_globals WASM_REACH(mpy_js_globals)

MPY_JS_FUNCTION(global) {
    (void)n, (void)args;
    if (mpy_js_globals == NULL) {
        mp_obj_t class[3] = {
            mp_fun_obj_new_str("globalThis", 10), mp_fun_table.new_tuple(0, NULL), mp_fun_table.new_dict(0),
        };
        mp_obj_t type = mp_fun_call_function_n_kw((mp_obj_t)&mp_type_type, 3, class);
        mp_obj_t global = mp_fun_call_function_n_kw(type, 0, NULL);
        mp_fun_table.store_attr(global, mp_native_qstr_table[MPY_STRING_performance], global);
        mp_fun_table.store_attr(global, mp_native_qstr_table[MPY_STRING_crypto], global);
        mpy_js_globals = global;
    }
    return mpy_js_globals;
}

MPY_JS_FUNCTION(is_global) { return MPY_BOOL(args[0] == mpy_js_global(n, args)); }
#endif

#ifdef MPY_CLOSES
static void mpy_end_js(void) {
#ifdef MPY_JS_FUNCTIONS
    mp_fun_table.memset(mpy_js_functions, 0, sizeof mpy_js_functions);
#endif
#ifdef MPY_STRING_crypto
    mpy_js_globals = NULL;
#endif
}
#endif

#endif
