/* Memories and globals of WebAssembly as attributes of the module.
 *
 * Python may set what is in a module's dictionary to anything, and delete it. These are not there: the module gets a
 * type of its own that answers for them, and leaves all else to the firmware's. So they are read and written where they
 * are, a value that does not fit is refused when it is set, and no function pays for it.
 *
 * A memory that cannot grow is a `memoryview`, as a `bytearray` can be resized, which would move what is the module's.
 * Another is an object of a type of its own as well. It has no bytes: it looks where the memory is whenever it is used,
 * and thus stays valid when that grows.
 *
 * The including file defines
 *   MPY_SHOWN           how many attributes there are, and mpy_shown_names, mpy_get_shown and mpy_set_shown;
 *   MPY_FIXED_VIEWS     how many memories there are that cannot grow, and MPY_STRING_MEMORYVIEW;
 *   MPY_VIEWS           how many others, and mpy_memory_of.
 */
#ifndef MPY_SHOWN_H
#define MPY_SHOWN_H

#include "mpy_unwind.h"

/* The names, as indices of strings. */
static const uint16_t mpy_shown_names[MPY_SHOWN];
static mp_obj_t mpy_get_shown(unsigned which);
/* Whether it can be set. */
static bool mpy_set_shown(unsigned which, mp_obj_t value);

#ifdef MPY_IN_FIRMWARE

/* The module is a part of the firmware: its type was defined with mpy_shown_attribute. */
extern const mp_obj_full_type_t mp_type_module;
#define mpy_usual_module_type (&mp_type_module)

#else

/* The type `module` of the firmware, and the same with another slot `attr`. */
WASM_STATE(const mp_obj_full_type_t *, mpy_usual_module_type);
WASM_STATE(mp_obj_full_type_t, mpy_module_type);
#define mpy_usual_module_type WASM_REACH(mpy_usual_module_type)
#define mpy_module_type WASM_REACH(mpy_module_type)

#endif

static void mpy_module_attribute(mp_obj_t self, qstr name, mp_obj_t *dest) {
    typedef void (*attribute_t)(mp_obj_t, qstr, mp_obj_t *);
    ((attribute_t)mpy_usual_module_type->slots[mpy_usual_module_type->attr - 1])(self, name, dest);
}

#ifndef MPY_IN_FIRMWARE

/* A package of modules for several architectures imports one of them and becomes the same for Python. It says so by
 * setting `__module__` of the module to itself. The firmware refuses the attribute for modules in ROM. */
static bool mpy_show_in(mp_obj_t package, mp_obj_t self) {
    mp_obj_t dest[] = {MP_OBJ_SENTINEL, self};
    if (mp_fun_obj_get_type(package) != (mp_obj_t)mpy_usual_module_type) {
        return false;
    }
    mpy_module_attribute(package, MP_QSTR___module__, dest);
    if (dest[0] != MP_OBJ_NULL) {
        return false;
    }
    *(const mp_obj_full_type_t **)package = &mpy_module_type;
    return true;
}

static
#endif
void mpy_shown_attribute(mp_obj_t self, qstr name, mp_obj_t *dest);

void mpy_shown_attribute(mp_obj_t self, qstr name, mp_obj_t *dest) {
#ifndef MPY_IN_FIRMWARE
    if (name == MP_QSTR___module__ && dest[0] != MP_OBJ_NULL && dest[1] != MP_OBJ_NULL && mpy_show_in(dest[1], self)) {
        dest[0] = MP_OBJ_NULL;
        return;
    }
#endif
    for (unsigned i = 0; i < MPY_SHOWN; i++) {
        if (mp_native_qstr_table[mpy_shown_names[i]] != name) {
            continue;
        }
        if (dest[0] == MP_OBJ_NULL) {
            dest[0] = mpy_get_shown(i);
        } else if (dest[1] != MP_OBJ_NULL && mpy_set_shown(i, dest[1])) {
            dest[0] = MP_OBJ_NULL;
        } else {
            mpy_raise(MP_QSTR_AttributeError, dest[1] == MP_OBJ_NULL ? "attribute cannot be deleted" : "attribute cannot be set");
        }
        return;
    }
    mpy_module_attribute(self, name, dest);
}

#ifndef MPY_IN_FIRMWARE

/* While the module is imported its name is a global, by which it can be imported already; `import` is the name of the
 * function that does so. */
