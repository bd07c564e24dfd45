/* CoreMark's configuration for a module: no clock, no output. */
#ifndef CORE_PORTME_H
#define CORE_PORTME_H
#include <stddef.h>
#include <stdint.h>
#define HAS_FLOAT 0
#define HAS_TIME_H 0
#define USE_CLOCK 0
#define HAS_STDIO 0
#define HAS_PRINTF 0
#define ee_printf(...) ((void)0)
#define SEED_METHOD SEED_FUNC
#define MEM_METHOD MEM_STATIC
#define MULTITHREAD 1
#define TOTAL_DATA_SIZE 2000
#define MAIN_HAS_NOARGC 1
typedef int16_t ee_s16;
typedef uint16_t ee_u16;
typedef int32_t ee_s32;
typedef uint8_t ee_u8;
typedef uint32_t ee_u32;
typedef uintptr_t ee_ptr_int;
typedef size_t ee_size_t;
typedef uint32_t CORE_TICKS;
typedef int core_portable;
#define align_mem(x) (void *)(4 + (((ee_ptr_int)(x) - 1) & ~(ee_ptr_int)3))
#endif
