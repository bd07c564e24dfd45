/* Shifts of 64-bit integers by a number that is not constant, by way of shifts of 32 bits. */
#include <stdint.h>

uint64_t __ashldi3(uint64_t x, int n);
uint64_t __lshrdi3(uint64_t x, int n);
int64_t __ashrdi3(int64_t x, int n);

/* Shifts by a constant 32 only choose words: no helper is called for them. */
#define LOW(x) ((uint32_t)(x))
#define HIGH(x) ((uint32_t)((x) >> 32))
#define WORDS(high, low) ((uint64_t)(high) << 32 | (low))

uint64_t __ashldi3(uint64_t x, int n) {
    if (n & 32) {
        return WORDS(LOW(x) << (n & 31), 0);
    }
    if (n == 0) {
        return x;
    }
    return WORDS(HIGH(x) << n | LOW(x) >> (32 - n), LOW(x) << n);
}

uint64_t __lshrdi3(uint64_t x, int n) {
    if (n & 32) {
        return WORDS(0, HIGH(x) >> (n & 31));
    }
    if (n == 0) {
        return x;
    }
    return WORDS(HIGH(x) >> n, LOW(x) >> n | HIGH(x) << (32 - n));
}

int64_t __ashrdi3(int64_t x, int n) {
    int32_t high = (int32_t)HIGH((uint64_t)x);
    if (n & 32) {
        return (int64_t)WORDS((uint32_t)(high >> 31), (uint32_t)(high >> (n & 31)));
    }
    if (n == 0) {
        return x;
    }
    return (int64_t)WORDS((uint32_t)(high >> n), LOW((uint64_t)x) >> n | (uint32_t)high << (32 - n));
}
