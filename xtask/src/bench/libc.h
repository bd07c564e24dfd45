/* Stands for every header of a C library that the peers include. */
#ifndef PEER_LIBC_H
#define PEER_LIBC_H
#include <stddef.h>
#include <stdint.h>
#define assert(x) ((void)0)
void *memcpy(void *, const void *, size_t), *memmove(void *, const void *, size_t), *memset(void *, int, size_t);
int memcmp(const void *, const void *, size_t);
#define abort __builtin_trap
#define isnan __builtin_isnan
#define signbit __builtin_signbit
#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
typedef int jmp_buf[8];
typedef int sigjmp_buf[8];
double sqrt(double), floor(double), ceil(double), trunc(double), nearbyint(double), fabs(double), copysign(double, double);
float sqrtf(float), floorf(float), ceilf(float), truncf(float), nearbyintf(float), fabsf(float), copysignf(float, float);
#endif
