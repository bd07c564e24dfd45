// Each kernel with vectors, and the same without: they give the same, whatever the length.
#include <stdint.h>
#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define COUNT 203

static int16_t a[COUNT], b[COUNT];
static uint8_t bytes[COUNT];
static float x[COUNT], y[COUNT];

EXPORT(fill) void fill(uint32_t seed) {
    for (int i = 0; i < COUNT; i++) {
        seed = seed * 1664525 + 1013904223;
        a[i] = (int16_t)(seed >> 16);
        b[i] = (int16_t)(seed >> 8);
        bytes[i] = (uint8_t)(seed >> 24);
        x[i] = (float)(int8_t)(seed >> 20) / 8;
        y[i] = (float)(int8_t)(seed >> 12) / 4;
    }
}

EXPORT(dot) int32_t dot(int n, int from) {
    v128_t sum = wasm_i32x4_splat(0);
    int i = 0;
    for (; i + 8 <= n; i += 8) {
        sum = wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(wasm_v128_load(a + from + i), wasm_v128_load(b + i)));
    }
    int32_t total = wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 1) +
                    wasm_i32x4_extract_lane(sum, 2) + wasm_i32x4_extract_lane(sum, 3);
    for (; i < n; i++) {
        total += a[from + i] * b[i];
    }
    return total;
}

EXPORT(dot_plain) int32_t dot_plain(int n, int from) {
    uint32_t total = 0;
#pragma clang loop vectorize(disable) unroll(disable)
    for (int i = 0; i < n; i++) {
        total += (uint32_t)(a[from + i] * b[i]);
    }
    return (int32_t)total;
}

// Brighter by a number, at most 255; then the order of each group of 16 is reversed, and bytes below 100 become 0.
EXPORT(image) uint32_t image(int n, uint32_t by) {
    uint32_t hash = 0;
    for (int i = 0; i + 16 <= n; i += 16) {
        v128_t v = wasm_u8x16_add_sat(wasm_v128_load(bytes + i), wasm_u8x16_splat((uint8_t)by));
        v = wasm_i8x16_shuffle(v, v, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
        v = wasm_v128_and(v, wasm_u8x16_ge(v, wasm_u8x16_splat(100)));
        uint8_t out[16];
        wasm_v128_store(out, v);
        for (int j = 0; j < 16; j++) {
            hash = hash * 31 + out[j];
        }
    }
    return hash;
}

EXPORT(image_plain) uint32_t image_plain(int n, uint32_t by) {
    uint32_t hash = 0;
    for (int i = 0; i + 16 <= n; i += 16) {
#pragma clang loop vectorize(disable) unroll(disable)
        for (int j = 0; j < 16; j++) {
            uint32_t byte = bytes[i + 15 - j] + by;
            byte = byte > 255 ? 255 : byte;
            hash = hash * 31 + (byte < 100 ? 0 : byte);
        }
    }
    return hash;
}

// Left to the compiler.
EXPORT(norm) float norm(int n, float scale) {
    static float z[COUNT];
    for (int i = 0; i < n; i++) {
        z[i] = x[i] * scale + y[i];
    }
    float most = 0;
#pragma clang loop vectorize(disable)
    for (int i = 0; i < n; i++) {
        float magnitude = __builtin_fabsf(z[i]);
        most = magnitude > most ? magnitude : most;
    }
    return most;
}

EXPORT(norm_plain) float norm_plain(int n, float scale) {
    float most = 0;
#pragma clang loop vectorize(disable) unroll(disable)
    for (int i = 0; i < n; i++) {
        float magnitude = __builtin_fabsf(x[i] * scale + y[i]);
        most = magnitude > most ? magnitude : most;
    }
    return most;
}
