/* What the two parts of a module whose code is in flash have in common (mpy_in_flash.h). */
#ifndef MPY_STUB_H
#define MPY_STUB_H

#include <stddef.h>
#include <stdint.h>

#define MPY_QUOTE(text) MPY_QUOTED(text)
#define MPY_QUOTED(text) #text

struct _mp_fun_table_t;

/* How the part in RAM starts the other: with the place where it wants the address of the block, what the loader gave it, and
 * where its entries begin. */
typedef void mpy_start_t(uint8_t **base, const struct _mp_fun_table_t *functions, const uint16_t *strings, uintptr_t entries);

/* Bytes of an entry, and where the block has the address that the first one jumps to. */
#ifdef __riscv
#define MPY_ENTRY_SIZE 4
#else
#define MPY_ENTRY_SIZE 8
#endif
#define MPY_TARGETS 12

#endif
