/* IEEE 754 arithmetic with integers, for machines without a floating-point unit whose compiler brings
 * no library. Included once per format by float32.c and float64.c, which define
 *
 *   real, bits, sbits   the format, and the integers of its width
 *   MANTISSA            stored bits of the mantissa
 *   NAME2, NAME3(op)    the name GCC calls an operation by that has 2 or 3 operands, the result being one;
 *   FIX_NAME, FLOAT_NAME(op, integer)   the same for conversions ("Routines for floating point emulation")
 *   WIDE(a, b, low)     the upper half of the product of two `bits`; the lower goes to `*low`
 *   LEADING_ZEROS(x)    of a `bits` that is not 0
 *
 * Round to nearest, ties to even; subnormal numbers are honoured; there are no flags. A NaN that goes
 * in comes out as the canonical one, which WebAssembly allows ("4.3.3 Floating-Point Operations").
 *
 * Numbers on their way are a sign, an exponent and a mantissa with GUARD more bits below, of which the
 * lowest is sticky: set when anything was lost. A subnormal number has exponent 1 and no leading bit.
 */
#include <stdint.h>

#define WIDTH ((int)sizeof(bits) * 8)
#define SIGN ((bits)1 << (WIDTH - 1))
#define ONE ((bits)1 << MANTISSA) /* the leading bit that is not stored */
#define FRACTION (ONE - 1)
#define EXPONENT_BITS (WIDTH - 1 - MANTISSA)
#define EXPONENT_MAX ((1 << EXPONENT_BITS) - 1)
#define BIAS (EXPONENT_MAX >> 1)
#define INFINITE ((bits)EXPONENT_MAX << MANTISSA)
#define NOT_A_NUMBER (INFINITE | ONE >> 1)
#define GUARD 3

static inline bits to_bits(real x) {
    union {
        real x;
        bits b;
    } u = {.x = x};
    return u.b;
}

static inline real from_bits(bits b) {
    union {
        bits b;
        real x;
    } u = {.b = b};
    return u.x;
}

static inline bits magnitude(bits x) {
    return x & ~SIGN;
}

static inline int is_nan(bits x) {
    return magnitude(x) > INFINITE;
}

/* Shifts right by `n` >= 0, keeping what is lost as the lowest bit. */
static bits shift_sticky(bits x, int n) {
    if (n >= WIDTH) {
        return x != 0;
    }
    return x >> n | (bits)((x & (((bits)1 << n) - 1)) != 0);
}

/* Rounds a mantissa with guard bits, below 2^(MANTISSA + 1 + GUARD), and puts the number together. */
static real pack(bits sign, int exponent, bits mantissa) {
    if (exponent < 1) {
        mantissa = shift_sticky(mantissa, 1 - exponent);
        exponent = 1;
    }
    bits lost = mantissa & ((1 << GUARD) - 1);
    mantissa >>= GUARD;
    if (exponent >= EXPONENT_MAX) {
        return from_bits(sign | INFINITE);
    }
    /* The leading bit adds itself to the exponent; so does a carry of rounding, up to infinity. */
    bits x = ((bits)(exponent - 1) << MANTISSA) + mantissa;
    x += (lost + (x & 1)) > (1 << (GUARD - 1));
    return from_bits(sign | x);
}

/* The mantissa of a finite number other than 0, its leading bit set; its exponent to `exponent`. */
static bits normal(bits x, int *exponent) {
    bits mantissa = x & FRACTION;
    *exponent = (int)(magnitude(x) >> MANTISSA);
    if (*exponent) {
        return mantissa | ONE;
    }
    int shift = LEADING_ZEROS(mantissa) - EXPONENT_BITS;
    *exponent = 1 - shift;
    return mantissa << shift;
}

static real add(bits a, bits b) {
    if (magnitude(a) < magnitude(b)) {
        bits t = a;
        a = b;
        b = t;
    }
    bits sign = a & SIGN;
    int opposite = (a ^ b) >> (WIDTH - 1) != 0;
    if (magnitude(a) >= INFINITE) {
        return from_bits(is_nan(a) || (opposite && magnitude(b) == INFINITE) ? NOT_A_NUMBER : a);
    }
    int ea = (int)(magnitude(a) >> MANTISSA), eb = (int)(magnitude(b) >> MANTISSA);
    bits ma = (a & FRACTION) | (ea ? ONE : 0), mb = (b & FRACTION) | (eb ? ONE : 0);
    ea += !ea;
    eb += !eb;
    ma <<= GUARD;
    mb = shift_sticky(mb << GUARD, ea - eb);
    if (!opposite) {
        ma += mb;
        if (ma >> (MANTISSA + GUARD + 1)) {
            ma = shift_sticky(ma, 1);
            ea++;
        }
        return pack(sign, ea, ma);
    }
    ma -= mb;
    if (!ma) {
        return from_bits(0);
    }
    int shift = LEADING_ZEROS(ma) - (EXPONENT_BITS - GUARD);
    if (shift > ea - 1) {
        shift = ea - 1;
    }
    return pack(sign, ea - shift, ma << shift);
}

real NAME3(add)(real a, real b);
real NAME3(add)(real a, real b) {
    return add(to_bits(a), to_bits(b));
}

real NAME3(sub)(real a, real b);
real NAME3(sub)(real a, real b) {
    return add(to_bits(a), to_bits(b) ^ SIGN);
}

