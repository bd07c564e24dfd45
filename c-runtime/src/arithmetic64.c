/* Arithmetic in double precision where that of the compiler's own library is not wanted: where size matters, as its functions are
 * two to six times as large, and in flash, as its division has a table of addresses. */
#if defined(__OPTIMIZE_SIZE__) && !defined(__clang__) && defined(__ARM_ARCH_6M__)
#define mpy_adddf3 __aeabi_dadd
#define mpy_subdf3 __aeabi_dsub
#define mpy_muldf3 __aeabi_dmul
#define mpy_divdf3 __aeabi_ddiv
#define mpy_floatdidf __aeabi_l2d
#define mpy_floatundidf __aeabi_ul2d
#define MPY_NAMES
#elif defined(__OPTIMIZE_SIZE__) && !defined(__clang__) && defined(__riscv) && !defined(__riscv_flen)
/* Division in the library is four times as fast, because it uses that of the processor. */
#define mpy_adddf3 __adddf3
#define mpy_subdf3 __subdf3
#define mpy_muldf3 __muldf3
#define MPY_NAMES
#pragma GCC optimize "O2"
#elif defined(MPY_CODE_IN_FLASH) && defined(__ARM_ARCH_6M__)
#define mpy_divdf3 __aeabi_ddiv
#define MPY_NAMES
#endif
#ifdef MPY_NAMES
#include "softfloat64.h"
#endif
