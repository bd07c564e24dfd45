/* Double precision without a floating-point unit: see softfloat.h. If DIVIDE is defined, division alone, by that name. */
#include <stdint.h>

typedef double real;
typedef uint64_t bits;
typedef int64_t sbits;

#define MANTISSA 52
#ifndef DIVIDE
#define NAME3(op) __##op##df3
#define NAME2(op) __##op##df2
#define FIX_NAME(op, integer) __##op##df##integer
#define FLOAT_NAME(op, integer) __##op##integer##df
#else
/* Nothing refers to the rest, so it is not linked. */
#define NAME3(op) NAME_##op
#define NAME2(op) mpy_##op##_df2
#define FIX_NAME(op, integer) mpy_##op##_df##integer
#define FLOAT_NAME(op, integer) mpy_##op##integer##_df
#define NAME_add mpy_add_df3
#define NAME_sub mpy_sub_df3
#define NAME_mul mpy_mul_df3
#define NAME_div DIVIDE
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
