/* Calls across the border, of the types that mpy_values.h spells: parameters, `>`, result.
 *
 * The including file defines MPY_SLOTS, the most slots a call takes, MPY_ARGUMENTS, the most arguments
 * of a function of Python's, and where it is used MPY_STORE_EXCEPTION(object).
 */
#ifndef MPY_CALLS_H
#define MPY_CALLS_H

#include "mpy_stack.h"
#include "mpy_values.h"
#ifdef MPY_LENDS_BYTES
#include "mpy_lend.h"
#endif

/* Python calls Rust. */

typedef struct mpy_call mpy_call_t;

struct mpy_call {
    void (*call)(mpy_slot_t *slots);
    const char *type;
    const mp_obj_t *args;
    mp_obj_t result;
#ifdef MPY_CLOSURES
    unsigned first; /* slots in use before the parameters */
#endif
#ifdef MPY_USES_GUARD
    unsigned lowered; /* parameters whose slots are filled */
    bool called;
#endif
#ifdef MPY_TRACKS
    bool tracked; /* it is to be one of mpy_calls */
    mpy_call_t *before;
#endif
#ifdef MPY_COPIES
    unsigned copied;
    uint32_t copies[MPY_COPIES];
#endif
#ifdef MPY_LENDS
#ifdef MPY_USES_GUARD
    unsigned lent; /* parameters that are lent and whose slots are filled */
#endif
    mpy_lending_t lending;
#endif
    mpy_slot_t slots[MPY_SLOTS];
};

/* The slots of the parameters. */
static inline mpy_slot_t *mpy_params(mpy_call_t *call) {
#ifdef MPY_CLOSURES
    return call->slots + call->first;
#else
    return call->slots;
#endif
}

#ifdef MPY_COPIES
/* The copy of a buffer that Rust borrows stays the bindings': the heap does not take it back from Rust. */
static void mpy_keep(uint32_t at);
static void mpy_end_kept(uint32_t at);

static void mpy_end_copies(mpy_call_t *call) {
    while (call->copied > 0) {
        mpy_end_kept(call->copies[--call->copied]);
    }
}
#endif

#ifdef MPY_TRACKS

static mpy_call_t *mpy_call_before(mpy_call_t *call) {
    return call->before;
}

/* Notes what the call has to give back of parameter `i`, which is lowered. */
static void mpy_note(mpy_call_t *call, unsigned i, const char *type, mpy_slot_t *slots) {
    int code = *type;
    switch (code) {
        MPY_LOWERED_CASE('R'): MPY_LOWERED_CASE('P'): call->tracked = true; return;
        MPY_LOWERED_CASE('S'): MPY_LOWERED_CASE('L'): MPY_LOWERED_CASE('M'): break;
        default: return;
    }
    (void)i;
    if (slots[1].i != 0) {
#if MPY_LOWERS('M')
        if (*type == 'M') {
            slots[2].i = MPY_OBJECT_ARGUMENT + i;
            call->tracked = true;
        }
#endif
#ifdef MPY_COPIES
        mpy_keep(slots[0].i);
        call->copies[call->copied++] = slots[0].i;
        call->tracked = true;
#endif
    }
}

static inline void mpy_lower_argument(mpy_call_t *call, unsigned i, const char *type, mpy_slot_t *slots) {
    mpy_lower(type, call->args[i], slots);
    /* In the alphabet these letters are near each other. */
    if ((uint8_t)(*type - 'L') <= 'S' - 'L') {
        mpy_note(call, i, type, slots);
    }
}

/* The mutable slice that is argument `number` of the innermost call; NULL when that is none. */
__attribute__((unused)) static mp_obj_t mpy_argument(uint32_t number) {
    if (mpy_calls != NULL) {
        const char *type = mpy_calls->type;
        for (uint32_t i = 0; *type != '>'; i++) {
            if (i == number && (*type == 'M' || (*type == '&' && type[1] == 'M'))) {
                return mpy_calls->args[i];
            }
            mpy_skip(&type);
        }
    }
    return NULL;
}

