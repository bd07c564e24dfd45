/* Arguments that have the names of parameters: `f(1, b=2)`. */
#ifndef MPY_KEYWORDS_H
#define MPY_KEYWORDS_H

#include "mpy_scalars.h"

/* Raises TypeError: `what` is a text of `len` bytes, with `%s` where the name belongs. */
__attribute__((noinline, noreturn)) static void mpy_refuse_argument(const char *what, size_t len, mp_obj_t name) {
    mp_obj_t text = mp_fun_binary_op(MP_BINARY_OP_MODULO, mp_fun_obj_new_str(what, len), name);
    mp_fun_raise(mp_fun_call_function_n_kw(mp_fun_load_global(MP_QSTR_TypeError), 1, &text));
    __builtin_unreachable();
}

#define MPY_REFUSE_ARGUMENT(what, name) mpy_refuse_argument(what, sizeof(what) - 1, name)

/* Puts the arguments of a call into `args`, in the order of the parameters: None where one is left out. `params` is the least
 * and the most arguments of the function, and the names of its parameters. At most so many of the `n` come without a name;
 * behind them in `given`, the firmware has put `n_kw` pairs of a name and a value (py/objfun.c, fun_builtin_var_call). */
MPY_SHARED void mpy_take_arguments(const uint16_t *params, size_t n, size_t n_kw, const mp_obj_t *given, mp_obj_t *args) {
    size_t least = params[0], most = params[1];
    const uint16_t *names = params + 2;
    for (size_t i = 0; i < most; i++) {
        args[i] = i < n ? given[i] : NULL;
    }
    for (const mp_obj_t *pair = given + n; n_kw > 0; n_kw--, pair += 2) {
        size_t i = 0;
        while (i < most && mpy_string(names[i]) != pair[0]) {
            i++;
        }
        if (i == most) {
            MPY_REFUSE_ARGUMENT("unexpected keyword argument '%s'", pair[0]);
        }
        if (args[i] != NULL) {
            MPY_REFUSE_ARGUMENT("multiple values for argument '%s'", pair[0]);
        }
        args[i] = pair[1];
    }
    for (size_t i = n; i < most; i++) {
        if (args[i] == NULL) {
            if (i < least) {
                MPY_REFUSE_ARGUMENT("missing argument '%s'", mpy_string(names[i]));
            }
            args[i] = mp_const_none;
        }
    }
}

#endif
