/* Rust's structs as Python classes, and its closures as functions.
 *
 * Firmware offers native modules no finalisers. What tells that an object is gone is that its memory is
 * in use again: every object has an entry in a table that the collector cannot see through, and is
 * looked at from there, from time to time, whether it still is what it was. An object that lives is
 * never taken for a dead one; a dead one may be noticed late, but before many new ones are made.
 *
 * The including file defines MPY_CLASSES (their number), mpy_classes[], mpy_types[], MPY_TYPES and MPY_TYPE_SLOTS (how many of
 * them there are, and the most slots of one), and MPY_STRING_GC, _COLLECT and _FREE; MPY_USES_STATIC, MPY_USES_GETTER and
 * MPY_USES_SETTER if there are such members; with closures MPY_CLOSURES, mpy_closures[] and MPY_DESTROY(a, b); with
 * futures MPY_USES_FUTURE, for mpy_futures.h.
 */
#ifndef MPY_CLASSES_H
#define MPY_CLASSES_H

#include "mpy_text.h"

/* An object: what else there is to know of it is in its entry. */
typedef MPY_TYPE(MPY_TYPE_SLOTS) mpy_type_t;

typedef struct {
    const mpy_type_t *type;
    size_t entry;
#ifdef MPY_USES_FUTURE
    void *more; /* of a future, what it borrows; of an awaiter, what it awaits */
#endif
} mpy_instance_t;

typedef struct mpy_entry {
    uintptr_t hidden; /* the address plus 1, which the collector takes for no pointer; the next free << 1 */
    uint32_t ptr; /* Rust's; 0 when Rust has taken it back. Of a closure, its data. */
    uint32_t extra; /* of a closure, its table of methods; of a future, the task that waits for it */
    uint16_t kind; /* the class, or MPY_CLASSES + the closure's type, or one of the next two */
    uint16_t calls; /* of a closure, how many are under way, times 2, and whether Rust has dropped it; of a future, whether
                       it returns a float */
} mpy_entry_t;

#ifdef MPY_USES_FUTURE
enum { MPY_FUTURE = 0xfffe, MPY_AWAITER = 0xffff };
#ifdef MPY_CLOSURES
#define MPY_FUTURE_TYPE (MPY_CLASSES + 1)
#else
#define MPY_FUTURE_TYPE MPY_CLASSES
#endif
static void mpy_end_future(uint32_t kind, uint32_t ptr);
#endif

#define MPY_NO_ENTRY (SIZE_MAX >> 1)
/* So many may be dead before a collection is worth its time. */
#define MPY_FEW_ENTRIES 64

typedef struct {
    uint16_t name; /* index of a string */
    uint8_t kind;
    const void *value; /* a function object, or the function of a property */
} mpy_member_t;

enum { MPY_METHOD, MPY_STATIC, MPY_GETTER, MPY_SETTER };

typedef struct {
    uint16_t name;
    uint16_t count;
    const mpy_member_t *members;
    void (*free)(uint32_t ptr, uint32_t later);
} mpy_class_t;

typedef struct {
    void (*call)(mpy_slot_t *slots);
    const char *type;
    uint8_t count;
    uint8_t is_mutable;
    uint8_t is_owned;
} mpy_closure_t;

WASM_STATE(mpy_type_t, mpy_types, [MPY_TYPES]); /* behind the classes, the types of closures and of futures */
#define mpy_types WASM_REACH(mpy_types)

#if MPY_CLASSES > 0
MPY_TABLE(mpy_class_t, mpy_classes, [MPY_CLASSES]);
#define mpy_classes MPY_REACH_TABLE(mpy_classes)
#endif
#if MPY_CLASSES > 0
/* Class number `kind`, which may be the only one. */
static inline const mpy_class_t *mpy_class(uint32_t kind) { return &mpy_classes[MPY_CLASSES == 1 ? 0 : kind]; }
#endif
#ifdef MPY_CLOSURES
MPY_TABLE(mpy_closure_t, mpy_closures, [MPY_CLOSURES]);
#define mpy_closures MPY_REACH_TABLE(mpy_closures)
#endif

static const mpy_type_t *mpy_type_of_kind(uint32_t kind) {
#ifdef MPY_USES_FUTURE
    if (kind >= MPY_FUTURE) {
        return &mpy_types[MPY_FUTURE_TYPE];
    }
#endif
#ifdef MPY_CLOSURES
    return &mpy_types[kind < MPY_CLASSES ? kind : MPY_CLASSES];
#else
    return &mpy_types[MPY_TYPES == 1 ? 0 : kind];
#endif
}

