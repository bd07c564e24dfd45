/* MicroPython's interface for native modules, version 6.3 (MicroPython 1.23 and later).
 *
 * A native module meets the firmware at one place only: a table of functions and constants whose
 * address the loader writes into the module. Everything here restates that contract so that no
 * MicroPython source is needed to build a module. Where it is defined:
 *
 *   the table                 py/nativeglue.h, `mp_fun_table_t`
 *   objects and functions     py/obj.h, `mp_obj_fun_builtin_fixed_t`, `mp_obj_fun_builtin_var_t`, `mp_map_t`
 *   exceptions                py/nlr.h, `nlr_buf_t`
 *   operators, native types   py/runtime0.h
 *   version                   py/persistentcode.h, `MPY_VERSION`, `MPY_SUB_VERSION`
 *
 * The firmware refuses a module of another version, so these cannot drift apart unnoticed.
 */
#ifndef MPY_H
#define MPY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wasm_state.h"

/* A Python object: a pointer, or a value tagged in the low bits. Of the tags only the one of small
 * integers is the same in every firmware that accepts modules: the low bit is set and the other bits
 * are the number (31 bits at least, the loader checks that; 63 on 64-bit hosts). */
typedef void *mp_obj_t;
typedef const void *mp_const_obj_t;

#define MP_OBJ_NULL ((mp_obj_t)0)
/* "Load" as the value of obj_subscr; "go on looking" as the second word of an attribute. */
#define MP_OBJ_SENTINEL ((mp_obj_t)4)
#define MP_OBJ_IS_SMALL_INT(obj) (((uintptr_t)(obj) & 1) != 0)
#define MP_OBJ_SMALL_INT_VALUE(obj) ((intptr_t)(obj) >> 1)
#define MP_OBJ_NEW_SMALL_INT(value) ((mp_obj_t)(((uintptr_t)(value) << 1) | 1))

/* The firmware's word: as wide as a pointer. */
typedef intptr_t mp_int_t;
typedef uintptr_t mp_uint_t;

/* An interned string. */
typedef size_t qstr;

/* Strings that have the same number in every firmware: `static_qstr_list` of py/makeqstrdata.py,
 * counted from 1. That list is part of the format of .mpy files, which store these numbers. */
enum {
    MP_QSTR__star_ = 5,
    MP_QSTR___main__ = 21,
    MP_QSTR___module__ = 22,
    MP_QSTR___name__ = 23,
    MP_QSTR___next__ = 25,
    MP_QSTR_AttributeError = 32,
    MP_QSTR_BaseException = 33,
    MP_QSTR_Exception = 36,
    MP_QSTR_IndexError = 40,
    MP_QSTR_MemoryError = 44,
    MP_QSTR_OverflowError = 49,
    MP_QSTR_RuntimeError = 50,
    MP_QSTR_StopIteration = 51,
    MP_QSTR_SystemExit = 53,
    MP_QSTR_TypeError = 54,
    MP_QSTR_ValueError = 55,
    MP_QSTR_builtins = 63,
    MP_QSTR_callable = 67,
    MP_QSTR_close = 71,
    MP_QSTR_get = 86,
    MP_QSTR_int = 94,
    MP_QSTR_isinstance = 97,
    MP_QSTR_range = 124,
    MP_QSTR_remove = 128,
    MP_QSTR_repr = 130,
    MP_QSTR_send = 138,
    MP_QSTR_staticmethod = 148,
    MP_QSTR_throw = 155,
    MP_QSTR_value = 162,
};

/* What objects look like inside is the firmware's business; only their addresses are used. */
typedef struct _mp_obj_type_t mp_obj_type_t;
typedef struct _mp_obj_dict_t mp_obj_dict_t;
typedef struct _mp_print_t mp_print_t;
typedef struct _mp_arg_t mp_arg_t;
typedef struct _mp_module_context_t mp_module_context_t;

/* A map of keyword arguments. */
typedef struct {
    size_t used; /* and flags */
    size_t alloc; /* in a map of arguments, their number */
    void *table;
} mp_map_t;

/* Types for native_from_obj and native_to_obj. */
enum { MP_NATIVE_TYPE_BOOL = 1, MP_NATIVE_TYPE_INT = 2, MP_NATIVE_TYPE_UINT = 3, MP_NATIVE_TYPE_QSTR = 8 };

