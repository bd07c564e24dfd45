# Start, vectors, registers and non-local jumps of an Xtensa processor with the windowed ABI.
# The window handlers are those of the Xtensa Instruction Set Architecture manual, "Windowed
# Procedure-Call Protocol".

    .section .reset, "ax"
    .global _reset
_reset:
    # The first code is at a known address; a literal would have to lie before this one.
    movi    a0, 0x60
    slli    a0, a0, 24
    addmi   a0, a0, 0x400
    jx      a0

    .section .vectors, "ax"
    .org    0x000
overflow4:
    s32e    a0, a5, -16
    s32e    a1, a5, -12
    s32e    a2, a5, -8
    s32e    a3, a5, -4
    rfwo

    .org    0x040
underflow4:
    l32e    a0, a5, -16
    l32e    a1, a5, -12
    l32e    a2, a5, -8
    l32e    a3, a5, -4
    rfwu

    .org    0x080
overflow8:
    s32e    a0, a9, -16
    l32e    a0, a1, -12
    s32e    a1, a9, -12
    s32e    a2, a9, -8
    s32e    a3, a9, -4
    s32e    a4, a0, -32
    s32e    a5, a0, -28
    s32e    a6, a0, -24
    s32e    a7, a0, -20
    rfwo

    .org    0x0c0
underflow8:
    l32e    a0, a9, -16
    l32e    a1, a9, -12
    l32e    a2, a9, -8
    l32e    a7, a1, -12
    l32e    a3, a9, -4
    l32e    a4, a7, -32
    l32e    a5, a7, -28
    l32e    a6, a7, -24
    l32e    a7, a7, -20
    rfwu

    .org    0x100
overflow12:
    s32e    a0, a13, -16
    l32e    a0, a1, -12
    s32e    a1, a13, -12
    s32e    a2, a13, -8
    s32e    a3, a13, -4
    s32e    a4, a0, -48
    s32e    a5, a0, -44
    s32e    a6, a0, -40
    s32e    a7, a0, -36
    s32e    a8, a0, -32
    s32e    a9, a0, -28
    s32e    a10, a0, -24
    s32e    a11, a0, -20
    rfwo

    .org    0x140
underflow12:
    l32e    a0, a13, -16
    l32e    a1, a13, -12
    l32e    a2, a13, -8
    l32e    a11, a1, -12
    l32e    a3, a13, -4
    l32e    a4, a11, -48
    l32e    a5, a11, -44
    l32e    a6, a11, -40
    l32e    a7, a11, -36
    l32e    a8, a11, -32
    l32e    a9, a11, -28
    l32e    a10, a11, -24
    l32e    a11, a11, -20
    rfwu

    .org    0x300
    j       fault_entry         # kernel exception
    .org    0x340
    wsr     a0, excsave1        # user exception
    rsr     a0, exccause
    bnei    a0, 5, 1f
    j       alloca_exception
1:  rsr     a0, excsave1
    j       fault_entry
    .org    0x3c0
    j       fault_entry         # double exception

    .section .start, "ax"
    j       1f
    .literal_position
1:
    movi    a2, _vectors
    wsr     a2, vecbase
    movi    a2, 0
    wsr     a2, windowbase
    rsync
    movi    a2, 1
    wsr     a2, windowstart
    rsync
    movi    a2, 0x40020         # PS.WOE, PS.UM; no interrupts are enabled
    wsr     a2, ps
    rsync
    # The first frame, and one above it for what its own overflow writes.
    movi    a2, _stack_top
    addi    a1, a2, -64
    addi    a2, a1, -12
    movi    a3, _stack_top
    s32i    a3, a2, 0
    movi    a0, 0
    movi    a8, start
    callx8  a8

    .align  4
    .literal_position
    # MOVSP met a caller whose registers are on the stack: fetch them as a return would, repeat MOVSP.
alloca_exception:
    rsr     a0, windowbase
    rotw    -1                  # the old a0 is a4 now, new a0 to a3 are free
    rsr     a2, ps
    extui   a3, a2, 8, 4        # PS.OWB
    xor     a3, a3, a4
    rsr     a4, excsave1        # the interrupted a0
    slli    a3, a3, 8
    xor     a2, a2, a3
    wsr     a2, ps
    rsync
    bbci    a4, 31, 1f
    rotw    -1
    bbci    a8, 30, 2f
    rotw    -1
    j       underflow12
