/* The operators of vectors of integers of up to 32 bits, with the instructions of Helium (MVE). A part of `wasm_simd.h`.
 *
 * Arm v8-M Architecture Reference Manual, and Arm C Language Extensions (ACLE), MVE Intrinsics.
 */
#ifndef WASM_SIMD_MVE_H
#define WASM_SIMD_MVE_H

#define SIMD_V(a) ((wasm_v128_t)(a))
#define SIMD_S8(a) ((int8x16_t)(a))
#define SIMD_U8(a) ((uint8x16_t)(a))
#define SIMD_S16(a) ((int16x8_t)(a))
#define SIMD_U16(a) ((uint16x8_t)(a))
#define SIMD_S32(a) ((int32x4_t)(a))
#define SIMD_U32(a) ((uint32x4_t)(a))
#define SIMD_F32(a) ((float32x4_t)(a))

#define SIMD_ONE(name, ...) \
    SIMD_INLINE wasm_v128_t simd_##name(wasm_v128_t a) { return SIMD_V(__VA_ARGS__); }
#define SIMD_TWO(name, ...) \
    SIMD_INLINE wasm_v128_t simd_##name(wasm_v128_t a, wasm_v128_t b) { return SIMD_V(__VA_ARGS__); }

/* Halves of a vector. GCC 12 would take them from memory, and may name other registers for one that it puts there. */
#define SIMD_HALF(register, a) __extension__({ \
        uint64_t half; \
        __asm__("vmov %Q0, %R0, %" register "1" : "=r"(half) : "w"(a)); \
        half; \
    })
SIMD_INLINE wasm_v128_t simd_of_halves(uint64_t low, uint64_t high) {
    wasm_v128_t r;
    __asm__("vmov %e0, %Q1, %R1\n\tvmov %f0, %Q2, %R2" : "=w"(r) : "r"(low), "r"(high));
    return r;
}
SIMD_INLINE wasm_v128_t simd_v128_load32_zero(uint32_t value) { return SIMD_V(vsetq_lane_u32(value, vdupq_n_u32(0), 0)); }
SIMD_INLINE wasm_v128_t simd_v128_load64_zero(uint64_t value) {
    return SIMD_V(vsetq_lane_u32((uint32_t)(value >> 32), SIMD_U32(simd_v128_load32_zero((uint32_t)value)), 1));
}
SIMD_INLINE wasm_v128_t simd_i8x16_splat(uint32_t value) { return SIMD_V(vdupq_n_u8((uint8_t)value)); }
SIMD_INLINE wasm_v128_t simd_i16x8_splat(uint32_t value) { return SIMD_V(vdupq_n_u16((uint16_t)value)); }
SIMD_INLINE wasm_v128_t simd_i32x4_splat(uint32_t value) { return SIMD_V(vdupq_n_u32(value)); }
SIMD_INLINE wasm_v128_t simd_f32x4_splat(float value) { return SIMD_V(vdupq_n_u32(wasm_bits32(value))); }

SIMD_ONE(v128_not, vmvnq_u32(SIMD_U32(a)))
SIMD_TWO(v128_and, vandq_u32(SIMD_U32(a), SIMD_U32(b)))
SIMD_TWO(v128_andnot, vbicq_u32(SIMD_U32(a), SIMD_U32(b)))
SIMD_TWO(v128_or, vorrq_u32(SIMD_U32(a), SIMD_U32(b)))
SIMD_TWO(v128_xor, veorq_u32(SIMD_U32(a), SIMD_U32(b)))
SIMD_INLINE wasm_v128_t simd_v128_bitselect(wasm_v128_t a, wasm_v128_t b, wasm_v128_t c) {
    return simd_v128_or(simd_v128_and(a, c), simd_v128_andnot(b, c));
}