#ifdef MPY_CLOSES
static void mpy_end_entries(void) {
    mpy_entries = NULL;
    mpy_entries_size = mpy_entries_free = 0;
}
#endif

/* Gives back to Rust what the objects held that are gone; the number of them. */
static size_t mpy_sweep(void) {
    size_t found = 0;
    for (size_t i = 0; i < mpy_entries_size; i++) {
        mpy_entry_t entry = mpy_entries[i];
        const mpy_instance_t *obj = (const mpy_instance_t *)(entry.hidden - 1);
        if ((entry.hidden & 1) == 0 || (obj->type == mpy_type_of_kind(entry.kind) && obj->entry == i)) {
            continue;
        }
        found++;
        mpy_entries[i].hidden = mpy_entries_free << 1;
        mpy_entries_free = i;
        if (entry.ptr == 0) {
            continue;
        }
#ifdef MPY_USES_FUTURE
        if (entry.kind >= MPY_FUTURE) {
            mpy_end_future(entry.kind, entry.ptr);
            continue;
        }
#endif
#ifdef MPY_CLOSURES
        if (entry.kind >= MPY_CLASSES) {
            if (mpy_closures[entry.kind - MPY_CLASSES].is_owned) {
                MPY_DESTROY(entry.ptr, entry.extra);
            }
            continue;
        }
#endif
#if MPY_CLASSES > 0
        mpy_class(entry.kind)->free(entry.ptr, 1);
#endif
    }
    return found;
}

/* Has memory that is free used again, which makes objects noticeable that are gone: a collection frees
 * it, and allocations of several sizes find it. How much of it is worth the time depends on how many
 * objects may be found. */
static void mpy_recycle(size_t objects) {
    mp_obj_t gc = mp_fun_import_name(mp_native_qstr_table[MPY_STRING_GC], mp_const_none, MP_OBJ_NEW_SMALL_INT(0));
    mp_fun_call_function_n_kw(mp_fun_load_attr(gc, mp_native_qstr_table[MPY_STRING_COLLECT]), 0, NULL);
    /* Small ones fill holes, the large ones what lies between objects that died with others. */
    static const uint16_t sizes[] = {sizeof(void *), 128, 1024};
    void **chain = NULL;
    for (unsigned i = 0; i < 3; i++) {
        for (size_t left = i == 0 ? 4 * objects : objects; left > 0; left--) {
            void **block = mp_fun_realloc(NULL, sizes[i], false);
            if (block == NULL) {
                break;
            }
            *block = chain;
            chain = block;
        }
    }
    while (chain != NULL) {
        void **next = *chain;
        mp_fun_realloc(chain, 0, false);
        chain = next;
    }
}

/* Makes room for entries; whether there is any. */
static bool mpy_more_entries(void) {
    size_t size = mpy_entries_size;
    if (mpy_sweep() > size / 4) {
        return true;
    }
    if (size >= MPY_FEW_ENTRIES) {
        mpy_recycle(size);
        if (mpy_sweep() > size / 4) {
            return true;
        }
    }
    size_t more = size == 0 ? 8 : 2 * size;
    mpy_entry_t *moved = mp_fun_realloc(mpy_entries, more * sizeof(mpy_entry_t), true);
    if (moved == NULL) {
        /* As little memory as that is soon used again. */
        mpy_recycle(size);
        mpy_sweep();
        return mpy_entries_free < mpy_entries_size;
    }
    for (size_t i = size; i < more; i++) {
        moved[i].hidden = (i + 1) << 1;
    }
    moved[more - 1].hidden = (mpy_entries_free < size ? mpy_entries_free : MPY_NO_ENTRY) << 1;
    mpy_entries = moved;
    mpy_entries_size = more;
    mpy_entries_free = size;
    return true;
}

