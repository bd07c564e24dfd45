// Where native code is: for the report of a fault, and for debuggers and profilers.

#include "py/mphal.h"
#include "py/runtime.h"

// The last pieces of code that were placed.
static struct {
    uintptr_t start, size;
} placed[8];
static unsigned pieces;

// What a debugger reads at `emulator_code_placed`.
volatile uintptr_t emulator_code_start, emulator_code_size;

void emulator_code_forget(void) {
    pieces = 0;
}

// Does nothing but read the first and the last word: the emulator's plugin sees their addresses (plugin.c), and a debugger stops
// here.
__attribute__((noinline, used)) void emulator_code_placed(const uint32_t *first, const uint32_t *last) {
    (void)*(const volatile uint32_t *)first;
    (void)*(const volatile uint32_t *)last;
}

void emulator_code_note(const void *start, size_t size) {
    uintptr_t at = (uintptr_t)start;
    placed[pieces++ % MP_ARRAY_SIZE(placed)].start = at;
    placed[(pieces - 1) % MP_ARRAY_SIZE(placed)].size = size;
    emulator_code_start = at;
    emulator_code_size = size;
    emulator_code_placed((const uint32_t *)(at & ~(uintptr_t)3), (const uint32_t *)((at + size - 1) & ~(uintptr_t)3));
}

#if !defined(__xtensa__)
// As MicroPython does it, in the heap that the garbage collector looks after (mpconfigport.h).
void *emulator_code_alloc(size_t size) {
    void *start = m_new(byte, size);
    emulator_code_note(start, size);
    return start;
}
#endif

void emulator_code_report(void) {
    unsigned first = pieces < MP_ARRAY_SIZE(placed) ? 0 : pieces - MP_ARRAY_SIZE(placed);
    for (unsigned i = first; i < pieces; ++i) {
        console_fault_word("code", placed[i % MP_ARRAY_SIZE(placed)].start);
        console_fault_word("size", placed[i % MP_ARRAY_SIZE(placed)].size);
    }
}
