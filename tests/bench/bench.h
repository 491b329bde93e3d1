/* What a case of the benchmark is made of.
 *
 * A case compares winshm, used through its exported functions only, with one
 * peer. The runner calls both in turn, a block at a time, so that whatever else
 * the machine does disturbs both alike, and what counts is the ratio within a
 * pair of blocks. Each block begins with nothing: it makes its objects, touches
 * every byte that it will use, runs for the time it was given, checks its
 * results and lets go. Only the loop in the middle is timed.
 *
 * To add a case, write its two functions, add a line to the table at the end of
 * its file, and the file, if it is new, to cases.c and CMakeLists.txt. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { BENCH_SAMPLES = 8192, BENCH_PAYLOAD = 64 };

struct bench_case;
struct bench_process;
struct stage;

struct bench_block {
    const struct bench_case *what;
    const char *name; /* a name for shared objects that nobody else has */
    uint64_t budget;  /* nanoseconds that the timed part shall take */
    uint64_t bytes;   /* as in the case */
    uint32_t kills;   /* how often to try what needs a new process each time */
    void *space;      /* shared memory for the peer's objects, prefaulted */
    struct stage *stage;
    struct bench_process *process;

    /* Results. An operation's cost is the median of the samples if there are
     * any, otherwise what it took on the average. */
    uint64_t ops;
    uint64_t ns;
    uint64_t cpu; /* nanoseconds of all processes of the block */
    double extra; /* what bench_case.extra says */
    uint32_t count;
    uint32_t hangs;
    bool chunks; /* a sample is a chunk of many operations */
    double *samples;

    uint64_t began;
    uint64_t last;
    uint64_t cpu_began;
};

typedef void (*bench_function)(struct bench_block *block);

struct bench_case {
    const char *name;
    const char *title;
    const char *peer_name;
    const char *waits; /* how winshm waits, and how the peer does */
    double aim;        /* peer / winshm shall be at least this; 0: none */
    double floor_aim;  /* winshm / bare floor shall be at most this */
    double ns_aim;     /* winshm shall take at most this; 0: none */
    double p99_aim;    /* 99 of 100 of winshm's samples at most this */
    const char *extra; /* what else is measured, or NULL */
    double extra_aim;  /* at least this */
    uint64_t bytes;
    bool talks; /* the processes talk: measure the floor, too */
    bench_function ours;
    bench_function peer;
    /* What the second process does; a case without one has one process. */
    bench_function ours_child;
    bench_function peer_child;
};

/** All cases, counted from 0. @return NULL beyond the last one. */
const struct bench_case *bench_case_at(uint32_t number);

/** Monotonic, and the same in all processes. */
uint64_t bench_now(void);
/** Processor time of this process. Under Wine the server's is not in it. */
uint64_t bench_cpu(void);

static inline void bench_begin(struct bench_block *block)
{
    block->cpu_began = bench_cpu();
    block->began = bench_now();
}

static inline void bench_end(struct bench_block *block)
{
    block->ns = bench_now() - block->began;
    block->cpu = bench_cpu() - block->cpu_began;
}

static inline bool bench_goes_on(struct bench_block *block)
{
    if (bench_now() - block->began < block->budget)
        return true;
    bench_end(block);
    return false;
}

static inline void bench_sample(struct bench_block *block, double value)
{
    if (block->count < BENCH_SAMPLES)
        block->samples[block->count++] = value;
}

/** Ends a chunk of a loop. */
static inline bool bench_chunk(struct bench_block *block, uint32_t done)
{
    uint64_t now = bench_now();
    block->ops += done;
    bench_sample(block, (double)(now - block->last) / done);
    block->last = now;
    return bench_goes_on(block);
}

/** Repeats a statement for the block's time. The clock is read once per chunk,
 * so that its cost does not show; and as the median chunk counts, what
 * interrupts the loop now and then does not show either. */
#define BENCH_LOOP(block, chunk, statement)                                    \
    do {                                                                       \
        bench_begin(block);                                                    \
        (block)->chunks = true;                                                \
        (block)->count = 0;                                                    \
        (block)->last = (block)->began;                                        \
        do {                                                                   \
            for (uint32_t i_ = 0; i_ < (chunk); i_++) {                        \
                statement;                                                     \
            }                                                                  \
        } while (bench_chunk(block, chunk));                                   \
    } while (0)

/** A figure never fails a run; a wrong result ends it. */
#define BENCH_REQUIRE(condition)                                               \
    ((condition) ? (void)0 : bench_fail(__FILE__, __LINE__, #condition))
#ifdef __cplusplus
[[noreturn]]
#else
_Noreturn
#endif
void bench_fail(const char *file, int line, const char *condition);

#ifdef __cplusplus
}
#endif

#endif
