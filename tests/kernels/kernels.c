// The kernels of src/ in C: the same work on the same data, the same checksums.
#include <stdint.h>
#include <string.h>

static uint32_t next(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

// In [-1, 1), exactly representable.
static float unit(uint32_t *state) { return (float)(next(state) & 0xffff) / 32768.0f - 1.0f; }

static uint32_t rotl(uint32_t x, int n) { return x << n | x >> (32 - n); }
static uint32_t rotr(uint32_t x, int n) { return x >> n | x << (32 - n); }

static uint32_t mix(uint32_t sum, uint32_t value) { return (rotl(sum, 5) ^ value) * 0x9e3779b1u; }

static uint32_t bits(float x) {
    uint32_t u;
    memcpy(&u, &x, 4);
    return u;
}

uint32_t fir_f32(uint32_t rounds) {
    float taps[32], input[160];
    uint32_t state = 1;
    for (int i = 0; i < 32; i++) taps[i] = unit(&state);
    for (int i = 0; i < 160; i++) input[i] = unit(&state);
    uint32_t sum = 0;
    while (rounds--) {
        for (int n = 0; n < 128; n++) {
            float acc = 0;
            for (int k = 0; k < 32; k++) acc += input[n + k] * taps[k];
            sum = mix(sum, bits(acc));
        }
        input[0] += 0.5f;
    }
    return sum;
}

uint32_t fft_f32(uint32_t rounds) {
    enum { N = 128 };
    float re[N], im[N], wre[N / 2], wim[N / 2];
    double cosine = 0.9987954562051724, sine = -0.049067674327418015, c = 1, s = 0;
    uint32_t state = 2;
    for (int k = 0; k < N / 2; k++) {
        wre[k] = (float)c;
        wim[k] = (float)s;
        double t = c * cosine - s * sine;
        s = c * sine + s * cosine;
        c = t;
    }
    uint32_t sum = 0;
    while (rounds--) {
        for (int i = 0; i < N; i++) re[i] = unit(&state);
        for (int i = 0; i < N; i++) im[i] = 0;
        for (int i = 1, j = 0; i < N; i++) {
            int bit = N >> 1;
            for (; j & bit; bit >>= 1) j ^= bit;
            j |= bit;
            if (i < j) {
                float t = re[i];
                re[i] = re[j];
                re[j] = t;
                t = im[i];
                im[i] = im[j];
                im[j] = t;
            }
        }
        for (int len = 2; len <= N; len *= 2) {
            int half = len / 2, step = N / len;
            for (int start = 0; start < N; start += len) {
                for (int k = 0; k < half; k++) {
                    float wr = wre[k * step], wi = wim[k * step];
                    int a = start + k, b = a + half;
                    float tr = re[b] * wr - im[b] * wi;
                    float ti = re[b] * wi + im[b] * wr;
                    re[b] = re[a] - tr;
                    im[b] = im[a] - ti;
                    re[a] += tr;
                    im[a] += ti;
                }
            }
        }
        for (int k = 0; k < N; k++) sum = mix(mix(sum, bits(re[k])), bits(im[k]));
    }
    return sum;
}

uint32_t matmul_f32(uint32_t rounds) {
    enum { N = 20 };
    float a[N][N], b[N][N], c[N][N];
    uint32_t state = 3;
    for (int i = 0; i < N * N; i++) a[i / N][i % N] = unit(&state);
    for (int i = 0; i < N * N; i++) b[i / N][i % N] = unit(&state);
    uint32_t sum = 0;
    while (rounds--) {
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < N; j++) {
                float acc = 0;
                for (int k = 0; k < N; k++) acc += a[i][k] * b[k][j];
                c[i][j] = acc;
            }
        }
        for (int i = 0; i < N * N; i++) sum = mix(sum, bits(c[i / N][i % N]));
        a[0][0] += 1.0f;
    }
    return sum;
}

uint32_t mandelbrot(uint32_t rounds) {
    uint32_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t y = 0; y < 16; y++) {
            for (uint32_t x = 0; x < 24; x++) {
                float cr = (float)x / 8.0f - 2.25f + (float)(round & 7) / 64.0f;
                float ci = (float)y / 8.0f - 1.0f;
                float zr = 0, zi = 0;
                uint32_t n = 0;
                while (n < 48 && zr * zr + zi * zi < 4.0f) {
                    float t = zr * zr - zi * zi + cr;
                    zi = 2.0f * zr * zi + ci;
                    zr = t;
                    n++;
                }
                sum = mix(sum, n);
            }
        }
    }
    return sum;
}

static double newton_sqrt(double x) {
    uint64_t u;
    double y;
    memcpy(&u, &x, 8);
    u = (u >> 1) + ((uint64_t)1023 << 51);
    memcpy(&y, &u, 8);
    for (int i = 0; i < 5; i++) y = 0.5 * (y + x / y);
    return y;
}

