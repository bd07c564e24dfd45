/* Starts a module whose code is in flash. It is included behind everything else: the size of the block is known here. */
#ifndef MPY_START_IN_FLASH_H
#define MPY_START_IN_FLASH_H

#include "mpy.h"

enum { MPY_STATE_SIZE = WASM_STATE_SIZE() };

void mpy_init(struct mpy_stub *stub);

/* Called by the part in RAM, which keeps the register's value for its caller. */
void mpy_init(struct mpy_stub *stub) {
    const mp_fun_table_t *functions = stub->functions;
    uint8_t *block = functions->realloc(NULL, MPY_STATE_SIZE, true);
    if (block == NULL) {
        functions->raise_msg(functions->load_global(MP_QSTR_MemoryError), "no memory for the module's state");
    }
    functions->memset(block, 0, MPY_STATE_SIZE);
    stub->base = block;
    struct mpy_head *head = (struct mpy_head *)block;
    head->functions = functions;
    head->strings = stub->strings;
    head->entries = stub->entries;
    mpy_base = block;
    mpy_start();
}

#endif
