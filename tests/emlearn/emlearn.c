/* The functions of src/lib.rs by emlearn, with the same data and results. KERNEL_name says which it is. */
#include <stdint.h>
#include <math.h>
#include <string.h>

/* A layer knows its activation when it runs: these are never called. */
#define expf(x) (__builtin_trap(), 0.0f)
#define logf(x) (__builtin_trap(), 0.0f)
#define tanhf(x) (__builtin_trap(), 0.0f)

/* For the tables of transforms. */
static double series(double x, double term, double k) {
    double sum = 0;
    for (; k < 40; k += 2) {
        sum += term;
        term *= -x * x / ((k + 1) * (k + 2));
    }
    return sum;
}
#define sin(x) series(x, x, 1)
#define cos(x) series(x, 1, 0)

#include "eml_bayes.h"
#include "eml_distance.h"
#include "eml_fft.h"
#include "eml_iir.h"
#include "eml_mixture.h"
#include "eml_neighbors.h"
#include "eml_net.h"
#include "eml_quantizer.h"
#include "eml_trees.h"
#include "eml_vector.h"

#define FEATURES 16
#define CLASSES 4
#define ROWS 16
#define TREES 10
#define ITEMS 64

static float re[1024], im[1024], sines[512], cosines[512];
static float x[512], output[512];
static int16_t whole[512];
static float rows[ROWS][FEATURES];
static int16_t small_rows[ROWS][FEATURES];
static float stages[24], states[16];
static EmlTreesNode nodes[15 * TREES];
static int32_t roots[TREES];
static float weights[32 * FEATURES + 32 * 16 + 16 * CLASSES], bias[52];
static EmlBayesSummary summaries[CLASSES * FEATURES];
static int16_t items[ITEMS * FEATURES], labels[ITEMS];
static float means[CLASSES * FEATURES], precisions[CLASSES * FEATURES * FEATURES];
static uint8_t classes[ROWS];

/* The forest: see src/forest.rs. */
#define FEATURE(t, n) (((t) * 5 + (n) * 3 + (t) * (n) / 2) % FEATURES)
#define LIMIT(t, n) ((float)(((t) * 37 + (n) * 53) % 48) - 24.0f)
#define CLASS(t, n) (((t) * 7 + (n) * 11 + (n) / 4) % CLASSES)

static uint32_t seed;

