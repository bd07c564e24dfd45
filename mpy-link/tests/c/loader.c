/* Loads a native module like MicroPython (py/persistentcode.c), calls it and prints what it computed.
 * With DIRECT the module is part of this program instead. */

#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct results {
    unsigned count;
    unsigned long long value[64];
};

static int host_add(int a, int b) { return a + b; }

#ifdef DIRECT

int mp_type_fun_builtin_1, mp_type_str;
const void *const mp_fun_table[87] = {[49] = host_add, [74] = &mp_type_str, [78] = &mp_type_fun_builtin_1};
const uint16_t mp_native_qstr_table[4] = {100, 101, 102, 103};
void mpy_init(struct results *out);

static void run(const char *path, struct results *out) {
    (void)path;
    mpy_init(out);
}

#else

static int objects[87];
static const void *fun_table[87];
static const uint16_t qstr_table[4] = {100, 101, 102, 103};
static FILE *file;

static int read_byte(void) {
    int byte = fgetc(file);
    if (byte == EOF) {
        fprintf(stderr, "the file ends too early\n");
        exit(1);
    }
    return byte;
}

static size_t read_uint(void) {
    size_t value = 0;
    for (;;) {
        int byte = read_byte();
        value = value << 7 | (byte & 0x7f);
        if (!(byte & 0x80)) {
            return value;
        }
    }
}

static void read_bytes(uint8_t *to, size_t len) {
    while (len-- > 0) {
        *to++ = (uint8_t)read_byte();
    }
}

static void relocate(uint8_t *text, uint8_t *rodata, uint8_t *bss) {
    uintptr_t *at = NULL;
    int op;
    while ((op = read_byte()) != 0xff) {
        if (op & 1) {
            size_t place = read_uint();
            at = (uintptr_t *)(place & 1 ? rodata : text) + (place >> 1);
        }
        op >>= 1;
        size_t n = 1;
        uintptr_t base;
        if (op <= 5) {
            if (op & 1) {
                n = read_uint();
            }
            base = (uintptr_t)(op >> 1 == 0 ? text : op >> 1 == 1 ? rodata : bss);
        } else if (op == 6) {
            base = (uintptr_t)qstr_table;
        } else if (op == 7) {
            base = 0;
        } else if (op == 8) {
            base = (uintptr_t)fun_table;
        } else {
            base = (uintptr_t)fun_table[op - 9];
        }
        while (n--) {
            *at++ += base;
        }
    }
}

static void run(const char *path, struct results *out) {
    for (int i = 0; i < 87; i++) {
        fun_table[i] = &objects[i];
    }
    fun_table[49] = (const void *)host_add;
    fun_table[50] = (const void *)memset;
    fun_table[51] = (const void *)memmove;
    file = fopen(path, "rb");
    uint8_t header[4];
    read_bytes(header, 4);
    if (header[0] != 'M' || header[1] != 6 || (header[2] & 3) != 3 || header[2] >> 2 != (sizeof(void *) == 8 ? 2 : 1)) {
        fprintf(stderr, "incompatible .mpy file\n");
        exit(1);
    }
    size_t qstrs = read_uint();
    if (read_uint() != 0) {
        exit(1);
    }
    while (qstrs-- > 0) {
        size_t len = read_uint();
        if (!(len & 1)) {
            for (len = (len >> 1) + 1; len > 0; len--) {
                read_byte();
            }
        }
    }
    size_t len = read_uint();
    if ((len & 7) != 2) {
        exit(1);
    }
    len >>= 3;
    uint8_t *text = mmap(NULL, len, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    read_bytes(text, len);
    size_t scope = read_uint();
    size_t rodata_size = scope & 0x20 ? read_uint() : 0;
    size_t bss_size = scope & 0x40 ? read_uint() : 0;
    bss_size = (bss_size + sizeof(uintptr_t) - 1) & ~(sizeof(uintptr_t) - 1);
    uint8_t *data = aligned_alloc(4 * sizeof(void *), (bss_size + rodata_size + 63) & ~(size_t)31);
    memset(data, 0, bss_size + rodata_size);
    read_bytes(data + bss_size, rodata_size);
    relocate(text, data + bss_size, data);
    if (fgetc(file) != EOF) {
        fprintf(stderr, "more after the end\n");
        exit(1);
    }
    ((void (*)(struct results *))(uintptr_t)text)(out);
}

#endif

int main(int argc, char **argv) {
    static struct results out;
    run(argc > 1 ? argv[1] : "", &out);
    for (unsigned i = 0; i < out.count; i++) {
        printf("%u %llx\n", i, out.value[i]);
    }
    return 0;
}
