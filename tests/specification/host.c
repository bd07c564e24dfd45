/* Runs the script of a test: calls, and what is expected of them. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wasm.h"
#include "module.h"
#include "script.h"

static jmp_buf host_return;
wasm_exception_t *wasm_thrown;
uintptr_t host_stack_limit;
uint32_t host_global_i32 = 666;
uint64_t host_global_i64 = 666;
float host_global_f32 = 666.6f;
double host_global_f64 = 666.6;

static const char *const host_messages[] = {
#define MESSAGE(name, message) message,
    WASM_TRAPS(MESSAGE)
#undef MESSAGE
};

void host_trap(int kind) { longjmp(host_return, kind + 1); }

uint8_t *host_grow(uint8_t *memory, uint32_t old, uint32_t bytes) {
    if (bytes > 1u << 30) {
        return NULL;
    }
    uint8_t *moved = calloc(bytes, 1);
    if (moved != NULL && old != 0) {
        memcpy(moved, memory, old);
    }
    free(memory);
    return moved;
}

void *host_memory(void) {
    static wasm_memory_t memory;
    if (memory.data == NULL) {
        wasm_memory_new(&memory, 65536, 2);
    }
    return &memory;
}

void *host_table(void) {
    static wasm_table_t table;
    if (table.elements == NULL) {
        wasm_table_new(&table, 10, 20, 0);
    }
    return &table;
}

static int matches(char pattern, uint64_t want, host_value got) {
    uint32_t magnitude32 = got.i & 0x7fffffffu;
    uint64_t magnitude64 = got.q & 0x7fffffffffffffffull;
    switch (pattern) {
        case 'i': return got.i == (uint32_t)want;
        case 'q': return got.q == want;
        case 'c': return magnitude32 == 0x7fc00000u;
        case 'a': return (magnitude32 & 0x7fc00000u) == 0x7fc00000u;
        case 'C': return magnitude64 == 0x7ff8000000000000ull;
        case 'A': return (magnitude64 & 0x7ff8000000000000ull) == 0x7ff8000000000000ull;
        case 'r': return got.r == (uintptr_t)want;
        case 'n': return got.r != 0;
        case '_': return 1;
    }
    return 0;
}

/* Whether the results are one of those that are wanted. */
static int any_matches(const host_step *step, const host_value *results) {
    const uint64_t *want = &host_values[step->results];
    const host_value *got = results;
    int good = 1;
    for (const char *pattern = step->patterns; *pattern != 0; pattern++) {
        if (*pattern == '|') {
            if (good) {
                return 1;
            }
            got = results;
            good = 1;
        } else {
            good &= matches(*pattern, *want++, *got++);
        }
    }
    return good;
}

/* The kind of the trap that ended a call, and 1; 0 when it returned. */
static int attempt(const host_step *step, const host_value *args, host_value *results) {
    int kind = setjmp(host_return);
    if (kind == 0) {
        step->call(args, results);
        if (wasm_thrown != NULL) {
            wasm_thrown = NULL;
            return WASM_TRAP_UNCAUGHT_EXCEPTION + 1;
        }
    }
    return kind;
}

int main(void) {
    char here;
    host_stack_limit = (uintptr_t)&here - 4000000;
    unsigned passed = 0;
    for (unsigned at = 0; at < sizeof host_steps / sizeof *host_steps; at++) {
        const host_step *step = &host_steps[at];
        host_value args[64], results[64];
        memset(args, 0, sizeof args);
        memset(results, 0, sizeof results);
        for (unsigned i = 0; i < step->n_args; i++) {
            args[i].q = host_values[step->args + i];
        }
        int kind = attempt(step, args, results);
        const char *message = kind == 0 ? "" : host_messages[kind - 1];
        int good = 1;
        if (step->message == NULL) {
            good = kind == 0 && any_matches(step, results);
        } else {
            good = kind != 0 && (strncmp(message, step->message, strlen(message)) == 0 ||
                                    strncmp(message, step->message, strlen(step->message)) == 0 ||
                                    (strstr(message, "null") != NULL && strstr(step->message, "null") != NULL));
        }
        if (good) {
            passed += step->counts;
        } else {
            printf("line %u: %s, got %s %#llx\n", step->line, step->message ? step->message : "a result", message,
                (unsigned long long)results[0].q);
        }
        fflush(stdout);
    }
    printf("passed %u\n", passed);
    return 0;
}
