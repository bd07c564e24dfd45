// What the rest of MicroPython needs from a board, and what a board must bring.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared/runtime/interrupt_char.h"

// A processor (`cpu_*`): interrupts, waiting, time, and the two ways to end.
void cpu_init(void);
uint32_t cpu_irq_disable(void);
void cpu_irq_restore(uint32_t state);
// Sleeps until an interrupt is pending or a millisecond has passed.
void cpu_wait(void);
// Microseconds since reset.
uint64_t cpu_ticks_us(void);
void cpu_uart_irq(bool enable);
// Lets an interrupt call `emulator_tick` every millisecond from now on, on boards that have one.
void cpu_tick(void);
__attribute__((noreturn)) void cpu_reset(void);
// Ends the emulator; `status` becomes its exit status.
__attribute__((noreturn)) void cpu_exit(int status);

// A serial line (`uart_*`).
void uart_init(void);
bool uart_rx_ready(void);
int uart_rx(void);
void uart_tx(int c);

// Called by the processor's UART interrupt.
void console_rx_isr(void);
// Called by the processor's fault handler: `console_fault` starts the report, `console_fault_word`
// adds a register, `console_fault_stack` what the host finds callers by, `console_fault_end` ends the emulator.
void console_fault(const char *what);
void console_fault_word(const char *name, uintptr_t value);
void console_fault_stack(uintptr_t sp);
__attribute__((noreturn)) void console_fault_end(void);

// Where native code is (code.c). `emulator_code_note` is told by what places it, `emulator_code_report` adds words to
// the report of a fault, `emulator_code_forget` is for a soft reset.
void emulator_code_note(const void *start, size_t size);
void emulator_code_report(void);
void emulator_code_forget(void);

// `machine.Timer` (timer.c).
void emulator_tick(void);

// Where `machine.idle()` shows itself to the emulator.
void emulator_mark(void);

#define MICROPY_BEGIN_ATOMIC_SECTION()     cpu_irq_disable()
#define MICROPY_END_ATOMIC_SECTION(state)  cpu_irq_restore(state)
#define MICROPY_INTERNAL_WFE(timeout_ms)   cpu_wait()

void mp_hal_set_interrupt_char(int c);

static inline mp_uint_t mp_hal_ticks_ms(void) {
    return (mp_uint_t)(cpu_ticks_us() / 1000);
}
static inline mp_uint_t mp_hal_ticks_us(void) {
    return (mp_uint_t)cpu_ticks_us();
}
static inline mp_uint_t mp_hal_ticks_cpu(void) {
    return (mp_uint_t)cpu_ticks_us();
}
static inline uint64_t mp_hal_time_ns(void) {
    return cpu_ticks_us() * 1000;
}
