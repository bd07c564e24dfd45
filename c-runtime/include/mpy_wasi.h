/* WASI 0.1 for programs without files: the standard streams, clocks, random numbers, the end.
 *
 * Names, arguments and layouts are those of `wasi_snapshot_preview1.witx` and `typenames.witx`; a result is an
 * `errno` of that. What WASI has and this has not is in `shims.toml`.
 */
#ifndef MPY_WASI_H
#define MPY_WASI_H

#include "mpy_shims.h"

enum { MPY_WASI_SUCCESS = 0, MPY_WASI_BADF = 8, MPY_WASI_INVAL = 28, MPY_WASI_NOTSUP = 58 };
enum { MPY_WASI_REALTIME = 0, MPY_WASI_MONOTONIC = 1 };

/* Memory that the program names, which traps where there is none. Nothing in it need be aligned. */
__attribute__((unused)) static uint8_t *mpy_wasi_at(uint32_t ptr, uint32_t len) {
    return (uint8_t *)(uintptr_t)mpy_text(ptr, len);
}

__attribute__((unused)) static uint64_t mpy_wasi_get(uint32_t ptr, unsigned bytes) {
    const uint8_t *at = mpy_wasi_at(ptr, bytes);
    uint64_t value = 0;
    for (unsigned i = bytes; i-- > 0;) {
        value = value << 8 | at[i];
    }
    return value;
}

