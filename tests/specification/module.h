/* After the code of a module: what it wants of its embedder. */
#include "host.h"

static inline void wasm_trap(wasm_trap_t kind) { host_trap((int)kind); }
static inline void wasm_stack_low(void) { wasm_trap(WASM_TRAP_STACK_OVERFLOW); }
static uint8_t *wasm_memory_grow(uint8_t *memory, uint32_t old, uint32_t bytes) { return host_grow(memory, old, bytes); }
