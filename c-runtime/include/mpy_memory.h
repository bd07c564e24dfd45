/* Memory that grows comes from MicroPython's heap. The module's own pointer to it keeps it alive, as the
 * collector reads the module's state. */
#ifndef MPY_MEMORY_H
#define MPY_MEMORY_H

#include "mpy.h"
#include "wasm.h"

static uint8_t *wasm_memory_grow(uint8_t *memory, uint32_t old, uint32_t bytes) {
    uint8_t *moved = mp_fun_table.realloc(memory, bytes, true);
    if (moved != NULL) {
        mp_fun_table.memset(moved + old, 0, bytes - old);
    }
    return moved;
}

#endif