/* Operators for unary_op and binary_op. */
enum { MP_UNARY_OP_NEGATIVE = 1, MP_UNARY_OP_INVERT = 2, MP_UNARY_OP_LEN = 5 };
enum {
    MP_BINARY_OP_LESS = 0,
    MP_BINARY_OP_MORE = 1,
    MP_BINARY_OP_EQUAL = 2,
    MP_BINARY_OP_LESS_EQUAL = 3,
    MP_BINARY_OP_MORE_EQUAL = 4,
    MP_BINARY_OP_IN = 6,
    MP_BINARY_OP_OR = 22,
    MP_BINARY_OP_XOR = 23,
    MP_BINARY_OP_AND = 24,
    MP_BINARY_OP_LSHIFT = 25,
    MP_BINARY_OP_RSHIFT = 26,
    MP_BINARY_OP_ADD = 27,
    MP_BINARY_OP_SUBTRACT = 28,
    MP_BINARY_OP_MULTIPLY = 29,
    MP_BINARY_OP_TRUE_DIVIDE = 32,
    MP_BINARY_OP_MODULO = 33,
    MP_BINARY_OP_POWER = 34,
};

typedef struct {
    void *buf;
    size_t len; /* in bytes */
    int typecode;
} mp_buffer_info_t;

enum { MP_BUFFER_READ = 1, MP_BUFFER_WRITE = 2, MP_BUFFER_RW = 3, MP_BUFFER_RAISE_IF_UNSUPPORTED = 4 };

typedef struct {
    mp_obj_t iterator[4];
} mp_obj_iter_buf_t;

typedef union {
    bool u_bool;
    mp_int_t u_int;
    mp_obj_t u_obj;
} mp_arg_val_t;

/* A place to come back to when an exception is raised. The firmware decides how much of `regs` it
 * uses, so there must be room for the largest that can be met: the callee-saved registers
 * (`MICROPY_NLR_NUM_REGS_*`) or, where the port is built with MICROPY_NLR_SETJMP as ESP32's is, the
 * C library's jmp_buf; and one more word when it is built with MICROPY_ENABLE_PYSTACK. */
#if defined(__x86_64__)
#define MPY_NLR_REGS 25 /* 8; glibc 200 bytes */
#elif defined(__i386__)
#define MPY_NLR_REGS 39 /* 6; glibc 156 bytes */
#elif defined(__arm__)
#define MPY_NLR_REGS 24 /* 16 with an FPU; newlib 23 words */
#elif defined(__xtensa__)
#define MPY_NLR_REGS 20 /* 10, windowed 17; newlib 17 words */
#elif defined(__riscv)
#define MPY_NLR_REGS (14 + 12 * 8 / __SIZEOF_POINTER__) /* 14; newlib 14 words and 12 doubles */
#else
#define MPY_NLR_REGS 64
#endif

typedef struct _nlr_buf_t {
    struct _nlr_buf_t *prev;
    void *ret_val; /* the exception */
    void *regs[MPY_NLR_REGS];
    void *pystack;
} nlr_buf_t;

