// Prints what every kernel must return, for `differential.rs`.
#include <stdint.h>
#include <stdio.h>

#define KERNELS(X) \
    X(fir_f32) X(fft_f32) X(matmul_f32) X(mandelbrot) X(nbody) X(fir_i16) X(matmul_i8) \
    X(dot_q15) X(fir_q15) X(matmul_q15) \
    X(sha256) X(crc32) X(sort) X(json) X(base64) X(search)

#define DECLARE(name) uint32_t name(uint32_t rounds);
KERNELS(DECLARE)

int main(void) {
#define PRINT(name) printf("%s %08x %08x\n", #name, name(1), name(3));
    KERNELS(PRINT)
    return 0;
}
