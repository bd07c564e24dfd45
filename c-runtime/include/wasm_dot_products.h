/* Sums of products of numbers that follow one another in memory. A part of `wasm.h`.
 *
 * wasm_dot_product_s16_64(sum, a, b, count, addend): `sum`, which has 64 bits, and the products of as many signed numbers of 16
 * bits from `a` and `b` on. The addend is added to those of `a`. The count is a multiple of four, and not 0. Only bytes have an
 * addend that is not 0, and its sum with any byte has 16 bits. No number needs to be aligned.
 *
 * WASM_HAS_DOT_PRODUCT_s16_64: 1 where this is faster than a loop.
 *
 * Arm v8-M Architecture Reference Manual: VMLADAV, VMLALDAV, DLSTP, LETP. Arm v7-M: SMLAD, SMLALD, SXTAB16. Arm v6-M: LDRSH
 * (register).
 */
#ifndef WASM_DOT_PRODUCTS_H
#define WASM_DOT_PRODUCTS_H

/* A test defines WASM_DOT_PRODUCTS, to have all of them everywhere. */
#ifndef WASM_DOT_PRODUCTS
#define WASM_DOT_PRODUCTS 0
#endif

#define WASM_DOT_PRODUCT(cell, bits) \
    WASM_UNUSED static uint##bits##_t wasm_dot_product_##cell##_##bits( \
        uint##bits##_t sum, const uint8_t *a, const uint8_t *b, uint32_t count, int32_t addend)

#if defined(__ARM_FEATURE_MVE) && !defined(__OPTIMIZE_SIZE__)
/* 16 bytes at once, and at last as many as are left. They are loaded as bytes, as loads of wider numbers fault where those are not
 * aligned. What is added leaves out numbers whose bytes are left out. */
#define WASM_EACH_VECTOR(text, ...) \
    __asm__( \
        "dlstp.8 lr, %[bytes]\n1:\n\t" \
        "vldrb.8 q0, [%[a]], #16\n\tvldrb.8 q1, [%[b]], #16\n\t" text "\n\tletp lr, 1b" \
        : [a] "+r"(a), [b] "+r"(b), __VA_ARGS__ \
        : [bytes] "r"(count * (uint32_t)sizeof *number) \
        : "lr", "q0", "q1", "memory")
