// A block device in RAM outside the collector's heap: files survive soft and machine resets, as
// in the flash of a board, and cost no heap.

#include <string.h>
#include "py/runtime.h"
#include "py/mperrno.h"
#include "extmod/vfs.h"
#include "extmod/vfs_lfs.h"
#include "ramdisk.h"

#define BLOCK_SIZE (4096)

static uint8_t disk[EMULATOR_DISK / BLOCK_SIZE][BLOCK_SIZE] __attribute__((section(".noinit")));

typedef struct {
    mp_obj_base_t base;
} ramdisk_obj_t;

static const mp_obj_type_t ramdisk_type;
static const ramdisk_obj_t ramdisk_obj = { { &ramdisk_type } };

// The bytes a call means: block, buffer and, in the extended protocol, an offset into the block.
static uint8_t *range(size_t n_args, const mp_obj_t *args, size_t len) {
    size_t start = mp_obj_get_int(args[1]) * BLOCK_SIZE + (n_args == 4 ? mp_obj_get_int(args[3]) : 0);
    if (start > sizeof(disk) || len > sizeof(disk) - start) {
        mp_raise_OSError(MP_EIO);
    }
    return (uint8_t *)disk + start;
}

static mp_obj_t ramdisk_readblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t to;
    mp_get_buffer_raise(args[2], &to, MP_BUFFER_WRITE);
    memcpy(to.buf, range(n_args, args, to.len), to.len);
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(ramdisk_readblocks_obj, 3, 4, ramdisk_readblocks);

static mp_obj_t ramdisk_writeblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t from;
    mp_get_buffer_raise(args[2], &from, MP_BUFFER_READ);
    memcpy(range(n_args, args, from.len), from.buf, from.len);
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(ramdisk_writeblocks_obj, 3, 4, ramdisk_writeblocks);

static mp_obj_t ramdisk_ioctl(mp_obj_t self, mp_obj_t operation, mp_obj_t argument) {
    switch (mp_obj_get_int(operation)) {
        case MP_BLOCKDEV_IOCTL_INIT:
        case MP_BLOCKDEV_IOCTL_DEINIT:
        case MP_BLOCKDEV_IOCTL_SYNC:
            return MP_OBJ_NEW_SMALL_INT(0);
        case MP_BLOCKDEV_IOCTL_BLOCK_COUNT:
            return MP_OBJ_NEW_SMALL_INT(MP_ARRAY_SIZE(disk));
        case MP_BLOCKDEV_IOCTL_BLOCK_SIZE:
            return MP_OBJ_NEW_SMALL_INT(BLOCK_SIZE);
        case MP_BLOCKDEV_IOCTL_BLOCK_ERASE:
            // RAM needs no erasing before a write.
            return MP_OBJ_NEW_SMALL_INT(0);
        default:
            return mp_const_none;
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(ramdisk_ioctl_obj, ramdisk_ioctl);

static const mp_rom_map_elem_t ramdisk_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&ramdisk_readblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&ramdisk_writeblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&ramdisk_ioctl_obj) },
};
static MP_DEFINE_CONST_DICT(ramdisk_locals, ramdisk_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(
    ramdisk_type,
    MP_QSTR_RAMDisk,
    MP_TYPE_FLAG_NONE,
    locals_dict, &ramdisk_locals
    );

void ramdisk_mount(void) {
    mp_obj_t disk_obj = MP_OBJ_FROM_PTR(&ramdisk_obj);
    mp_obj_t root = MP_OBJ_NEW_QSTR(MP_QSTR__slash_);
    if (mp_vfs_mount_and_chdir_protected(disk_obj, root) == 0) {
        return;
    }
    // The first start, or somebody wrote over it: make a new filesystem.
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_call_function_1(mp_load_attr(MP_OBJ_FROM_PTR(&mp_type_vfs_lfs2), MP_QSTR_mkfs), disk_obj);
        nlr_pop();
        mp_vfs_mount_and_chdir_protected(disk_obj, root);
    } else {
        mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
    }
}
