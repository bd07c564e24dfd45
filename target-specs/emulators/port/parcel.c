// Files the emulator laid into memory before the start, stored on the RAM disk: as quick as memory,
// where the serial line would take a round trip through QEMU for every byte.
//
// A parcel is the word `MPYF`, the bytes of heap that this board has (0: all there are) and, for each
// file, the lengths of its name and its contents (32-bit, little-endian), the name, the contents, and
// zeros up to a multiple of 4; then two zero words. A name that ends with `/` is that of a folder.

#include <string.h>
#include "py/builtin.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "extmod/vfs.h"
#include "parcel.h"

#define MAGIC (0x4659504d)

size_t parcel_heap(const uint32_t *parcel, size_t most) {
    return parcel[0] == MAGIC && parcel[1] != 0 && parcel[1] < most ? parcel[1] : most;
}

void parcel_unpack(const uint32_t *parcel) {
    // Once after each hard reset: a program's changes to the files survive soft resets.
    static bool done;
    if (done || *parcel++ != MAGIC) {
        return;
    }
    done = true;
    parcel++; // the heap
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
        return;
    }
    while (parcel[0] != 0) {
        uint32_t name_len = parcel[0], len = parcel[1];
        const char *name = (const char *)(parcel + 2);
        parcel += 2 + (name_len + len + 3) / 4;
        if (name[name_len - 1] == '/') {
            mp_vfs_mkdir(mp_obj_new_str(name, name_len - 1));
            continue;
        }
        mp_obj_t args[] = { mp_obj_new_str(name, name_len), MP_OBJ_NEW_QSTR(MP_QSTR_wb) };
        mp_obj_t file = mp_vfs_open(2, args, (mp_map_t *)&mp_const_empty_map);
        int error;
        mp_stream_rw(file, (void *)(name + name_len), len, &error, MP_STREAM_RW_WRITE);
        if (error) {
            mp_raise_OSError(error);
        }
        mp_stream_close(file);
    }
    nlr_pop();
}
