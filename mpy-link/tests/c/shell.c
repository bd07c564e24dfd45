/* A program without a C library around a module that is loaded already: it calls the module and writes
 * what it computed to its output, for an emulator of one program. */

struct results {
    unsigned count;
    unsigned long long value[64];
};

static int host_add(int a, int b) { return a + b; }

/* Functions of the firmware, at the addresses in the table. */
__attribute__((section(".memset"))) void *memset(void *block, int value, __SIZE_TYPE__ size) {
    for (volatile char *at = block; size > 0; size--) {
        *at++ = (char)value;
    }
    return block;
}

__attribute__((section(".memmove"))) void *memmove(void *to, const void *from, __SIZE_TYPE__ size) {
    volatile char *new = to;
    const volatile char *old = from;
    if (new < old) {
        for (; size > 0; size--) {
            *new++ = *old++;
        }
    }
    for (; size > 0; size--) {
        new[size - 1] = old[size - 1];
    }
    return to;
}

/* At the addresses that the module was loaded for. */
__attribute__((section(".fun_table"), used)) const void *fun_table[87] = {
    [49] = (const void *)host_add,
    [50] = memset,
    [51] = memmove,
    [74] = (const void *)(FUN_ENTRIES + FUN_SIZE * 74),
    [78] = (const void *)(FUN_ENTRIES + FUN_SIZE * 78),
};
__attribute__((section(".qstrs"), used)) const unsigned short qstrs[4] = {100, 101, 102, 103};
__attribute__((section(".bss.loaded"), used)) char loaded_bss[BSS_SIZE];
__asm__(".section .loaded_text,\"awx\"\n.incbin \"text.bin\"\n.previous\n");
__asm__(".section .loaded_rodata,\"aw\"\n.incbin \"rodata.bin\"\n.previous\n");

struct results results;

static long call_system(long number, long a, long b, long c) {
#if defined __arm__
    register long r0 __asm__("r0") = a, r1 __asm__("r1") = b, r2 __asm__("r2") = c, r7 __asm__("r7") = number;
    __asm__ volatile("svc 0" : "+r"(r0) : "r"(r1), "r"(r2), "r"(r7) : "memory");
    return r0;
#elif defined __riscv
    register long a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c, a7 __asm__("a7") = number;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
#else
    register long a2 __asm__("a2") = number, a6 __asm__("a6") = a, a3 __asm__("a3") = b, a4 __asm__("a4") = c;
    __asm__ volatile("syscall" : "+r"(a2) : "r"(a6), "r"(a3), "r"(a4) : "memory");
    return a2;
#endif
}

#if defined __arm__
enum { WRITE = 4, EXIT = 1 };
#elif defined __riscv
enum { WRITE = 64, EXIT = 93 };
#else
enum { WRITE = 13, EXIT = 118 };
#endif

#ifdef __riscv
/* Code may not rely on registers that an operating system would set. */
__asm__(".global _start\n_start:\nli gp, 0\nli tp, 0\nj start\n");
#else
#define start _start
#endif

__attribute__((used)) void start(void) {
#ifdef __arm__
    volatile unsigned long entry = TEXT | 1;
#else
    volatile unsigned long entry = TEXT;
#endif
    ((void (*)(struct results *))entry)(&results);
    call_system(WRITE, 1, (long)&results, sizeof results);
    call_system(EXIT, 0, 0, 0);
}
