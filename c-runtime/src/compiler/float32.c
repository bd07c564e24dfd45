/* Single precision without a floating-point unit: see softfloat.h. */
#include <stdint.h>

typedef float real;
typedef uint32_t bits;
typedef int32_t sbits;

#define MANTISSA 23
#define NAME3(op) __##op##sf3
#define NAME2(op) __##op##sf2
#define FIX_NAME(op, integer) __##op##sf##integer
#define FLOAT_NAME(op, integer) __##op##integer##sf
#define LEADING_ZEROS(x) __builtin_clz(x)

static inline uint32_t wide(uint32_t a, uint32_t b, uint32_t *low) {
    uint64_t product = (uint64_t)a * b;
    *low = (uint32_t)product;
    return (uint32_t)(product >> 32);
}
#define WIDE wide

#include "softfloat.h"
