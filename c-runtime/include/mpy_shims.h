/* What Arduino, AssemblyScript and the crate `mpy` offer programs, on MicroPython's `machine` and `time`.
 *
 * The including file defines MPY_STRING_x for each string x that a function calls Python with; a function
 * whose strings are not defined is not there.
 */
#ifndef MPY_SHIMS_H
#define MPY_SHIMS_H

#include "mpy_imports.h"
#include "mpy_text.h"

/* Arduino's INPUT, OUTPUT and INPUT_PULLUP are 0, 1 and 2; MicroPython's differ between ports. */
#ifdef MPY_STRING_PULL_UP
__attribute__((unused)) static void mpy_pin_mode_python(void *with) {
    mpy_slot_t *slots = with;
    mp_obj_t type = mpy_python(MPY_STRING_machine, MPY_STRING_Pin);
    uint32_t mode = slots[1].i;
    mp_obj_t args[3] = {
        mpy_from_i32(slots[0].i),
        mp_fun_load_attr(type, mp_native_qstr_table[mode == 1 ? MPY_STRING_OUT : MPY_STRING_IN]),
    };
    if (mode == 2) {
        args[2] = mp_fun_load_attr(type, mp_native_qstr_table[MPY_STRING_PULL_UP]);
    }
    mp_fun_call_function_n_kw(type, mode == 2 ? 3 : 2, args);
}

__attribute__((unused)) static void mpy_pin_mode(uint32_t pin, uint32_t mode) {
    mpy_slot_t slots[2] = {{.i = pin}, {.i = mode}};
    mpy_run_python(mpy_pin_mode_python, slots);
}
#endif

/* A pin made without a mode keeps the one it has. */
#ifdef MPY_STRING_value
__attribute__((unused)) static void mpy_digital_write_python(void *with) {
    mpy_slot_t *slots = with;
    mp_obj_t args[3] = {mpy_from_i32(slots[0].i)};
    mp_obj_t pin = mp_fun_call_function_n_kw(mpy_python(MPY_STRING_machine, MPY_STRING_Pin), 1, args);
    mp_fun_load_method(pin, mp_native_qstr_table[MPY_STRING_value], args);
    args[2] = MP_OBJ_NEW_SMALL_INT(slots[1].i != 0);
    mp_fun_call_method_n_kw(1, 0, args);
}

__attribute__((unused)) static void mpy_digital_write(uint32_t pin, uint32_t value) {
    mpy_slot_t slots[2] = {{.i = pin}, {.i = value}};
    mpy_run_python(mpy_digital_write_python, slots);
}
#endif

/* `abort(message, fileName, lineNumber, columnNumber)`; both texts may be null. */
__attribute__((noreturn, unused)) static void mpy_assembly_abort(uint32_t message, uint32_t file, uint32_t row, uint32_t column) {
    mpy_unwind();
    mp_obj_t parts[4] = {mpy_utf16(message), mpy_utf16(file), mpy_from_i32(row), mpy_from_i32(column)};
    mp_obj_t text = mp_fun_obj_new_str("%s in %s:%d:%d", 14);
    text = mp_fun_binary_op(MP_BINARY_OP_MODULO, text, mp_fun_table.new_tuple(4, parts));
    mp_fun_raise(mp_fun_call_function_n_kw(mp_fun_load_global(MP_QSTR_RuntimeError), 1, &text));
    __builtin_unreachable();
}

/* `trace(message, n, a0, …, a4)` prints the message and the first n numbers. */
#ifdef MPY_STRING_print
__attribute__((unused)) static void mpy_trace_python(void *with) {
    mpy_slot_t *slots = with;
    mp_obj_t args[6] = {mpy_utf16(slots[0].i)};
    uint32_t n = slots[1].i < 5 ? slots[1].i : 5;
    for (uint32_t i = 0; i < n; i++) {
        args[1 + i] = mp_fun_binary_get_val_array('d', &slots[2 + i], 0);
    }
    mp_fun_call_function_n_kw(mpy_python(MPY_STRING_builtins, MPY_STRING_print), 1 + n, args);
}

__attribute__((unused)) static void mpy_assembly_trace(uint32_t message, uint32_t n, double a0, double a1, double a2, double a3, double a4) {
    mpy_slot_t slots[7] = {{.i = message}, {.i = n}, {.d = a0}, {.d = a1}, {.d = a2}, {.d = a3}, {.d = a4}};
    mpy_run_python(mpy_trace_python, slots);
}
#endif

/* Writes to `sys.stderr`, or to the standard output where there is none. */
#ifdef MPY_STRING_stderr
__attribute__((unused)) static void mpy_print_error_python(void *with) {
    mpy_slot_t *slots = with;
    const char *text = mpy_text(slots[0].i, slots[1].i);
    mp_obj_t args[3] = {mpy_import(MPY_STRING_sys)};
    mp_fun_table.load_method_maybe(args[0], mp_native_qstr_table[MPY_STRING_stderr], args);
    if (args[0] == MP_OBJ_NULL) {
        mpy_print(slots[0].i, slots[1].i);
        return;
    }
    mp_fun_load_method(args[0], mp_native_qstr_table[MPY_STRING_write], args);
    args[2] = mp_fun_table.obj_new_bytes((const uint8_t *)text, slots[1].i);
    mp_fun_call_method_n_kw(1, 0, args);
}

__attribute__((unused)) static void mpy_print_error(uint32_t ptr, uint32_t len) {
    mpy_slot_t slots[2] = {{.i = ptr}, {.i = len}};
    mpy_run_python(mpy_print_error_python, slots);
}
#endif

/* Nanoseconds since 1970. A port's own count begins there or in 2000, and
 * `gmtime` tells which; ports without a calendar have no `gmtime`. */