uint32_t nbody(uint32_t rounds) {
    struct {
        double p[3], v[3], mass;
    } body[5];
    uint32_t state = 4;
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 3; k++) body[i].p[k] = (double)unit(&state) * 8.0;
        for (int k = 0; k < 3; k++) body[i].v[k] = (double)unit(&state);
        body[i].mass = (double)unit(&state) + 1.5;
    }
    double dt = 0.0078125;
    uint32_t sum = 0;
    while (rounds--) {
        for (int step = 0; step < 10; step++) {
            for (int i = 0; i < 5; i++) {
                for (int j = i + 1; j < 5; j++) {
                    double d[3], square = 0.25;
                    for (int k = 0; k < 3; k++) {
                        d[k] = body[i].p[k] - body[j].p[k];
                        square += d[k] * d[k];
                    }
                    double mag = dt / (square * newton_sqrt(square));
                    for (int k = 0; k < 3; k++) {
                        body[i].v[k] -= d[k] * body[j].mass * mag;
                        body[j].v[k] += d[k] * body[i].mass * mag;
                    }
                }
            }
            for (int i = 0; i < 5; i++)
                for (int k = 0; k < 3; k++) body[i].p[k] += dt * body[i].v[k];
        }
        for (int i = 0; i < 5; i++) {
            for (int k = 0; k < 3; k++) {
                uint64_t u;
                memcpy(&u, &body[i].p[k], 8);
                sum = mix(mix(sum, (uint32_t)u), (uint32_t)(u >> 32));
            }
        }
    }
    return sum;
}

uint32_t fir_i16(uint32_t rounds) {
    int16_t taps[32], input[160];
    uint32_t state = 5;
    for (int i = 0; i < 32; i++) taps[i] = (int16_t)((int16_t)next(&state) >> 4);
    for (int i = 0; i < 160; i++) input[i] = (int16_t)next(&state);
    uint32_t sum = 0;
    while (rounds--) {
        for (int n = 0; n < 128; n++) {
            uint32_t acc = 0;
            for (int k = 0; k < 32; k++) acc += (uint32_t)(input[n + k] * taps[k]);
            sum = mix(sum, (uint32_t)((int32_t)acc >> 15));
        }
        input[0] = (int16_t)(input[0] + 77);
    }
    return sum;
}

/* What no compiler knows to be `size`: sizes and taps of a library are arguments. */
static uint32_t at_run_time(uint32_t size, uint32_t rounds) { return size + (rounds >> 31); }

static __attribute__((noinline)) int64_t dot(const int16_t *a, const int16_t *b, uint32_t n) {
    int64_t sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static int16_t clamp(int64_t value) { return (int16_t)(value < -32768 ? -32768 : value > 32767 ? 32767 : value); }

uint32_t dot_q15(uint32_t rounds) {
    int16_t a[512], b[512];
    uint32_t state = 11;
    for (int i = 0; i < 512; i++) a[i] = (int16_t)next(&state);
    for (int i = 0; i < 512; i++) b[i] = (int16_t)next(&state);
    uint32_t n = at_run_time(512, rounds), sum = 0;
    for (rounds *= 8; rounds; rounds--) {
        uint64_t all = (uint64_t)dot(a, b, n);
        sum = mix(mix(sum, (uint32_t)all), (uint32_t)(all >> 32));
        a[0] = (int16_t)(a[0] + 77);
    }
    return sum;
}

static __attribute__((noinline)) void fir(const int16_t *x, const int16_t *taps, uint32_t n, int16_t *y, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        int64_t sum = 0;
        for (uint32_t k = 0; k < n; k++) sum += x[i + k] * taps[k];
        y[i] = clamp(sum >> 15);
    }
}

uint32_t fir_q15(uint32_t rounds) {
    int16_t taps[32], x[159], y[128];
    uint32_t state = 12;
    for (int i = 0; i < 32; i++) taps[i] = (int16_t)next(&state);
    for (int i = 0; i < 159; i++) x[i] = (int16_t)next(&state);
    uint32_t n = at_run_time(32, rounds), sum = 0;
    while (rounds--) {
        fir(x, taps, n, y, 128);
        for (int i = 0; i < 128; i++) sum = mix(sum, (uint32_t)y[i]);
        x[0] = (int16_t)(x[0] + 77);
    }
    return sum;
}

static __attribute__((noinline)) void matmul(const int16_t *a, const int16_t *b, int16_t *c, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < n; j++) {
            int64_t sum = 0;
            for (uint32_t k = 0; k < n; k++) sum += a[i * n + k] * b[k * n + j];
            c[i * n + j] = clamp(sum >> 15);
        }
    }
}

