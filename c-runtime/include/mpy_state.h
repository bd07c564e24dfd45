/* What changes in the bindings of most modules. It is one object, so that a function that uses several of these needs one
 * address.
 *
 * The definitions that decide what there is are those of the headers that use it.
 */
#ifndef MPY_STATE_H
#define MPY_STATE_H

#include "mpy.h"

#if defined(MPY_CLOSES) || defined(MPY_LENDS) || defined(MPY_TRACKS) || defined(MPY_LENT) || defined(MPY_USES_OBJECTS) \
    || defined(MPY_USES_ENTRIES)

struct mpy_lent_buffers;
struct mpy_call;
struct mpy_entry;

typedef struct {
#ifdef MPY_CLOSES
    uint32_t uses;
    bool is_closed;
#endif
#ifdef MPY_LENDS
    const struct mpy_lent_buffers *lending, *lending_base;
#endif
#ifdef MPY_TRACKS
    struct mpy_call *calls;
#endif
#ifdef MPY_USES_ENTRIES
    struct mpy_entry *entries;
    size_t entries_size, entries_free;
#endif
#ifdef MPY_USES_OBJECTS
    mp_obj_t *objects;
    uint32_t objects_size, objects_free;
#endif
#ifdef MPY_LENT
    uint32_t lent_top, lent_base;
    mp_obj_t lent[MPY_LENT];
#endif
} mpy_variables_t;

WASM_STATE(mpy_variables_t, mpy_variables);
#define mpy_variables WASM_REACH(mpy_variables)

/* Whether an instance of a module was closed, as it can be when the module is imported again (mpy_close.h), and how many
 * calls are under way that use its memory and wait for Python. */
#define mpy_is_closed mpy_variables.is_closed
#define mpy_uses mpy_variables.uses
/* The buffers of the innermost call, and of the innermost that waits for an import. */
#define mpy_lending mpy_variables.lending
#define mpy_lending_base mpy_variables.lending_base
/* The innermost call that holds something; the others follow by `before`. */
#define mpy_calls mpy_variables.calls
/* The table of what Rust has given to Python. */
#define mpy_entries mpy_variables.entries
#define mpy_entries_size mpy_variables.entries_size
#define mpy_entries_free mpy_variables.entries_free
/* The table of what Python has given to Rust; an entry that is free holds the index of the next as a small integer. */
#define mpy_objects mpy_variables.objects
#define mpy_objects_size mpy_variables.objects_size
#define mpy_objects_free mpy_variables.objects_free
/* Objects lent, the last of them last, and how many of them belong to calls that wait for an import. */
#define mpy_lent mpy_variables.lent
#define mpy_lent_top mpy_variables.lent_top
#define mpy_lent_base mpy_variables.lent_base

#endif
#endif
