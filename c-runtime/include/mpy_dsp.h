/* Instructions for signal processing (ACLE, 12.5 and 12.6), which the crate `mpy` offers as `mpy::dsp`: one instruction where the
 * processor has them, and otherwise what they compute. */
#ifndef MPY_DSP_H
#define MPY_DSP_H

#include <stdint.h>

#ifdef __ARM_FEATURE_DSP
#define MPY_DSP1(name, text)                                                       \
    __attribute__((unused)) static inline uint32_t mpy_dsp_##name(uint32_t a) {    \
        uint32_t result;                                                           \
        __asm__(text : "=r"(result) : "r"(a));                                     \
        return result;                                                             \
    }
#define MPY_DSP2(name, text)                                                                \
    __attribute__((unused)) static inline uint32_t mpy_dsp_##name(uint32_t a, uint32_t b) { \
        uint32_t result;                                                                    \
        __asm__(text : "=r"(result) : "r"(a), "r"(b));                                      \
        return result;                                                                      \
    }
#define MPY_DSP3(name, text)                                                                            \
    __attribute__((unused)) static inline uint32_t mpy_dsp_##name(uint32_t a, uint32_t b, uint32_t c) { \
        uint32_t result;                                                                                \
        __asm__(text : "=r"(result) : "r"(a), "r"(b), "r"(c));                                          \
        return result;                                                                                  \
    }
#define MPY_DSP_LONG(name, text)                                                                        \
    __attribute__((unused)) static inline uint64_t mpy_dsp_##name(uint32_t a, uint32_t b, uint64_t c) { \
        __asm__(text : "+r"(c) : "r"(a), "r"(b));                                                       \
        return c;                                                                                       \
    }
MPY_DSP1(sxtb16, "sxtb16 %0, %1")
MPY_DSP1(sxtb16_ror8, "sxtb16 %0, %1, ror #8")
MPY_DSP1(uxtb16, "uxtb16 %0, %1")
MPY_DSP1(uxtb16_ror8, "uxtb16 %0, %1, ror #8")
MPY_DSP2(sxtab16, "sxtab16 %0, %1, %2")
MPY_DSP2(sxtab16_ror8, "sxtab16 %0, %1, %2, ror #8")
MPY_DSP2(smuad, "smuad %0, %1, %2")
MPY_DSP2(smuadx, "smuadx %0, %1, %2")
MPY_DSP2(smusd, "smusd %0, %1, %2")
MPY_DSP2(smusdx, "smusdx %0, %1, %2")
MPY_DSP2(smulwb, "smulwb %0, %1, %2")
MPY_DSP2(smulwt, "smulwt %0, %1, %2")
MPY_DSP2(smmul, "smmul %0, %1, %2")
MPY_DSP2(smmulr, "smmulr %0, %1, %2")
MPY_DSP2(qadd, "qadd %0, %1, %2")
MPY_DSP2(qsub, "qsub %0, %1, %2")
MPY_DSP2(qadd16, "qadd16 %0, %1, %2")
MPY_DSP2(qsub16, "qsub16 %0, %1, %2")
MPY_DSP2(sadd16, "sadd16 %0, %1, %2")
MPY_DSP2(ssub16, "ssub16 %0, %1, %2")
MPY_DSP2(shadd16, "shadd16 %0, %1, %2")
MPY_DSP2(shsub16, "shsub16 %0, %1, %2")
MPY_DSP2(qadd8, "qadd8 %0, %1, %2")
MPY_DSP2(qsub8, "qsub8 %0, %1, %2")
MPY_DSP2(sadd8, "sadd8 %0, %1, %2")
MPY_DSP2(ssub8, "ssub8 %0, %1, %2")
MPY_DSP2(uqadd8, "uqadd8 %0, %1, %2")
MPY_DSP2(uqsub8, "uqsub8 %0, %1, %2")
MPY_DSP2(uhadd8, "uhadd8 %0, %1, %2")
MPY_DSP2(usad8, "usad8 %0, %1, %2")
MPY_DSP2(pkhbt, "pkhbt %0, %1, %2")
MPY_DSP2(pkhbt_lsl16, "pkhbt %0, %1, %2, lsl #16")
MPY_DSP2(pkhtb_asr16, "pkhtb %0, %1, %2, asr #16")
MPY_DSP3(smlad, "smlad %0, %1, %2, %3")
MPY_DSP3(smladx, "smladx %0, %1, %2, %3")
MPY_DSP3(smlsd, "smlsd %0, %1, %2, %3")
MPY_DSP3(smlsdx, "smlsdx %0, %1, %2, %3")
MPY_DSP3(smlawb, "smlawb %0, %1, %2, %3")
MPY_DSP3(smlawt, "smlawt %0, %1, %2, %3")
MPY_DSP3(smmla, "smmla %0, %1, %2, %3")
MPY_DSP3(usada8, "usada8 %0, %1, %2, %3")
MPY_DSP_LONG(smlald, "smlald %Q0, %R0, %1, %2")
MPY_DSP_LONG(smlaldx, "smlaldx %Q0, %R0, %1, %2")
MPY_DSP_LONG(smlsld, "smlsld %Q0, %R0, %1, %2")
MPY_DSP_LONG(smlsldx, "smlsldx %Q0, %R0, %1, %2")
#else
#define MPY_DSP1(name, value) \
    __attribute__((unused)) static inline uint32_t mpy_dsp_##name(uint32_t a) { return (uint32_t)(value); }