/* The object that stands for `ptr` from now on; NULL when there is no memory for it. */
static mpy_instance_t *mpy_new_entry(uint32_t kind, uint32_t ptr, uint32_t extra) {
    if (mpy_entries_free >= mpy_entries_size && !mpy_more_entries()) {
        return NULL;
    }
    mpy_instance_t *obj = mp_fun_realloc(NULL, sizeof(mpy_instance_t), false);
    if (obj == NULL) {
        return NULL;
    }
    size_t entry = mpy_entries_free;
    mpy_entries_free = mpy_entries[entry].hidden >> 1;
    mpy_entries[entry] = (mpy_entry_t){(uintptr_t)obj + 1, ptr, extra, (uint16_t)kind, 0};
    obj->type = mpy_type_of_kind(kind);
    obj->entry = entry;
#ifdef MPY_USES_FUTURE
    obj->more = NULL;
#endif
    return obj;
}

static uint32_t mpy_consume(mpy_entry_t *entry) {
    uint32_t ptr = entry->ptr;
    entry->ptr = 0;
    return ptr;
}

#if MPY_CLASSES > 0

/* How often the object at `ptr` is borrowed, as wasm-bindgen counts: its cell begins with that (`WasmRefCell`). Where
 * it lies was looked at when Rust gave it away. */
static inline wasm_u32 *mpy_borrowed(uint32_t ptr) {
    return (wasm_u32 *)((uintptr_t)MPY_MEMORY + ptr);
}

/* What Rust is given back must not be in use. */
static void mpy_check_unborrowed(const mpy_entry_t *entry) {
    if (*mpy_borrowed(entry->ptr) != 0) {
        mpy_raise(MP_QSTR_RuntimeError, "object is borrowed");
    }
}

static mp_obj_t mpy_new_instance(uint32_t kind, uint32_t ptr) {
    if (ptr == 0) {
        return mp_const_none;
    }
#ifndef MPY_IS_DIRECT
    if (ptr % 4 != 0 || ptr > MPY_MEMORY_SIZE || 4 > MPY_MEMORY_SIZE - ptr) {
        wasm_trap(WASM_TRAP_MEMORY_OUT_OF_BOUNDS);
    }
#endif
    mpy_instance_t *obj = mpy_new_entry(kind, ptr, 0);
    if (obj == NULL) {
        mpy_class(kind)->free(ptr, 0);
        mpy_raise_no_memory("no memory for an object");
    }
    return obj;
}

/* `obj` as an instance of the class itself, which is the part of an instance of a class in Python that
 * is derived from it (`mp_obj_instance_t`); NULL when it is none. */
static mpy_instance_t *mpy_cast(mp_obj_t obj, uint32_t kind) {
    const mp_obj_full_type_t *wanted = (const void *)mpy_type_of_kind(kind);
    const mp_obj_full_type_t *type = (const mp_obj_full_type_t *)mp_fun_obj_get_type(obj);
    if (type == wanted) {
        return obj;
    }
    while (type->parent != 0) {
        type = type->slots[type->parent - 1];
        if (type == wanted) {
            mpy_instance_t *part = ((mp_obj_t *)obj)[4];
            return (const mp_obj_full_type_t *)mp_fun_obj_get_type(part) == wanted ? part : NULL;
        }
        if (type->type != &mp_type_type) {
            break; /* several parents */
        }
    }
    return NULL;
}

MPY_SHARED mpy_entry_t *mpy_instance(mp_obj_t obj, uint32_t kind) {
    const void *wanted = mpy_type_of_kind(kind);
    mpy_instance_t *instance = mp_fun_obj_get_type(obj) == wanted ? obj : mpy_cast(obj, kind);
    if (instance == NULL) {
        mpy_raise_type_error("object of another class");
    }
    mpy_entry_t *entry = &mpy_entries[instance->entry];
    if (entry->ptr == 0) {
        mpy_raise_value_error("object was freed or given away");
    }
    return entry;
}

#ifdef MPY_USES_OBJECTS
/* The pointer of the object, which Rust takes back; 0 when it is of another class, or in use. */
__attribute__((unused)) static uint32_t mpy_unwrap(mp_obj_t obj, uint32_t kind) {
    mpy_instance_t *instance = mpy_cast(obj, kind);
    if (instance == NULL) {
        return 0;
    }
    mpy_entry_t *entry = &mpy_entries[instance->entry];
    return entry->ptr != 0 && *mpy_borrowed(entry->ptr) != 0 ? 0 : mpy_consume(entry);
}
#endif

/* What the slot `print` of a class does with what its method returns. */
__attribute__((unused)) static void mpy_print_text(const mp_print_t *print, mp_obj_t text) {
    mp_buffer_info_t info;
    mp_fun_get_buffer(text, &info, MP_BUFFER_READ | MP_BUFFER_RAISE_IF_UNSUPPORTED);
    mp_fun_table.printf(print, "%.*s", (int)info.len, info.buf);
}

