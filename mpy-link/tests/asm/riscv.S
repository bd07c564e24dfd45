/* asm */
#if __riscv_xlen == 64
#define WORD .quad
#define LOAD ld
#define STORE sd
#else
#define WORD .long
#define LOAD lw
#define STORE sw
#endif
    .option norelax
    .section .text.mpy_init, "ax", @progbits
    .global mpy_init
    .type mpy_init, @function
mpy_init:
    call far_function
    tail before
    jal ra, far_function
    jal zero, before
    beq a0, a1, far_function
    bgeu a0, a1, before
1:  auipc a0, %pcrel_hi(far_data)
    addi a1, a0, %pcrel_lo(1b)
2:  auipc a2, %pcrel_hi(far_data + 0x7ff)
    LOAD a3, %pcrel_lo(2b)(a2)
3:  auipc a4, %pcrel_hi(far_data - 0x803)
    STORE a5, %pcrel_lo(3b)(a4)
    .option rvc
    c.j far_function
    c.beqz a0, far_function
    c.bnez a0, before
    .option norvc
    .balign 8
    WORD far_function
    WORD far_data + 4
    WORD zeros + 12
    WORD zeros - 4
    WORD mp_fun_table + 8
    WORD mp_native_qstr_table + 6
    WORD mp_type_str
    WORD variable
    .long far_data - before
    .long far_data - .
    .half far_function - before
    .byte far_function - before
    .byte 0

    .section .text.before, "ax", @progbits
    .global before
    .type before, @function
before:
    jal zero, mpy_init
    call far_function

    .section .text.far, "ax", @progbits
    .global far_function
    .type far_function, @function
far_function:
    beq a0, a1, mpy_init
    jal ra, before

    .section .rodata.far, "a", @progbits
    .balign 8
    .global far_data
far_data:
    WORD far_function
    WORD far_data
    WORD 0x12345678
    .long far_function - far_data

    .section .data.variable, "aw", @progbits
    .balign 8
    .global variable
variable:
    WORD far_data + 8
    WORD variable
    WORD zeros
    WORD mpy_init

    .section .bss.zeros, "aw", @nobits
    .balign 8
    .global zeros
zeros:
    .space 20
