/* Arithmetic in single precision where that of the compiler's own library is not wanted: where size matters, as its functions are
 * two to six times as large, and in flash, as its division has a table of addresses. */
#if defined(__OPTIMIZE_SIZE__) && !defined(__clang__) && defined(__ARM_ARCH_6M__)
#define mpy_addsf3 __aeabi_fadd
#define mpy_subsf3 __aeabi_fsub
#define mpy_mulsf3 __aeabi_fmul
#define mpy_divsf3 __aeabi_fdiv
#define mpy_floatdisf __aeabi_l2f
#define mpy_floatundisf __aeabi_ul2f
#define mpy_floatsisf __aeabi_i2f
#define mpy_floatunsisf __aeabi_ui2f
#define MPY_NAMES
#elif defined(__OPTIMIZE_SIZE__) && !defined(__clang__) && defined(__riscv) && !defined(__riscv_flen)
/* Division in the library is four times as fast, because it uses that of the processor. */
#define mpy_addsf3 __addsf3
#define mpy_subsf3 __subsf3
#define mpy_mulsf3 __mulsf3
#define MPY_NAMES
#pragma GCC optimize "O2"
#elif defined(MPY_CODE_IN_FLASH) && defined(__ARM_ARCH_6M__)
#define mpy_divsf3 __aeabi_fdiv
#define MPY_NAMES
#endif
#ifdef MPY_NAMES
#include "softfloat32.h"
#endif
