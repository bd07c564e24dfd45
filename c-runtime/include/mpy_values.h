/* Values of Rust's types between Python and wasm-bindgen's ABI.
 *
 * A type is spelled with letters, those of Python's `struct` where it has one:
 *
 *   ? bool   c char   b B h H i I integers, 32 bits of a slot   q Q 64 bits   n N 128 bits, two slots
 *   a an address that is not null   f d floats   D an f64 that is an int if it is whole   v unit, no slot   s String
 *   S &str   o an object Rust owns   O one it borrows   A a future, which borrows what the call does, and Y one that
 *   returns a float
 *   V. a vector, L. a slice, M. a mutable slice of Python's, W. one of Rust's, of the type that follows,
 *      where t is a String as an object, k. an object of class number . as one, and p an object lent in a cell
 *   &. what follows, of S, L. and M., without a copy where the buffer can be used as it is; of LB and WB from Rust,
 *      without a copy where a function of the firmware uses the bytes
 *   C. an object of class number ., R. a reference to one, P. the same for the use of a field   e. an enum, E. an enum of strings
 *   F. a closure   ~. an option of the type that follows   !. a result of it
 *
 * where the number after C, R, P, k, e, E and F is one character, counted from 1. How many slots a type
 * takes and what is in them: wasm-bindgen 0.2.130, `wasm_bindgen::convert`.
 *
 * The including file defines MPY_MEMORY and MPY_MEMORY_SIZE, the sets MPY_LOWERED and MPY_LIFTED of the letters of types that
 * come from Python and from Rust (mpy_convert.h), MPY_USES_x for each family of types x that it uses, and for these MPY_MALLOC(size, align) and MPY_FREE(ptr, size, align).
 */
#ifndef MPY_VALUES_H
#define MPY_VALUES_H

#include "mpy_sequences.h"

#ifdef MPY_CLOSURES
static mp_obj_t mpy_new_closure(uint32_t kind, uint32_t data, uint32_t methods);
#endif

/* How many slots the type at `*type` takes; steps over it. */
MPY_SHARED unsigned mpy_skip(const char **type) {
    int code = *(*type)++;
    switch (code) {
        MPY_PASSED_CASE('v'): return 0;
#if defined(MPY_LENDS) || defined(MPY_LENDS_BYTES)
        case '&': return mpy_skip(type);
#endif
        MPY_PASSED_CASE('n'): MPY_PASSED_CASE('N'): MPY_PASSED_CASE('s'): MPY_PASSED_CASE('S'): return 2;
        MPY_PASSED_CASE('V'): MPY_PASSED_CASE('L'): MPY_PASSED_CASE('W'): mpy_skip(type); return 2;
        MPY_PASSED_CASE('M'): mpy_skip(type); return 3;
        MPY_PASSED_CASE('C'): MPY_PASSED_CASE('R'): MPY_PASSED_CASE('P'): MPY_PASSED_CASE('k'):
        MPY_PASSED_CASE('e'): MPY_PASSED_CASE('E'): (*type)++; return 1;
#ifdef MPY_CLOSURES
        case 'F': (*type)++; return 2;
#endif
#ifdef MPY_USES_RESULT
        case '!': return mpy_skip(type) + 2;
#endif
#ifdef MPY_USES_OPTION
        case '~': {
            char inner = **type;
#ifdef MPY_USES_JS
            if (inner == 'D') {
                return mpy_skip(type) + 1;
            }
#endif
            return mpy_skip(type) + (inner == 'q' || inner == 'Q' || inner == 'd' || inner == 'n' || inner == 'N');
        }
#endif
    }
    return 1;
}

#if MPY_LOWERS('~')
static void mpy_lower_option(const char *type, mp_obj_t obj, mpy_slot_t *slots) {
    bool none = obj == mp_const_none;
    switch (*type) {
        case 'i': case 'I': case 'f':
            if (none) {
                slots->q = MPY_NO_NUMBER;
            } else if (*type == 'f') {
                mp_fun_table.binary_set_val_array('d', slots, 0, obj);
                /* Its neighbour is the same f32. */
                slots->q += slots->q == MPY_NO_NUMBER;
            } else {
                slots->q = mpy_double_of_int(mpy_to_int(obj, *type), *type == 'i');
            }
            return;
#ifdef MPY_USES_JS
        case 'D':
#endif
        case 'q': case 'Q': case 'd': case 'n': case 'N':
            slots->i = !none;
            if (!none) {
                mpy_lower(type, obj, slots + 1);
            } else {
                slots[1].q = 0;
                if ((*type | 0x20) == 'n') {
                    slots[2].q = 0;
                }
            }
            return;
    }
    if (!none) {
        mpy_lower(type, obj, slots);
        return;
    }
    switch (*type) {
#ifdef MPY_USES_ENUM
        case 'e': slots->q = mpy_double_of_int(mpy_enums[mpy_number(type[1])].hole, false); return;
#endif
#ifdef MPY_USES_STRING_ENUM
        case 'E': slots->i = mpy_string_enums[mpy_number(type[1])].count + 1u; return;
#endif
        case 'o': case 'O': slots->i = 0; return;
        case 's': case 'S': case 'V': case 'L': slots[0].i = slots[1].i = 0; return;
        case 'M': slots[0].i = slots[1].i = 0; slots[2].i = 1024; return;
        case 'C': case 'R': case 'a': slots->i = 0; return;
    }
    slots->i = 0xffffff;
}
#endif

