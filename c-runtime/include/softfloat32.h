/* Single precision without a floating-point unit: see softfloat.h. If DIVIDE is defined, division alone, by that name. */
#include <stdint.h>

typedef float real;
typedef uint32_t bits;
typedef int32_t sbits;

#define MANTISSA 23
#ifndef DIVIDE
#define NAME3(op) __##op##sf3
#define NAME2(op) __##op##sf2
#define FIX_NAME(op, integer) __##op##sf##integer
#define FLOAT_NAME(op, integer) __##op##integer##sf
#else
/* Nothing refers to the rest, so it is not linked. */
#define NAME3(op) NAME_##op
#define NAME2(op) mpy_##op##_sf2
#define FIX_NAME(op, integer) mpy_##op##_sf##integer
#define FLOAT_NAME(op, integer) mpy_##op##integer##_sf
#define NAME_add mpy_add_sf3
#define NAME_sub mpy_sub_sf3
#define NAME_mul mpy_mul_sf3
#define NAME_div DIVIDE
#endif
#define LEADING_ZEROS(x) __builtin_clz(x)

static inline uint32_t wide(uint32_t a, uint32_t b, uint32_t *low) {
    uint64_t product = (uint64_t)a * b;
    *low = (uint32_t)product;
    return (uint32_t)(product >> 32);
}
#define WIDE wide

#include "softfloat.h"
