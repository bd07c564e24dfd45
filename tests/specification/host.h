/* What modules and the script of a test share. */
#ifndef HOST_H
#define HOST_H

#include <stdint.h>

typedef union {
    uint32_t i;
    uint64_t q;
    float f;
    double d;
    uintptr_t r;
} host_value;

/* Ends the call that the script made. */
__attribute__((noreturn)) void host_trap(int kind);
uint8_t *host_grow(uint8_t *memory, uint32_t old, uint32_t bytes);
extern uintptr_t host_stack_limit;

/* The module `spectest`. */
extern uint32_t host_global_i32;
extern uint64_t host_global_i64;
extern float host_global_f32;
extern double host_global_f64;
void *host_memory(void);
void *host_table(void);

#endif
