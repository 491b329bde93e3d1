/* The runner's results, for the report. */
#ifndef RUN_H
#define RUN_H

#include "spread.h"
#include "stage.h"

enum { RUN_BLOCKS = 64 };

struct side_result {
    struct spread ns;  /* per operation */
    struct spread cpu; /* per operation */
    struct spread extra;
    double p99; /* of all samples; 0: the case takes none */
    double most;
    uint32_t samples;
    uint32_t hangs;
};

struct case_result {
    const struct bench_case *what;
    uint32_t blocks;
    double ratios[RUN_BLOCKS]; /* in the order of the run */
    struct spread ratio;
    struct spread floor; /* nanoseconds; median 0: the case has no floor */
    struct side_result ours;
    struct side_result peer;
};

struct run_options {
    uint32_t blocks;
    uint64_t budget;
    uint32_t kills; /* of winshm's owners, in all blocks together */
    uint32_t cpus[2];
    const char *only; /* a part of the names of the cases to run, or NULL */
};

void run_case(const struct bench_case *what, const struct run_options *options,
              struct case_result *result);
/** The second process of a block. number: the case. */
void run_child_ours(const char *name, uint32_t number);
void run_child_peer(const char *name, uint32_t number);
void run_child_floor(const char *name, uint32_t number);

/** Measures the curves: what grows with the number of participants and so on.
 * only: a part of the names of the curves, or NULL. */
void growth_run(uint32_t rounds, const char *only, const uint32_t cpus[2]);
void growth_child(const char *name, uint32_t number);

void report_case(const struct case_result *result);
void report_point(const char *curve, const char *series, uint64_t x,
                  const struct spread *ns);

#endif
