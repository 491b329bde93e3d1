/* Names as callers pass them, in front of nothing but the parser, so that this
 * target is fast enough for what the others have no time for. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "bench.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    /* A copy with nothing behind it, so that reading on is seen. */
    char *name = malloc(size + 1);
    memcpy(name, bytes, size);
    name[size] = '\0';
    bench_check_name(name);
    free(name);
    return 0;
}
