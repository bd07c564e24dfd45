/* Calling Python from WebAssembly.
 *
 * Besides what mpy_unwind.h wants, the including file defines
 *   MPY_IMPORT_SLOTS    the largest number of parameters, or of results, of any import.
 */
#ifndef MPY_IMPORTS_H
#define MPY_IMPORTS_H

#include "mpy_modules.h"
#ifdef MPY_STACK_AHEAD
#include "mpy_stack.h"
#endif

/* Types beyond numbers, each compiled in when the including file defines MPY_GIVES_x, where they go to Python, and
 * MPY_TAKES_x, where they come from there:
 *
 *   ?  BOOL    i32, true or false
 *   l  LOW32   i32, the low bits of an integer of any size
 *   s  STR     two i32, pointer and length of UTF-8: a copy, a str
 *   y  BYTES   two i32, pointer and length: a copy, a bytes or, from Python, any buffer
 *   z  CSTR    an i32, pointer to UTF-8 that a zero byte ends
 *   w  UTF16   an i32, pointer to a string of AssemblyScript's; null is None
 *
 * Copies of Python's texts lie in memory from functions of the module's own:
 *   MPY_ALLOC(size)     an address, or 0
 *   MPY_NEW(size, id)   AssemblyScript's `__new`
 */
#if defined(MPY_GIVES_STR) || defined(MPY_GIVES_BYTES) || defined(MPY_GIVES_CSTR) || defined(MPY_GIVES_UTF16) \
    || defined(MPY_ALLOC) || defined(MPY_NEW)
#include "mpy_text.h"
#endif

/* The object that the value at `*slot`, of one of the types, is in Python; steps over the value. */
static inline mp_obj_t mpy_from_slot(char type, mpy_slot_t **slot) {
    mpy_slot_t *value = (*slot)++;
    switch (type) {
#ifdef MPY_GIVES_BOOL
        case '?':
            return mp_fun_native_to_obj(value->i, MP_NATIVE_TYPE_BOOL);
#endif
#ifdef MPY_GIVES_LOW32
        case 'l':
            return mpy_from_i32(value->i);
#endif
#ifdef MPY_GIVES_STR
        case 's': {
            uint32_t len = (*slot)++->i;
            return mp_fun_obj_new_str(mpy_text(value->i, len), len);
        }
#endif
#ifdef MPY_GIVES_BYTES
        case 'y': {
            uint32_t len = (*slot)++->i;
            return mp_fun_table.obj_new_bytes((const uint8_t *)mpy_text(value->i, len), len);
        }
#endif
#ifdef MPY_GIVES_CSTR
        case 'z': {
            uint32_t len = 0;
            while (*mpy_text(value->i + len, 1) != 0) {
                len++;
            }
            return mp_fun_obj_new_str(mpy_text(value->i, len), len);
        }
#endif
#ifdef MPY_GIVES_UTF16
        case 'w':
            return mpy_utf16(value->i);
#endif
        default:
            return mp_fun_binary_get_val_array(type, value, 0);
    }
}

#if defined(MPY_ALLOC) || defined(MPY_NEW)
#ifdef MPY_NEW
/* A string of AssemblyScript's: `__new(bytes, id)`, whose id of strings is 2 (`idof<string>()`). */
static uint32_t mpy_new_utf16(const uint8_t *text, uint32_t len) {
    uint32_t units = 0;
    for (uint32_t i = 0; i < len; i++) {
        units += (text[i] & 0xc0u) == 0x80 ? 0 : text[i] < 0xf0 ? 1 : 2;
    }
    uint32_t ptr = MPY_NEW(2 * units, 2);
    uint8_t *to = (uint8_t *)(uintptr_t)mpy_text(ptr, 2 * units);
    uint32_t c = 0;
    while (len > 0) {
        unsigned n = mpy_scalar(text, len, &c);
        text += n;
        len -= n;
        if (c > 0xffff) {
            uint32_t high = 0xd7c0 + (c >> 10);
            *to++ = (uint8_t)high;
            *to++ = (uint8_t)(high >> 8);
            c = 0xdc00 | (c & 0x3ff);
        }
        *to++ = (uint8_t)c;
        *to++ = (uint8_t)(c >> 8);
    }
    return ptr;
}
#endif

/* Copies a text of Python's into the module's memory: `slots` become its place and, of `s` and `y`, its length.
 * Returns the bytes that MPY_ALLOC was asked for. */
