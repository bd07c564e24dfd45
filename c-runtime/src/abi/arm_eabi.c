/* What compilers for Arm call by the names of the Run-time ABI for the Arm Architecture (RTABI32),
 * "The standard compiler helper function library", in terms of the other files here. Floats are
 * handed over in core registers whatever the module's own convention (RTABI32, "Calling conventions"). */
#ifdef __ARM_EABI__
#include <stddef.h>
#include <stdint.h>

#define BASE __attribute__((pcs("aapcs")))

/* "A pair of (unsigned) ints is returned in {{r0, r1}}, the quotient in r0, the remainder in r1." */
#define PAIR(quotient, remainder) ((uint64_t)(uint32_t)(remainder) << 32 | (uint32_t)(quotient))

int32_t __divsi3(int32_t n, int32_t d);
int32_t __modsi3(int32_t n, int32_t d);
uint32_t __udivsi3(uint32_t n, uint32_t d);
uint32_t __umodsi3(uint32_t n, uint32_t d);
int32_t __aeabi_idiv(int32_t n, int32_t d) { return __divsi3(n, d); }
uint32_t __aeabi_uidiv(uint32_t n, uint32_t d) { return __udivsi3(n, d); }
uint64_t __aeabi_idivmod(int32_t n, int32_t d) {
    int32_t quotient = __divsi3(n, d);
    return PAIR(quotient, n - quotient * d);
}
uint64_t __aeabi_uidivmod(uint32_t n, uint32_t d) {
    uint32_t quotient = __udivsi3(n, d);
    return PAIR(quotient, n - quotient * d);
}

uint64_t __muldi3(uint64_t a, uint64_t b);
uint64_t __ashldi3(uint64_t x, int n);
uint64_t __lshrdi3(uint64_t x, int n);
int64_t __ashrdi3(int64_t x, int n);
uint64_t __aeabi_lmul(uint64_t a, uint64_t b) { return __muldi3(a, b); }
uint64_t __aeabi_llsl(uint64_t x, int n) { return __ashldi3(x, n); }
uint64_t __aeabi_llsr(uint64_t x, int n) { return __lshrdi3(x, n); }
int64_t __aeabi_lasr(int64_t x, int n) { return __ashrdi3(x, n); }

/* Quotient in {r0, r1}, remainder in {r2, r3}: more than C can return. */
int64_t __divdi3(int64_t n, int64_t d);
uint64_t __udivdi3(uint64_t n, uint64_t d);
__attribute__((used)) int64_t mpy_ldivmod(int64_t n, int64_t d, int64_t *remainder) {
    int64_t quotient = __divdi3(n, d);
    *remainder = n - (int64_t)__muldi3((uint64_t)quotient, (uint64_t)d);
    return quotient;
}
__attribute__((used)) uint64_t mpy_uldivmod(uint64_t n, uint64_t d, uint64_t *remainder) {
    uint64_t quotient = __udivdi3(n, d);
    *remainder = n - __muldi3(quotient, d);
    return quotient;
}
#define DIVMOD(name, worker) \
    __attribute__((naked)) void name(void) { \
        __asm__("push {r4, lr}\n sub sp, #16\n add r4, sp, #8\n str r4, [sp]\n bl " worker "\n" \
                "ldr r2, [sp, #8]\n ldr r3, [sp, #12]\n add sp, #16\n pop {r4, pc}"); \
    }
DIVMOD(__aeabi_ldivmod, "mpy_ldivmod")
DIVMOD(__aeabi_uldivmod, "mpy_uldivmod")

#define ARITHMETIC(letter, real, mode) \
    real __add##mode##3(real a, real b); \
    real __sub##mode##3(real a, real b); \
    real __mul##mode##3(real a, real b); \
    real __div##mode##3(real a, real b); \
    BASE real __aeabi_##letter##add(real a, real b) { return __add##mode##3(a, b); } \
    BASE real __aeabi_##letter##sub(real a, real b) { return __sub##mode##3(a, b); } \
    BASE real __aeabi_##letter##mul(real a, real b) { return __mul##mode##3(a, b); } \
    BASE real __aeabi_##letter##div(real a, real b) { return __div##mode##3(a, b); } \
    int __eq##mode##2(real a, real b); \
    int __lt##mode##2(real a, real b); \
    int __le##mode##2(real a, real b); \
    int __ge##mode##2(real a, real b); \
    int __gt##mode##2(real a, real b); \
    int __unord##mode##2(real a, real b); \
    BASE int __aeabi_##letter##cmpeq(real a, real b) { return __eq##mode##2(a, b) == 0; } \
    BASE int __aeabi_##letter##cmplt(real a, real b) { return __lt##mode##2(a, b) < 0; } \
    BASE int __aeabi_##letter##cmple(real a, real b) { return __le##mode##2(a, b) <= 0; } \
    BASE int __aeabi_##letter##cmpge(real a, real b) { return __ge##mode##2(a, b) >= 0; } \
    BASE int __aeabi_##letter##cmpgt(real a, real b) { return __gt##mode##2(a, b) > 0; } \
    BASE int __aeabi_##letter##cmpun(real a, real b) { return __unord##mode##2(a, b) != 0; } \
    int32_t __fix##mode##si(real a); \
    uint32_t __fixuns##mode##si(real a); \
    int64_t __fix##mode##di(real a); \
    uint64_t __fixuns##mode##di(real a); \
    BASE int32_t __aeabi_##letter##2iz(real a) { return __fix##mode##si(a); } \
    BASE uint32_t __aeabi_##letter##2uiz(real a) { return __fixuns##mode##si(a); } \
    BASE int64_t __aeabi_##letter##2lz(real a) { return __fix##mode##di(a); } \
    BASE uint64_t __aeabi_##letter##2ulz(real a) { return __fixuns##mode##di(a); } \
    real __floatsi##mode(int32_t n); \
    real __floatunsi##mode(uint32_t n); \
    real __floatdi##mode(int64_t n); \
    real __floatundi##mode(uint64_t n); \
    BASE real __aeabi_i2##letter(int32_t n) { return __floatsi##mode(n); } \
    BASE real __aeabi_ui2##letter(uint32_t n) { return __floatunsi##mode(n); } \
    BASE real __aeabi_l2##letter(int64_t n) { return __floatdi##mode(n); } \
    BASE real __aeabi_ul2##letter(uint64_t n) { return __floatundi##mode(n); }
ARITHMETIC(f, float, sf)
ARITHMETIC(d, double, df)

double __extendsfdf2(float a);
float __truncdfsf2(double a);
BASE double __aeabi_f2d(float a) { return __extendsfdf2(a); }
BASE float __aeabi_d2f(double a) { return __truncdfsf2(a); }

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
#define MEMORY(suffix) \
    void __aeabi_memcpy##suffix(void *to, const void *from, size_t n) { memcpy(to, from, n); } \
    void __aeabi_memmove##suffix(void *to, const void *from, size_t n) { memmove(to, from, n); } \
    void __aeabi_memset##suffix(void *to, size_t n, int byte) { memset(to, byte, n); } \
    void __aeabi_memclr##suffix(void *to, size_t n) { memset(to, 0, n); }
MEMORY()
MEMORY(4)
MEMORY(8)
#endif
