// `machine.Timer`, whose handler is a real interrupt. There is one timer: another object takes it over.

#include <string.h>
#include "py/cstack.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"

#if EMULATOR_HAS_TIMER

typedef struct _machine_timer_obj_t {
    mp_obj_base_t base;
    mp_obj_t callback;
    uint32_t period, left; // milliseconds
    bool once, hard;
} machine_timer_obj_t;

MP_REGISTER_ROOT_POINTER(void *emulator_timer);

// What shared/runtime/mpirq.c does for other ports.
static void machine_timer_fire(machine_timer_obj_t *self) {
    if (!self->hard) {
        mp_sched_schedule(self->callback, MP_OBJ_FROM_PTR(self));
        return;
    }
    mp_sched_lock();
    gc_lock();
    // Handlers have a stack of their own.
    char *top = MP_STATE_THREAD(stack_top);
    mp_uint_t limit = MP_STATE_THREAD(stack_limit);
    nlr_buf_t nlr;
    mp_cstack_init_with_top(&nlr, 6 * 1024);
    if (nlr_push(&nlr) == 0) {
        mp_call_function_1(self->callback, MP_OBJ_FROM_PTR(self));
        nlr_pop();
    } else {
        MP_STATE_VM(emulator_timer) = NULL;
        mp_printf(MICROPY_ERROR_PRINTER, "Uncaught exception in IRQ callback handler\n");
        mp_obj_print_exception(MICROPY_ERROR_PRINTER, MP_OBJ_FROM_PTR(nlr.ret_val));
    }
    MP_STATE_THREAD(stack_top) = top;
    MP_STATE_THREAD(stack_limit) = limit;
    gc_unlock();
    mp_sched_unlock();
}

void emulator_tick(void) {
    machine_timer_obj_t *self = MP_STATE_VM(emulator_timer);
    if (self == NULL || --self->left > 0) {
        return;
    }
    self->left = self->period;
    if (self->once) {
        MP_STATE_VM(emulator_timer) = NULL;
    }
    machine_timer_fire(self);
}

static mp_obj_t machine_timer_init(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    enum { ARG_mode, ARG_callback, ARG_period, ARG_freq, ARG_hard };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_mode,     MP_ARG_KW_ONLY | MP_ARG_INT, { .u_int = 1 } },
        { MP_QSTR_callback, MP_ARG_KW_ONLY | MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
        { MP_QSTR_period,   MP_ARG_KW_ONLY | MP_ARG_INT, { .u_int = 0 } },
        { MP_QSTR_freq,     MP_ARG_KW_ONLY | MP_ARG_INT, { .u_int = 0 } },
        { MP_QSTR_hard,     MP_ARG_KW_ONLY | MP_ARG_BOOL, { .u_bool = false } },
    };
    mp_arg_val_t given[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, args + 1, kw_args, MP_ARRAY_SIZE(allowed), allowed, given);
    machine_timer_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    mp_int_t period = given[ARG_freq].u_int > 0 ? 1000 / given[ARG_freq].u_int : given[ARG_period].u_int;
    MP_STATE_VM(emulator_timer) = NULL;
    self->callback = given[ARG_callback].u_obj;
    self->once = given[ARG_mode].u_int == 0;
    self->hard = given[ARG_hard].u_bool;
    self->period = self->left = MAX(period, 1);
    if (self->callback != mp_const_none) {
        MP_STATE_VM(emulator_timer) = self;
        cpu_tick();
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(machine_timer_init_obj, 1, machine_timer_init);

static mp_obj_t machine_timer_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    machine_timer_obj_t *self = mp_obj_malloc(machine_timer_obj_t, type);
    self->callback = mp_const_none;
    // The number of the timer says nothing here.
    if (n_kw > 0) {
        mp_obj_t all[1 + 2 * n_kw];
        all[0] = MP_OBJ_FROM_PTR(self);
        memcpy(all + 1, args + n_args, 2 * n_kw * sizeof(mp_obj_t));
        mp_map_t kw_args;
        mp_map_init_fixed_table(&kw_args, n_kw, all + 1);
        machine_timer_init(1, all, &kw_args);
    }
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t machine_timer_deinit(mp_obj_t self) {
    if (MP_STATE_VM(emulator_timer) == MP_OBJ_TO_PTR(self)) {
        MP_STATE_VM(emulator_timer) = NULL;
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(machine_timer_deinit_obj, machine_timer_deinit);

static const mp_rom_map_elem_t machine_timer_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_init),     MP_ROM_PTR(&machine_timer_init_obj) },
    { MP_ROM_QSTR(MP_QSTR_deinit),   MP_ROM_PTR(&machine_timer_deinit_obj) },
    { MP_ROM_QSTR(MP_QSTR_ONE_SHOT), MP_ROM_INT(0) },
    { MP_ROM_QSTR(MP_QSTR_PERIODIC), MP_ROM_INT(1) },
};
static MP_DEFINE_CONST_DICT(machine_timer_locals, machine_timer_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(
    emulator_timer_type, MP_QSTR_Timer, MP_TYPE_FLAG_NONE,
    make_new, machine_timer_make_new,
    locals_dict, &machine_timer_locals
    );
#endif