#ifdef MPY_USES_OPTION
__attribute__((unused)) static bool mpy_is_none(const char *type, const mpy_slot_t *slots) {
    switch (*type) {
        case 'i': case 'I': case 'f': return slots->q == MPY_NO_NUMBER;
#ifdef MPY_USES_JS
        case 'D':
#endif
        case 'q': case 'Q': case 'd': case 'n': case 'N': return slots->i == 0;
#ifdef MPY_USES_ENUM
        case 'e': return slots->q == mpy_double_of_int(mpy_enums[mpy_number(type[1])].hole, false);
#endif
#ifdef MPY_USES_STRING_ENUM
        case 'E': return slots->i > mpy_string_enums[mpy_number(type[1])].count;
#endif
        case 'o': case 'O': return slots->i == 0 || slots->i == 1024 || slots->i == 1025;
        case '?': case 'c': case 'b': case 'B': case 'h': case 'H': return slots->i == 0xffffff;
    }
    return slots->i == 0;
}
#endif

__attribute__((noinline)) static void mpy_lower(const char *type, mp_obj_t obj, mpy_slot_t *slots) {
    int code = *type++;
    mpy_check_open();
    switch (code) {
#if MPY_LOWERS('?')
        case '?':
            if (obj != mp_const_true && obj != mp_const_false) {
                mpy_raise_type_error("expected a bool");
            }
            slots->i = obj == mp_const_true;
            return;
#endif
        MPY_LOWERED_CASE('b'): MPY_LOWERED_CASE('B'): MPY_LOWERED_CASE('h'): MPY_LOWERED_CASE('H'):
        MPY_LOWERED_CASE('i'): MPY_LOWERED_CASE('I'): slots->i = mpy_to_int(obj, (char)code); return;
#if MPY_LOWERS('a')
        case 'a':
            slots->i = mpy_to_int(obj, 'I');
            if (slots->i == 0) {
                mpy_raise_value_error("a null pointer");
            }
            return;
#endif
        MPY_LOWERED_CASE('q'): MPY_LOWERED_CASE('Q'): slots->q = mpy_to_long(obj, (char)code); return;
        MPY_LOWERED_CASE('f'): MPY_LOWERED_CASE('d'): mp_fun_table.binary_set_val_array((char)code, slots, 0, obj); return;
#if MPY_LOWERS('D')
        case 'D': slots->q = mpy_to_number(obj); return;
#endif
#if MPY_LOWERS('n') || MPY_LOWERS('N')
        MPY_LOWERED_CASE('n'): MPY_LOWERED_CASE('N'): mpy_to_int128(obj, (char)code, slots); return;
#endif
#if MPY_LOWERS('c')
        case 'c': slots->i = mpy_to_char(obj); return;
#endif
#if MPY_LOWERS('s') || MPY_LOWERS('S')
        MPY_LOWERED_CASE('s'): MPY_LOWERED_CASE('S'): mpy_to_text(obj, slots); return;
#endif
#if MPY_LOWERS('V') || MPY_LOWERS('L') || MPY_LOWERS('M')
        MPY_LOWERED_CASE('V'): MPY_LOWERED_CASE('L'): MPY_LOWERED_CASE('M'): mpy_to_sequence(type - 1, obj, slots); return;
#endif
#if MPY_LOWERS('e')
        case 'e': slots->q = mpy_to_enum(obj, mpy_number(*type)); return;
#endif
#if MPY_LOWERS('E')
        case 'E': slots->i = mpy_to_string_enum(obj, mpy_number(*type)); return;
#endif
#if MPY_LOWERS('t')
        case 't':
            if (mp_fun_obj_get_type(obj) != &mp_type_str) {
                mpy_raise_type_error("expected a str");
            }
            slots->i = mpy_new_object(obj);
            return;
#endif
#if MPY_LOWERS('o')
        case 'o': slots->i = mpy_new_object(obj); return;
#endif
#if MPY_LOWERS('O')
        case 'O': slots->i = mpy_lend(obj); return;
#endif
#if MPY_LOWERS('k')
        case 'k':
            mpy_instance(obj, mpy_number(*type));
            slots->i = mpy_new_object(obj);
            return;
#endif
#if MPY_LOWERS('R') || MPY_LOWERS('P')
        MPY_LOWERED_CASE('R'): MPY_LOWERED_CASE('P'): {
            /* Above the pointer, how the object is borrowed before the call. */
            uint32_t ptr = mpy_instance(obj, mpy_number(*type))->ptr;
            slots->q = (uint64_t)*mpy_borrowed(ptr) << 32 | ptr;
            return;
        }
#endif
#if MPY_LOWERS('C')
        case 'C': {
            mpy_entry_t *entry = mpy_instance(obj, mpy_number(*type));
            mpy_check_unborrowed(entry);
            slots->i = mpy_consume(entry);
            return;
        }
#endif
#if MPY_LOWERS('~')
        case '~': mpy_lower_option(type, obj, slots); return;
#endif
    }
}

