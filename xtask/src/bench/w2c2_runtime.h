#include "peers.h"

static void *calloc(size_t n, size_t size) { return peer_allocate(n * size); }
static void free(void *block) { (void)block; }
