// MicroPython before 1.25 sets the limits of the stack in two steps.
#include "py/stackctrl.h"

static inline void mp_cstack_init_with_top(void *top, size_t size) {
    mp_stack_set_top(top);
    mp_stack_set_limit(size - MICROPY_STACK_CHECK_MARGIN);
}
