/* Two processes that only read: how well do shared locks share? Each block
 * measures one process alone for half of its time, then both. */
#include "peers.h"
#include "stage.h"

enum { CHUNK = 256 };

/** Runs alone, then together; block->extra is what the second process added. */
#define BOTH(block, statement)                                                 \
    do {                                                                       \
        uint64_t whole = (block)->budget;                                      \
        (block)->budget = whole / 2;                                           \
        BENCH_LOOP(block, CHUNK, statement);                                   \
        double alone = (double)(block)->ops / (double)(block)->ns;             \
        (block)->ops = 0;                                                      \
        (block)->count = 0;                                                    \
        stage_start(block);                                                    \
        stage_together(block, true);                                           \
        HALF(block, 0, statement);                                             \
        (block)->budget = whole;                                               \
        stage_finish(block);                                                   \
        (block)->extra = (double)(block)->ops / (double)(block)->ns / alone;   \
    } while (0)

#define HALF(block, side, statement)                                           \
    do                                                                         \
        for (uint32_t i_ = 0; i_ < CHUNK; i_++) {                              \
            statement;                                                         \
        }                                                                      \
    while (stage_goes_on(block, side, CHUNK))

static void ours_once(winshm_region *region, winshm_status *bad)
{
    *bad |= winshm_lock(region, WINSHM_SHARED, WINSHM_FOREVER);
    *bad |= winshm_unlock(region, WINSHM_SHARED);
}

static void ours(struct bench_block *block)
{
    winshm_region *region = bench_create(block, 4096);
    winshm_status bad = 0;
    BOTH(block, ours_once(region, &bad));
    BENCH_REQUIRE(bad == 0);
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

static void ours_child(struct bench_block *block)
{
    winshm_region *region = bench_join(block);
    winshm_status bad = 0;
    stage_ready(block);
    stage_together(block, false);
    HALF(block, 1, ours_once(region, &bad));
    BENCH_REQUIRE(bad == 0);
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

#ifdef _WIN32
static void peer_once(HANDLE mutex, DWORD *bad)
{
    *bad |= WaitForSingleObject(mutex, INFINITE);
    *bad |= (DWORD)!ReleaseMutex(mutex);
}

static void peer(struct bench_block *block)
{
    HANDLE mutex = peer_mutex(block);
    DWORD bad = 0;
    BOTH(block, peer_once(mutex, &bad));
    BENCH_REQUIRE(bad == 0);
    CloseHandle(mutex);
}

static void peer_child(struct bench_block *block)
{
    HANDLE mutex = peer_mutex(block);
    DWORD bad = 0;
    stage_ready(block);
    stage_together(block, false);
    HALF(block, 1, peer_once(mutex, &bad));
    BENCH_REQUIRE(bad == 0);
    CloseHandle(mutex);
}
#define PEER_NAME "named mutex"
#define PEER_WAITS "winshm need not wait, the peer blocks"
#define PEER_AIM 0
#else
static void peer_once(pthread_rwlock_t *lock, int *bad)
{
    *bad |= pthread_rwlock_rdlock(lock);
    *bad |= pthread_rwlock_unlock(lock);
}

static void peer(struct bench_block *block)
{
    pthread_rwlock_t *lock = peer_rwlock_make(block);
    int bad = 0;
    BOTH(block, peer_once(lock, &bad));
    BENCH_REQUIRE(bad == 0);
}

static void peer_child(struct bench_block *block)
{
    pthread_rwlock_t *lock = block->space;
    int bad = 0;
    stage_ready(block);
    stage_together(block, false);
    HALF(block, 1, peer_once(lock, &bad));
    BENCH_REQUIRE(bad == 0);
}
#define PEER_NAME "pthread rwlock"
#define PEER_WAITS "neither waits"
#define PEER_AIM 14
#endif

const struct bench_case bench_readers[] = {
    {.name = "readers/2-processes",
     .title = "shared lock + unlock, 2 processes",
     .peer_name = PEER_NAME,
     .waits = PEER_WAITS,
     .aim = PEER_AIM,
     .extra = "rate of 2 / rate of 1",
     .extra_aim = 1.85,
     .talks = true,
     .ours = ours,
     .peer = peer,
     .ours_child = ours_child,
     .peer_child = peer_child},
    {.name = NULL}};
