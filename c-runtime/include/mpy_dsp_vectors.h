/* Sums of products of numbers in memory, which the crate `mpy` offers as a part of `mpy::dsp`. They are for processors with
 * Helium (MVE), whose instructions for vectors of floats take numbers near 0 for 0.
 *
 * Arm v8-M Architecture Reference Manual: VFMA, VMLALDAV, SQSHLL, DLSTP, LETP, VCTP.
 */
#ifndef MPY_DSP_VECTORS_H
#define MPY_DSP_VECTORS_H

#include "mpy_dsp.h"
#include "mpy_text.h"

/* So many numbers of this size, where the module may have them. They may lie anywhere. */
static inline const uint8_t *mpy_dsp_numbers(uint32_t ptr, uint64_t count, uint32_t size) {
    return (const uint8_t *)mpy_text(ptr, count > UINT32_MAX / size ? UINT32_MAX : (uint32_t)count * size);
}
static inline const uint8_t *mpy_dsp_floats(uint32_t ptr, uint64_t count) { return mpy_dsp_numbers(ptr, count, 4); }

/* The sum of a[i] * b[i]. */
__attribute__((unused)) static float mpy_dsp_dot_f32(uint32_t a_ptr, uint32_t b_ptr, uint32_t count) {
    const uint8_t *a = mpy_dsp_floats(a_ptr, count), *b = mpy_dsp_floats(b_ptr, count);
    float sum = 0;
#ifdef MPY_DSP_HAS_VECTORS
    if (count != 0) {
        __asm__(
            "vmov.i32 q0, #0\n\tdlstp.8 lr, %3\n1:\n\t"
            "vldrb.8 q1, [%1], #16\n\tvldrb.8 q2, [%2], #16\n\tvfma.f32 q0, q1, q2\n\tletp lr, 1b\n\t"
            "vadd.f32 s0, s0, s1\n\tvadd.f32 s2, s2, s3\n\tvadd.f32 %0, s0, s2"
            : "=t"(sum), "+r"(a), "+r"(b) : "r"(count * 4) : "lr", "q0", "q1", "q2", "memory");
    }
#else
    for (uint32_t i = 0; i < count; i++) {
        sum = mpy_dsp_vfma(((const wasm_f32_unaligned *)a)[i], ((const wasm_f32_unaligned *)b)[i], sum);
    }
#endif
    return sum;
}

/* y[j] = the sum of x[k] * rows[k * stride + j]. */
__attribute__((unused)) static void mpy_dsp_vec_mat_f32(
    uint32_t x_ptr, uint32_t x_count, uint32_t rows_ptr, uint32_t stride, uint32_t y_ptr, uint32_t y_count) {
    const uint64_t last = x_count == 0 ? 0 : (uint64_t)(x_count - 1) * stride;
    const uint8_t *x = mpy_dsp_floats(x_ptr, x_count);
    const uint8_t *rows = mpy_dsp_floats(rows_ptr, x_count == 0 ? 0 : last + y_count);
    uint8_t *y = (uint8_t *)(uintptr_t)mpy_dsp_floats(y_ptr, y_count);
#ifdef MPY_DSP_HAS_VECTORS
    if (x_count == 0) {
        mp_fun_table.memset(y, 0, y_count * 4);
        return;
    }
    stride *= 4;
    /* 16 sums at once, in q0 to q3. */
    for (; y_count >= 16; y_count -= 16, y += 64, rows += 64) {
        const uint8_t *from = x, *row = rows;
        uint32_t factor;
        __asm__ volatile(
            "vmov.i32 q0, #0\n\tvmov.i32 q1, #0\n\tvmov.i32 q2, #0\n\tvmov.i32 q3, #0\n\tdls lr, %5\n1:\n\t"
            "ldr %0, [%1], #4\n\tvldrb.8 q4, [%2]\n\tvldrb.8 q5, [%2, #16]\n\t"
            "vfma.f32 q0, q4, %0\n\tvldrb.8 q4, [%2, #32]\n\tvfma.f32 q1, q5, %0\n\tvldrb.8 q5, [%2, #48]\n\t"
            "vfma.f32 q2, q4, %0\n\tadd %2, %2, %4\n\tvfma.f32 q3, q5, %0\n\tle lr, 1b\n\t"
            "vstrb.8 q0, [%3]\n\tvstrb.8 q1, [%3, #16]\n\tvstrb.8 q2, [%3, #32]\n\tvstrb.8 q3, [%3, #48]"
            : "=&r"(factor), "+&r"(from), "+&r"(row) : "r"(y), "r"(stride), "r"(x_count)
            : "lr", "q0", "q1", "q2", "q3", "q4", "q5", "memory");
    }
    /* Four, or as many as are left. */
#ifdef __clang__ /* It has no name for it, and no code here that could use it. */
#define MPY_PREDICATE
#else
#define MPY_PREDICATE "p0",
#endif
    for (uint32_t left = y_count * 4; left != 0; left = left > 16 ? left - 16 : 0, y += 16, rows += 16) {
        const uint8_t *from = x, *row = rows;
        uint32_t factor;
        __asm__ volatile(
            "vmov.i32 q0, #0\n\tvctp.8 %6\n\tdls lr, %5\n1:\n\t"
            "ldr %0, [%1], #4\n\tvpst\n\tvldrbt.8 q1, [%2]\n\tadd %2, %2, %4\n\tvfma.f32 q0, q1, %0\n\tle lr, 1b\n\t"
            "vpst\n\tvstrbt.8 q0, [%3]"
            : "=&r"(factor), "+&r"(from), "+&r"(row) : "r"(y), "r"(stride), "r"(x_count), "r"(left)
            : "lr", "q0", "q1", MPY_PREDICATE "memory");
    }
#else
    for (uint32_t j = 0; j < y_count; j++) {
        float sum = 0;
        for (uint32_t k = 0; k < x_count; k++) {
            const uint32_t at = k * stride + j;
            sum = mpy_dsp_vfma(((const wasm_f32_unaligned *)x)[k], ((const wasm_f32_unaligned *)rows)[at], sum);
        }
        ((wasm_f32_unaligned *)y)[j] = sum;
    }
#endif
}

