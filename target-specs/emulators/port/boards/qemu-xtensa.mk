# LX106 with the call0 ABI, as in the ESP8266, whose object representation it shares.
include boards/xtensa.mk
CFLAGS += -DEMULATOR_CPU='"LX106"' -DMICROPY_OBJ_REPR=MICROPY_OBJ_REPR_C \
	-DCPU_HZ=40000000 -DCODE_START=0x40100000 -DCODE_SIZE=0x100000
SRC_S += xtensa_call0.s
