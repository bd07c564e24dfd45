// Cortex-M: start, SysTick time, faults and semihosting.
//
// The program runs on the process stack, handlers on the main stack, so that a fault for want of
// stack can still be reported.

#include "py/mphal.h"

#define SYST_CSR  (*(volatile uint32_t *)0xe000e010)
#define SYST_RVR  (*(volatile uint32_t *)0xe000e014)
#define SYST_CVR  (*(volatile uint32_t *)0xe000e018)
#define NVIC_ISER (*(volatile uint32_t *)0xe000e100)
#define NVIC_ICER (*(volatile uint32_t *)0xe000e180)
#define SCB_ICSR  (*(volatile uint32_t *)0xe000ed04)
#define SCB_AIRCR (*(volatile uint32_t *)0xe000ed0c)
#define SCB_CFSR  (*(volatile uint32_t *)0xe000ed28)
#define SCB_MMFAR (*(volatile uint32_t *)0xe000ed34)
#define SCB_BFAR  (*(volatile uint32_t *)0xe000ed38)
#define SCB_CPACR (*(volatile uint32_t *)0xe000ed88)

#define TICK_CYCLES (CPU_HZ / 1000)

extern char _stack_bottom[], _stack_top[], _handler_stack_top[];
extern uint32_t _data_load[], _data_start[], _data_end[], _bss_start[], _bss_end[];
int main(void);

static volatile uint64_t milliseconds;

__attribute__((used, noreturn)) static void start(void) {
    for (uint32_t *from = _data_load, *to = _data_start; to < _data_end;) {
        *to++ = *from++;
    }
    for (uint32_t *to = _bss_start; to < _bss_end;) {
        *to++ = 0;
    }
    main();
    cpu_exit(0);
}

__attribute__((naked, used)) void Reset_Handler(void) {
    __asm volatile (
        ".syntax unified\n"
        #if defined(__ARM_FP)
        // Before any function that may save an FPU register: CPACR, full access to CP10 and CP11.
        "ldr r0, =0xe000ed88\n"
        "ldr r1, =0x00f00000\n"
        "str r1, [r0]\n"
        "dsb\n"
        #endif
        "ldr r0, =_stack_top\n"
        "msr psp, r0\n"
        "movs r0, #2\n"
        "msr control, r0\n"
        "isb\n"
        "ldr r0, =start\n"
        "bx r0\n"
        );
}

void cpu_init(void) {
    SYST_RVR = TICK_CYCLES - 1;
    SYST_CVR = 0;
    SYST_CSR = 7;
}

static void SysTick_Handler(void) {
    ++milliseconds;
    emulator_tick();
}

void cpu_tick(void) {
}

uint64_t cpu_ticks_us(void) {
    uint32_t state = cpu_irq_disable();
    uint64_t ms = milliseconds;
    uint32_t left = SYST_CVR;
    if (SCB_ICSR & 1 << 26) {
        // The counter wrapped and its interrupt waits.
        left = SYST_CVR;
        ++ms;
    }
    cpu_irq_restore(state);
    return ms * 1000 + (TICK_CYCLES - 1 - left) / (CPU_HZ / 1000000);
}

uint32_t cpu_irq_disable(void) {
    uint32_t state;
    __asm volatile ("mrs %0, primask\ncpsid i" : "=r" (state) :: "memory");
    return state;
}

void cpu_irq_restore(uint32_t state) {
    __asm volatile ("msr primask, %0" :: "r" (state) : "memory");
}

void cpu_wait(void) {
    __asm volatile ("wfi" ::: "memory");
}

void cpu_uart_irq(bool enable) {
    (enable ? &NVIC_ISER : &NVIC_ICER)[UART_IRQ / 32] = 1 << UART_IRQ % 32;
}

void cpu_reset(void) {
    SCB_AIRCR = 0x05fa0004;
    for (;;) {
    }
}

// Semihosting for AArch32 and AArch64, "SYS_EXIT_EXTENDED (0x20)".
void cpu_exit(int status) {
    uint32_t block[2] = { 0x20026, status };
    register uint32_t operation __asm ("r0") = 0x20;
    register void *argument __asm ("r1") = block;
    __asm volatile ("bkpt 0xab" : "+r" (operation) : "r" (argument) : "memory");
    for (;;) {
    }
}

// `frame` is where the processor put r0-r3, r12, lr, pc and xpsr, and registers of the FPU if bit 4 of `exc_return` is clear;
// `saved` holds r4-r11.
__attribute__((used, noreturn)) static void fault(uint32_t *frame, uint32_t *saved, uint32_t exc_return) {
    // Cleared by reset: a handler that runs over its own stack must not come here again.
    bool lost = (char *)frame < _stack_bottom || (char *)frame + 32 > _handler_stack_top;
    console_fault(lost ? "stack overflow" : "HardFault");
    if (!lost) {
        console_fault_word("pc", frame[6]);
        console_fault_word("lr", frame[5]);
    }
    uintptr_t sp = (uintptr_t)frame + (exc_return & 16 ? 32 : 104);
    if (!lost && frame[7] & 1 << 9) {
        // The frame was aligned.
        sp += 4;
    }
    console_fault_word("sp", sp);
    if (!lost) {
        console_fault_word("xpsr", frame[7]);
        console_fault_word("r0", frame[0]);
        console_fault_word("r1", frame[1]);
        console_fault_word("r2", frame[2]);
        console_fault_word("r3", frame[3]);
    }
    static const char names[][4] = { "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11" };
    for (int i = 0; i < 8; ++i) {
        console_fault_word(names[i], saved[i]);
    }
    #if defined(__thumb2__)
    console_fault_word("cfsr", SCB_CFSR);
    console_fault_word("mmfar", SCB_MMFAR);
    console_fault_word("bfar", SCB_BFAR);
    #endif
    if (!lost) {
        console_fault_stack(sp);
    }
    console_fault_end();
}

__attribute__((naked)) static void Fault_Handler(void) {
    __asm volatile (
        ".syntax unified\n"
        "mov r2, lr\n"
        "mrs r0, msp\n"
        "lsls r2, r2, #29\n" // EXC_RETURN bit 2: the frame is on the process stack
        "bpl 1f\n"
        "mrs r0, psp\n"
        "1:\n"
        "mov r3, r11\n"
        "push {r3}\n"
        "mov r3, r10\n"
        "push {r3}\n"
        "mov r3, r9\n"
        "push {r3}\n"
        "mov r3, r8\n"
        "push {r3}\n"
        "push {r4-r7}\n"
        "mov r1, sp\n"
        "mov r2, lr\n"
        "ldr r3, =fault\n"
        "blx r3\n"
        );
}

__attribute__((section(".vectors"), used))
static const void *const vectors[16 + UART_IRQ + 1] = {
    _handler_stack_top,
    Reset_Handler,
    Fault_Handler, // NMI
    Fault_Handler, // HardFault
    Fault_Handler, // MemManage
    Fault_Handler, // BusFault
    Fault_Handler, // UsageFault
    0, 0, 0, 0,
    Fault_Handler, // SVCall
    Fault_Handler, // DebugMonitor
    0,
    Fault_Handler, // PendSV
    SysTick_Handler,
    [16 + UART_IRQ] = console_rx_isr,
};
