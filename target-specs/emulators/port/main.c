// From a running processor to the REPL, and what an emulated board does when a program ends.

#include "py/builtin.h"
#include "py/cstack.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "shared/readline/readline.h"
#include "shared/runtime/gchelper.h"
#include "shared/runtime/pyexec.h"
#include "parcel.h"
#include "ramdisk.h"

extern char _stack_bottom[], _stack_top[];

static char heap[EMULATOR_HEAP] __attribute__((section(".noinit"), aligned(16)));

int main(void) {
    cpu_init();
    uart_init();
    cpu_uart_irq(true);
    mp_cstack_init_with_top(_stack_top, _stack_top - _stack_bottom);

    for (;;) {
        gc_init(heap, heap + parcel_heap((const uint32_t *)PARCEL, sizeof(heap)));
        emulator_code_forget();
        #if defined(__xtensa__)
        emulator_code_init();
        #endif
        mp_init();
        mp_obj_list_append(mp_sys_path, mp_obj_new_str_from_cstr("/lib"));
        readline_init0();
        ramdisk_mount();
        parcel_unpack((const uint32_t *)PARCEL);
        pyexec_file_if_exists("boot.py");
        if (pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL) {
            pyexec_file_if_exists("main.py");
        }
        while ((pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl() : pyexec_friendly_repl()) == 0) {
        }
        mp_hal_stdout_tx_str("MPY: soft reboot\r\n");
        gc_sweep_all();
        mp_deinit();
    }
}

// Does nothing: the emulator's plugin takes the count of instructions here (plugin.c).
__attribute__((noinline, used)) void emulator_mark(void) {
    __asm volatile ("");
}

void emulator_after_exec(void *exception) {
    if (exception == NULL) {
        return;
    }
    mp_obj_t obj = MP_OBJ_FROM_PTR(exception);
    if (!mp_obj_is_subclass_fast(MP_OBJ_FROM_PTR(mp_obj_get_type(obj)), MP_OBJ_FROM_PTR(&mp_type_SystemExit))) {
        return;
    }
    mp_obj_t status = mp_obj_exception_get_value(obj);
    if (mp_obj_is_int(status)) {
        cpu_exit(mp_obj_get_int_truncated(status));
    } else if (mp_obj_is_true(status)) {
        // As in CPython: anything else is printed and means failure.
        mp_obj_print(status, PRINT_STR);
        mp_hal_stdout_tx_str("\r\n");
        cpu_exit(1);
    }
}

void gc_collect(void) {
    gc_collect_start();
    gc_helper_collect_regs_and_stack();
    gc_collect_end();
}

void nlr_jump_fail(void *val) {
    console_fault("exception without a handler");
    console_fault_word("val", (uintptr_t)val);
    console_fault_end();
}