MPY_SHARED uint32_t mpy_take_text(char type, mpy_slot_t *slots, mp_obj_t obj) {
    mp_buffer_info_t info;
#ifdef MPY_NEW
    if (type == 'w' && obj == mp_const_none) {
        slots->i = 0;
        return 0;
    }
#endif
    if (type != 'y') {
        mpy_utf8_buffer(obj, &info);
    } else if (mp_fun_obj_get_type(obj) == &mp_type_str || !mp_fun_get_buffer(obj, &info, MP_BUFFER_READ)) {
        mpy_raise_type_error("expected bytes");
    }
    uint32_t len = (uint32_t)info.len;
#ifdef MPY_NEW
    if (type == 'w') {
        slots->i = mpy_new_utf16(info.buf, len);
        return 0;
    }
#endif
#ifdef MPY_ALLOC
    uint32_t end = type == 'z';
    for (uint32_t i = 0; end != 0 && i < len; i++) {
        if (((const char *)info.buf)[i] == 0) {
            mpy_raise_value_error("embedded null character");
        }
    }
    /* The address of nothing is one, too: none may be 0. */
    uint32_t size = len + end != 0 ? len + end : 1;
    uint32_t ptr = MPY_ALLOC(size);
    if (ptr == 0) {
        mpy_raise_no_memory("out of memory");
    }
    char *to = (char *)(uintptr_t)mpy_text(ptr, size);
    mp_fun_memmove(to, info.buf, len);
    slots[0].i = ptr;
    if (end != 0) {
        to[len] = 0;
    } else {
        slots[1].i = len;
    }
    return size;
#else
    return 0;
#endif
}
#endif

__attribute__((unused)) static void mpy_to_slot(char type, mpy_slot_t *slot, mp_obj_t obj) {
    switch (type) {
        case 'i':
        case 'I':
            slot->i = mpy_to_i32(obj);
            break;
        case 'q':
        case 'Q':
            slot->q = mpy_to_i64(obj);
            break;
#ifdef MPY_TAKES_BOOL
        case '?':
            slot->i = mp_fun_table.obj_is_true(obj);
            break;
#endif
#ifdef MPY_TAKES_LOW32
        case 'l':
            slot->i = (uint32_t)mp_fun_native_from_obj(obj, MP_NATIVE_TYPE_UINT);
            break;
#endif
#if defined(MPY_ALLOC) || defined(MPY_NEW)
        case 's': case 'y': case 'z': case 'w':
            mpy_take_text(type, slot, obj);
            break;
#endif
        default:
            mp_fun_table.binary_set_val_array(type, slot, 0, obj);
    }
}

/* Attribute `field` of module `module` (indices of the module's strings). */
__attribute__((unused)) static mp_obj_t mpy_python(unsigned module, unsigned field) {
    return mp_fun_load_attr(mpy_import(module), mp_native_qstr_table[field]);
}

/* Calls it. `type` is "parameters>results"; `slots` holds the arguments and receives the results. */
__attribute__((noinline, unused)) static void mpy_call_python(unsigned module, unsigned field, const char *type, mpy_slot_t *slots) {
    mp_obj_t objs[MPY_IMPORT_SLOTS + 1];
    mpy_slot_t *slot = slots;
    size_t n = 0;
    for (; type[n] != '>'; n++) {
        objs[n] = mpy_from_slot(type[n], &slot);
    }
    mp_obj_t result = mp_fun_call_function_n_kw(mpy_python(module, field), n, objs);
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

#if defined(MPY_HAS_STACKS) || defined(MPY_CLOSES)
/* Calls `run`, which calls Python, and keeps the shadow stack in order whichever way that ends. */
MPY_SHARED void mpy_run_python(void (*run)(void *), void *with) {
#ifdef MPY_HAS_STACKS
    mpy_stacks_t outside;
    mpy_enter_python(&outside);
#endif
    mpy_begin_use();
    mp_obj_t exception = mpy_try(run, with);
    mpy_end_use();
#ifdef MPY_HAS_STACKS
    mpy_leave_python(&outside);
#endif
    if (exception != NULL) {
        mpy_pass_on(exception);
    }
}
#else
#define mpy_run_python(run, with) run(with)
#endif

typedef struct {
    unsigned module, field;
    const char *type;
    mpy_slot_t *slots;
} mpy_python_call_t;

static void mpy_do_python_call(void *with) {
#ifdef MPY_STACK_AHEAD
    /* Python may call the module again: a built-in function does not check the stack. */
#if MPY_IMPORT_SLOTS > 8
    MPY_USE_STACK(MPY_IMPORT_SLOTS * sizeof(mp_obj_t) + 256);
#else
    mpy_ask_for_stack();
#endif
#endif
    const mpy_python_call_t *call = with;
    mpy_call_python(call->module, call->field, call->type, call->slots);
}

/* As mpy_call_python, in WebAssembly code. */
MPY_SHARED void mpy_call_import(unsigned module, unsigned field, const char *type, mpy_slot_t *slots) {
    mpy_python_call_t call = {module, field, type, slots};
    mpy_run_python(mpy_do_python_call, &call);
}

#endif