/* Gives back what the call holds, which has ended in an exception. */
__attribute__((noinline)) static void mpy_give_up(mpy_call_t *call) {
#ifdef MPY_COPIES
    mpy_end_copies(call);
#endif
#ifdef MPY_USES_CLASS
#ifdef MPY_STACK_LIMIT
    /* An exhausted stack has room for this, as it has for raising the exception. */
    uintptr_t limit = MPY_STACK_LIMIT;
    MPY_STACK_LIMIT = 0;
#endif
    const uint64_t borrows = MPY_LOWERED & (MPY_LETTER('R') | MPY_LETTER('P'));
    const char *type = call->type;
    mpy_slot_t *slots = mpy_params(call);
    for (unsigned i = 0; *type != '>'; i++) {
        if ((MPY_LOWERS('R') && *type == 'R') || (MPY_LOWERS('P') && *type == 'P')) {
            uint32_t kind = mpy_number(type[1]);
            uint32_t ptr = slots->i;
            /* What is borrowed cannot be given away, so what was given away is not borrowed. */
            if (mpy_entries[mpy_cast(call->args[i], kind)->entry].ptr == ptr) {
                /* wasm-bindgen counts borrows up from 0, and a mutable one is -1 (`RefCell`). */
                uint32_t before = (uint32_t)(slots->q >> 32);
                uint32_t more = *mpy_borrowed(ptr) - before;
                *mpy_borrowed(ptr) = before;
                /* With each borrow it holds the object itself (`RcRef`, `RcRefMut`), but not to use a field. */
                for (more = (int32_t)more < 0 ? -more : more; more > 0 && MPY_IS_ONE_OF(borrows, MPY_LETTER('R'), *type == 'R'); more--) {
                    mpy_class(kind)->free(ptr, 1);
                }
            }
        }
        slots += mpy_skip(&type);
    }
#ifdef MPY_STACK_LIMIT
    MPY_STACK_LIMIT = limit;
#endif
#endif
}
#else
#define mpy_lower_argument(call, i, type, slots) mpy_lower(type, (call)->args[i], slots)
#endif

#ifdef MPY_LENDS
/* Above the address of a buffer, whether it is a copy. */
static inline bool mpy_is_copied(const mpy_slot_t *slots) { return (slots->q >> 32) != 0; }

/* As mpy_lower for the type at `type`, which follows an `&`: Rust is given the buffer itself if that has the right
 * type, lies as Rust wants it and shares no byte with another that the call was given. Whether code of Python's may have run
 * after another was given, and moved that. */
static bool mpy_lower_lent(mpy_call_t *call, unsigned i, const char *type, mpy_slot_t *slots) {
    mpy_lending_t *lending = &call->lending;
    mp_obj_t obj = call->args[i];
    mp_buffer_info_t info;
    uint32_t size = 1;
    bool usable = true;
    const uint64_t buffers = MPY_LOWERED & (MPY_LETTER('S') | MPY_LETTER('L') | MPY_LETTER('M'));
    bool is_mutable = MPY_IS_ONE_OF(buffers, MPY_LETTER('M'), *type == 'M');
#if MPY_LOWERS('S')
    bool is_text = MPY_IS_ONE_OF(buffers, MPY_LETTER('S'), *type == 'S');
    if (is_text) {
        mpy_utf8_buffer(obj, &info);
    }
#else
    bool is_text = false;
#endif
#if MPY_LOWERS('L') || MPY_LOWERS('M')
    if (!is_text) {
        size = mpy_element_size(mpy_element(type));
        usable = mp_fun_obj_get_type(obj) != &mp_type_str
                 && mp_fun_get_buffer(obj, &info, is_mutable ? MP_BUFFER_RW : MP_BUFFER_READ)
                 && mpy_typecode(info.typecode) == mpy_element(type);
    }
#endif
    uint32_t at = (uint32_t)(uintptr_t)info.buf;
    if (!usable || (at & (size - 1)) != 0 || (MPY_LENDS > 1 && mpy_overlaps(lending, at, (uint32_t)info.len))) {
        mpy_lower_argument(call, i, type, slots);
#if MPY_LENDS > 1
        slots->q |= 1ull << 32;
#endif
        return lending->count > 0;
    }
    uint32_t count = (uint32_t)mpy_count_elements(info.len, size);
    slots[0].i = size;
    slots[1].i = count;
    if (count != 0) {
        slots[0].i = at;
        lending->at[lending->count] = at;
        lending->bytes[lending->count++] = count * size;
    }
    if (is_mutable) {
        slots[2].i = 1024; /* None: there is nothing to write back */
    }
    return false;
}
#endif

