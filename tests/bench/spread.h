/* What many measurements of one thing say. */
#ifndef SPREAD_H
#define SPREAD_H

#include <stdint.h>

struct spread {
    double median;
    double least;
    double most;
};

/** Sorts the values. All zero if there are none. */
struct spread spread_of(double *values, uint32_t count);

#endif
