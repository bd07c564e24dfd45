/* A module that needs all that a linker has to do: it computes values that depend on every kind of
 * reference, and writes them where its caller says. The same file runs as an ordinary program to
 * learn what is right. No value depends on an address or on the width of a pointer. */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

#ifdef __PIC__
#define STATE
#else
#define STATE static
#endif

struct results {
    u32 count;
    u64 value[64];
};

extern const void *const mp_fun_table[];
extern const u16 mp_native_qstr_table[];
extern const int mp_type_fun_builtin_1, mp_type_str;
#ifdef CALLS
/* Functions of the firmware. */
void *memset(void *, int, __SIZE_TYPE__), *memmove(void *, const void *, __SIZE_TYPE__);
void *memcpy(void *, const void *, __SIZE_TYPE__);
#endif
__attribute__((weak)) int weak_undefined(void);

#define NOINLINE __attribute__((noinline))

static struct results *results;

static NOINLINE void result(u64 value) {
    results->value[results->count++] = value;
}

#ifdef FAR
/* Without a GOT the loader's objects are found through data. */
static const void *const *volatile const far_table = mp_fun_table;
static const u16 *volatile const far_qstrs = mp_native_qstr_table;
static int (*volatile const far_weak)(void) = weak_undefined;
#define mp_fun_table far_table
#define mp_native_qstr_table far_qstrs
#define weak_undefined far_weak
#endif

/* Initialised data: numbers, pointers to data, to functions, into the middle, to each other. */
static const char greeting[] = "hello, loader";
static int numbers[6] = {1, 2, 3, 4, 5, 6};
STATE int *middle = &numbers[3];
STATE const char *words[] = {"alpha", "beta", "gamma", "loader", greeting + 7};
struct node {
    struct node *next;
    u32 value;
};
extern struct node ring[3];
struct node ring[3] = {{&ring[1], 10}, {&ring[2], 20}, {&ring[0], 30}};

/* Zeros of all kinds. */
STATE u32 counter;
static u8 bytes[37];
STATE u64 wide_zeros[5];
int common_1, common_2[4];

static NOINLINE int add(int a, int b) { return a + b; }
static NOINLINE int subtract(int a, int b) { return a - b; }
static NOINLINE int multiply(int a, int b) { return a * b; }
static int (*const operations[])(int, int) = {add, subtract, multiply};
STATE int (*chosen)(int, int) = multiply;

/* A constant with pointers, as MicroPython's function objects are. */
struct function_object {
    const void *type;
    int (*function)(int, int);
};
static const struct function_object objects[] = {
    {&mp_type_fun_builtin_1, add}, {&mp_type_str, subtract}, {&mp_type_fun_builtin_1, multiply}};
#ifdef FAR
static const struct function_object *volatile const far_objects = objects;
#define objects far_objects
#endif

__attribute__((weak)) int weak_defined(void) { return 77; }
int elsewhere(int);
extern int elsewhere_data[4];

static NOINLINE u32 text_hash(const char *text) {
    u32 hash = 5381;
    while (*text) {
        hash = hash * 33 ^ (u8)*text++;
    }
    return hash;
}

static NOINLINE u64 fibonacci(u32 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

/* A dense switch becomes a table, of addresses or of distances. */
static NOINLINE u32 dispatch(u32 code, u32 value) {
    switch (code) {
    case 0: return value + 3;
    case 1: return value * 7;
    case 2: return value ^ 0x55aa;
    case 3: return value << 3;
    case 4: return value >> 2;
    case 5: return text_hash("five") + value;
    case 6: return ~value;
    case 7: return value % 11;
    case 8: return value / 13;
    case 9: return add((int)value, 9);
    case 10: return value - 1000;
    case 11: return (value & 0xff) * 0x01010101u;
    default: return 0xdead;
    }
}

static NOINLINE const char *name_of(u32 code) {
    switch (code) {
    case 0: return "zero";
    case 1: return "one";
    case 2: return "two";
    case 3: return "three";
    case 4: return "four";
    case 5: return "five";
    case 6: return "size";
    default: return "many";
    }
}

static NOINLINE u64 wide(u64 a, i64 b) {
    u64 q = a / 1000003u + a % 97u;
    return (q << (b & 31)) ^ (u64)(b / -7) ^ (u64)(b % 13) ^ (a * (u64)b) ^ (u64)(b >> 5);
}

static NOINLINE u64 floats(double x, float y) {
    union { double d; u64 u; } d;
    union { float f; u32 u; } f;
    d.d = x * 1.5 + (double)y / 3.0 - (x > 2.5 ? 0.125 : 7.0);
    f.f = y * 0.75f + (float)(int)x;
    return d.u ^ (u64)f.u << 7 ^ (u64)(i64)(x * 1e6) ^ (u32)y;
}

#ifdef CALLS
static NOINLINE u64 blocks(u32 size) {
    static u8 block[40];
    static void *(*volatile const copy)(void *, const void *, __SIZE_TYPE__) = memcpy;
    u8 other[40];
    u64 sum = 0;
    u32 i;
    for (i = 0; i < sizeof block; i++) {
        block[i] = (u8)(i * 7);
    }
    sum += memset(block + 3, 0x105, size) == block + 3;
    sum += memcpy(other, block, sizeof other) == other;
    sum += memmove(block + 5, block + 1, size) == block + 5;
    sum += copy(other + 30, other, 4) == other + 30;
    for (i = 0; i < sizeof block; i++) {
        sum = sum * 31 + block[i] + other[i] * 3u;
    }
    return sum;
}
#endif

void mpy_init(struct results *out) {
    u32 i;
    results = out;
    results->count = 0;
    for (i = 0; i < 13; i++) {
        result(dispatch(i, 123456 + i));
    }
    for (i = 0; i < 8; i++) {
        result(text_hash(name_of(i)));
    }
    for (i = 0; i < 5; i++) {
        result(text_hash(words[i]));
    }
    result((u64)(*middle) + (u64)(middle - numbers) * 100);
    middle[1] += 40;
    result((u64)numbers[4]);
    result(ring[0].next->next->next->value + ring[1].next->value);
    counter += 5;
    bytes[36] = (u8)(counter + 1);
    wide_zeros[4] = 1ull << 40;
    common_1 = 11;
    common_2[3] = 31;
    result(counter + bytes[36] + bytes[0] + wide_zeros[4] + wide_zeros[0] + (u64)(common_1 + common_2[3]));
    for (i = 0; i < 3; i++) {
        result((u64)(i64)operations[i]((int)i + 20, 7));
        result((u64)(i64)objects[i].function((int)i + 5, 3) + (objects[i].type == mp_fun_table[78]));
    }
    result(objects[1].type == mp_fun_table[74]);
    result((u64)chosen(6, 7));
    chosen = add;
    result((u64)chosen(6, 7));
    result((u64)weak_defined());
    result(weak_undefined ? 1 : 2);
    result((u64)elsewhere(5) + (u64)elsewhere_data[2]);
    result((u64)((int (*)(int, int))mp_fun_table[49])(30, 12));
    result(mp_native_qstr_table[1] + mp_native_qstr_table[3] * 1000u);
    result(fibonacci(15));
    result(wide(0x123456789abcdef0ull + counter, -987654321012345ll));
#ifdef CALLS
    result(blocks(counter + 2));
#endif
    result(floats(3.25 + counter, 1.5f + (float)counter));
}