#if defined(MPY_HOLDS) || defined(MPY_RETURNS_FLOATS)
/* Notes what the future borrows that the call has returned, and what it returns. */
static void mpy_note_future(mpy_call_t *call);
#endif

#ifdef MPY_LENDS
/* Whether each call has one buffer to lend at most, and lowers nothing behind it that may run code of Python's. */
#if MPY_LENDS == 1 && !defined(MPY_LENDS_FIRST)
#define MPY_LENDS_LAST 1
#else
#define MPY_LENDS_LAST 0
#endif
#endif

static void mpy_do_call(void *with) {
    mpy_call_t *call = with;
    const char *type = call->type;
    mpy_slot_t *slots = mpy_params(call);
    bool has_buffers = false, has_lent = false;
    for (unsigned i = 0; *type != '>'; i++) {
        /* Lent objects come last, as nothing gives them back if another parameter is refused. Before them come
         * buffers, which have nothing to give back in most calls. */
        if (MPY_LOWERS('O') && *type == 'O') {
            has_lent = true;
#ifdef MPY_LENDS
        } else if (*type == '&') {
            if (MPY_LENDS_LAST) {
                mpy_lower_lent(call, i, type + 1, slots);
            } else {
                has_buffers = true;
                slots->q = 0;
            }
#endif
        } else {
            mpy_lower_argument(call, i, type, slots);
        }
#ifdef MPY_USES_GUARD
        call->lowered = i + 1;
#ifdef MPY_LENDS
        call->lent = MPY_LENDS_LAST ? i + 1 : 0;
#endif
#endif
        slots += mpy_skip(&type);
    }
    (void)has_buffers, (void)has_lent;
    const char *result = type + 1;
#ifdef MPY_LENDS
    for (bool again = has_buffers; again;) {
        again = false;
        call->lending.count = 0;
        type = call->type;
        slots = mpy_params(call);
        for (unsigned i = 0; *type != '>'; i++) {
            if (*type == '&' && !mpy_is_copied(slots)) {
                again |= mpy_lower_lent(call, i, type + 1, slots);
            }
#ifdef MPY_USES_GUARD
            call->lent = i + 1;
#endif
            slots += mpy_skip(&type);
        }
    }
#endif
    mpy_check_open();
#ifdef MPY_LENT
    uint32_t top = mpy_lent_top;
    type = call->type;
    slots = mpy_params(call);
    for (unsigned i = 0; has_lent && *type != '>'; i++) {
        if (*type == 'O') {
            mpy_lower(type, call->args[i], slots);
        }
        slots += mpy_skip(&type);
    }
#endif
#ifdef MPY_USES_GUARD
    call->called = true;
#endif
#ifdef MPY_LENDS
    call->lending.before = mpy_lending;
    mpy_lending = &call->lending;
#endif
#ifdef MPY_TRACKS
    if (call->tracked) {
        call->before = mpy_calls;
        mpy_calls = call;
    }
#endif
    call->call(call->slots);
#ifdef MPY_TRACKS
    if (call->tracked) {
        mpy_calls = call->before;
#ifdef MPY_COPIES
        mpy_end_copies(call);
#endif
    }
#endif
#ifdef MPY_LENDS
    mpy_lending = call->lending.before;
#endif
#ifdef MPY_LENT
    while (mpy_lent_top > top) {
        mpy_lent[--mpy_lent_top] = NULL;
    }
#endif
    call->result = mpy_lift(result, call->slots);
#if defined(MPY_HOLDS) || defined(MPY_RETURNS_FLOATS)
    if (*result == 'A' || *result == 'Y') {
        mpy_note_future(call);
    }
#endif
}

