# What both RISC-V boards share. Debian's compiler names the newer, finer extensions only with the
# newer specification, and has no libraries for those: `-misa-spec=2.2`.
CROSS_COMPILE ?= riscv64-unknown-elf-
CFLAGS += -DUART_IRQ=10
SRC_C += cpu_riscv.c uart_16550.c shared/runtime/gchelper_native.c
LDSCRIPT = riscv.ld
HEAP ?= 2097152
DISK ?= 1048576
PARCEL = 0x84000000
