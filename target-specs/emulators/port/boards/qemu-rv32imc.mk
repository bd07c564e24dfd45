# RV32IMAC without FPU on QEMU's `virt`.
include boards/riscv.mk
ARCH_FLAGS = -march=rv32imac -mabi=ilp32 -misa-spec=2.2
ASM_FLAGS = $(ARCH_FLAGS)
CFLAGS += -DEMULATOR_CPU='"RV32IMAC"'
SRC_S += shared/runtime/gchelper_rv32i.s