static inline void mpy_begin_call(mpy_call_t *call, void (*function)(mpy_slot_t *), const char *type,
                                  const mp_obj_t *args, unsigned first) {
    call->call = function;
    call->type = type;
    call->args = args;
#ifdef MPY_CLOSURES
    call->first = first;
#endif
    (void)first;
#ifdef MPY_USES_GUARD
    call->lowered = 0;
    call->called = false;
#endif
#ifdef MPY_TRACKS
    call->tracked = false;
#endif
#ifdef MPY_COPIES
    call->copied = 0;
#endif
#ifdef MPY_LENDS
#ifdef MPY_USES_GUARD
    call->lent = 0;
#endif
    call->lending.count = 0;
#endif
}

MPY_SHARED mp_obj_t mpy_invoke(void (*function)(mpy_slot_t *), const char *type, const mp_obj_t *args) {
    mpy_call_t call;
    mpy_begin_call(&call, function, type, args, 0);
    mpy_do_call(&call);
    return call.result;
}

#ifdef MPY_USES_GUARD
/* Gives back what a call holds that has ended in an exception, which is caught in a frame below, and takes back what
 * parameters hold that Rust was never given. */
static void mpy_take_back(mpy_call_t *call) {
#ifdef MPY_TRACKS
    mpy_give_up_calls((uintptr_t)call);
#endif
    const char *type = call->type;
    mpy_slot_t *slots = mpy_params(call);
#ifdef MPY_COPIES
    if (!call->called) {
        mpy_end_copies(call);
    }
#endif
    for (unsigned i = 0; !call->called && i < call->lowered; i++) {
        const char *inner = type;
        bool none = false;
#ifdef MPY_LENDS
        if (*inner == '&') {
            inner++;
            none = i >= call->lent || mpy_overlaps(&call->lending, slots[0].i, 1);
        }
#endif
#ifdef MPY_USES_OPTION
        if (*inner == '~') {
            inner++;
            none = mpy_is_none(inner, slots);
        }
#endif
        switch (none ? 0 : *inner) {
            case 's': case 'V': case 'o': mpy_release(inner, slots); break;
#ifndef MPY_COPIES
#ifdef MPY_USES_MALLOC
            case 'S': MPY_FREE(slots[0].i, slots[1].i, 1); break;
#endif
#ifdef MPY_USES_SEQUENCE
            case 'L': case 'M': {
                uint32_t size = mpy_element_size(inner[1]);
                MPY_FREE(slots[0].i, slots[1].i * size, size);
                break;
            }
#endif
#endif
#ifdef MPY_USES_CLASS
            case 'C': mpy_entries[mpy_cast(call->args[i], mpy_number(inner[1]))->entry].ptr = slots->i; break;
#endif
        }
        slots += mpy_skip(&type);
    }
}

/* As mpy_invoke, and gives back what the first parameters took when a later one is refused. */
MPY_SHARED mp_obj_t mpy_invoke_guarded(void (*function)(mpy_slot_t *), const char *type, const mp_obj_t *args) {
    mpy_call_t call;
    mpy_begin_call(&call, function, type, args, 0);
    mpy_begin_use();
    mp_obj_t exception = mpy_try(mpy_do_call, &call);
    mpy_end_use();
    if (exception != NULL) {
        mpy_take_back(&call);
        mp_fun_raise(exception);
    }
    return call.result;
}
#endif

#ifdef MPY_CLOSURES

