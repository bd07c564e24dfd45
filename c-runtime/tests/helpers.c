/* The compiler helpers against the machine's own arithmetic. They are compiled under names with `test`
 * in front, as the machine's compiler has its own. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 0x9e3779b97f4a7c15;
static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Numbers of all sizes, not only large ones. */
static uint64_t any64(void) {
    uint64_t x = next();
    switch (next() % 4) {
        case 0: return x;
        case 1: return x >> (next() & 63);
        case 2: return ~(x >> (next() & 63));
        default: return ((uint64_t)1 << (next() & 63)) + (x & 3) - 1;
    }
}

/* Of floats: any bits, or an exponent near that of another, or a special number. */
static uint64_t near64;
static uint64_t anyd(void) {
    static const uint64_t special[] = {0, 1, 0x000fffffffffffff, 0x0010000000000000, 0x3ff0000000000000, 0x7fefffffffffffff, 0x7ff0000000000000, 0x7ff8000000000000, 0x7ff0000000000001, 0x43e0000000000000, 0x41dfffffffc00000, 0x4330000000000001, 0x36a0000000000000, 0x3690000000000000, 0x3690000000000001, 0x47efffffe0000000, 0x47effffff0000000, 0x380fffffffffffff};
    uint64_t x = next();
    switch (next() % 4) {
        case 0: return special[x % (sizeof special / 8)] | (x & ((uint64_t)1 << 63));
        case 1: return (x & 0x800fffffffffffff) | ((near64 + ((x >> 52 & 127) << 52) - ((uint64_t)64 << 52)) & 0x7ff0000000000000);
        case 2: return (x & 0x800fffffffffffff & ~((1ull << (next() % 52)) - 1)) | (near64 & 0x7ff0000000000000);
        default: return near64 = x;
    }
}
static uint32_t near32;
static uint32_t anyf(void) {
    static const uint32_t special[] = {0, 1, 0x007fffff, 0x00800000, 0x3f800000, 0x7f7fffff, 0x7f800000, 0x7fc00000, 0x7f800001, 0x5f000000, 0x4f000000, 0x4b000001};
    uint64_t x = next();
    switch (next() % 4) {
        case 0: return special[x % (sizeof special / 4)] | (uint32_t)(x >> 32 & 0x80000000);
        case 1: return ((uint32_t)x & 0x807fffff) | ((near32 + ((uint32_t)(x >> 40 & 63) << 23) - (32u << 23)) & 0x7f800000);
        case 2: return ((uint32_t)x & 0x807fffff & ~((1u << (next() % 23)) - 1)) | (near32 & 0x7f800000);
        default: return near32 = (uint32_t)x;
    }
}
static float f32(uint32_t b) { float x; memcpy(&x, &b, 4); return x; }
static double f64(uint64_t b) { double x; memcpy(&x, &b, 8); return x; }
static uint64_t bits32(float x) { uint32_t b; memcpy(&b, &x, 4); return x != x ? 0x7fc00000 : b; }
static uint64_t bits64(double x) { uint64_t b; memcpy(&b, &x, 8); return x != x ? 0x7ff8000000000000 : b; }

static void check(const char *what, uint64_t a, uint64_t b, uint64_t got, uint64_t want) {
    if (got != want) {
        printf("%s(%#llx, %#llx): got %#llx, want %#llx\n", what, (unsigned long long)a, (unsigned long long)b, (unsigned long long)got, (unsigned long long)want);
        exit(1);
    }
}

