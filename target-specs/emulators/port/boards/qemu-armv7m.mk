# Cortex-M3 without FPU on QEMU's MPS2 with application note 385.
include boards/arm.mk
ARCH_FLAGS = -mthumb -mcpu=cortex-m3 -mfloat-abi=soft
ASM_FLAGS = -mthumb -mcpu=cortex-m3 -mfloat-abi=soft
CFLAGS += -DCPU_HZ=25000000 -DUART_BASE=0x40004000 -DUART_IRQ=0 -DEMULATOR_CPU='"Cortex-M3"'
SRC_C += uart_cmsdk.c
SRC_S += shared/runtime/gchelper_thumb2.s
LDSCRIPT = mps2.ld
HEAP ?= 2097152
DISK ?= 1048576
PARCEL = 0x200000
