/* The runtime that wasm2c and w2c2 expect of their embedder, as small as MicroPython allows. */
#include "mpy.h"

static inline void *peer_allocate(size_t bytes) {
    void *block = mp_fun_table.realloc(NULL, bytes, true);
    if (block == NULL) {
        mp_fun_table.raise_msg(mp_fun_table.load_global(MP_QSTR_RuntimeError), "out of memory");
    }
    mp_fun_table.memset(block, 0, bytes);
    return block;
}

__attribute__((noreturn, noinline)) static void peer_trap(void) {
    mp_fun_table.raise_msg(mp_fun_table.load_global(MP_QSTR_RuntimeError), "trap");
    __builtin_unreachable();
}
