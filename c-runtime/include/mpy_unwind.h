/* Leaving WebAssembly by an exception: traps, and the shadow stack.
 *
 * Exceptions leave by longjmp, so nothing that WebAssembly code would do on its way out is done, and
 * the shadow stack pointer stays where it was. It is put back where an exception starts (a trap) or
 * passes (an import), not at every entry: that costs an export nothing, and an interrupt handler may
 * call an export while another one runs.
 *
 * The including file defines, when the module has a shadow stack,
 *   MPY_STACK_POINTER   its pointer, an lvalue of type uint32_t;
 *   MPY_STACK_BASE      where the pointer is when no WebAssembly code runs but that which waits for an
 *                       import: an lvalue of type uint32_t, which is the pointer's value at the start; or, in a
 *                       module without imports, that value;
 * when it has imports,
 *   MPY_CALLS_PYTHON    1;
 * when it borrows objects of Python for the time of a call,
 *   MPY_LENT            how many at most;
 * when exceptions run destructors of WebAssembly code,
 *   MPY_UNWINDS         1, and MPY_LAST_PANIC(), where the length and the text lie of what the last panic said,
 *   MPY_PANICS()        how many panics unwind or are about to, and MPY_SET_PANICS(n),
 *   MPY_THROW(n)        throws object n, an exception of Python's, as a panic of Rust's,
 *   MPY_CATCH()         catches what mpy_throw_again throws, and drops it;
 * when panics of Rust call hooks,
 *   MPY_PANICKING(p)    makes p the panic whose hook runs, and is the one before; 0 is none;
 *   MPY_HOOK_ENDS(p)    does what the hook of that panic would have done at its end,
 *   MPY_PANIC(p)        the same, and raises the exception of that panic;
 * when there is no memory at first, in which those functions work,
 *   MPY_HAS_MEMORY()    whether there is;
 * when it borrows buffers,
 *   MPY_LENDS           how many at most in one call;
 * and when calls of its functions hold what must be given back if they end in an exception,
 *   MPY_TRACKS          1.
 */
#ifndef MPY_UNWIND_H
#define MPY_UNWIND_H

#include "mpy_scalars.h"
#include "wasm.h"

#ifdef MPY_LENDS
/* Buffers of Python's that a call works on where they are. Rust believes it owns them, and gives them back to the
 * heap when it is done: the heap asks here first. */
typedef struct mpy_lent_buffers {
    const struct mpy_lent_buffers *before;
    uint32_t count;
    uint32_t at[MPY_LENDS];
    uint32_t bytes[MPY_LENDS];
} mpy_lending_t;

/* Whether a block of `bytes` bytes at `at` overlaps one that is lent in the call. */
static bool mpy_overlaps(const mpy_lending_t *lending, uint32_t at, uint32_t bytes) {
    for (uint32_t i = 0; i < lending->count; i++) {
        if (at - lending->at[i] < lending->bytes[i] || lending->at[i] - at < bytes) {
            return true;
        }
    }
    return false;
}

__attribute__((noinline)) static bool mpy_is_lent(uint32_t at) {
    for (const mpy_lending_t *lending = mpy_lending; lending != NULL; lending = lending->before) {
        if (mpy_overlaps(lending, at, 1)) {
            return true;
        }
    }
    return false;
}
#endif

/* Nobody panics before there is a memory, which may be what there is no memory for. */
#ifndef MPY_HAS_MEMORY
#define MPY_HAS_MEMORY() true
#endif
#ifdef MPY_PANICKING
static inline uint32_t mpy_panicking(uint32_t panic) {
    return MPY_HAS_MEMORY() ? MPY_PANICKING(panic) : 0;
}
#endif
#ifdef MPY_UNWINDS
static inline uint32_t mpy_panics(void) {
    return MPY_HAS_MEMORY() ? MPY_PANICS() : 0;
}

static inline void mpy_set_panics(uint32_t count) {
    if (MPY_HAS_MEMORY()) {
        MPY_SET_PANICS(count);
    }
}