typedef struct _mp_fun_table_t {
    mp_const_obj_t const_none;
    mp_const_obj_t const_false;
    mp_const_obj_t const_true;
    mp_uint_t (*native_from_obj)(mp_obj_t obj, mp_uint_t type); /* integers are truncated */
    mp_obj_t (*native_to_obj)(mp_uint_t val, mp_uint_t type);
    mp_obj_dict_t *(*swap_globals)(mp_obj_dict_t *new_globals);
    mp_obj_t (*load_name)(qstr name);
    mp_obj_t (*load_global)(qstr name); /* in the caller's globals, then in builtins */
    mp_obj_t (*load_build_class)(void);
    mp_obj_t (*load_attr)(mp_obj_t base, qstr attr);
    void (*load_method)(mp_obj_t base, qstr attr, mp_obj_t *dest);
    void (*load_super_method)(qstr attr, mp_obj_t *dest);
    void (*store_name)(qstr name, mp_obj_t obj);
    void (*store_global)(qstr name, mp_obj_t obj);
    void (*store_attr)(mp_obj_t base, qstr attr, mp_obj_t val);
    mp_obj_t (*obj_subscr)(mp_obj_t base, mp_obj_t index, mp_obj_t val);
    bool (*obj_is_true)(mp_obj_t arg);
    mp_obj_t (*unary_op)(int op, mp_obj_t arg);
    mp_obj_t (*binary_op)(int op, mp_obj_t lhs, mp_obj_t rhs);
    mp_obj_t (*new_tuple)(size_t n, const mp_obj_t *items);
    mp_obj_t (*new_list)(size_t n, mp_obj_t *items);
    mp_obj_t (*new_dict)(size_t n_args);
    mp_obj_t (*new_set)(size_t n_args, mp_obj_t *items);
    void (*set_store)(mp_obj_t set, mp_obj_t item);
    mp_obj_t (*list_append)(mp_obj_t list, mp_obj_t arg);
    mp_obj_t (*dict_store)(mp_obj_t dict, mp_obj_t key, mp_obj_t value);
    mp_obj_t (*make_function_from_proto_fun)(const void *proto_fun, const mp_module_context_t *cm,
        const mp_obj_t *def_args);
    mp_obj_t (*call_function_n_kw)(mp_obj_t fun, size_t n_args_kw, const mp_obj_t *args); /* n_kw << 8 | n_args */
    mp_obj_t (*call_method_n_kw)(size_t n_args, size_t n_kw, const mp_obj_t *args);
    mp_obj_t (*call_method_n_kw_var)(bool have_self, size_t n_args_n_kw, const mp_obj_t *args);
    mp_obj_t (*getiter)(mp_obj_t obj, mp_obj_iter_buf_t *iter);
    mp_obj_t (*iternext)(mp_obj_iter_buf_t *iter);
    unsigned int (*nlr_push)(nlr_buf_t *nlr);
    void (*nlr_pop)(void);
    void (*raise)(mp_obj_t exception);
    mp_obj_t (*import_name)(qstr name, mp_obj_t fromlist, mp_obj_t level);
    mp_obj_t (*import_from)(mp_obj_t module, qstr name);
    void (*import_all)(mp_obj_t module);
    mp_obj_t (*new_slice)(mp_obj_t start, mp_obj_t stop, mp_obj_t step);
    void (*unpack_sequence)(mp_obj_t seq, size_t num, mp_obj_t *items); /* the last comes first */
    void (*unpack_ex)(mp_obj_t seq, size_t num, mp_obj_t *items);
    void (*delete_name)(qstr name);
    void (*delete_global)(qstr name);
    mp_obj_t (*new_closure)(mp_obj_t fun, size_t n_closed_over, const mp_obj_t *closed);
    void (*arg_check_num_sig)(size_t n_args, size_t n_kw, uint32_t sig);
    void (*setup_code_state_native)(void *code_state, size_t n_args, size_t n_kw, const mp_obj_t *args);
    mp_int_t (*small_int_floor_divide)(mp_int_t num, mp_int_t denom);
    mp_int_t (*small_int_modulo)(mp_int_t dividend, mp_int_t divisor);
    bool (*yield_from)(mp_obj_t gen, mp_obj_t send_value, mp_obj_t *ret_value);
    int (*setjmp)(void *env); /* NULL unless the port is built with MICROPY_NLR_SETJMP */
    /* From here on, index 50, entries that only modules use. */
    void *(*memset)(void *s, int c, size_t n);
    void *(*memmove)(void *dest, const void *src, size_t n);
    void *(*realloc)(void *ptr, size_t n_bytes, bool allow_move); /* NULL when there is no memory */
    int (*printf)(const mp_print_t *print, const char *fmt, ...);
    int (*vprintf)(const mp_print_t *print, const char *fmt, va_list args);
    void (*raise_msg)(mp_const_obj_t exc_type, const char *msg) __attribute__((noreturn)); /* keeps `msg` */
    const mp_obj_type_t *(*obj_get_type)(mp_const_obj_t obj);
    mp_obj_t (*obj_new_str)(const char *data, size_t len);
    mp_obj_t (*obj_new_bytes)(const uint8_t *data, size_t len);
    mp_obj_t (*obj_new_bytearray_by_ref)(size_t n, void *items);
    /* Floats must not be passed through the next four: a module built for soft floats may be loaded by
     * firmware built for hard floats, which looks for them in other registers. They are declared
     * without their parameters. All that can be learned from calling one is whether the firmware has
     * floats at all: it raises when not. Values go through binary_get/set_val_array. */
    mp_obj_t (*obj_new_float_from_f)(void);
    mp_obj_t (*obj_new_float_from_d)(void);
    void (*obj_get_float_to_f)(void);
    void (*obj_get_float_to_d)(void);
    void (*load_method_maybe)(mp_obj_t base, qstr attr, mp_obj_t *dest);
    bool (*get_buffer)(mp_obj_t obj, mp_buffer_info_t *info, mp_uint_t flags);
    const void *(*get_stream_raise)(mp_obj_t self, int flags);
    void (*arg_parse_all)(size_t n_pos, const mp_obj_t *pos, mp_map_t *kws, size_t n_allowed,
        const mp_arg_t *allowed, mp_arg_val_t *out_vals);
    void (*arg_parse_all_kw_array)(size_t n_pos, size_t n_kw, const mp_obj_t *args, size_t n_allowed,
        const mp_arg_t *allowed, mp_arg_val_t *out_vals);
    size_t (*binary_get_size)(char struct_type, char val_type, size_t *align);
    mp_obj_t (*binary_get_val_array)(char typecode, void *p, size_t index);
    void (*binary_set_val_array)(char typecode, void *p, size_t index, mp_obj_t val);
    const mp_print_t *plat_print;
    const mp_obj_type_t *type_type;
    const mp_obj_type_t *type_str;
    const mp_obj_type_t *type_list;
    const mp_obj_type_t *type_dict;
    const mp_obj_type_t *type_fun_builtin_0;
    const mp_obj_type_t *type_fun_builtin_1;
    const mp_obj_type_t *type_fun_builtin_2;
    const mp_obj_type_t *type_fun_builtin_3;
    const mp_obj_type_t *type_fun_builtin_var;
    const mp_obj_type_t *type_Exception;
    const void *stream_read_obj;
    const void *stream_readinto_obj;
    const void *stream_unbuffered_readline_obj;
    const void *stream_write_obj;
} mp_fun_table_t;

