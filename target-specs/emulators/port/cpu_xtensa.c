// QEMU's `sim` machine with an Xtensa processor: start, CCOUNT time, faults, native code, and the
// simulator's system calls in place of a UART (QEMU's target/xtensa/xtensa-semi.c).
//
// There is no interrupt: the console is polled while MicroPython waits and, every so often, by its
// virtual machine (mpconfigport.h).

#include <string.h>
#include "py/gc.h"
#include "py/mphal.h"
#include "py/persistentcode.h"
#include "py/runtime.h"

enum { SYS_EXIT = 1, SYS_READ = 3, SYS_WRITE = 4, SYS_SELECT_ONE = 29 };
enum { SELECT_ONE_READ = 1 };

extern char _stack_bottom[], _stack_top[], _handler_stack_top[];
extern uint32_t _data_load[], _data_start[], _data_end[], _bss_start[], _bss_end[];
int main(void);

__attribute__((used, noreturn)) void start(void) {
    for (uint32_t *from = _data_load, *to = _data_start; to < _data_end;) {
        *to++ = *from++;
    }
    for (uint32_t *to = _bss_start; to < _bss_end;) {
        *to++ = 0;
    }
    main();
    cpu_exit(0);
}

static int simcall(int number, int a, int b, int c) {
    register int a2 __asm ("a2") = number;
    register int a3 __asm ("a3") = a;
    register int a4 __asm ("a4") = b;
    register int a5 __asm ("a5") = c;
    __asm volatile ("simcall" : "+r" (a2), "+r" (a3) : "r" (a4), "r" (a5) : "memory");
    return a2;
}

void cpu_init(void) {
}

uint32_t cpu_irq_disable(void) {
    return 0;
}

void cpu_irq_restore(uint32_t state) {
}

void cpu_uart_irq(bool enable) {
}

uint64_t cpu_ticks_us(void) {
    // CCOUNT wraps every 100 s: the virtual machine's polls see every turn.
    static uint32_t last;
    static uint64_t cycles;
    uint32_t now;
    __asm volatile ("rsr %0, ccount" : "=r" (now));
    cycles += now - last;
    last = now;
    return cycles / (CPU_HZ / 1000000);
}

// What was read and not yet taken.
static char input[256];
static int input_at, input_len;

static bool input_ready(int timeout_us) {
    int time[2] = { 0, timeout_us };
    return input_at < input_len || simcall(SYS_SELECT_ONE, 0, SELECT_ONE_READ, (int)time) > 0;
}

void uart_init(void) {
}

bool uart_rx_ready(void) {
    return input_ready(0);
}

int uart_rx(void) {
    if (input_at == input_len) {
        input_at = 0;
        input_len = simcall(SYS_READ, 0, (int)input, sizeof(input));
        if (input_len <= 0) {
            // The other side has gone.
            cpu_exit(0);
        }
    }
    return (uint8_t)input[input_at++];
}

void uart_tx(int c) {
    char byte = c;
    simcall(SYS_WRITE, 1, (int)&byte, 1);
}

void cpu_wait(void) {
    input_ready(1000);
}

void emulator_poll(void) {
    cpu_ticks_us();
    console_rx_isr();
}

void cpu_reset(void) {
    __asm volatile ("jx %0" :: "r" (0x50000000));
    for (;;) {
    }
}

void cpu_exit(int status) {
    for (;;) {
        simcall(SYS_EXIT, status, 0, 0);
    }
}

// Native code lies in memory that on these chips can be read by words only.
static char *code_end;

void emulator_code_init(void) {
    code_end = (char *)CODE_START;
}

void *emulator_code_commit(void *buffer, size_t len, void *relocations) {
    size_t size = len;
    len = (len + 3) & ~3;
    char *to = code_end;
    if (len > (size_t)((char *)CODE_START + CODE_SIZE - to)) {
        mp_raise_msg(&mp_type_MemoryError, MP_ERROR_TEXT("no more space for native code"));
    }
    if (relocations != NULL) {
        mp_native_relocate(relocations, buffer, (uintptr_t)to);
    }
    for (size_t i = 0; i < len / 4; ++i) {
        ((volatile uint32_t *)to)[i] = ((uint32_t *)buffer)[i];
    }
    code_end += len;
    emulator_code_note(to, size);
    return to;
}

uintptr_t collect_registers(uintptr_t regs[4]);

__attribute__((noinline)) void gc_helper_collect_regs_and_stack(void) {
    uintptr_t regs[4];
    uintptr_t sp = collect_registers(regs);
    gc_collect_root((void **)sp, ((uintptr_t)_stack_top - sp) / sizeof(uintptr_t));
}

uint32_t fault_registers[16];
// 1 once a fault is handled, 2 once the registers of callers are on the stack (xtensa_windowed.s).
uint32_t fault_spilled, fault_pc;

__attribute__((used, noreturn)) void fault(void) {
    uint32_t pc, cause, address;
    __asm volatile ("rsr %0, epc1\nrsr %1, exccause\nrsr %2, excvaddr" : "=r" (pc), "=r" (cause), "=r" (address));
    // Xtensa Instruction Set Architecture, "Exception Causes".
    static const struct {
        int cause;
        const char *name;
    } names[] = {
        { 0, "illegal instruction" }, { 2, "instruction fetch error" }, { 3, "load or store error" },
        { 6, "division by zero" }, { 9, "unaligned access" }, { 14, "instruction bus error" },
        { 15, "load or store bus error" }, { 20, "instruction fetch prohibited" }, { 28, "load prohibited" },
        { 29, "store prohibited" },
    };
    const char *name = "exception";
    for (size_t i = 0; i < MP_ARRAY_SIZE(names); ++i) {
        if (names[i].cause == (int)cause) {
            name = names[i].name;
        }
    }
    console_fault(name);
    console_fault_word("pc", pc);
    static const char registers[][4] = {
        "a0", "sp", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "a10", "a11", "a12", "a13", "a14", "a15",
    };
    for (int i = 0; i < 16; ++i) {
        console_fault_word(registers[i], fault_registers[i]);
    }
    console_fault_word("cause", cause);
    console_fault_word("vaddr", address);
    #if defined(__XTENSA_WINDOWED_ABI__)
    // Callers, whose registers are on the stack now: a return address, without its size of the window, and the stack pointer
    // (Xtensa Instruction Set Architecture, "Windowed Procedure-Call Protocol").
    uint32_t from = fault_registers[0], sp = fault_registers[1];
    for (int i = 0; i < 32 && fault_spilled == 2 && (from & 0x3fffffff) != 0; ++i) {
        console_fault_word("from", (from & 0x3fffffff) | (pc & 0xc0000000));
        if (sp < (uintptr_t)_stack_bottom + 16 || sp > (uintptr_t)_stack_top || sp % 4 != 0) {
            break;
        }
        from = ((uint32_t *)sp)[-4];
        sp = ((uint32_t *)sp)[-3];
    }
    #endif
    console_fault_stack(fault_registers[1]);
    console_fault_end();
}
