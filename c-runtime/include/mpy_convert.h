/* Conversions of single values between Python and wasm-bindgen's ABI: numbers, enums, objects and text. The letters of
 * types are those of mpy_values.h. */
#ifndef MPY_CONVERT_H
#define MPY_CONVERT_H

#include "mpy_text.h"
#ifdef MPY_USES_ENTRIES
#include "mpy_classes.h"
#endif

/* Whether values of the type with this letter come from Python, come from Rust, or any of both. Only code for such types is
 * compiled. The letters are numbered as in MPY_LOWERED and MPY_LIFTED, the sets that the including file defines. MPY_ELEMENTS
 * is that of the elements of sequences. */
#define MPY_LETTER(letter) (1ull << ((letter) & 63))
#define MPY_LOWERS(letter) ((MPY_LOWERED & MPY_LETTER(letter)) != 0)
#define MPY_LIFTS(letter) ((MPY_LIFTED & MPY_LETTER(letter)) != 0)
#define MPY_PASSES(letter) (MPY_LOWERS(letter) || MPY_LIFTS(letter))

/* Labels of a `switch` over the letters of types, which is on an int. One of a type that does not cross is a number that no
 * letter has, so the compiler drops it. */
#define MPY_LOWERED_CASE(letter) case MPY_LOWERS(letter) ? (letter) : 256 + (letter)
#define MPY_LIFTED_CASE(letter) case MPY_LIFTS(letter) ? (letter) : 256 + (letter)
#define MPY_PASSED_CASE(letter) case MPY_PASSES(letter) ? (letter) : 256 + (letter)
/* Whether a letter of the set `all` is one of `some`, which `is` says: a constant, if all or none are. */
#define MPY_IS_ONE_OF(all, some, is) (((all) & ~(some)) == 0 || (((all) & (some)) != 0 && (is)))

/* Words of memory that wasm-bindgen's ABI passes several results in. The module itself named the
 * place, which is on its stack. */
static inline uint32_t mpy_load32(uint32_t ptr) { return *(const wasm_u32 *)mpy_word(ptr, 4); }
static inline uint64_t mpy_load64(uint32_t ptr) { return *(const wasm_u64 *)mpy_word(ptr, 8); }
static inline float mpy_loadf(uint32_t ptr) { return *(const wasm_f32 *)mpy_word(ptr, 4); }
static inline double mpy_loadd(uint32_t ptr) { return *(const wasm_f64 *)mpy_word(ptr, 8); }
static inline void mpy_store32(uint32_t ptr, uint32_t value) { *(wasm_u32 *)mpy_word(ptr, 4) = value; }
static inline void mpy_store64(uint32_t ptr, uint64_t value) { *(wasm_u64 *)mpy_word(ptr, 8) = value; }
static inline void mpy_storef(uint32_t ptr, float value) { *(wasm_f32 *)mpy_word(ptr, 4) = value; }
static inline void mpy_stored(uint32_t ptr, double value) { *(wasm_f64 *)mpy_word(ptr, 8) = value; }

/* Which class, enum or kind of closure a character of a type numbers; a `char` may have a sign. */
static inline uint32_t mpy_number(char number) { return (uint8_t)number - 1u; }

/* Integers. */

/* Apart, as integers are small ones in most calls. */
MPY_SHARED bool mpy_is_negative(mp_obj_t obj) {
    mp_obj_t is_less = mp_fun_binary_op(MP_BINARY_OP_LESS, obj, MP_OBJ_NEW_SMALL_INT(0));
    mpy_check_open();
    return is_less == mp_const_true;
}

/* An integer of the type `code`: one of b B h H i I, of which the module has MPY_INTEGERS. */
MPY_SHARED uint32_t mpy_to_int(mp_obj_t obj, char code) {
    const uint64_t with_sign = MPY_LETTER('b') | MPY_LETTER('h') | MPY_LETTER('i');
    const uint64_t eight = MPY_LETTER('b') | MPY_LETTER('B');
    const uint64_t at_most_16 = eight | MPY_LETTER('h') | MPY_LETTER('H');
    uint32_t value = mpy_to_i32(obj);
    bool is_signed = MPY_IS_ONE_OF(MPY_INTEGERS, with_sign, code >= 'a');
    unsigned bits = MPY_IS_ONE_OF(MPY_INTEGERS, eight, (code | 0x20) == 'b') ? 8
                    : MPY_IS_ONE_OF(MPY_INTEGERS, at_most_16, (code | 0x20) == 'h') ? 16
                                                                                    : 32;
    /* What is left above the bits: all zeros, or all ones of a negative number. */
    int32_t above = bits == 32 ? 0 : (is_signed ? (int32_t)value >> (bits - 1) : (int32_t)(value >> bits));
    if (bits == 32) {
        /* mpy_to_i32 takes both kinds. */
        bool negative = MP_OBJ_IS_SMALL_INT(obj) ? MP_OBJ_SMALL_INT_VALUE(obj) < 0 : mpy_is_negative(obj);
        if (is_signed ? ((int32_t)value < 0) != negative : negative) {
            mpy_raise_overflow();
        }
    } else if (above != 0 && !(is_signed && above == -1)) {
        mpy_raise_overflow();
    }
    return value;
}