real NAME3(mul)(real a, real b);
real NAME3(mul)(real x, real y) {
    bits a = to_bits(x), b = to_bits(y), sign = (a ^ b) & SIGN;
    a = magnitude(a);
    b = magnitude(b);
    if (a >= INFINITE || b >= INFINITE) {
        return from_bits(a > INFINITE || b > INFINITE || !a || !b ? NOT_A_NUMBER : sign | INFINITE);
    }
    if (!a || !b) {
        return from_bits(sign);
    }
    int ea, eb;
    bits low, high;
    a = normal(a, &ea);
    b = normal(b, &eb);
    int exponent = ea + eb - BIAS + 1;
    high = WIDE(a << EXPONENT_BITS, b << EXPONENT_BITS, &low);
    if (!(high >> (WIDTH - 1))) {
        high = high << 1 | low >> (WIDTH - 1);
        low <<= 1;
        exponent--;
    }
    return pack(sign, exponent, shift_sticky(high | (low != 0), EXPONENT_BITS - GUARD));
}

real NAME3(div)(real a, real b);
real NAME3(div)(real x, real y) {
    bits a = to_bits(x), b = to_bits(y), sign = (a ^ b) & SIGN;
    a = magnitude(a);
    b = magnitude(b);
    if (a >= INFINITE || b >= INFINITE || !a || !b) {
        if (a > INFINITE || b > INFINITE || a == b) {
            return from_bits(NOT_A_NUMBER);
        }
        return from_bits(sign | (a == INFINITE || !b ? INFINITE : 0));
    }
    int ea, eb;
    a = normal(a, &ea);
    b = normal(b, &eb);
    int exponent = ea - eb + BIAS;
    if (a < b) {
        a <<= 1;
        exponent--;
    }
    bits quotient = 0;
    for (int i = 0; i < MANTISSA + 1 + GUARD; i++, a <<= 1) {
        quotient <<= 1;
        sbits rest = (sbits)(a - b);
        if (rest >= 0) {
            a = (bits)rest;
            quotient++;
        }
    }
    return pack(sign, exponent, quotient | (a != 0));
}

real NAME2(neg)(real x);
real NAME2(neg)(real x) {
    return from_bits(to_bits(x) ^ SIGN);
}

/* -1, 0, 1 as a is less than, equal to or greater than b; `unordered` when one is a NaN. */
static int compare(real x, real y, int unordered) {
    bits a = to_bits(x), b = to_bits(y);
    if (is_nan(a) || is_nan(b)) {
        return unordered;
    }
    /* In two's complement the order of the numbers is that of the integers. */
    sbits i = a & SIGN ? -(sbits)magnitude(a) : (sbits)a;
    sbits j = b & SIGN ? -(sbits)magnitude(b) : (sbits)b;
    return (i > j) - (i < j);
}

#define COMPARISON(op, unordered) \
    int NAME2(op)(real a, real b); \
    int NAME2(op)(real a, real b) { \
        return compare(a, b, unordered); \
    }
COMPARISON(eq, 1)
COMPARISON(ne, 1)
COMPARISON(lt, 1)
COMPARISON(le, 1)
COMPARISON(gt, -1)
COMPARISON(ge, -1)

int NAME2(unord)(real a, real b);
int NAME2(unord)(real a, real b) {
    return is_nan(to_bits(a)) || is_nan(to_bits(b));
}

/* The whole part of a number's magnitude below 2^64, or 2^64-1. */
static uint64_t whole(real x) {
    bits b = magnitude(to_bits(x));
    int exponent = (int)(b >> MANTISSA) - BIAS - MANTISSA;
    uint64_t mantissa = (b & FRACTION) | ONE;
    if (exponent < -MANTISSA) {
        return 0;
    }
    if (exponent < 0) {
        return mantissa >> -exponent;
    }
    return exponent > 63 - MANTISSA ? UINT64_MAX : mantissa << exponent;
}

/* Out of range these are undefined in C, and WebAssembly code has checked the range before. */
uint64_t FIX_NAME(fixuns, di)(real x);
uint64_t FIX_NAME(fixuns, di)(real x) {
    return whole(x);
}

int64_t FIX_NAME(fix, di)(real x);
int64_t FIX_NAME(fix, di)(real x) {
    uint64_t value = whole(x);
    return (int64_t)(to_bits(x) & SIGN ? -value : value);
}

uint32_t FIX_NAME(fixuns, si)(real x);
uint32_t FIX_NAME(fixuns, si)(real x) {
    return (uint32_t)whole(x);
}

int32_t FIX_NAME(fix, si)(real x);
int32_t FIX_NAME(fix, si)(real x) {
    return (int32_t)FIX_NAME(fix, di)(x);
}

static real from_whole(bits sign, uint64_t value) {
    if (!value) {
        return from_bits(0);
    }
    /* Bring the leading bit to the top, then the upper bits down to a mantissa with guard bits. */
    uint32_t high = (uint32_t)(value >> 32);
    int shift = high ? __builtin_clz(high) : 32 + __builtin_clz((uint32_t)value);
    value <<= shift;
    int exponent = BIAS + 63 - shift;
    int drop = 63 - MANTISSA - GUARD;
    bits mantissa = (bits)(value >> drop) | (bits)((value & (((uint64_t)1 << drop) - 1)) != 0);
    return pack(sign, exponent, mantissa);
}

real FLOAT_NAME(floatun, di)(uint64_t x);
real FLOAT_NAME(floatun, di)(uint64_t x) {
    return from_whole(0, x);
}

real FLOAT_NAME(float, di)(int64_t x);
real FLOAT_NAME(float, di)(int64_t x) {
    return x < 0 ? from_whole(SIGN, -(uint64_t)x) : from_whole(0, (uint64_t)x);
}

real FLOAT_NAME(floatun, si)(uint32_t x);
real FLOAT_NAME(floatun, si)(uint32_t x) {
    return from_whole(0, x);
}

real FLOAT_NAME(float, si)(int32_t x);
real FLOAT_NAME(float, si)(int32_t x) {
    return FLOAT_NAME(float, di)(x);
}