static void mpy_show(unsigned import) {
    /* With something to import from it, it is the module itself, not the package it is in. */
    mp_obj_t args[] = {mp_fun_load_global(MP_QSTR___name__), mp_const_none, mp_const_none,
        mp_const_true};
    mp_obj_t self = mp_fun_call_function_n_kw(mp_fun_load_global(mp_native_qstr_table[import]), 4, args);
    const mp_obj_full_type_t *type = *(const mp_obj_full_type_t **)self;
    mpy_usual_module_type = type;
    mpy_module_type.type = type->type;
    mpy_module_type.flags = type->flags;
    mpy_module_type.name = type->name;
    mpy_module_type.attr = 1;
    mpy_module_type.slots[0] = (const void *)MPY_ENTRY(mpy_shown_attribute);
    if (type->print != 0) {
        mpy_module_type.print = 2;
        mpy_module_type.slots[1] = type->slots[type->print - 1];
    }
    *(const mp_obj_full_type_t **)self = &mpy_module_type;
}

#endif

#ifdef MPY_FIXED_VIEWS

/* Made when they are first asked for. */
WASM_STATE(mp_obj_t, mpy_fixed_views, [MPY_FIXED_VIEWS]);
#define mpy_fixed_views WASM_REACH(mpy_fixed_views)

static mp_obj_t mpy_fixed_view(unsigned which, uint8_t *memory, uint32_t size) {
    if (mpy_fixed_views[which] == NULL) {
        mp_obj_t type = mp_fun_import_name(MP_QSTR_builtins, mp_const_none, MP_OBJ_NEW_SMALL_INT(0));
        type = mp_fun_load_attr(type, mp_native_qstr_table[MPY_STRING_MEMORYVIEW]);
        mp_obj_t bytes = mp_fun_table.obj_new_bytearray_by_ref(size, memory);
        mpy_fixed_views[which] = mp_fun_call_function_n_kw(type, 1, &bytes);
    }
    return mpy_fixed_views[which];
}

#endif

#ifdef MPY_VIEWS

typedef struct {
    const mp_obj_full_type_t *type;
    size_t which;
} mpy_view_t;

typedef struct {
    const mp_obj_full_type_t *type;
    const mpy_view_t *view;
    size_t at;
} mpy_view_iterator_t;
_Static_assert(sizeof(mpy_view_iterator_t) <= sizeof(mp_obj_iter_buf_t), "room for an iterator");

/* Where a memory is now, and how long. */
static uint8_t *mpy_memory_of(size_t which, uint32_t *size);

WASM_STATE(mp_obj_full_type_t, mpy_view_type);
WASM_STATE(mp_obj_full_type_t, mpy_view_iterator_type);
WASM_STATE(mpy_view_t, mpy_views, [MPY_VIEWS]);
#define mpy_view_type WASM_REACH(mpy_view_type)
#define mpy_view_iterator_type WASM_REACH(mpy_view_iterator_type)
#define mpy_views WASM_REACH(mpy_views)

static uint8_t *mpy_view(mp_obj_t self, uint32_t *size) {
    mpy_check_open();
    return mpy_memory_of(((const mpy_view_t *)self)->which, size);
}

static mp_obj_t mpy_view_unary_op(int op, mp_obj_t self) {
    uint32_t size;
    mpy_view(self, &size);
    return op == MP_UNARY_OP_LEN ? MP_OBJ_NEW_SMALL_INT(size) : MP_OBJ_NULL;
}

/* Of what Python says of `range`, which knows how to take an index or a slice. */
static intptr_t mpy_view_number(mp_obj_t obj) {
    if (!MP_OBJ_IS_SMALL_INT(obj)) {
        mpy_raise_type_error("expected an index");
    }
    return MP_OBJ_SMALL_INT_VALUE(obj);
}

