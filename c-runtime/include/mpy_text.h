/* Text that WebAssembly code hands to Python by pointer and length: panic messages and prints. And what Python hands
 * over, before it is copied.
 *
 * The including file defines MPY_MEMORY, the first byte of memory 0, MPY_MEMORY_SIZE, and MPY_IS_DIRECT when addresses are
 * the machine's.
 */
#ifndef MPY_TEXT_H
#define MPY_TEXT_H

#include "mpy_unwind.h"

#ifdef MPY_IS_DIRECT
/* Nothing is checked in this memory: the module reads and writes all addresses by itself. */
__attribute__((unused)) static inline const char *mpy_text(uint32_t ptr, uint32_t len) {
    (void)len;
    return (const char *)((uintptr_t)MPY_MEMORY + ptr);
}
#else
__attribute__((noinline, unused)) static const char *mpy_text(uint32_t ptr, uint32_t len) {
    if (ptr > MPY_MEMORY_SIZE || len > MPY_MEMORY_SIZE - ptr) {
        wasm_trap(WASM_TRAP_MEMORY_OUT_OF_BOUNDS);
    }
    return (const char *)((uintptr_t)MPY_MEMORY + ptr);
}
#endif

/* Words that the module keeps where its compiler aligned them. A module with a memory of its own may name any place, and
 * a processor may not be able to read it. */
#ifdef MPY_IS_DIRECT
#define mpy_word(ptr, len) ((void *)(uintptr_t)mpy_text(ptr, len))
#else
__attribute__((noinline, unused)) static void *mpy_word(uint32_t ptr, uint32_t len) {
    return (void *)(uintptr_t)mpy_text(ptr % 4 == 0 ? ptr : UINT32_MAX, len);
}
#endif

typedef struct {
    const char *text;
    size_t len;
    mp_obj_t exception;
} mpy_message_t;

static void mpy_make_exception(void *with) {
    mpy_message_t *message = with;
    mp_obj_t text = mp_fun_obj_new_str(message->text, message->len);
    message->exception = mp_fun_call_function_n_kw(mp_fun_load_global(MP_QSTR_RuntimeError), 1, &text);
}

/* Raises RuntimeError with a text as its argument, which may lie in what the calls hold that end with it. */
__attribute__((noinline, noreturn, unused)) static void mpy_raise_text(const char *text, size_t len) {
    mpy_message_t message = {text, len, NULL};
    mp_obj_t other = mpy_try(mpy_make_exception, &message);
    mpy_unwind();
    mp_fun_raise(other != NULL ? other : message.exception);
    __builtin_unreachable();
}

#ifdef MPY_UNWINDS
/* The exception for a text. */
static mp_obj_t mpy_text_exception(const char *text, size_t len) {
    mpy_message_t message = {text, len, NULL};
    mp_obj_t other = mpy_try(mpy_make_exception, &message);
    return other != NULL ? other : message.exception;
}

/* The exception for the last panic. */
static mp_obj_t mpy_panic_exception(void) {
    uint32_t at = MPY_LAST_PANIC();
    wasm_u32 *len = (wasm_u32 *)(uintptr_t)mpy_text(at, 4);
    mp_obj_t exception = mpy_text_exception(mpy_text(at + 4, *len), *len);
    *len = 0;
    return exception;
}

static void *mpy_keep_last_panic(void) {
    const wasm_u32 *last = (const wasm_u32 *)(uintptr_t)mpy_text(MPY_LAST_PANIC(), 4);
    size_t size = 4 + (size_t)*last;
    void *kept = mp_fun_realloc(NULL, size, false);
    if (kept != NULL) {
        mp_fun_memmove(kept, mpy_text(MPY_LAST_PANIC(), (uint32_t)size), size);
    }
    return kept;
}

static void mpy_put_back_last_panic(void *kept) {
    size_t size = 4 + (size_t)*(uint32_t *)kept;
    mp_fun_memmove((void *)(uintptr_t)mpy_text(MPY_LAST_PANIC(), (uint32_t)size), kept, size);
    mp_fun_realloc(kept, 0, false);
}

#ifdef MPY_PANICKING
static bool mpy_has_last_panic(void) {
    return *(const wasm_u32 *)(uintptr_t)mpy_text(MPY_LAST_PANIC(), 4) != 0;
}
#endif

/* Throws a RuntimeError with a text of the module's. */
__attribute__((unused)) static void mpy_throw_text(uint32_t ptr, uint32_t len) {
    mpy_throw(mpy_text_exception(mpy_text(ptr, len), len));
}
#endif

/* The same as mpy_raise_text with a text of the module's. */
__attribute__((noreturn, unused)) static void mpy_panic(uint32_t ptr, uint32_t len) {
    mpy_raise_text(mpy_text(ptr, len), len);
}

/* Raises RuntimeError with the text and the place in the source it is about: "boom, src/lib.rs:12". */
__attribute__((noreturn, unused)) static void mpy_panic_at(uint32_t ptr, uint32_t len, uint32_t file, uint32_t file_len, uint32_t line) {
    const char *message = mpy_text(ptr, len);
    const char *path = mpy_text(file, file_len);
    // On the stack, thus cut: the beginning of a message and the end of a path say most. No character is torn.
    char text[256];
    if (len > 160) {
        for (len = 160; len > 0 && (message[len] & 0xc0) == 0x80; len--) {
        }
    }
    if (file_len > 80) {
        for (path += file_len - 80, file_len = 80; file_len > 0 && (*path & 0xc0) == 0x80; path++, file_len--) {
        }
    }
    char *end = text;
    for (uint32_t i = 0; i < len; i++) {
        *end++ = message[i];
    }
    *end++ = ',';
    *end++ = ' ';
    for (uint32_t i = 0; i < file_len; i++) {
        *end++ = path[i];
    }
    *end++ = ':';
    uint32_t unit = 1;
    while (line / unit > 9) {
        unit *= 10;
    }
    for (; unit; unit /= 10) {
        *end++ = (char)('0' + line / unit % 10);
    }
    mpy_raise_text(text, (size_t)(end - text));
}

