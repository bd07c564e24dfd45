/* A plugin for QEMU's translator that watches the native code of modules.
 *
 *   -plugin FILE,code=LOW:HIGH[,marks=FILE][,words=LOW:HIGH][,functions=FILE,profile=FILE]
 *
 * code   where the firmware puts native code. Instructions there are counted.
 * marks  at every call of the firmware's `emulator_mark` (`machine.idle()`), the count so far is
 *        written to this file, a decimal number on a line. The same on every run and machine.
 * words  memory which the chip this stands for can only read and write by aligned 32-bit words,
 *        where QEMU's can do more: another access ends the emulator as a fault does.
 * functions, profile
 *        what was executed, by who called it, from the time when a module is loaded to the end of the
 *        Python code that loads it. See `Functions` and `The profile` below.
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
void qemu_plugin_register_vcpu_tb_exec_cb(
    struct qemu_plugin_tb *, void (*)(unsigned, void *), enum qemu_plugin_cb_flags, void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);
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
// All instructions, counted only for the sake of marks and the profile.
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

/* Functions
 *
 * The file has a line for each: `f ADDRESS SIZE` for one of the firmware, and `m OFFSET SIZE` for one in the text of the
 * module, sorted, behind `t SIZE` for that text. Functions are known by their line's number; -1 is code of none of them.
 */
typedef struct {
    uint64_t start, size;
} function_t;

static function_t *functions;
static int all_functions, firmware_functions;
static uint64_t text_size;
// Where the module was loaded, the last time last.
static uint64_t *texts;
static int all_texts;

static void *more(void *list, int count, size_t size) {
    // The power of two above the count.
    if ((count & (count - 1)) == 0) {
        list = realloc(list, size * (count ? 2 * count : 1));
        if (!list) {
            abort();
        }
    }
    return list;
}

static bool read_functions(const char *path) {
    FILE *file = fopen(path, "r");
    char kind;
    function_t function = {0, 0};
    while (file && fscanf(file, " %c", &kind) == 1) {
        if (kind == 't' ? fscanf(file, "%" SCNx64, &text_size) != 1
                        : fscanf(file, "%" SCNx64 " %" SCNx64, &function.start, &function.size) != 2) {
            break;
        }
        if (kind != 't') {
            functions = more(functions, all_functions, sizeof(*functions));
            functions[all_functions++] = function;
            firmware_functions += kind == 'f';
        }
    }
    bool whole = file && feof(file);
    if (file) {
        fclose(file);
    }
    return whole;
}

