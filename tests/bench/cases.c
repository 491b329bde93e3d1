/* The table of the cases' tables. */
#include "bench.h"

extern const struct bench_case bench_exclusive[], bench_shared[],
    bench_readers[], bench_contended[], bench_snapshot[], bench_notify[],
    bench_wake[], bench_request[], bench_copy[], bench_open[], bench_resize[],
    bench_death[];

static const struct bench_case *const groups[] = {
    bench_exclusive, bench_shared, bench_readers, bench_contended,
    bench_snapshot,  bench_notify, bench_wake,    bench_request,
    bench_copy,      bench_open,   bench_resize,  bench_death};

const struct bench_case *bench_case_at(uint32_t number)
{
    for (uint32_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        for (const struct bench_case *what = groups[i]; what->name != NULL;
             what++)
            if (number-- == 0)
                return what;
    return NULL;
}