#if defined(MPY_USES_RESULT) || defined(MPY_USES_FUTURE)
/* Raises what Rust returned as an error: exceptions as they are, text and everything else as the
 * argument of a RuntimeError. */
__attribute__((noreturn)) static void mpy_raise_object(mp_obj_t obj) {
    mp_obj_t args[2] = {obj, mp_fun_load_global(MP_QSTR_BaseException)};
    mp_obj_t is = mp_fun_call_function_n_kw(mp_fun_load_global(MP_QSTR_isinstance), 2, args);
    if (is != mp_const_true) {
        obj = mp_fun_call_function_n_kw(mp_fun_load_global(MP_QSTR_RuntimeError), 1, &obj);
    }
    mp_fun_raise(obj);
    __builtin_unreachable();
}
#endif

/* Gives back what a value holds that Rust has given away. */
__attribute__((unused)) static void mpy_release(const char *type, const mpy_slot_t *slots) {
    switch (*type) {
#ifdef MPY_USES_OPTION
        case '~':
            if (!mpy_is_none(type + 1, slots)) {
                mpy_release(type + 1, slots);
            }
            return;
#endif
#if MPY_PASSES('s')
        case 's': MPY_FREE(slots[0].i, slots[1].i, 1); return;
#endif
#if MPY_LIFTS('L') || MPY_PASSES('V')
        case 'L':
            if (!mpy_has_cells(mpy_element(type)) || mpy_element(type) == 'O') {
                return;
            }
            /* fall through */
        case 'V': {
            uint32_t size = mpy_element_size(mpy_element(type));
#ifdef MPY_USES_OBJECTS
            mpy_drop_elements(type, slots[0].i, slots[1].i);
#endif
            MPY_FREE(slots[0].i, slots[1].i * size, mpy_element(type) == 'S' ? 4 : size);
            return;
        }
#endif
#if MPY_PASSES('o')
        case 'o': mpy_drop_object(slots->i); return;
#endif
#if MPY_PASSES('C')
        case 'C': mpy_class(mpy_number(type[1]))->free(slots->i, 1); return;
#endif
#ifdef MPY_CLOSURES
        case 'F':
            if (mpy_closures[mpy_number(type[1])].is_owned) {
                MPY_DESTROY(slots[0].i, slots[1].i);
            }
            return;
#endif
    }
}

#if MPY_LIFTS('s') || MPY_LIFTS('V') || MPY_LIFTS('L')
typedef struct {
    const char *type;
    const mpy_slot_t *slots;
    mp_obj_t obj;
} mpy_lifting_t;

static void mpy_lift_lent(void *with) {
    mpy_lifting_t *lifting = with;
    const mpy_slot_t *slots = lifting->slots;
#if MPY_LIFTS('V') || MPY_LIFTS('L')
    if (*lifting->type != 's') {
        lifting->obj = mpy_from_sequence(lifting->type, slots);
        return;
    }
#endif
    lifting->obj = mp_fun_obj_new_str(mpy_text(slots[0].i, slots[1].i), slots[1].i);
}

/* A value that is memory of Rust's, which is given back. */
MPY_SHARED mp_obj_t mpy_lift_memory(const char *type, const mpy_slot_t *slots) {
    mpy_lifting_t lifting = {type, slots, NULL};
    mpy_begin_use();
    mp_obj_t exception = mpy_try(mpy_lift_lent, &lifting);
    mpy_end_use();
    mpy_release(type, slots);
    if (exception != NULL) {
        mp_fun_raise(exception);
    }
    return lifting.obj;
}
#endif

