// The 16550 of QEMU's `virt` machine.

#include "py/mphal.h"

#define REG(offset) (*(volatile uint8_t *)(0x10000000 + (offset)))
#define DATA        REG(0)
#define IER         REG(1)
#define FCR         REG(2)
#define LSR         REG(5)

void uart_init(void) {
    FCR = 1; // FIFOs on, interrupt with the first byte
    IER = 1; // received data available
}

bool uart_rx_ready(void) {
    return LSR & 0x01;
}

int uart_rx(void) {
    return DATA;
}

void uart_tx(int c) {
    while (!(LSR & 0x20)) {
    }
    DATA = c;
}
