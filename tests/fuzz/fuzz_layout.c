/* Layout texts, as callers pass them and as they stand in shared memory, in
 * front of nothing but the parser. What it takes is taken again, means the same
 * as itself, and differs from another that is taken in no more than can be
 * told. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "schema.h"

/** One that has been taken before. */
static char other[SCHEMA_ROOM] = "score:u32@0; lives:u8@4; size 8";

/** Whatever is told is a sentence that is whole. */
static void check_told(const char *told)
{
    size_t length = strlen(told);
    bool sided =
        strstr(told, " here") != NULL && strstr(told, " in the region") != NULL;
    if (length + 1 >= SCHEMA_DIFFERENCE || !sided)
        bench_fail("a difference that is cut off: %s", told);
}

static void check_taken(const char *canonical, uint64_t size)
{
    char again[SCHEMA_ROOM], told[SCHEMA_DIFFERENCE];
    struct schema_fault fault;
    uint64_t same;
    if (size > SCHEMA_NUMBER_MAX || strlen(canonical) > WINSHM_LAYOUT_MAX)
        bench_fail("a text beyond the limits was taken");
    if (!wshm_schema_check(canonical, again, &same, &fault) || same != size ||
        strcmp(again, canonical) != 0)
        bench_fail("what is canonical does not stay so: %s", canonical);
    if (!wshm_schema_same(canonical, again, told))
        bench_fail("a text differs from itself: %s", told);
    bool equal = wshm_schema_same(canonical, other, told);
    if (!equal)
        check_told(told);
    if (equal != wshm_schema_same(other, canonical, told))
        bench_fail("the two sides do not agree: %s, %s", canonical, other);
    memcpy(other, canonical, sizeof other);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    /* On the heap, with nothing behind it, so that reading on is seen. */
    char *text = malloc(size + 1);
    char *canonical = malloc(SCHEMA_ROOM);
    struct schema_fault fault;
    uint64_t told_size = 0;
    memcpy(text, bytes, size);
    text[size] = '\0';
    if (wshm_schema_check(text, canonical, &told_size, &fault))
        check_taken(canonical, told_size);
    else if (fault.what == NULL || fault.at > strlen(text))
        bench_fail("a fault at byte %u", fault.at);
    free(canonical);
    free(text);
    return 0;
}
