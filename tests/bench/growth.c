/* What grows: the cost of an operation as participants, bytes, contending
 * processes and waiting threads become more. The rounds go over all points of a
 * curve in turn, so that whatever else the machine does disturbs all alike. */
#include "../harness/plain.h"
#include "growth.h"
#include "peers.h"
#include "run.h"

enum { ROUNDS_MAX = 32, POINTS_MAX = 20, POINT_NS = 20 * 1000 * 1000 };

/** Handles that a child keeps open besides the parent's, by block->bytes. */
static void hold_child(struct bench_block *block)
{
    static winshm_region *regions[WINSHM_PARTICIPANTS_MAX];
    for (uint64_t i = 0; i < block->bytes; i++)
        regions[i] = bench_join(block);
    stage_ready(block);
    stage_rest(block);
    for (uint64_t i = 0; i < block->bytes; i++)
        BENCH_REQUIRE(winshm_close(regions[i]) == WINSHM_OK);
}

static double median_of(struct bench_block *block)
{
    return spread_of(block->samples, block->count).median;
}

static void participants(struct growth *growth, uint64_t x, double *values)
{
    struct bench_block *block = &growth->block;
    winshm_region *region = bench_create(block, 4096);
    winshm_status bad = 0;
    block->bytes = x - 1;
    growth_start(growth, GROWTH_HOLD, 1);
    BENCH_LOOP(block, 512, {
        bad |= winshm_lock(region, WINSHM_EXCLUSIVE, WINSHM_FOREVER);
        bad |= winshm_unlock(region, WINSHM_EXCLUSIVE);
    });
    values[0] = median_of(block);
    BENCH_LOOP(block, 512, {
        bad |= winshm_lock(region, WINSHM_SHARED, WINSHM_FOREVER);
        bad |= winshm_unlock(region, WINSHM_SHARED);
    });
    values[1] = median_of(block);
    BENCH_LOOP(block, 512, bad |= winshm_notify(region));
    values[2] = median_of(block);
    BENCH_LOOP(block, 4, {
        winshm_region *other = bench_join(block);
        bad |= winshm_close(other);
    });
    values[3] = median_of(block);
    BENCH_REQUIRE(bad == 0);
    growth_finish(growth);
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

static void bytes(struct growth *growth, uint64_t x, double *values)
{
    struct bench_block *block = &growth->block;
    winshm_region *region = bench_create(block, x);
    void *data = winshm_data(region), *mine = malloc((size_t)x);
    uint32_t chunk = x < 4096 ? 1024 : x < 1u << 20 ? 16 : 1;
    winshm_status bad = 0;
    BENCH_REQUIRE(mine != NULL);
    memset(mine, 1, (size_t)x);
    BENCH_LOOP(block, chunk,
               bad |= winshm_write(region, 0, mine, x, WINSHM_FOREVER));
    values[0] = median_of(block);
    BENCH_LOOP(block, chunk,
               bad |= winshm_read(region, 0, mine, x, WINSHM_FOREVER));
    values[1] = median_of(block);
    BENCH_LOOP(block, chunk, {
        memcpy(data, mine, (size_t)x);
        /* The compiler must not leave out what it has copied before. */
        __asm__ volatile("" ::: "memory");
    });
    values[2] = median_of(block);
    BENCH_REQUIRE(bad == 0 && memcmp(data, mine, (size_t)x) == 0);
    free(mine);
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

/* Contending processes: the parent counts what all have done together. */

static double together(struct growth *growth, enum growth_part part,
                       uint32_t count, const volatile uint64_t *number)
{
    struct stage *stage = growth->block.stage;
    memset(stage->windows, 0, sizeof stage->windows);
    growth_start(growth, part, count);
    atomic_store(&stage->start, bench_now() + 2 * 1000 * 1000);
    sleep_ms((uint32_t)(growth->block.budget / 1000000) + 2);
    growth_finish(growth);
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++)
        total += stage->windows[0][i];
    BENCH_REQUIRE(total != 0 && *number == total);
    return (double)growth->block.budget / (double)total;
}

#define CONTEND(block, statement)                                              \
    do {                                                                       \
        uint64_t done = 0;                                                     \
        stage_ready(block);                                                    \
        while (atomic_load(&(block)->stage->start) == 0)                       \
            sleep_ms(1);                                                       \
        uint64_t end = (block)->stage->start + (block)->budget;                \
        while (bench_now() < end)                                              \
            for (int i = 0; i < 16; i++, done++)                               \
                statement;                                                     \
        (block)->stage->windows[0][(block)->kills] = done;                     \
    } while (0)

static void ours_once(winshm_region *region, volatile uint64_t *number)
{
    BENCH_REQUIRE(winshm_lock(region, WINSHM_EXCLUSIVE, WINSHM_FOREVER) ==
                  WINSHM_OK);
    ++*number;
    BENCH_REQUIRE(winshm_unlock(region, WINSHM_EXCLUSIVE) == WINSHM_OK);
}

static void contend_child(struct bench_block *block)
{
    winshm_region *region = bench_join(block);
    volatile uint64_t *number = winshm_data(region);
    CONTEND(block, ours_once(region, number));
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

#ifdef _WIN32
#define PEER_SERIES "named mutex"
static void contend_peer_child(struct bench_block *block)
{
    HANDLE mutex = peer_mutex(block);
    volatile uint64_t *number = peer_data(block);
    CONTEND(block, {
        BENCH_REQUIRE(WaitForSingleObject(mutex, INFINITE) == WAIT_OBJECT_0);
        ++*number;
        BENCH_REQUIRE(ReleaseMutex(mutex));
    });
    CloseHandle(mutex);
}
#else
#define PEER_SERIES "robust pthread mutex"
static void contend_peer_child(struct bench_block *block)
{
    pthread_mutex_t *mutex = block->space;
    volatile uint64_t *number = peer_data(block);
    CONTEND(block, {
        BENCH_REQUIRE(pthread_mutex_lock(mutex) == 0);
        ++*number;
        BENCH_REQUIRE(pthread_mutex_unlock(mutex) == 0);
    });
}
#endif

static void contenders(struct growth *growth, uint64_t x, double *values)
{
    struct bench_block *block = &growth->block;
    winshm_region *region = bench_create(block, 4096);
    volatile uint64_t *number = peer_data(block);
    block->budget = 3 * POINT_NS;
    values[0] =
        together(growth, GROWTH_CONTEND, (uint32_t)x, winshm_data(region));
#ifdef _WIN32
    HANDLE mutex = peer_mutex(block);
#else
    peer_mutex_make(block);
#endif
    *number = 0;
    values[1] = together(growth, GROWTH_CONTEND_PEER, (uint32_t)x, number);
#ifdef _WIN32
    CloseHandle(mutex);
#endif
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

static void (*const parts[])(struct bench_block *) = {
    [GROWTH_HOLD] = hold_child,
    [GROWTH_CONTEND] = contend_child,
    [GROWTH_CONTEND_PEER] = contend_peer_child,
    [GROWTH_WAKE] = growth_wake_child,
    [GROWTH_CHAIN] = growth_chain_child};

void growth_start(struct growth *growth, enum growth_part part, uint32_t count)
{
    struct stage *stage = growth->block.stage;
    stage->budget = growth->block.budget;
    stage->bytes = growth->block.bytes;
    atomic_store(&stage->stop, 0);
    atomic_store(&stage->start, 0);
    bench_unpin();
    growth->count = count;
    for (uint32_t i = 0; i < count; i++) {
        atomic_store(&stage->ready, 0);
        growth->children[i] =
            child_start("growth", growth->block.name, (uint32_t)part << 8 | i);
        uint64_t end = clock_ms() + PATIENCE_MS;
        while (atomic_load(&stage->ready) == 0) {
            BENCH_REQUIRE(clock_ms() < end);
            sleep_ms(1);
        }
    }
    bench_pin(stage->cpus[0]);
}

void growth_finish(struct growth *growth)
{
    atomic_store(&growth->block.stage->stop, 1);
    for (uint32_t i = 0; i < growth->count; i++)
        BENCH_REQUIRE(child_wait(&growth->children[i], PATIENCE_MS) == 0);
}

void growth_child(const char *name, uint32_t number)
{
    char its_name[80];
    struct plain plain;
    struct bench_block block = {.name = name, .kills = number & 255};
    snprintf(its_name, sizeof its_name, "%s-stage", name);
    BENCH_REQUIRE(plain_open(&plain, its_name, sizeof(struct stage)));
    block.stage = plain.data;
    block.space = block.stage->space;
    block.budget = block.stage->budget;
    block.bytes = block.stage->bytes;
    /* Neighbours are on different processors. */
    bench_pin(block.stage->cpus[(block.kills + 1) % 2]);
    parts[number >> 8](&block);
    plain_close(&plain);
}

static const struct curve {
    const char *name;
    const char *series[GROWTH_SERIES];
    uint64_t xs[POINTS_MAX]; /* until a 0 */
    void (*measure)(struct growth *growth, uint64_t x, double *values);
} curves[] = {
    {"participants",
     {"exclusive lock + unlock", "shared lock + unlock", "notify",
      "open + close"},
     {1, 2, 4, 8, 16, 32, 64},
     participants},
    {"bytes",
     {"winshm_write", "winshm_read", "memcpy"},
     {1, 4, 16, 64, 256, 1u << 10, 1u << 12, 1u << 14, 1u << 16, 1u << 18,
      1u << 20, 1u << 22, 1u << 24, 1u << 26, 1u << 28, 1u << 30},
     bytes},
    {"contending processes",
     {"winshm", PEER_SERIES},
     {1, 2, 3, 4, 6, 8},
     contenders},
    {"waiting threads, all woken by one notify",
     {"until the last one is awake"},
     {1, 2, 4, 8, 16, 32},
     growth_wake},
    {"threads waiting for the lock",
     {"from one owner to the next"},
     {1, 2, 4, 8, 16, 32},
     growth_chain},
};

static char stage_name[80];

static void remove_stage(void)
{
    if (stage_name[0] != '\0')
        plain_remove(stage_name);
}

static void point(const struct curve *curve, uint64_t x, double *values,
                  const uint32_t cpus[2])
{
    static uint32_t points;
    static double samples[BENCH_SAMPLES];
    char name[64];
    struct plain plain;
    struct growth growth = {
        .block = {.name = name, .budget = POINT_NS, .samples = samples}};
    snprintf(name, sizeof name, "winshm-growth-%u-%u", child_pid(), ++points);
    snprintf(stage_name, sizeof stage_name, "%s-stage", name);
    BENCH_REQUIRE(plain_create(&plain, stage_name, sizeof(struct stage)));
    memset(plain.data, 0, sizeof(struct stage));
    growth.block.stage = plain.data;
    growth.block.space = growth.block.stage->space;
    memcpy(growth.block.stage->cpus, cpus, 2 * sizeof *cpus);
    bench_pin(cpus[0]);
    curve->measure(&growth, x, values);
    bench_unpin();
    plain_close(&plain);
    remove_stage();
    stage_name[0] = '\0';
}

void growth_run(uint32_t rounds, const char *only, const uint32_t cpus[2])
{
    static double all[GROWTH_SERIES][POINTS_MAX][ROUNDS_MAX];
    BENCH_REQUIRE(rounds <= ROUNDS_MAX);
    atexit(remove_stage);
    for (size_t c = 0; c < sizeof curves / sizeof curves[0]; c++) {
        const struct curve *curve = &curves[c];
        double values[GROWTH_SERIES];
        if (only != NULL && strstr(curve->name, only) == NULL)
            continue;
        for (uint32_t round = 0; round < rounds; round++)
            for (uint32_t i = 0; curve->xs[i] != 0; i++) {
                point(curve, curve->xs[i], values, cpus);
                for (uint32_t s = 0; s < GROWTH_SERIES; s++)
                    all[s][i][round] = values[s];
            }
        for (uint32_t s = 0; s < GROWTH_SERIES && curve->series[s]; s++)
            for (uint32_t i = 0; curve->xs[i] != 0; i++) {
                struct spread ns = spread_of(all[s][i], rounds);
                report_point(curve->name, curve->series[s], curve->xs[i], &ns);
            }
    }
}
