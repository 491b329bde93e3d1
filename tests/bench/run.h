/* The runner's results, for the report. */
#ifndef RUN_H
#define RUN_H

#include "stage.h"

enum { RUN_BLOCKS = 64 };

/** Of the blocks of one side. */
struct spread {
    double median;
    double least;
    double most;
};

struct side_result {
    struct spread ns;  /* per operation */
    struct spread cpu; /* per operation */
    struct spread extra;
    double p99; /* of all samples; 0: the case takes none */
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
    uint32_t kills;
    uint32_t cpus[2];
    const char *only; /* a part of the names of the cases to run, or NULL */
};

void run_case(const struct bench_case *what, const struct run_options *options,
              struct case_result *result);
/** The second process of a block. number: the case. */
void run_child_ours(const char *name, uint32_t number);
void run_child_peer(const char *name, uint32_t number);
void run_child_floor(const char *name, uint32_t number);

void report_head(const struct run_options *options, const char *system);
void report_case(const struct case_result *result);
/** Writes JSON. @return false if the file could not be written. */
bool report_write(const char *path, const struct run_options *options,
                  const char *system, const struct case_result *results,
                  uint32_t count);

#endif
