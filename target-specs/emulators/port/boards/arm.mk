# What all Cortex-M boards share. Needs no C library, only the compiler and its libgcc.
CROSS_COMPILE ?= arm-none-eabi-
SRC_C += cpu_arm.c shared/runtime/gchelper_native.c