#define DECLARE2(result, name, a, b) result test__##name(a, b);
#define DECLARE1(result, name, a) result test__##name(a);
DECLARE2(uint32_t, udivsi3, uint32_t, uint32_t) DECLARE2(uint32_t, umodsi3, uint32_t, uint32_t)
DECLARE2(int32_t, divsi3, int32_t, int32_t) DECLARE2(int32_t, modsi3, int32_t, int32_t)
DECLARE2(uint64_t, udivdi3, uint64_t, uint64_t) DECLARE2(uint64_t, umoddi3, uint64_t, uint64_t)
DECLARE2(int64_t, divdi3, int64_t, int64_t) DECLARE2(int64_t, moddi3, int64_t, int64_t)
DECLARE2(uint32_t, mulsi3, uint32_t, uint32_t) DECLARE2(uint64_t, umulsidi3, uint32_t, uint32_t) DECLARE2(uint64_t, muldi3, uint64_t, uint64_t)
DECLARE2(uint64_t, ashldi3, uint64_t, int) DECLARE2(uint64_t, lshrdi3, uint64_t, int) DECLARE2(int64_t, ashrdi3, int64_t, int)
DECLARE1(int, clzsi2, uint32_t) DECLARE1(int, clzdi2, uint64_t) DECLARE1(int, ctzsi2, uint32_t) DECLARE1(int, ctzdi2, uint64_t)
DECLARE1(int, ffssi2, uint32_t) DECLARE1(int, ffsdi2, uint64_t)
DECLARE1(int, popcountsi2, uint32_t) DECLARE1(int, popcountdi2, uint64_t) DECLARE1(int, paritysi2, uint32_t) DECLARE1(int, paritydi2, uint64_t)
DECLARE1(uint32_t, bswapsi2, uint32_t) DECLARE1(uint64_t, bswapdi2, uint64_t)
DECLARE1(double, extendsfdf2, float) DECLARE1(float, truncdfsf2, double)
#define DECLARE_FLOAT(f, real) \
    DECLARE2(real, add##f##3, real, real) DECLARE2(real, sub##f##3, real, real) DECLARE2(real, mul##f##3, real, real) \
    DECLARE2(real, div##f##3, real, real) DECLARE1(real, neg##f##2, real) \
    DECLARE2(int, eq##f##2, real, real) DECLARE2(int, ne##f##2, real, real) DECLARE2(int, lt##f##2, real, real) \
    DECLARE2(int, le##f##2, real, real) DECLARE2(int, gt##f##2, real, real) DECLARE2(int, ge##f##2, real, real) \
    DECLARE2(int, unord##f##2, real, real) \
    DECLARE1(int32_t, fix##f##si, real) DECLARE1(uint32_t, fixuns##f##si, real) DECLARE1(int64_t, fix##f##di, real) \
    DECLARE1(uint64_t, fixuns##f##di, real) DECLARE1(real, floatsi##f, int32_t) DECLARE1(real, floatunsi##f, uint32_t) \
    DECLARE1(real, floatdi##f, int64_t) DECLARE1(real, floatundi##f, uint64_t)
DECLARE_FLOAT(sf, float)
DECLARE_FLOAT(df, double)

static void integers(void) {
    uint64_t a = any64(), b = any64();
    uint32_t c = (uint32_t)a, d = (uint32_t)b;
    int n = (int)(b & 63);
    if (d) {
        check("udivsi3", c, d, test__udivsi3(c, d), c / d);
        check("umodsi3", c, d, test__umodsi3(c, d), c % d);
        if (c != 0x80000000 || d != 0xffffffff) {
            check("divsi3", c, d, (uint32_t)test__divsi3((int32_t)c, (int32_t)d), (uint32_t)((int32_t)c / (int32_t)d));
            check("modsi3", c, d, (uint32_t)test__modsi3((int32_t)c, (int32_t)d), (uint32_t)((int32_t)c % (int32_t)d));
        }
    }
    if (b) {
        check("udivdi3", a, b, test__udivdi3(a, b), a / b);
        check("umoddi3", a, b, test__umoddi3(a, b), a % b);
        if (a != 1ull << 63 || b != ~0ull) {
            check("divdi3", a, b, (uint64_t)test__divdi3((int64_t)a, (int64_t)b), (uint64_t)((int64_t)a / (int64_t)b));
            check("moddi3", a, b, (uint64_t)test__moddi3((int64_t)a, (int64_t)b), (uint64_t)((int64_t)a % (int64_t)b));
        }
    }
    check("mulsi3", c, d, test__mulsi3(c, d), c * d);
    check("umulsidi3", c, d, test__umulsidi3(c, d), (uint64_t)c * d);
    check("muldi3", a, b, test__muldi3(a, b), a * b);
    check("ashldi3", a, b, test__ashldi3(a, n), a << n);
    check("lshrdi3", a, b, test__lshrdi3(a, n), a >> n);
    check("ashrdi3", a, b, (uint64_t)test__ashrdi3((int64_t)a, n), (uint64_t)((int64_t)a >> n));
    check("clzsi2", c, 0, test__clzsi2(c), c ? __builtin_clz(c) : 32);
    check("clzdi2", a, 0, test__clzdi2(a), a ? __builtin_clzll(a) : 64);
    check("ctzsi2", c, 0, test__ctzsi2(c), c ? __builtin_ctz(c) : 32);
    check("ctzdi2", a, 0, test__ctzdi2(a), a ? __builtin_ctzll(a) : 64);
    check("ffssi2", c, 0, test__ffssi2(c), __builtin_ffs((int)c));
    check("ffsdi2", a, 0, test__ffsdi2(a), __builtin_ffsll((long long)a));
    check("popcountsi2", c, 0, test__popcountsi2(c), __builtin_popcount(c));
    check("popcountdi2", a, 0, test__popcountdi2(a), __builtin_popcountll(a));
    check("paritysi2", c, 0, test__paritysi2(c), __builtin_parity(c));
    check("paritydi2", a, 0, test__paritydi2(a), __builtin_parityll(a));
    check("bswapsi2", c, 0, test__bswapsi2(c), __builtin_bswap32(c));
    check("bswapdi2", a, 0, test__bswapdi2(a), __builtin_bswap64(a));
}

#define FLOATS(f, real, bits, any, of) \
    static void floats_##f(void) { \
        uint64_t a = any(), b = any(); \
        real x = of(a), y = of(b); \
        check("add" #f, a, b, bits(test__add##f##3(x, y)), bits(x + y)); \
        check("sub" #f, a, b, bits(test__sub##f##3(x, y)), bits(x - y)); \
        check("mul" #f, a, b, bits(test__mul##f##3(x, y)), bits(x * y)); \
        check("div" #f, a, b, bits(test__div##f##3(x, y)), bits(x / y)); \
        check("neg" #f, a, 0, bits(test__neg##f##2(x)), bits(-x)); \
        check("eq" #f, a, b, test__eq##f##2(x, y) == 0, x == y); \
        check("ne" #f, a, b, test__ne##f##2(x, y) != 0, x != y); \
        check("lt" #f, a, b, test__lt##f##2(x, y) < 0, x < y); \
        check("le" #f, a, b, test__le##f##2(x, y) <= 0, x <= y); \
        check("gt" #f, a, b, test__gt##f##2(x, y) > 0, x > y); \
        check("ge" #f, a, b, test__ge##f##2(x, y) >= 0, x >= y); \
        check("unord" #f, a, b, test__unord##f##2(x, y) != 0, x != x || y != y); \
        if (x > -2147483649.0 && x < 2147483648.0) \
            check("fix" #f "si", a, 0, (uint32_t)test__fix##f##si(x), (uint32_t)(int32_t)x); \
        if (x > -1.0 && x < 4294967296.0) \
            check("fixuns" #f "si", a, 0, test__fixuns##f##si(x), (uint32_t)x); \
        if (x >= -9223372036854775808.0 && x < 9223372036854775808.0) \
            check("fix" #f "di", a, 0, (uint64_t)test__fix##f##di(x), (uint64_t)(int64_t)x); \
        if (x > -1.0 && x < 18446744073709551616.0) \
            check("fixuns" #f "di", a, 0, test__fixuns##f##di(x), (uint64_t)x); \
        a = any64(); \
        check("floatsi" #f, a, 0, bits(test__floatsi##f((int32_t)a)), bits((real)(int32_t)a)); \
        check("floatunsi" #f, a, 0, bits(test__floatunsi##f((uint32_t)a)), bits((real)(uint32_t)a)); \
        check("floatdi" #f, a, 0, bits(test__floatdi##f((int64_t)a)), bits((real)(int64_t)a)); \
        check("floatundi" #f, a, 0, bits(test__floatundi##f(a)), bits((real)a)); \
    }
FLOATS(sf, float, bits32, anyf, f32)
FLOATS(df, double, bits64, anyd, f64)

int main(void) {
    for (int i = 0; i < 1000000; i++) {
        integers();
        floats_sf();
        floats_df();
        uint32_t a = anyf();
        check("extendsfdf2", a, 0, bits64(test__extendsfdf2(f32(a))), bits64((double)f32(a)));
        uint64_t b = anyd();
        if (i & 1) {
            /* In the range of single precision, and just outside. */
            b = (b & 0x800fffffffffffff) | ((uint64_t)(1023 - 160 + next() % 300) << 52);
        }
        check("truncdfsf2", b, 0, bits32(test__truncdfsf2(f64(b))), bits32((float)f64(b)));
    }
    return 0;
}
