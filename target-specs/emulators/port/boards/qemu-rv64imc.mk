# RV64IMAC without FPU on QEMU's `virt`. MicroPython 1.25 knows the processor but no number for its
# native code: see native_arch.h.
include boards/riscv.mk
ARCH_FLAGS = -march=rv64imac -mabi=lp64 -misa-spec=2.2 -mcmodel=medany
ASM_FLAGS = -march=rv64imac -mabi=lp64 -misa-spec=2.2
CFLAGS += -DEMULATOR_CPU='"RV64IMAC"' \
	-DMICROPY_EMIT_NATIVE_DEBUG=1 -DMICROPY_EMIT_NATIVE_DEBUG_PRINTER='(&mp_plat_print)'
$(BUILD)/py/persistentcode.o $(BUILD)/py/modsys.o: CFLAGS += -include native_arch.h
SRC_S += shared/runtime/gchelper_rv64i.s
