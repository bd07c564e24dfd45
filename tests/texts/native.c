// Pointers and lengths, both ways, in memory from an allocator of its own.

#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))

static char pool[1024];
static size_t used;
static int32_t blocks;

EXPORT(reserve) void *reserve(size_t size) {
    if (size > sizeof(pool) - used) {
        return NULL;
    }
    blocks++;
    used += size;
    return pool + used - size;
}

// The last block is gone: all of them are.
EXPORT(release) void release(void *block, size_t size) {
    if ((char *)block < pool || (char *)block + size > pool + used) {
        __builtin_trap();
    }
    if (--blocks == 0) {
        used = 0;
    }
}

EXPORT(live) int32_t live(void) {
    return blocks;
}

EXPORT(count) uint32_t count(const char *text, size_t length, uint32_t what) {
    uint32_t found = 0;
    for (size_t i = 0; i < length; i++) {
        found += (uint8_t)text[i] == what;
    }
    return found;
}

EXPORT(sum) uint32_t sum(const uint8_t *data, size_t length) {
    uint32_t sum = 0;
    for (size_t i = 0; i < length; i++) {
        sum += data[i];
    }
    return sum;
}

// In place.
EXPORT(upper) char *upper(char *text) {
    for (char *c = text; *c != 0; c++) {
        if (*c >= 'a' && *c <= 'z') {
            *c -= 32;
        }
    }
    return text;
}

EXPORT(same) uint32_t same(const char *a, size_t a_length, double between, const char *b) {
    size_t i = 0;
    while (i < a_length && a[i] == b[i]) {
        i++;
    }
    return i == a_length && b[i] == 0 && between == 0.5;
}

EXPORT(fail) void fail(const char *text, size_t length) {
    __builtin_trap();
}
