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

/** What no lock can do without: the bound of every ratio here. */
static void bare(struct bench_block *block)
{
    _Atomic uint32_t *word = block->space;
    bool bad = false;
    atomic_store(word, 0);
    BENCH_LOOP(block, 2048, {
        uint32_t nobody = 0;
        bad |= !atomic_compare_exchange_strong(word, &nobody, 1);
        atomic_store_explicit(word, 0, memory_order_release);
    });
    BENCH_REQUIRE(!bad);
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
#endif

const struct bench_case bench_exclusive[] = {
#ifdef _WIN32
    {.name = "exclusive/named-mutex",
     .title = "exclusive lock + unlock, uncontended",
     .peer_name = "named mutex",
     .waits = "neither waits",
     .aim = 1500,
     .ours = ours,
     .peer = mutex_peer},
#else
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
#endif
    {.name = "exclusive/bare",
     .title = "exclusive lock + unlock, uncontended",
     .peer_name = "bare exchange and store (no lock)",
     .waits = "neither waits",
     .ours = ours,
     .peer = bare},
    {.name = NULL}};
