// Included by extmod/modtime.c. No emulated board has a clock that knows the date: time starts at
// the epoch with every reset.

static mp_obj_t mp_time_time_get(void) {
    return mp_obj_new_int((mp_int_t)(cpu_ticks_us() / 1000000));
}