/* How many panics are under way in calls that wait for an import. */
WASM_STATE(uint32_t, mpy_panics_base);
#define mpy_panics_base WASM_REACH(mpy_panics_base)

/* What the last panic said, kept while Python runs, as it may call what panics; and put back. */
static void *mpy_keep_last_panic(void);
static void mpy_put_back_last_panic(void *kept);
#endif

/* Of the floating-point registers that a function has to keep for its caller, MicroPython restores some or none when an
 * exception is caught (py/nlrthumb.c: s16 to s21; py/nlrrv32.c, nlrrv64.c, nlraarch64.c: none). The functions that the exception
 * ended had no chance to. A function that says that it changes these registers has them in its frame. */
#if defined(__ARM_PCS_VFP)
#define MPY_FLOATS_LOST() __asm__ volatile("" : : : "d11", "d12", "d13", "d14", "d15")
#elif defined(__aarch64__)
#define MPY_FLOATS_LOST() __asm__ volatile("" : : : "d8", "d9", "d10", "d11", "d12", "d13", "d14", "d15")
#elif defined(__riscv_float_abi_single) || defined(__riscv_float_abi_double)
#define MPY_FLOATS_LOST() __asm__ volatile("" : : : "fs0", "fs1", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", \
    "fs10", "fs11")
#else
#define MPY_FLOATS_LOST() ((void)0)
#endif

/* Calls `run`: the exception that it ends in, or NULL.
 *
 * nlr_push returns twice, like setjmp, and compilers cannot be told so of a function behind a pointer: where a value
 * lay that is wanted after the second return, they may have put another one by then, the address of a frame included.
 * So nlr_push is called here only, in a function that wants nothing after the second return but what nlr_push itself
 * restores. `run` must not become part of it. */
MPY_SHARED mp_obj_t mpy_try(void (*run)(void *), void *with) {
    nlr_buf_t nlr;
    __asm__("" : "+r"(run));
    MPY_FLOATS_LOST();
    if (mp_fun_nlr_push(&nlr) || (mp_fun_table.setjmp != NULL && mp_fun_table.setjmp(nlr.regs))) {
        MPY_FLOATS_LOST();
        return nlr.ret_val;
    }
    run(with);
    mp_fun_nlr_pop();
    MPY_FLOATS_LOST();
    return NULL;
}

#ifdef MPY_TRACKS
/* A call of a WebAssembly function under way that borrows objects of Rust's, or for which memory was taken. */
static struct mpy_call *mpy_call_before(struct mpy_call *call);
static void mpy_give_up(struct mpy_call *call);

/* Gives back what the calls hold whose frames lie below `place`. */
MPY_SHARED void mpy_give_up_calls(uintptr_t place) {
    while (mpy_calls != NULL && (uintptr_t)mpy_calls <= place) {
        struct mpy_call *call = mpy_calls;
        mpy_calls = mpy_call_before(call);
        mpy_give_up(call);
    }
}

/* Where the exception is caught that is raised now. A call that lies above goes on: an interrupt handler interrupted it. */
static uintptr_t mpy_catcher(void) {
    nlr_buf_t nlr;
    mp_fun_nlr_push(&nlr);
    mp_fun_nlr_pop();
    return (uintptr_t)nlr.prev;
}
#endif

/* Forgets the WebAssembly frames above the innermost import that is being called, or all. */
static inline void mpy_unwind_stacks(void) {
#ifdef MPY_STACK_POINTER
    MPY_STACK_POINTER = MPY_STACK_BASE;
#endif
#ifdef MPY_LENT
    mpy_lent_top = mpy_lent_base;
#endif
#ifdef MPY_LENDS
    mpy_lending = mpy_lending_base;
#endif
#ifdef MPY_UNWINDS
    mpy_set_panics(mpy_panics_base);
#endif
}

