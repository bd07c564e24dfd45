/* The operators of vectors, for modules that have some: `simd_` and the specification's name, as `simd_i8x16_add`.
 *
 * WebAssembly core specification, 4.3.5 Vectors. A relaxed operator has the result that the specification's deterministic
 * profile chooses, which is the same on every processor.
 *
 * Everywhere but on x86 and with Helium (MVE) a vector is its lanes. What a processor with SSE2 or Helium does in an instruction
 * or a few is written so. Instructions of Helium treat numbers near 0 as 0, so floats are computed by lanes there.
 */
#ifndef WASM_SIMD_H
#define WASM_SIMD_H

#include "wasm.h"

/* The lanes of a vector: signed and unsigned numbers, and floats. */
typedef union __attribute__((may_alias)) {
    uint32_t u32[4];
    uint8_t u8[16];
    int8_t s8[16];
    uint16_t u16[8];
    int16_t s16[8];
    int32_t s32[4];
    uint64_t u64[2];
    int64_t s64[2];
    float f32[4];
    double f64[2];
} simd_lanes_t;

/* A test defines SIMD_PORTABLE. */
#if defined(__SSE2__) && !defined(__TINYC__) && !defined(SIMD_PORTABLE)
#define SIMD_SSE2
/* What this header includes for programs with a C library is not there without one. */
#define _MM_MALLOC_H_INCLUDED
#define __MM_MALLOC_H
#include <emmintrin.h>
typedef __m128i wasm_v128_t;
#define WASM_V128(low, high) ((wasm_v128_t){(long long)(low), (long long)(high)})
/* clang 14 computes other results with these instructions. */
#elif defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 2) && !defined(__clang__) && !defined(SIMD_PORTABLE)
#define SIMD_MVE
#include <arm_mve.h>
/* Bytes, as loads and stores of wider lanes fault where those are not aligned. */
typedef uint8x16_t wasm_v128_t;
#define WASM_V128(low, high) \
    ((wasm_v128_t)(simd_u32){(uint32_t)(low), (uint32_t)((low) >> 32), (uint32_t)(high), (uint32_t)((high) >> 32)})
#else
typedef simd_lanes_t wasm_v128_t;
#define WASM_V128(low, high) \
    ((wasm_v128_t){{(uint32_t)(low), (uint32_t)((low) >> 32), (uint32_t)(high), (uint32_t)((high) >> 32)}})
#endif

#if defined(SIMD_SSE2) || defined(SIMD_MVE)
#define SIMD_VECTORS
/* The machine's vectors, whose elements have numbers. */
typedef int8_t simd_s8 __attribute__((vector_size(16)));
typedef uint8_t simd_u8 __attribute__((vector_size(16)));
typedef int16_t simd_s16 __attribute__((vector_size(16)));
typedef uint16_t simd_u16 __attribute__((vector_size(16)));
typedef int32_t simd_s32 __attribute__((vector_size(16)));
typedef uint32_t simd_u32 __attribute__((vector_size(16)));
typedef int64_t simd_s64 __attribute__((vector_size(16)));
typedef uint64_t simd_u64 __attribute__((vector_size(16)));
typedef float simd_f32 __attribute__((vector_size(16)));
typedef double simd_f64 __attribute__((vector_size(16)));
#endif

/* What is as short as a call, or needs to know the number of a lane. */
#define SIMD_INLINE __attribute__((always_inline)) WASM_UNUSED static inline
/* Others are parts of their callers where compilers want that. */
#define SIMD_FUNCTION WASM_UNUSED static

/* SIMD_LANES(name, vector): a variable with the lanes of a vector. */
#ifdef SIMD_MVE
/* By stores and loads, as GCC would copy what it makes of others once more. */
#define SIMD_STORED(name, vector) \
    simd_lanes_t name; \
    vstrbq_u8(name.u8, vector)
#define SIMD_LOADED(lanes) vldrbq_u8((lanes).u8)
#define SIMD_LANES SIMD_STORED
#define simd_vector SIMD_LOADED
#elif defined(SIMD_SSE2)
SIMD_INLINE simd_lanes_t simd_lanes(wasm_v128_t vector) {
    simd_lanes_t lanes;
    __builtin_memcpy(&lanes, &vector, sizeof lanes);
    return lanes;
}
#define SIMD_LANES(name, vector) const simd_lanes_t name = simd_lanes(vector)

SIMD_INLINE wasm_v128_t simd_vector(simd_lanes_t lanes) {
    wasm_v128_t vector;
    __builtin_memcpy(&vector, &lanes, sizeof vector);
    return vector;
}
#else
#define simd_lanes(vector) (vector)
#define SIMD_LANES(name, vector) const simd_lanes_t name = simd_lanes(vector)
#define simd_vector(lanes) (lanes)
#endif

/* In memory, as the cells of `wasm.h`. */
typedef wasm_v128_t wasm_v128;
typedef wasm_v128_t __attribute__((aligned(4))) wasm_v128_at4;
typedef wasm_v128_t __attribute__((aligned(2))) wasm_v128_at2;
typedef wasm_v128_t __attribute__((aligned(1))) wasm_v128_unaligned;
#ifdef WASM_LIES
/* Its address is likely that of a word. */
WASM_UNUSED __attribute__((noinline)) static wasm_v128_t wasm_get_v128_anywhere(const uint8_t *cell) {
    return *(const wasm_v128_unaligned *)cell;
}
WASM_UNUSED __attribute__((noinline)) static void wasm_set_v128_anywhere(uint8_t *cell, wasm_v128_t value) {
    *(wasm_v128_unaligned *)cell = value;
}
WASM_UNUSED static inline wasm_v128_t wasm_get_v128(const uint8_t *cell) {
    return WASM_LIES(cell, wasm_v128_t) ? wasm_get_v128_anywhere(cell) : *(const wasm_v128_at4 *)cell;
}
WASM_UNUSED static inline void wasm_set_v128(uint8_t *cell, wasm_v128_t value) {
    if (WASM_LIES(cell, wasm_v128_t)) {
        wasm_set_v128_anywhere(cell, value);
    } else {
        *(wasm_v128_at4 *)cell = value;
    }
}
#else
WASM_UNUSED static inline wasm_v128_t wasm_get_v128(const uint8_t *cell) { return *(const wasm_v128_unaligned *)cell; }
WASM_UNUSED static inline void wasm_set_v128(uint8_t *cell, wasm_v128_t value) { *(wasm_v128_unaligned *)cell = value; }
#endif

/* Something for each lane `i`. Few lanes are registers, whose numbers are known; many are left in memory. */
#define SIMD_FOR16(...) for (int i = 0; i < 16; i++) { __VA_ARGS__; }
#define SIMD_FOR8(...) for (int i = 0; i < 8; i++) { __VA_ARGS__; }
#define SIMD_LANE(number, ...) { enum { i = number }; __VA_ARGS__; }
#define SIMD_FOR4(...) SIMD_FOR2(__VA_ARGS__) SIMD_LANE(2, __VA_ARGS__) SIMD_LANE(3, __VA_ARGS__)
#define SIMD_FOR2(...) SIMD_LANE(0, __VA_ARGS__) SIMD_LANE(1, __VA_ARGS__)

/* Operators whose result `r` has so many lanes, and 0 in those that are left; a, b and c are the lanes of the operands. */
#define SIMD_RESULT(count, lane, ...) \
    simd_lanes_t r; \
    if (count * sizeof r.lane[0] < sizeof r) { \
        r.u64[1] = 0; \
    } \
    SIMD_FOR##count(r.lane[i] = (__VA_ARGS__)) \
    return simd_vector(r);
#define SIMD_MAP1(name, count, lane, ...) \
    SIMD_FUNCTION wasm_v128_t simd_##name(wasm_v128_t vector_a) { \
        SIMD_LANES(a, vector_a); \
        SIMD_RESULT(count, lane, __VA_ARGS__) \
    }
#define SIMD_MAP2(name, count, lane, ...) \
    SIMD_FUNCTION wasm_v128_t simd_##name(wasm_v128_t vector_a, wasm_v128_t vector_b) { \
        SIMD_LANES(a, vector_a); \
        SIMD_LANES(b, vector_b); \
        SIMD_RESULT(count, lane, __VA_ARGS__) \
    }
#define SIMD_MAP3(name, count, lane, ...) \
    SIMD_FUNCTION wasm_v128_t simd_##name(wasm_v128_t vector_a, wasm_v128_t vector_b, wasm_v128_t vector_c) { \
        SIMD_LANES(a, vector_a); \
        SIMD_LANES(b, vector_b); \
        SIMD_LANES(c, vector_c); \
        SIMD_RESULT(count, lane, __VA_ARGS__) \
    }
/* With a number of bits, modulo the lane's. */
#define SIMD_SHIFT(name, count, lane, bits, ...) \
    SIMD_FUNCTION wasm_v128_t simd_##name(wasm_v128_t vector_a, uint32_t by) { \
        SIMD_LANES(a, vector_a); \
        const uint32_t n = by & ((bits) - 1); \
        SIMD_RESULT(count, lane, __VA_ARGS__) \
    }

