/* Makes the module @NAME@ a part of a MicroPython firmware.
 *
 * Its code and constants are used where they are. Its state is one block of MicroPython's heap, which is allocated when the
 * module is first imported after a reset, so a soft reset gives the module new state. MicroPython imports a module of the
 * firmware by calling its `__init__` at every `import`.
 */
#include <stddef.h>
#include <stdint.h>

#include "py/binary.h"
#include "py/builtin.h"
#include "py/gc.h"
#include "py/misc.h"
#include "py/mphal.h"
#include "py/nativeglue.h"
#include "py/objmodule.h"
#include "py/objtype.h"
#include "py/runtime.h"
#include "py/stream.h"

#if !MICROPY_MODULE_BUILTIN_INIT
#error "@NAME@ needs `#define MICROPY_MODULE_BUILTIN_INIT (1)` in mpconfigport.h"
#endif
#if MICROPY_OBJ_REPR == MICROPY_OBJ_REPR_D
#error "@NAME@ needs objects that are as large as pointers: another MICROPY_OBJ_REPR than D"
#endif

/* unit.c */
extern const size_t @PREFIX@state_size;
void @PREFIX@init(void);

/* The block, as the module's code and the garbage collector know it. */
uint8_t *@PREFIX@base;
MP_REGISTER_ROOT_POINTER(void *@PREFIX@state);

/* `mp_native_qstr_table` of the module. The first is its file name. */
extern @CONST@uint16_t @PREFIX@qstrs[];
@CONST@uint16_t @PREFIX@qstrs[] = {
    MP_QSTR_@NAME@,
@QSTRS@
};

enum { NAMES = MP_ARRAY_SIZE(@PREFIX@qstrs) + 2 };

static mp_obj_t @PREFIX@import(void);
static MP_DEFINE_CONST_FUN_OBJ_0(@PREFIX@import_obj, @PREFIX@import);

/* The first two are always there. The others are copied here when the module has started. */
static mp_map_elem_t @PREFIX@names[NAMES] = {
    {MP_OBJ_NEW_QSTR(MP_QSTR___name__), MP_OBJ_NEW_QSTR(MP_QSTR_@NAME@)},
    {MP_OBJ_NEW_QSTR(MP_QSTR___init__), MP_OBJ_FROM_PTR(&@PREFIX@import_obj)},
};
static mp_obj_dict_t @PREFIX@globals = {
    .base = {&mp_type_dict},
    .map = {
        .all_keys_are_qstrs = 1,
        .is_fixed = 1,
        .is_ordered = 1,
        .used = 2,
        .alloc = NAMES,
        .table = @PREFIX@names,
    },
};
@MODULE@
static void @PREFIX@start(void) {
    mp_obj_dict_t *globals = &@PREFIX@globals;
    globals->map.used = 2;
@INTERN@
    /* One word behind the state keeps alive what the names refer to. */
    size_t words = (@PREFIX@state_size + sizeof(void *) - 1) / sizeof(void *);
    void **block = m_new0(void *, words + 1);
    MP_STATE_VM(@PREFIX@state) = block;
    @PREFIX@base = (uint8_t *)block;

    mp_obj_t values = mp_obj_new_dict(NAMES);
    block[words] = MP_OBJ_TO_PTR(values);
    mp_obj_dict_store(values, MP_OBJ_NEW_QSTR(MP_QSTR___name__), MP_OBJ_NEW_QSTR(MP_QSTR_@NAME@));
    mp_obj_dict_t *before = mp_globals_get();
    mp_globals_set(MP_OBJ_TO_PTR(values));
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        mp_globals_set(before);
        nlr_jump(nlr.ret_val);
    }
    @PREFIX@init();
    nlr_pop();
    mp_globals_set(before);

    const mp_map_t *map = mp_obj_dict_get_map(values);
    for (size_t i = 0; i < map->alloc && globals->map.used < NAMES; i++) {
        if (mp_map_slot_is_filled(map, i) && map->table[i].key != MP_OBJ_NEW_QSTR(MP_QSTR___name__)) {
            @PREFIX@names[globals->map.used++] = map->table[i];
        }
    }
}

static mp_obj_t @PREFIX@import(void) {
    /* A name in `sys.modules`, which no module has, tells that the state is that of this session. */
    mp_map_t *known = &MP_STATE_VM(mp_loaded_modules_dict).map;
    mp_obj_t started = MP_OBJ_NEW_QSTR(qstr_from_str("@NAME@*"));
    if (mp_map_lookup(known, started, MP_MAP_LOOKUP) != NULL) {
        return mp_const_none;
    }
    mp_map_lookup(known, started, MP_MAP_LOOKUP_ADD_IF_NOT_FOUND)->value = MP_OBJ_FROM_PTR(&@PREFIX@import_obj);
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        mp_map_lookup(known, started, MP_MAP_LOOKUP_REMOVE_IF_FOUND);
        nlr_jump(nlr.ret_val);
    }
    @PREFIX@start();
    nlr_pop();
    return mp_const_none;
}

#if !MICROPY_EMIT_NATIVE && !defined(MPY_FUNCTION_TABLE)
/* The functions of `mp_fun_table` that modules use (py/nativeglue.c), for firmware that does not load native code. All
 * modules have the same. */
#define MPY_FUNCTION_TABLE

