/* Multiplication for machines whose compiler brings no library. Nothing wider than a product of 32
 * bits is asked of the machine, and not even that by __mulsi3. */
#include <stdint.h>

uint32_t __mulsi3(uint32_t a, uint32_t b);
uint64_t __umulsidi3(uint32_t a, uint32_t b);
uint64_t __muldi3(uint64_t a, uint64_t b);

uint32_t __mulsi3(uint32_t a, uint32_t b) {
    uint32_t product = 0;
    for (; b; b >>= 1, a <<= 1) {
        if (b & 1) {
            product += a;
        }
    }
    return product;
}

/* The whole product of two 32-bit numbers, from four products of their halves. */
uint64_t __umulsidi3(uint32_t a, uint32_t b) {
    uint32_t a0 = a & 0xffff, a1 = a >> 16, b0 = b & 0xffff, b1 = b >> 16;
    uint32_t low = a0 * b0;
    uint32_t mid = a1 * b0 + (low >> 16);
    uint32_t mid2 = a0 * b1 + (mid & 0xffff);
    uint32_t high = a1 * b1 + (mid >> 16) + (mid2 >> 16);
    return (uint64_t)high << 32 | (mid2 << 16 | (low & 0xffff));
}

uint64_t __muldi3(uint64_t a, uint64_t b) {
    uint32_t al = (uint32_t)a, ah = (uint32_t)(a >> 32), bl = (uint32_t)b, bh = (uint32_t)(b >> 32);
    return __umulsidi3(al, bl) + ((uint64_t)(al * bh + ah * bl) << 32);
}