static mp_obj_t mpy_new_closure(uint32_t kind, uint32_t data, uint32_t methods) {
    mpy_instance_t *obj = mpy_new_entry(MPY_CLASSES + kind, data, methods);
    if (obj == NULL) {
        if (mpy_closures[kind].is_owned) {
            MPY_DESTROY(data, methods);
        }
        mpy_raise_no_memory("no memory for an object");
    }
    return obj;
}

/* Rust has no more use for the closure: it ends when its last call does. */
static void mpy_end_closure(mpy_entry_t *entry, unsigned calls) {
    entry->calls = (uint16_t)calls;
    if (calls == 1 && entry->ptr != 0) {
        uint32_t data = mpy_consume(entry);
        if (mpy_closures[entry->kind - MPY_CLASSES].is_owned) {
            MPY_DESTROY(data, entry->extra);
        }
    }
}

__attribute__((unused)) static void mpy_unref_closure(mp_obj_t obj) {
    if ((const mpy_type_t *)mp_fun_obj_get_type(obj) == &mpy_types[MPY_CLASSES]) {
        mpy_entry_t *entry = &mpy_entries[((mpy_instance_t *)obj)->entry];
        mpy_end_closure(entry, entry->calls | 1u);
    }
}

#define MPY_ANY_COUNT 0xffff

/* The slot `call` of the type of closures. */
static mp_obj_t mpy_call_closure(mp_obj_t self, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mpy_check_open();
    size_t number = ((mpy_instance_t *)self)->entry;
    mpy_entry_t *entry = &mpy_entries[number];
    const mpy_closure_t *closure = &mpy_closures[entry->kind - MPY_CLASSES];
    /* One without parameters takes any arguments: handlers of events are told what they often know. */
    size_t most = closure->count != 0 ? closure->count : MPY_ANY_COUNT;
    mp_fun_table.arg_check_num_sig(n_args, n_kw, MP_OBJ_FUN_MAKE_SIG(closure->count, most));
    if (entry->ptr == 0 || (entry->calls & 1) != 0 || (closure->is_mutable && entry->calls != 0)) {
        mpy_raise(MP_QSTR_RuntimeError, "closure called recursively or after it was dropped");
    }
    entry->calls += 2;
    mpy_call_t call;
    mpy_begin_call(&call, closure->call, closure->type, args, 2);
    call.slots[0].i = entry->ptr;
    call.slots[1].i = entry->extra;
    mpy_begin_use();
    mp_obj_t exception = mpy_try(mpy_do_call, &call);
    mpy_end_use();
    /* The table may have moved. */
    entry = &mpy_entries[number];
    mpy_end_closure(entry, entry->calls - 2u);
    if (exception != NULL) {
        mpy_take_back(&call);
        mp_fun_raise(exception);
    }
    return call.result;
}
#endif

/* Rust calls Python. */

enum {
    MPY_GLOBAL, /* a path from the builtins, or from __main__ */
    MPY_MODULE, /* a path from a module */
    MPY_GLOBAL_VALUE, /* as the two above, and not called */
    MPY_MODULE_VALUE,
    MPY_GLOBAL_INSTANCE, /* whether the argument is an instance of the class at that path */
    MPY_MODULE_INSTANCE,
    MPY_TEXT, /* the name itself */
    MPY_CALL_METHOD, /* a name; the first argument has it */
    MPY_CALL_OBJECT, /* the first argument itself */
    MPY_CALL_KEYWORDS, /* the same; the second is how many pairs of a name and a value come after the others */
    MPY_OPERATOR, /* the operator with the number that is the second, of the first and the third */
    MPY_GET,
    MPY_SET,
    MPY_INDEX_GET,
    MPY_INDEX_SET,
    MPY_INDEX_DELETE,
    MPY_CAST, /* the first argument, as it is */
    MPY_INTRINSIC, /* a number of mpy_intrinsic */
    MPY_JS, /* a number of mpy_js, above the flags */
};
/* With MPY_LENDING, the method does not keep its buffers. */
enum { MPY_VARIADIC = 1, MPY_CATCH = 2, MPY_LENDING = 4, MPY_JS_NUMBER = 3 };

