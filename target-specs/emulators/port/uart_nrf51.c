// The nRF51's UART as QEMU models it.

#include "py/mphal.h"

#define REG(offset) (*(volatile uint32_t *)(0x40002000 + (offset)))
#define STARTRX     REG(0x000)
#define STARTTX     REG(0x008)
#define RXDRDY      REG(0x108)
#define TXDRDY      REG(0x11c)
#define INTENSET    REG(0x304)
#define ENABLE      REG(0x500)
#define RXD         REG(0x518)
#define TXD         REG(0x51c)

void uart_init(void) {
    ENABLE = 4;
    STARTRX = 1;
    STARTTX = 1;
    INTENSET = 1 << 2; // RXDRDY
}

bool uart_rx_ready(void) {
    return RXDRDY;
}

int uart_rx(void) {
    // In this order: reading RXD raises the event again when more bytes wait.
    RXDRDY = 0;
    return RXD & 0xff;
}

void uart_tx(int c) {
    // A byte written while another is under way is dropped.
    TXDRDY = 0;
    TXD = c & 0xff;
    while (!TXDRDY) {
    }
}