#define MPY_DSP2(name, value) \
    __attribute__((unused)) static inline uint32_t mpy_dsp_##name(uint32_t a, uint32_t b) { return (uint32_t)(value); }
#define MPY_DSP3(name, value)                                                                             \
    __attribute__((unused)) static inline uint32_t mpy_dsp_##name(uint32_t a, uint32_t b, uint32_t c) { \
        return (uint32_t)(value);                                                                         \
    }
#define MPY_DSP_LONG(name, value)                                                                         \
    __attribute__((unused)) static inline uint64_t mpy_dsp_##name(uint32_t a, uint32_t b, uint64_t c) { \
        return (uint64_t)(value);                                                                         \
    }
/* Halves and bytes as signed and unsigned numbers, and results of halves and bytes. */
#define MPY_LOW(x) ((int32_t)(int16_t)(x))
#define MPY_HIGH(x) ((int32_t)(int16_t)((x) >> 16))
#define MPY_BYTE(x, i) ((int32_t)(int8_t)((x) >> 8 * (i)))
#define MPY_UBYTE(x, i) ((int32_t)(uint8_t)((x) >> 8 * (i)))
#define MPY_HALVES(low, high) (((uint32_t)(low) & 0xffff) | (uint32_t)(high) << 16)
#define MPY_BYTES(each)                                                                          \
    (((uint32_t)(each(0)) & 0xff) | ((uint32_t)(each(1)) & 0xff) << 8 | ((uint32_t)(each(2)) & 0xff) << 16 \
     | (uint32_t)(each(3)) << 24)

__attribute__((unused)) static inline int32_t mpy_dsp_clamp(int32_t value, int32_t low, int32_t high) {
    return value < low ? low : value > high ? high : value;
}

__attribute__((unused)) static inline uint32_t mpy_dsp_saturated(int64_t value) {
    return (uint32_t)(value < INT32_MIN ? INT32_MIN : value > INT32_MAX ? INT32_MAX : value);
}

#define MPY_SATURATED16(value) mpy_dsp_clamp(value, -32768, 32767)
#define MPY_PRODUCT(x, y) ((uint32_t)((x) * (y)))
#define MPY_LONG(x, y) ((uint64_t)((int64_t)(x) * (y)))
#define MPY_DIFFERENCE(i) (MPY_UBYTE(a, i) > MPY_UBYTE(b, i) ? MPY_UBYTE(a, i) - MPY_UBYTE(b, i) : MPY_UBYTE(b, i) - MPY_UBYTE(a, i))
#define MPY_DIFFERENCES ((uint32_t)(MPY_DIFFERENCE(0) + MPY_DIFFERENCE(1) + MPY_DIFFERENCE(2) + MPY_DIFFERENCE(3)))
#define MPY_QADD8(i) mpy_dsp_clamp(MPY_BYTE(a, i) + MPY_BYTE(b, i), -128, 127)
#define MPY_QSUB8(i) mpy_dsp_clamp(MPY_BYTE(a, i) - MPY_BYTE(b, i), -128, 127)
#define MPY_SADD8(i) (MPY_BYTE(a, i) + MPY_BYTE(b, i))
#define MPY_SSUB8(i) (MPY_BYTE(a, i) - MPY_BYTE(b, i))
#define MPY_UQADD8(i) mpy_dsp_clamp(MPY_UBYTE(a, i) + MPY_UBYTE(b, i), 0, 255)
#define MPY_UQSUB8(i) mpy_dsp_clamp(MPY_UBYTE(a, i) - MPY_UBYTE(b, i), 0, 255)
#define MPY_UHADD8(i) ((MPY_UBYTE(a, i) + MPY_UBYTE(b, i)) >> 1)