/* What a method returns as a hash, which must be a small integer (py/objtype.c, instance_unary_op). */
__attribute__((unused)) static mp_obj_t mpy_hash(mp_obj_t obj) {
    return MP_OBJ_NEW_SMALL_INT(mp_fun_native_from_obj(obj, MP_NATIVE_TYPE_INT));
}

/* free() of every class. */
static mp_obj_t mpy_free(mp_obj_t self) {
    mpy_check_open();
    /* Python can call it with any object. */
    uintptr_t distance = (uintptr_t)mp_fun_obj_get_type(self) - (uintptr_t)mpy_types;
    if (distance >= MPY_CLASSES * sizeof(mpy_type_t)) {
        mpy_raise_type_error("object of another class");
    }
    mpy_entry_t *entry = &mpy_entries[((mpy_instance_t *)self)->entry];
    if (entry->ptr != 0) {
        mpy_check_unborrowed(entry);
        mpy_class((uint32_t)(distance / sizeof(mpy_type_t)))->free(mpy_consume(entry), 0);
    }
    return mp_const_none;
}

MPY_FUNCTION(mpy_free_object, 1, mpy_free);

#if defined(MPY_USES_GETTER) || defined(MPY_USES_SETTER)
/* Attributes that are properties; the rest is in the type's dictionary. */
static void mpy_attribute(mp_obj_t self, qstr name, mp_obj_t *dest) {
    const mpy_class_t *type = mpy_class((uint32_t)(((const mpy_instance_t *)self)->type - mpy_types));
    for (unsigned i = 0; i < type->count; i++) {
        const mpy_member_t *member = &type->members[i];
        if (mp_native_qstr_table[member->name] != name) {
            continue;
        }
#ifdef MPY_USES_GETTER
        if (member->kind == MPY_GETTER && dest[0] == MP_OBJ_NULL) {
            dest[0] = ((mp_obj_t(*)(mp_obj_t))member->value)(self);
            return;
        }
#endif
#ifdef MPY_USES_SETTER
        if (member->kind == MPY_SETTER && dest[0] != MP_OBJ_NULL && dest[1] != MP_OBJ_NULL) {
            ((mp_obj_t(*)(mp_obj_t, mp_obj_t))member->value)(self, dest[1]);
            dest[0] = MP_OBJ_NULL;
            return;
        }
#endif
    }
    if (dest[0] == MP_OBJ_NULL) {
        dest[1] = MP_OBJ_SENTINEL;
    }
}
#endif

#endif

#if MPY_CLASSES > 0
/* Completes the types of the classes, and names them in the module. */
static void mpy_init_classes(void) {
    for (unsigned i = 0; i < MPY_CLASSES; i++) {
        const mpy_class_t *class_ = &mpy_classes[i];
        mpy_type_t *type = &mpy_types[i];
        type->name = mp_native_qstr_table[class_->name];
        mp_obj_t dict = mp_fun_table.new_dict(class_->count + 1u);
        /* A method of the user's may have this name, too. */
        mp_fun_dict_store(dict,
            mp_fun_native_to_obj(mp_native_qstr_table[MPY_STRING_FREE], MP_NATIVE_TYPE_QSTR),
            (mp_obj_t)MPY_OBJECT(mpy_free_object, 1, mpy_free));
        for (unsigned j = 0; j < class_->count; j++) {
            const mpy_member_t *member = &class_->members[j];
#if defined(MPY_USES_GETTER) || defined(MPY_USES_SETTER)
            if (member->kind >= MPY_GETTER) {
                continue;
            }
#endif
            mp_obj_t function = (mp_obj_t)member->value;
#ifdef MPY_USES_STATIC
            if (member->kind == MPY_STATIC) {
                function = mp_fun_call_function_n_kw(mp_fun_load_global(MP_QSTR_staticmethod), 1, &function);
            }
#endif
            mp_fun_dict_store(dict,
                mp_fun_native_to_obj(mp_native_qstr_table[member->name], MP_NATIVE_TYPE_QSTR), function);
        }
        type->slots[type->locals_dict - 1] = dict;
        mp_fun_table.store_global(type->name, type);
    }
}
#endif

#endif