/* The limits of a lane. */
SIMD_INLINE int32_t simd_clamp(int32_t value, int32_t least, int32_t most) {
    return value < least ? least : value > most ? most : value;
}
#define SIMD_s8(value) simd_clamp(value, INT8_MIN, INT8_MAX)
#define SIMD_u8(value) simd_clamp(value, 0, UINT8_MAX)
#define SIMD_s16(value) simd_clamp(value, INT16_MIN, INT16_MAX)
#define SIMD_u16(value) simd_clamp(value, 0, UINT16_MAX)

#define SIMD_LESSER(a, b) ((a) < (b) ? (a) : (b))
#define SIMD_GREATER(a, b) ((a) > (b) ? (a) : (b))

/* Lanes taken out, and replaced. */
#ifdef SIMD_VECTORS
#define SIMD_EXTRACT(name, type, lane) \
    SIMD_INLINE type simd_##name(wasm_v128_t a, uint32_t n) { return (type)((simd_##lane)a)[n]; }
#define SIMD_REPLACE(name, type, lane) \
    SIMD_INLINE wasm_v128_t simd_##name(wasm_v128_t a, type value, uint32_t n) { \
        simd_##lane r = (simd_##lane)a; \
        r[n] = value; \
        return (wasm_v128_t)r; \
    }
#endif
#ifdef SIMD_SSE2
/* There is an instruction for two bytes. */
SIMD_INLINE wasm_v128_t simd_i8x16_replace_lane(wasm_v128_t a, uint32_t value, uint32_t n) {
    simd_u16 r = (simd_u16)a;
    uint32_t both = r[n / 2];
    r[n / 2] = (uint16_t)(n % 2 != 0 ? (both & 0xff) | value << 8 : (both & 0xff00) | (value & 0xff));
    return (wasm_v128_t)r;
}
#else
#ifndef SIMD_VECTORS
#define SIMD_EXTRACT(name, type, lane) \
    SIMD_INLINE type simd_##name(wasm_v128_t a, uint32_t n) { return (type)a.lane[n]; }
#define SIMD_REPLACE(name, type, lane) \
    SIMD_INLINE wasm_v128_t simd_##name(wasm_v128_t a, type value, uint32_t n) { \
        a.lane[n] = value; \
        return a; \
    }
#endif
SIMD_REPLACE(i8x16_replace_lane, uint32_t, u8)
#endif
SIMD_EXTRACT(i8x16_extract_lane_s, uint32_t, s8)
SIMD_EXTRACT(i8x16_extract_lane_u, uint32_t, u8)
SIMD_EXTRACT(i16x8_extract_lane_s, uint32_t, s16)
SIMD_EXTRACT(i16x8_extract_lane_u, uint32_t, u16)
SIMD_EXTRACT(i32x4_extract_lane, uint32_t, u32)
SIMD_EXTRACT(f32x4_extract_lane, float, f32)
SIMD_REPLACE(i16x8_replace_lane, uint32_t, u16)
SIMD_REPLACE(i32x4_replace_lane, uint32_t, u32)
SIMD_REPLACE(f32x4_replace_lane, float, f32)
#ifdef SIMD_MVE
/* By halves: GCC 12 takes other registers for the number that replaces a lane of 64 bits. */
SIMD_INLINE uint64_t simd_i64x2_extract_lane(wasm_v128_t a, uint32_t n) {
    return (uint64_t)((simd_u32)a)[2 * n + 1] << 32 | ((simd_u32)a)[2 * n];
}
SIMD_INLINE wasm_v128_t simd_i64x2_replace_lane(wasm_v128_t a, uint64_t value, uint32_t n) {
    simd_u32 r = (simd_u32)a;
    r[2 * n] = (uint32_t)value;
    r[2 * n + 1] = (uint32_t)(value >> 32);
    return (wasm_v128_t)r;
}
SIMD_INLINE double simd_f64x2_extract_lane(wasm_v128_t a, uint32_t n) { return wasm_float64(simd_i64x2_extract_lane(a, n)); }
SIMD_INLINE wasm_v128_t simd_f64x2_replace_lane(wasm_v128_t a, double value, uint32_t n) {
    return simd_i64x2_replace_lane(a, wasm_bits64(value), n);
}
#else
SIMD_EXTRACT(i64x2_extract_lane, uint64_t, u64)
SIMD_EXTRACT(f64x2_extract_lane, double, f64)
SIMD_REPLACE(i64x2_replace_lane, uint64_t, u64)
SIMD_REPLACE(f64x2_replace_lane, double, f64)
#endif
#undef SIMD_EXTRACT
#undef SIMD_REPLACE