MPY_SHARED uint64_t mpy_to_long(mp_obj_t obj, char code) {
    uint64_t value = mpy_to_i64(obj);
    bool negative = MP_OBJ_IS_SMALL_INT(obj) ? MP_OBJ_SMALL_INT_VALUE(obj) < 0 : mpy_is_negative(obj);
    if (code == 'q' ? ((int64_t)value < 0) != negative : negative) {
        mpy_raise_overflow();
    }
    return value;
}

__attribute__((unused)) static mp_obj_t mpy_from_int(uint32_t value, char code) {
    switch (code) {
        case 'b': value = (uint32_t)(int8_t)value; break;
        case 'B': value = (uint8_t)value; break;
        case 'h': value = (uint32_t)(int16_t)value; break;
        case 'H': value = (uint16_t)value; break;
        case 'I': case 'a': return mp_fun_native_to_obj(value, MP_NATIVE_TYPE_UINT);
    }
    return mpy_from_i32(value);
}

#if MPY_LOWERS('n') || MPY_LOWERS('N')
static void mpy_to_int128(mp_obj_t obj, char code, mpy_slot_t *slots) {
    mp_obj_t mask = mp_fun_binary_op(MP_BINARY_OP_SUBTRACT,
        mp_fun_binary_op(MP_BINARY_OP_LSHIFT, MP_OBJ_NEW_SMALL_INT(1), MP_OBJ_NEW_SMALL_INT(64)),
        MP_OBJ_NEW_SMALL_INT(1));
    slots[1].q = mpy_to_long(mp_fun_binary_op(MP_BINARY_OP_RSHIFT, obj, MP_OBJ_NEW_SMALL_INT(64)),
        code == 'n' ? 'q' : 'Q');
    slots[0].q = mpy_to_long(mp_fun_binary_op(MP_BINARY_OP_AND, obj, mask), 'Q');
}
#endif

#if MPY_LIFTS('n') || MPY_LIFTS('N')
static mp_obj_t mpy_from_int128(const mpy_slot_t *slots, char code) {
    uint64_t low = slots[0].q;
    uint64_t high = slots[1].q;
    mp_obj_t obj = mp_fun_binary_get_val_array(code == 'n' ? 'q' : 'Q', &high, 0);
    obj = mp_fun_binary_op(MP_BINARY_OP_LSHIFT, obj, MP_OBJ_NEW_SMALL_INT(64));
    return mp_fun_binary_op(MP_BINARY_OP_OR, obj, mp_fun_binary_get_val_array('Q', &low, 0));
}
#endif

/* The f64 of an integer and back, in its bits: the firmware's floats may be too short for it. */
MPY_SHARED uint64_t mpy_double_of_int(uint32_t value, bool is_signed) {
    uint64_t sign = 0;
    if (is_signed && (int32_t)value < 0) {
        sign = (uint64_t)1 << 63;
        value = -value;
    }
    if (value == 0) {
        return 0;
    }
    unsigned exponent = 31;
    while ((value >> exponent) == 0) {
        exponent--;
    }
    uint64_t fraction = (uint64_t)value << (52 - exponent) & (((uint64_t)1 << 52) - 1);
    return sign | (uint64_t)(1023 + exponent) << 52 | fraction;
}