static uint32_t next(void) {
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

static float around(uint32_t half) { return (float)(next() & (2 * half - 1)) - (float)half; }

static int16_t centre(unsigned class, unsigned feature) { return (int16_t)((class * 7 + feature * 3) % 11 * 100); }

#define EACH(count, ...) for (unsigned i = 0; i < (count); i++) { __VA_ARGS__; }

void start(uint32_t first_seed) {
    seed = first_seed;
    EACH(1024, re[i] = around(512); im[i] = around(512))
    EACH(512, x[i] = around(32))
    for (unsigned i = 0; i < 24; i += 6) {
        for (unsigned j = 0; j < 3; j++) stages[i + j] = around(8) / 8.0f;
        stages[i + 3] = 1;
        for (unsigned j = 4; j < 6; j++) stages[i + j] = around(2) / 8.0f;
    }
    EACH(ROWS * FEATURES, rows[0][i] = around(32))
    EACH(sizeof weights / 4, weights[i] = around(8) / 8.0f)
    EACH(52, bias[i] = around(8))
    for (unsigned i = 0; i < CLASSES * FEATURES; i++) {
        summaries[i].mean = (int32_t)around(16) * EML_Q16_ONE;
        uint32_t log2 = next() & 3;
        summaries[i].std = EML_Q16_FROMINT(4 << log2);
        summaries[i].stdlog2 = EML_Q16_FROMINT(2 + log2);
    }
    for (unsigned i = 0; i < ITEMS; i++) {
        labels[i] = i % CLASSES;
        for (unsigned j = 0; j < FEATURES; j++) items[i * FEATURES + j] = centre(labels[i], j) + (next() & 255);
    }
    for (unsigned i = 0; i < ROWS; i++) {
        for (unsigned j = 0; j < FEATURES; j++) small_rows[i][j] = centre(i * 5 % CLASSES, j) + (next() & 255);
    }
    EACH(CLASSES * FEATURES, means[i] = around(16))
    for (unsigned class = 0; class < CLASSES; class++) {
        float *precision = precisions + class * FEATURES * FEATURES;
        for (unsigned i = 0; i < FEATURES; i++) {
            for (unsigned j = 0; j <= i; j++) {
                precision[i * FEATURES + j] = precision[j * FEATURES + i] = around(4) / 16.0f;
            }
        }
    }
    for (unsigned tree = 0; tree < TREES; tree++) {
        roots[tree] = 15 * tree;
        for (unsigned n = 1; n < 16; n++) {
            EmlTreesNode *node = &nodes[15 * tree + n - 1];
            node->feature = FEATURE(tree, n);
            node->value = LIMIT(tree, n);
            node->left = n < 8 ? n : -1 - (int)CLASS(tree, 2 * n);
            node->right = n < 8 ? n + 1 : -1 - (int)CLASS(tree, 2 * n + 1);
        }
    }
#if defined(KERNEL_fft_64)
#define TRANSFORM 64
#elif defined(KERNEL_fft_256)
#define TRANSFORM 256
#elif defined(KERNEL_fft_1024)
#define TRANSFORM 1024
#endif
#ifdef TRANSFORM
    eml_fft_fill((EmlFFT){TRANSFORM / 2, sines, cosines}, TRANSFORM);
#endif
}

static uint32_t mix(uint32_t sum, uint32_t value) { return ((sum << 5 | sum >> 27) ^ value) * 0x9e3779b1u; }

static uint32_t near(float x) { return (uint32_t)(int32_t)(x / 64.0f); }

uint32_t result(uint32_t sum) {
    for (unsigned i = 0; i < ROWS; i++) sum = mix(sum, classes[i]);
    for (unsigned i = 0; i < 512; i++) sum = mix(sum, (uint32_t)whole[i]);
    for (unsigned i = 0; i < 512; i++) sum = mix(sum, (uint32_t)(int32_t)output[i]);
    for (unsigned i = 0; i < 1024; i++) sum = mix(mix(sum, near(re[i])), near(im[i]));
    return sum;
}

#define FFT(name)                                                                              \
    uint32_t name(uint32_t n) { return eml_fft_forward((EmlFFT){(int)n / 2, sines, cosines}, re, im, n); }

#ifdef KERNEL_fft_64
FFT(fft_64)
#endif
#ifdef KERNEL_fft_256
FFT(fft_256)
#endif
#ifdef KERNEL_fft_1024
FFT(fft_1024)
#endif

#ifdef KERNEL_iir
uint32_t iir(uint32_t n) {
    EmlIIR filter = {4, states, 16, stages, 24};
    for (unsigned i = 0; i < n; i++) output[i] = eml_iir_filter(filter, x[i]);
    return 0;
}
#endif

#ifdef KERNEL_mean
uint32_t mean(uint32_t n) {
    output[0] = eml_signal_mean(x, (int)n) * 512.0f;
    return 0;
}
#endif

#ifdef KERNEL_quantize
uint32_t quantize(uint32_t n) {
    EmlQuantizer quantizer = {1500.0f};
    return eml_quantizer_forward_int16(&quantizer, x, (int)n, whole, (int)n);
}
#endif

#define CLASSIFY(...)                                                   \
    for (unsigned i = 0; i < n; i++) classes[i] = (uint8_t)__VA_ARGS__; \
    return 0;

#ifdef KERNEL_trees_table
uint32_t trees_table(uint32_t n) {
    static uint8_t leaves[CLASSES] = {0, 1, 2, 3};
    static const EmlTrees forest = {15 * TREES, nodes, TREES, roots, CLASSES, leaves, 0, FEATURES, CLASSES};
    CLASSIFY(eml_trees_predict(&forest, rows[i], FEATURES))
}
#endif

#ifdef KERNEL_trees_code
/* As emlearn writes it. */
#define SPLIT(t, n, below, above) if (features[FEATURE(t, n)] < LIMIT(t, n)) { below } else { above }
#define LEAF(t, n) return CLASS(t, n);
#define THIRD(t, n) SPLIT(t, n, LEAF(t, 2 * (n)), LEAF(t, 2 * (n) + 1))
#define SECOND(t, n) SPLIT(t, n, THIRD(t, 2 * (n)), THIRD(t, 2 * (n) + 1))
#define FIRST(t, n) SPLIT(t, n, SECOND(t, 2 * (n)), SECOND(t, 2 * (n) + 1))
#define TREE(t)                                                                                \
    static inline int32_t tree_##t(const float *features, int32_t features_length) {           \
        SPLIT(t, 1, FIRST(t, 2), FIRST(t, 3))                                                  \
    }
