/* After the code of a module: what it wants of its embedder. */
#include "host.h"

static inline void wasm_trap(wasm_trap_t kind) { host_trap((int)kind); }
static inline void wasm_stack_low(void) { wasm_trap(WASM_TRAP_STACK_OVERFLOW); }
static uint8_t *wasm_memory_grow(uint8_t *memory, uint32_t old, uint32_t bytes) { return host_grow(memory, old, bytes); }

#ifdef WASM_SIMD_H
/* A vector as two lanes, and as four. */
WASM_UNUSED static void host_put_v128(host_value *places, wasm_v128_t vector) {
    simd_lanes_t lanes = simd_lanes(vector);
    places[0].q = lanes.u64[0];
    places[1].q = lanes.u64[1];
    for (int i = 0; i < 4; i++) {
        places[2 + i].i = lanes.u32[i];
    }
}
#endif
