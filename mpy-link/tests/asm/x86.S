/* asm */
#ifdef __x86_64__
#define WORD .quad
#else
#define WORD .long
#endif
    .section .text.mpy_init, "ax", @progbits
    .global mpy_init
    .type mpy_init, @function
mpy_init:
    call far_function
    call before@PLT
    jmp far_function
    jne before
    .byte 0xeb
    .byte far_function - . - 1
    .byte 0xeb
    .byte before - . - 1
    .long far_data - . + 0x12345
    .long far_data - . - 0x12345
    .short far_data - . - 0x123
#ifdef __x86_64__
    lea far_data + 8(%rip), %rax
    movl $0x11223344, far_data(%rip)
    .quad far_data - .
#endif
    .balign 8
    WORD far_function
    WORD far_data + 4
    WORD zeros + 12
    WORD zeros - 4
    WORD mp_fun_table + 8
    WORD mp_native_qstr_table + 6
    WORD mp_type_str
    WORD variable

    .section .text.before, "ax", @progbits
    .global before
    .type before, @function
before:
    jmp mpy_init
    call far_function

    .section .text.far, "ax", @progbits
    .global far_function
    .type far_function, @function
far_function:
    call mpy_init
    ret

    .section .rodata.far, "a", @progbits
    .balign 8
    .global far_data
far_data:
    WORD far_function
    WORD far_data
    WORD 0x12345678
    .long far_function - .

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
