/* Waiting threads: one child has them all, and the parent wakes them. */
#include "growth.h"

enum { TIMES = 5, ASLEEP_MS = 3, THREADS_MAX = 32, PATIENCE = 20000 };

/** In the stage's space. */
struct crowd {
    _Atomic uint32_t round;  /* threads begin to wait when it grows */
    _Atomic uint32_t coming; /* those that are about to wait */
    _Atomic uint32_t done;   /* those that were woken */
};

static struct crowd *crowd_of(const struct bench_block *block)
{
    return block->space;
}

/** Lets all begin to wait, and returns when they are asleep. */
static void gather(const struct bench_block *block, uint64_t threads)
{
    struct crowd *crowd = crowd_of(block);
    atomic_store(&crowd->coming, 0);
    atomic_store(&crowd->done, 0);
    atomic_fetch_add(&crowd->round, 1);
    uint64_t end = clock_ms() + PATIENCE_MS;
    while (atomic_load(&crowd->coming) != threads) {
        BENCH_REQUIRE(clock_ms() < end);
        sleep_ms(1);
    }
    sleep_ms(ASLEEP_MS);
}

/** @return nanoseconds from the stamp until the last one was done. */
static double scatter(const struct bench_block *block, uint64_t threads)
{
    uint64_t end = clock_ms() + PATIENCE_MS;
    while (atomic_load(&crowd_of(block)->done) != threads) {
        BENCH_REQUIRE(clock_ms() < end);
        sleep_ms(1);
    }
    return (double)atomic_load(&block->stage->latency);
}

/** In a thread: waits for the next round. @return false: no more. */
static bool next_round(const struct bench_block *block, uint32_t *round)
{
    struct crowd *crowd = crowd_of(block);
    while (atomic_load(&crowd->round) == *round) {
        if (stage_stops(block))
            return false;
        sleep_ms(1);
    }
    ++*round;
    return true;
}

/** In a thread: it was woken. The last one tells when that was. */
static void arrive(const struct bench_block *block)
{
    uint64_t now = bench_now();
    struct stage *stage = block->stage;
    if (atomic_fetch_add(&crowd_of(block)->done, 1) + 1 == block->bytes)
        atomic_store(&stage->latency, now - atomic_load(&stage->stamp));
}

static void run_threads(struct bench_block *block, void (*run)(void *))
{
    struct thread threads[THREADS_MAX];
    BENCH_REQUIRE(block->bytes <= THREADS_MAX);
    for (uint64_t i = 0; i < block->bytes; i++)
        threads[i] = thread_start(run, block);
    stage_ready(block);
    for (uint64_t i = 0; i < block->bytes; i++)
        thread_join(threads[i]);
}

/* All threads share one handle and wait for a change. */

static winshm_region *shared;

static void wake_thread(void *argument)
{
    struct bench_block *block = argument;
    uint32_t round = 0, seen = 0;
    while (next_round(block, &round)) {
        atomic_fetch_add(&crowd_of(block)->coming, 1);
        BENCH_REQUIRE(winshm_wait(shared, seen, PATIENCE, &seen) == WINSHM_OK);
        arrive(block);
    }
}

void growth_wake_child(struct bench_block *block)
{
    shared = bench_join(block);
    run_threads(block, wake_thread);
    BENCH_REQUIRE(winshm_close(shared) == WINSHM_OK);
}

void growth_wake(struct growth *growth, uint64_t x, double *values)
{
    struct bench_block *block = &growth->block;
    winshm_region *region = bench_create(block, 4096);
    double samples[TIMES];
    block->bytes = x;
    growth_start(growth, GROWTH_WAKE, 1);
    for (int i = 0; i < TIMES; i++) {
        gather(block, x);
        atomic_store(&block->stage->stamp, bench_now());
        BENCH_REQUIRE(winshm_notify(region) == WINSHM_OK);
        samples[i] = scatter(block, x);
    }
    values[0] = spread_of(samples, TIMES).median;
    growth_finish(growth);
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

/* Each thread has a handle of its own and wants the lock exclusively. */

static void chain_thread(void *argument)
{
    struct bench_block *block = argument;
    winshm_region *region = bench_join(block);
    uint32_t round = 0;
    while (next_round(block, &round)) {
        atomic_fetch_add(&crowd_of(block)->coming, 1);
        BENCH_REQUIRE(winshm_lock(region, WINSHM_EXCLUSIVE, PATIENCE) ==
                      WINSHM_OK);
        BENCH_REQUIRE(winshm_unlock(region, WINSHM_EXCLUSIVE) == WINSHM_OK);
        arrive(block);
    }
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

void growth_chain_child(struct bench_block *block)
{
    run_threads(block, chain_thread);
}

void growth_chain(struct growth *growth, uint64_t x, double *values)
{
    struct bench_block *block = &growth->block;
    winshm_region *region = bench_create(block, 4096);
    double samples[TIMES];
    block->bytes = x;
    growth_start(growth, GROWTH_CHAIN, 1);
    for (int i = 0; i < TIMES; i++) {
        BENCH_REQUIRE(winshm_lock(region, WINSHM_EXCLUSIVE, PATIENCE) ==
                      WINSHM_OK);
        gather(block, x);
        atomic_store(&block->stage->stamp, bench_now());
        BENCH_REQUIRE(winshm_unlock(region, WINSHM_EXCLUSIVE) == WINSHM_OK);
        samples[i] = scatter(block, x) / (double)x;
    }
    values[0] = spread_of(samples, TIMES).median;
    growth_finish(growth);
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}
