/* Waking one who is asleep, there and back. Each side rests a while before it
 * wakes the other, so that the other is asleep by then, whatever it does before
 * it sleeps; what is timed is only from the call that wakes to the return of
 * the call that waits. The pauses do not count. */
#include "peers.h"
#include "stage.h"

enum { REST_MS = 1, PATIENCE = 20000 };

/** In the parent: one round trip per sample. */
#define ROUNDS(block, wake, wait)                                              \
    do {                                                                       \
        struct stage *stage_ = (block)->stage;                                 \
        stage_start(block);                                                    \
        bench_begin(block);                                                    \
        do {                                                                   \
            sleep_ms(REST_MS);                                                 \
            atomic_store(&stage_->stamp, bench_now());                         \
            wake;                                                              \
            wait;                                                              \
            uint64_t now_ = bench_now();                                       \
            bench_sample(block,                                                \
                         (double)(now_ - stage_->stamp + stage_->latency));    \
            (block)->ops++;                                                    \
        } while (bench_goes_on(block));                                        \
        atomic_store(&stage_->stop, 1);                                        \
        wake;                                                                  \
        stage_finish(block);                                                   \
    } while (0)

/** In the child. */
#define ANSWERS(block, wake, wait)                                             \
    do {                                                                       \
        struct stage *stage_ = (block)->stage;                                 \
        stage_ready(block);                                                    \
        for (;;) {                                                             \
            wait;                                                              \
            if (stage_stops(block))                                            \
                break;                                                         \
            atomic_store(&stage_->latency, bench_now() - stage_->stamp);       \
            sleep_ms(REST_MS);                                                 \
            atomic_store(&stage_->stamp, bench_now());                         \
            wake;                                                              \
        }                                                                      \
    } while (0)

static void ours(struct bench_block *block)
{
    winshm_region *there = bench_create(block, 4096);
    winshm_region *back;
    uint32_t seen = 0;
    BENCH_REQUIRE(winshm_create(stage_back_name(block), 4096, 0, &back) ==
                  WINSHM_OK);
    ROUNDS(
        block, BENCH_REQUIRE(winshm_notify(there) == WINSHM_OK),
        BENCH_REQUIRE(winshm_wait(back, seen, PATIENCE, &seen) == WINSHM_OK));
    BENCH_REQUIRE(winshm_close(back) == WINSHM_OK);
    BENCH_REQUIRE(winshm_close(there) == WINSHM_OK);
}

static void ours_child(struct bench_block *block)
{
    winshm_region *there = bench_join(block);
    winshm_region *back;
    uint32_t seen = 0;
    BENCH_REQUIRE(winshm_open(stage_back_name(block), 0, &back) == WINSHM_OK);
    ANSWERS(
        block, BENCH_REQUIRE(winshm_notify(back) == WINSHM_OK),
        BENCH_REQUIRE(winshm_wait(there, seen, PATIENCE, &seen) == WINSHM_OK));
    BENCH_REQUIRE(winshm_close(back) == WINSHM_OK);
    BENCH_REQUIRE(winshm_close(there) == WINSHM_OK);
}

#ifdef _WIN32
static void peer(struct bench_block *block)
{
    HANDLE there = peer_event(block, 0), back = peer_event(block, 1);
    ROUNDS(block, BENCH_REQUIRE(SetEvent(there)),
           BENCH_REQUIRE(WaitForSingleObject(back, PATIENCE) == WAIT_OBJECT_0));
    CloseHandle(there);
    CloseHandle(back);
}

static void peer_child(struct bench_block *block)
{
    HANDLE there = peer_event(block, 0), back = peer_event(block, 1);
    ANSWERS(
        block, BENCH_REQUIRE(SetEvent(back)),
        BENCH_REQUIRE(WaitForSingleObject(there, PATIENCE) == WAIT_OBJECT_0));
    CloseHandle(there);
    CloseHandle(back);
}
#define PEER_NAME "pair of events"
#else
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

static void futex_wake(_Atomic uint32_t *word)
{
    atomic_fetch_add(word, 1);
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void futex_wait(_Atomic uint32_t *word, uint32_t *seen)
{
    while (atomic_load(word) == *seen)
        syscall(SYS_futex, word, FUTEX_WAIT, *seen, NULL, NULL, 0);
    ++*seen;
}

static void peer(struct bench_block *block)
{
    uint32_t seen = 0;
    ROUNDS(block, futex_wake(&block->stage->ping),
           futex_wait(&block->stage->pong, &seen));
}

static void peer_child(struct bench_block *block)
{
    uint32_t seen = 0;
    ANSWERS(block, futex_wake(&block->stage->pong),
            futex_wait(&block->stage->ping, &seen));
}
#define PEER_NAME "pair of futexes"
#endif

const struct bench_case bench_wake[] = {
    {.name = "wake/round-trip",
     .title = "wake of a parked waiter, round trip",
     .peer_name = PEER_NAME,
     .waits = "both block",
     .aim = 0.95,
     .talks = true,
     .ours = ours,
     .peer = peer,
     .ours_child = ours_child,
     .peer_child = peer_child},
    {.name = NULL}};