_Static_assert(offsetof(mp_fun_table_t, setjmp) == 49 * sizeof(void *), "layout of mp_fun_table");
_Static_assert(offsetof(mp_fun_table_t, type_type) == 73 * sizeof(void *), "layout of mp_fun_table");
_Static_assert(sizeof(mp_fun_table_t) == 87 * sizeof(void *), "layout of mp_fun_table");

/* Symbols that the linker turns into relocations for the loader: the function table, the module's
 * strings (the first is its file name), its constant objects, and objects that are entries of the function table, which
 * can thus be named in constant data. */
#ifndef MPY_CODE_IN_FLASH
extern const mp_fun_table_t mp_fun_table;
extern const uint16_t mp_native_qstr_table[];
extern const mp_obj_t mp_native_obj_table[];
extern const mp_obj_type_t mp_type_type;
extern const mp_obj_type_t mp_type_str;
extern const mp_obj_type_t mp_type_fun_builtin_0;
extern const mp_obj_type_t mp_type_fun_builtin_1;
extern const mp_obj_type_t mp_type_fun_builtin_2;
extern const mp_obj_type_t mp_type_fun_builtin_3;
extern const mp_obj_type_t mp_type_fun_builtin_var;
#else
#define mp_fun_table (*((const struct mpy_head *)WASM_BASE)->functions)
#define mp_native_qstr_table (((const struct mpy_head *)WASM_BASE)->strings)
#define mp_type_type (*mp_fun_table.type_type)
#define mp_type_str (*mp_fun_table.type_str)
#define mp_type_fun_builtin_0 (*mp_fun_table.type_fun_builtin_0)
#define mp_type_fun_builtin_1 (*mp_fun_table.type_fun_builtin_1)
#define mp_type_fun_builtin_2 (*mp_fun_table.type_fun_builtin_2)
#define mp_type_fun_builtin_3 (*mp_fun_table.type_fun_builtin_3)
#define mp_type_fun_builtin_var (*mp_fun_table.type_fun_builtin_var)
#endif

