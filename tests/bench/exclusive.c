/* The exclusive lock, taken and released where nobody else wants it. */
#include "peers.h"
#include "stage.h"

static void ours(struct bench_block *block)
{
    winshm_region *region = bench_create(block, 4096);
    winshm_status bad = 0;
    BENCH_LOOP(block, 2048, {
        bad |= winshm_lock(region, WINSHM_EXCLUSIVE, WINSHM_FOREVER);
        bad |= winshm_unlock(region, WINSHM_EXCLUSIVE);
    });
    BENCH_REQUIRE(bad == 0);
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

#ifdef _WIN32
static void mutex_peer(struct bench_block *block)
{
    HANDLE mutex = peer_mutex(block);
    DWORD bad = 0;
    BENCH_LOOP(block, 16, {
        bad |= WaitForSingleObject(mutex, INFINITE);
        bad |= (DWORD)!ReleaseMutex(mutex);
    });
    BENCH_REQUIRE(bad == 0);
    CloseHandle(mutex);
}

const struct bench_case bench_exclusive[] = {
    {.name = "exclusive/named-mutex",
     .title = "exclusive lock + unlock, uncontended",
     .peer_name = "named mutex",
     .waits = "neither waits",
     .aim = 1500,
     .ours = ours,
     .peer = mutex_peer},
    {.name = NULL}};
#else
static void robust(struct bench_block *block)
{
    pthread_mutex_t *mutex = peer_mutex_make(block);
    int bad = 0;
    BENCH_LOOP(block, 2048, {
        bad |= pthread_mutex_lock(mutex);
        bad |= pthread_mutex_unlock(mutex);
    });
    BENCH_REQUIRE(bad == 0);
    pthread_mutex_destroy(mutex);
}

const struct bench_case bench_exclusive[] = {
    {.name = "exclusive/robust-mutex",
     .title = "exclusive lock + unlock, uncontended",
     .peer_name = "robust pthread mutex",
     .waits = "neither waits",
     .aim = 1.7,
     .ours = ours,
     .peer = robust},
    {.name = "exclusive/boost-mutex",
     .title = "exclusive lock + unlock, uncontended",
     .peer_name = "Boost mutex (not robust)",
     .waits = "neither waits",
     .ours = ours,
     .peer = boost_exclusive},
    {.name = NULL}};
#endif
