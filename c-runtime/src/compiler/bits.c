/* Counting and swapping bits (GCC internals, "Bit operations"), without asking the compiler for the
 * same again. Of 0, clz and ctz are undefined; here they are the width. */
#include <stdint.h>

int __clzsi2(uint32_t x);
int __clzdi2(uint64_t x);
int __ctzsi2(uint32_t x);
int __ctzdi2(uint64_t x);
int __ffssi2(uint32_t x);
int __ffsdi2(uint64_t x);
int __popcountsi2(uint32_t x);
int __popcountdi2(uint64_t x);
int __paritysi2(uint32_t x);
int __paritydi2(uint64_t x);
uint32_t __bswapsi2(uint32_t x);
uint64_t __bswapdi2(uint64_t x);

int __clzsi2(uint32_t x) {
    int n = 32;
    for (int step = 16; step; step >>= 1) {
        if (x >> step) {
            x >>= step;
            n -= step;
        }
    }
    return n - (int)x;
}

int __clzdi2(uint64_t x) {
    uint32_t high = (uint32_t)(x >> 32);
    return high ? __clzsi2(high) : 32 + __clzsi2((uint32_t)x);
}

int __ctzsi2(uint32_t x) {
    return x ? 31 - __clzsi2(x & -x) : 32;
}

int __ctzdi2(uint64_t x) {
    uint32_t low = (uint32_t)x;
    return low ? __ctzsi2(low) : 32 + __ctzsi2((uint32_t)(x >> 32));
}

int __ffssi2(uint32_t x) {
    return x ? 1 + __ctzsi2(x) : 0;
}

int __ffsdi2(uint64_t x) {
    return x ? 1 + __ctzdi2(x) : 0;
}

int __popcountsi2(uint32_t x) {
    x -= x >> 1 & 0x55555555;
    x = (x & 0x33333333) + (x >> 2 & 0x33333333);
    x = (x + (x >> 4)) & 0x0f0f0f0f;
    x += x >> 8;
    return (int)((x + (x >> 16)) & 0x3f);
}

int __popcountdi2(uint64_t x) {
    return __popcountsi2((uint32_t)x) + __popcountsi2((uint32_t)(x >> 32));
}

int __paritysi2(uint32_t x) {
    return __popcountsi2(x) & 1;
}

int __paritydi2(uint64_t x) {
    return __popcountdi2(x) & 1;
}

uint32_t __bswapsi2(uint32_t x) {
    uint32_t pairs = (x & 0x00ff00ff) << 8 | (x >> 8 & 0x00ff00ff);
    return pairs << 16 | pairs >> 16;
}

uint64_t __bswapdi2(uint64_t x) {
    return (uint64_t)__bswapsi2((uint32_t)x) << 32 | __bswapsi2((uint32_t)(x >> 32));
}