/* y[j] = the sum of rows[j * stride + k] * x[k], divided by 2^15 and rounded down, or the number of 16 bits that is next to it. */
__attribute__((unused)) static void mpy_dsp_mat_vec_q15(
    uint32_t rows_ptr, uint32_t stride, uint32_t x_ptr, uint32_t x_count, uint32_t y_ptr, uint32_t y_count) {
    const uint64_t last = y_count == 0 ? 0 : (uint64_t)(y_count - 1) * stride;
    const uint8_t *rows = mpy_dsp_numbers(rows_ptr, x_count == 0 || y_count == 0 ? 0 : last + x_count, 2);
    const uint8_t *x = mpy_dsp_numbers(x_ptr, x_count, 2);
    uint8_t *y = (uint8_t *)(uintptr_t)mpy_dsp_numbers(y_ptr, y_count, 2);
#ifdef MPY_DSP_HAS_VECTORS
    if (x_count == 0) {
        mp_fun_table.memset(y, 0, y_count * 2);
        return;
    }
    /* Two sums at once; the last one may be computed twice. */
    for (; y_count != 0; y_count -= 2, y += 4, rows += 4 * stride) {
        const uint8_t *from = x, *a = rows, *b = y_count == 1 ? rows : rows + 2 * stride;
        int64_t sum_a = 0, sum_b = 0;
        __asm__ volatile(
            "dlstp.8 lr, %5\n1:\n\tvldrb.8 q0, [%2], #16\n\tvldrb.8 q1, [%3], #16\n\tvldrb.8 q2, [%4], #16\n\t"
            "vmlaldava.s16 %Q0, %R0, q0, q1\n\tvmlaldava.s16 %Q1, %R1, q0, q2\n\tletp lr, 1b\n\t"
            /* The upper 16 bits are the sum without its lower 15. */
            "sqshll %Q0, %R0, #32\n\tsqshll %Q0, %R0, #1\n\tsqshll %Q1, %R1, #32\n\tsqshll %Q1, %R1, #1"
            : "+&r"(sum_a), "+&r"(sum_b), "+&r"(from), "+&r"(a), "+&r"(b) : "r"(x_count * 2)
            : "lr", "cc", "q0", "q1", "q2", "memory");
        ((wasm_u16_unaligned *)y)[0] = (uint16_t)((uint64_t)sum_a >> 48);
        if (y_count == 1) {
            break;
        }
        ((wasm_u16_unaligned *)y)[1] = (uint16_t)((uint64_t)sum_b >> 48);
    }
#else
    for (uint32_t j = 0; j < y_count; j++) {
        int64_t sum = 0;
        for (uint32_t k = 0; k < x_count; k++) {
            sum += ((const wasm_s16_unaligned *)x)[k] * ((const wasm_s16_unaligned *)rows)[j * stride + k];
        }
        sum >>= 15;
        ((wasm_u16_unaligned *)y)[j] = (uint16_t)(sum < -32768 ? -32768 : sum > 32767 ? 32767 : sum);
    }
#endif
}

#endif