/* What is called: how, flags, the length of the path, and the path as indices of strings. */
typedef uint16_t mpy_target_t;

static mp_obj_t mpy_intrinsic(unsigned which, mp_obj_t *args);
#ifdef MPY_USES_JS
static mp_obj_t mpy_js(unsigned which, size_t n, mp_obj_t *args);
#endif

static mp_obj_t mpy_resolve(const mpy_target_t *target) {
    const uint16_t *path = target + 3;
    mp_obj_t obj;
    if (target[0] == MPY_MODULE || target[0] == MPY_MODULE_VALUE || target[0] == MPY_MODULE_INSTANCE) {
        obj = mpy_import(path[0]);
    } else {
        qstr name = mp_native_qstr_table[path[0]];
        mp_obj_t zero = MP_OBJ_NEW_SMALL_INT(0);
        mp_obj_t found[2];
        mp_fun_table.load_method_maybe(mp_fun_import_name(MP_QSTR_builtins, mp_const_none, zero), name, found);
        if (found[0] == MP_OBJ_NULL) {
            mp_fun_table.load_method_maybe(mp_fun_import_name(MP_QSTR___main__, mp_const_none, zero), name, found);
        }
        obj = found[0];
        if (obj == MP_OBJ_NULL) {
            obj = target[2] > 1 ? mpy_import(path[0]) : mp_fun_load_global(name);
        }
    }
    for (unsigned i = 1; i < target[2]; i++) {
        obj = mp_fun_load_attr(obj, mp_native_qstr_table[path[i]]);
    }
    return obj;
}

/* Room for two words before the arguments, as calls of methods want them. */
static mp_obj_t mpy_call_target(const mpy_target_t *target, size_t n, mp_obj_t *objs) {
    mp_obj_t *args = objs + 2;
    if (target[0] < MPY_CAST) {
        mpy_ask_before_call();
    }
    qstr name = target[2] > 0 ? mp_native_qstr_table[target[3]] : 0;
    switch (target[0]) {
        case MPY_GLOBAL: case MPY_MODULE:
            return mp_fun_call_function_n_kw(mpy_resolve(target), n, args);
        case MPY_GLOBAL_VALUE: case MPY_MODULE_VALUE:
            return mpy_resolve(target);
        case MPY_GLOBAL_INSTANCE: case MPY_MODULE_INSTANCE:
            args[1] = mpy_resolve(target);
            return mp_fun_call_function_n_kw(mp_fun_load_global(MP_QSTR_isinstance), 2, args);
        case MPY_TEXT:
            return mpy_string(target[3]);
        case MPY_CALL_METHOD: {
            mp_obj_t self = args[0];
            if ((target[1] & MPY_LENDING) == 0) {
                mp_fun_load_method(self, name, objs + 1);
            }
            return mp_fun_call_method_n_kw(n - 1, 0, objs + 1);
        }
        case MPY_CALL_OBJECT:
            return mp_fun_call_function_n_kw(args[0], n - 1, args + 1);
        case MPY_CALL_KEYWORDS: {
            size_t keywords = (size_t)MP_OBJ_SMALL_INT_VALUE(args[1]);
            /* Both numbers have 8 bits. */
            if (keywords > 255 || n - 2 - 2 * keywords > 255) {
                mpy_raise_type_error("too many arguments");
            }
            return mp_fun_call_function_n_kw(args[0], keywords << 8 | (n - 2 - 2 * keywords), args + 2);
        }
        case MPY_OPERATOR:
            return mp_fun_binary_op((int)MP_OBJ_SMALL_INT_VALUE(args[1]), args[0], args[2]);
        case MPY_GET:
            return mp_fun_load_attr(args[0], name);
        case MPY_SET:
            mp_fun_table.store_attr(args[0], name, args[1]);
            return mp_const_none;
        case MPY_INDEX_GET:
            return mp_fun_obj_subscr(args[0], args[1], MP_OBJ_SENTINEL);
        case MPY_INDEX_SET:
            return mp_fun_obj_subscr(args[0], args[1], args[2]);
        case MPY_INDEX_DELETE:
            return mp_fun_obj_subscr(args[0], args[1], MP_OBJ_NULL);
        case MPY_INTRINSIC:
            return mpy_intrinsic(target[1], args);
#ifdef MPY_USES_JS
        case MPY_JS:
            mpy_ask_before_call();
            return mpy_js(target[1] >> MPY_JS_NUMBER, n, args);
#endif
    }
    return args[0];
}