/* The same before an exception is raised, which ends them. */
static inline void mpy_unwind(void) {
#ifdef MPY_PANICKING
    /* However the hook of a panic ends, the exception is that of the panic. */
    uint32_t panic = mpy_panicking(0);
    if (panic != 0) {
        MPY_PANIC(panic);
    }
#endif
    mpy_unwind_stacks();
#ifdef MPY_TRACKS
    mpy_give_up_calls(mpy_catcher());
#endif
}

/* The stacks of the WebAssembly frames that wait while Python runs. */
#if defined(MPY_CALLS_PYTHON) \
    && (defined(MPY_STACK_POINTER) || defined(MPY_LENT) || defined(MPY_LENDS) || defined(MPY_TRACKS) \
        || defined(MPY_PANICKING) || defined(MPY_UNWINDS))
#define MPY_HAS_STACKS 1
typedef struct {
#if !defined(MPY_STACK_POINTER) && !defined(MPY_LENT) && !defined(MPY_LENDS) && !defined(MPY_PANICKING) \
    && !defined(MPY_UNWINDS)
    char none;
#endif
#ifdef MPY_PANICKING
    uint32_t panic;
#endif
#ifdef MPY_UNWINDS
    uint32_t panics;
    uint32_t panics_base;
    void *last_panic;
#endif
#ifdef MPY_STACK_POINTER
    uint32_t base;
#endif
#ifdef MPY_LENT
    uint32_t lent_base;
#endif
#ifdef MPY_LENDS
    const mpy_lending_t *lending_base;
#endif
} mpy_stacks_t;

static inline void mpy_enter_python(mpy_stacks_t *saved) {
    (void)saved;
#ifdef MPY_UNWINDS
    saved->panics = mpy_panics();
    saved->last_panic = saved->panics != 0 ? mpy_keep_last_panic() : NULL;
#endif
#ifdef MPY_PANICKING
    saved->panic = mpy_panicking(0);
#endif
#ifdef MPY_UNWINDS
    saved->panics_base = mpy_panics_base;
    mpy_panics_base = mpy_panics();
#endif
#ifdef MPY_STACK_POINTER
    saved->base = MPY_STACK_BASE;
    MPY_STACK_BASE = MPY_STACK_POINTER;
#endif
#ifdef MPY_LENT
    saved->lent_base = mpy_lent_base;
    mpy_lent_base = mpy_lent_top;
#endif
#ifdef MPY_LENDS
    saved->lending_base = mpy_lending_base;
    mpy_lending_base = mpy_lending;
#endif
}

static inline void mpy_leave_python(const mpy_stacks_t *saved) {
    (void)saved;
#ifdef MPY_UNWINDS
    mpy_panics_base = saved->panics_base;
    if (saved->last_panic != NULL) {
        mpy_put_back_last_panic(saved->last_panic);
    }
#endif
#ifdef MPY_PANICKING
    mpy_panicking(saved->panic);
#ifdef MPY_UNWINDS
    /* Beside that panic, others may unwind. */
    mpy_set_panics(saved->panics);
#endif
#endif
#ifdef MPY_STACK_POINTER
    MPY_STACK_BASE = saved->base;
#endif
#ifdef MPY_LENT
    mpy_lent_base = saved->lent_base;
#endif
#ifdef MPY_LENDS
    mpy_lending_base = saved->lending_base;
#endif
}
#endif

/* Raises MemoryError, whether WebAssembly code runs or not. */
__attribute__((noinline, noreturn, unused)) static void mpy_raise_no_memory(const char *message) {
    mpy_unwind();
    mpy_raise_memory_error(message);
}

#if defined(MPY_PANICKING) || defined(MPY_UNWINDS)
/* Whether an exception is an error, rather than one that ends the program. */
static bool mpy_is_error(mp_obj_t exception) {
    mp_obj_t args[2] = {exception, mp_fun_load_global(MP_QSTR_Exception)};
    mp_obj_t is = mp_fun_call_function_n_kw(mp_fun_load_global(MP_QSTR_isinstance), 2, args);
    return is == mp_const_true;
}
#endif

