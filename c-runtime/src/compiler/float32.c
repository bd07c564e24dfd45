/* Single precision without a floating-point unit: see softfloat.h. */
#include "softfloat32.h"
