// Standard input and output over the serial line, waiting, and the report of a fault.

#include <string.h>
#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"

// Bytes received and not yet read. When it is full the UART's interrupt is switched off and the
// line waits: nothing is lost, however fast the host writes.
static volatile uint8_t ring[4096];
static volatile uint16_t ring_in, ring_out;

extern char _stack_bottom[], _stack_top[];

static uint16_t ring_next(uint16_t i) {
    return (i + 1) % sizeof(ring);
}

void console_rx_isr(void) {
    while (uart_rx_ready()) {
        if (ring_next(ring_in) == ring_out) {
            cpu_uart_irq(false);
            return;
        }
        int c = uart_rx();
        if (c == mp_interrupt_char) {
            // Not mp_sched_keyboard_interrupt, which also takes the traceback away: the exception may be on its way
            // already, and getting one.
            mp_sched_exception(MP_OBJ_FROM_PTR(&MP_STATE_VM(mp_kbd_exception)));
        } else {
            ring[ring_in] = c;
            ring_in = ring_next(ring_in);
        }
    }
}

int mp_hal_stdin_rx_chr(void) {
    // Who reads handles no interrupt: the next one starts a traceback of its own.
    MP_STATE_VM(mp_kbd_exception).traceback_data = NULL;
    while (ring_in == ring_out) {
        mp_event_wait_indefinite();
    }
    int c = ring[ring_out];
    ring_out = ring_next(ring_out);
    cpu_uart_irq(true);
    return c;
}

uintptr_t mp_hal_stdio_poll(uintptr_t flags) {
    uintptr_t ready = flags & MP_STREAM_POLL_WR;
    if ((flags & MP_STREAM_POLL_RD) && ring_in != ring_out) {
        ready |= MP_STREAM_POLL_RD;
    }
    return ready;
}

mp_uint_t mp_hal_stdout_tx_strn(const char *str, size_t len) {
    for (size_t i = 0; i < len; ++i) {
        uart_tx(str[i]);
    }
    return len;
}

void mp_hal_delay_us(mp_uint_t us) {
    uint64_t end = cpu_ticks_us() + us;
    for (;;) {
        mp_event_handle_nowait();
        uint64_t now = cpu_ticks_us();
        if (now >= end) {
            return;
        }
        if (end - now > 2000) {
            cpu_wait();
        }
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    while (ms > 1000000) {
        mp_hal_delay_us(1000000000);
        ms -= 1000000;
    }
    mp_hal_delay_us(ms * 1000);
}

static void put(const char *s) {
    while (*s) {
        uart_tx(*s++);
    }
}

static unsigned fault_column;

void console_fault(const char *what) {
    static volatile bool again;
    if (again) {
        // The report itself faulted.
        cpu_exit(70);
    }
    again = true;
    fault_column = 0;
    put("\r\nFATAL: ");
    put(what);
    put("\r\n");
}

static void put_word(uintptr_t value) {
    uart_tx(' ');
    for (int shift = sizeof(value) * 8 - 4; shift >= 0; shift -= 4) {
        uart_tx("0123456789abcdef"[value >> shift & 15]);
    }
}

void console_fault_word(const char *name, uintptr_t value) {
    put(fault_column++ % 4 ? "  " : fault_column == 1 ? " " : "\r\n ");
    for (size_t i = strlen(name); i < 5; ++i) {
        uart_tx(' ');
    }
    put(name);
    put_word(value);
}

// What the host needs to say where in its source native code is, and who called it: where code was placed, and the
// stack from `sp` on.
void console_fault_stack(uintptr_t sp) {
    fault_column = 0;
    put("\r\n");
    emulator_code_report();
    uintptr_t bottom = (uintptr_t)_stack_bottom, top = (uintptr_t)_stack_top;
    if (fault_column == 0) {
        return;
    }
    // What is below cannot be read.
    sp = (sp < bottom && bottom - sp < top - bottom ? bottom : sp) & ~(sizeof(uintptr_t) - 1);
    for (unsigned i = 0; i < 256 && bottom <= sp && sp < top; ++i, sp += sizeof(uintptr_t)) {
        if (i % 8 == 0) {
            put("\r\n stack");
            put_word(sp);
        }
        put_word(*(const uintptr_t *)sp);
    }
}

void console_fault_end(void) {
    put("\r\nhalted\r\n");
    cpu_exit(70);
}
