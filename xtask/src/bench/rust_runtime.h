/* What rustc's code wants of Arm's ABI and a C compiler's library has not: without these, rustc's own library comes with
 * all it has in one object, floats among it, and is compared with the C compiler's. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *, const void *, size_t), *memmove(void *, const void *, size_t), *memset(void *, int, size_t);
#define ARM(suffix) \
    void __aeabi_memcpy##suffix(void *to, const void *from, size_t n) { memcpy(to, from, n); } \
    void __aeabi_memmove##suffix(void *to, const void *from, size_t n) { memmove(to, from, n); } \
    void __aeabi_memset##suffix(void *to, size_t n, int value) { memset(to, value, n); } \
    void __aeabi_memclr##suffix(void *to, size_t n) { memset(to, 0, n); }
ARM()
ARM(4)
ARM(8)
