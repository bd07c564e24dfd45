/* Double precision without a floating-point unit: see softfloat.h. */
#include "softfloat64.h"