// The function that has the address, of those from `low` to `high`.
static int find(uint64_t address, int low, int high) {
    int end = high;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (functions[middle].start <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 && low <= end && address - functions[low - 1].start < functions[low - 1].size ? low - 1 : -1;
}

static int function_at(uint64_t address, bool *starts) {
    uint64_t offset = address;
    int found = -1;
    for (int i = all_texts; i-- > 0 && found < 0;) {
        if (address - texts[i] < text_size) {
            offset = address - texts[i];
            found = find(offset, firmware_functions, all_functions);
            found = found < firmware_functions ? -1 : found;
        }
    }
    if (found < 0 && !inside(code, address)) {
        found = find(address, 0, firmware_functions);
    }
    *starts = found >= 0 && functions[found].start == offset;
    return found;
}

/* The profile
 *
 * Blocks of instructions are counted in the nodes of a tree of calls. A call is where a block goes to the start of a function. It
 * ends where the instruction behind that block is executed, or one of a function that called it: an exception in Python does not
 * return to its callers. A function that calls itself is one node.
 *
 * The file has the lines
 *
 *   code ADDRESS            for each time the module was loaded
 *   block NUMBER ADDRESS…   the instructions of a block
 *   node NUMBER PARENT FUNCTION ADDRESS
 *                           the last is that of the call, if native code called; 0 otherwise
 *   count NODE BLOCK TIMES
 *   end INSTRUCTIONS        all that were executed
 */
typedef struct {
    uint64_t *addresses, behind;
    int count, function, number;
    bool starts;
} block_t;
typedef struct {
    int parent, function;
    uint64_t from;
} node_t;
typedef struct {
    uint64_t key, value;
} slot_t;
// From keys, which are not 0, to values, in a table whose size is a power of two.
typedef struct {
    slot_t *slots;
    uint64_t size, used;
} map_t;

static const char *profile;
static bool counting;
static uint64_t counted_from, counted_to;
static block_t **blocks;
static int all_blocks;
static node_t *nodes;
static int all_nodes;
static map_t blocks_by_place, nodes_by_call, sites, counts;
static block_t *last_block;
static struct {
    int node;
    // The instruction behind the call, and the last one of the function so far.
    uint64_t behind, last;
} calls[256];
static int depth;

static slot_t *slot(map_t *map, uint64_t key) {
    if (map->used * 2 >= map->size) {
        map_t larger = {calloc(map->size ? 2 * map->size : 1024, sizeof(slot_t)), map->size ? 2 * map->size : 1024, 0};
        if (!larger.slots) {
            abort();
        }
        for (uint64_t i = 0; i < map->size; ++i) {
            if (map->slots[i].key) {
                *slot(&larger, map->slots[i].key) = map->slots[i];
            }
        }
        free(map->slots);
        *map = larger;
    }
    uint64_t at = key * 0x9e3779b97f4a7c15 >> 20;
    while (map->slots[at % map->size].key && map->slots[at % map->size].key != key) {
        ++at;
    }
    slot_t *found = &map->slots[at % map->size];
    map->used += !found->key;
    found->key = key;
    return found;
}

// A block of this many instructions, of which these are the first. `value` of a slot is the index + 1.
static block_t *block_of(const uint64_t *addresses, int count, uint64_t behind) {
    slot_t *known = slot(&blocks_by_place, addresses[0] << 12 | count);
    if (!known->value) {
        block_t *block = calloc(1, sizeof(*block));
        block->addresses = malloc(count * sizeof(*addresses));
        memcpy(block->addresses, addresses, count * sizeof(*addresses));
        block->count = count;
        block->behind = behind;
        block->number = all_blocks;
        block->function = function_at(addresses[0], &block->starts);
        blocks = more(blocks, all_blocks, sizeof(*blocks));
        blocks[all_blocks++] = block;
        known->value = all_blocks;
    }
    return blocks[known->value - 1];
}

// A call by native code has a node of its own, as functions are inlined there.
static int child(int parent, int function, uint64_t from) {
    uint64_t site = 0;
    if (inside(code, from)) {
        slot_t *known = slot(&sites, from);
        known->value = known->value ? known->value : sites.used;
        site = known->value;
    } else {
        from = 0;
    }
    slot_t *known = slot(&nodes_by_call, (uint64_t)(parent + 2) << 40 | (uint64_t)(function + 2) << 20 | site);
    if (!known->value) {
        nodes = more(nodes, all_nodes, sizeof(*nodes));
        nodes[all_nodes++] = (node_t){parent, function, from};
        known->value = all_nodes;
    }
    return known->value - 1;
}

// The instructions since the last time are the first ones of the last block, which an exception can end early.
static void count_last(void) {
    uint64_t count = executed - counted_to;
    counted_to = executed;
    if (!last_block || !count) {
        return;
    }
    block_t *block = last_block;
    if (count < (uint64_t)block->count) {
        block = block_of(block->addresses, count, block->behind);
    }
    ++slot(&counts, (uint64_t)(calls[depth].node + 1) << 32 | block->number)->value;
}

// Finds the call that a block is of.
static void follow(const block_t *block, const block_t *before) {
    uint64_t at = block->addresses[0];
    int function = block->function, top = nodes[calls[depth].node].function;
    if (block->starts && function != top && !(before && at == before->behind)) {
        int to = depth + 1 < (int)(sizeof(calls) / sizeof(calls[0])) ? depth + 1 : depth;
        calls[to].behind = before ? before->behind : 0;
        calls[to].last = 0;
        // Code of no function may be between them.
        calls[to].node = child(calls[to == depth ? depth - 1 : depth].node, function, calls[depth].last);
        depth = to;
        return;
    }
    if (function < 0 || function == top) {
        return;
    }
    for (int i = depth; i > 0; --i) {
        if (calls[i].behind == at && nodes[calls[i - 1].node].function == function) {
            depth = i - 1;
            return;
        }
    }
    for (int i = depth; i-- > 0;) {
        if (nodes[calls[i].node].function == function) {
            depth = i;
            return;
        }
    }
    // Counted from the middle of it, or jumped to: it takes the place of the one before.
    calls[depth].node = child(depth ? calls[depth - 1].node : 0, function, nodes[calls[depth].node].from);
}

static void enter(unsigned vcpu, void *data) {
    (void)vcpu;
    if (!counting) {
        return;
    }
    count_last();
    block_t *block = data;
    follow(block, last_block);
    last_block = block;
    if (block->function == nodes[calls[depth].node].function) {
        calls[depth].last = block->addresses[block->count - 1];
    }
}

// `emulator_code_placed` reads the first and the last word of what was loaded.
static void placed(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *data) {
    (void)vcpu, (void)info, (void)data;
    static uint64_t first;
    static bool second;
    if (!inside(code, address)) {
        return;
    }
    if (second && address - first == (text_size - 1) / 4 * 4) {
        texts = more(texts, all_texts, sizeof(*texts));
        texts[all_texts++] = first;
        if (!counting) {
            counting = true;
            counted_from = counted_to = executed;
            last_block = NULL;
            calls[0].node = child(-1, -1, 0);
        }
    }
    second = !second;
    first = address;
}

// Python code has ended.
static void end(unsigned vcpu, void *data) {
    (void)vcpu, (void)data;
    if (!counting) {
        return;
    }
    count_last();
    counting = false;
    FILE *file = fopen(profile, "w");
    if (!file) {
        perror(profile);
        return;
    }
    for (int i = 0; i < all_texts; ++i) {
        fprintf(file, "code %" PRIx64 "\n", texts[i]);
    }
    for (int i = 0; i < all_blocks; ++i) {
        fprintf(file, "block %d", i);
        for (int k = 0; k < blocks[i]->count; ++k) {
            fprintf(file, " %" PRIx64, blocks[i]->addresses[k]);
        }
        fprintf(file, "\n");
    }
    for (int i = 0; i < all_nodes; ++i) {
        fprintf(file, "node %d %d %d %" PRIx64 "\n", i, nodes[i].parent, nodes[i].function, nodes[i].from);
    }
    for (uint64_t i = 0; i < counts.size; ++i) {
        if (counts.slots[i].key) {
            fprintf(file, "count %d %d %" PRIu64 "\n", (int)(counts.slots[i].key >> 32) - 1,
                (int)(uint32_t)counts.slots[i].key, counts.slots[i].value);
        }
    }
    fprintf(file, "end %" PRIu64 "\n", counted_to - counted_from);
    fclose(file);
}

static void translate_for_profile(struct qemu_plugin_tb *tb, size_t n) {
    uint64_t addresses[4096];
    struct qemu_plugin_insn *last = NULL;
    size_t count = 0;
    for (size_t i = 0; i < n && count < 4095; ++i) {
        last = qemu_plugin_tb_get_insn(tb, i);
        addresses[count++] = qemu_plugin_insn_vaddr(last);
        const char *symbol = qemu_plugin_insn_symbol(last);
        if (symbol && strcmp(symbol, "emulator_code_placed") == 0) {
            // It only reads; QEMU 7.2 mistakes MEM_R.
            qemu_plugin_register_vcpu_mem_cb(last, placed, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, NULL);
        } else if (i == 0 && symbol && strcmp(symbol, "emulator_after_exec") == 0) {
            qemu_plugin_register_vcpu_insn_exec_cb(last, end, QEMU_PLUGIN_CB_NO_REGS, NULL);
        }
    }
    block_t *block = block_of(addresses, count, addresses[count - 1] + qemu_plugin_insn_size(last));
    qemu_plugin_register_vcpu_tb_exec_cb(tb, enter, QEMU_PLUGIN_CB_NO_REGS, block);
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    (void)id;
    size_t n = qemu_plugin_tb_n_insns(tb);
    if (profile) {
        translate_for_profile(tb, n);
    }
    for (size_t i = 0; i < n; ++i) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint64_t pc = qemu_plugin_insn_vaddr(insn);
        if (marks || profile) {
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
        } else if (strncmp(argv[i], "profile=", 8) == 0) {
            profile = strdup(argv[i] + 8);
        } else if (strncmp(argv[i], "functions=", 10) == 0) {
            if (!read_functions(argv[i] + 10)) {
                perror(argv[i] + 10);
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
