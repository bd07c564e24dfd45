/* A plugin for QEMU's translator that watches the native code of modules.
 *
 *   -plugin FILE,code=LOW:HIGH[,marks=FILE][,words=LOW:HIGH]
 *
 * code   where the firmware puts native code. Instructions there are counted.
 * marks  at every call of the firmware's `emulator_mark` (`machine.idle()`), the count so far is
 *        written to this file, a decimal number on a line. The same on every run and machine.
 * words  memory which the chip this stands for can only read and write by aligned 32-bit words,
 *        where QEMU's can do more: another access ends the emulator as a fault does.
 *
 * QEMU's header is in no package: these are the declarations of its plugin API, version 1
 * (QEMU's include/qemu/qemu-plugin.h; "QEMU TCG Plugins" in its manual).
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_R = 1, QEMU_PLUGIN_MEM_W, QEMU_PLUGIN_MEM_RW };

void qemu_plugin_register_vcpu_tb_trans_cb(
    qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *);
void qemu_plugin_register_vcpu_insn_exec_cb(
    struct qemu_plugin_insn *, void (*)(unsigned, void *), enum qemu_plugin_cb_flags, void *);
void qemu_plugin_register_vcpu_insn_exec_inline(
    struct qemu_plugin_insn *, enum qemu_plugin_op, void *, uint64_t);
void qemu_plugin_register_vcpu_mem_cb(
    struct qemu_plugin_insn *, void (*)(unsigned, qemu_plugin_meminfo_t, uint64_t, void *),
    enum qemu_plugin_cb_flags, enum qemu_plugin_mem_rw, void *);
unsigned qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

typedef struct {
    uint64_t low, high;
} range_t;

static range_t code, words;
static uint64_t count;
// All instructions, counted only for the sake of marks.
static uint64_t executed, last_mark;
static FILE *marks;

static bool inside(range_t range, uint64_t address) {
    return range.low <= address && address < range.high;
}

static void mark(unsigned vcpu, void *data) {
    (void)vcpu, (void)data;
    // An instruction that starts over after an exception (a window's overflow), or a second block of
    // the same function, is no second call: calls from Python are far apart.
    if (last_mark && executed - last_mark < 64) {
        return;
    }
    last_mark = executed;
    fprintf(marks, "%" PRIu64 "\n", count);
    fflush(marks);
}

static void memory(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *pc) {
    (void)vcpu;
    unsigned shift = qemu_plugin_mem_size_shift(info);
    if (!inside(words, address) || (shift == 2 && address % 4 == 0)) {
        return;
    }
    // The form of the firmware's own reports, on the line it would use.
    char text[200];
    int len = snprintf(text, sizeof(text),
        "\r\nFATAL: %u-bit access to memory that has 32-bit words only\r\n      pc %08" PRIx64 "  vaddr %08" PRIx64 "\r\n",
        8U << shift, (uint64_t)(uintptr_t)pc, address);
    if (write(1, text, len) != len) {
        _exit(71);
    }
    _exit(70);
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    (void)id;
    size_t n = qemu_plugin_tb_n_insns(tb);
    for (size_t i = 0; i < n; ++i) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint64_t pc = qemu_plugin_insn_vaddr(insn);
        if (marks) {
            qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &executed, 1);
        }
        if (inside(code, pc)) {
            qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &count, 1);
        }
        if (marks && i == 0) {
            const char *symbol = qemu_plugin_insn_symbol(insn);
            if (symbol && strcmp(symbol, "emulator_mark") == 0) {
                qemu_plugin_register_vcpu_insn_exec_cb(insn, mark, QEMU_PLUGIN_CB_NO_REGS, NULL);
            }
        }
        if (words.high) {
            qemu_plugin_register_vcpu_mem_cb(
                insn, memory, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, (void *)(uintptr_t)pc);
        }
    }
}

static bool range(const char *text, const char *name, range_t *to) {
    size_t len = strlen(name);
    return strncmp(text, name, len) == 0 && text[len] == '='
        && sscanf(text + len + 1, "%" SCNx64 ":%" SCNx64, &to->low, &to->high) == 2;
}

__attribute__((visibility("default")))
int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv) {
    (void)info;
    for (int i = 0; i < argc; ++i) {
        if (strncmp(argv[i], "marks=", 6) == 0) {
            marks = fopen(argv[i] + 6, "w");
            if (!marks) {
                perror(argv[i] + 6);
                return 1;
            }
        } else if (!range(argv[i], "code", &code) && !range(argv[i], "words", &words)) {
            fprintf(stderr, "unknown option %s\n", argv[i]);
            return 1;
        }
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return 0;
}
