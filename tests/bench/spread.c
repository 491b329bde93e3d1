#include "spread.h"

#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

struct spread spread_of(double *values, uint32_t count)
{
    struct spread spread = {0, 0, 0};
    if (count == 0)
        return spread;
    qsort(values, count, sizeof *values, ascending);
    spread.least = values[0];
    spread.most = values[count - 1];
    spread.median = (values[(count - 1) / 2] + values[count / 2]) / 2;
    return spread;
}
