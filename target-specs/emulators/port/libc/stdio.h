#pragma once
#include <stdarg.h>
#include <stddef.h>
int printf(const char *restrict, ...);
int vprintf(const char *restrict, va_list);
int snprintf(char *restrict, size_t, const char *restrict, ...);
int vsnprintf(char *restrict, size_t, const char *restrict, va_list);
int putchar(int);
int puts(const char *);
#include <unistd.h>
#define EOF (-1)