#define ALL(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9)
ALL(TREE)
#define VOTE(t) _class = tree_##t(features, features_length); votes[_class] += 1;
static int32_t predict(const float *features, int32_t features_length) {
    int32_t votes[CLASSES] = {0,};
    int32_t _class = -1;
    ALL(VOTE)
    int32_t most_voted_class = -1;
    int32_t most_voted_votes = 0;
    for (int32_t i = 0; i < CLASSES; i++) {
        if (votes[i] > most_voted_votes) {
            most_voted_class = i;
            most_voted_votes = votes[i];
        }
    }
    return most_voted_class;
}
uint32_t trees_code(uint32_t n) { CLASSIFY(predict(rows[i], FEATURES)) }
#endif

#ifdef KERNEL_net
uint32_t net(uint32_t n) {
    static float first[32], second[32];
    static const EmlNetLayer layers[3] = {
        {32, FEATURES, weights, bias, EmlNetActivationRelu},
        {16, 32, weights + 32 * FEATURES, bias + 32, EmlNetActivationRelu},
        {CLASSES, 16, weights + 32 * FEATURES + 32 * 16, bias + 48, EmlNetActivationIdentity},
    };
    static EmlNet model = {3, layers, first, second, 32};
    CLASSIFY(eml_net_predict(&model, rows[i], FEATURES))
}
#endif

#ifdef KERNEL_bayes
uint32_t bayes(uint32_t n) {
    EmlBayesModel model = {CLASSES, FEATURES, summaries};
    CLASSIFY(eml_bayes_predict(&model, rows[i], FEATURES))
}
#endif

#ifdef KERNEL_neighbors
uint32_t neighbors(uint32_t n) {
    static EmlNeighborsDistanceItem distances[ITEMS];
    EmlNeighborsModel model = {FEATURES, ITEMS, ITEMS, items, labels, 3};
    for (unsigned i = 0; i < n; i++) {
        int16_t class;
        eml_neighbors_predict(&model, small_rows[i], FEATURES, distances, ITEMS, &class);
        classes[i] = (uint8_t)class;
    }
    return 0;
}
#endif

#ifdef KERNEL_envelope
uint32_t envelope(uint32_t n) {
    EmlEllipticEnvelope model = {FEATURES, 0, means, precisions};
    for (unsigned i = 0; i < n; i++) eml_elliptic_envelope_predict(&model, rows[i], FEATURES, &output[i]);
    return 0;
}
#endif

#ifdef KERNEL_mixture
uint32_t mixture(uint32_t n) {
    static const float quarters[CLASSES] = {0.25f, 0.25f, 0.25f, 0.25f};
    EmlMixtureModel model = {CLASSES, FEATURES, EmlCovarianceFull, means, precisions, quarters, quarters};
    for (unsigned i = 0; i < n; i++) eml_mixture_log_proba(&model, rows[i], FEATURES, output + CLASSES * i);
    return 0;
}
#endif
