/* asm */
    .syntax unified
    .thumb

    .section .text.mpy_init, "ax", %progbits
    .global mpy_init
    .type mpy_init, %function
    .thumb_func
mpy_init:
    bl far_function
    bl before
    b.n far_function
    beq.n far_function
    bl far_function
#if __ARM_ARCH >= 7
    b.w far_function
    b.w before
    beq.w far_function
    bne.w before
    movw r0, #:lower16:(far_data - . + 0x12)
    movt r0, #:upper16:(far_data - . - 0x23)
#endif
    .balign 4
    .word far_function
    .word far_data + 4
    .word zeros + 12
    .word zeros - 4
    .word mp_fun_table + 8
    .word mp_native_qstr_table + 6
    .word mp_type_str
    .word far_data - .
    .word before - . + 0x100

    .section .text.before, "ax", %progbits
    .global before
    .type before, %function
    .thumb_func
before:
    b.n mpy_init
    bl far_function
    .balign 4
    .word variable

    .section .text.far, "ax", %progbits
    .global far_function
    .type far_function, %function
    .thumb_func
far_function:
    bl mpy_init
    bx lr

    .section .rodata.far, "a", %progbits
    .balign 4
    .global far_data
far_data:
    .word far_function
    .word far_data
    .word 0x12345678

    .section .data.variable, "aw", %progbits
    .balign 4
    .global variable
variable:
    .word far_data + 8
    .word variable
    .word zeros
    .word mpy_init

    .section .bss.zeros, "aw", %nobits
    .balign 4
    .global zeros
zeros:
    .space 20
