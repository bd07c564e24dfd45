# A little-endian core with the windowed ABI, as in the ESP32. The compiler is the LX106's; its
# assembler knows the window instructions by a plugin named in XTENSA_GNU_CONFIG.
include boards/xtensa.mk
ARCH_FLAGS = -mabi=windowed
ASM_FLAGS += --abi-windowed
CFLAGS += -DEMULATOR_CPU='"DE212"' -DCPU_HZ=40000000 -DCODE_START=0x63000000 -DCODE_SIZE=0x100000
SRC_S += xtensa_windowed.s
