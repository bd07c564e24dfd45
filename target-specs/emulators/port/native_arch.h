// Included before the files of the RV64 firmware that know which native `.mpy` files it loads: makes
// them those of architecture 12, RV64IMC, for which MicroPython has a number from 1.28 on. The loader
// itself (function table, relocations of words) is the same for every architecture. It is compiled
// in by turning on an emitter; the one that prints what it would emit is the only one that fits any
// processor. `@micropython.native` and `@micropython.viper` are thus of no use on this board.

#include <stddef.h>
#include "py/persistentcode.h"

#undef MPY_FEATURE_ARCH
#define MPY_FEATURE_ARCH (12)
