/* Telling of a change when nobody waits for it. */
#include "peers.h"
#include "stage.h"

static void ours(struct bench_block *block)
{
    winshm_region *region = bench_create(block, 4096);
    winshm_status bad = 0;
    uint32_t count;
    BENCH_LOOP(block, 2048, bad |= winshm_notify(region));
    BENCH_REQUIRE(bad == 0);
    BENCH_REQUIRE(winshm_change_count(region, &count) == WINSHM_OK);
    BENCH_REQUIRE(count == (uint32_t)block->ops);
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

#ifdef _WIN32
static void peer(struct bench_block *block)
{
    HANDLE event = peer_event(block, 0);
    DWORD bad = 0;
    BENCH_LOOP(block, 16, bad |= (DWORD)!SetEvent(event));
    BENCH_REQUIRE(bad == 0);
    CloseHandle(event);
}
#define PEER_NAME "SetEvent"
#define PEER_AIM 1000
#else
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A bare futex has no word that says whether somebody waits, so whoever uses
 * it that way must always ask the kernel. */
static void peer(struct bench_block *block)
{
    struct stage *stage = block->stage;
    long bad = 0;
    BENCH_LOOP(block, 64, {
        atomic_fetch_add(&stage->ping, 1);
        bad |= syscall(SYS_futex, &stage->ping, FUTEX_WAKE, 1, NULL, NULL, 0);
    });
    BENCH_REQUIRE(bad == 0);
}
#define PEER_NAME "addition + FUTEX_WAKE"
#define PEER_AIM 0
#endif

const struct bench_case bench_notify[] = {{.name = "notify/nobody-waits",
                                           .title = "notify, nobody waits",
                                           .peer_name = PEER_NAME,
                                           .waits = "nobody waits",
                                           .aim = PEER_AIM,
                                           .ns_aim = 12,
                                           .ours = ours,
                                           .peer = peer},
                                          {.name = NULL}};
