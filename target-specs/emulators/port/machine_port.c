// Included by extmod/modmachine.c.

static void mp_machine_idle(void) {
    emulator_mark();
    cpu_wait();
}

NORETURN static void mp_machine_reset(void) {
    cpu_reset();
}

static mp_int_t mp_machine_reset_cause(void) {
    return 0;
}

#if EMULATOR_HAS_TIMER
extern const mp_obj_type_t emulator_timer_type;

#define MICROPY_PY_MACHINE_EXTRA_GLOBALS    { MP_ROM_QSTR(MP_QSTR_Timer), MP_ROM_PTR(&emulator_timer_type) },
#endif
