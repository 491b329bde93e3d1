/* A block's second process, and the memory where the two meet. It is made by
 * the operating system's own functions, so that a peer's objects owe nothing to
 * winshm. */
#ifndef STAGE_H
#define STAGE_H

#include <stdatomic.h>
#include <string.h>

#include "../harness/child.h"
#include "bench.h"
#include "winshm.h"

enum {
    STAGE_LINE = 128, /* processors fetch cache lines in pairs */
    STAGE_SPACE = 16384,
    STAGE_WINDOWS = 64,
    STAGE_WINDOW_NS = 100 * 1000 * 1000
};

struct stage {
    /* Written before the second process starts, or after it has ended. */
    uint64_t budget;
    uint64_t bytes;
    uint32_t cpus[2];
    uint64_t child_ops;
    uint64_t child_cpu;
    uint64_t windows[2][STAGE_WINDOWS];

    _Alignas(STAGE_LINE) _Atomic uint32_t ready;
    _Atomic uint32_t stop;
    _Atomic uint64_t start; /* when both begin; 0: not known yet */
    _Alignas(STAGE_LINE) _Atomic uint32_t ping;
    _Alignas(STAGE_LINE) _Atomic uint32_t pong;
    _Alignas(STAGE_LINE) _Atomic uint64_t stamp;
    _Atomic uint64_t latency;
    _Alignas(4096) unsigned char space[STAGE_SPACE];
};

struct bench_process {
    struct child child;
    const char *role;
};

/** Start the second process, which calls the case's child function, and wait
 * until it is ready. */
void stage_start(struct bench_block *block);
/** Tell it to stop; wait; add what it did and what it cost. */
void stage_finish(struct bench_block *block);

/** In the second process: the objects are open. */
void stage_ready(struct bench_block *block);
/** In the second process: wait for the end without using the processor. */
void stage_rest(struct bench_block *block);
/** In both processes: begin at the same moment. */
void stage_together(struct bench_block *block, bool parent);
/** A loop of both processes that notes how much was done in each window of
 * time. */
bool stage_goes_on(struct bench_block *block, int side, uint32_t done);
/** The smaller process's part in the worst window, 1 being equal. */
double stage_share(const struct bench_block *block);

/** The name of a second region: a region has one counter, so that where both
 * sides notify, each direction has a region of its own. */
static inline const char *stage_back_name(const struct bench_block *block)
{
    static char name[80];
    snprintf(name, sizeof name, "%s-back", block->name);
    return name;
}

static inline bool stage_stops(const struct bench_block *block)
{
    return atomic_load_explicit(&block->stage->stop, memory_order_relaxed) != 0;
}

/** Everything below is the system's. */
void bench_pin(uint32_t cpu);
void bench_unpin(void);
/** The first two processors that this process may use. */
bool bench_cpus(uint32_t cpus[2]);

static inline void bench_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/** Opens the block's region: every block has a new one. */
static inline winshm_region *bench_create(struct bench_block *block,
                                          uint64_t size)
{
    winshm_region *region;
    BENCH_REQUIRE(winshm_create(block->name, size, 0, &region) == WINSHM_OK);
    memset(winshm_data(region), 0, (size_t)size);
    return region;
}

static inline winshm_region *bench_join(const struct bench_block *block)
{
    winshm_region *region;
    BENCH_REQUIRE(winshm_open(block->name, 0, &region) == WINSHM_OK);
    return region;
}

#endif
