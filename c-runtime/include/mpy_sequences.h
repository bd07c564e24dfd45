/* Vectors and slices. In memory an element is what Rust has there; elements that are no numbers lie in
 * cells as wide as their ABI. */
#ifndef MPY_SEQUENCES_H
#define MPY_SEQUENCES_H

#include "mpy_convert.h"
#include "mpy_modules.h"

#if MPY_LOWERS('E')
/* The index of a variant; `count` of those there are none of. */
static uint32_t mpy_to_string_enum(mp_obj_t obj, uint32_t number) {
    for (uint32_t i = 0; i < mpy_string_enums[number].count; i++) {
        mp_obj_t name = mp_fun_native_to_obj(mp_native_qstr_table[mpy_variants[mpy_string_enums[number].first + i]], MP_NATIVE_TYPE_QSTR);
        if (mp_fun_binary_op(MP_BINARY_OP_EQUAL, name, obj) == mp_const_true) {
            return i;
        }
    }
    mpy_raise_value_error("not a variant");
}
#endif

#if MPY_LIFTS('E')
static mp_obj_t mpy_from_string_enum(uint32_t value, uint32_t number) {
    if (value >= mpy_string_enums[number].count) {
        return mp_const_none;
    }
    return mp_fun_native_to_obj(mp_native_qstr_table[mpy_variants[mpy_string_enums[number].first + value]], MP_NATIVE_TYPE_QSTR);
}
#endif

/* How many elements of so many bytes each are in `bytes` bytes. The size is a power of two, and a division is a large function
 * on some processors. */
static inline size_t mpy_count_elements(size_t bytes, size_t size) {
    for (; size > 1; size /= 2) {
        bytes /= 2;
    }
    return bytes;
}

#ifdef MPY_USES_SEQUENCE

/* The letters of sequences. */
#define MPY_SEQUENCES (MPY_LETTER('V') | MPY_LETTER('L') | MPY_LETTER('M') | MPY_LETTER('W'))

/* Whether elements are no numbers: a slice of them that comes from Rust lies in cells made for the call, but for one of
 * objects, whose cells are Rust's. */
static inline bool mpy_has_cells(char element) {
    /* b B h H i I q Q f d, of the letters that elements can have. */
    uint32_t numbers = 1u << 2 | 1u << 8 | 1u << 9 | 1u << 17 | 1u << 6 | 1u << 4;
    return (numbers >> (element & 31) & 1) == 0;
}

static uint32_t mpy_element_size(char element) {
    const uint64_t ones = MPY_LETTER('b') | MPY_LETTER('B');
    const uint64_t twos = MPY_LETTER('h') | MPY_LETTER('H');
    const uint64_t eights = MPY_LETTER('q') | MPY_LETTER('Q') | MPY_LETTER('d') | MPY_LETTER('e') | MPY_LETTER('S');
    /* Where elements are of one size only, it is a constant. */
    if ((MPY_ELEMENTS & ~ones) == 0) {
        return 1;
    }
    if ((MPY_ELEMENTS & ~twos) == 0) {
        return 2;
    }
    if ((MPY_ELEMENTS & ~eights) == 0) {
        return 8;
    }
    switch (element) {
        case 'b': case 'B': return 1;
        case 'h': case 'H': return 2;
        case 'q': case 'Q': case 'd': case 'e': case 'S': return 8;
    }
    return 4;
}

/* What memory calls the elements of a buffer, if it is one of MPY_ELEMENTS: bytearrays have a code of their own, and `long` is
 * as wide as a pointer. */
static char mpy_typecode(int code) {
    const uint64_t longs = sizeof(void *) == 8 ? MPY_LETTER('q') | MPY_LETTER('Q') : MPY_LETTER('i') | MPY_LETTER('I');
    if ((MPY_ELEMENTS & MPY_LETTER('B')) != 0 && code == 1) {
        return 'B';
    }
    if ((MPY_ELEMENTS & longs) != 0 && (code == 'l' || code == 'L')) {
        return (char)(sizeof(void *) == 8 ? code + ('q' - 'l') : code + ('i' - 'l'));
    }
    return (char)code;
}

/* The letter of the elements of the sequence with the type at `type`. */
static inline char mpy_element(const char *type) {
    /* If all have the same, it is a constant. */
    if ((MPY_ELEMENTS & (MPY_ELEMENTS - 1)) == 0 && MPY_ELEMENTS != MPY_LETTER('?')) {
        return (char)('@' + __builtin_ctzll(MPY_ELEMENTS | MPY_LETTER('?')));
    }
    return type[1];
}

#ifdef MPY_USES_OBJECTS
/* Gives back the objects that are elements of a sequence. */
__attribute__((unused)) static void mpy_drop_elements(const char *type, uint32_t at, uint32_t count) {
    char element = mpy_element(type);
    for (; (element == 'o' || element == 'k' || element == 't') && count > 0; count--, at += 4) {
        mpy_drop_object(mpy_load32(at));
    }
}
#endif

#if MPY_LOWERS('V') || MPY_LOWERS('L') || MPY_LOWERS('M')
static void *mpy_malloc_elements(size_t count, uint32_t size, mpy_slot_t *slots) {
    if (count > mpy_count_elements(0x7fffffffu, size)) {
        mpy_raise_memory_error("too many elements");
    }
    uint32_t bytes = (uint32_t)count * size;
    slots[0].i = MPY_MALLOC(bytes, size);
    slots[1].i = (uint32_t)count;
    return (void *)mpy_text(slots[0].i, bytes);
}

typedef struct {
    const char *type;
    mp_obj_t obj;
    const mpy_slot_t *slots;
    uint32_t size;
    uint32_t lowered;
} mpy_elements_t;

