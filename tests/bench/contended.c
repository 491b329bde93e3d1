/* Two processes that both want the exclusive lock all the time, to add 1 to a
 * number: how fast, how evenly, and is every addition there in the end? */
#include "peers.h"
#include "stage.h"

enum { CHUNK = 32 };

#define LOOP(block, side, statement)                                           \
    do                                                                         \
        for (uint32_t i_ = 0; i_ < CHUNK; i_++) {                              \
            statement;                                                         \
        }                                                                      \
    while (stage_goes_on(block, side, CHUNK))

static void ours_once(winshm_region *region, volatile uint64_t *number)
{
    BENCH_REQUIRE(winshm_lock(region, WINSHM_EXCLUSIVE, WINSHM_FOREVER) ==
                  WINSHM_OK);
    ++*number;
    BENCH_REQUIRE(winshm_unlock(region, WINSHM_EXCLUSIVE) == WINSHM_OK);
}

/** Shares are seen in windows of 100 ms only, so two must fit. */
static void lengthen(struct bench_block *block)
{
    if (block->budget < 2 * STAGE_WINDOW_NS)
        block->budget = 2 * STAGE_WINDOW_NS;
}

static void ours(struct bench_block *block)
{
    lengthen(block);
    winshm_region *region = bench_create(block, 4096);
    volatile uint64_t *number = winshm_data(region);
    stage_start(block);
    stage_together(block, true);
    LOOP(block, 0, ours_once(region, number));
    stage_finish(block);
    block->extra = stage_share(block);
    BENCH_REQUIRE(*number == block->ops);
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

static void ours_child(struct bench_block *block)
{
    winshm_region *region = bench_join(block);
    volatile uint64_t *number = winshm_data(region);
    stage_ready(block);
    stage_together(block, false);
    LOOP(block, 1, ours_once(region, number));
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

#ifdef _WIN32
#define PEER_NAME "named mutex"
#define PEER_WAITS "winshm spins, then blocks; the peer blocks"
#define PEER_AIM 100
typedef HANDLE peer_lock;

static peer_lock peer_open(struct bench_block *block, bool make)
{
    (void)make;
    return peer_mutex(block);
}

static void peer_once(HANDLE mutex, volatile uint64_t *number)
{
    BENCH_REQUIRE(WaitForSingleObject(mutex, INFINITE) == WAIT_OBJECT_0);
    ++*number;
    BENCH_REQUIRE(ReleaseMutex(mutex));
}
#else
#define PEER_NAME "robust pthread mutex"
#define PEER_WAITS "winshm spins, then blocks; the peer blocks"
#define PEER_AIM 1.3
typedef pthread_mutex_t *peer_lock;

static peer_lock peer_open(struct bench_block *block, bool make)
{
    return make ? peer_mutex_make(block) : (pthread_mutex_t *)block->space;
}

static void peer_once(pthread_mutex_t *mutex, volatile uint64_t *number)
{
    BENCH_REQUIRE(pthread_mutex_lock(mutex) == 0);
    ++*number;
    BENCH_REQUIRE(pthread_mutex_unlock(mutex) == 0);
}
#endif

static void peer(struct bench_block *block)
{
    lengthen(block);
    peer_lock lock = peer_open(block, true);
    volatile uint64_t *number = peer_data(block);
    stage_start(block);
    stage_together(block, true);
    LOOP(block, 0, peer_once(lock, number));
    stage_finish(block);
    block->extra = stage_share(block);
    BENCH_REQUIRE(*number == block->ops);
}

static void peer_child(struct bench_block *block)
{
    peer_lock lock = peer_open(block, false);
    volatile uint64_t *number = peer_data(block);
    stage_ready(block);
    stage_together(block, false);
    LOOP(block, 1, peer_once(lock, number));
}

const struct bench_case bench_contended[] = {
    {.name = "contended/2-processes",
     .title = "exclusive lock + unlock, 2 processes",
     .peer_name = PEER_NAME,
     .waits = PEER_WAITS,
     .aim = PEER_AIM,
     .extra = "worst share in 100 ms",
     .extra_aim = 0.7,
     .talks = true,
     .ours = ours,
     .peer = peer,
     .ours_child = ours_child,
     .peer_child = peer_child},
    {.name = NULL}};
