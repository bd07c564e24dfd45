/* Rust's futures as awaitables of asyncio, and Python's awaitables as futures of Rust's. The Rust side is
 * `src/futures.rs`.
 *
 * A future is an iterator, as MicroPython's coroutines are. If it is not ready, the current task waits: it is in no queue
 * of asyncio, its `data` is the future, whose `remove` asyncio calls to cancel the task, and the waker of the future puts
 * it into the queue of tasks that run.
 *
 * An awaitable runs in a task of its own, whose coroutine is an awaiter. It is an object of the same type.
 *
 * The including file defines MPY_POLL_FUTURE(future, number), MPY_DROP_FUTURE(future) and MPY_ABANDON_FUTURE(future); if
 * awaitables are awaited MPY_AWAITS, MPY_END_AWAIT(state, object, failed) and MPY_DROP_AWAIT(state); if futures borrow
 * objects for their time MPY_HOLDS; and if some return floats MPY_RETURNS_FLOATS.
 */
#ifndef MPY_FUTURES_H
#define MPY_FUTURES_H

#include "mpy_calls.h"
#include "mpy_imports.h"

static mp_obj_t mpy_asyncio(unsigned name) { return mpy_python(MPY_STRING_asyncio_core, name); }

/* Ends an iteration with a value, as `return` does in a coroutine. */
__attribute__((noinline, noreturn)) static void mpy_stop(mp_obj_t value) {
    mp_obj_t stop = mp_fun_load_global(MP_QSTR_StopIteration);
    mp_fun_raise(mp_fun_call_function_n_kw(stop, value != mp_const_none, &value));
    __builtin_unreachable();
}

static void mpy_schedule(mp_obj_t task) {
    mp_obj_t call[3];
    mp_fun_load_method(mpy_asyncio(MPY_STRING__task_queue), mp_native_qstr_table[MPY_STRING_push], call);
    call[2] = task;
    mp_fun_call_method_n_kw(1, 0, call);
}

/* The task that waits for the future, which does not wait any longer. */
static mp_obj_t mpy_unpark(mpy_entry_t *entry) {
    uint32_t task = entry->extra;
    entry->extra = 0;
    return task == 0 ? mp_const_none : mpy_take_object(task);
}

static void mpy_end_future(uint32_t kind, uint32_t ptr) {
#ifdef MPY_AWAITS
    if (kind == MPY_AWAITER) {
        MPY_DROP_AWAIT(ptr);
        return;
    }
#endif
    (void)kind;
    MPY_DROP_FUTURE(ptr);
}

static mpy_instance_t *mpy_future_object(uint32_t kind, uint32_t ptr) {
    mpy_instance_t *obj = mpy_new_entry(kind, ptr, 0);
    if (obj == NULL) {
        mpy_end_future(kind, ptr);
        mpy_raise_memory_error("no memory for an object");
    }
    return obj;
}

#ifdef MPY_HOLDS
/* What a future borrows until it ends: how many objects, and of each its class and its address. Rust gives them back, but
 * not after an exception, of which it does not know. */
static void mpy_hold(mpy_call_t *call) {
    uint32_t count = 0;
    for (unsigned pass = 0; pass < 2; pass++) {
        uint32_t *held = ((mpy_instance_t *)call->result)->more;
        const char *type = call->type;
        for (unsigned i = 0; *type != '>'; i++) {
            if (*type == 'R' && pass == 0) {
                count++;
            } else if (*type == 'R') {
                uint32_t kind = mpy_number(type[1]);
                *++held = kind;
                *++held = mpy_entries[mpy_cast(call->args[i], kind)->entry].ptr;
            }
            mpy_skip(&type);
        }
        if (pass == 0) {
            if (count == 0 || (held = mp_fun_realloc(NULL, (1 + 2 * count) * sizeof(uint32_t), false)) == NULL) {
                return;
            }
            *held = count;
            ((mpy_instance_t *)call->result)->more = held;
        }
    }
}

