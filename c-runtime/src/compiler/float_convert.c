/* Between single and double precision without a floating-point unit. */
#include <stdint.h>

double __extendsfdf2(float x);
float __truncdfsf2(double x);

double __extendsfdf2(float x) {
    union {
        float x;
        uint32_t b;
    } from = {.x = x};
    union {
        double x;
        uint64_t b;
    } to;
    uint32_t magnitude = from.b & 0x7fffffff;
    int exponent = (int)(magnitude >> 23);
    uint32_t mantissa = magnitude & 0x7fffff;
    if (exponent == 255) {
        to.b = (uint64_t)2047 << 52 | (mantissa ? (uint64_t)1 << 51 : 0);
    } else if (!magnitude) {
        to.b = 0;
    } else {
        if (!exponent) {
            /* Every subnormal single is a normal double. */
            for (exponent = 1; !(mantissa >> 23); exponent--) {
                mantissa <<= 1;
            }
            mantissa &= 0x7fffff;
        }
        to.b = (uint64_t)(exponent + 1023 - 127) << 52 | (uint64_t)mantissa << 29;
    }
    to.b |= (uint64_t)(from.b >> 31) << 63;
    return to.x;
}

float __truncdfsf2(double x) {
    union {
        double x;
        uint64_t b;
    } from = {.x = x};
    union {
        float x;
        uint32_t b;
    } to;
    uint64_t magnitude = from.b & ~((uint64_t)1 << 63);
    int exponent = (int)(magnitude >> 52) - 1023 + 127;
    if (magnitude > (uint64_t)2047 << 52) {
        to.b = 0x7fc00000;
    } else if (exponent >= 255) {
        to.b = 0x7f800000;
    } else if (exponent < -24) {
        to.b = 0;
    } else {
        /* 24 bits of mantissa, 8 below them, the lowest of these sticky. */
        uint64_t mantissa = (magnitude & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52;
        int drop = exponent < 1 ? 22 - exponent : 21;
        uint32_t m = (uint32_t)(mantissa >> drop) | ((mantissa & (((uint64_t)1 << drop) - 1)) != 0);
        to.b = ((uint32_t)(exponent < 1 ? 0 : exponent - 1) << 23) + (m >> 8);
        to.b += (m & 0xff) + (to.b & 1) > 0x80;
    }
    to.b |= (uint32_t)(from.b >> 63) << 31;
    return to.x;
}
