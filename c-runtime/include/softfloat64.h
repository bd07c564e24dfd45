/* Double precision without a floating-point unit: see softfloat.h. If MPY_NAMES is defined, functions have names of our own
 * (mpy_adddf3, mpy_floatdidf, …), which the including file may define as others. Those that nothing refers to are not linked. */
#include <stdint.h>

typedef double real;
typedef uint64_t bits;
typedef int64_t sbits;

#define MANTISSA 52
#ifndef MPY_NAMES
#define NAME3(op) __##op##df3
#define NAME2(op) __##op##df2
#define FIX_NAME(op, integer) __##op##df##integer
#define FLOAT_NAME(op, integer) __##op##integer##df
#else
#define NAME3(op) mpy_##op##df3
#define NAME2(op) mpy_##op##df2
#define FIX_NAME(op, integer) mpy_##op##df##integer
#define FLOAT_NAME(op, integer) mpy_##op##integer##df
#endif
#define LEADING_ZEROS(x) __builtin_clzll(x)

static uint64_t wide(uint64_t a, uint64_t b, uint64_t *low) {
    uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
    uint64_t ll = al * bl, lh = al * bh, hl = ah * bl;
    uint64_t mid = (ll >> 32) + (uint32_t)lh + (uint32_t)hl;
    *low = mid << 32 | (uint32_t)ll;
    return ah * bh + (lh >> 32) + (hl >> 32) + (mid >> 32);
}
#define WIDE wide

#include "softfloat.h"
