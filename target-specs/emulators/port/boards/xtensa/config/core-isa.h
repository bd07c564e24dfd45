// What MicroPython reads of the processor's configuration from 1.28 on.
#ifdef __XTENSA_WINDOWED_ABI__
#define XCHAL_HAVE_WINDOWED 1
#else
#define XCHAL_HAVE_WINDOWED 0
#endif
