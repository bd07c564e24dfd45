// The CMSDK UART of the MPS2 and MPS3 boards.

#include "py/mphal.h"

#define REG(offset) (*(volatile uint32_t *)(UART_BASE + (offset)))
#define DATA        REG(0x00)
#define STATE       REG(0x04)
#define CTRL        REG(0x08)
#define INTCLEAR    REG(0x0c)
#define BAUDDIV     REG(0x10)

void uart_init(void) {
    BAUDDIV = 16;
    CTRL = 1 << 0 | 1 << 1 | 1 << 3; // transmit, receive, interrupt on receive
}

bool uart_rx_ready(void) {
    return STATE & 1 << 1;
}

int uart_rx(void) {
    // In this order: reading DATA lets the next byte in, which raises the interrupt again.
    INTCLEAR = 1 << 1;
    return DATA & 0xff;
}

void uart_tx(int c) {
    while (STATE & 1 << 0) {
    }
    DATA = c & 0xff;
}
