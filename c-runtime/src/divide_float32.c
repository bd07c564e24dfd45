/* Division in single precision for code in flash, where the compiler's own library has it with a table of addresses. */
#if defined(MPY_CODE_IN_FLASH) && defined(__ARM_ARCH_6M__)
#define DIVIDE __aeabi_fdiv
#include "softfloat32.h"
#endif
