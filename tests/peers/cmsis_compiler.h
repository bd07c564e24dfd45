/* What CMSIS-DSP wants of CMSIS-Core, mostly by ACLE's functions (arm_acle.h), as CMSIS-Core 6 has it. */
#ifndef CMSIS_COMPILER_H
#define CMSIS_COMPILER_H

#include <stdint.h>

#define __ASM __asm
#define __STATIC_INLINE static inline
#define __STATIC_FORCEINLINE __attribute__((always_inline)) static inline
#define __WEAK __attribute__((weak))
#define __ALIGNED(x) __attribute__((aligned(x)))

__STATIC_FORCEINLINE uint8_t __CLZ(uint32_t value) { return value == 0 ? 32 : (uint8_t)__builtin_clz(value); }

#ifdef __ARM_FEATURE_DSP
#include <arm_acle.h>
#define __SSAT(value, bits) __ssat(value, bits)
#define __ROR(value, by) ((uint32_t)(value) >> (by) | (uint32_t)(value) << (32 - (by)))
#define __SMLAD(a, b, sum) __smlad((int32_t)(a), (int32_t)(b), (int32_t)(sum))
#define __SMLADX(a, b, sum) __smladx((int32_t)(a), (int32_t)(b), (int32_t)(sum))
#define __SMLALD(a, b, sum) __smlald((int32_t)(a), (int32_t)(b), (int64_t)(sum))
#define __SMLALDX(a, b, sum) __smlaldx((int32_t)(a), (int32_t)(b), (int64_t)(sum))
#define __QADD16(a, b) ((uint32_t)__qadd16((int32_t)(a), (int32_t)(b)))
#define __QSUB16(a, b) ((uint32_t)__qsub16((int32_t)(a), (int32_t)(b)))
#define __QSAX(a, b) ((uint32_t)__qsax((int32_t)(a), (int32_t)(b)))
#define __QASX(a, b) ((uint32_t)__qasx((int32_t)(a), (int32_t)(b)))
#define __SHADD16(a, b) ((uint32_t)__shadd16((int32_t)(a), (int32_t)(b)))
#define __SHSUB16(a, b) ((uint32_t)__shsub16((int32_t)(a), (int32_t)(b)))
#define __SHSAX(a, b) ((uint32_t)__shsax((int32_t)(a), (int32_t)(b)))
#define __SHASX(a, b) ((uint32_t)__shasx((int32_t)(a), (int32_t)(b)))
#define __SMUAD(a, b) ((uint32_t)__smuad((int32_t)(a), (int32_t)(b)))
#define __SMUADX(a, b) ((uint32_t)__smuadx((int32_t)(a), (int32_t)(b)))
#define __SMUSD(a, b) ((uint32_t)__smusd((int32_t)(a), (int32_t)(b)))
#define __SMUSDX(a, b) ((uint32_t)__smusdx((int32_t)(a), (int32_t)(b)))
#define __SXTB16(value) __sxtb16((int32_t)(value))
#define __PKHBT(low, high, by) \
    __extension__({ \
        uint32_t pair; \
        __asm__("pkhbt %0, %1, %2, lsl %3" : "=r"(pair) : "r"(low), "r"(high), "I"(by)); \
        pair; \
    })
#else
__STATIC_FORCEINLINE int32_t __SSAT(int32_t value, uint32_t bits) {
    const int32_t most = (int32_t)((1u << (bits - 1)) - 1);
    return value > most ? most : value < -1 - most ? -1 - most : value;
}
#endif

#endif
