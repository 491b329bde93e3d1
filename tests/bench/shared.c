/* The shared lock, taken and released where nobody else wants it. */
#include "peers.h"
#include "stage.h"

static void ours(struct bench_block *block)
{
    winshm_region *region = bench_create(block, 4096);
    winshm_status bad = 0;
    BENCH_LOOP(block, 2048, {
        bad |= winshm_lock(region, WINSHM_SHARED, WINSHM_FOREVER);
        bad |= winshm_unlock(region, WINSHM_SHARED);
    });
    BENCH_REQUIRE(bad == 0);
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

/** What no reader can do without: to be counted before it looks, and to leave.
 */
static void bare(struct bench_block *block)
{
    _Atomic uint32_t *words = block->space;
    uint32_t bad = 0;
    atomic_store(&words[0], 0);
    atomic_store(&words[1], 0);
    BENCH_LOOP(block, 2048, {
        atomic_fetch_add(&words[0], 1);
        bad |= atomic_load_explicit(&words[1], memory_order_acquire);
        atomic_store_explicit(&words[0], 0, memory_order_release);
    });
    BENCH_REQUIRE(bad == 0);
}

#ifdef _WIN32
/* Windows has no shared lock between processes: what people use is a mutex. */
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
static void rwlock(struct bench_block *block)
{
    pthread_rwlock_t *lock = peer_rwlock_make(block);
    int bad = 0;
    BENCH_LOOP(block, 2048, {
        bad |= pthread_rwlock_rdlock(lock);
        bad |= pthread_rwlock_unlock(lock);
    });
    BENCH_REQUIRE(bad == 0);
    pthread_rwlock_destroy(lock);
}
#endif

const struct bench_case bench_shared[] = {
#ifdef _WIN32
    {.name = "shared/named-mutex",
     .title = "shared lock + unlock, uncontended",
     .peer_name = "named mutex",
     .waits = "neither waits",
     .ours = ours,
     .peer = mutex_peer},
#else
    {.name = "shared/rwlock",
     .title = "shared lock + unlock, uncontended",
     .peer_name = "pthread rwlock",
     .waits = "neither waits",
     .aim = 1.7,
     .ours = ours,
     .peer = rwlock},
    {.name = "shared/boost-sharable-mutex",
     .title = "shared lock + unlock, uncontended",
     .peer_name = "Boost sharable mutex",
     .waits = "neither waits",
     .aim = 5,
     .ours = ours,
     .peer = boost_shared},
#endif
    {.name = "shared/bare",
     .title = "shared lock + unlock, uncontended",
     .peer_name = "bare addition, look and store (no lock)",
     .waits = "neither waits",
     .ours = ours,
     .peer = bare},
    {.name = NULL}};
