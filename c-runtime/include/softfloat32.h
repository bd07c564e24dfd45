/* Single precision without a floating-point unit: see softfloat.h. If MPY_NAMES is defined, functions have names of our own
 * (mpy_addsf3, mpy_floatdisf, …), which the including file may define as others. Those that nothing refers to are not linked. */
#include <stdint.h>

typedef float real;
typedef uint32_t bits;
typedef int32_t sbits;

#define MANTISSA 23
#ifndef MPY_NAMES
#define NAME3(op) __##op##sf3
#define NAME2(op) __##op##sf2
#define FIX_NAME(op, integer) __##op##sf##integer
#define FLOAT_NAME(op, integer) __##op##integer##sf
#else
#define NAME3(op) mpy_##op##sf3
#define NAME2(op) mpy_##op##sf2
#define FIX_NAME(op, integer) mpy_##op##sf##integer
#define FLOAT_NAME(op, integer) mpy_##op##integer##sf
#endif
#define LEADING_ZEROS(x) __builtin_clz(x)

static inline uint32_t wide(uint32_t a, uint32_t b, uint32_t *low) {
    uint64_t product = (uint64_t)a * b;
    *low = (uint32_t)product;
    return (uint32_t)(product >> 32);
}
#define WIDE wide

#include "softfloat.h"
