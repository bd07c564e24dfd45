# Start, vectors and registers of an Xtensa processor with the call0 ABI.

    .section .reset, "ax"
    .global _reset
_reset:
    # The first code is at a known address; a literal would have to lie before this one.
    movi    a0, 0x60
    slli    a0, a0, 24
    addmi   a0, a0, 0x400
    jx      a0

    # Offsets of the LX106 (and the ESP8266).
    .section .vectors, "ax"
    .org    0x10
    j       fault_entry         # debug exception
    .org    0x20
    j       fault_entry         # NMI
    .org    0x30
    j       fault_entry         # kernel exception
    .org    0x50
    j       fault_entry         # user exception
    .org    0x70
    j       fault_entry         # double exception

    .section .start, "ax"
    j       1f
    .literal_position
1:
    movi    a2, _vectors
    wsr     a2, vecbase
    movi    a2, 0x20            # PS.UM; no interrupts are enabled
    wsr     a2, ps
    rsync
    movi    a1, _stack_top
    movi    a0, start
    jx      a0

    .text
    .align  4
    .literal_position
fault_entry:
    wsr     a0, excsave1
    movi    a0, fault_registers
    s32i    a1, a0, 4
    s32i    a2, a0, 8
    s32i    a3, a0, 12
    s32i    a4, a0, 16
    s32i    a5, a0, 20
    s32i    a6, a0, 24
    s32i    a7, a0, 28
    s32i    a8, a0, 32
    s32i    a9, a0, 36
    s32i    a10, a0, 40
    s32i    a11, a0, 44
    s32i    a12, a0, 48
    s32i    a13, a0, 52
    s32i    a14, a0, 56
    s32i    a15, a0, 60
    rsr     a1, excsave1
    s32i    a1, a0, 0
    movi    a1, _handler_stack_top
    movi    a2, 0x20
    wsr     a2, ps
    rsync
    movi    a0, fault
    jx      a0

    # uintptr_t collect_registers(uintptr_t regs[4]): the registers a callee keeps; returns sp.
    .global collect_registers
    .align  4
collect_registers:
    s32i    a12, a2, 0
    s32i    a13, a2, 4
    s32i    a14, a2, 8
    s32i    a15, a2, 12
    mov     a2, a1
    ret
