# What both Xtensa boards share: QEMU's `sim`, whose console, files and end are semihosting calls.
CROSS_COMPILE ?= xtensa-lx106-elf-
CFLAGS += -mtext-section-literals -mno-longcalls
# The folder of xtensa/config/core-isa.h, which other compilers bring.
CFLAGS += -Iboards
SRC_C += cpu_xtensa.c $(HELPERS)
ASM_FLAGS = --text-section-literals
LDSCRIPT = xtensa.ld
HEAP ?= 2097152
DISK ?= 1048576
PARCEL = 0x62000000
