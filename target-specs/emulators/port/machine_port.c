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