MPY_SHARED uint32_t mpy_int_of_double(uint64_t bits) {
    unsigned exponent = (unsigned)(bits >> 52 & 0x7ff);
    if (exponent < 1023 || exponent > 1023 + 31) {
        return 0;
    }
    uint64_t fraction = (bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52;
    uint32_t value = (uint32_t)(fraction >> (52 - (exponent - 1023)));
    return (int64_t)bits < 0 ? -value : value;
}

/* An f64 as a float or, when it is a whole number, as an int. */
__attribute__((unused)) static mp_obj_t mpy_from_number(uint64_t bits) {
    int exponent = (int)(bits >> 52 & 0x7ff) - 1023;
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    if (bits == 0) {
        return MP_OBJ_NEW_SMALL_INT(0);
    }
    if (exponent < 0 || exponent > 52 || (fraction << exponent & (((uint64_t)1 << 52) - 1)) != 0) {
        return mp_fun_binary_get_val_array('d', &bits, 0);
    }
    int64_t value = (int64_t)((fraction | (uint64_t)1 << 52) >> (52 - exponent));
    return mpy_from_i64((uint64_t)((int64_t)bits < 0 ? -value : value));
}

#ifdef MPY_USES_JS
/* The f64 of a number, of an integer with all its digits. */
static uint64_t mpy_to_number(mp_obj_t obj) {
    union {
        double d;
        uint64_t q;
    } value;
    if (mp_fun_obj_get_type(obj) == mp_fun_obj_get_type(MP_OBJ_NEW_SMALL_INT(0))) {
        uint64_t low = mpy_to_i64(obj);
        mp_obj_t is_same = mp_fun_binary_op(MP_BINARY_OP_EQUAL, mpy_from_i64(low), obj);
        if (is_same == mp_const_true) {
            value.d = (double)(int64_t)low;
            return value.q;
        }
    }
    mp_fun_table.binary_set_val_array('d', &value, 0, obj);
    return value.q;
}
#endif

/* 2^53 - 1, which stands for None. */
#define MPY_NO_NUMBER 0x433fffffffffffffULL

/* Enums: classes with constants, whose values are integers. */
#ifdef MPY_ENUMS
static void mpy_init_enums(void) {
    for (unsigned i = 0; i < MPY_ENUMS; i++) {
        mp_obj_t dict = mp_fun_table.new_dict(mpy_enums[i].count);
        for (unsigned j = mpy_enums[i].first; j < mpy_enums[i].first + (unsigned)mpy_enums[i].count; j++) {
            mp_fun_dict_store(dict, mpy_string(mpy_enum_variants[j].name),
                mpy_from_int(mpy_enum_variants[j].value, mpy_enums[i].is_signed ? 'i' : 'I'));
        }
        mp_obj_t args[3] = {mpy_string(mpy_enums[i].name), mp_fun_table.new_tuple(0, NULL), dict};
        mp_fun_table.store_global(mp_native_qstr_table[mpy_enums[i].name],
            mp_fun_call_function_n_kw((mp_obj_t)&mp_type_type, 3, args));
    }
}
#endif

#if MPY_LOWERS('e')
/* The f64 of a variant. Others are refused: one of them stands for None. */
static uint64_t mpy_to_enum(mp_obj_t obj, uint32_t number) {
    uint32_t value = mpy_to_i32(obj);
    bool negative = mpy_is_negative(obj);
    for (unsigned i = 0; i < mpy_enums[number].count; i++) {
        if (mpy_enum_variants[mpy_enums[number].first + i].value == value
            && negative == (mpy_enums[number].is_signed && (int32_t)value < 0)) {
            return mpy_double_of_int(value, negative);
        }
    }
    mpy_raise_value_error("not a variant");
}
#endif

/* Objects. Rust holds an object by its index in a table, from 1028; 1024 to 1027 are constants, from 1 are objects
 * lent for the time of a call, and 0 is what stands for None of imported types and closures. Beyond any table are the
 * arguments of the innermost call that are mutable slices. */
#define MPY_OBJECT_ARGUMENT 0x80000000u
#ifdef MPY_USES_OBJECTS

#define MPY_OBJECT_NONE 1024
#define MPY_OBJECT_TRUE 1026
#define MPY_OBJECT_FALSE 1027
#define MPY_OBJECT_FIRST 1028

MPY_SHARED uint32_t mpy_new_object(mp_obj_t obj) {
    if (obj == mp_const_none) {
        return MPY_OBJECT_NONE;
    }
    if (obj == mp_const_true) {
        return MPY_OBJECT_TRUE;
    }
    if (obj == mp_const_false) {
        return MPY_OBJECT_FALSE;
    }
    uint32_t index = mpy_objects_free;
    if (index == mpy_objects_size) {
        uint32_t size = index == 0 ? 8 : 2 * index;
        mp_obj_t *moved = mp_fun_realloc(mpy_objects, size * sizeof(mp_obj_t), true);
        if (moved == NULL) {
            mpy_raise_no_memory("no memory for an object");
        }
        for (uint32_t i = index; i < size; i++) {
            moved[i] = MP_OBJ_NEW_SMALL_INT(i + 1);
        }
        mpy_objects = moved;
        mpy_objects_size = size;
    }
    mpy_objects_free = (uint32_t)MP_OBJ_SMALL_INT_VALUE(mpy_objects[index]);
    mpy_objects[index] = obj;
    return MPY_OBJECT_FIRST + index;
}

#ifdef MPY_CLOSES
static void mpy_end_objects(void) {
    mpy_objects = NULL;
    mpy_objects_size = mpy_objects_free = 0;
}
#endif

MPY_SHARED mp_obj_t mpy_object(uint32_t index) {
    if (index >= MPY_OBJECT_FIRST) {
#ifndef MPY_IS_DIRECT
        if (index - MPY_OBJECT_FIRST >= mpy_objects_size) {
            wasm_trap(WASM_TRAP_TABLE_OUT_OF_BOUNDS);
        }
#endif
        return mpy_objects[index - MPY_OBJECT_FIRST];
    }
#ifdef MPY_LENT
    if (index - 1 < MPY_LENT) {
        return mpy_lent[index - 1];
    }
#endif
    return index == MPY_OBJECT_TRUE    ? mp_const_true
           : index == MPY_OBJECT_FALSE ? mp_const_false
                                       : mp_const_none;
}

MPY_SHARED void mpy_drop_object(uint32_t index) {
    if (index >= MPY_OBJECT_FIRST && index - MPY_OBJECT_FIRST < mpy_objects_size) {
        mpy_objects[index - MPY_OBJECT_FIRST] = MP_OBJ_NEW_SMALL_INT(mpy_objects_free);
        mpy_objects_free = index - MPY_OBJECT_FIRST;
    }
}

#ifdef MPY_UNWINDS
typedef struct {
    mp_obj_t obj;
    uint32_t index;
} mpy_thrown_t;

static void mpy_index_thrown(void *with) {
    mpy_thrown_t *thrown = with;
    thrown->index = mpy_new_object(thrown->obj);
}

/* Throws an exception as a panic of Rust's; whether there was memory for that. */
static bool mpy_throw_object(mp_obj_t exception) {
    mpy_thrown_t thrown = {exception, 0};
    if (mpy_try(mpy_index_thrown, &thrown) != NULL) {
        return false;
    }
    MPY_THROW(thrown.index);
    if (wasm_thrown != NULL && wasm_thrown->tag != &mpy_python_tag) {
        return true;
    }
    mpy_drop_object(thrown.index);
    return false;
}

/* Rust drops what it was thrown. */
__attribute__((unused)) static void mpy_exception_ends(uint32_t index) {
    if (mpy_catching) {
        mpy_ended = mpy_object(index);
    }
    mpy_drop_object(index);
}
#endif

__attribute__((unused)) static mp_obj_t mpy_take_object(uint32_t index) {
    mp_obj_t obj = mpy_object(index);
    mpy_drop_object(index);
    return obj;
}

#ifdef MPY_LENT
/* An object for the time of a call: given back when the call ends, however it ends. */
static uint32_t mpy_lend(mp_obj_t obj) {
    if (mpy_lent_top == MPY_LENT) {
        mpy_unwind();
        mpy_raise(MP_QSTR_RuntimeError, "too many calls within calls");
    }
    mpy_lent[mpy_lent_top] = obj;
    return ++mpy_lent_top;
}
#endif
#endif

/* Text. */

#if MPY_LOWERS('c')
static uint32_t mpy_to_char(mp_obj_t obj) {
    mp_buffer_info_t info;
    uint32_t scalar = 0;
    mpy_text_buffer(obj, &info);
    if (info.len == 0 || mpy_scalar(info.buf, info.len, &scalar) != info.len) {
        mpy_raise_value_error("expected one character");
    }
    return scalar;
}
#endif

#if MPY_LIFTS('c')
static mp_obj_t mpy_from_char(uint32_t scalar) {
    char text[4];
    unsigned more = scalar < 0x80 ? 0 : scalar < 0x800 ? 1 : scalar < 0x10000 ? 2 : 3;
    for (unsigned i = more; i > 0; i--) {
        text[i] = (char)(0x80 | (scalar & 0x3f));
        scalar >>= 6;
    }
    text[0] = (char)(more == 0 ? scalar : scalar | (0xff00u >> (more + 1) & 0xffu));
    return mp_fun_obj_new_str(text, more + 1);
}
#endif

#if MPY_LOWERS('s') || MPY_LOWERS('S')
static void mpy_to_text(mp_obj_t obj, mpy_slot_t *slots) {
    mp_buffer_info_t info;
    mpy_utf8_buffer(obj, &info);
    uint32_t ptr = MPY_MALLOC((uint32_t)info.len, 1);
    mp_fun_memmove((void *)mpy_text(ptr, (uint32_t)info.len), info.buf, info.len);
    slots[0].i = ptr;
    slots[1].i = (uint32_t)info.len;
}
#endif

/* `obj` as a value of the type at `type`, in `slots`. What it takes hold of (memory, objects) is
 * Rust's from the call on. */
static void mpy_lower(const char *type, mp_obj_t obj, mpy_slot_t *slots);
/* The value of the type at `type` in `slots` as an object. What Rust gives away with it is taken, even if this ends in
 * an exception. */
static mp_obj_t mpy_lift(const char *type, const mpy_slot_t *slots);

#endif
