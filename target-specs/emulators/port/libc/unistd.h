#pragma once
#include <stddef.h>
typedef __INTPTR_TYPE__ ssize_t;
typedef long off_t;
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