__attribute__((noinline)) static mp_obj_t mpy_lift(const char *type, const mpy_slot_t *slots) {
    int code = *type++;
    switch (code) {
#if MPY_LIFTS('?')
        case '?': return slots->i != 0 ? mp_const_true : mp_const_false;
#endif
        MPY_LIFTED_CASE('b'): return mpy_from_int(slots->i, 'b');
        MPY_LIFTED_CASE('B'): return mpy_from_int(slots->i, 'B');
        MPY_LIFTED_CASE('h'): return mpy_from_int(slots->i, 'h');
        MPY_LIFTED_CASE('H'): return mpy_from_int(slots->i, 'H');
        MPY_LIFTED_CASE('i'): return mpy_from_int(slots->i, 'i');
        MPY_LIFTED_CASE('I'): MPY_LIFTED_CASE('a'): return mpy_from_int(slots->i, 'I');
        MPY_LIFTED_CASE('q'): MPY_LIFTED_CASE('Q'): MPY_LIFTED_CASE('f'): MPY_LIFTED_CASE('d'):
            return mp_fun_binary_get_val_array((char)code, (void *)(uintptr_t)slots, 0);
#if MPY_LIFTS('D')
        case 'D': return mpy_from_number(slots->q);
#endif
#if MPY_LIFTS('n') || MPY_LIFTS('N')
        MPY_LIFTED_CASE('n'): MPY_LIFTED_CASE('N'): return mpy_from_int128(slots, (char)code);
#endif
#if MPY_LIFTS('c')
        case 'c': return mpy_from_char(slots->i);
#endif
#if MPY_LIFTS('e')
        case 'e': return mpy_from_number(slots->q);
#endif
#if MPY_LIFTS('E')
        case 'E': return mpy_from_string_enum(slots->i, mpy_number(*type));
#endif
#if MPY_LIFTS('S')
        case 'S': return mp_fun_obj_new_str(mpy_text(slots[0].i, slots[1].i), slots[1].i);
#endif
#if MPY_LIFTS('s')
        case 's': return mpy_lift_memory(type - 1, slots);
#endif
#if MPY_LIFTS('V')
        case 'V': return mpy_lift_memory(type - 1, slots);
#endif
#if MPY_LIFTS('W')
        case 'W': return mpy_from_sequence(type - 1, slots);
#endif
#if MPY_LIFTS('L')
        case 'L':
            type--;
            return mpy_has_cells(mpy_element(type)) && mpy_element(type) != 'O' ? mpy_lift_memory(type, slots)
                                                                                : mpy_from_sequence(type, slots);
#endif
#if MPY_LIFTED & (MPY_LETTER('A') | MPY_LETTER('Y') | MPY_LETTER('o') | MPY_LETTER('k') | MPY_LETTER('t'))
        MPY_LIFTED_CASE('A'): MPY_LIFTED_CASE('Y'): MPY_LIFTED_CASE('o'): MPY_LIFTED_CASE('k'): MPY_LIFTED_CASE('t'):
            return mpy_take_object(slots->i);
#endif
#if MPY_LIFTED & (MPY_LETTER('O') | MPY_LETTER('p') | MPY_LETTER('o') | MPY_LETTER('k') | MPY_LETTER('t'))
        case 'O': case 'p': return mpy_object(slots->i);
#endif
#if MPY_LIFTS('C')
        case 'C': return mpy_new_instance(mpy_number(*type), slots->i);
#endif
#if MPY_LIFTS('F')
        case 'F': return mpy_new_closure(mpy_number(*type), slots[0].i, slots[1].i);
#endif
#if MPY_LIFTS('~')
        case '~': {
            if (mpy_is_none(type, slots)) {
                return mp_const_none;
            }
            switch (*type) {
                case 'i': return mpy_from_i32(mpy_int_of_double(slots->q));
                case 'I': return mpy_from_int(mpy_int_of_double(slots->q), 'I');
                case 'f': return mp_fun_binary_get_val_array('d', (void *)(uintptr_t)slots, 0);
#ifdef MPY_USES_JS
                case 'D':
#endif
                case 'q': case 'Q': case 'd': case 'n': case 'N': slots++;
            }
            return mpy_lift(type, slots);
        }
#endif
#ifdef MPY_USES_RESULT
        case '!': {
            const char *end = type;
            unsigned width = mpy_skip(&end);
            if (slots[width + 1].i != 0) {
                mpy_raise_object(mpy_take_object(slots[width].i));
            }
            return mpy_lift(type, slots);
        }
#endif
    }
    return mp_const_none;
}

#endif
