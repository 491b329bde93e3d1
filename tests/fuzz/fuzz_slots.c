/* Slots and lock words: every call on open handles while the words change, at
 * once or while a call runs. */
#include "bench.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input in = {bytes, bytes + size};
    bench_begin();
    bench_run(&in, false);
    bench_end();
    return 0;
}