__attribute__((unused)) static void mpy_wasi_put(uint32_t ptr, unsigned bytes, uint64_t value) {
    uint8_t *at = mpy_wasi_at(ptr, bytes);
    for (unsigned i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

/* `args_sizes_get` and `environ_sizes_get`: there are none, and they take no bytes. */
__attribute__((unused)) static uint32_t mpy_wasi_no_strings(uint32_t count, uint32_t bytes) {
    mpy_wasi_put(count, 4, 0);
    mpy_wasi_put(bytes, 4, 0);
    return MPY_WASI_SUCCESS;
}

__attribute__((unused)) static uint32_t mpy_wasi_clock_res_get(uint32_t clock, uint32_t result) {
    if (clock > MPY_WASI_MONOTONIC) {
        return MPY_WASI_INVAL;
    }
    mpy_wasi_put(result, 8, 1000);
    return MPY_WASI_SUCCESS;
}

#ifdef MPY_STRING_gmtime
#ifdef MPY_STRING_ticks_us
/* Nanoseconds; the process's clocks are the monotonic one. */
__attribute__((unused)) static uint64_t mpy_wasi_now(uint32_t clock) {
    return clock == MPY_WASI_REALTIME ? mpy_unix_time() : mpy_monotonic_us() * 1000;
}

__attribute__((unused)) static uint32_t mpy_wasi_clock_time_get(uint32_t clock, uint64_t precision, uint32_t result) {
    (void)precision;
    if (clock > 3) {
        return MPY_WASI_INVAL;
    }
    mpy_wasi_put(result, 8, mpy_wasi_now(clock));
    return MPY_WASI_SUCCESS;
}

/* `subscription`: userdata at 0, tag at 8, of a clock its id at 16, timeout at 24, flags at 40; 48 bytes. `event`:
 * userdata at 0, error at 8, type at 10; 32 bytes. Input that is waited for does not come, so the first clock ends it. */
#ifdef MPY_STRING_sleep_ms
__attribute__((unused)) static uint32_t mpy_wasi_poll_oneoff(uint32_t in, uint32_t out, uint32_t count, uint32_t result) {
    for (uint32_t i = 0; i < count; i++, in += 48) {
        if (mpy_wasi_get(in + 8, 1) != 0) {
            continue;
        }
        uint64_t wait = mpy_wasi_get(in + 24, 8);
        if ((mpy_wasi_get(in + 40, 2) & 1) != 0) {
            uint64_t now = mpy_wasi_now((uint32_t)mpy_wasi_get(in + 16, 4));
            wait = wait > now ? wait - now : 0;
        }
        uint32_t ms = wait > UINT64_C(1000000) * 0x3fffffff ? 0x3fffffff : (uint32_t)(wait / 1000000);
        mpy_slot_t slot = {.i = ms};
        mpy_call_import(MPY_STRING_time, MPY_STRING_sleep_ms, "i>", &slot);
        slot.i = (uint32_t)(wait / 1000 % 1000);
        mpy_call_import(MPY_STRING_time, MPY_STRING_sleep_us, "i>", &slot);
        mpy_wasi_put(out, 8, mpy_wasi_get(in, 8));
        for (unsigned at = 8; at < 32; at += 8) {
            mpy_wasi_put(out + at, 8, 0);
        }
        mpy_wasi_put(result, 4, 1);
        return MPY_WASI_SUCCESS;
    }
    return MPY_WASI_NOTSUP;
}
#endif
#endif
#endif

/* `fdstat`: the type at 0, here `character_device`, flags at 2, rights at 8 and 16; 24 bytes. */
__attribute__((unused)) static uint32_t mpy_wasi_fd_fdstat_get(uint32_t fd, uint32_t result) {
    if (fd > 2) {
        return MPY_WASI_BADF;
    }
    mpy_wasi_put(result, 8, 2);
    mpy_wasi_put(result + 8, 8, fd == 0 ? 1 << 1 : 1 << 6);
    mpy_wasi_put(result + 16, 8, 0);
    return MPY_WASI_SUCCESS;
}

/* The standard input has ended. */
__attribute__((unused)) static uint32_t mpy_wasi_fd_read(uint32_t fd, uint32_t iovs, uint32_t count, uint32_t result) {
    (void)iovs, (void)count;
    if (fd != 0) {
        return MPY_WASI_BADF;
    }
    mpy_wasi_put(result, 4, 0);
    return MPY_WASI_SUCCESS;
}

/* Both outputs are MicroPython's. A `ciovec` is a pointer and a length. */
__attribute__((unused)) static uint32_t mpy_wasi_fd_write(uint32_t fd, uint32_t iovs, uint32_t count, uint32_t result) {
    if (fd != 1 && fd != 2) {
        return MPY_WASI_BADF;
    }
    uint32_t written = 0;
    for (uint32_t i = 0; i < count; i++, iovs += 8) {
        uint32_t len = (uint32_t)mpy_wasi_get(iovs + 4, 4);
        mpy_print((uint32_t)mpy_wasi_get(iovs, 4), len);
        written += len;
    }
    mpy_wasi_put(result, 4, written);
    return MPY_WASI_SUCCESS;
}

__attribute__((noreturn, unused)) static void mpy_wasi_proc_exit(uint32_t status) {
    mpy_unwind();
    mp_obj_t code = mpy_from_i32(status);
    mp_fun_raise(mp_fun_call_function_n_kw(mp_fun_load_global(MP_QSTR_SystemExit), 1, &code));
    __builtin_unreachable();
}

/* The port's source of random numbers, or where it has none the generator it seeds at its start. */
#ifdef MPY_STRING_urandom
__attribute__((unused)) static void mpy_random_python(void *with) {
    mpy_slot_t *slots = with;
    uint32_t at = slots[0].i, len = slots[1].i;
    mpy_wasi_at(at, len);
    mp_obj_t os = mpy_import(MPY_STRING_os);
    mp_obj_t urandom[3];
    mp_fun_table.load_method_maybe(os, mp_native_qstr_table[MPY_STRING_urandom], urandom);
    while (len > 0) {
        uint32_t part = len < 32 ? len : 32;
        if (urandom[0] != MP_OBJ_NULL) {
            mp_obj_t count = MP_OBJ_NEW_SMALL_INT(part);
            mp_buffer_info_t bytes;
            mp_fun_get_buffer(mp_fun_call_function_n_kw(urandom[0], 1, &count), &bytes,
                MP_BUFFER_READ | MP_BUFFER_RAISE_IF_UNSUPPORTED);
            /* What Python does may move memory. */
            mp_fun_memmove(mpy_wasi_at(at, part), bytes.buf, part);
        } else {
            mpy_slot_t slot;
            part = 1;
            slot.i = 8;
            mpy_call_python(MPY_STRING_random, MPY_STRING_getrandbits, "i>i", &slot);
            *mpy_wasi_at(at, 1) = (uint8_t)slot.i;
        }
        at += part;
        len -= part;
    }
}

__attribute__((unused)) static uint32_t mpy_wasi_random_get(uint32_t ptr, uint32_t len) {
    mpy_slot_t slots[2] = {{.i = ptr}, {.i = len}};
    mpy_run_python(mpy_random_python, slots);
    return MPY_WASI_SUCCESS;
}
#endif

#endif