typedef struct {
#ifdef MPY_HAS_STACKS
    mpy_stacks_t outside;
#endif
    const mpy_target_t *target;
    const char *type;
    mpy_slot_t *slots;
    unsigned lifted; /* parameters that are Python's */
#ifdef MPY_LENDS_BYTES
    uint8_t lent;
#endif
    /* Of three arguments at least, which the setting of an item has. */
    mp_obj_t objs[(MPY_ARGUMENTS > 2 ? MPY_ARGUMENTS : 2) + 3];
} mpy_import_t;

/* After the call, however it ended: closures that were lent are no more. */
static void mpy_after_import(mpy_import_t *import) {
    const char *type = import->type;
    (void)type;
#ifdef MPY_CLOSURES
    for (unsigned i = 0; import->target[0] != MPY_CAST && *type != '>'; i++) {
        if (*type == 'F' && !mpy_closures[mpy_number(type[1])].is_owned && import->objs[i + 2] != NULL) {
            mpy_unref_closure(import->objs[i + 2]);
        }
        mpy_skip(&type);
    }
#endif
#ifdef MPY_LENDS_BYTES
    mpy_end_lent_bytes(import->lent);
#endif
    mpy_end_use();
#ifdef MPY_HAS_STACKS
    mpy_leave_python(&import->outside);
#endif
}

static void mpy_do_import(void *with) {
    mpy_import_t *import = with;
    const char *type = import->type;
    const mpy_slot_t *slots = import->slots;
    mp_obj_t *objs = import->objs;
    size_t n = 0;
#ifdef MPY_USES_VARIADIC
    uint32_t last = 0;
#endif
    for (; *type != '>'; n++) {
#ifdef MPY_USES_VARIADIC
        last = slots[1].i;
#endif
        import->lifted++;
#ifdef MPY_LENDS_BYTES
        if (*type == '&') {
            mp_obj_t lent = mpy_is_builtin(objs[1]) ? mpy_lend_bytes(type[1] == 'W', slots, &import->lent) : NULL;
            objs[n + 2] = lent != NULL ? lent : mpy_from_sequence(type + 1, slots);
            slots += mpy_skip(&type);
            continue;
        }
#endif
        objs[n + 2] = mpy_lift(type, slots);
        slots += mpy_skip(&type);
#ifdef MPY_LENDS_BYTES
        if (n == 0 && (import->target[1] & MPY_LENDING) != 0) {
            /* What the method is decides how the other arguments are passed. */
            mpy_ask_before_call();
            mp_fun_load_method(objs[2], mp_native_qstr_table[import->target[3]], objs + 1);
        }
#endif
    }
    type++;
#ifdef MPY_USES_VARIADIC
    if ((import->target[1] & MPY_VARIADIC) != 0 && import->target[0] != MPY_INTRINSIC) {
        mp_obj_t *more = mp_fun_realloc(NULL, (n + 1 + last) * sizeof(mp_obj_t), false);
        if (more == NULL) {
            mpy_raise_memory_error("too many arguments");
        }
        mp_fun_memmove(more, objs, (n + 1) * sizeof(mp_obj_t));
        for (uint32_t i = 0; i < last; i++) {
            more[n + 1 + i] = mp_fun_obj_subscr(objs[n + 1], MP_OBJ_NEW_SMALL_INT(i), MP_OBJ_SENTINEL);
        }
        objs = more;
        n = n - 1 + last;
    }
#endif
    mp_obj_t result = mpy_call_target(import->target, n, objs);
#ifdef MPY_USES_WRITE_BACK
    const char *written = import->type;
    slots = import->slots;
    for (unsigned i = 0; *written != '>'; i++) {
        const char *slice = written + (*written == '~' || *written == '&');
        if (*slice == 'W' && import->objs[i + 2] != mp_const_none) {
            mp_buffer_info_t info;
            mp_fun_get_buffer(import->objs[i + 2], &info, MP_BUFFER_READ);
            size_t bytes = slots[1].i * mpy_element_size(slice[1]);
            mp_fun_memmove((void *)mpy_text(slots[0].i, (uint32_t)bytes), info.buf, info.len < bytes ? info.len : bytes);
        }
        slots += mpy_skip(&written);
    }
#endif
    if (*type != 'v') {
        mpy_lower(type, result, import->slots);
    }
}

