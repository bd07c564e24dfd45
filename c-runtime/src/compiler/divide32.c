/* Division of 32-bit integers, for machines whose compiler brings no library (GCC internals,
 * "Routines for integer arithmetic"). One quotient bit per step, starting at the first that can be 1.
 * A divisor of 0 is the caller's affair; here it must only come to an end. */
#include <stdint.h>

uint32_t __udivsi3(uint32_t n, uint32_t d);
uint32_t __umodsi3(uint32_t n, uint32_t d);
int32_t __divsi3(int32_t n, int32_t d);
int32_t __modsi3(int32_t n, int32_t d);

/* The remainder; the quotient goes to `quotient`. */
static uint32_t divide(uint32_t n, uint32_t d, uint32_t *quotient) {
    uint32_t bit = 1, q = 0;
    while (d < n && !(d >> 31) && bit) {
        d <<= 1;
        bit <<= 1;
    }
    for (; bit; bit >>= 1, d >>= 1) {
        if (n >= d) {
            n -= d;
            q |= bit;
        }
    }
    *quotient = q;
    return n;
}

uint32_t __udivsi3(uint32_t n, uint32_t d) {
    uint32_t q;
    divide(n, d, &q);
    return q;
}

uint32_t __umodsi3(uint32_t n, uint32_t d) {
    uint32_t q;
    return divide(n, d, &q);
}

static uint32_t magnitude(int32_t x) {
    return x < 0 ? -(uint32_t)x : (uint32_t)x;
}

int32_t __divsi3(int32_t n, int32_t d) {
    uint32_t q = __udivsi3(magnitude(n), magnitude(d));
    return (int32_t)((n ^ d) < 0 ? -q : q);
}

int32_t __modsi3(int32_t n, int32_t d) {
    uint32_t r = __umodsi3(magnitude(n), magnitude(d));
    return (int32_t)(n < 0 ? -r : r);
}