static void mpy_let_go(uint32_t *held) {
    for (uint32_t left = held == NULL ? 0 : *held; left > 0; left--) {
        uint32_t kind = *++held;
        uint32_t ptr = *++held;
        /* -1 is a mutable borrow (`RefCell`). */
        wasm_u32 *borrowed = mpy_borrowed(ptr);
        *borrowed = *borrowed == UINT32_MAX ? 0 : *borrowed - 1;
        mpy_class(kind)->free(ptr, 1);
    }
}
#endif

#if defined(MPY_HOLDS) || defined(MPY_RETURNS_FLOATS)
static void mpy_note_future(mpy_call_t *call) {
#ifdef MPY_RETURNS_FLOATS
    const char *type = call->type;
    while (*type != '>') {
        mpy_skip(&type);
    }
    mpy_entries[((mpy_instance_t *)call->result)->entry].calls = type[1] == 'Y';
#endif
#ifdef MPY_HOLDS
    mpy_hold(call);
#endif
}
#endif

typedef struct {
    uint32_t future;
    uint32_t number;
    uint32_t result; /* 0 waits, 1 waits and was woken meanwhile, otherwise an object times 2, and whether it is an error */
} mpy_poll_t;

static void mpy_do_poll(void *with) {
    mpy_poll_t *poll = with;
    poll->result = MPY_POLL_FUTURE(poll->future, poll->number);
}

static mp_obj_t mpy_poll(mpy_instance_t *obj) {
    mpy_entry_t *entry = &mpy_entries[obj->entry];
    /* While it is polled, and after an exception, there is nothing to poll. */
    mpy_poll_t poll = {mpy_consume(entry), (uint32_t)obj->entry, 0};
    mpy_unpark(entry);
    if (poll.future == 0) {
        return MP_OBJ_NULL;
    }
    mpy_begin_use();
    mp_obj_t exception = mpy_try(mpy_do_poll, &poll);
    mpy_end_use();
    if (exception != NULL) {
#ifndef MPY_UNWINDS
        MPY_ABANDON_FUTURE(poll.future);
#ifdef MPY_HOLDS
        mpy_let_go(obj->more);
#endif
#endif
        mp_fun_raise(exception);
    }
    if (poll.result > 1) {
        mp_obj_t value = mpy_take_object(poll.result >> 1);
        if ((poll.result & 1) != 0) {
            mpy_raise_object(value);
        }
        if (value == mp_const_none) {
            return MP_OBJ_NULL;
        }
#ifdef MPY_RETURNS_FLOATS
        if (mpy_entries[obj->entry].calls != 0) {
            /* A number of JavaScript's is a whole one of Python's, if it can be. */
            uint64_t bits = 0;
            mp_fun_table.binary_set_val_array('d', &bits, 0, value);
            value = mp_fun_binary_get_val_array('d', &bits, 0);
        }
#endif
        mpy_stop(value);
    }
    mpy_entries[obj->entry].ptr = poll.future;
    mp_obj_t task = mpy_asyncio(MPY_STRING_cur_task);
    if (task == mp_const_none) {
        /* Whoever iterates asks again. */
    } else if (poll.result == 1) {
        mpy_schedule(task);
    } else {
        mpy_entries[obj->entry].extra = mpy_new_object(task);
        mp_fun_table.store_attr(task, mp_native_qstr_table[MPY_STRING_data], obj);
    }
    return mp_const_none;
}

#ifdef MPY_AWAITS
typedef struct {
    mpy_instance_t *obj;
    mp_obj_t exception; /* to throw, or NULL */
    mp_obj_t result;
} mpy_step_t;

static void mpy_do_step(void *with) {
    mpy_step_t *step = with;
    mp_obj_t call[3];
    mpy_ask_before_call();
    if (step->exception == NULL) {
        mp_fun_load_method(step->obj->more, MP_QSTR___next__, call);
    } else {
        mp_fun_table.load_method_maybe(step->obj->more, MP_QSTR_throw, call);
        if (call[0] == MP_OBJ_NULL) {
            mp_fun_raise(step->exception);
        }
        call[2] = step->exception;
    }
    step->result = mp_fun_call_method_n_kw(step->exception != NULL, 0, call);
}