#ifdef MPY_UNWINDS

/* An exception of Python's on its way through WebAssembly code. */
static const wasm_tag_t mpy_python_tag = {1};
/* Room for one when there is no memory. */
WASM_STATE(wasm_value_t, mpy_spare, [2]);
#define mpy_spare WASM_REACH(mpy_spare)

static void mpy_throw_foreign(mp_obj_t exception) {
    size_t size = sizeof(wasm_exception_t) + sizeof(wasm_value_t);
    wasm_exception_t *thrown = mp_fun_realloc(NULL, size, false);
    if (thrown == NULL) {
        thrown = (wasm_exception_t *)(void *)mpy_spare;
    }
    thrown->tag = &mpy_python_tag;
    thrown->values[0].r = (uintptr_t)exception;
    wasm_thrown = thrown;
}

/* The exception that MPY_CATCH ends, and what it is in Python when it is one of Python's. */
WASM_STATE(wasm_exception_t *, mpy_again);
WASM_STATE(mp_obj_t, mpy_ended);
#define mpy_again WASM_REACH(mpy_again)
#define mpy_ended WASM_REACH(mpy_ended)
/* Whether mpy_ended is asked for. */
WASM_STATE(bool, mpy_catching);
#define mpy_catching WASM_REACH(mpy_catching)

static mp_obj_t mpy_panic_exception(void);
#ifdef MPY_PANICKING
static bool mpy_has_last_panic(void);
#endif
static bool mpy_throw_object(mp_obj_t exception);

/* Throws an exception of Python's. Rust's `catch_unwind` catches it if it is an error, and there is memory for that. */
static void mpy_throw(mp_obj_t exception) {
    if (!mpy_is_error(exception) || !mpy_throw_object(exception)) {
        mpy_throw_foreign(exception);
    }
}

__attribute__((unused)) static void mpy_throw_again(void) {
    wasm_thrown = mpy_again;
}

/* Raises what has left an exported function. */
__attribute__((noinline, noreturn)) static void wasm_uncaught(void) {
    mpy_again = wasm_thrown;
    wasm_thrown = NULL;
    mp_obj_t exception = NULL;
    if (mpy_again->tag == &mpy_python_tag) {
        exception = (mp_obj_t)mpy_again->values[0].r;
    } else {
        mpy_ended = NULL;
        mpy_catching = true;
        MPY_CATCH();
        mpy_catching = false;
        wasm_thrown = NULL;
        exception = mpy_ended != NULL ? mpy_ended : mpy_panic_exception();
    }
    mpy_again = NULL;
    mpy_ended = NULL;
#ifdef MPY_PANICKING
    /* It has ended whatever hook ran. */
    mpy_panicking(0);
#endif
    mpy_unwind();
    mp_fun_raise(exception);
    __builtin_unreachable();
}

/* Raises what was caught last where it must not unwind any further; returns if nothing was. */
__attribute__((unused)) static void mpy_raise_caught(void) {
    if (wasm_caught == NULL) {
        return;
    }
#ifdef MPY_PANICKING
    /* However the hook of a panic ends, the exception is that of the panic. */
    uint32_t panic = mpy_panicking(0);
    if (panic != 0) {
        MPY_PANIC(panic);
    }
#endif
    wasm_thrown = wasm_caught;
    wasm_uncaught();
}

/* The exception to throw for one in which an import has ended. */
static mp_obj_t mpy_after_hook(mp_obj_t exception) {
#ifdef MPY_PANICKING
    uint32_t panics = mpy_panics();
    if (mpy_panicking(0) != 0) {
        /* It takes the place of that panic. */
        mpy_set_panics(panics - 1);
        /* However the hook of a panic with a message ends, the exception is that of the panic. */
        if (mpy_is_error(exception) && mpy_has_last_panic()) {
            return mpy_panic_exception();
        }
    }
#endif
    return exception;
}

