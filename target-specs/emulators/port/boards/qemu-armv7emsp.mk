# Cortex-M4F, single-precision FPU and hard-float ABI, on QEMU's MPS2 with application note 386.
include boards/arm.mk
ARCH_FLAGS = -mthumb -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard
ASM_FLAGS = -mthumb -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard
CFLAGS += -DCPU_HZ=25000000 -DUART_BASE=0x40004000 -DUART_IRQ=0 -DEMULATOR_CPU='"Cortex-M4F"'
SRC_C += uart_cmsdk.c
SRC_S += shared/runtime/gchelper_thumb2.s
LDSCRIPT = mps2.ld
HEAP ?= 2097152
DISK ?= 1048576
HARD_SQRT = 1
PARCEL = 0x200000
