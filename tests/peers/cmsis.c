/* The functions of src/lib.rs by CMSIS-DSP, with the same data and results. KERNEL_name says which it is. */
#include <stdint.h>
#include <string.h>

#include "arm_math.h"

static uint32_t words[9];
static int8_t a8[8192], b8[2304], y8[1024];
static int16_t a16[576], b16[576], y16[576], scratch16[576];
static float af[512], bf[512], yf[400], lines[512], states[16];

/* Layers of 16 filters over time (examples/motions), and a block of samples (examples/spectrum). */
static int8_t recording[600], first[16 * 30], second[16 * 80], last[4 * 16];
static int32_t model_bias[16];
static int16_t samples[256];

static uint32_t seed;

#ifdef KERNEL_cfft_f32
#include "CommonTables/arm_common_tables.c"
#include "CommonTables/arm_const_structs.c"
#include "CommonTables/arm_mve_tables.c"
#include "TransformFunctions/arm_bitreversal2.c"
#include "TransformFunctions/arm_cfft_f32.c"
#include "TransformFunctions/arm_cfft_init_f32.c"
#include "TransformFunctions/arm_cfft_radix8_f32.c"
static arm_cfft_instance_f32 transform;
#endif
#ifdef KERNEL_spectrum
#include "CommonTables/arm_common_tables.c"
#include "CommonTables/arm_const_structs.c"
#include "CommonTables/arm_mve_tables.c"
#include "TransformFunctions/arm_bitreversal2.c"
#include "TransformFunctions/arm_cfft_init_q15.c"
#include "TransformFunctions/arm_cfft_q15.c"
#include "TransformFunctions/arm_cfft_radix4_q15.c"
static arm_cfft_instance_q15 transform;
#endif

