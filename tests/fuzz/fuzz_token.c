/* Tokens as callers and files pass them, in front of nothing but the parser. An
 * odd first byte has the rest sealed with its checksum, so that what lies
 * behind that is reached, too. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "forge.h"

enum { SEAL = 10 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    bool seals = size > 0 && (bytes[0] & 1) != 0;
    if (size == 0)
        return 0;
    char *text = malloc(size + SEAL);
    memcpy(text, bytes + 1, size - 1);
    text[size - 1] = '\0';
    if (seals)
        forge_seal(text);
    /* A copy with nothing behind it, so that reading on is seen. */
    char *token = strdup(text);
    bench_check_token(token);
    free(token);
    free(text);
    return 0;
}