static void mpy_first_step(void *with) {
    mpy_step_t *step = with;
    step->obj->more = mp_fun_table.getiter(step->obj->more, NULL);
    mpy_do_step(with);
}

/* Tells Rust what `exception` says of the end. */
static void mpy_end_steps(mpy_instance_t *obj, mp_obj_t exception) {
    bool failed = mp_fun_obj_get_type(exception) != mp_fun_load_global(MP_QSTR_StopIteration);
    uint32_t value = mpy_new_object(failed ? exception : mp_fun_load_attr(exception, MP_QSTR_value));
    obj->more = NULL;
    MPY_END_AWAIT(mpy_consume(&mpy_entries[obj->entry]), value, failed);
}

static mp_obj_t mpy_step(mpy_instance_t *obj, mp_obj_t exception) {
    mpy_step_t step = {obj, exception, NULL};
    if (obj->more != NULL) {
        mpy_begin_use();
        exception = mpy_try(mpy_do_step, &step);
        mpy_end_use();
        if (exception == NULL) {
            return step.result;
        }
        mpy_end_steps(obj, exception);
    }
    mpy_stop(mp_const_none);
}
#endif

static mp_obj_t mpy_future_next(mp_obj_t self) {
    mpy_check_open();
#ifdef MPY_AWAITS
    if (mpy_entries[((mpy_instance_t *)self)->entry].kind == MPY_AWAITER) {
        return mpy_step(self, NULL);
    }
#endif
    return mpy_poll(self);
}

static mp_obj_t mpy_future_send(mp_obj_t self, mp_obj_t value) {
    (void)value;
    mp_obj_t result = mpy_future_next(self);
    if (result == MP_OBJ_NULL) {
        mpy_stop(mp_const_none);
    }
    return result;
}

/* Drops what is left of the future; whether there was any. */
static bool mpy_end_early(mp_obj_t self) {
    mpy_entry_t *entry = &mpy_entries[((mpy_instance_t *)self)->entry];
    mpy_unpark(entry);
    uint32_t future = mpy_consume(entry);
    if (future != 0) {
        mpy_end_future(entry->kind, future);
    }
    return future != 0;
}

static mp_obj_t mpy_future_throw(mp_obj_t self, mp_obj_t exception) {
    mpy_check_open();
#ifdef MPY_AWAITS
    if (mpy_entries[((mpy_instance_t *)self)->entry].kind == MPY_AWAITER) {
        return mpy_step(self, exception);
    }
#endif
    if (!mpy_end_early(self)) {
        mpy_stop(mp_const_none);
    }
    /* It may be a class, such as CancelledError. */
    mp_fun_raise(exception);
    return mp_const_none;
}

static mp_obj_t mpy_future_close(mp_obj_t self) {
    mpy_check_open();
    mpy_end_early(self);
    return mp_const_none;
}

static mp_obj_t mpy_future_remove(mp_obj_t self, mp_obj_t task) {
    (void)task;
    mpy_check_open();
    mpy_unpark(&mpy_entries[((mpy_instance_t *)self)->entry]);
    return mp_const_none;
}

MPY_FUNCTION(mpy_send_future_object, 2, mpy_future_send);
MPY_FUNCTION(mpy_throw_future_object, 2, mpy_future_throw);
MPY_FUNCTION(mpy_close_future_object, 1, mpy_future_close);
MPY_FUNCTION(mpy_remove_future_object, 2, mpy_future_remove);

