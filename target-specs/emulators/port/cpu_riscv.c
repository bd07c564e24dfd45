// QEMU's `virt` machine in machine mode, RV32 and RV64: start, CLINT time, PLIC, traps, and the test
// device that ends the emulator.

#include "py/mphal.h"

#define MMIO(address)   (*(volatile uint32_t *)(uintptr_t)(address))
#define TEST_DEVICE     MMIO(0x00100000)
#define MTIMECMP_LOW    MMIO(0x02004000)
#define MTIMECMP_HIGH   MMIO(0x02004004)
#define MTIME_LOW       MMIO(0x0200bff8)
#define MTIME_HIGH      MMIO(0x0200bffc)
#define MTIME_HZ        (10000000)
#define PLIC_PRIORITY   MMIO(0x0c000000 + 4 * UART_IRQ)
#define PLIC_ENABLE     MMIO(0x0c002000)
#define PLIC_THRESHOLD  MMIO(0x0c200000)
#define PLIC_CLAIM      MMIO(0x0c200004)

#define MIE_MTIE        (1 << 7)
#define MIE_MEIE        (1 << 11)
#define MSTATUS_MIE     (1 << 3)

#if __riscv_xlen == 64
#define STORE "sd"
#define LOAD  "ld"
#define WORD  "8"
#else
#define STORE "sw"
#define LOAD  "lw"
#define WORD  "4"
#endif

extern char _stack_guard[], _trap_stack_top[];
extern char _bss_start[], _bss_end[];
int main(void);

__attribute__((used, noreturn)) static void start(void) {
    for (uintptr_t *to = (uintptr_t *)_bss_start; to < (uintptr_t *)_bss_end;) {
        *to++ = 0;
    }
    main();
    cpu_exit(0);
}

// Without `-bios` the machine starts at the lowest address of RAM.
__attribute__((naked, used, section(".start"))) void _start(void) {
    __asm volatile (
        ".option push\n"
        ".option norelax\n"
        "la gp, __global_pointer$\n"
        ".option pop\n"
        "la sp, _stack_top\n"
        "la t0, _trap_stack_top\n"
        "csrw mscratch, t0\n"
        "la t0, trap_entry\n"
        "csrw mtvec, t0\n"
        "csrw mie, zero\n"
        "tail start\n"
        );
}

void cpu_init(void) {
    // A page below the stack that even machine mode may not touch (a locked PMP entry).
    uintptr_t guard = (uintptr_t)_stack_guard >> 2 | 0x1ff; // NAPOT, 4 KiB
    __asm volatile ("csrw pmpaddr0, %0\ncsrw pmpcfg0, %1" :: "r" (guard), "r" (0x98));

    MTIMECMP_HIGH = 0xffffffff;
    PLIC_PRIORITY = 1;
    PLIC_THRESHOLD = 0;
    __asm volatile ("csrw mie, %0" :: "r" (MIE_MTIE | MIE_MEIE));
    __asm volatile ("csrs mstatus, %0" :: "r" (MSTATUS_MIE));
}

static uint64_t mtime(void) {
    for (;;) {
        uint32_t high = MTIME_HIGH;
        uint32_t low = MTIME_LOW;
        if (high == MTIME_HIGH) {
            return (uint64_t)high << 32 | low;
        }
    }
}

uint64_t cpu_ticks_us(void) {
    return mtime() / (MTIME_HZ / 1000000);
}

uint32_t cpu_irq_disable(void) {
    uintptr_t state;
    __asm volatile ("csrrc %0, mstatus, %1" : "=r" (state) : "r" (MSTATUS_MIE) : "memory");
    return state & MSTATUS_MIE;
}

void cpu_irq_restore(uint32_t state) {
    __asm volatile ("csrs mstatus, %0" :: "r" ((uintptr_t)state) : "memory");
}

static volatile bool ticks;

static void next_tick(void) {
    uint64_t until = mtime() + MTIME_HZ / 1000;
    MTIMECMP_LOW = 0xffffffff; // never a value in the past between the two stores
    MTIMECMP_HIGH = until >> 32;
    MTIMECMP_LOW = until;
}

void cpu_tick(void) {
    ticks = true;
    next_tick();
}

void cpu_wait(void) {
    // An interrupt that comes before `wfi` is then pending, and ends it all the same.
    uint32_t state = cpu_irq_disable();
    if (!ticks) {
        next_tick();
    }
    __asm volatile ("wfi" ::: "memory");
    cpu_irq_restore(state);
}

void cpu_uart_irq(bool enable) {
    PLIC_ENABLE = enable ? 1 << UART_IRQ : 0;
}

void cpu_reset(void) {
    TEST_DEVICE = 0x7777;
    for (;;) {
    }
}

void cpu_exit(int status) {
    TEST_DEVICE = (status & 0xff) == 0 ? 0x5555 : (status & 0xff) << 16 | 0x3333;
    for (;;) {
    }
}

// `x` holds the registers x0 to x31, x[0] the program counter.
__attribute__((used)) static void trap(uintptr_t *x) {
    intptr_t cause;
    uintptr_t value;
    __asm volatile ("csrr %0, mcause\ncsrr %1, mtval" : "=r" (cause), "=r" (value));
    if (cause < 0) {
        if ((cause & 0xff) == 7) {
            if (ticks) {
                next_tick();
                emulator_tick();
            } else {
                MTIMECMP_HIGH = 0xffffffff;
            }
        } else {
            uint32_t source = PLIC_CLAIM;
            console_rx_isr();
            PLIC_CLAIM = source;
        }
        return;
    }
    // The privileged architecture, table "machine cause register values after trap".
    static const char *const causes[] = {
        "instruction address misaligned", "instruction access fault", "illegal instruction", "breakpoint",
        "load address misaligned", "load access fault", "store address misaligned", "store access fault",
    };
    bool guarded = value - (uintptr_t)_stack_guard < 4096;
    console_fault(guarded ? "stack overflow" : cause < 8 ? causes[cause] : "exception");
    static const char names[][5] = {
        "pc", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
        "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
    };
    for (int i = 0; i < 32; ++i) {
        console_fault_word(names[i], x[i]);
    }
    console_fault_word("cause", cause);
    console_fault_word("mtval", value);
    console_fault_stack(x[2]);
    console_fault_end();
}

#define SAVE1(n)    STORE " x" #n ", " #n "*" WORD "(sp)\n"
#define RESTORE1(n) LOAD " x" #n ", " #n "*" WORD "(sp)\n"
#define ALL(f) f(1) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11) f(12) f(13) f(14) f(15) f(16) \
    f(17) f(18) f(19) f(20) f(21) f(22) f(23) f(24) f(25) f(26) f(27) f(28) f(29) f(30) f(31)

// Traps do not nest: a trap's stack is always the whole of its own.
__attribute__((naked, used, aligned(4))) static void trap_entry(void) {
    __asm volatile (
        "csrrw sp, mscratch, sp\n"
        "addi sp, sp, -32*" WORD "\n"
        ALL(SAVE1)
        "csrr a0, mepc\n"
        STORE " a0, 0(sp)\n"
        "csrr a0, mscratch\n"
        STORE " a0, 2*" WORD "(sp)\n"
        "mv a0, sp\n"
        "call trap\n"
        ALL(RESTORE1)
        "addi sp, sp, 32*" WORD "\n"
        "csrrw sp, mscratch, sp\n"
        "mret\n"
        );
}