/* Lowers the elements of a sequence one after the other. */
static void mpy_lower_elements(void *with) {
    mpy_elements_t *elements = with;
    while (elements->lowered < elements->slots[1].i) {
        mpy_slot_t slot;
        mp_obj_t at = MP_OBJ_NEW_SMALL_INT(elements->lowered);
        mp_obj_t item = mp_fun_obj_subscr(elements->obj, at, MP_OBJ_SENTINEL);
        mpy_lower(elements->type, item, &slot);
        /* What Python does may move memory. */
        uintptr_t to = (uintptr_t)MPY_MEMORY + elements->slots[0].i + elements->lowered++ * elements->size;
        mp_fun_memmove((void *)to, &slot, elements->size);
    }
}

static void mpy_to_sequence(const char *type, mp_obj_t obj, mpy_slot_t *slots) {
    char element = mpy_element(type);
    uint32_t size = mpy_element_size(element);
    bool is_mutable = MPY_IS_ONE_OF(MPY_LOWERED & MPY_SEQUENCES, MPY_LETTER('M'), type[0] == 'M');
    mp_buffer_info_t info;
    bool is_text = mp_fun_obj_get_type(obj) == &mp_type_str;
    bool is_buffer = !is_text && mp_fun_get_buffer(obj, &info, is_mutable ? MP_BUFFER_RW : MP_BUFFER_READ);
    /* An int has no length, and the firmware does not say so of a small one. */
    if (is_text || MP_OBJ_IS_SMALL_INT(obj) || (is_mutable && !(is_buffer && mpy_typecode(info.typecode) == element))) {
        mpy_raise_type_error(is_mutable ? "expected a writable buffer of the right type" : "expected a sequence");
    }
    if (is_buffer && mpy_typecode(info.typecode) == element) {
        size_t count = mpy_count_elements(info.len, size);
        void *to = mpy_malloc_elements(count, size, slots);
        mp_fun_memmove(to, info.buf, count * size);
        if (is_mutable) {
            slots[2].i = 1024; /* None, until the call says where the elements are to be written back */
        }
        return;
    }
    size_t count;
    if (is_buffer) {
        size_t align;
        size_t width = mp_fun_table.binary_get_size('@', (char)(info.typecode == 1 ? 'B' : info.typecode), &align);
        count = mpy_count_elements(info.len, width);
    } else {
        mp_obj_t length = mp_fun_unary_op(MP_UNARY_OP_LEN, obj);
        mpy_check_open();
        if (!MP_OBJ_IS_SMALL_INT(length)) {
            mpy_raise_type_error("expected a sequence");
        }
        count = (size_t)MP_OBJ_SMALL_INT_VALUE(length);
    }
    mpy_malloc_elements(count, size, slots);
    mpy_elements_t elements = {type + 1, obj, slots, size, 0};
    mpy_begin_use();
    mp_obj_t exception = mpy_try(mpy_lower_elements, &elements);
    mpy_end_use();
    if (exception != NULL) {
#ifdef MPY_USES_OBJECTS
        mpy_drop_elements(type, slots[0].i, elements.lowered);
#endif
        MPY_FREE(slots[0].i, (uint32_t)count * size, size);
        mp_fun_raise(exception);
    }
}

#endif

#if MPY_LIFTS('V') || MPY_LIFTS('L') || MPY_LIFTS('W')
/* Numbers as `bytes` and `array.array`, the rest as a list. The memory and its objects stay Rust's. */
static mp_obj_t mpy_from_sequence(const char *type, const mpy_slot_t *slots) {
    char element = mpy_element(type);
    uint32_t size = mpy_element_size(element);
    uint32_t count = slots[1].i;
    if (count > mpy_count_elements(0x7fffffffu, size)) {
        wasm_trap(WASM_TRAP_MEMORY_OUT_OF_BOUNDS);
    }
    char *from = (char *)mpy_text(slots[0].i, count * size);
    mp_obj_t obj;
    if (mpy_has_cells(element)) {
        obj = mp_fun_table.new_list(0, NULL);
        for (uint32_t i = 0; i < count; i++) {
            mpy_slot_t cell[2];
            /* A finaliser may call the module, and move memory. */
            mp_fun_memmove(&cell[0], mpy_text(slots[0].i + i * size, size), size);
            if (element == 'S') {
                cell[1].i = (uint32_t)(cell[0].q >> 32);
            }
            mp_fun_table.list_append(obj, mpy_lift(element == 'o' || element == 'k' || element == 't' ? "O" : type + 1, cell));
        }
    } else if (element == 'B' && !MPY_IS_ONE_OF(MPY_LIFTED & MPY_SEQUENCES, MPY_LETTER('W'), type[0] == 'W')) {
        obj = mp_fun_table.obj_new_bytes((const uint8_t *)from, count);
    } else if (element == 'B') {
        /* The copy belongs to the object, as Python may keep it. */
        void *copy = mp_fun_realloc(NULL, count + 1, false);
        if (copy == NULL) {
            mpy_raise_memory_error("no memory for a bytearray");
        }
        mp_fun_memmove(copy, mpy_text(slots[0].i, count), count);
        obj = mp_fun_table.obj_new_bytearray_by_ref(count, copy);
    } else {
        mp_obj_t array = mp_fun_load_attr(mpy_import(MPY_STRING_ARRAY), mp_native_qstr_table[MPY_STRING_ARRAY]);
        /* A module of that name may be the user's, and its code move memory. */
        mp_obj_t args[2] = {
            mp_fun_obj_new_str(&element, 1),
            mp_fun_table.obj_new_bytearray_by_ref(count * size, (void *)mpy_text(slots[0].i, count * size)),
        };
        obj = mp_fun_call_function_n_kw(array, 2, args);
    }
    return obj;
}
#endif

#endif
#endif