static mp_uint_t mpy_native_from_obj(mp_obj_t obj, mp_uint_t type) {
    switch (type & 0xf) {
        case MP_NATIVE_TYPE_BOOL:
            return mp_obj_is_true(obj);
        case MP_NATIVE_TYPE_QSTR:
            return mp_obj_str_get_qstr(obj);
        default:
            return mp_obj_get_int_truncated(obj);
    }
}

static mp_obj_t mpy_native_to_obj(mp_uint_t val, mp_uint_t type) {
    switch (type & 0xf) {
        case MP_NATIVE_TYPE_BOOL:
            return mp_obj_new_bool(val);
        case MP_NATIVE_TYPE_INT:
            return mp_obj_new_int(val);
        case MP_NATIVE_TYPE_QSTR:
            return MP_OBJ_NEW_QSTR(val);
        default:
            return mp_obj_new_int_from_uint(val);
    }
}

static mp_obj_t mpy_call_function_n_kw(mp_obj_t fun, size_t n_args_kw, const mp_obj_t *args) {
    return mp_call_function_n_kw(fun, n_args_kw & 0xff, (n_args_kw >> 8) & 0xff, args);
}

static void mpy_raise(mp_obj_t exception) {
    if (exception != MP_OBJ_NULL && exception != mp_const_none) {
        nlr_raise(mp_make_raise_obj(exception));
    }
}

static mp_obj_t mpy_getiter(mp_obj_t obj, mp_obj_iter_buf_t *iter) {
    if (iter == NULL) {
        return mp_getiter(obj, NULL);
    }
    obj = mp_getiter(obj, iter);
    if (obj != MP_OBJ_FROM_PTR(iter)) {
        iter->base.type = NULL;
        iter->buf[0] = obj;
    }
    return NULL;
}

static mp_obj_t mpy_iternext(mp_obj_iter_buf_t *iter) {
    return mp_iternext(iter->base.type == NULL ? iter->buf[0] : MP_OBJ_FROM_PTR(iter));
}

#if MICROPY_PY_BUILTINS_FLOAT
#define mpy_new_float mp_obj_new_float
#else
static mp_obj_t mpy_new_float(void) {
    mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("float unsupported"));
}
#endif

const mp_fun_table_t mp_fun_table __attribute__((weak)) = {
    .const_none = mp_const_none,
    .const_false = mp_const_false,
    .const_true = mp_const_true,
    .native_from_obj = mpy_native_from_obj,
    .native_to_obj = mpy_native_to_obj,
    .load_name = mp_load_name,
    .load_global = mp_load_global,
    .load_attr = mp_load_attr,
    .load_method = mp_load_method,
    .store_name = mp_store_name,
    .store_global = mp_store_global,
    .store_attr = mp_store_attr,
    .obj_subscr = mp_obj_subscr,
    .obj_is_true = mp_obj_is_true,
    .unary_op = mp_unary_op,
    .binary_op = mp_binary_op,
    .new_tuple = mp_obj_new_tuple,
    .new_list = mp_obj_new_list,
    .new_dict = mp_obj_new_dict,
    .list_append = mp_obj_list_append,
    .dict_store = mp_obj_dict_store,
    .call_function_n_kw = mpy_call_function_n_kw,
    .call_method_n_kw = mp_call_method_n_kw,
    .call_method_n_kw_var = mp_call_method_n_kw_var,
    .getiter = mpy_getiter,
    .iternext = mpy_iternext,
#if MICROPY_NLR_SETJMP
    .nlr_push = nlr_push_tail,
    .setjmp_ = setjmp,
#else
    .nlr_push = nlr_push,
#endif
    .nlr_pop = nlr_pop,
    .raise = mpy_raise,
    .import_name = mp_import_name,
    .import_from = mp_import_from,
    .unpack_sequence = mp_unpack_sequence,
    .arg_check_num_sig = mp_arg_check_num_sig,
    .memset_ = memset,
    .memmove_ = memmove,
    .realloc_ = gc_realloc,
    .printf_ = mp_printf,
    .raise_msg = mp_raise_msg,
    .obj_get_type = mp_obj_get_type,
    .obj_new_str = mp_obj_new_str,
    .obj_new_bytes = mp_obj_new_bytes,
    .obj_new_bytearray_by_ref = mp_obj_new_bytearray_by_ref,
    .obj_new_float_from_f = (void *)mpy_new_float,
    .load_method_maybe = mp_load_method_maybe,
    .get_buffer = mp_get_buffer,
    .binary_get_size = mp_binary_get_size,
    .binary_get_val_array = mp_binary_get_val_array,
    .binary_set_val_array = mp_binary_set_val_array,
    .plat_print = &mp_plat_print,
    .type_type = &mp_type_type,
    .type_str = &mp_type_str,
    .type_list = &mp_type_list,
    .type_dict = &mp_type_dict,
    .type_fun_builtin_0 = &mp_type_fun_builtin_0,
    .type_fun_builtin_1 = &mp_type_fun_builtin_1,
    .type_fun_builtin_2 = &mp_type_fun_builtin_2,
    .type_fun_builtin_3 = &mp_type_fun_builtin_3,
    .type_fun_builtin_var = &mp_type_fun_builtin_var,
    .type_Exception = &mp_type_Exception,
};
#endif
