# Cortex-M0 without FPU on QEMU's micro:bit, its memories grown to 1 MiB each.
include boards/arm.mk
ARCH_FLAGS = -mthumb -mcpu=cortex-m0 -mfloat-abi=soft
ASM_FLAGS = -mthumb -mcpu=cortex-m0
CFLAGS += -DCPU_HZ=16000000 -DUART_IRQ=2 -DEMULATOR_CPU='"Cortex-M0"'
SRC_C += uart_nrf51.c
SRC_S += shared/runtime/gchelper_thumb1.s
LDSCRIPT = microbit.ld
PARCEL = 0x80000