MPY_DSP1(sxtb16, MPY_HALVES(MPY_BYTE(a, 0), MPY_BYTE(a, 2)))
MPY_DSP1(sxtb16_ror8, MPY_HALVES(MPY_BYTE(a, 1), MPY_BYTE(a, 3)))
MPY_DSP1(uxtb16, a & 0x00ff00ffu)
MPY_DSP1(uxtb16_ror8, a >> 8 & 0x00ff00ffu)
MPY_DSP2(sxtab16, MPY_HALVES(MPY_LOW(a) + MPY_BYTE(b, 0), MPY_HIGH(a) + MPY_BYTE(b, 2)))
MPY_DSP2(sxtab16_ror8, MPY_HALVES(MPY_LOW(a) + MPY_BYTE(b, 1), MPY_HIGH(a) + MPY_BYTE(b, 3)))
MPY_DSP2(smuad, MPY_PRODUCT(MPY_LOW(a), MPY_LOW(b)) + MPY_PRODUCT(MPY_HIGH(a), MPY_HIGH(b)))
MPY_DSP2(smuadx, MPY_PRODUCT(MPY_LOW(a), MPY_HIGH(b)) + MPY_PRODUCT(MPY_HIGH(a), MPY_LOW(b)))
MPY_DSP2(smusd, MPY_PRODUCT(MPY_LOW(a), MPY_LOW(b)) - MPY_PRODUCT(MPY_HIGH(a), MPY_HIGH(b)))
MPY_DSP2(smusdx, MPY_PRODUCT(MPY_LOW(a), MPY_HIGH(b)) - MPY_PRODUCT(MPY_HIGH(a), MPY_LOW(b)))
MPY_DSP2(smulwb, MPY_LONG((int32_t)a, MPY_LOW(b)) >> 16)
MPY_DSP2(smulwt, MPY_LONG((int32_t)a, MPY_HIGH(b)) >> 16)
MPY_DSP2(smmul, MPY_LONG((int32_t)a, (int32_t)b) >> 32)
MPY_DSP2(smmulr, (MPY_LONG((int32_t)a, (int32_t)b) + 0x80000000u) >> 32)
MPY_DSP2(qadd, mpy_dsp_saturated((int64_t)(int32_t)a + (int32_t)b))
MPY_DSP2(qsub, mpy_dsp_saturated((int64_t)(int32_t)a - (int32_t)b))
MPY_DSP2(qadd16, MPY_HALVES(MPY_SATURATED16(MPY_LOW(a) + MPY_LOW(b)), MPY_SATURATED16(MPY_HIGH(a) + MPY_HIGH(b))))
MPY_DSP2(qsub16, MPY_HALVES(MPY_SATURATED16(MPY_LOW(a) - MPY_LOW(b)), MPY_SATURATED16(MPY_HIGH(a) - MPY_HIGH(b))))
MPY_DSP2(sadd16, MPY_HALVES(MPY_LOW(a) + MPY_LOW(b), MPY_HIGH(a) + MPY_HIGH(b)))
MPY_DSP2(ssub16, MPY_HALVES(MPY_LOW(a) - MPY_LOW(b), MPY_HIGH(a) - MPY_HIGH(b)))
MPY_DSP2(shadd16, MPY_HALVES((MPY_LOW(a) + MPY_LOW(b)) >> 1, (MPY_HIGH(a) + MPY_HIGH(b)) >> 1))
MPY_DSP2(shsub16, MPY_HALVES((MPY_LOW(a) - MPY_LOW(b)) >> 1, (MPY_HIGH(a) - MPY_HIGH(b)) >> 1))
MPY_DSP2(qadd8, MPY_BYTES(MPY_QADD8))
MPY_DSP2(qsub8, MPY_BYTES(MPY_QSUB8))
MPY_DSP2(sadd8, MPY_BYTES(MPY_SADD8))
MPY_DSP2(ssub8, MPY_BYTES(MPY_SSUB8))
MPY_DSP2(uqadd8, MPY_BYTES(MPY_UQADD8))
MPY_DSP2(uqsub8, MPY_BYTES(MPY_UQSUB8))
MPY_DSP2(uhadd8, MPY_BYTES(MPY_UHADD8))
MPY_DSP2(usad8, MPY_DIFFERENCES)
MPY_DSP2(pkhbt, (a & 0xffffu) | (b & 0xffff0000u))
MPY_DSP2(pkhbt_lsl16, (a & 0xffffu) | b << 16)
MPY_DSP2(pkhtb_asr16, (a & 0xffff0000u) | b >> 16)
MPY_DSP3(smlad, c + mpy_dsp_smuad(a, b))
MPY_DSP3(smladx, c + mpy_dsp_smuadx(a, b))
MPY_DSP3(smlsd, c + mpy_dsp_smusd(a, b))
MPY_DSP3(smlsdx, c + mpy_dsp_smusdx(a, b))
MPY_DSP3(smlawb, c + mpy_dsp_smulwb(a, b))
MPY_DSP3(smlawt, c + mpy_dsp_smulwt(a, b))
MPY_DSP3(smmla, c + mpy_dsp_smmul(a, b))
MPY_DSP3(usada8, c + MPY_DIFFERENCES)
MPY_DSP_LONG(smlald, c + wasm_narrow_product(MPY_LOW(a), MPY_LOW(b)) + wasm_narrow_product(MPY_HIGH(a), MPY_HIGH(b)))
MPY_DSP_LONG(smlaldx, c + wasm_narrow_product(MPY_LOW(a), MPY_HIGH(b)) + wasm_narrow_product(MPY_HIGH(a), MPY_LOW(b)))
MPY_DSP_LONG(smlsld, c + wasm_narrow_product(MPY_LOW(a), MPY_LOW(b)) - wasm_narrow_product(MPY_HIGH(a), MPY_HIGH(b)))
MPY_DSP_LONG(smlsldx, c + wasm_narrow_product(MPY_LOW(a), MPY_HIGH(b)) - wasm_narrow_product(MPY_HIGH(a), MPY_LOW(b)))
#endif