static uint32_t next(void) {
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

void start(uint32_t first_seed) {
    seed = first_seed;
    for (unsigned i = 0; i < 8192; i++) a8[i] = (int8_t)next();
    for (unsigned i = 0; i < 2304; i++) b8[i] = (int8_t)next();
    for (unsigned i = 0; i < 576; i++) a16[i] = (int16_t)next();
    for (unsigned i = 0; i < 576; i++) b16[i] = (int16_t)next();
    for (unsigned i = 0; i < 512; i++) af[i] = (float)(next() & 63) - 32.0f;
    for (unsigned i = 0; i < 512; i++) bf[i] = (float)(next() & 63) - 32.0f;
    for (unsigned i = 0; i < 512; i++) lines[i] = (float)(next() & 1023) - 512.0f;
    /* The biases of layers, which CMSIS-DSP does not have. */
    for (unsigned i = 0; i < 64; i++) (void)next();
    for (unsigned i = 0; i < sizeof recording; i++) recording[i] = (int8_t)next();
    for (unsigned i = 0; i < sizeof first; i++) first[i] = (int8_t)next();
    for (unsigned i = 0; i < sizeof second; i++) second[i] = (int8_t)next();
    for (unsigned i = 0; i < sizeof last; i++) last[i] = (int8_t)next();
    for (unsigned i = 0; i < 16; i++) model_bias[i] = (int32_t)(next() & 255) - 128;
    for (unsigned i = 0; i < 256; i++) {
        samples[i] = (int16_t)(((int16_t)next() >> 4) + (i * 21 / 128 % 2 == 0 ? 12000 : -12000));
    }
#ifdef KERNEL_cfft_f32
    arm_cfft_init_256_f32(&transform);
#endif
#ifdef KERNEL_spectrum
    arm_cfft_init_256_q15(&transform);
#endif
}

static uint32_t mix(uint32_t sum, uint32_t value) { return ((sum << 5 | sum >> 27) ^ value) * 0x9e3779b1u; }

static uint32_t near(float x) { return (uint32_t)(int32_t)(x / 64.0f); }

uint32_t result(uint32_t sum) {
    for (unsigned i = 0; i < 9; i++) sum = mix(sum, words[i]);
    for (unsigned i = 0; i < 1024; i++) sum = mix(sum, (uint32_t)y8[i]);
    for (unsigned i = 0; i < 576; i++) sum = mix(sum, (uint32_t)y16[i]);
    for (unsigned i = 0; i < 400; i++) sum = mix(sum, near(yf[i]));
    for (unsigned i = 0; i < 512; i++) sum = mix(sum, near(lines[i]));
    return sum;
}

#ifdef KERNEL_dot_q15
#include "BasicMathFunctions/arm_dot_prod_q15.c"
uint32_t dot_q15(uint32_t n) {
    q63_t sum;
    arm_dot_prod_q15(a16, b16, n, &sum);
    words[0] = (uint32_t)sum;
    words[1] = (uint32_t)(sum >> 32);
    return 0;
}
#endif

#ifdef KERNEL_dot_q7
#include "BasicMathFunctions/arm_dot_prod_q7.c"
uint32_t dot_q7(uint32_t n) {
    q31_t sum;
    arm_dot_prod_q7(a8, b8, n, &sum);
    words[0] = (uint32_t)sum;
    return 0;
}
#endif

#ifdef KERNEL_dot_f32
#include "BasicMathFunctions/arm_dot_prod_f32.c"
uint32_t dot_f32(uint32_t n) {
    float sum;
    arm_dot_prod_f32(af, bf, n, &sum);
    words[0] = (uint32_t)(int32_t)sum;
    return 0;
}
#endif

/* The state of a filter begins with the inputs before the first one, behind what a filter of floats with Helium needs for itself. */
#define OUTPUTS 128
#ifdef ARM_MATH_MVEF
#define OWN_f32 OUTPUTS
#else
#define OWN_f32 0
#endif
#define OWN_q15 0
typedef float32_t f32_t;
#define FILTER(number, init, run, x, taps, y)                       \
    static number##_t state[32 + OUTPUTS + OWN_##number];           \
    arm_fir_instance_##number filter;                               \
    init(&filter, (uint16_t)n, taps, state, OUTPUTS);               \
    memcpy(state + OWN_##number, x, (n - 1) * sizeof *state);       \
    run(&filter, x + n - 1, y, OUTPUTS);                            \
    return 0;

#ifdef KERNEL_fir_q15
#include "FilteringFunctions/arm_fir_init_q15.c"
#include "FilteringFunctions/arm_fir_q15.c"
uint32_t fir_q15(uint32_t n) { FILTER(q15, arm_fir_init_q15, arm_fir_q15, a16, b16, y16) }
#endif

#ifdef KERNEL_fir_fast_q15
#include "FilteringFunctions/arm_fir_fast_q15.c"
#include "FilteringFunctions/arm_fir_init_q15.c"
uint32_t fir_fast_q15(uint32_t n) {
    FILTER(q15, arm_fir_init_q15, arm_fir_fast_q15, a16, b16, y16)
}
#endif

#ifdef KERNEL_fir_f32
#include "FilteringFunctions/arm_fir_f32.c"
#include "FilteringFunctions/arm_fir_init_f32.c"
uint32_t fir_f32(uint32_t n) { FILTER(f32, arm_fir_init_f32, arm_fir_f32, af, bf, yf) }
#endif

#define PRODUCT(type, run, x, y, to, ...)                           \
    type a = {(uint16_t)n, (uint16_t)n, x}, b = {(uint16_t)n, (uint16_t)n, y}, c = {(uint16_t)n, (uint16_t)n, to}; \
    run(&a, &b, &c __VA_ARGS__);                                    \
    return 0;

#ifdef KERNEL_mat_q7
#include "MatrixFunctions/arm_mat_mult_q7.c"
#include "MatrixFunctions/arm_mat_trans_q7.c"
uint32_t mat_q7(uint32_t n) { PRODUCT(arm_matrix_instance_q7, arm_mat_mult_q7, a8, b8, y8, , a8 + 4096) }
#endif

#ifdef KERNEL_mat_q15
#include "MatrixFunctions/arm_mat_mult_q15.c"
#include "MatrixFunctions/arm_mat_trans_q15.c"
uint32_t mat_q15(uint32_t n) { PRODUCT(arm_matrix_instance_q15, arm_mat_mult_q15, a16, b16, y16, , scratch16) }
#endif

#ifdef KERNEL_mat_fast_q15
#include "MatrixFunctions/arm_mat_mult_fast_q15.c"
uint32_t mat_fast_q15(uint32_t n) {
    PRODUCT(arm_matrix_instance_q15, arm_mat_mult_fast_q15, a16, b16, y16, , scratch16)
}
#endif

#ifdef KERNEL_mat_f32
#include "MatrixFunctions/arm_mat_mult_f32.c"
uint32_t mat_f32(uint32_t n) { PRODUCT(arm_matrix_instance_f32, arm_mat_mult_f32, af, bf, yf) }
#endif

#ifdef KERNEL_biquad_f32
#include "FilteringFunctions/arm_biquad_cascade_df1_f32.c"
#include "FilteringFunctions/arm_biquad_cascade_df1_init_f32.c"
uint32_t biquad_f32(uint32_t n) {
    static const float stages[20] = {
        0.25f,  0.5f, 0.25f, 0.5f,  -0.25f, 0.5f, 0.25f, 0.125f, 0.25f,  -0.125f,
        0.375f, 0.5f, 0.25f, 0.75f, -0.5f,  0.5f, 0.5f,  0.5f,   -0.25f, -0.25f,
    };
    arm_biquad_casd_df1_inst_f32 filter;
#ifdef ARM_MATH_MVEF
    static arm_biquad_mod_coef_f32 changed[4];
    arm_biquad_cascade_df1_mve_init_f32(&filter, 4, stages, changed, states);
#else
    arm_biquad_cascade_df1_init_f32(&filter, 4, stages, states);
#endif
    arm_biquad_cascade_df1_f32(&filter, af, yf, n);
    return 0;
}
#endif

#ifdef KERNEL_cfft_f32
uint32_t cfft_f32(uint32_t n) {
    (void)n;
    arm_cfft_f32(&transform, lines, 0, 1);
    return 0;
}
#endif

#ifdef KERNEL_motions
#include "BasicMathFunctions/arm_dot_prod_q7.c"
static void convolve(const q7_t *x, unsigned channels, unsigned times, const q7_t *filters, q31_t multiply, unsigned shift, q7_t *y) {
    for (; times--; x += 2 * channels) {
        for (unsigned i = 0; i < 16; i++) {
            q31_t sum;
            arm_dot_prod_q7(filters + i * 5 * channels, x, 5 * channels, &sum);
            sum = ((model_bias[i] + sum) * multiply + (1 << (shift - 1))) >> shift;
            *y++ = (q7_t)(sum < 0 ? 0 : sum > 127 ? 127 : sum);
        }
    }
}

uint32_t motions(uint32_t n) {
    static const q31_t last_bias[4] = {30, -23, 11, -16};
    q7_t seen_first[48 * 16], seen_second[22 * 16];
    q31_t sums[16] = {0};
    (void)n;
    convolve(recording, 6, 48, first, 1993, 19, seen_first);
    convolve(seen_first, 16, 22, second, 1620, 19, seen_second);
    for (unsigned i = 0; i < 22 * 16; i++) sums[i & 15] += seen_second[i];
    for (unsigned class = 0; class < 4; class++) {
        q31_t score = last_bias[class] * 22;
        for (unsigned i = 0; i < 16; i++) score += last[16 * class + i] * sums[i];
        words[class] = (uint32_t)score;
    }
    return 0;
}
#endif

#ifdef KERNEL_spectrum
#include "BasicMathFunctions/arm_mult_q15.c"
#include "BasicMathFunctions/arm_offset_q15.c"
#include "BasicMathFunctions/arm_shift_q15.c"
#include "ComplexMathFunctions/arm_cmplx_mag_squared_q15.c"
#include "StatisticsFunctions/arm_absmax_q15.c"
#include "StatisticsFunctions/arm_max_q15.c"
#include "StatisticsFunctions/arm_mean_q15.c"
uint32_t spectrum(uint32_t n) {
    q15_t x[256], window[256], pairs[512], power[128], mean, most;
    uint32_t at;
    arm_mean_q15(samples, n, &mean);
    arm_offset_q15(samples, (q15_t)-mean, x, n);
    arm_absmax_q15(x, n, &most, &at);
    arm_shift_q15(x, (int8_t)(__builtin_clz((uint32_t)most | 1) - 18), x, n);
    for (unsigned i = 0; i < n; i++) {
        /* The cosines of three quarters of a circle, which is the same from both ends. */
        unsigned angle = i < n - i ? i : n - i;
        window[i] = (q15_t)((32767 - twiddleCoef_256_q15[2 * angle]) >> 1);
    }
    arm_mult_q15(x, window, x, n);
    for (unsigned i = 0; i < n; i++) {
        pairs[2 * i] = x[i];
        pairs[2 * i + 1] = 0;
    }
    arm_cfft_q15(&transform, pairs, 0, 1);
    arm_cmplx_mag_squared_q15(pairs, power, n / 2);
    arm_max_q15(power + 1, n / 2 - 1, &most, &at);
    words[0] = at + 1;
    return 0;
}
#endif