/* Where the linker of this project links, entries of the table are symbols as well. The including file defines MPY_NAMES_ENTRIES
 * if the module uses so much of MicroPython that this makes it smaller: each function that is called needs code of its own. */
#if defined(MPY_NAMES_ENTRIES) && !defined(MPY_CODE_IN_FLASH) && !defined(MPY_IN_FIRMWARE) \
    && (defined(__arm__) || defined(__riscv) || defined(__xtensa__))
#define MPY_HAS_NAMES 1
#endif

/* Constants of Python. In code with absolute addresses, the loader sets their values where they are used. */
#if defined(MPY_HAS_NAMES) && !defined(__PIC__)
extern const char mp_fun_none[] __asm__("mp_fun_table.0");
extern const char mp_fun_false[] __asm__("mp_fun_table.1");
extern const char mp_fun_true[] __asm__("mp_fun_table.2");
#define mp_const_none ((mp_obj_t)(uintptr_t)mp_fun_none)
#define mp_const_false ((mp_obj_t)(uintptr_t)mp_fun_false)
#define mp_const_true ((mp_obj_t)(uintptr_t)mp_fun_true)
#else
#define mp_const_none ((mp_obj_t)(uintptr_t)mp_fun_table.const_none)
#define mp_const_false ((mp_obj_t)(uintptr_t)mp_fun_table.const_false)
#define mp_const_true ((mp_obj_t)(uintptr_t)mp_fun_table.const_true)
#endif

/* The functions that bindings call most often: mp_fun_NAME. A call of one with a symbol is a branch to a jump that all calls of it
 * share, which is shorter than a load from the table. The jump may change a register, so these have three parameters at most. */
#ifdef MPY_HAS_NAMES
#define MPY_NAMED(name, index) \
    extern __typeof__(*((const mp_fun_table_t *)0)->name) mp_fun_##name __asm__("mp_fun_table." #index); \
    _Static_assert(offsetof(mp_fun_table_t, name) == index * sizeof(void *), "layout of mp_fun_table")
MPY_NAMED(native_from_obj, 3);
MPY_NAMED(native_to_obj, 4);
MPY_NAMED(load_global, 7);
MPY_NAMED(load_attr, 9);
MPY_NAMED(load_method, 10);
MPY_NAMED(obj_subscr, 15);
MPY_NAMED(unary_op, 17);
MPY_NAMED(binary_op, 18);
MPY_NAMED(dict_store, 25);
MPY_NAMED(call_function_n_kw, 27);
MPY_NAMED(call_method_n_kw, 28);
MPY_NAMED(nlr_push, 32);
MPY_NAMED(nlr_pop, 33);
MPY_NAMED(raise, 34);
MPY_NAMED(import_name, 35);
MPY_NAMED(memmove, 51);
MPY_NAMED(realloc, 52);
MPY_NAMED(obj_get_type, 56);
MPY_NAMED(obj_new_str, 57);
MPY_NAMED(get_buffer, 65);
MPY_NAMED(binary_get_val_array, 70);
#undef MPY_NAMED
#else
#define mp_fun_native_from_obj mp_fun_table.native_from_obj
#define mp_fun_native_to_obj mp_fun_table.native_to_obj
#define mp_fun_load_global mp_fun_table.load_global
#define mp_fun_load_attr mp_fun_table.load_attr
#define mp_fun_load_method mp_fun_table.load_method
#define mp_fun_obj_subscr mp_fun_table.obj_subscr
#define mp_fun_unary_op mp_fun_table.unary_op
#define mp_fun_binary_op mp_fun_table.binary_op
#define mp_fun_dict_store mp_fun_table.dict_store
#define mp_fun_call_function_n_kw mp_fun_table.call_function_n_kw
#define mp_fun_call_method_n_kw mp_fun_table.call_method_n_kw
#define mp_fun_nlr_push mp_fun_table.nlr_push
#define mp_fun_nlr_pop mp_fun_table.nlr_pop
#define mp_fun_raise mp_fun_table.raise
#define mp_fun_import_name mp_fun_table.import_name
#define mp_fun_memmove mp_fun_table.memmove
#define mp_fun_realloc mp_fun_table.realloc
#define mp_fun_obj_get_type mp_fun_table.obj_get_type
#define mp_fun_obj_new_str mp_fun_table.obj_new_str
#define mp_fun_get_buffer mp_fun_table.get_buffer
#define mp_fun_binary_get_val_array mp_fun_table.binary_get_val_array
#endif

