/* The Fourier transform of floats in memory, which the crate `mpy` offers as a part of `mpy::dsp`. It is for processors with Helium
 * (MVE), whose instructions for vectors of floats take numbers near 0 for 0; others have the code of the crate.
 *
 * Arm C Language Extensions (ACLE), MVE Intrinsics: VCADD, VCMUL and VCMLA, which are made for it.
 */
#ifndef MPY_DSP_FOURIER_H
#define MPY_DSP_FOURIER_H

#include "mpy_dsp.h"
#include "mpy_text.h"

#ifdef MPY_DSP_HAS_VECTORS
#include <arm_mve.h>

/* Products of the conjugates of w with x. */
static inline float32x4_t mpy_dsp_turn(float32x4_t w, float32x4_t x) {
    return vcmlaq_rot270_f32(vcmulq_f32(w, x), w, x);
}

/* By decimation in frequency with radix 4, two numbers at a time. Results have indices with the bits in the opposite order. */
static void mpy_dsp_transform(float *data, uint32_t len, const float *sines) {
    float *const end = data + 2 * len;
    const uint32x4_t cosines = {len, 0, len, 0};
    uint32_t block = len, angle = 4;
    for (; block > 4; block /= 4, angle *= 4) {
        const uint32_t stride = block / 2;
        uint32x4_t angles = {0, 0, angle, angle};
        for (float *from = data; from < data + stride; from += 4) {
            const uint32x4_t twice = vaddq_u32(angles, angles);
            const float32x4_t w1 = vldrwq_gather_offset_f32(sines, vaddq_u32(angles, cosines));
            const float32x4_t w2 = vldrwq_gather_offset_f32(sines, vaddq_u32(twice, cosines));
            const float32x4_t w3 = vldrwq_gather_offset_f32(sines, vaddq_u32(vaddq_u32(twice, angles), cosines));
            angles = vaddq_n_u32(angles, 2 * angle);
            float *a = from;
            for (uint32_t left = len / block; left != 0; left--, a += 2 * block) {
                float *const b = a + stride, *const c = b + stride, *const d = c + stride;
                const float32x4_t xa = vldrwq_f32(a), xb = vldrwq_f32(b), xc = vldrwq_f32(c), xd = vldrwq_f32(d);
                const float32x4_t s0 = vaddq_f32(xa, xc), d0 = vsubq_f32(xa, xc);
                const float32x4_t s1 = vaddq_f32(xb, xd), d1 = vsubq_f32(xb, xd);
                vstrwq_f32(a, vaddq_f32(s0, s1));
                vstrwq_f32(b, mpy_dsp_turn(w2, vsubq_f32(s0, s1)));
                vstrwq_f32(c, mpy_dsp_turn(w1, vcaddq_rot270_f32(d0, d1)));
                vstrwq_f32(d, mpy_dsp_turn(w3, vcaddq_rot90_f32(d0, d1)));
            }
        }
    }
    /* Numbers that lie beside one another, of two transforms at a time. */
    const uint32_t apart = 8 * block;
    const uint32x4_t places = {0, 4, apart, apart + 4};
    if (block == 4) {
        for (; data < end; data += 16) {
            const float32x4_t xa = vldrwq_gather_offset_f32(data, places), xb = vldrwq_gather_offset_f32(data + 2, places);
            const float32x4_t xc = vldrwq_gather_offset_f32(data + 4, places), xd = vldrwq_gather_offset_f32(data + 6, places);
            const float32x4_t s0 = vaddq_f32(xa, xc), d0 = vsubq_f32(xa, xc);
            const float32x4_t s1 = vaddq_f32(xb, xd), d1 = vsubq_f32(xb, xd);
            vstrwq_scatter_offset_f32(data, places, vaddq_f32(s0, s1));
            vstrwq_scatter_offset_f32(data + 2, places, vsubq_f32(s0, s1));
            vstrwq_scatter_offset_f32(data + 4, places, vcaddq_rot270_f32(d0, d1));
            vstrwq_scatter_offset_f32(data + 6, places, vcaddq_rot90_f32(d0, d1));
        }
    } else {
        for (; data < end; data += 8) {
            const float32x4_t xa = vldrwq_gather_offset_f32(data, places), xb = vldrwq_gather_offset_f32(data + 2, places);
            vstrwq_scatter_offset_f32(data, places, vaddq_f32(xa, xb));
            vstrwq_scatter_offset_f32(data + 2, places, vsubq_f32(xa, xb));
        }
    }
}

