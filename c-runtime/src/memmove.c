/* The firmware's memmove under its C name. */
#include "mpy.h"

void *memmove(void *to, const void *from, size_t n);

void *memmove(void *to, const void *from, size_t n) {
    return mp_fun_table.memmove(to, from, n);
}