/* A function of exactly 0 to 3 positional arguments; its type says how many. */
typedef struct {
    const mp_obj_type_t *type;
    union {
        mp_obj_t (*_0)(void);
        mp_obj_t (*_1)(mp_obj_t);
        mp_obj_t (*_2)(mp_obj_t, mp_obj_t);
        mp_obj_t (*_3)(mp_obj_t, mp_obj_t, mp_obj_t);
    } fun;
} mp_obj_fun_builtin_fixed_t;

/* A function of as many positional arguments as `sig` allows, and of keyword arguments if it says so. */
typedef struct {
    const mp_obj_type_t *type;
    uint32_t sig;
    union {
        mp_obj_t (*_var)(size_t n_args, const mp_obj_t *args);
        mp_obj_t (*_kw)(size_t n_args, const mp_obj_t *args, mp_map_t *keywords);
    } fun;
} mp_obj_fun_builtin_var_t;

/* What contains addresses, and does not change:
 *
 *   MPY_TABLE(type, name, [count]);       declares an array that is defined elsewhere
 *   #define name MPY_REACH_TABLE(name)    after it, so that the name reaches it
 *   MPY_FUNCTION(name, n, function);      defines the object of a function with n parameters
 *   MPY_OBJECT(name, n, function)         is its address
 *   MPY_ENTRY(function)                   is a function as the firmware may call it
 *   MPY_ADDRESS(constant)                 is the address of a function or a string for our own code
 *
 * Code in flash cannot contain addresses. There, this is state, which is set when the module starts or when it is used. */
#ifndef MPY_CODE_IN_FLASH
#define MPY_TABLE(type, name, ...) static const type name __VA_ARGS__
#define MPY_REACH_TABLE(name) name
#define MPY_FUNCTION(name, n, function) \
    static const mp_obj_fun_builtin_fixed_t name = {&mp_type_fun_builtin_##n, {._##n = function}}
#define MPY_OBJECT(name, n, function) (&name)
#define MPY_ENTRY(function) function
#define MPY_ADDRESS(constant) constant
#else
#define MPY_TABLE(type, name, ...) WASM_STATE(type, name, __VA_ARGS__)
#define MPY_REACH_TABLE(name) WASM_REACH(name)
#define MPY_FUNCTION(name, n, function) WASM_STATE(mp_obj_fun_builtin_fixed_t, name)
#define MPY_OBJECT(name, n, function) \
    (WASM_REACH(name) = (mp_obj_fun_builtin_fixed_t){&mp_type_fun_builtin_##n, {._##n = MPY_ENTRY(function)}}, \
        &WASM_REACH(name))
#define MPY_ENTRY(function) ((__typeof__(&(function)))mpy_entry((uintptr_t)&(function)))
/* The compiler must not take it for a constant: it would make a constant object of all that it is a part of. */
#define MPY_ADDRESS(constant) \
    ({ \
        __typeof__(0 ? (constant) : (constant)) mpy_address = (constant); \
        __asm__("" : "+r"(mpy_address)); \
        mpy_address; \
    })
#endif

#define MP_OBJ_FUN_MAKE_SIG(n_args_min, n_args_max) ((uint32_t)(n_args_min) << 17 | (uint32_t)(n_args_max) << 1)
#define MP_OBJ_FUN_TAKES_KEYWORDS 1u

/* A type, with room for `count` slots; a slot's index is 1 more than its place in `slots`, or 0.
 * py/obj.h, `mp_obj_type_t`. */
#define MPY_TYPE(count) \
    struct { \
        const mp_obj_type_t *type; \
        uint16_t flags; \
        uint16_t name; \
        uint8_t make_new, print, call, unary_op, binary_op, attr, subscr, iter, buffer, protocol, parent, locals_dict; \
        const void *slots[count]; \
    }

/* With room for every slot. */
typedef MPY_TYPE(11) mp_obj_full_type_t;

enum { MP_TYPE_FLAG_EQ_CHECKS_OTHER_TYPE = 0x8, MP_TYPE_FLAG_ITER_IS_ITERNEXT = 0x80 };


#endif
