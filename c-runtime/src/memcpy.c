/* What C compilers call for copying a struct or recognise in a loop. The firmware's memmove is at
 * hand and does all of it. */
#include "mpy.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n);

void *memcpy(void *restrict to, const void *restrict from, size_t n) {
    return mp_fun_table.memmove(to, from, n);
}