1:  j       underflow4
2:  j       underflow8

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
    mov     a2, a1
    rsr     a1, excsave1
    s32i    a1, a0, 0
    # The callers' registers go to the stack, as for a call, if that is where it should be. Once: this may fault.
    movi    a3, fault_spilled
    l32i    a4, a3, 0
    bnez    a4, 1f
    movi    a4, 1
    s32i    a4, a3, 0
    movi    a4, _stack_bottom + 1024
    bltu    a2, a4, 1f
    movi    a4, _stack_top
    bltu    a4, a2, 1f
    # What the overflow of a window overwrites.
    rsr     a4, epc1
    movi    a3, fault_pc
    s32i    a4, a3, 0
    mov     a1, a2
    movi    a4, 0x40020
    wsr     a4, ps
    rsync
    movi    a10, 8
    call8   spill
    movi    a3, fault_pc
    l32i    a4, a3, 0
    wsr     a4, epc1
    movi    a3, fault_spilled
    movi    a4, 2
    s32i    a4, a3, 0
1:
    # All other frames are given up: nothing returns from here.
    rsr     a2, windowbase
    ssl     a2
    movi    a3, 1
    sll     a3, a3
    wsr     a3, windowstart
    rsync
    movi    a2, 0x40020
    wsr     a2, ps
    rsync
    movi    a2, _handler_stack_top
    addi    a1, a2, -64
    addi    a3, a1, -12
    s32i    a2, a3, 0
    movi    a0, 0
    movi    a8, fault
    callx8  a8

    .text
    # void spill(int n): calls itself n times, which pushes every older frame out of the 64 registers
    # when n is 8.
    .align  4
spill:
    entry   a1, 32
    beqz    a2, 1f
    addi    a10, a2, -1
    call8   spill
1:  retw

    # uintptr_t collect_registers(uintptr_t regs[4]): all frames to the stack; returns sp.
    .global collect_registers
    .align  4
collect_registers:
    entry   a1, 32
    movi    a10, 8
    call8   spill
    addi    a2, a1, -16         # where the caller's first registers are
    retw

    # A jmp_buf holds the address to return to, the stack pointer, how many words follow the first
    # four, the caller's a0 to a3 and those following words (a4 to a11).
    .global setjmp
    .align  4
setjmp:
    entry   a1, 32
    movi    a10, 8
    call8   spill
    s32i    a0, a2, 0
    s32i    a1, a2, 4
    addi    a7, a1, -16
    l32i    a3, a7, 0
    l32i    a4, a7, 4
    l32i    a5, a7, 8
    l32i    a6, a7, 12
    s32i    a3, a2, 8
    s32i    a4, a2, 12
    s32i    a5, a2, 16
    s32i    a6, a2, 20
    # Called by callN, the caller keeps N - 4 more registers, below its own caller's frame.
    extui   a3, a0, 30, 2
    addi    a3, a3, -1
    beqz    a3, 3f
    addi    a4, a4, -12
    l32i    a4, a4, 0           # the stack pointer of the caller's caller
    addi    a4, a4, -16
    slli    a5, a3, 4
    sub     a5, a4, a5          # from here up to a4
    addi    a6, a2, 24
2:  l32i    a7, a5, 0
    s32i    a7, a6, 0
    addi    a5, a5, 4
    addi    a6, a6, 4
    bltu    a5, a4, 2b
3:  movi    a2, 0
    retw

    .global longjmp
    .align  4
longjmp:
    entry   a1, 32
    movi    a10, 8
    call8   spill
    # Only this frame is in registers now and it becomes setjmp's: the caller's registers go where a
    # return fetches them.
    rsr     a4, windowbase
    ssl     a4
    movi    a5, 1
    sll     a5, a5
    wsr     a5, windowstart
    rsync
    l32i    a0, a2, 0
    l32i    a1, a2, 4
    addi    a7, a1, -16
    l32i    a8, a2, 8
    l32i    a4, a2, 12
    l32i    a5, a2, 16
    l32i    a6, a2, 20
    s32i    a8, a7, 0
    s32i    a4, a7, 4
    s32i    a5, a7, 8
    s32i    a6, a7, 12
    extui   a8, a0, 30, 2
    addi    a8, a8, -1
    beqz    a8, 3f
    addi    a4, a4, -12
    l32i    a4, a4, 0
    addi    a4, a4, -16
    slli    a5, a8, 4
    sub     a5, a4, a5
    addi    a6, a2, 24
2:  l32i    a7, a6, 0
    s32i    a7, a5, 0
    addi    a5, a5, 4
    addi    a6, a6, 4
    bltu    a5, a4, 2b
3:  mov     a2, a3
    bnez    a2, 4f
    movi    a2, 1
4:  retw
