#pragma once
// Only the windowed Xtensa needs it (xtensa_windowed.s).
typedef unsigned long jmp_buf[14];
int setjmp(jmp_buf) __attribute__((returns_twice));
void longjmp(jmp_buf, int) __attribute__((noreturn));
