/* One point of a curve, and the processes that take part in it. */
#ifndef GROWTH_H
#define GROWTH_H

#include "spread.h"
#include "stage.h"

enum { GROWTH_CHILDREN = 8, GROWTH_SERIES = 4 };

enum growth_part {
    GROWTH_HOLD,
    GROWTH_CONTEND,
    GROWTH_CONTEND_PEER,
    GROWTH_WAKE,
    GROWTH_CHAIN
};

struct growth {
    struct bench_block block; /* its name, space and stage are the point's */
    struct child children[GROWTH_CHILDREN];
    uint32_t count;
};

/** Starts processes that do a part, and waits until they are ready. */
void growth_start(struct growth *growth, enum growth_part part, uint32_t count);
/** Tells them to stop, and waits for it. */
void growth_finish(struct growth *growth);

/** Measure what belongs to x, into one value for each series. */
void growth_wake(struct growth *growth, uint64_t x, double *values);
void growth_chain(struct growth *growth, uint64_t x, double *values);
/** In the child. */
void growth_wake_child(struct bench_block *block);
void growth_chain_child(struct bench_block *block);

#endif