/* The call has ended in an exception: Rust's `Err` if it wants to know, or else Python's again. */
__attribute__((noinline)) static void mpy_fail_import(mpy_import_t *import, mp_obj_t exception) {
    mpy_unwind_stacks();
    const char *type = import->type;
    const mpy_slot_t *slots = import->slots;
    for (unsigned i = 0; *type != '>'; i++) {
        if (i >= import->lifted) {
            mpy_release(type, slots);
        }
        slots += mpy_skip(&type);
    }
    mpy_after_import(import);
#ifdef MPY_STORE_EXCEPTION
    if ((import->target[1] & MPY_CATCH) != 0 && import->target[0] != MPY_INTRINSIC) {
        for (unsigned i = 0; i < 4; i++) {
            import->slots[i].q = 0;
        }
        MPY_STORE_EXCEPTION(mpy_new_object(exception));
        return;
    }
#endif
#ifdef MPY_UNWINDS
    for (unsigned i = 0; i < 4; i++) {
        import->slots[i].q = 0;
    }
#endif
    mpy_pass_on(exception);
}

/* Calls `target` with what is in `slots`, where the result is put. */
MPY_SHARED void mpy_call(const mpy_target_t *target, const char *type, mpy_slot_t *slots) {
    mpy_import_t import;
    import.target = target;
    import.type = type;
    import.slots = slots;
    import.lifted = 0;
#ifdef MPY_LENDS_BYTES
    import.lent = 0;
#endif
    mp_fun_table.memset(import.objs, 0, sizeof(import.objs));
#ifdef MPY_HAS_STACKS
    mpy_enter_python(&import.outside);
#endif
    mpy_begin_use();
    mp_obj_t exception = mpy_try(mpy_do_import, &import);
    if (exception != NULL) {
        mpy_fail_import(&import, exception);
        return;
    }
    mpy_after_import(&import);
}

#ifdef MPY_USES_OBJECTS
typedef struct {
    mpy_message_t message;
    uint32_t index;
} mpy_error_t;

static void mpy_make_error(void *with) {
    mpy_error_t *error = with;
    mpy_ask_before_call();
    mpy_make_exception(&error->message);
    error->index = mpy_new_object(error->message.exception);
}

/* A RuntimeError with a text of the module's, as an object that Rust owns. Modules that call nothing else of Python need no
 * mpy_call for it. */
MPY_SHARED uint32_t mpy_new_error(uint32_t ptr, uint32_t len) {
    mpy_error_t error = {{mpy_text(ptr, len), len, NULL}, 0};
#ifdef MPY_HAS_STACKS
    mpy_stacks_t outside;
    mpy_enter_python(&outside);
#endif
    mpy_begin_use();
    mp_obj_t exception = mpy_try(mpy_make_error, &error);
    mpy_end_use();
#ifdef MPY_HAS_STACKS
    mpy_leave_python(&outside);
#endif
    if (exception != NULL) {
        mpy_pass_on(exception);
    }
    return error.index;
}
#endif

#endif