#define WASM_DOT_PRODUCT32(cell) \
    __attribute__((always_inline)) inline WASM_DOT_PRODUCT(cell, 32) { \
        const wasm_##cell *number; \
        if (__builtin_constant_p(addend) && addend == 0) { \
            WASM_EACH_VECTOR("vmladava." #cell " %[sum], q0, q1", [sum] "+Te"(sum)); \
            return sum; \
        } \
        uint32_t sum_b = 0; \
        WASM_EACH_VECTOR("vmladava." #cell " %[sum], q0, q1\n\tvaddva." #cell " %[sum_b], q1", \
            [sum] "+Te"(sum), [sum_b] "+Te"(sum_b)); \
        return sum + (uint32_t)addend * sum_b; \
    }
#define WASM_DOT_PRODUCT64(cell) \
    __attribute__((always_inline)) inline WASM_DOT_PRODUCT(cell, 64) { \
        (void)addend; \
        const wasm_##cell *number; \
        WASM_EACH_VECTOR("vmlaldava." #cell " %Q[sum], %R[sum], q0, q1", [sum] "+r"(sum)); \
        return sum; \
    }
WASM_DOT_PRODUCT32(s8)
WASM_DOT_PRODUCT32(u8)
WASM_DOT_PRODUCT32(s16)
WASM_DOT_PRODUCT32(u16)
WASM_DOT_PRODUCT32(u32)
WASM_DOT_PRODUCT64(s16)
WASM_DOT_PRODUCT64(u16)
WASM_DOT_PRODUCT64(s32)
WASM_DOT_PRODUCT64(u32)
#undef WASM_DOT_PRODUCT64
#undef WASM_DOT_PRODUCT32
#undef WASM_EACH_VECTOR
#define WASM_HAS_DOT_PRODUCT_s8_32 1
#define WASM_HAS_DOT_PRODUCT_u8_32 1
#define WASM_HAS_DOT_PRODUCT_s16_32 1
#define WASM_HAS_DOT_PRODUCT_u16_32 1
#define WASM_HAS_DOT_PRODUCT_u32_32 1
#define WASM_HAS_DOT_PRODUCT_s16_64 1
#define WASM_HAS_DOT_PRODUCT_u16_64 1
#define WASM_HAS_DOT_PRODUCT_s32_64 1
#define WASM_HAS_DOT_PRODUCT_u32_64 1

#else
/* These are not inlined, as the registers of their callers may be in use for other things. */
#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_UNALIGNED) && !defined(__OPTIMIZE_SIZE__)
/* Each step is in one piece, as GCC would read as much as it can ahead, into registers that there are not. */
#define WASM_STEP(text) \
    __asm__( \
        text : [sum] "+&r"(sum), [a] "+&r"(a), [b] "+&r"(b), [x] "=&r"(x), [y] "=&r"(y), [u] "=&r"(u), [v] "=&r"(v) \
        : [addends] "r"(addends) : "memory")
#define WASM_STEPS(text) \
    for (uint32_t left = count >> 4; left; left--) { \
        WASM_STEP(text text text text); \
    } \
    for (uint32_t left = count & 12; left; left -= 4) { \
        WASM_STEP(text); \
    }
#define WASM_LOAD_PAIRS "ldr %[x], [%[a]], #4\n\tldr %[y], [%[b]], #4\n\t"
#define WASM_OF_BYTES(cell, widened) \
    __attribute__((noinline)) WASM_DOT_PRODUCT(cell, 32) { \
        const uint32_t addends = (uint16_t)addend * 0x10001u; \
        uint32_t x, y, u, v; \
        WASM_STEPS(WASM_LOAD_PAIRS \
            widened "ab16 %[u], %[addends], %[x]\n\t" widened "b16 %[v], %[y]\n\tsmlad %[sum], %[u], %[v], %[sum]\n\t" \
            widened "ab16 %[x], %[addends], %[x], ror #8\n\t" widened "b16 %[y], %[y], ror #8\n\t" \
            "smlad %[sum], %[x], %[y], %[sum]\n\t") \
        return sum; \
    }
#define WASM_OF_HALVES(bits, add) \
    __attribute__((noinline)) WASM_DOT_PRODUCT(s16, bits) { \
        const uint32_t addends = 0; \
        uint32_t x, y, u, v; \
        (void)addend; \
        WASM_STEPS(WASM_LOAD_PAIRS add WASM_LOAD_PAIRS add) \
        return sum; \
    }
WASM_OF_BYTES(s8, "sxt")
WASM_OF_BYTES(u8, "uxt")
WASM_OF_HALVES(32, "smlad %[sum], %[x], %[y], %[sum]\n\t")
WASM_OF_HALVES(64, "smlald %Q[sum], %R[sum], %[x], %[y]\n\t")
#undef WASM_OF_HALVES
#undef WASM_OF_BYTES
#undef WASM_LOAD_PAIRS
#undef WASM_STEPS
#undef WASM_STEP
#define WASM_HAS_DOT_PRODUCT_s8_32 1
#define WASM_HAS_DOT_PRODUCT_u8_32 1
#define WASM_HAS_DOT_PRODUCT_s16_32 1
#define WASM_HAS_DOT_PRODUCT_s16_64 1

#elif defined(__thumb__) && !defined(__thumb2__) && defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)
/* Armv6-M loads a signed number from a sum of two registers only. */
__attribute__((noinline)) WASM_DOT_PRODUCT(s8, 32) {
    const int8_t *a_end = (const int8_t *)(a + count), *b_end = (const int8_t *)(b + count);
#define WASM_ADD_PRODUCT() \
    (sum += (uint32_t)((a_end[at] + addend) * b_end[at]), at++); \
    __asm__("" : "+r"(at))
    for (intptr_t at = -(intptr_t)count; at;) {
        WASM_ADD_PRODUCT();
        WASM_ADD_PRODUCT();
        WASM_ADD_PRODUCT();
        WASM_ADD_PRODUCT();
    }
#undef WASM_ADD_PRODUCT
    return sum;
}
#define WASM_HAS_DOT_PRODUCT_s8_32 1

/* Two products are added in 32 bits before the sum of 64. Only 2^31, the largest that two make, does not fit into a signed number, so
 * this subtracts 1, which the sum has in advance. All eight registers that most instructions can use are taken. */
#define WASM_TWO_PRODUCTS \
    "ldrsh %[x], [%[a], %[at]]\n\tldrsh %[y], [%[b], %[at]]\n\tadds %[at], #2\n\tmuls %[x], %[y]\n\t" \
    "ldrsh %[y], [%[a], %[at]]\n\tldrsh %[z], [%[b], %[at]]\n\tadds %[at], #2\n\tmuls %[y], %[z]\n\t" \
    "subs %[x], #1\n\tadds %[x], %[y]\n\tasrs %[y], %[x], #31\n\tadds %[low], %[x]\n\tadcs %[high], %[y]\n\t"
__attribute__((noinline)) WASM_DOT_PRODUCT(s16, 64) {
    (void)addend;
    if (((uintptr_t)a | (uintptr_t)b) & 1) {
        for (; count; count--, a += 2, b += 2) {
            sum += (uint64_t)(int64_t)((int32_t)*(const wasm_s16_unaligned *)a * *(const wasm_s16_unaligned *)b);
        }
        return sum;
    }
    a += 2 * count;
    b += 2 * count;
    sum += count >> 1;
    uint32_t low = (uint32_t)sum, high = (uint32_t)(sum >> 32), at = -(2 * count), x, y, z;
    do {
        __asm__(".syntax unified\n\t" WASM_TWO_PRODUCTS WASM_TWO_PRODUCTS
            : [low] "+&l"(low), [high] "+&l"(high), [at] "+&l"(at), [x] "=&l"(x), [y] "=&l"(y), [z] "=&l"(z)
            : [a] "l"(a), [b] "l"(b)
            : "cc", "memory");
    } while (at);
    return (uint64_t)high << 32 | low;
}
#undef WASM_TWO_PRODUCTS
#define WASM_HAS_DOT_PRODUCT_s16_64 1
#endif

#define WASM_ANYWHERE(cell, type, bits) \
    WASM_DOT_PRODUCT(cell, bits) { \
        for (uint32_t at = 0; at < count * (uint32_t)sizeof(wasm_##cell); at += (uint32_t)sizeof(wasm_##cell)) { \
            const type x = (type)*(const wasm_##cell##_unaligned *)(a + at); \
            const type y = (type)*(const wasm_##cell##_unaligned *)(b + at); \
            sum += (uint##bits##_t)((x + (type)addend) * y); \
        } \
        return sum; \
    }
#ifndef WASM_HAS_DOT_PRODUCT_s8_32
#define WASM_HAS_DOT_PRODUCT_s8_32 WASM_DOT_PRODUCTS
WASM_ANYWHERE(s8, int32_t, 32)
#endif
#ifndef WASM_HAS_DOT_PRODUCT_u8_32
#define WASM_HAS_DOT_PRODUCT_u8_32 WASM_DOT_PRODUCTS
WASM_ANYWHERE(u8, int32_t, 32)
#endif
#ifndef WASM_HAS_DOT_PRODUCT_s16_32
#define WASM_HAS_DOT_PRODUCT_s16_32 WASM_DOT_PRODUCTS
WASM_ANYWHERE(s16, uint32_t, 32)
#endif
#ifndef WASM_HAS_DOT_PRODUCT_s16_64
#define WASM_HAS_DOT_PRODUCT_s16_64 WASM_DOT_PRODUCTS
WASM_ANYWHERE(s16, int64_t, 64)
#endif
#define WASM_HAS_DOT_PRODUCT_u16_32 WASM_DOT_PRODUCTS
#define WASM_HAS_DOT_PRODUCT_u32_32 WASM_DOT_PRODUCTS
#define WASM_HAS_DOT_PRODUCT_u16_64 WASM_DOT_PRODUCTS
#define WASM_HAS_DOT_PRODUCT_s32_64 WASM_DOT_PRODUCTS
#define WASM_HAS_DOT_PRODUCT_u32_64 WASM_DOT_PRODUCTS
WASM_ANYWHERE(u16, uint32_t, 32)
WASM_ANYWHERE(u32, uint32_t, 32)
WASM_ANYWHERE(u16, uint64_t, 64)
WASM_ANYWHERE(s32, int64_t, 64)
WASM_ANYWHERE(u32, uint64_t, 64)
#undef WASM_ANYWHERE
#endif
#undef WASM_DOT_PRODUCT

#endif
