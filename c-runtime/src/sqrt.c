/* Square roots, correctly rounded, bit by bit: for processors that have none.
 *
 * The method is that of fdlibm: with m in [1, 4) the root's bits are found from the top, `s` being twice the
 * root so far and `m` what is left; one bit more than fits decides the rounding.
 */
#include <stdint.h>

float wasm_sqrt32(float a);
double wasm_sqrt64(double a);

#define SQRT(name, type, word, digits, bias, infinity) \
    type name(type a) { \
        word bits; \
        __builtin_memcpy(&bits, &a, sizeof bits); \
        word sign = (word)1 << (8 * sizeof bits - 1); \
        if ((bits & ~sign) == 0 || (bits & ~sign) > (infinity) || bits == (infinity)) { \
            return a + a; \
        } \
        if (bits & sign) { \
            return (a - a) / (a - a); \
        } \
        int exponent = (int)(bits >> digits); \
        word m = bits & (((word)1 << digits) - 1); \
        if (exponent == 0) { \
            for (exponent = 1; !(m >> digits); exponent--) { \
                m <<= 1; \
            } \
        } \
        m |= (word)1 << digits; \
        exponent -= bias; \
        if (exponent & 1) { \
            m <<= 1; \
        } \
        exponent >>= 1; \
        m <<= 1; \
        word root = 0, s = 0; \
        for (word bit = (word)1 << (digits + 1); bit != 0; bit >>= 1) { \
            if (s + bit <= m) { \
                m -= s + bit; \
                s += 2 * bit; \
                root += bit; \
            } \
            m <<= 1; \
        } \
        if (m != 0) { \
            root += root & 1; \
        } \
        root = (root >> 1) + ((word)(exponent + bias - 1) << digits); \
        __builtin_memcpy(&a, &root, sizeof a); \
        return a; \
    }

SQRT(wasm_sqrt32, float, uint32_t, 23, 127, 0x7f800000u)
SQRT(wasm_sqrt64, double, uint64_t, 52, 1023, 0x7ff0000000000000ull)
