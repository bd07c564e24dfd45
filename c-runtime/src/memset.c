/* The firmware's memset under its C name. */
#include "mpy.h"

void *memset(void *to, int byte, size_t n);

void *memset(void *to, int byte, size_t n) {
    return mp_fun_table.memset(to, byte, n);
}
