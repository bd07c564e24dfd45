/* Large constants that are bytes objects in the module's file. MicroPython leaves those where they are when the file
 * lies in ROM that is mapped to memory (py/persistentcode.c, load_obj); else they are in its heap. The module's own
 * pointer to the first byte keeps them alive there, as the collector reads the module's state. */
#ifndef MPY_FLASH_H
#define MPY_FLASH_H

#include "mpy_scalars.h"

/* Of the ESP8266, whose ABI this is: flash is read in aligned words only, and lies in this quarter of addresses. */
#ifdef __XTENSA_CALL0_ABI__
#define MPY_FLASH_IS_WORDS(address) ((address) >> 28 == 4)
#else
#define MPY_FLASH_IS_WORDS(address) 0
#endif

/* No access asks for more alignment than a word's. */
#define MPY_FLASH_ALIGN 4

static const uint8_t *wasm_flash_table(uint32_t number, uint32_t align) {
    mp_buffer_info_t table;
    mp_fun_get_buffer(mp_native_obj_table[number], &table, MP_BUFFER_READ);
    uintptr_t from = (uintptr_t)table.buf;
    if ((from & ((align < MPY_FLASH_ALIGN ? align : MPY_FLASH_ALIGN) - 1)) == 0 && !MPY_FLASH_IS_WORDS(from)) {
        return table.buf;
    }
    uint8_t *copy = mp_fun_realloc(NULL, table.len, true);
    if (copy == NULL) {
        mpy_raise_memory_error("");
    }
    for (uint32_t i = 0; i < table.len; i++, from++) {
        copy[i] = *(const volatile uint32_t *)(from & ~(uintptr_t)3) >> 8 * (from & 3);
    }
    return copy;
}

#endif
