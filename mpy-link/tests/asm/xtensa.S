/* asm */
    .section .text.mpy_init, "ax", @progbits
    .literal_position
    .align 4
    .global mpy_init
    .type mpy_init, @function
mpy_init:
    _l32r a2, number
    _l32r a3, address
    _call0 far_function
    _call0 before
    _j far_function
    _j before
    _beqz a2, far_function
    _bnez a3, before
    _bgez a4, far_function
    _beq a2, a3, far_function
    _bany a2, a3, before
    _beqi a2, 4, far_function
    _bbci a2, 7, before
    _bltui a2, 8, far_function
    .align 4
    .word far_function
    .word far_data + 4
    .word zeros + 12
    .word zeros - 4
    .word mp_fun_table + 8
    .word mp_native_qstr_table + 6
    .word mp_type_str
    .word variable

    .section .text.before, "ax", @progbits
    .align 4
    .global before
    .type before, @function
before:
    _j mpy_init
    _call0 far_function

    .section .text.far, "ax", @progbits
    .align 4
    .global far_function
    .type far_function, @function
far_function:
    _call0 mpy_init
    _ret

/* Where `l32r` finds them: before the code. */
    .section .literal.address, "ax", @progbits
    .align 4
address:
    .word far_data + 4

    .section .literal.number, "ax", @progbits
    .align 4
number:
    .word 0x11223344

    .section .rodata.far, "a", @progbits
    .align 4
    .global far_data
far_data:
    .word far_function
    .word far_data
    .word 0x12345678

    .section .data.variable, "aw", @progbits
    .align 4
    .global variable
variable:
    .word far_data + 8
    .word variable
    .word zeros
    .word mpy_init

    .section .bss.zeros, "aw", @nobits
    .align 4
    .global zeros
zeros:
    .space 20
