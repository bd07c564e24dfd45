/* Memory that grows comes from MicroPython's heap. The module's own pointer to it keeps it alive, as the
 * collector reads the module's state. */
#ifndef MPY_MEMORY_H
#define MPY_MEMORY_H

#include "mpy_unwind.h"

static uint8_t *wasm_memory_grow(uint8_t *memory, uint32_t old, uint32_t bytes) {
    /* This may collect, and a finaliser call this module. */
#ifdef MPY_HAS_STACKS
    mpy_stacks_t outside;
    mpy_enter_python(&outside);
#endif
#ifdef MPY_SHOWS_GROWTH
    /* Python may still look at the block: it stays where it is until nobody does. */
    uint8_t *moved = mp_fun_realloc(memory, bytes, memory == NULL);
    if (moved == NULL && memory != NULL) {
        moved = mp_fun_realloc(NULL, bytes, true);
        if (moved != NULL) {
            mp_fun_memmove(moved, memory, old);
        }
    }
#else
    uint8_t *moved = mp_fun_realloc(memory, bytes, true);
#endif
#ifdef MPY_HAS_STACKS
    mpy_leave_python(&outside);
#endif
    if (moved != NULL) {
        mp_fun_table.memset(moved + old, 0, bytes - old);
    }
    return moved;
}

#endif