static void mpy_future_attribute(mp_obj_t self, qstr name, mp_obj_t *dest) {
    const mp_obj_fun_builtin_fixed_t *found = NULL;
    switch (name) {
        case MP_QSTR_send: found = MPY_OBJECT(mpy_send_future_object, 2, mpy_future_send); break;
        case MP_QSTR_throw: found = MPY_OBJECT(mpy_throw_future_object, 2, mpy_future_throw); break;
        case MP_QSTR_close: found = MPY_OBJECT(mpy_close_future_object, 1, mpy_future_close); break;
        case MP_QSTR_remove: found = MPY_OBJECT(mpy_remove_future_object, 2, mpy_future_remove); break;
    }
    if (found != NULL && dest[0] == MP_OBJ_NULL) {
        dest[0] = (mp_obj_t)(uintptr_t)found;
        dest[1] = self;
    }
}

/* The functions that Rust calls. Each gets its arguments in an array, where its result is put. */

__attribute__((unused)) static void mpy_new_future_python(void *with) {
    uint32_t *future = with;
    *future = mpy_new_object(mpy_future_object(MPY_FUTURE, *future));
}

/* A future as an object of Python's. */
__attribute__((unused)) static uint32_t mpy_new_future(uint32_t future) {
    mpy_run_python(mpy_new_future_python, &future);
    return future;
}

#ifdef MPY_STRING_create_task
static void mpy_spawn_future_python(void *with) {
    uint32_t *future = with;
    mp_obj_t obj = mpy_future_object(MPY_FUTURE, *future);
    mp_fun_call_function_n_kw(mpy_asyncio(MPY_STRING_create_task), 1, &obj);
}

/* A future as a task. */
static void mpy_spawn_future(uint32_t future) { mpy_run_python(mpy_spawn_future_python, &future); }
#endif

__attribute__((unused)) static void mpy_wake_future_python(void *with) {
    mpy_schedule(mpy_unpark(&mpy_entries[*(uint32_t *)with]));
}

/* Wakes the task that waits for the future with this number, if one does. */
__attribute__((unused)) static void mpy_wake_future(uint32_t number) {
    if (number < mpy_entries_size && mpy_entries[number].kind == MPY_FUTURE && mpy_entries[number].extra != 0) {
        mpy_run_python(mpy_wake_future_python, &number);
    }
}

#ifdef MPY_AWAITS
static void mpy_start_await_python(void *with) {
    uint32_t *values = with;
    mp_obj_t awaited = mpy_take_object(values[0]);
    mpy_instance_t *obj = mpy_future_object(MPY_AWAITER, values[1]);
    obj->more = awaited;
    mp_obj_t arg = obj;
    mp_obj_t task = mp_fun_call_function_n_kw(mpy_asyncio(MPY_STRING_Task), 1, &arg);
    values[0] = mpy_new_object(task);
    /* The first step, now: what `asyncio.sleep_ms` returns must be awaited before it is called again. */
    mp_obj_t core = mpy_import(MPY_STRING_asyncio_core);
    qstr current = mp_native_qstr_table[MPY_STRING_cur_task];
    mp_obj_t outer = mp_fun_load_attr(core, current);
    mpy_step_t step = {obj, NULL, NULL};
    mp_fun_table.store_attr(core, current, task);
    mp_obj_t exception = mpy_try(mpy_first_step, &step);
    mp_fun_table.store_attr(core, current, outer);
    if (exception != NULL) {
        mpy_drop_object(values[0]);
        values[0] = 0;
        mpy_end_steps(obj, exception);
    }
}

/* Begins to await an object, and tells of its end with `state`: the task that waits for it, or 0 if it has ended. */
static uint32_t mpy_start_await(uint32_t awaitable, uint32_t state) {
    uint32_t values[2] = {awaitable, state};
    mpy_run_python(mpy_start_await_python, values);
    return values[0];
}

static void mpy_cancel_await_python(void *with) {
    mp_obj_t call[2];
    mp_fun_load_method(mpy_take_object(*(uint32_t *)with), mp_native_qstr_table[MPY_STRING_cancel], call);
    mp_fun_call_method_n_kw(0, 0, call);
}

__attribute__((unused)) static void mpy_cancel_await(uint32_t task) {
    mpy_run_python(mpy_cancel_await_python, &task);
}
#endif

#endif