uint32_t matmul_q15(uint32_t rounds) {
    enum { N = 24 };
    int16_t a[N * N], b[N * N], c[N * N];
    uint32_t state = 13;
    for (int i = 0; i < N * N; i++) a[i] = (int16_t)next(&state);
    for (int i = 0; i < N * N; i++) b[i] = (int16_t)next(&state);
    uint32_t n = at_run_time(N, rounds), sum = 0;
    while (rounds--) {
        matmul(a, b, c, n);
        for (int i = 0; i < N * N; i++) sum = mix(sum, (uint32_t)c[i]);
        a[0] = (int16_t)(a[0] + 1);
    }
    return sum;
}

uint32_t matmul_i8(uint32_t rounds) {
    enum { N = 24 };
    int8_t a[N][N], b[N][N];
    int32_t c[N][N];
    uint32_t state = 6;
    for (int i = 0; i < N * N; i++) a[i / N][i % N] = (int8_t)next(&state);
    for (int i = 0; i < N * N; i++) b[i / N][i % N] = (int8_t)next(&state);
    uint32_t sum = 0;
    while (rounds--) {
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < N; j++) {
                int32_t acc = 0;
                for (int k = 0; k < N; k++) acc += a[i][k] * b[k][j];
                c[i][j] = acc;
            }
        }
        for (int i = 0; i < N * N; i++) sum = mix(sum, (uint32_t)c[i / N][i % N]);
        a[0][0] = (int8_t)(a[0][0] + 1);
    }
    return sum;
}

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static void sha256_block(uint32_t h[8], const uint8_t block[64]) {
    uint32_t w[64];
    for (int i = 0; i < 16; i++) {
        const uint8_t *p = block + 4 * i;
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    }
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], k = h[7];
    for (int i = 0; i < 64; i++) {
        uint32_t s1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
        uint32_t t1 = k + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i];
        uint32_t s0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
        uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
        k = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
    h[5] += f;
    h[6] += g;
    h[7] += k;
}

uint32_t sha256(uint32_t rounds) {
    uint8_t data[64];
    uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint32_t state = 7;
    while (rounds--) {
        for (int n = 0; n < 8; n++) {
            for (int i = 0; i < 64; i++) data[i] = (uint8_t)next(&state);
            sha256_block(h, data);
        }
    }
    uint32_t sum = 0;
    for (int i = 0; i < 8; i++) sum = mix(sum, h[i]);
    return sum;
}

uint32_t crc32(uint32_t rounds) {
    uint32_t table[256];
    uint8_t data[1024];
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
        table[i] = c;
    }
    uint32_t state = 8;
    for (int i = 0; i < 1024; i++) data[i] = (uint8_t)next(&state);
    uint32_t crc = ~0u;
    while (rounds--)
        for (int i = 0; i < 1024; i++) crc = table[(crc ^ data[i]) & 0xff] ^ crc >> 8;
    return ~crc;
}

static void sift(uint32_t *data, int root, int end) {
    for (;;) {
        int child = 2 * root + 1;
        if (child >= end) return;
        if (child + 1 < end && data[child] < data[child + 1]) child++;
        if (data[root] >= data[child]) return;
        uint32_t t = data[root];
        data[root] = data[child];
        data[child] = t;
        root = child;
    }
}

uint32_t sort(uint32_t rounds) {
    uint32_t data[256], sum = 0;
    uint32_t state = 9;
    while (rounds--) {
        for (int i = 0; i < 256; i++) data[i] = next(&state);
        for (int root = 127; root >= 0; root--) sift(data, root, 256);
        for (int end = 255; end >= 1; end--) {
            uint32_t t = data[0];
            data[0] = data[end];
            data[end] = t;
            sift(data, 0, end);
        }
        for (int i = 0; i < 256; i++) sum = mix(sum, data[i]);
    }
    return sum;
}

static const uint8_t JSON[] =
    "{\"name\":\"sensor-7\",\"ok\":true,\"values\":[1,-2,3.5,4e2,-0.125,65535],\n"
    " \"nested\":{\"a\":[],\"b\":{},\"c\":[null,false,\"\\u00e9\\n\\\"quoted\\\"\"]},\"text\":\"The quick brown fox\",\n"
    " \"deep\":[[[[[[1]]]]]],\"numbers\":[10,20,30,40,50,60,70,80,90,100,110,120,130,140,150,160]}";
enum { JSON_LEN = sizeof JSON - 1 };

struct parser {
    uint32_t at, sum;
};

static uint8_t peek(const struct parser *p) { return p->at < JSON_LEN ? JSON[p->at] : 0; }

static void space(struct parser *p) {
    while (peek(p) == ' ' || peek(p) == '\n') p->at++;
}