/* The UTF-8 of `units` units of UTF-16 at `source`, and how many bytes it has. Halves of pairs are U+FFFD. */
__attribute__((unused)) static size_t mpy_utf8_of_utf16(const uint8_t *source, uint32_t units, char *text) {
    char *end = text;
    for (uint32_t i = 0; i < units; i++) {
        uint32_t c = source[2 * i] | (uint32_t)source[2 * i + 1] << 8;
        if (c < 0x80) {
            *end++ = (char)c;
            continue;
        }
        if (c >> 11 == 0xd800 >> 11) {
            uint32_t next = i + 1 < units ? source[2 * i + 2] | (uint32_t)source[2 * i + 3] << 8 : 0;
            if (c < 0xdc00 && next >> 10 == 0xdc00 >> 10) {
                c = 0x10000 + ((c & 0x3ff) << 10) + (next & 0x3ff);
                i++;
                *end++ = (char)(0xf0 | c >> 18);
                *end++ = (char)(0x80 | (c >> 12 & 0x3f));
                *end++ = (char)(0x80 | (c >> 6 & 0x3f));
                *end++ = (char)(0x80 | (c & 0x3f));
                continue;
            }
            c = 0xfffd;
        }
        if (c < 0x800) {
            *end++ = (char)(0xc0 | c >> 6);
        } else {
            *end++ = (char)(0xe0 | c >> 12);
            *end++ = (char)(0x80 | (c >> 6 & 0x3f));
        }
        *end++ = (char)(0x80 | (c & 0x3f));
    }
    return (size_t)(end - text);
}

/* A string of AssemblyScript's as a str, null as None. The word before the text is its size in bytes
 * (`rtSize` of the object's header, std/assembly/rt/common.ts). */
__attribute__((noinline, unused)) static mp_obj_t mpy_utf16(uint32_t ptr) {
    if (ptr == 0) {
        return mp_const_none;
    }
    const uint8_t *size = (const uint8_t *)mpy_text(ptr - 4, 4);
    uint32_t bytes = size[0] | (uint32_t)size[1] << 8 | (uint32_t)size[2] << 16 | (uint32_t)size[3] << 24;
    const uint8_t *source = (const uint8_t *)mpy_text(ptr, bytes);
    /* A unit becomes three bytes at most. */
    char *text = mp_fun_realloc(NULL, (size_t)(bytes / 2) * 3 + 1, true);
    if (text == NULL) {
        mpy_raise_no_memory("out of memory");
    }
    mp_obj_t str = mp_fun_obj_new_str(text, mpy_utf8_of_utf16(source, bytes / 2, text));
    mp_fun_realloc(text, 0, true);
    return str;
}

/* The length of the UTF-8 sequence at `text`, and its scalar value; 0 when it is none.
 * Unicode 16, table 3-7. */
__attribute__((noinline, unused)) static unsigned mpy_scalar(const uint8_t *text, size_t left, uint32_t *scalar) {
    static const uint8_t first[] = {0x00, 0xc2, 0xe0, 0xf0};
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint8_t lead = text[0];
    unsigned more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (more >= left || lead > 0xf4 || (more != 0 && lead < first[more])) {
        return 0;
    }
    uint32_t value = more == 0 ? lead : lead & (0x3fu >> more);
    for (unsigned i = 1; i <= more; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (text[i] & 0x3f);
    }
    if (value < least[more] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) {
        return 0;
    }
    *scalar = value;
    return more + 1;
}

__attribute__((unused)) static void mpy_text_buffer(mp_obj_t obj, mp_buffer_info_t *info) {
    if (mp_fun_obj_get_type(obj) != &mp_type_str) {
        mpy_raise_type_error("expected a str");
    }
    mp_fun_get_buffer(obj, info, MP_BUFFER_READ);
}

/* As mpy_text_buffer, and it is UTF-8: who is handed it relies on that. */
__attribute__((unused)) static void mpy_utf8_buffer(mp_obj_t obj, mp_buffer_info_t *info) {
    mpy_text_buffer(obj, info);
    uint32_t scalar;
    for (size_t at = 0, length; at < info->len; at += length) {
        length = mpy_scalar((const uint8_t *)info->buf + at, info->len - at, &scalar);
        if (length == 0) {
            mpy_raise_value_error("a str is not UTF-8");
        }
    }
}

/* py/mpprint.h, mp_print_t. */
typedef struct {
    void *data;
    void (*print_strn)(void *data, const char *text, size_t len);
} mpy_print_t;

__attribute__((unused)) static void mpy_print(uint32_t ptr, uint32_t len) {
    const char *text = mpy_text(ptr, len);
    /* The output may be Python's (`os.dupterm`). */
    mpy_begin_use();
    /* `%.*s` would end at a zero byte. */
    const mpy_print_t *print = (const void *)mp_fun_table.plat_print;
    print->print_strn(print->data, text, len);
    mpy_end_use();
}

#endif
