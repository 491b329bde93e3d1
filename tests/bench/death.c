/* The owner of the lock is killed while another process is asleep waiting for
 * it: how long from the kill until the other is told? */
#include "peers.h"
#include "stage.h"

enum {
    ASLEEP_MS = 3, /* by then the waiter sleeps */
    HANG_MS = 5000
};

static void kill_soon(void *argument)
{
    struct bench_block *block = argument;
    sleep_ms(ASLEEP_MS);
    atomic_store(&block->stage->stamp, bench_now());
    child_kill(&block->process->child);
}

/** The waiter's expression is true when it was told of the death. */
#define DEATHS(block, told, again)                                             \
    do {                                                                       \
        uint64_t cpu_ = 0;                                                     \
        for (uint32_t i_ = 0; i_ < (block)->kills; i_++) {                     \
            stage_start(block);                                                \
            struct thread killer_ = thread_start(kill_soon, block);            \
            bench_begin(block);                                                \
            bool told_ = (told);                                               \
            uint64_t now_ = bench_now();                                       \
            bench_end(block);                                                  \
            thread_join(killer_);                                              \
            cpu_ += (block)->cpu;                                              \
            (block)->ops++;                                                    \
            if (told_)                                                         \
                bench_sample(block, (double)(now_ - (block)->stage->stamp));   \
            else                                                               \
                (block)->hangs++;                                              \
            again;                                                             \
        }                                                                      \
        (block)->cpu = cpu_;                                                   \
    } while (0)

static void ours(struct bench_block *block)
{
    winshm_region *region = bench_create(block, 4096);
    DEATHS(
        block,
        winshm_lock(region, WINSHM_EXCLUSIVE, HANG_MS) == WINSHM_E_OWNER_DEAD, {
            BENCH_REQUIRE(winshm_make_consistent(region) == WINSHM_OK);
            BENCH_REQUIRE(winshm_unlock(region, WINSHM_EXCLUSIVE) == WINSHM_OK);
        });
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

static void ours_child(struct bench_block *block)
{
    winshm_region *region = bench_join(block);
    BENCH_REQUIRE(winshm_lock(region, WINSHM_EXCLUSIVE, 0) == WINSHM_OK);
    stage_ready(block);
    sleep_ms(PATIENCE_MS);
}

#ifdef _WIN32
static void peer(struct bench_block *block)
{
    HANDLE mutex = peer_mutex(block);
    DEATHS(block, WaitForSingleObject(mutex, HANG_MS) == WAIT_ABANDONED,
           BENCH_REQUIRE(ReleaseMutex(mutex)));
    CloseHandle(mutex);
}

static void peer_child(struct bench_block *block)
{
    BENCH_REQUIRE(WaitForSingleObject(peer_mutex(block), 0) == WAIT_OBJECT_0);
    stage_ready(block);
    sleep_ms(PATIENCE_MS);
}
#define PEER_NAME "named mutex"
#define NS_AIM 1e6
#define P99_AIM 50e6
#else
#include <errno.h>
#include <time.h>

static bool peer_told(pthread_mutex_t *mutex)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += HANG_MS / 1000;
    return pthread_mutex_timedlock(mutex, &end) == EOWNERDEAD;
}

static void peer(struct bench_block *block)
{
    pthread_mutex_t *mutex = peer_mutex_make(block);
    DEATHS(block, peer_told(mutex), {
        BENCH_REQUIRE(pthread_mutex_consistent(mutex) == 0);
        BENCH_REQUIRE(pthread_mutex_unlock(mutex) == 0);
    });
}

static void peer_child(struct bench_block *block)
{
    BENCH_REQUIRE(pthread_mutex_trylock((pthread_mutex_t *)block->space) == 0);
    stage_ready(block);
    sleep_ms(PATIENCE_MS);
}
#define PEER_NAME "robust pthread mutex"
#define NS_AIM 0
#define P99_AIM 25e6
#endif

const struct bench_case bench_death[] = {
    {.name = "death/parked-waiter",
     .title = "owner killed, parked waiter told",
     .peer_name = PEER_NAME,
     .waits = "both block",
     .ns_aim = NS_AIM,
     .p99_aim = P99_AIM,
     .ours = ours,
     .peer = peer,
     .ours_child = ours_child,
     .peer_child = peer_child},
    {.name = NULL}};
