/* The part in RAM of a module whose code is in flash (mpy_in_flash.h): an ordinary native module, which starts the other part,
 * and the entries by which the firmware calls that. MPY_ENTRIES is how many there are. */
#include "mpy.h"
#include "mpy_stub.h"

register uintptr_t mpy_callers __asm__(MPY_QUOTE(MPY_BASE_REGISTER));

/* The address of the block, which the entries read, and what keeps the code alive where it is in MicroPython's heap. They lie by
 * themselves whatever the architecture. */
__attribute__((visibility("default"))) struct {
    uint8_t *block;
    const void *code;
} mpy_stub;

void mpy_entries(void);
void mpy_init(void);

void mpy_init(void) {
    uintptr_t callers = mpy_callers;
    const mp_fun_table_t *functions = &mp_fun_table;
    mp_obj_t object = mp_native_obj_table[0];
    mp_buffer_info_t code;
    for (;;) {
        functions->get_buffer(object, &code, MP_BUFFER_READ);
        if ((uintptr_t)code.buf % 4 == 0) {
            break;
        }
        /* Another tool made the image. */
        object = functions->obj_new_bytes(code.buf, code.len);
    }
    mpy_stub.code = code.buf;
#ifdef __thumb__
    mpy_start_t *start = (mpy_start_t *)((uintptr_t)code.buf + 1);
#else
    mpy_start_t *start = (mpy_start_t *)code.buf;
#endif
    start(&mpy_stub.block, functions, mp_native_qstr_table, (uintptr_t)mpy_entries);
    mpy_callers = callers;
}

/* An entry says which one it is by the address behind it. What they share keeps the caller's register, sets that of the module,
 * and calls what the block has for the entry. Arguments are in registers: the firmware passes four at most. */
#define MPY_REPEATED(text) ".rept " MPY_QUOTE(MPY_ENTRIES) "\n" text ".endr\n"

__asm__(
    ".pushsection .text.mpy_entries, \"ax\"\n"
#ifdef __riscv
    ".option push\n"
    ".option norelax\n"
    "mpy_called:\n"
    "addi sp, sp, -16\n"
    "sw ra, 12(sp)\n"
    "sw s11, 8(sp)\n"
    "la t0, mpy_stub\n"
    "lw s11, 0(t0)\n"
    "lla t0, mpy_entries\n"
    "sub t1, t1, t0\n" /* 4 k + 4 */
    "add t1, t1, s11\n"
    "lw t1, " MPY_QUOTE(MPY_TARGETS) " - 4(t1)\n"
    "jalr t1\n"
    "lw ra, 12(sp)\n"
    "lw s11, 8(sp)\n"
    "addi sp, sp, 16\n"
    "ret\n"
    ".balign 4\n"
    ".option norvc\n"
    "mpy_entries:\n"
    MPY_REPEATED("jal t1, mpy_called\n")
    ".option pop\n"
#else
    ".syntax unified\n"
    ".thumb\n"
    ".balign 4\n"
    ".thumb_func\n"
    "mpy_called:\n"
#ifdef __ARM_ARCH_6M__
    "push {r4, r5, r6, lr}\n"
    "mov r4, ip\n"
    "str r4, [sp, #12]\n"
    "mov r5, r9\n"
    "mov r4, lr\n"
    "adr r6, 2f\n"
    "subs r4, r4, r6\n" /* 8 k + 7 */
    "lsrs r4, r4, #1\n" /* 4 k + 3 */
    "ldr r6, 1f\n"
    "ldr r6, [r6]\n"
    "mov r9, r6\n"
    "adds r6, r6, r4\n"
    "adds r6, #" MPY_QUOTE(MPY_TARGETS) " - 3\n"
    "ldr r6, [r6]\n"
    "blx r6\n"
    "mov r9, r5\n"
    "pop {r4, r5, r6, pc}\n"
#else
    "push.w {r8, r9, r10, ip}\n"
    "ldr.w r9, 1f\n"
    "ldr.w r9, [r9]\n"
    "adr.w ip, 2f\n"
    "sub.w lr, lr, ip\n" /* 8 k + 7 */
    "add.w lr, r9, lr, lsr #1\n" /* 4 k + 3 */
    "ldr.w lr, [lr, #" MPY_QUOTE(MPY_TARGETS) " - 3]\n"
    "blx lr\n"
    "pop.w {r8, r9, r10, pc}\n"
#endif
    ".balign 4\n"
    "1: .word mpy_stub\n"
    "2:\n"
    ".thumb_func\n"
    "mpy_entries:\n"
    MPY_REPEATED("mov ip, lr\n" "bl mpy_called\n" "nop\n")
#endif
    ".popsection\n");