SIMD_INLINE uint32_t simd_v128_any_true(wasm_v128_t a) { return vmaxvq_u32(0, SIMD_U32(a)) != 0; }
SIMD_INLINE uint32_t simd_i8x16_all_true(wasm_v128_t a) { return vminvq_u8(UINT8_MAX, SIMD_U8(a)) != 0; }
SIMD_INLINE uint32_t simd_i16x8_all_true(wasm_v128_t a) { return vminvq_u16(UINT16_MAX, SIMD_U16(a)) != 0; }
SIMD_INLINE uint32_t simd_i32x4_all_true(wasm_v128_t a) { return vminvq_u32(UINT32_MAX, SIMD_U32(a)) != 0; }
/* A predicate has a bit for each byte. */
SIMD_INLINE uint32_t simd_i8x16_bitmask(wasm_v128_t a) { return vcmpltq_n_s8(SIMD_S8(a), 0); }
SIMD_INLINE uint32_t simd_i16x8_bitmask(wasm_v128_t a) {
    uint32_t bits = vcmpltq_n_s16(SIMD_S16(a), 0) & 0x5555u;
    bits = (bits | bits >> 1) & 0x3333u;
    bits = (bits | bits >> 2) & 0x0f0fu;
    return (bits | bits >> 4) & 0xffu;
}
SIMD_INLINE uint32_t simd_i32x4_bitmask(wasm_v128_t a) {
    const uint32_t bits = vcmpltq_n_s32(SIMD_S32(a), 0) & 0x1111u;
    return (bits | bits >> 3 | bits >> 6 | bits >> 9) & 0xfu;
}

