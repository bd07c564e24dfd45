/* Code that runs where it lies in read-only memory, at any address.
 *
 * Nothing in it can be changed, so it contains no addresses: the compiler makes it position-independent, and the linker
 * refuses what needs a relocation. State is one block of MicroPython's heap, whose address is in a register that compiled code
 * saves like any other that belongs to the caller (Arm AAPCS, 6.1.1: r9; RISC-V psABI, 1.1: s11). The firmware's own code
 * uses it for other things. Functions that the firmware calls are therefore reached by an entry in RAM (stub.c), which
 * sets the register, and jumps to the address that the block has for this entry.
 *
 * Code in flash is compiled with this file before all others. MPY_BASE_REGISTER is the register, and MPY_ENTRIES how many
 * functions the firmware can be given.
 */
#ifndef MPY_IN_FLASH_H
#define MPY_IN_FLASH_H

#include "mpy_stub.h"

#ifndef MPY_ENTRIES
#define MPY_ENTRIES 1
#endif

#define MPY_CODE_IN_FLASH 1

/* What the block begins with. */
struct mpy_head {
    const struct _mp_fun_table_t *functions;
    const uint16_t *strings;
    uintptr_t entries;
    uintptr_t targets[MPY_ENTRIES];
};

_Static_assert(offsetof(struct mpy_head, targets) == MPY_TARGETS, "layout of mpy_head");

register uint8_t *mpy_base __asm__(MPY_QUOTE(MPY_BASE_REGISTER));
#define WASM_BASE mpy_base
#define WASM_HEAD struct mpy_head head;

/* The entry of a function, for the firmware. NULL if there is none left. */
__attribute__((unused)) static const void *mpy_entry(uintptr_t function) {
    struct mpy_head *head = (struct mpy_head *)mpy_base;
    for (size_t i = 0; i < MPY_ENTRIES; i++) {
        if (head->targets[i] == 0) {
            head->targets[i] = function;
        }
        if (head->targets[i] == function) {
            /* The lowest bit says that it is Thumb code. */
            return (const void *)(head->entries + i * MPY_ENTRY_SIZE);
        }
    }
    return NULL;
}

#endif
