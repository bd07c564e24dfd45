/* Starts a module whose code is in flash. It is included behind everything else: the size of the block is known here. */
#ifndef MPY_START_IN_FLASH_H
#define MPY_START_IN_FLASH_H

#include "mpy.h"

enum { MPY_STATE_SIZE = WASM_STATE_SIZE() };

/* It is not linked: its size tells the linker how large the block is. */
extern uint8_t mpy_state[];
uint8_t mpy_state[MPY_STATE_SIZE];

mpy_start_t mpy_init;

/* Called by the part in RAM, which keeps the register's value for its caller. */
void mpy_init(uint8_t **base, const mp_fun_table_t *functions, const uint16_t *strings, uintptr_t entries) {
    uint8_t *block = functions->realloc(NULL, MPY_STATE_SIZE, true);
    if (block == NULL) {
        functions->raise_msg(functions->load_global(MP_QSTR_MemoryError), "no memory for the module's state");
    }
    functions->memset(block, 0, MPY_STATE_SIZE);
    *base = block;
    struct mpy_head *head = (struct mpy_head *)block;
    head->functions = functions;
    head->strings = strings;
    head->entries = entries;
    mpy_base = block;
    mpy_start();
}

#endif