/* Ones where a comparison holds. */
#define SIMD_COMPARISON(name, bits, ...) \
    SIMD_TWO(name, vpselq_u##bits(vdupq_n_u##bits(UINT##bits##_MAX), vdupq_n_u##bits(0), __VA_ARGS__))
#define SIMD_COMPARISONS(shape, bits) \
    SIMD_COMPARISON(shape##_eq, bits, vcmpeqq_u##bits(SIMD_U##bits(a), SIMD_U##bits(b))) \
    SIMD_COMPARISON(shape##_ne, bits, vcmpneq_u##bits(SIMD_U##bits(a), SIMD_U##bits(b))) \
    SIMD_COMPARISON(shape##_lt_s, bits, vcmpltq_s##bits(SIMD_S##bits(a), SIMD_S##bits(b))) \
    SIMD_COMPARISON(shape##_gt_s, bits, vcmpgtq_s##bits(SIMD_S##bits(a), SIMD_S##bits(b))) \
    SIMD_COMPARISON(shape##_le_s, bits, vcmpleq_s##bits(SIMD_S##bits(a), SIMD_S##bits(b))) \
    SIMD_COMPARISON(shape##_ge_s, bits, vcmpgeq_s##bits(SIMD_S##bits(a), SIMD_S##bits(b))) \
    SIMD_COMPARISON(shape##_lt_u, bits, vcmphiq_u##bits(SIMD_U##bits(b), SIMD_U##bits(a))) \
    SIMD_COMPARISON(shape##_gt_u, bits, vcmphiq_u##bits(SIMD_U##bits(a), SIMD_U##bits(b))) \
    SIMD_COMPARISON(shape##_le_u, bits, vcmpcsq_u##bits(SIMD_U##bits(b), SIMD_U##bits(a))) \
    SIMD_COMPARISON(shape##_ge_u, bits, vcmpcsq_u##bits(SIMD_U##bits(a), SIMD_U##bits(b)))
SIMD_COMPARISONS(i8x16, 8)
SIMD_COMPARISONS(i16x8, 16)
SIMD_COMPARISONS(i32x4, 32)
#undef SIMD_COMPARISONS
#undef SIMD_COMPARISON

/* By the number of bits that a register has. A negative one is a shift to the right. */
#define SIMD_SHIFTED(name, type, ...) \
    SIMD_INLINE wasm_v128_t simd_##name(wasm_v128_t a, uint32_t by) { \
        const int32_t n = (int32_t)(by & (8 * sizeof(type) - 1)); \
        return SIMD_V(__VA_ARGS__); \
    }
#define SIMD_INTEGERS(shape, bits) \
    SIMD_TWO(shape##_add, vaddq_u##bits(SIMD_U##bits(a), SIMD_U##bits(b))) \
    SIMD_TWO(shape##_sub, vsubq_u##bits(SIMD_U##bits(a), SIMD_U##bits(b))) \
    SIMD_ONE(shape##_neg, vnegq_s##bits(SIMD_S##bits(a))) \
    SIMD_ONE(shape##_abs, vabsq_s##bits(SIMD_S##bits(a))) \
    SIMD_TWO(shape##_min_s, vminq_s##bits(SIMD_S##bits(a), SIMD_S##bits(b))) \
    SIMD_TWO(shape##_max_s, vmaxq_s##bits(SIMD_S##bits(a), SIMD_S##bits(b))) \
    SIMD_TWO(shape##_min_u, vminq_u##bits(SIMD_U##bits(a), SIMD_U##bits(b))) \
    SIMD_TWO(shape##_max_u, vmaxq_u##bits(SIMD_U##bits(a), SIMD_U##bits(b))) \
    SIMD_SHIFTED(shape##_shl, uint##bits##_t, vshlq_r_u##bits(SIMD_U##bits(a), n)) \
    SIMD_SHIFTED(shape##_shr_s, uint##bits##_t, vshlq_r_s##bits(SIMD_S##bits(a), -n)) \
    SIMD_SHIFTED(shape##_shr_u, uint##bits##_t, vshlq_r_u##bits(SIMD_U##bits(a), -n))
SIMD_INTEGERS(i8x16, 8)
SIMD_INTEGERS(i16x8, 16)
SIMD_INTEGERS(i32x4, 32)
#undef SIMD_INTEGERS
#undef SIMD_SHIFTED

#define SIMD_SATURATING(shape, bits) \
    SIMD_TWO(shape##_add_sat_s, vqaddq_s##bits(SIMD_S##bits(a), SIMD_S##bits(b))) \
    SIMD_TWO(shape##_add_sat_u, vqaddq_u##bits(SIMD_U##bits(a), SIMD_U##bits(b))) \
    SIMD_TWO(shape##_sub_sat_s, vqsubq_s##bits(SIMD_S##bits(a), SIMD_S##bits(b))) \
    SIMD_TWO(shape##_sub_sat_u, vqsubq_u##bits(SIMD_U##bits(a), SIMD_U##bits(b))) \
    SIMD_TWO(shape##_avgr_u, vrhaddq_u##bits(SIMD_U##bits(a), SIMD_U##bits(b)))
SIMD_SATURATING(i8x16, 8)
SIMD_SATURATING(i16x8, 16)
#undef SIMD_SATURATING

/* Instructions that make lanes half or twice as wide take every other lane. Loads and stores do it with those that follow each
 * other. */
#define SIMD_NARROW(name, bits, half, cell, least, most) \
    SIMD_INLINE void simd_##name##_half(int##half##_t *r, wasm_v128_t a) { \
        const int##bits##x##cell##_t floor = vdupq_n_s##bits(least), ceiling = vdupq_n_s##bits(most); \
        SIMD_STORE_##half(r, vmaxq_s##bits(vminq_s##bits(SIMD_S##bits(a), ceiling), floor)); \
    } \
    SIMD_INLINE wasm_v128_t simd_##name(wasm_v128_t a, wasm_v128_t b) { \
        simd_lanes_t r; \
        simd_##name##_half(r.s##half, a); \
        simd_##name##_half(r.s##half + cell, b); \
        return simd_vector(r); \
    }
#define SIMD_STORE_8 vstrbq_s16
#define SIMD_STORE_16 vstrhq_s32
SIMD_NARROW(i8x16_narrow_i16x8_s, 16, 8, 8, INT8_MIN, INT8_MAX)
SIMD_NARROW(i8x16_narrow_i16x8_u, 16, 8, 8, 0, UINT8_MAX)
SIMD_NARROW(i16x8_narrow_i32x4_s, 32, 16, 4, INT16_MIN, INT16_MAX)
SIMD_NARROW(i16x8_narrow_i32x4_u, 32, 16, 4, 0, UINT16_MAX)
#undef SIMD_STORE_8
#undef SIMD_STORE_16
#undef SIMD_NARROW

#define SIMD_WIDENED(wide, narrow, count, sign, lane, load, product) \
    SIMD_INLINE wasm_v128_t simd_##wide##_extend_low_##narrow##_##sign(wasm_v128_t a) { \
        SIMD_LANES(lanes, a); \
        return SIMD_V(load(lanes.lane)); \
    } \
    SIMD_INLINE wasm_v128_t simd_##wide##_extend_high_##narrow##_##sign(wasm_v128_t a) { \
        SIMD_LANES(lanes, a); \
        return SIMD_V(load(lanes.lane + count)); \
    } \
    SIMD_TWO(wide##_extmul_low_##narrow##_##sign, \
        product(simd_##wide##_extend_low_##narrow##_##sign(a), simd_##wide##_extend_low_##narrow##_##sign(b))) \
    SIMD_TWO(wide##_extmul_high_##narrow##_##sign, \
        product(simd_##wide##_extend_high_##narrow##_##sign(a), simd_##wide##_extend_high_##narrow##_##sign(b)))
SIMD_TWO(i16x8_mul, vmulq_u16(SIMD_U16(a), SIMD_U16(b)))
SIMD_TWO(i32x4_mul, vmulq_u32(SIMD_U32(a), SIMD_U32(b)))
SIMD_WIDENED(i16x8, i8x16, 8, s, s8, vldrbq_s16, simd_i16x8_mul)
SIMD_WIDENED(i16x8, i8x16, 8, u, u8, vldrbq_u16, simd_i16x8_mul)
SIMD_WIDENED(i32x4, i16x8, 4, s, s16, vldrhq_s32, simd_i32x4_mul)
SIMD_WIDENED(i32x4, i16x8, 4, u, u16, vldrhq_u32, simd_i32x4_mul)
#undef SIMD_WIDENED

/* See `wasm_simd.h`. Pairs of bytes lie where they should. */
#define SIMD_LOAD8TO16(sign, cell) SIMD_V(vldrbq_##sign##16((const void *)&(cell)))
#define SIMD_LOAD16TO32(sign, cell) SIMD_V(vldrhq_##sign##32((const void *)&(cell)))
#define SIMD_LOAD8TO32(sign, cell) SIMD_V(vldrbq_##sign##32((const void *)&(cell)))
#define SIMD_PRODUCTS8TO32(sign_a, a, sign_b, b) simd_i32x4_mul(SIMD_LOAD8TO32(sign_a, a), SIMD_LOAD8TO32(sign_b, b))

/* Sums of neighbours, and of their products. */
SIMD_ONE(i16x8_extadd_pairwise_i8x16_s, vaddq_s16(vmovlbq_s8(SIMD_S8(a)), vmovltq_s8(SIMD_S8(a))))
SIMD_ONE(i16x8_extadd_pairwise_i8x16_u, vaddq_u16(vmovlbq_u8(SIMD_U8(a)), vmovltq_u8(SIMD_U8(a))))
SIMD_ONE(i32x4_extadd_pairwise_i16x8_s, vaddq_s32(vmovlbq_s16(SIMD_S16(a)), vmovltq_s16(SIMD_S16(a))))
SIMD_ONE(i32x4_extadd_pairwise_i16x8_u, vaddq_u32(vmovlbq_u16(SIMD_U16(a)), vmovltq_u16(SIMD_U16(a))))
SIMD_TWO(i32x4_dot_i16x8_s,
    vaddq_s32(vmullbq_int_s16(SIMD_S16(a), SIMD_S16(b)), vmulltq_int_s16(SIMD_S16(a), SIMD_S16(b))))
SIMD_TWO(i16x8_relaxed_dot_i8x16_i7x16_s,
    vaddq_s16(vmullbq_int_s8(SIMD_S8(a), SIMD_S8(b)), vmulltq_int_s8(SIMD_S8(a), SIMD_S8(b))))
/* Of numbers of 16 bits, whatever is above them. */
SIMD_TWO(narrow_product32, vmullbq_int_s16(SIMD_S16(a), SIMD_S16(b)))
SIMD_TWO(i16x8_q15mulr_sat_s, vqrdmulhq_s16(SIMD_S16(a), SIMD_S16(b)))

SIMD_INLINE wasm_v128_t simd_i8x16_popcnt(wasm_v128_t a) {
    const uint8x16_t two = vdupq_n_u8(0x33), four = vdupq_n_u8(0x0f);
    uint8x16_t r = vsubq_u8(SIMD_U8(a), vandq_u8(vshrq_n_u8(SIMD_U8(a), 1), vdupq_n_u8(0x55)));
    r = vaddq_u8(vandq_u8(r, two), vandq_u8(vshrq_n_u8(r, 2), two));
    return SIMD_V(vandq_u8(vaddq_u8(r, vshrq_n_u8(r, 4)), four));
}

/* By their numbers, which may be too large. */
SIMD_INLINE wasm_v128_t simd_i8x16_swizzle(wasm_v128_t a, wasm_v128_t b) {
    SIMD_LANES(lanes, a);
    const uint8_t *from = lanes.u8;
    /* As in SIMD_GATHERED. */
    __asm__("" : "+r"(from) : "m"(lanes));
    const wasm_v128_t r =
        SIMD_V(vldrbq_gather_offset_z_u8(from, SIMD_U8(b), vcmphiq_u8(vdupq_n_u8(16), SIMD_U8(b))));
    __asm__ volatile("" : : "w"(r), "m"(lanes));
    return r;
}

/* Those of floats whose results do not depend on how small numbers, or NaNs, are treated. */
SIMD_ONE(f32x4_abs, vbicq_u32(SIMD_U32(a), vdupq_n_u32(0x80000000u)))
SIMD_ONE(f32x4_neg, veorq_u32(SIMD_U32(a), vdupq_n_u32(0x80000000u)))
SIMD_ONE(i32x4_trunc_sat_f32x4_s, vcvtq_s32_f32(SIMD_F32(a)))
SIMD_ONE(i32x4_trunc_sat_f32x4_u, vcvtq_u32_f32(SIMD_F32(a)))
SIMD_ONE(f32x4_convert_i32x4_s, vcvtq_f32_s32(SIMD_S32(a)))
SIMD_ONE(f32x4_convert_i32x4_u, vcvtq_f32_u32(SIMD_U32(a)))

/* Instructions for one float, of which the lanes of a vector are registers. */
#define SIMD_EACH1(name, instruction) \
    SIMD_INLINE wasm_v128_t simd_f32x4_##name(wasm_v128_t vector) { \
        register wasm_v128_t a __asm__("s0") = vector; \
        __asm__(instruction ".f32 s0, s0\n\t" instruction ".f32 s1, s1\n\t" instruction ".f32 s2, s2\n\t" \
            instruction ".f32 s3, s3" : "+w"(a)); \
        return a; \
    } \
    SIMD_INLINE wasm_v128_t simd_f64x2_##name(wasm_v128_t a) { \
        wasm_v128_t r; \
        __asm__(instruction ".f64 %e0, %e1\n\t" instruction ".f64 %f0, %f1" : "=&w"(r) : "w"(a)); \
        return r; \
    }
#define SIMD_EACH2(name, instruction) \
    SIMD_INLINE wasm_v128_t simd_f32x4_##name(wasm_v128_t vector_a, wasm_v128_t vector_b) { \
        register wasm_v128_t a __asm__("s0") = vector_a; \
        register wasm_v128_t b __asm__("s4") = vector_b; \
        __asm__(instruction ".f32 s0, s0, s4\n\t" instruction ".f32 s1, s1, s5\n\t" \
            instruction ".f32 s2, s2, s6\n\t" instruction ".f32 s3, s3, s7" : "+w"(a) : "w"(b)); \
        return a; \
    } \
    SIMD_INLINE wasm_v128_t simd_f64x2_##name(wasm_v128_t a, wasm_v128_t b) { \
        wasm_v128_t r; \
        __asm__(instruction ".f64 %e0, %e1, %e2\n\t" instruction ".f64 %f0, %f1, %f2" : "=&w"(r) : "w"(a), "w"(b)); \
        return r; \
    }
SIMD_EACH1(sqrt, "vsqrt")
SIMD_EACH1(ceil, "vrintp")
SIMD_EACH1(floor, "vrintm")
SIMD_EACH1(trunc, "vrintz")
SIMD_EACH1(nearest, "vrintn")
SIMD_EACH2(add, "vadd")
SIMD_EACH2(sub, "vsub")
SIMD_EACH2(mul, "vmul")
SIMD_EACH2(div, "vdiv")
#undef SIMD_EACH1
#undef SIMD_EACH2

#endif
