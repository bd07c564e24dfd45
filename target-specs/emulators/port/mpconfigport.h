// Configuration of MicroPython for emulated boards: everything a deploy, a test and a benchmark
// need, nothing that needs a peripheral.

#include <stddef.h>
#include <stdint.h>
#include <alloca.h>

#define MICROPY_CONFIG_ROM_LEVEL            (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

// The native emitter decides which architecture of native `.mpy` files is loaded.
#if defined(__thumb2__)
#define MICROPY_EMIT_THUMB                  (1)
#define MICROPY_EMIT_INLINE_THUMB           (1)
#elif defined(__thumb__)
#define MICROPY_EMIT_THUMB                  (1)
#define MICROPY_EMIT_THUMB_ARMV7M           (0)
#define MICROPY_EMIT_INLINE_THUMB           (1)
#elif defined(__riscv) && __riscv_xlen == 32
#define MICROPY_EMIT_RV32                   (1)
#define MICROPY_EMIT_INLINE_RV32            (1)
#endif
#if defined(__XTENSA_WINDOWED_ABI__)
#define MICROPY_EMIT_XTENSAWIN              (1)
#define MICROPY_NLR_SETJMP                  (1)
#elif defined(__xtensa__)
#define MICROPY_EMIT_XTENSA                 (1)
#define MICROPY_EMIT_INLINE_XTENSA          (1)
#endif
#if defined(__xtensa__)
void emulator_code_init(void);
void *emulator_code_commit(void *buffer, size_t len, void *relocations);
#define MP_PLAT_COMMIT_EXEC(buffer, len, relocations) emulator_code_commit(buffer, len, relocations)
// These boards have no interrupts (cpu_xtensa.c).
void emulator_poll(void);
#define MICROPY_INTERNAL_EVENT_HOOK         emulator_poll()
#define MICROPY_VM_HOOK_INIT                static unsigned vm_hook_turn;
#define MICROPY_VM_HOOK_POLL                if (++vm_hook_turn % 4096 == 0) { emulator_poll(); }
#define MICROPY_VM_HOOK_LOOP                MICROPY_VM_HOOK_POLL
#define MICROPY_VM_HOOK_RETURN              MICROPY_VM_HOOK_POLL
#else
// Native code is in the heap, as if there were no such macros, but it is known where (code.c).
void *emulator_code_alloc(size_t size);
#define MP_PLAT_ALLOC_EXEC(min_size, ptr, size) do { *(ptr) = emulator_code_alloc(min_size); *(size) = (min_size); } while (0)
#define MP_PLAT_FREE_EXEC(ptr, size)        m_del(byte, ptr, size)
#define MICROPY_PERSISTENT_CODE_TRACK_FUN_DATA (1)
#define MICROPY_PERSISTENT_CODE_TRACK_BSS_RODATA (0)
#endif
#if defined(__thumb__)
#define MICROPY_MAKE_POINTER_CALLABLE(p)    ((void *)((mp_uint_t)(p) | 1))
#endif

#define MICROPY_PERSISTENT_CODE_LOAD        (1)
#define MICROPY_ENABLE_GC                   (1)
#define MICROPY_STACK_CHECK_MARGIN          (2048)
#define MICROPY_ENABLE_EMERGENCY_EXCEPTION_BUF (1)
#define MICROPY_EMERGENCY_EXCEPTION_BUF_SIZE (256)
#define MICROPY_LONGINT_IMPL                (MICROPY_LONGINT_IMPL_MPZ)
#define MICROPY_MEM_STATS                   (1)
#define MICROPY_MALLOC_USES_ALLOCATED_SIZE  (1)
#define MICROPY_WARNINGS                    (1)
#define MICROPY_USE_INTERNAL_ERRNO          (1)
#define MICROPY_KBD_EXCEPTION               (1)
#define MICROPY_ALLOC_PATH_MAX              (256)
#define MICROPY_ENABLE_SCHEDULER            (1)
#define MICROPY_REPL_STDIN_BUFFER_MAX       (4096)

// Modules are frozen as text, which MicroPython looks for only if it looks for compiled ones too.
#define MICROPY_MODULE_FROZEN_STR           (1)
#define MICROPY_MODULE_FROZEN_MPY           (1)

#define MICROPY_VFS                         (1)
#define MICROPY_READER_VFS                  (1)
#define MICROPY_VFS_ROM                     (1)
#define MICROPY_VFS_ROM_IOCTL               (0)

#define MICROPY_PY_SYS_PLATFORM             "qemu"
#define MICROPY_PY_SYS_STDIO_BUFFER         (1)
#define MICROPY_PY_TIME                     (1)
#define MICROPY_PY_TIME_TIME_TIME_NS        (1)
#define MICROPY_PY_TIME_INCLUDEFILE         "time_port.c"
#define MICROPY_PY_SELECT                   (1)
#define MICROPY_PY_OS_SYNC                  (1)
#define MICROPY_PY_OS_URANDOM               (0)
#define MICROPY_PY_MACHINE                  (1)
#define MICROPY_PY_MACHINE_INCLUDEFILE      "machine_port.c"
#define MICROPY_PY_MACHINE_RESET            (1)
#define MICROPY_PY_MACHINE_MEMX             (1)
#define MICROPY_PY_MACHINE_DISABLE_IRQ_ENABLE_IRQ (1)

#define EMULATOR_HAS_TIMER                  (!defined(__xtensa__))

#define MICROPY_HW_BOARD_NAME               MICROPY_BOARD_BUILD_NAME
#define MICROPY_HW_MCU_NAME                 EMULATOR_CPU

// `sys.exit(status)` ends the emulator with that status; `sys.exit()` is a soft reset as on a board.
#define MICROPY_BOARD_AFTER_PYTHON_EXEC(kind, flags, exception, ret) emulator_after_exec(exception)
void emulator_after_exec(void *exception);

#define MP_NEED_LOG2                        (1)
#define MP_STATE_PORT                       MP_STATE_VM

typedef intptr_t mp_int_t;
typedef uintptr_t mp_uint_t;
typedef long mp_off_t;
