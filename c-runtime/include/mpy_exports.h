/* Python calls functions whose types the user describes. Texts become copies in the module's memory for the time of the
 * call.
 *
 * Besides what mpy_imports.h wants, the including file defines
 *   MPY_EXPORT_SLOTS           the largest number of values that any such function takes, or gives;
 *   MPY_GIVE_BACK(ptr, size)   beside MPY_ALLOC: gives its memory back; without it, that is the function's to keep;
 *   MPY_PIN(ptr), MPY_UNPIN(ptr)   beside MPY_NEW: keep a string from AssemblyScript's collector, and no longer.
 */
#ifndef MPY_EXPORTS_H
#define MPY_EXPORTS_H

#include "mpy_imports.h"

#if defined(MPY_GIVE_BACK) || defined(MPY_PIN)
#define MPY_LENDS_TEXTS 1
#endif

typedef struct {
    void (*call)(mpy_slot_t *);
    const char *type;
    const mp_obj_t *args;
    mp_obj_t result;
    mpy_slot_t slots[MPY_EXPORT_SLOTS];
#ifdef MPY_LENDS_TEXTS
    /* What is to be given back after the call. */
    uint32_t count;
    struct {
        uint32_t ptr, size;
        bool is_pinned;
    } texts[MPY_EXPORT_SLOTS];
#endif
} mpy_export_call_t;

static void mpy_do_export(void *with) {
    mpy_export_call_t *call = with;
    const char *type = call->type;
    mpy_slot_t *slot = call->slots;
    for (const mp_obj_t *arg = call->args; *type != '>'; type++, arg++) {
#ifdef MPY_LENDS_TEXTS
        bool is_string = *type == 'w';
        if (is_string || *type == 's' || *type == 'y' || *type == 'z') {
            uint32_t size = mpy_take_text(*type, slot, *arg);
            call->texts[call->count].ptr = slot->i;
            call->texts[call->count].size = size;
            call->texts[call->count].is_pinned = is_string;
#ifdef MPY_PIN
            if (is_string) {
                MPY_PIN(slot->i);
            }
#endif
            call->count++;
        } else
#endif
        {
            mpy_to_slot(*type, slot, *arg);
        }
        slot += *type == 's' || *type == 'y' ? 2 : 1;
        mpy_check_open();
    }
    call->call(call->slots);
    slot = call->slots;
    call->result = type[1] != 0 ? mpy_from_slot(type[1], &slot) : mp_const_none;
}

#ifdef MPY_LENDS_TEXTS
static void mpy_give_back(mpy_export_call_t *call) {
    while (call->count > 0) {
        call->count--;
        uint32_t ptr = call->texts[call->count].ptr, size = call->texts[call->count].size;
        (void)size;
        if (call->texts[call->count].is_pinned) {
#ifdef MPY_UNPIN
            MPY_UNPIN(ptr);
#endif
        } else {
#ifdef MPY_GIVE_BACK
            MPY_GIVE_BACK(ptr, size);
#endif
        }
    }
}
#endif

#if defined(MPY_STACK_AHEAD) && MPY_EXPORT_SLOTS > 8
#define mpy_call_export mpy_call_export_values
#endif

/* Calls it with `args`. `type` is "parameters>result". */
MPY_SHARED mp_obj_t mpy_call_export(void (*function)(mpy_slot_t *), const char *type, const mp_obj_t *args) {
    mpy_export_call_t call;
    call.call = function;
    call.type = type;
    call.args = args;
#ifdef MPY_LENDS_TEXTS
    call.count = 0;
    mpy_begin_use();
    mp_obj_t exception = mpy_try(mpy_do_export, &call);
    mpy_end_use();
    mpy_give_back(&call);
    if (exception != NULL) {
        mp_fun_raise(exception);
    }
#else
    mpy_do_export(&call);
#endif
    return call.result;
}

#ifdef mpy_call_export
#undef mpy_call_export
/* The same, if there is enough stack for its values, and for the arguments of the functions below. */
MPY_SHARED mp_obj_t mpy_call_export(void (*function)(mpy_slot_t *), const char *type, const mp_obj_t *args) {
    MPY_USE_STACK(MPY_EXPORT_SLOTS * 64 + 512);
    return mpy_call_export_values(function, type, args);
}
#endif

#endif
