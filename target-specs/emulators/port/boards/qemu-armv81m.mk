# Cortex-M55, double-precision FPU and vectors, hard-float ABI, on QEMU's MPS3 with application note 547.
include boards/arm.mk
ARCH_FLAGS = -mthumb -mcpu=cortex-m55 -mfloat-abi=hard
ASM_FLAGS = -mthumb -march=armv8.1-m.main+mve.fp+fp.dp -mfloat-abi=hard
CFLAGS += -DCPU_HZ=32000000 -DUART_BASE=0x49303000 -DUART_IRQ=33 -DEMULATOR_CPU='"Cortex-M55"'
SRC_C += uart_cmsdk.c
SRC_S += shared/runtime/gchelper_thumb2.s
LDSCRIPT = mps3.ld
HEAP ?= 2097152
DISK ?= 1048576
HARD_SQRT = 1
PARCEL = 0x1000000
