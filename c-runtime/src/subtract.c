/* Subtraction of floats as an addition, where size matters: some compilers' libraries have addition twice, the second
 * time with the sign of b turned. Others have both in one, which must not be taken apart. */
#include <stdint.h>

#if defined(__OPTIMIZE_SIZE__) && !defined(__clang__)
#if defined(__ARM_ARCH_6M__)
#define SUBTRACT(letter, mode) __aeabi_##letter##sub
#define ADD(letter, mode) __aeabi_##letter##add
#elif defined(__riscv) && !defined(__riscv_flen)
#define SUBTRACT(letter, mode) __sub##mode##3
#define ADD(letter, mode) __add##mode##3
#endif
#endif

#ifdef ADD
#define DEFINE(letter, mode, type, word) \
    type ADD(letter, mode)(type, type); \
    type SUBTRACT(letter, mode)(type a, type b); \
    type SUBTRACT(letter, mode)(type a, type b) { \
        word bits; \
        __builtin_memcpy(&bits, &b, sizeof bits); \
        bits ^= (word)1 << (8 * sizeof bits - 1); \
        __builtin_memcpy(&b, &bits, sizeof bits); \
        return ADD(letter, mode)(a, b); \
    }
DEFINE(f, sf, float, uint32_t)
DEFINE(d, df, double, uint64_t)
#endif