/* Throws the exception in which an import has ended. */
__attribute__((noinline, unused)) static void mpy_pass_on(mp_obj_t exception) {
    mpy_throw(mpy_after_hook(exception));
}

static void mpy_make_memory_error(void *with) {
    mpy_raise_memory_error(with);
}

/* Throws MemoryError, for a program that cannot go on without the memory it asked for. */
__attribute__((noinline, unused)) static void mpy_out_of_memory(void) {
    static const char message[] = "out of memory";
    mpy_throw_foreign(mpy_after_hook(mpy_try(mpy_make_memory_error, (void *)(uintptr_t)message)));
}

#else

/* Raises the exception in which an import has ended. */
__attribute__((noinline, noreturn, unused)) static void mpy_pass_on(mp_obj_t exception) {
#ifdef MPY_PANICKING
    uint32_t panic = 0;
    if (!mpy_is_error(exception) && (panic = mpy_panicking(0)) != 0) {
        MPY_HOOK_ENDS(panic);
    }
#endif
    mpy_unwind();
    mp_fun_raise(exception);
    __builtin_unreachable();
}

/* What is thrown where nothing unwinds: a module that imports these asks for nothing. */
__attribute__((unused)) static void mpy_throw_again(void) {}
__attribute__((unused)) static void mpy_exception_ends(uint32_t index) { (void)index; }
__attribute__((unused)) static void mpy_raise_caught(void) {}

/* Raises MemoryError, for a program that cannot go on without the memory it asked for. */
__attribute__((noinline, noreturn, unused)) static void mpy_out_of_memory(void) {
    mpy_raise_no_memory("out of memory");
}

#endif

/* What is before it in memory is done before what is behind it, also for a handler of an interrupt on the same processor. */
__attribute__((unused)) static inline void mpy_barrier(void) { __asm__ volatile("" ::: "memory"); }

#ifdef WASM_NAMES
/* Writes `text` to `to` unless that is NULL; how long it is. It must not be taken for a call of strlen. */
static size_t mpy_write_text(char *to, const char *text) {
    size_t length = 0;
    for (; text[length] != 0; length++) {
        __asm__("");
        if (to != NULL) {
            to[length] = text[length];
        }
    }
    return length;
}

/* The message and its place, which the exception keeps; just the message where there is no memory for it. */
__attribute__((noinline, unused)) static const char *mpy_message_at(const char *place, const char *message) {
    size_t length = mpy_write_text(NULL, message);
    size_t end = length + mpy_write_text(NULL, place);
    char *text = mp_fun_realloc(NULL, end + 1, false);
    if (text == NULL) {
        return message;
    }
    mpy_write_text(text, message);
    mpy_write_text(text + length, place);
    text[end] = 0;
    return text;
}
#endif

__attribute__((noreturn, unused)) static void mpy_raise_trap(WASM_WHERE const char *message) {
    mpy_unwind();
#ifdef WASM_NAMES
    message = wasm_here == NULL ? message : mpy_message_at(wasm_here, message);
#endif
    mpy_raise(MP_QSTR_RuntimeError, message);
}

/* One function per kind, so that a trap costs a call without arguments and a module holds the
 * messages of its own traps only. */
#define MPY_TRAP(name, message) \
    __attribute__((noinline, noreturn, unused)) static void mpy_trap_##name(WASM_WHERE_ONLY) { \
        mpy_raise_trap(WASM_HERE message); \
    }
WASM_TRAPS(MPY_TRAP)
#undef MPY_TRAP

__attribute__((always_inline)) static inline void (wasm_trap)(WASM_WHERE wasm_trap_t kind) {
    if (kind == WASM_TRAP_OUT_OF_MEMORY) {
        mpy_raise_no_memory("out of memory");
    }
    switch (kind) {
#define MPY_TRAP(name, message) case WASM_TRAP_##name: mpy_trap_##name(WASM_HERE_ONLY);
        WASM_TRAPS(MPY_TRAP)
#undef MPY_TRAP
    }
    __builtin_unreachable();
}

#endif