/* Lanes of two vectors by their numbers, which are constants. */
#ifdef SIMD_SSE2
#if defined(__clang__) || __GNUC__ >= 12
#define SIMD_SHUFFLE(lane, a, b, ...) ((wasm_v128_t)__builtin_shufflevector((simd_##lane)(a), (simd_##lane)(b), __VA_ARGS__))
#else
#define SIMD_SHUFFLE(lane, a, b, ...) \
    ((wasm_v128_t)__builtin_shuffle((simd_##lane)(a), (simd_##lane)(b), (simd_##lane){__VA_ARGS__}))
#endif
#define simd_i8x16_shuffle(a, b, ...) SIMD_SHUFFLE(u8, a, b, __VA_ARGS__)
#define simd_i16x8_shuffle(a, b, ...) SIMD_SHUFFLE(u16, a, b, __VA_ARGS__)
#define simd_i32x4_shuffle(a, b, ...) SIMD_SHUFFLE(u32, a, b, __VA_ARGS__)
#define simd_i64x2_shuffle(a, b, ...) SIMD_SHUFFLE(u64, a, b, __VA_ARGS__)
#elif defined(SIMD_MVE)
/* From memory, where both are stored. The compiler believes that a gathering load reads what is at its address only. */
#define SIMD_GATHERED(name, bits, count, load) \
    SIMD_INLINE wasm_v128_t simd_##name(wasm_v128_t a, wasm_v128_t b, simd_u##bits numbers) { \
        simd_lanes_t both[2]; \
        vstrbq_u8(both[0].u8, a); \
        vstrbq_u8(both[1].u8, b); \
        const uint##bits##_t *from = both[0].u##bits; \
        __asm__("" : "+r"(from) : "m"(both)); \
        const wasm_v128_t r = (wasm_v128_t)load(from, (uint##bits##x##count##_t)numbers); \
        __asm__ volatile("" : : "w"(r), "m"(both)); \
        return r; \
    }
SIMD_GATHERED(gathered8, 8, 16, vldrbq_gather_offset_u8)
SIMD_GATHERED(gathered16, 16, 8, vldrhq_gather_shifted_offset_u16)
#undef SIMD_GATHERED
SIMD_INLINE uint32_t simd_one_of(wasm_v128_t a, wasm_v128_t b, uint32_t n) {
    return n < 4 ? ((simd_u32)a)[n & 3] : ((simd_u32)b)[n & 3];
}
SIMD_INLINE wasm_v128_t simd_shuffle32(wasm_v128_t a, wasm_v128_t b, uint32_t n0, uint32_t n1, uint32_t n2, uint32_t n3) {
    return (wasm_v128_t)(simd_u32){simd_one_of(a, b, n0), simd_one_of(a, b, n1), simd_one_of(a, b, n2), simd_one_of(a, b, n3)};
}
#define simd_i8x16_shuffle(a, b, ...) simd_gathered8(a, b, (simd_u8){__VA_ARGS__})
#define simd_i16x8_shuffle(a, b, ...) simd_gathered16(a, b, (simd_u16){__VA_ARGS__})
#else
#define SIMD_NUMBERS(a, b, c, d) ((a) | (b) << 8 | (c) << 16 | (uint32_t)(d) << 24)
/* The numbers of four lanes are in each word. */
SIMD_FUNCTION wasm_v128_t simd_shuffle8(wasm_v128_t a, wasm_v128_t b, uint32_t n0, uint32_t n1, uint32_t n2, uint32_t n3) {
    const simd_lanes_t both[2] = {a, b}, n = {{n0, n1, n2, n3}};
    simd_lanes_t r;
    SIMD_FOR16(r.u8[i] = both[n.u8[i] >> 4].u8[n.u8[i] & 15])
    return r;
}
SIMD_FUNCTION wasm_v128_t simd_shuffle16(wasm_v128_t a, wasm_v128_t b, uint32_t n0, uint32_t n1) {
    const simd_lanes_t both[2] = {a, b}, n = {{n0, n1, 0, 0}};
    simd_lanes_t r;
    SIMD_FOR8(r.u16[i] = both[n.u8[i] >> 3].u16[n.u8[i] & 7])
    return r;
}
SIMD_INLINE wasm_v128_t simd_shuffle32(wasm_v128_t a, wasm_v128_t b, uint32_t n0, uint32_t n1, uint32_t n2, uint32_t n3) {
    return (wasm_v128_t){{n0 < 4 ? a.u32[n0 & 3] : b.u32[n0 & 3], n1 < 4 ? a.u32[n1 & 3] : b.u32[n1 & 3],
        n2 < 4 ? a.u32[n2 & 3] : b.u32[n2 & 3], n3 < 4 ? a.u32[n3 & 3] : b.u32[n3 & 3]}};
}
#define simd_i8x16_shuffle(a, b, n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, n12, n13, n14, n15) \
    simd_shuffle8(a, b, SIMD_NUMBERS(n0, n1, n2, n3), SIMD_NUMBERS(n4, n5, n6, n7), SIMD_NUMBERS(n8, n9, n10, n11), \
        SIMD_NUMBERS(n12, n13, n14, n15))
#define simd_i16x8_shuffle(a, b, n0, n1, n2, n3, n4, n5, n6, n7) \
    simd_shuffle16(a, b, SIMD_NUMBERS(n0, n1, n2, n3), SIMD_NUMBERS(n4, n5, n6, n7))
#endif
#ifndef SIMD_SSE2
#define simd_i32x4_shuffle simd_shuffle32
#define simd_i64x2_shuffle(a, b, n0, n1) simd_shuffle32(a, b, 2 * (n0), 2 * (n0) + 1, 2 * (n1), 2 * (n1) + 1)
#endif

#ifdef SIMD_SSE2

/* Arithmetic makes a signalling NaN a quiet one, and clang may not know the operands: see WASM_OPERAND. */
#ifdef __clang__
SIMD_INLINE wasm_v128_t simd_hidden(wasm_v128_t a) {
    __asm__("" : "+x"(a));
    return a;
}
#else
#define simd_hidden(a) (a)
#endif
#define SIMD_PS(a) _mm_castsi128_ps(a)
#define SIMD_PD(a) _mm_castsi128_pd(a)
#define SIMD_OF_PS(a) _mm_castps_si128(a)
#define SIMD_OF_PD(a) _mm_castpd_si128(a)

#define SIMD_ONE(name, ...) \
    SIMD_INLINE wasm_v128_t simd_##name(wasm_v128_t a) { return __VA_ARGS__; }
#define SIMD_TWO(name, ...) \
    SIMD_INLINE wasm_v128_t simd_##name(wasm_v128_t a, wasm_v128_t b) { return __VA_ARGS__; }

/* Products of lanes whose numbers have 16 bits and are signed. The instruction makes sums of two products each, and one of them
 * is 0 where a factor has zeros above its 16 bits: the first factor of `low`, and the second of `narrow` once it is masked. */
SIMD_TWO(low_product32, _mm_madd_epi16(a, b))
SIMD_TWO(narrow_product32, _mm_madd_epi16(a, _mm_and_si128(b, _mm_set1_epi32(0xffff))))
SIMD_INLINE wasm_v128_t simd_low_product64(wasm_v128_t a, wasm_v128_t b) {
    const __m128i product = _mm_madd_epi16(a, b);
    return _mm_or_si128(product, _mm_slli_epi64(_mm_srai_epi32(product, 31), 32));
}
SIMD_TWO(narrow_product64, simd_low_product64(a, _mm_and_si128(b, _mm_set1_epi64x(0xffff))))

/* Where the mask has ones, a, else b. */
SIMD_INLINE wasm_v128_t simd_either(wasm_v128_t mask, wasm_v128_t a, wasm_v128_t b) {
    return _mm_or_si128(_mm_and_si128(mask, a), _mm_andnot_si128(mask, b));
}
/* The lowest number of each lane. */
#define SIMD_LOWEST8 _mm_set1_epi8(INT8_MIN)
#define SIMD_LOWEST16 _mm_set1_epi16(INT16_MIN)
#define SIMD_LOWEST32 _mm_set1_epi32(INT32_MIN)
#define SIMD_ONES _mm_set1_epi32(-1)

SIMD_INLINE wasm_v128_t simd_v128_load32_zero(uint32_t value) { return _mm_cvtsi32_si128((int32_t)value); }
SIMD_INLINE wasm_v128_t simd_v128_load64_zero(uint64_t value) { return _mm_set_epi64x(0, (int64_t)value); }
SIMD_INLINE wasm_v128_t simd_i8x16_splat(uint32_t value) { return _mm_set1_epi8((int8_t)value); }
SIMD_INLINE wasm_v128_t simd_i16x8_splat(uint32_t value) { return _mm_set1_epi16((int16_t)value); }
SIMD_INLINE wasm_v128_t simd_i32x4_splat(uint32_t value) { return _mm_set1_epi32((int32_t)value); }
SIMD_INLINE wasm_v128_t simd_i64x2_splat(uint64_t value) { return _mm_set1_epi64x((int64_t)value); }
SIMD_INLINE wasm_v128_t simd_f32x4_splat(float value) { return SIMD_OF_PS(_mm_set1_ps(value)); }
SIMD_INLINE wasm_v128_t simd_f64x2_splat(double value) { return SIMD_OF_PD(_mm_set1_pd(value)); }

SIMD_ONE(v128_not, _mm_xor_si128(a, SIMD_ONES))
SIMD_TWO(v128_and, _mm_and_si128(a, b))
SIMD_TWO(v128_andnot, _mm_andnot_si128(b, a))
SIMD_TWO(v128_or, _mm_or_si128(a, b))
SIMD_TWO(v128_xor, _mm_xor_si128(a, b))
SIMD_INLINE wasm_v128_t simd_v128_bitselect(wasm_v128_t a, wasm_v128_t b, wasm_v128_t c) { return simd_either(c, a, b); }

/* Whether the lanes, each of so many bits, are all not 0. */
#define SIMD_ALL(bits) (uint32_t)(_mm_movemask_epi8(_mm_cmpeq_epi##bits(a, _mm_setzero_si128())) == 0)
SIMD_INLINE uint32_t simd_v128_any_true(wasm_v128_t a) {
    return _mm_movemask_epi8(_mm_cmpeq_epi8(a, _mm_setzero_si128())) != 0xffff;
}
SIMD_INLINE uint32_t simd_i8x16_all_true(wasm_v128_t a) { return SIMD_ALL(8); }
SIMD_INLINE uint32_t simd_i16x8_all_true(wasm_v128_t a) { return SIMD_ALL(16); }
SIMD_INLINE uint32_t simd_i32x4_all_true(wasm_v128_t a) { return SIMD_ALL(32); }
SIMD_INLINE uint32_t simd_i64x2_all_true(wasm_v128_t a) {
    return ((simd_u64)a)[0] != 0 && ((simd_u64)a)[1] != 0;
}
SIMD_INLINE uint32_t simd_i8x16_bitmask(wasm_v128_t a) { return (uint32_t)_mm_movemask_epi8(a); }
SIMD_INLINE uint32_t simd_i16x8_bitmask(wasm_v128_t a) {
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(a, _mm_setzero_si128()));
}
SIMD_INLINE uint32_t simd_i32x4_bitmask(wasm_v128_t a) { return (uint32_t)_mm_movemask_ps(SIMD_PS(a)); }
SIMD_INLINE uint32_t simd_i64x2_bitmask(wasm_v128_t a) { return (uint32_t)_mm_movemask_pd(SIMD_PD(a)); }

/* Comparisons that are always there, and the others by those. */
#define SIMD_COMPARISONS(shape, bits) \
    SIMD_TWO(shape##_eq, _mm_cmpeq_epi##bits(a, b)) \
    SIMD_TWO(shape##_ne, simd_v128_not(_mm_cmpeq_epi##bits(a, b))) \
    SIMD_TWO(shape##_lt_s, _mm_cmpgt_epi##bits(b, a)) \
    SIMD_TWO(shape##_gt_s, _mm_cmpgt_epi##bits(a, b)) \
    SIMD_TWO(shape##_le_s, simd_v128_not(_mm_cmpgt_epi##bits(a, b))) \
    SIMD_TWO(shape##_ge_s, simd_v128_not(_mm_cmpgt_epi##bits(b, a))) \
    SIMD_TWO(shape##_gt_u, _mm_cmpgt_epi##bits(_mm_xor_si128(a, SIMD_LOWEST##bits), _mm_xor_si128(b, SIMD_LOWEST##bits))) \
    SIMD_TWO(shape##_lt_u, simd_##shape##_gt_u(b, a)) \
    SIMD_TWO(shape##_le_u, simd_v128_not(simd_##shape##_gt_u(a, b))) \
    SIMD_TWO(shape##_ge_u, simd_v128_not(simd_##shape##_gt_u(b, a)))
SIMD_COMPARISONS(i8x16, 8)
SIMD_COMPARISONS(i16x8, 16)
SIMD_COMPARISONS(i32x4, 32)
#undef SIMD_COMPARISONS
#define SIMD_BY(name, operator) SIMD_TWO(name, (wasm_v128_t)((simd_s64)a operator (simd_s64)b))
SIMD_BY(i64x2_eq, ==)
SIMD_BY(i64x2_ne, !=)
SIMD_BY(i64x2_lt_s, <)
SIMD_BY(i64x2_gt_s, >)
SIMD_BY(i64x2_le_s, <=)
SIMD_BY(i64x2_ge_s, >=)
SIMD_BY(i64x2_mul, *)
#undef SIMD_BY

#define SIMD_SUMS(shape, bits) \
    SIMD_TWO(shape##_add, _mm_add_epi##bits(a, b)) \
    SIMD_TWO(shape##_sub, _mm_sub_epi##bits(a, b)) \
    SIMD_ONE(shape##_neg, _mm_sub_epi##bits(_mm_setzero_si128(), a))
SIMD_SUMS(i8x16, 8)
SIMD_SUMS(i16x8, 16)
SIMD_SUMS(i32x4, 32)
SIMD_SUMS(i64x2, 64)
#undef SIMD_SUMS

SIMD_TWO(i8x16_add_sat_s, _mm_adds_epi8(a, b))
SIMD_TWO(i8x16_add_sat_u, _mm_adds_epu8(a, b))
SIMD_TWO(i8x16_sub_sat_s, _mm_subs_epi8(a, b))
SIMD_TWO(i8x16_sub_sat_u, _mm_subs_epu8(a, b))
SIMD_TWO(i16x8_add_sat_s, _mm_adds_epi16(a, b))
SIMD_TWO(i16x8_add_sat_u, _mm_adds_epu16(a, b))
SIMD_TWO(i16x8_sub_sat_s, _mm_subs_epi16(a, b))
SIMD_TWO(i16x8_sub_sat_u, _mm_subs_epu16(a, b))
SIMD_TWO(i8x16_avgr_u, _mm_avg_epu8(a, b))
SIMD_TWO(i16x8_avgr_u, _mm_avg_epu16(a, b))

SIMD_TWO(i8x16_min_u, _mm_min_epu8(a, b))
SIMD_TWO(i8x16_max_u, _mm_max_epu8(a, b))
SIMD_TWO(i16x8_min_s, _mm_min_epi16(a, b))
SIMD_TWO(i16x8_max_s, _mm_max_epi16(a, b))
SIMD_TWO(i8x16_min_s, simd_either(_mm_cmpgt_epi8(b, a), a, b))
SIMD_TWO(i8x16_max_s, simd_either(_mm_cmpgt_epi8(a, b), a, b))
SIMD_TWO(i16x8_min_u, _mm_sub_epi16(a, _mm_subs_epu16(a, b)))
SIMD_TWO(i16x8_max_u, _mm_add_epi16(b, _mm_subs_epu16(a, b)))
SIMD_TWO(i32x4_min_s, simd_either(_mm_cmpgt_epi32(b, a), a, b))
SIMD_TWO(i32x4_max_s, simd_either(_mm_cmpgt_epi32(a, b), a, b))
SIMD_TWO(i32x4_min_u, simd_either(simd_i32x4_gt_u(b, a), a, b))
SIMD_TWO(i32x4_max_u, simd_either(simd_i32x4_gt_u(a, b), a, b))

/* -1 in lanes of so many bits that are negative. */
#define SIMD_NEGATIVE32(a) _mm_srai_epi32(a, 31)
#define SIMD_NEGATIVE64(a) _mm_shuffle_epi32(SIMD_NEGATIVE32(a), _MM_SHUFFLE(3, 3, 1, 1))
SIMD_ONE(i8x16_abs, _mm_min_epu8(a, simd_i8x16_neg(a)))
SIMD_ONE(i16x8_abs, _mm_max_epi16(a, simd_i16x8_neg(a)))
SIMD_ONE(i32x4_abs, _mm_sub_epi32(_mm_xor_si128(a, SIMD_NEGATIVE32(a)), SIMD_NEGATIVE32(a)))
SIMD_ONE(i64x2_abs, _mm_sub_epi64(_mm_xor_si128(a, SIMD_NEGATIVE64(a)), SIMD_NEGATIVE64(a)))

/* Shifts by the same number of bits, which for bytes are those of two. */
#define SIMD_SHIFTED(name, bits, ...) \
    SIMD_INLINE wasm_v128_t simd_##name(wasm_v128_t a, uint32_t by) { \
        const uint32_t n = by & ((bits) - 1); \
        WASM_UNUSED const __m128i count = _mm_cvtsi32_si128((int32_t)n); \
        return __VA_ARGS__; \
    }
SIMD_SHIFTED(i8x16_shl, 8, _mm_and_si128(_mm_sll_epi16(a, count), _mm_set1_epi8((int8_t)(0xff << n))))
SIMD_SHIFTED(i8x16_shr_u, 8, _mm_and_si128(_mm_srl_epi16(a, count), _mm_set1_epi8((int8_t)(0xff >> n))))
SIMD_SHIFTED(i8x16_shr_s, 8,
    _mm_packs_epi16(_mm_sra_epi16(_mm_unpacklo_epi8(a, a), _mm_cvtsi32_si128((int32_t)(8 + n))),
        _mm_sra_epi16(_mm_unpackhi_epi8(a, a), _mm_cvtsi32_si128((int32_t)(8 + n)))))
SIMD_SHIFTED(i16x8_shl, 16, _mm_sll_epi16(a, count))
SIMD_SHIFTED(i16x8_shr_s, 16, _mm_sra_epi16(a, count))
SIMD_SHIFTED(i16x8_shr_u, 16, _mm_srl_epi16(a, count))
SIMD_SHIFTED(i32x4_shl, 32, _mm_sll_epi32(a, count))
SIMD_SHIFTED(i32x4_shr_s, 32, _mm_sra_epi32(a, count))
SIMD_SHIFTED(i32x4_shr_u, 32, _mm_srl_epi32(a, count))
SIMD_SHIFTED(i64x2_shl, 64, _mm_sll_epi64(a, count))
SIMD_SHIFTED(i64x2_shr_u, 64, _mm_srl_epi64(a, count))
/* The bits of the sign are ones behind the shift where that was a one. */
SIMD_SHIFTED(i64x2_shr_s, 64,
    _mm_sub_epi64(_mm_xor_si128(_mm_srl_epi64(a, count), _mm_srl_epi64(_mm_set1_epi64x(INT64_MIN), count)),
        _mm_srl_epi64(_mm_set1_epi64x(INT64_MIN), count)))
#undef SIMD_SHIFTED

SIMD_TWO(i8x16_narrow_i16x8_s, _mm_packs_epi16(a, b))
SIMD_TWO(i8x16_narrow_i16x8_u, _mm_packus_epi16(a, b))
SIMD_TWO(i16x8_narrow_i32x4_s, _mm_packs_epi32(a, b))

/* Lanes that become twice as wide. */
SIMD_ONE(i16x8_extend_low_i8x16_s, _mm_srai_epi16(_mm_unpacklo_epi8(a, a), 8))
SIMD_ONE(i16x8_extend_high_i8x16_s, _mm_srai_epi16(_mm_unpackhi_epi8(a, a), 8))
SIMD_ONE(i16x8_extend_low_i8x16_u, _mm_unpacklo_epi8(a, _mm_setzero_si128()))
SIMD_ONE(i16x8_extend_high_i8x16_u, _mm_unpackhi_epi8(a, _mm_setzero_si128()))
SIMD_ONE(i32x4_extend_low_i16x8_s, _mm_srai_epi32(_mm_unpacklo_epi16(a, a), 16))
SIMD_ONE(i32x4_extend_high_i16x8_s, _mm_srai_epi32(_mm_unpackhi_epi16(a, a), 16))
SIMD_ONE(i32x4_extend_low_i16x8_u, _mm_unpacklo_epi16(a, _mm_setzero_si128()))
SIMD_ONE(i32x4_extend_high_i16x8_u, _mm_unpackhi_epi16(a, _mm_setzero_si128()))
SIMD_ONE(i64x2_extend_low_i32x4_s, _mm_unpacklo_epi32(a, SIMD_NEGATIVE32(a)))
SIMD_ONE(i64x2_extend_high_i32x4_s, _mm_unpackhi_epi32(a, SIMD_NEGATIVE32(a)))
SIMD_ONE(i64x2_extend_low_i32x4_u, _mm_unpacklo_epi32(a, _mm_setzero_si128()))
SIMD_ONE(i64x2_extend_high_i32x4_u, _mm_unpackhi_epi32(a, _mm_setzero_si128()))

/* Products. */
SIMD_TWO(i16x8_mul, _mm_mullo_epi16(a, b))
SIMD_TWO(i32x4_mul, (wasm_v128_t)((simd_u32)a * (simd_u32)b))
SIMD_TWO(i32x4_dot_i16x8_s, _mm_madd_epi16(a, b))
/* The only product of more than 16 bits is that of the lowest number with itself. */
SIMD_FUNCTION wasm_v128_t simd_i16x8_q15mulr_sat_s(wasm_v128_t a, wasm_v128_t b) {
    const __m128i low = _mm_mullo_epi16(a, b), high = _mm_mulhi_epi16(a, b);
    const __m128i rounded = _mm_srli_epi16(_mm_add_epi16(_mm_srli_epi16(low, 14), _mm_set1_epi16(1)), 1);
    const __m128i product = _mm_add_epi16(_mm_slli_epi16(high, 1), rounded);
    return _mm_xor_si128(product, _mm_cmpeq_epi16(product, SIMD_LOWEST16));
}
#define SIMD_PRODUCT8(half, sign) \
    SIMD_TWO(i16x8_extmul_##half##_i8x16_##sign, \
        _mm_mullo_epi16(simd_i16x8_extend_##half##_i8x16_##sign(a), simd_i16x8_extend_##half##_i8x16_##sign(b)))
SIMD_PRODUCT8(low, s)
SIMD_PRODUCT8(high, s)
SIMD_PRODUCT8(low, u)
SIMD_PRODUCT8(high, u)
#undef SIMD_PRODUCT8
SIMD_TWO(i32x4_extmul_low_i16x8_s, _mm_unpacklo_epi16(_mm_mullo_epi16(a, b), _mm_mulhi_epi16(a, b)))
SIMD_TWO(i32x4_extmul_high_i16x8_s, _mm_unpackhi_epi16(_mm_mullo_epi16(a, b), _mm_mulhi_epi16(a, b)))
SIMD_TWO(i32x4_extmul_low_i16x8_u, _mm_unpacklo_epi16(_mm_mullo_epi16(a, b), _mm_mulhi_epu16(a, b)))
SIMD_TWO(i32x4_extmul_high_i16x8_u, _mm_unpackhi_epi16(_mm_mullo_epi16(a, b), _mm_mulhi_epu16(a, b)))
/* Of even lanes of 32 bits. */
SIMD_INLINE wasm_v128_t simd_product(wasm_v128_t a, wasm_v128_t b) {
    const __m128i high = _mm_add_epi32(_mm_and_si128(SIMD_NEGATIVE32(a), b), _mm_and_si128(SIMD_NEGATIVE32(b), a));
    return _mm_sub_epi64(_mm_mul_epu32(a, b), _mm_slli_epi64(high, 32));
}
#define SIMD_PRODUCT32(half, lanes) \
    SIMD_TWO(i64x2_extmul_##half##_i32x4_s, simd_product(_mm_shuffle_epi32(a, lanes), _mm_shuffle_epi32(b, lanes))) \
    SIMD_TWO(i64x2_extmul_##half##_i32x4_u, _mm_mul_epu32(_mm_shuffle_epi32(a, lanes), _mm_shuffle_epi32(b, lanes)))
SIMD_PRODUCT32(low, _MM_SHUFFLE(1, 1, 0, 0))
SIMD_PRODUCT32(high, _MM_SHUFFLE(3, 3, 2, 2))
#undef SIMD_PRODUCT32
SIMD_ONE(i16x8_extadd_pairwise_i8x16_s, _mm_add_epi16(_mm_srai_epi16(_mm_slli_epi16(a, 8), 8), _mm_srai_epi16(a, 8)))
SIMD_ONE(i16x8_extadd_pairwise_i8x16_u, _mm_add_epi16(_mm_and_si128(a, _mm_set1_epi16(0xff)), _mm_srli_epi16(a, 8)))
SIMD_ONE(i32x4_extadd_pairwise_i16x8_s, _mm_madd_epi16(a, _mm_set1_epi16(1)))
SIMD_ONE(i32x4_extadd_pairwise_i16x8_u, _mm_add_epi32(_mm_and_si128(a, _mm_set1_epi32(0xffff)), _mm_srli_epi32(a, 16)))

SIMD_FUNCTION wasm_v128_t simd_i8x16_popcnt(wasm_v128_t a) {
    const __m128i two = _mm_set1_epi8(0x33), four = _mm_set1_epi8(0x0f);
    a = _mm_sub_epi8(a, _mm_and_si128(_mm_srli_epi16(a, 1), _mm_set1_epi8(0x55)));
    a = _mm_add_epi8(_mm_and_si128(a, two), _mm_and_si128(_mm_srli_epi16(a, 2), two));
    return _mm_and_si128(_mm_add_epi8(a, _mm_srli_epi16(a, 4)), four);
}

/* Floats of four and of two lanes. */
#define SIMD_FLOATS(shape, PS, ps, sign) \
    SIMD_TWO(shape##_eq, SIMD_OF_##PS(_mm_cmpeq_##ps(SIMD_##PS(a), SIMD_##PS(b)))) \
    SIMD_TWO(shape##_ne, SIMD_OF_##PS(_mm_cmpneq_##ps(SIMD_##PS(a), SIMD_##PS(b)))) \
    SIMD_TWO(shape##_lt, SIMD_OF_##PS(_mm_cmplt_##ps(SIMD_##PS(a), SIMD_##PS(b)))) \
    SIMD_TWO(shape##_gt, SIMD_OF_##PS(_mm_cmplt_##ps(SIMD_##PS(b), SIMD_##PS(a)))) \
    SIMD_TWO(shape##_le, SIMD_OF_##PS(_mm_cmple_##ps(SIMD_##PS(a), SIMD_##PS(b)))) \
    SIMD_TWO(shape##_ge, SIMD_OF_##PS(_mm_cmple_##ps(SIMD_##PS(b), SIMD_##PS(a)))) \
    SIMD_ONE(shape##_abs, _mm_andnot_si128(sign, a)) \
    SIMD_ONE(shape##_neg, _mm_xor_si128(a, sign)) \
    SIMD_ONE(shape##_sqrt, SIMD_OF_##PS(_mm_sqrt_##ps(SIMD_##PS(simd_hidden(a))))) \
    SIMD_TWO(shape##_add, SIMD_OF_##PS(_mm_add_##ps(SIMD_##PS(simd_hidden(a)), SIMD_##PS(simd_hidden(b))))) \
    SIMD_TWO(shape##_sub, SIMD_OF_##PS(_mm_sub_##ps(SIMD_##PS(simd_hidden(a)), SIMD_##PS(simd_hidden(b))))) \
    SIMD_TWO(shape##_mul, SIMD_OF_##PS(_mm_mul_##ps(SIMD_##PS(simd_hidden(a)), SIMD_##PS(simd_hidden(b))))) \
    SIMD_TWO(shape##_div, SIMD_OF_##PS(_mm_div_##ps(SIMD_##PS(simd_hidden(a)), SIMD_##PS(simd_hidden(b))))) \
    /* The instruction gives its second operand unless the first is smaller. */ \
    SIMD_TWO(shape##_pmin, SIMD_OF_##PS(_mm_min_##ps(SIMD_##PS(b), SIMD_##PS(a)))) \
    SIMD_TWO(shape##_pmax, SIMD_OF_##PS(_mm_max_##ps(SIMD_##PS(b), SIMD_##PS(a))))
#define SIMD_SIGN_PS _mm_set1_epi32(INT32_MIN)
#define SIMD_SIGN_PD _mm_set1_epi64x(INT64_MIN)
SIMD_FLOATS(f32x4, PS, ps, SIMD_SIGN_PS)
SIMD_FLOATS(f64x2, PD, pd, SIMD_SIGN_PD)
#undef SIMD_FLOATS

/* Of +0 and -0, and of a NaN and a number, the instruction gives the second: both orders together say which it is. All bits
 * of a NaN's payload but the first become 0 then. */
#define SIMD_MINMAX(shape, PS, ps, bits, payload) \
    SIMD_FUNCTION wasm_v128_t simd_##shape##_min(wasm_v128_t a, wasm_v128_t b) { \
        const wasm_v128_t both = _mm_or_si128(simd_##shape##_pmin(a, b), simd_##shape##_pmin(b, a)); \
        const wasm_v128_t nan = SIMD_OF_##PS(_mm_cmpunord_##ps(SIMD_##PS(a), SIMD_##PS(b))); \
        return _mm_andnot_si128(_mm_srli_epi##bits(nan, payload), _mm_or_si128(both, nan)); \
    } \
    SIMD_FUNCTION wasm_v128_t simd_##shape##_max(wasm_v128_t a, wasm_v128_t b) { \
        const wasm_v128_t both = _mm_and_si128(simd_##shape##_pmax(a, b), simd_##shape##_pmax(b, a)); \
        const wasm_v128_t nan = SIMD_OF_##PS(_mm_cmpunord_##ps(SIMD_##PS(a), SIMD_##PS(b))); \
        return _mm_andnot_si128(_mm_srli_epi##bits(nan, payload), _mm_or_si128(both, nan)); \
    }
SIMD_MINMAX(f32x4, PS, ps, 32, 10)
SIMD_MINMAX(f64x2, PD, pd, 64, 13)
#undef SIMD_MINMAX

/* Rounding: from 2^23 on there is nothing to round, and below an i32 has it. */
SIMD_FUNCTION wasm_v128_t simd_round(wasm_v128_t a, wasm_v128_t whole) {
    const __m128 magnitude = SIMD_PS(simd_f32x4_abs(a));
    const wasm_v128_t is_small = SIMD_OF_PS(_mm_cmplt_ps(magnitude, _mm_set1_ps(8388608.0f)));
    const wasm_v128_t large = simd_f32x4_add(a, SIMD_OF_PS(_mm_set1_ps(-0.0f)));
    return simd_either(is_small, _mm_or_si128(whole, _mm_and_si128(a, SIMD_SIGN_PS)), large);
}
SIMD_INLINE wasm_v128_t simd_whole(wasm_v128_t a) { return SIMD_OF_PS(_mm_cvtepi32_ps(_mm_cvttps_epi32(SIMD_PS(a)))); }
SIMD_INLINE wasm_v128_t simd_one_where(__m128 mask) { return SIMD_OF_PS(_mm_and_ps(mask, _mm_set1_ps(1.0f))); }
SIMD_FUNCTION wasm_v128_t simd_f32x4_trunc(wasm_v128_t a) { return simd_round(a, simd_whole(a)); }
SIMD_FUNCTION wasm_v128_t simd_f32x4_floor(wasm_v128_t a) {
    const wasm_v128_t whole = simd_whole(a);
    return simd_round(a, simd_f32x4_sub(whole, simd_one_where(_mm_cmplt_ps(SIMD_PS(a), SIMD_PS(whole)))));
}
SIMD_FUNCTION wasm_v128_t simd_f32x4_ceil(wasm_v128_t a) {
    const wasm_v128_t whole = simd_whole(a);
    return simd_round(a, simd_f32x4_add(whole, simd_one_where(_mm_cmplt_ps(SIMD_PS(whole), SIMD_PS(a)))));
}
/* In the processor's mode of rounding, which is to the nearest, and to the even one of two. */
SIMD_FUNCTION wasm_v128_t simd_f32x4_nearest(wasm_v128_t a) {
    return simd_round(a, SIMD_OF_PS(_mm_cvtepi32_ps(_mm_cvtps_epi32(SIMD_PS(a)))));
}

/* Conversions. What is too large for an i32 becomes the lowest one. */
SIMD_FUNCTION wasm_v128_t simd_i32x4_trunc_sat_f32x4_s(wasm_v128_t a) {
    const __m128 number = _mm_and_ps(SIMD_PS(a), _mm_cmpord_ps(SIMD_PS(a), SIMD_PS(a)));
    const __m128 too_large = _mm_cmple_ps(_mm_set1_ps(2147483648.0f), number);
    return _mm_xor_si128(_mm_cvttps_epi32(number), SIMD_OF_PS(too_large));
}
SIMD_FUNCTION wasm_v128_t simd_i32x4_trunc_sat_f32x4_u(wasm_v128_t a) {
    /* Of a NaN and 0, this is the second. */
    const __m128 number = _mm_max_ps(SIMD_PS(a), _mm_setzero_ps());
    const __m128 half = _mm_set1_ps(2147483648.0f);
    const __m128 above = _mm_sub_ps(number, half);
    const __m128 too_large = _mm_cmple_ps(half, above);
    const wasm_v128_t rest = _mm_xor_si128(_mm_cvttps_epi32(above), SIMD_OF_PS(too_large));
    return _mm_add_epi32(_mm_cvttps_epi32(number), _mm_andnot_si128(SIMD_NEGATIVE32(rest), rest));
}
SIMD_ONE(f32x4_convert_i32x4_s, SIMD_OF_PS(_mm_cvtepi32_ps(a)))
SIMD_INLINE wasm_v128_t simd_f32x4_convert_i32x4_u(wasm_v128_t a) {
    const __m128 high = _mm_mul_ps(_mm_cvtepi32_ps(_mm_srli_epi32(a, 16)), _mm_set1_ps(65536.0f));
    return SIMD_OF_PS(_mm_add_ps(high, _mm_cvtepi32_ps(_mm_and_si128(a, _mm_set1_epi32(0xffff)))));
}
SIMD_ONE(f64x2_convert_low_i32x4_s, SIMD_OF_PD(_mm_cvtepi32_pd(a)))
/* As the last bits of 2^52. */
SIMD_INLINE wasm_v128_t simd_f64x2_convert_low_i32x4_u(wasm_v128_t a) {
    const __m128d sum = SIMD_PD(_mm_unpacklo_epi32(a, _mm_set1_epi32(0x43300000)));
    return SIMD_OF_PD(_mm_sub_pd(sum, _mm_set1_pd(4503599627370496.0)));
}
SIMD_ONE(f32x4_demote_f64x2_zero, SIMD_OF_PS(_mm_cvtpd_ps(SIMD_PD(simd_hidden(a)))))
SIMD_ONE(f64x2_promote_low_f32x4, SIMD_OF_PD(_mm_cvtps_pd(SIMD_PS(simd_hidden(a)))))

#else

#define SIMD_SPLAT(name, type, count, lane) \
    SIMD_FUNCTION wasm_v128_t simd_##name(type value) { \
        SIMD_RESULT(count, lane, value) \
    }
#define SIMD_TRUE(shape, count, lane, bits) \
    SIMD_FUNCTION uint32_t simd_##shape##_all_true(wasm_v128_t vector_a) { \
        SIMD_LANES(a, vector_a); \
        uint32_t all = 1; \
        SIMD_FOR##count(all &= a.lane[i] != 0) \
        return all; \
    } \
    SIMD_FUNCTION uint32_t simd_##shape##_bitmask(wasm_v128_t vector_a) { \
        SIMD_LANES(a, vector_a); \
        uint32_t mask = 0; \
        SIMD_FOR##count(mask |= (uint32_t)(a.lane[i] >> ((bits) - 1)) << i) \
        return mask; \
    }
#define SIMD_ORDER(shape, count, bits, sign, lane) \
    SIMD_MAP2(shape##_lt##sign, count, u##bits, -(a.lane[i] < b.lane[i])) \
    SIMD_MAP2(shape##_gt##sign, count, u##bits, -(a.lane[i] > b.lane[i])) \
    SIMD_MAP2(shape##_le##sign, count, u##bits, -(a.lane[i] <= b.lane[i])) \
    SIMD_MAP2(shape##_ge##sign, count, u##bits, -(a.lane[i] >= b.lane[i]))
#define SIMD_EQUALITY(shape, count, bits, lane) \
    SIMD_MAP2(shape##_eq, count, u##bits, -(a.lane[i] == b.lane[i])) \
    SIMD_MAP2(shape##_ne, count, u##bits, -(a.lane[i] != b.lane[i]))
#define SIMD_ABSOLUTE(shape, count, bits) \
    SIMD_MAP1(shape##_abs, count, u##bits, a.s##bits[i] < 0 ? -a.u##bits[i] : a.u##bits[i])
#define SIMD_SHIFTS(shape, count, bits) \
    SIMD_SHIFT(shape##_shl, count, u##bits, bits, a.u##bits[i] << n) \
    SIMD_SHIFT(shape##_shr_s, count, s##bits, bits, a.s##bits[i] >> n) \
    SIMD_SHIFT(shape##_shr_u, count, u##bits, bits, a.u##bits[i] >> n)
/* Lanes of the lower or upper half that become twice as wide, and their products. */
#define SIMD_WIDEN(wide, narrow, count, sign, to, from) \
    SIMD_MAP1(wide##_extend_low_##narrow##_##sign, count, to, a.from[i]) \
    SIMD_MAP1(wide##_extend_high_##narrow##_##sign, count, to, a.from[i + count]) \
    SIMD_MAP2(wide##_extmul_low_##narrow##_##sign, count, to, SIMD_TIMES_##to(a.from[i], b.from[i])) \
    SIMD_MAP2(wide##_extmul_high_##narrow##_##sign, count, to, SIMD_TIMES_##to(a.from[i + count], b.from[i + count]))
#define SIMD_TIMES_s16(a, b) ((a) * (b))
#define SIMD_TIMES_u16(a, b) ((a) * (b))
#define SIMD_TIMES_s32(a, b) ((a) * (b))
#define SIMD_TIMES_u32(a, b) ((uint32_t)(a) * (b))
#define SIMD_TIMES_s64(a, b) ((int64_t)(a) * (b))
#define SIMD_TIMES_u64(a, b) ((uint64_t)(a) * (b))

#ifdef SIMD_MVE
#include "wasm_simd_mve.h"
#else
SIMD_INLINE wasm_v128_t simd_v128_load32_zero(uint32_t value) { return (wasm_v128_t){{value, 0, 0, 0}}; }
SIMD_INLINE wasm_v128_t simd_v128_load64_zero(uint64_t value) {
    return (wasm_v128_t){{(uint32_t)value, (uint32_t)(value >> 32), 0, 0}};
}
SIMD_SPLAT(i32x4_splat, uint32_t, 4, u32)
SIMD_SPLAT(f32x4_splat, float, 4, f32)
SIMD_INLINE wasm_v128_t simd_i8x16_splat(uint32_t value) { return simd_i32x4_splat((value & 0xff) * 0x01010101u); }
SIMD_INLINE wasm_v128_t simd_i16x8_splat(uint32_t value) { return simd_i32x4_splat((value & 0xffff) * 0x00010001u); }

SIMD_MAP1(v128_not, 4, u32, ~a.u32[i])
SIMD_MAP2(v128_and, 4, u32, a.u32[i] & b.u32[i])
SIMD_MAP2(v128_andnot, 4, u32, a.u32[i] & ~b.u32[i])
SIMD_MAP2(v128_or, 4, u32, a.u32[i] | b.u32[i])
SIMD_MAP2(v128_xor, 4, u32, a.u32[i] ^ b.u32[i])
SIMD_MAP3(v128_bitselect, 4, u32, ((a.u32[i] ^ b.u32[i]) & c.u32[i]) ^ b.u32[i])

SIMD_INLINE uint32_t simd_v128_any_true(wasm_v128_t a) {
    return (a.u32[0] | a.u32[1] | a.u32[2] | a.u32[3]) != 0;
}
SIMD_TRUE(i8x16, 16, u8, 8)
SIMD_TRUE(i16x8, 8, u16, 16)
SIMD_TRUE(i32x4, 4, u32, 32)

SIMD_EQUALITY(i8x16, 16, 8, u8)
SIMD_EQUALITY(i16x8, 8, 16, u16)
SIMD_EQUALITY(i32x4, 4, 32, u32)
SIMD_ORDER(i8x16, 16, 8, _s, s8)
SIMD_ORDER(i8x16, 16, 8, _u, u8)
SIMD_ORDER(i16x8, 8, 16, _s, s16)
SIMD_ORDER(i16x8, 8, 16, _u, u16)
SIMD_ORDER(i32x4, 4, 32, _s, s32)
SIMD_ORDER(i32x4, 4, 32, _u, u32)

/* Bytes and pairs of bytes a word at a time: no sum of the bits below the highest of each carries further. */
#define SIMD_HIGH8 0x80808080u
#define SIMD_HIGH16 0x80008000u
#define SIMD_ADDED(a, b, high) ((((a) & ~(high)) + ((b) & ~(high))) ^ (((a) ^ (b)) & (high)))
#define SIMD_SUBTRACTED(a, b, high) ((((a) | (high)) - ((b) & ~(high))) ^ (((a) ^ ~(b)) & (high)))
SIMD_MAP2(i8x16_add, 4, u32, SIMD_ADDED(a.u32[i], b.u32[i], SIMD_HIGH8))
SIMD_MAP2(i8x16_sub, 4, u32, SIMD_SUBTRACTED(a.u32[i], b.u32[i], SIMD_HIGH8))
SIMD_MAP1(i8x16_neg, 4, u32, SIMD_SUBTRACTED(0, a.u32[i], SIMD_HIGH8))
SIMD_MAP2(i16x8_add, 4, u32, SIMD_ADDED(a.u32[i], b.u32[i], SIMD_HIGH16))
SIMD_MAP2(i16x8_sub, 4, u32, SIMD_SUBTRACTED(a.u32[i], b.u32[i], SIMD_HIGH16))
SIMD_MAP1(i16x8_neg, 4, u32, SIMD_SUBTRACTED(0, a.u32[i], SIMD_HIGH16))
SIMD_MAP2(i32x4_add, 4, u32, a.u32[i] + b.u32[i])
SIMD_MAP2(i32x4_sub, 4, u32, a.u32[i] - b.u32[i])
SIMD_MAP1(i32x4_neg, 4, u32, -a.u32[i])

#define SIMD_SATURATING(shape, count, sign, lane) \
    SIMD_MAP2(shape##_add_sat_##sign, count, lane, SIMD_##lane(a.lane[i] + b.lane[i])) \
    SIMD_MAP2(shape##_sub_sat_##sign, count, lane, SIMD_##lane(a.lane[i] - b.lane[i]))
SIMD_SATURATING(i8x16, 16, s, s8)
SIMD_SATURATING(i8x16, 16, u, u8)
SIMD_SATURATING(i16x8, 8, s, s16)
SIMD_SATURATING(i16x8, 8, u, u16)
#undef SIMD_SATURATING
SIMD_MAP2(i8x16_avgr_u, 16, u8, (a.u8[i] + b.u8[i] + 1) >> 1)
SIMD_MAP2(i16x8_avgr_u, 8, u16, (a.u16[i] + b.u16[i] + 1) >> 1)

#define SIMD_EXTREMES(shape, count, sign, lane) \
    SIMD_MAP2(shape##_min_##sign, count, lane, SIMD_LESSER(a.lane[i], b.lane[i])) \
    SIMD_MAP2(shape##_max_##sign, count, lane, SIMD_GREATER(a.lane[i], b.lane[i]))
SIMD_EXTREMES(i8x16, 16, s, s8)
SIMD_EXTREMES(i8x16, 16, u, u8)
SIMD_EXTREMES(i16x8, 8, s, s16)
SIMD_EXTREMES(i16x8, 8, u, u16)
SIMD_EXTREMES(i32x4, 4, s, s32)
SIMD_EXTREMES(i32x4, 4, u, u32)
#undef SIMD_EXTREMES

SIMD_ABSOLUTE(i8x16, 16, 8)
SIMD_ABSOLUTE(i16x8, 8, 16)
SIMD_ABSOLUTE(i32x4, 4, 32)
SIMD_SHIFTS(i8x16, 16, 8)
SIMD_SHIFTS(i16x8, 8, 16)
SIMD_SHIFTS(i32x4, 4, 32)

SIMD_MAP2(i8x16_narrow_i16x8_s, 16, s8, SIMD_s8(i < 8 ? a.s16[i & 7] : b.s16[i & 7]))
SIMD_MAP2(i8x16_narrow_i16x8_u, 16, u8, SIMD_u8(i < 8 ? a.s16[i & 7] : b.s16[i & 7]))
SIMD_MAP2(i16x8_narrow_i32x4_s, 8, s16, SIMD_s16(i < 4 ? a.s32[i & 3] : b.s32[i & 3]))
SIMD_WIDEN(i16x8, i8x16, 8, s, s16, s8)
SIMD_WIDEN(i16x8, i8x16, 8, u, u16, u8)
SIMD_WIDEN(i32x4, i16x8, 4, s, s32, s16)
SIMD_WIDEN(i32x4, i16x8, 4, u, u32, u16)

SIMD_MAP2(i16x8_mul, 8, u16, (uint32_t)a.u16[i] * b.u16[i])
SIMD_MAP2(i32x4_mul, 4, u32, a.u32[i] * b.u32[i])
/* Of numbers of 16 bits, whatever is above them. */
SIMD_MAP2(narrow_product32, 4, s32, (int16_t)a.u32[i] * (int16_t)b.u32[i])
SIMD_MAP2(i16x8_q15mulr_sat_s, 8, s16, SIMD_s16((a.s16[i] * b.s16[i] + 0x4000) >> 15))
SIMD_MAP2(i32x4_dot_i16x8_s, 4, u32,
    (uint32_t)(a.s16[2 * i] * b.s16[2 * i]) + (uint32_t)(a.s16[2 * i + 1] * b.s16[2 * i + 1]))
SIMD_MAP1(i16x8_extadd_pairwise_i8x16_s, 8, s16, a.s8[2 * i] + a.s8[2 * i + 1])
SIMD_MAP1(i16x8_extadd_pairwise_i8x16_u, 8, u16, a.u8[2 * i] + a.u8[2 * i + 1])
SIMD_MAP1(i32x4_extadd_pairwise_i16x8_s, 4, s32, a.s16[2 * i] + a.s16[2 * i + 1])
SIMD_MAP1(i32x4_extadd_pairwise_i16x8_u, 4, u32, (uint32_t)a.u16[2 * i] + a.u16[2 * i + 1])

/* As in wasm_popcnt32, but for the sum of the bytes. */
SIMD_INLINE uint32_t simd_popcnt(uint32_t a) {
    a -= (a >> 1) & 0x55555555u;
    a = (a & 0x33333333u) + ((a >> 2) & 0x33333333u);
    return (a + (a >> 4)) & 0x0f0f0f0fu;
}
SIMD_MAP1(i8x16_popcnt, 4, u32, simd_popcnt(a.u32[i]))

SIMD_MAP1(f32x4_abs, 4, u32, a.u32[i] & ~0x80000000u)
SIMD_MAP1(f32x4_neg, 4, u32, a.u32[i] ^ 0x80000000u)
SIMD_MAP1(i32x4_trunc_sat_f32x4_s, 4, u32, wasm_sat_s32_f32(a.f32[i]))
SIMD_MAP1(i32x4_trunc_sat_f32x4_u, 4, u32, wasm_sat_u32_f32(a.f32[i]))
SIMD_MAP1(f32x4_convert_i32x4_s, 4, f32, (float)a.s32[i])
SIMD_MAP1(f32x4_convert_i32x4_u, 4, f32, (float)a.u32[i])
#endif

#ifdef SIMD_MVE
/* Between registers, here. */
#undef SIMD_LANES
#undef simd_vector
#define SIMD_LANES(name, vector) \
    simd_lanes_t name; \
    name.u64[0] = SIMD_HALF("e", vector); \
    name.u64[1] = SIMD_HALF("f", vector)
#define simd_vector(lanes) simd_of_halves((lanes).u64[0], (lanes).u64[1])
#endif
/* Integers of 64 bits. */
SIMD_SPLAT(i64x2_splat, uint64_t, 2, u64)
SIMD_TRUE(i64x2, 2, u64, 64)
SIMD_EQUALITY(i64x2, 2, 64, u64)
SIMD_ORDER(i64x2, 2, 64, _s, s64)
SIMD_MAP2(i64x2_add, 2, u64, a.u64[i] + b.u64[i])
SIMD_MAP2(i64x2_sub, 2, u64, a.u64[i] - b.u64[i])
SIMD_MAP1(i64x2_neg, 2, u64, -a.u64[i])
SIMD_ABSOLUTE(i64x2, 2, 64)
SIMD_SHIFTS(i64x2, 2, 64)
SIMD_WIDEN(i64x2, i32x4, 2, s, s64, s32)
SIMD_WIDEN(i64x2, i32x4, 2, u, u64, u32)
SIMD_MAP2(i64x2_mul, 2, u64, a.u64[i] * b.u64[i])
SIMD_MAP2(narrow_product64, 2, s64, (int64_t)((int16_t)a.u64[i] * (int16_t)b.u64[i]))
#define simd_low_product32 simd_narrow_product32
#define simd_low_product64 simd_narrow_product64

#ifdef SIMD_MVE
#undef SIMD_LANES
#undef simd_vector
#define SIMD_LANES SIMD_STORED
#define simd_vector SIMD_LOADED
#endif

/* Floats: as numbers of their own. */
#define SIMD_FLOATS(shape, count, bits) \
    SIMD_EQUALITY(shape, count, bits, f##bits) \
    SIMD_ORDER(shape, count, bits, , f##bits) \
    SIMD_MAP2(shape##_min, count, f##bits, wasm_min##bits(a.f##bits[i], b.f##bits[i])) \
    SIMD_MAP2(shape##_max, count, f##bits, wasm_max##bits(a.f##bits[i], b.f##bits[i])) \
    /* Bits, which stay as they are. */ \
    SIMD_MAP2(shape##_pmin, count, u##bits, b.f##bits[i] < a.f##bits[i] ? b.u##bits[i] : a.u##bits[i]) \
    SIMD_MAP2(shape##_pmax, count, u##bits, a.f##bits[i] < b.f##bits[i] ? b.u##bits[i] : a.u##bits[i])
SIMD_FLOATS(f32x4, 4, 32)
SIMD_FLOATS(f64x2, 2, 64)
#ifndef SIMD_MVE
#define SIMD_ARITHMETIC(shape, count, bits) \
    SIMD_MAP1(shape##_sqrt, count, f##bits, wasm_sqrt##bits(a.f##bits[i])) \
    SIMD_MAP2(shape##_add, count, f##bits, wasm_add##bits(a.f##bits[i], b.f##bits[i])) \
    SIMD_MAP2(shape##_sub, count, f##bits, wasm_sub##bits(a.f##bits[i], b.f##bits[i])) \
    SIMD_MAP2(shape##_mul, count, f##bits, wasm_mul##bits(a.f##bits[i], b.f##bits[i])) \
    SIMD_MAP2(shape##_div, count, f##bits, wasm_div##bits(a.f##bits[i], b.f##bits[i]))
SIMD_ARITHMETIC(f32x4, 4, 32)
SIMD_ARITHMETIC(f64x2, 2, 64)
#undef SIMD_ARITHMETIC
SIMD_MAP1(f32x4_ceil, 4, f32, wasm_ceil32(a.f32[i]))
SIMD_MAP1(f32x4_floor, 4, f32, wasm_floor32(a.f32[i]))
SIMD_MAP1(f32x4_trunc, 4, f32, wasm_trunc32(a.f32[i]))
SIMD_MAP1(f32x4_nearest, 4, f32, wasm_nearest32(a.f32[i]))
#endif
SIMD_SPLAT(f64x2_splat, double, 2, f64)
SIMD_MAP1(f64x2_abs, 2, u64, a.u64[i] & ~0x8000000000000000ull)
SIMD_MAP1(f64x2_neg, 2, u64, a.u64[i] ^ 0x8000000000000000ull)
SIMD_MAP1(f64x2_convert_low_i32x4_s, 2, f64, (double)a.s32[i])
SIMD_MAP1(f64x2_convert_low_i32x4_u, 2, f64, (double)a.u32[i])
SIMD_MAP1(f32x4_demote_f64x2_zero, 2, f32, wasm_demote(a.f64[i]))
SIMD_MAP1(f64x2_promote_low_f32x4, 2, f64, (double)a.f32[i])
#undef SIMD_SPLAT
#undef SIMD_TRUE
#undef SIMD_ORDER
#undef SIMD_EQUALITY
#undef SIMD_ABSOLUTE
#undef SIMD_SHIFTS
#undef SIMD_WIDEN
#undef SIMD_FLOATS

#endif

/* Those that SSE2 has no instructions for either. */
#ifndef SIMD_MVE
SIMD_MAP2(i8x16_swizzle, 16, u8, b.u8[i] < 16 ? a.u8[b.u8[i] & 15] : 0)
SIMD_MAP2(i16x8_narrow_i32x4_u, 8, u16, SIMD_u16(i < 4 ? a.s32[i & 3] : b.s32[i & 3]))
SIMD_MAP1(f64x2_ceil, 2, f64, wasm_ceil64(a.f64[i]))
SIMD_MAP1(f64x2_floor, 2, f64, wasm_floor64(a.f64[i]))
SIMD_MAP1(f64x2_trunc, 2, f64, wasm_trunc64(a.f64[i]))
SIMD_MAP1(f64x2_nearest, 2, f64, wasm_nearest64(a.f64[i]))
#endif
SIMD_MAP1(i32x4_trunc_sat_f64x2_s_zero, 2, u32, wasm_sat_s32_f64(a.f64[i]))
SIMD_MAP1(i32x4_trunc_sat_f64x2_u_zero, 2, u32, wasm_sat_u32_f64(a.f64[i]))

#ifndef SIMD_MVE
/* Numbers in memory, all of them one cell, that become lanes of more bits: whether they have signs, and the cell. */
#define SIMD_LOAD8TO16(sign, cell) simd_i16x8_extend_low_i8x16_##sign(simd_v128_load64_zero(cell))
#define SIMD_LOAD16TO32(sign, cell) simd_i32x4_extend_low_i16x8_##sign(simd_v128_load64_zero(cell))
#define SIMD_LOAD8TO32(sign, cell) \
    simd_i32x4_extend_low_i16x8_##sign(simd_i16x8_extend_low_i8x16_##sign(simd_v128_load32_zero(cell)))
/* Products of four bytes. */
#define SIMD_PRODUCTS8TO32(sign_a, a, sign_b, b) \
    simd_i32x4_extmul_low_i16x8_s(simd_i16x8_extend_low_i8x16_##sign_a(simd_v128_load32_zero(a)), \
        simd_i16x8_extend_low_i8x16_##sign_b(simd_v128_load32_zero(b)))
#endif

/* Relaxed operators. */
#define simd_i8x16_relaxed_swizzle simd_i8x16_swizzle
#define simd_i32x4_relaxed_trunc_f32x4_s simd_i32x4_trunc_sat_f32x4_s
#define simd_i32x4_relaxed_trunc_f32x4_u simd_i32x4_trunc_sat_f32x4_u
#define simd_i32x4_relaxed_trunc_f64x2_s_zero simd_i32x4_trunc_sat_f64x2_s_zero
#define simd_i32x4_relaxed_trunc_f64x2_u_zero simd_i32x4_trunc_sat_f64x2_u_zero
#define simd_f32x4_relaxed_madd(a, b, c) simd_f32x4_add(simd_f32x4_mul(a, b), c)
#define simd_f32x4_relaxed_nmadd(a, b, c) simd_f32x4_add(simd_f32x4_neg(simd_f32x4_mul(a, b)), c)
#define simd_f64x2_relaxed_madd(a, b, c) simd_f64x2_add(simd_f64x2_mul(a, b), c)
#define simd_f64x2_relaxed_nmadd(a, b, c) simd_f64x2_add(simd_f64x2_neg(simd_f64x2_mul(a, b)), c)
#define simd_i8x16_relaxed_laneselect simd_v128_bitselect
#define simd_i16x8_relaxed_laneselect simd_v128_bitselect
#define simd_i32x4_relaxed_laneselect simd_v128_bitselect
#define simd_i64x2_relaxed_laneselect simd_v128_bitselect
#define simd_f32x4_relaxed_min simd_f32x4_min
#define simd_f32x4_relaxed_max simd_f32x4_max
#define simd_f64x2_relaxed_min simd_f64x2_min
#define simd_f64x2_relaxed_max simd_f64x2_max
#define simd_i16x8_relaxed_q15mulr_s simd_i16x8_q15mulr_sat_s
#ifndef SIMD_MVE
SIMD_MAP2(i16x8_relaxed_dot_i8x16_i7x16_s, 8, s16, a.s8[2 * i] * b.s8[2 * i] + a.s8[2 * i + 1] * b.s8[2 * i + 1])
#endif
SIMD_INLINE wasm_v128_t simd_i32x4_relaxed_dot_i8x16_i7x16_add_s(wasm_v128_t a, wasm_v128_t b, wasm_v128_t c) {
    return simd_i32x4_add(simd_i32x4_extadd_pairwise_i16x8_s(simd_i16x8_relaxed_dot_i8x16_i7x16_s(a, b)), c);
}

#endif