static mp_obj_t mpy_view_subscr(mp_obj_t self, mp_obj_t index, mp_obj_t value) {
    uint32_t size;
    mpy_view(self, &size);
    mp_obj_t range = mp_fun_import_name(MP_QSTR_builtins, mp_const_none, MP_OBJ_NEW_SMALL_INT(0));
    mp_obj_t args[] = {MP_OBJ_NEW_SMALL_INT(size)};
    range = mp_fun_call_function_n_kw(mp_fun_load_attr(range, MP_QSTR_range), 1, args);
    range = mp_fun_obj_subscr(range, index, MP_OBJ_SENTINEL);
    bool is_slice = !MP_OBJ_IS_SMALL_INT(range);
    intptr_t at = 0, step = 1;
    size_t count = 1;
    if (is_slice) {
        mp_obj_t zero = MP_OBJ_NEW_SMALL_INT(0), one = MP_OBJ_NEW_SMALL_INT(1);
        count = (size_t)mpy_view_number(mp_fun_unary_op(MP_UNARY_OP_LEN, range));
        if (count > 0) {
            at = mpy_view_number(mp_fun_obj_subscr(range, zero, MP_OBJ_SENTINEL));
        }
        if (count > 1) {
            step = mpy_view_number(mp_fun_obj_subscr(range, one, MP_OBJ_SENTINEL)) - at;
        }
    } else {
        at = MP_OBJ_SMALL_INT_VALUE(range);
    }
    /* What is copied, which is there before the memory is looked for: any of this may have run code of Python's. */
    uint8_t byte;
    uint8_t *copy = &byte;
    bool is_load = value == MP_OBJ_SENTINEL;
    if (is_load) {
        if (is_slice) {
            copy = mp_fun_realloc(NULL, count + 1, false);
            if (copy == NULL) {
                mpy_raise_memory_error("no memory for a copy");
            }
        }
    } else if (value == MP_OBJ_NULL || (is_slice && mp_fun_obj_get_type(value) == &mp_type_str)) {
        mpy_raise_type_error(value == MP_OBJ_NULL ? "a memory cannot be resized" : "expected bytes");
    } else if (is_slice) {
        mp_buffer_info_t info;
        mp_fun_get_buffer(value, &info, MP_BUFFER_READ | MP_BUFFER_RAISE_IF_UNSUPPORTED);
        if (info.len != count) {
            mpy_raise_value_error("a memory cannot be resized");
        }
        copy = info.buf;
    } else {
        mp_fun_table.binary_set_val_array('B', &byte, 0, value);
    }
    uint8_t *memory = mpy_view(self, &size);
    /* A `range` of the user's may say anything. */
    bool is_run = step == 1 && (size_t)at <= size && count <= size - (size_t)at;
    if (is_run && count > 0) {
        mp_fun_memmove(is_load ? copy : memory + at, is_load ? memory + at : copy, count);
    }
    for (size_t i = 0; !is_run && i < count; i++, at += step) {
        if ((size_t)at >= size) {
            mpy_raise(MP_QSTR_IndexError, "index out of range");
        }
        if (is_load) {
            copy[i] = memory[at];
        } else {
            memory[at] = copy[i];
        }
    }
    if (!is_load) {
        return mp_const_none;
    }
    return is_slice ? mp_fun_table.obj_new_bytearray_by_ref(count, copy) : MP_OBJ_NEW_SMALL_INT(byte);
}

static mp_int_t mpy_view_buffer(mp_obj_t self, mp_buffer_info_t *info, mp_uint_t flags) {
    (void)flags;
    uint32_t size;
    info->buf = mpy_view(self, &size);
    info->len = size;
    info->typecode = 'B';
    return 0;
}

static mp_obj_t mpy_view_iter(mp_obj_t self, mp_obj_iter_buf_t *buffer) {
    mpy_view_iterator_t *iterator = (mpy_view_iterator_t *)buffer;
    iterator->type = &mpy_view_iterator_type;
    iterator->view = self;
    iterator->at = 0;
    return iterator;
}

static mp_obj_t mpy_view_next(mp_obj_t self) {
    mpy_view_iterator_t *iterator = self;
    uint32_t size;
    const uint8_t *memory = mpy_view((mp_obj_t)(uintptr_t)iterator->view, &size);
    return iterator->at < size ? MP_OBJ_NEW_SMALL_INT(memory[iterator->at++]) : MP_OBJ_NULL;
}

static void mpy_init_views(unsigned name) {
    mpy_view_type.type = mpy_view_iterator_type.type = &mp_type_type;
    mpy_view_type.name = mpy_view_iterator_type.name = mp_native_qstr_table[name];
    mpy_view_type.unary_op = 1;
    mpy_view_type.subscr = 2;
    mpy_view_type.buffer = 3;
    mpy_view_type.iter = 4;
    mpy_view_type.slots[0] = (const void *)MPY_ENTRY(mpy_view_unary_op);
    mpy_view_type.slots[1] = (const void *)MPY_ENTRY(mpy_view_subscr);
    mpy_view_type.slots[2] = (const void *)MPY_ENTRY(mpy_view_buffer);
    mpy_view_type.slots[3] = (const void *)MPY_ENTRY(mpy_view_iter);
    mpy_view_iterator_type.flags = MP_TYPE_FLAG_ITER_IS_ITERNEXT;
    mpy_view_iterator_type.iter = 1;
    mpy_view_iterator_type.slots[0] = (const void *)MPY_ENTRY(mpy_view_next);
    for (size_t i = 0; i < MPY_VIEWS; i++) {
        mpy_views[i].type = &mpy_view_type;
        mpy_views[i].which = i;
    }
}

#endif
#endif