/* Puts numbers whose indices have the bits in the opposite order where they belong: those with the bits (s, i, t) and (t, j, s) are
 * exchanged, where s and t are one bit, and j is the reverse of i. Two that lie beside one another belong half of all apart. */
static void mpy_dsp_reorder(float *data, uint32_t len) {
    const uint32x4_t places = {0, 4, 4 * len, 4 * len + 4};
    const uint32_t shift = __builtin_clz(len) + 3;
    for (uint32_t i = 0; i < len / 4; i++) {
        uint32_t j;
        __asm__("rbit %0, %1" : "=r"(j) : "r"(i));
        j >>= shift;
        if (i > j) {
            continue;
        }
        float *const x = data + 4 * i, *const y = data + 4 * j;
        const float32x4_t x0 = vldrwq_f32(x), x1 = vldrwq_f32(x + len), y0 = vldrwq_f32(y), y1 = vldrwq_f32(y + len);
        vstrwq_scatter_offset_f32(y, places, x0);
        vstrwq_scatter_offset_f32(y + 2, places, x1);
        vstrwq_scatter_offset_f32(x, places, y0);
        vstrwq_scatter_offset_f32(x + 2, places, y1);
    }
}
#else
typedef struct {
    wasm_f32 re, im;
} mpy_complex_t;

/* By decimation in frequency with radix 2. */
static void mpy_dsp_transform(mpy_complex_t *data, uint32_t len, const wasm_f32 *sines) {
    for (uint32_t block = len, angle = 1; block > 1; block /= 2, angle *= 2) {
        for (uint32_t j = 0; j < block / 2; j++) {
            const float re = sines[j * angle + len / 4], im = sines[j * angle];
            for (uint32_t i = j; i < len; i += block) {
                mpy_complex_t *const a = data + i, *const b = a + block / 2;
                const float x = a->re - b->re, y = a->im - b->im;
                a->re += b->re;
                a->im += b->im;
                b->re = mpy_dsp_vfma(y, im, x * re);
                b->im = mpy_dsp_vfms(x, im, y * re);
            }
        }
    }
}

/* Puts numbers whose indices have the bits in the opposite order where they belong. */
static void mpy_dsp_reorder(mpy_complex_t *data, uint32_t len) {
    for (uint32_t i = 1, j = len / 2; i < len; i++) {
        if (i < j) {
            const mpy_complex_t kept = data[i];
            data[i] = data[j];
            data[j] = kept;
        }
        uint32_t bit = len / 2;
        for (; (j & bit) != 0; bit /= 2) {
            j ^= bit;
        }
        j |= bit;
    }
}
#endif

/* The transform of so many complex numbers, a power of two. As many sines are those of a circle. */
__attribute__((unused)) static void mpy_dsp_cfft_f32(uint32_t data_ptr, uint32_t len, uint32_t sines_ptr) {
    static const char message[] = "the size of a transform is a power of two from 16 to 32768";
    if (len < 16 || len > 32768 || (len & (len - 1)) != 0) {
        mpy_raise_text(message, sizeof message - 1);
    }
    void *data = mpy_word(data_ptr, 8 * len);
    mpy_dsp_transform(data, len, mpy_word(sines_ptr, 4 * len));
    mpy_dsp_reorder(data, len);
}

#endif
