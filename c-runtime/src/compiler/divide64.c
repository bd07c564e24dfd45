/* Division of 64-bit integers, as divide32.c. */
#include <stdint.h>

uint64_t __udivdi3(uint64_t n, uint64_t d);
uint64_t __umoddi3(uint64_t n, uint64_t d);
int64_t __divdi3(int64_t n, int64_t d);
int64_t __moddi3(int64_t n, int64_t d);

/* The remainder; the quotient goes to `quotient`. */
static uint64_t divide(uint64_t n, uint64_t d, uint64_t *quotient) {
    if (((n | d) >> 32) == 0) {
        /* The machine, or divide32.c, is faster at these. */
        uint32_t low = (uint32_t)n, by = (uint32_t)d;
        *quotient = by ? low / by : 0;
        return by ? low % by : 0;
    }
    uint64_t bit = 1, q = 0;
    while (d < n && !(d >> 63) && bit) {
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

uint64_t __udivdi3(uint64_t n, uint64_t d) {
    uint64_t q;
    divide(n, d, &q);
    return q;
}

uint64_t __umoddi3(uint64_t n, uint64_t d) {
    uint64_t q;
    return divide(n, d, &q);
}

static uint64_t magnitude(int64_t x) {
    return x < 0 ? -(uint64_t)x : (uint64_t)x;
}

int64_t __divdi3(int64_t n, int64_t d) {
    uint64_t q = __udivdi3(magnitude(n), magnitude(d));
    return (int64_t)((n ^ d) < 0 ? -q : q);
}

int64_t __moddi3(int64_t n, int64_t d) {
    uint64_t r = __umoddi3(magnitude(n), magnitude(d));
    return (int64_t)(n < 0 ? -r : r);
}
