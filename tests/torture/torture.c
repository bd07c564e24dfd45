/* Everything a linker can get wrong, in C: far calls, tables, pointers in data, statics, wide arithmetic.
 * Compiled for a board it is a module with one function, `run(part)`; with HOST defined it is a program that prints
 * what each part must return. */
#include <stdint.h>

#ifndef HOST
#include "mpy.h"
#endif

#define PARTS 9
#define NOINLINE __attribute__((noinline))

typedef uint32_t (*function_t)(uint32_t);

static uint32_t mix(uint32_t sum, uint32_t value) { return (sum << 5 ^ sum >> 27 ^ value) * 0x9e3779b1u; }

/* More than 64 KiB of code: 512 functions that differ. */
#define FILLER(n) \
    NOINLINE static uint32_t filler_##n(uint32_t x) { \
        x = x * (0x10001u + 2 * 0x##n) ^ 0x##n; \
        x = (x << 7 | x >> 25) + 0x5bd1e995u * 0x##n; \
        x ^= x >> 11; \
        x = x * 0x85ebca6bu + (x >> 3 ^ 0x##n##5a5u); \
        x += (x & 0x##n) ? 0x1234567u * 0x##n : x >> 9; \
        x = x * 0xc2b2ae35u ^ (x >> 13) ^ 0x##n##777u; \
        x = (x << 3 | x >> 29) - 0x27d4eb2fu * 0x##n; \
        return x ^ x >> 16; \
    }
#define EACH_16(X, n) \
    X(n##0) X(n##1) X(n##2) X(n##3) X(n##4) X(n##5) X(n##6) X(n##7) \
    X(n##8) X(n##9) X(n##a) X(n##b) X(n##c) X(n##d) X(n##e) X(n##f)
#define EACH_256(X, n) \
    EACH_16(X, n##0) EACH_16(X, n##1) EACH_16(X, n##2) EACH_16(X, n##3) \
    EACH_16(X, n##4) EACH_16(X, n##5) EACH_16(X, n##6) EACH_16(X, n##7) \
    EACH_16(X, n##8) EACH_16(X, n##9) EACH_16(X, n##a) EACH_16(X, n##b) \
    EACH_16(X, n##c) EACH_16(X, n##d) EACH_16(X, n##e) EACH_16(X, n##f)
#define EACH(X) EACH_256(X, 1) EACH_256(X, 2) EACH_256(X, 3) EACH_256(X, 4)
EACH(FILLER)

/* A table of function pointers in constant data, and direct calls over the whole of the code. */
#define ENTRY(n) filler_##n,
static const function_t fillers[] = {EACH(ENTRY)};

NOINLINE static uint32_t far_pointers(void) {
    uint32_t sum = 1;
    for (unsigned i = 0; i < sizeof fillers / sizeof *fillers; i += 3) sum = fillers[i](sum + i);
    return sum;
}

NOINLINE static uint32_t far_calls(void) {
    uint32_t sum = 2;
    sum = filler_100(sum);
    sum = filler_4ff(sum);
    sum = filler_17a(sum);
    sum = filler_3c1(sum);
    return filler_2ee(sum);
}

/* 64-bit integers. */
NOINLINE static uint32_t wide(void) {
    volatile uint64_t seed = 0x0123456789abcdefull;
    uint64_t x = seed;
    uint32_t sum = 0;
    for (unsigned i = 1; i < 40; i++) {
        x = x * 6364136223846793005ull + 1442695040888963407ull;
        uint64_t q = x / (i * 977 + 1), r = x % (i * 977 + 1);
        int64_t s = (int64_t)x / -(int64_t)(i + 3) + ((int64_t)x >> (i & 63)) % 1000003;
        sum = mix(sum, (uint32_t)(q ^ q >> 32));
        sum = mix(sum, (uint32_t)r);
        sum = mix(sum, (uint32_t)((uint64_t)s ^ (uint64_t)s >> 32));
        sum = mix(sum, (uint32_t)(x << (i & 31) >> 7));
    }
    return sum;
}

/* Single and double precision, and conversions between everything. */
NOINLINE static uint32_t floats(void) {
    volatile float f0 = 1.5f;
    volatile double d0 = 0.75;
    float f = f0;
    double d = d0;
    uint32_t sum = 0;
    for (int i = 1; i < 40; i++) {
        f = f * 1.25f - 3.0f / (float)i;
        d = d * 1.0625 + (double)f / (i + 0.5);
        if (f > 1000.0f) f -= 999.5f;
        if (d < -5.0 || d >= 4096.0) d = d * 0.125;
        sum = mix(sum, (uint32_t)(int32_t)(f * 1024.0f));
        sum = mix(sum, (uint32_t)(int64_t)(d * 65536.0));
        sum = mix(sum, (uint32_t)(f < (float)d) + 2 * (uint32_t)((float)d == f));
        sum = mix(sum, (uint32_t)(uint64_t)(d < 0 ? -d : d));
    }
    return sum;
}

/* A switch the compiler makes a table of. */
NOINLINE static uint32_t step(uint32_t state, uint32_t input) {
    switch (state) {
#define CASE(n, result) case n: return result;
        CASE(0, input + 3) CASE(1, input ^ 0x55) CASE(2, input * 7) CASE(3, input >> 1)
        CASE(4, ~input) CASE(5, input - 11) CASE(6, input | 8) CASE(7, input & 0xffff7)
        CASE(8, input * input) CASE(9, input + 1000) CASE(10, input << 2) CASE(11, input % 97)
        CASE(12, input / 5) CASE(13, input + state) CASE(14, input ^ 0xf0f0) CASE(15, input + 1)
        CASE(16, input - 1) CASE(17, input * 3) CASE(18, input ^ 1) CASE(19, input + 19)
        CASE(40, input ^ 0xabc) CASE(41, input * 41) CASE(42, input + 42) CASE(43, input >> 3)
    default: return 0xdead;
    }
}

NOINLINE static uint32_t switches(void) {
    uint32_t sum = 0, value = 12345;
    for (uint32_t i = 0; i < 200; i++) {
        value = step(i % 47, value);
        sum = mix(sum, value);
    }
    return sum;
}

/* Initialised data with pointers to data, text and functions. */
struct node {
    const char *name;
    struct node *next;
    function_t function;
    uint32_t value;
};
static struct node first, second;
static struct node third = {"third", &first, filler_123, 3};
static struct node second = {"second", &third, filler_321, 2};
static struct node first = {"first", &second, filler_400, 1};
static uint32_t numbers[5] = {10, 20, 30, 40, 50};
static uint32_t *const middle = &numbers[2];
static const char *const words[] = {"alpha", "beta", "gamma", "beta", "a string that is longer than the others"};

NOINLINE static uint32_t data(void) {
    uint32_t sum = 0;
    struct node *node = &first;
    for (int i = 0; i < 7; i++, node = node->next) {
        for (const char *c = node->name; *c; c++) sum = mix(sum, (uint8_t)*c);
        sum = mix(sum, node->function(node->value));
    }
    sum = mix(sum, middle[1] - middle[-1]);
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        for (const char *c = words[i]; *c; c++) sum = mix(sum, (uint8_t)*c);
    return sum;
}

/* Statics: zeroed, initialised, local, of odd sizes and alignments. */
static uint8_t bytes[13];
static uint16_t halves[7] = {1, 2, 3};
static uint64_t wides[3];
static uint64_t aligned __attribute__((aligned(16)));

NOINLINE static uint32_t count(void) {
    static uint32_t calls = 100;
    return ++calls;
}

NOINLINE static uint32_t statics(void) {
    uint32_t sum = (uint32_t)((uintptr_t)&aligned & 7);
    for (unsigned i = 0; i < 40; i++) {
        bytes[i % 13] = (uint8_t)(bytes[i % 13] + i);
        halves[i % 7] = (uint16_t)(halves[i % 7] * 3 + i);
        wides[i % 3] += (uint64_t)i << 30;
        aligned += wides[i % 3];
        sum = mix(sum, bytes[(i * 5) % 13] + halves[(i * 3) % 7] + (uint32_t)(aligned >> 32));
    }
    for (unsigned i = 0; i < 13; i++) bytes[i] = 0;
    for (unsigned i = 0; i < 7; i++) halves[i] = i < 3 ? (uint16_t)(i + 1) : 0;
    for (unsigned i = 0; i < 3; i++) wides[i] = 0;
    aligned = 0;
    uint32_t before = count();
    return mix(sum, count() - before);
}

/* Recursion. */
NOINLINE static uint32_t ackermann(uint32_t m, uint32_t n) {
    return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

/* Copies and comparisons for which compilers call a library. */
struct large {
    uint32_t words[40];
};
NOINLINE static struct large fill(uint32_t seed) {
    struct large large;
    for (unsigned i = 0; i < 40; i++) large.words[i] = seed = mix(seed, i);
    return large;
}
NOINLINE static uint32_t copies(void) {
    struct large a = fill(1), b = fill(2), c = a;
    a = b;
    b = c;
    return mix(a.words[39] ^ b.words[0], (uint32_t)__builtin_memcmp(&b, &c, sizeof b));
}

uint32_t torture(uint32_t part);
NOINLINE uint32_t torture(uint32_t part) {
    switch (part) {
    case 0: return far_pointers();
    case 1: return far_calls();
    case 2: return wide();
    case 3: return floats();
    case 4: return switches();
    case 5: return data();
    case 6: return statics();
    case 7: return ackermann(2, 5);
    case 8: return copies();
    default: return 0;
    }
}

#ifdef HOST
// Without the header: an object is kept in the cache only if it includes nothing of the system.
int printf(const char *, ...);
int main(void) {
    for (uint32_t part = 0; part < PARTS; part++) printf("%u %08x\n", part, torture(part));
}
#else
static mp_obj_t run(mp_obj_t part) {
    uint32_t result = torture((uint32_t)mp_fun_table.native_from_obj(part, MP_NATIVE_TYPE_UINT));
    return mp_fun_table.native_to_obj(result, MP_NATIVE_TYPE_UINT);
}

static const mp_obj_fun_builtin_fixed_t run_object = {&mp_type_fun_builtin_1, {._1 = run}};

void mpy_init(void);
void mpy_init(void) {
    mp_fun_table.store_global(mp_native_qstr_table[1], (mp_obj_t)&run_object);
}
#endif