#ifdef MPY_STRING_gmtime
__attribute__((unused)) static void mpy_time_python(void *with) {
    mpy_slot_t *slots = with;
    mpy_call_python(MPY_STRING_time, MPY_STRING_time_ns, ">q", slots);
    mp_obj_t time = mpy_import(MPY_STRING_time);
    mp_obj_t gmtime[2];
    mp_fun_table.load_method_maybe(time, mp_native_qstr_table[MPY_STRING_gmtime], gmtime);
    if (gmtime[0] == MP_OBJ_NULL) {
        return;
    }
    mp_obj_t zero = MP_OBJ_NEW_SMALL_INT(0);
    mp_obj_t epoch = mp_fun_call_function_n_kw(gmtime[0], 1, &zero);
    if (mpy_to_i32(mp_fun_obj_subscr(epoch, zero, MP_OBJ_SENTINEL)) == 2000) {
        slots->q += UINT64_C(946684800) * 1000000000;
    }
}

__attribute__((unused)) static uint64_t mpy_unix_time(void) {
    mpy_slot_t time;
    mpy_run_python(mpy_time_python, &time);
    return time.q;
}

__attribute__((unused)) static double mpy_date_now(void) {
    return (double)(mpy_unix_time() / 1000000);
}
#endif

/* Microseconds since some time. `ticks_us` begins anew after 2^30 at the earliest, about 18 minutes: nothing is
 * lost when it is looked at more often. */
#ifdef MPY_STRING_ticks_us
WASM_STATE(uint32_t, mpy_ticks_last);
WASM_STATE(uint64_t, mpy_ticks_sum);
#define mpy_ticks_last WASM_REACH(mpy_ticks_last)
#define mpy_ticks_sum WASM_REACH(mpy_ticks_sum)

__attribute__((unused)) static void mpy_ticks_python(void *with) {
    mpy_slot_t *slots = with;
    mp_obj_t ticks = mp_fun_call_function_n_kw(mpy_python(MPY_STRING_time, MPY_STRING_ticks_us), 0, NULL);
    slots->i = (uint32_t)mp_fun_native_from_obj(ticks, MP_NATIVE_TYPE_UINT);
}

__attribute__((unused)) static uint64_t mpy_monotonic_us(void) {
    mpy_slot_t now = {.i = mpy_ticks_last};
    mpy_run_python(mpy_ticks_python, &now);
    mpy_ticks_sum += (now.i - mpy_ticks_last) & 0x3fffffff;
    mpy_ticks_last = now.i;
    return mpy_ticks_sum;
}

__attribute__((unused)) static double mpy_performance_now(void) {
    return (double)mpy_monotonic_us() / 1000;
}
#endif

/* Lets MicroPython do what waits for it: Ctrl-C raises KeyboardInterrupt, and scheduled functions run. Native code has no
 * entry for that, but the end of each iteration of a loop in bytecode does it (py/vm.c, pending_exception_check). */
#ifdef MPY_STRING_exec
WASM_STATE(mp_obj_t, mpy_loop);
#define mpy_loop WASM_REACH(mpy_loop)

__attribute__((unused)) static void mpy_check_interrupt_python(void *with) {
    (void)with;
    if (mpy_loop == NULL) {
        static const char text[] = "def f():\n for f in b'f':pass";
        mp_obj_t args[2] = {mp_fun_obj_new_str(text, sizeof text - 1), mp_fun_table.new_dict(0)};
        mp_fun_call_function_n_kw(mpy_python(MPY_STRING_builtins, MPY_STRING_exec), 2, args);
        mpy_loop = mp_fun_obj_subscr(args[1], mp_fun_obj_new_str("f", 1), MP_OBJ_SENTINEL);
    }
    mp_fun_call_function_n_kw(mpy_loop, 0, NULL);
}

__attribute__((unused)) static void mpy_check_interrupt(void) {
    mpy_run_python(mpy_check_interrupt_python, NULL);
}
#endif

/* `machine.disable_irq()`, whose result is for `enable_irq`. Ports without interrupts have no such functions. */
#ifdef MPY_STRING_disable_irq
/* The collector knows the state from here, if it is an object. */
WASM_STATE(mp_obj_t, mpy_irq_state);
WASM_STATE(bool, mpy_has_no_irqs);
#define mpy_irq_state WASM_REACH(mpy_irq_state)
#define mpy_has_no_irqs WASM_REACH(mpy_has_no_irqs)

__attribute__((unused)) static void mpy_disable_irq_python(void *with) {
    (void)with;
    mpy_irq_state = mp_fun_call_function_n_kw(mpy_python(MPY_STRING_machine, MPY_STRING_disable_irq), 0, NULL);
}

__attribute__((unused)) static void mpy_try_disable_irq(void *with) {
    mpy_has_no_irqs = mpy_try(mpy_disable_irq_python, with) != NULL;
}

__attribute__((unused)) static uint32_t mpy_disable_irq(void) {
    mpy_irq_state = NULL;
    if (!mpy_has_no_irqs) {
        mpy_run_python(mpy_try_disable_irq, NULL);
    }
    return (uint32_t)(uintptr_t)mpy_irq_state;
}
#endif

#ifdef MPY_STRING_enable_irq
__attribute__((unused)) static void mpy_enable_irq_python(void *with) {
    mp_obj_t state = with;
    mp_fun_call_function_n_kw(mpy_python(MPY_STRING_machine, MPY_STRING_enable_irq), 1, &state);
}

__attribute__((unused)) static void mpy_enable_irq(uint32_t state) {
    if (state != 0) {
        mpy_run_python(mpy_enable_irq_python, (void *)(uintptr_t)state);
    }
}
#endif

#endif