static int word(struct parser *p, const char *text, uint32_t len) {
    for (uint32_t i = 0; i < len; i++) {
        if (peek(p) != (uint8_t)text[i]) return 0;
        p->at++;
    }
    p->sum = mix(p->sum, len);
    return 1;
}

static int string(struct parser *p) {
    p->at++;
    for (;;) {
        uint8_t byte = peek(p);
        p->at++;
        if (byte == 0) return 0;
        if (byte == '"') return 1;
        if (byte == '\\') {
            uint8_t escape = peek(p);
            p->at += escape == 'u' ? 5 : 1;
            p->sum = mix(p->sum, escape);
        } else {
            p->sum = mix(p->sum, byte);
        }
    }
}

static int number(struct parser *p) {
    uint32_t value = 0, start = p->at;
    for (;;) {
        uint8_t byte = peek(p);
        if (byte >= '0' && byte <= '9')
            value = value * 10 + (byte - '0');
        else if (byte == '-' || byte == '+' || byte == '.' || byte == 'e')
            value = mix(value, byte);
        else
            break;
        p->at++;
    }
    p->sum = mix(p->sum, value);
    return p->at > start;
}

static int value(struct parser *p) {
    int ok;
    space(p);
    uint8_t first = peek(p);
    switch (first) {
    case '{':
    case '[': {
        int object = first == '{';
        uint8_t close = object ? '}' : ']';
        p->at++;
        space(p);
        if (peek(p) != close) {
            for (;;) {
                if (object) {
                    space(p);
                    if (peek(p) != '"' || !string(p)) return 0;
                    space(p);
                    if (peek(p) != ':') return 0;
                    p->at++;
                }
                if (!value(p)) return 0;
                if (peek(p) != ',') break;
                p->at++;
            }
        }
        if (peek(p) != close) return 0;
        p->at++;
        p->sum = mix(p->sum, close);
        ok = 1;
        break;
    }
    case '"':
        ok = string(p);
        break;
    case 't':
        ok = word(p, "true", 4);
        break;
    case 'f':
        ok = word(p, "false", 5);
        break;
    case 'n':
        ok = word(p, "null", 4);
        break;
    default:
        ok = number(p);
    }
    space(p);
    return ok;
}

uint32_t json(uint32_t rounds) {
    uint32_t sum = 0;
    while (rounds--) {
        struct parser p = {0, sum};
        int ok = value(&p) && p.at == JSON_LEN;
        sum = mix(p.sum, (uint32_t)ok);
    }
    return sum;
}

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

uint32_t base64(uint32_t rounds) {
    uint8_t data[192], text[256], decode[128] = {0};
    for (int i = 0; i < 64; i++) decode[(uint8_t)ALPHABET[i]] = (uint8_t)i;
    uint32_t sum = 0;
    uint32_t state = 10;
    while (rounds--) {
        for (int i = 0; i < 192; i++) data[i] = (uint8_t)next(&state);
        for (int i = 0; i < 64; i++) {
            const uint8_t *from = data + 3 * i;
            uint8_t *to = text + 4 * i;
            uint32_t b = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
            to[0] = (uint8_t)ALPHABET[b >> 18 & 63];
            to[1] = (uint8_t)ALPHABET[b >> 12 & 63];
            to[2] = (uint8_t)ALPHABET[b >> 6 & 63];
            to[3] = (uint8_t)ALPHABET[b & 63];
        }
        for (int i = 0; i < 64; i++) {
            uint32_t b = 0;
            for (int k = 0; k < 4; k++) b = b << 6 | decode[text[4 * i + k] & 127];
            data[3 * i] = (uint8_t)(b >> 16);
            data[3 * i + 1] = (uint8_t)(b >> 8);
            data[3 * i + 2] = (uint8_t)b;
        }
        for (int i = 0; i < 256; i++) sum = mix(sum, text[i]);
        for (int i = 0; i < 192; i++) sum = mix(sum, data[i]);
    }
    return sum;
}

uint32_t search(uint32_t rounds) {
    enum { TEXT = 1024, WORD = 6 };
    uint8_t text[TEXT], word[WORD], skip[256];
    uint32_t state = 11;
    for (int i = 0; i < TEXT; i++) text[i] = (uint8_t)('a' + next(&state) % 3);
    uint32_t sum = 0;
    while (rounds--) {
        for (int i = 0; i < WORD; i++) word[i] = (uint8_t)('a' + next(&state) % 3);
        memset(skip, WORD, sizeof skip);
        for (int i = 0; i < WORD - 1; i++) skip[word[i]] = (uint8_t)(WORD - 1 - i);
        for (uint32_t at = 0; at + WORD <= TEXT; at += skip[text[at + WORD - 1]]) {
            int i = WORD;
            while (i > 0 && text[at + (uint32_t)i - 1] == word[i - 1]) i--;
            if (i == 0) sum = mix(sum, at);
        }
    }
    return sum;
}
