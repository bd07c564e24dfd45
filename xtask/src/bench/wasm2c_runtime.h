#include "peers.h"
#include "wasm-rt.h"

uint32_t wasm_rt_call_stack_depth;

void wasm_rt_init(void) {}
bool wasm_rt_is_initialized(void) { return true; }
void wasm_rt_trap(wasm_rt_trap_t kind) { (void)kind; peer_trap(); }

uint32_t wasm_rt_register_func_type(uint32_t params, uint32_t results, ...) {
    /* One number per shape is enough for programs that are right. */
    return params << 8 | results;
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t pages, uint32_t most) {
    memory->data = peer_allocate(pages * 65536);
    memory->size = pages * 65536;
    memory->pages = pages;
    memory->max_pages = most;
}

void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *table, uint32_t elements, uint32_t most) {
    table->data = peer_allocate(elements * sizeof(wasm_rt_funcref_t));
    table->size = elements;
    table->max_size = most;
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory) { (void)memory; }
void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t *table) { (void)table; }