/* The number of so many bits, with a sign or without, that is next to a signed one; the number itself for bits that there are not. */
#if defined(__ARM_FEATURE_SAT) && !defined(__clang__)
#define MPY_SATURATE(text)                                            \
    if (__builtin_constant_p(bits)) {                                 \
        uint32_t result;                                              \
        __asm__(text " %0, %2, %1" : "=r"(result) : "r"(a), "i"(bits)); \
        return result;                                                \
    }
#else
#define MPY_SATURATE(text)
#endif
__attribute__((unused)) static inline uint32_t mpy_dsp_ssat(uint32_t a, uint32_t bits) {
    if (bits - 1 >= 31) {
        return a;
    }
    MPY_SATURATE("ssat")
    const int32_t highest = INT32_MAX >> (32 - bits);
    return (uint32_t)((int32_t)a > highest ? highest : (int32_t)a < ~highest ? ~highest : (int32_t)a);
}
__attribute__((unused)) static inline uint32_t mpy_dsp_usat(uint32_t a, uint32_t bits) {
    if (bits >= 32) {
        return a;
    }
    MPY_SATURATE("usat")
    const int32_t highest = (int32_t)((1u << bits) - 1);
    return (uint32_t)((int32_t)a > highest ? highest : (int32_t)a < 0 ? 0 : (int32_t)a);
}

/* Whether vectors of numbers are quicker than instructions for pairs: with Helium (MVE), where that is not about size. */
#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 2) && !defined(__OPTIMIZE_SIZE__)
#define MPY_DSP_HAS_VECTORS
#endif
__attribute__((unused)) static inline uint32_t mpy_dsp_has_vectors(void) {
#ifdef MPY_DSP_HAS_VECTORS
    return 1;
#else
    return 0;
#endif
}

/* sum + a * b. */
__attribute__((unused)) static inline float mpy_dsp_vfma(float a, float b, float sum) {
#if defined(__ARM_FEATURE_FMA) && defined(__ARM_FP) && defined(__ARM_FEATURE_DSP)
    __asm__("vfma.f32 %0, %1, %2" : "+t"(sum) : "t"(a), "t"(b));
    return sum;
#else
    return a * b + sum;
#endif
}

/* sum - a * b. */
__attribute__((unused)) static inline float mpy_dsp_vfms(float a, float b, float sum) {
#if defined(__ARM_FEATURE_FMA) && defined(__ARM_FP) && defined(__ARM_FEATURE_DSP)
    __asm__("vfms.f32 %0, %1, %2" : "+t"(sum) : "t"(a), "t"(b));
    return sum;
#else
    return sum - a * b;
#endif
}

#endif
