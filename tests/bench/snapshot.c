/* Consistent copies of 64 bytes while another process writes all of them anew
 * 10,000 times a second. Every copy is looked at: all its words must be of one
 * writing. */
#include "peers.h"
#include "stage.h"

enum { WORDS = BENCH_PAYLOAD / 8, WRITES_PER_SECOND = 10000 };

static bool whole(const uint64_t *words)
{
    uint64_t differ = 0;
    for (int i = 1; i < WORDS; i++)
        differ |= words[i] ^ words[0];
    return differ == 0;
}

/** Writes at the given rate until it shall stop. */
#define WRITER(block, statement)                                               \
    do {                                                                       \
        uint64_t words_[WORDS];                                                \
        uint64_t next = bench_now();                                           \
        stage_ready(block);                                                    \
        while (!stage_stops(block)) {                                          \
            if (bench_now() < next) {                                          \
                bench_pause();                                                 \
                continue;                                                      \
            }                                                                  \
            next += 1000000000u / WRITES_PER_SECOND;                           \
            for (int i = 0; i < WORDS; i++)                                    \
                words_[i] = next;                                              \
            statement;                                                         \
        }                                                                      \
    } while (0)

static void ours(struct bench_block *block)
{
    winshm_region *region = bench_create(block, 4096);
    uint64_t copy[WORDS];
    winshm_status bad = 0;
    bool torn = false;
    stage_start(block);
    BENCH_LOOP(block, 256, {
        bad |= winshm_read(region, 0, copy, sizeof copy, WINSHM_FOREVER);
        torn |= !whole(copy);
    });
    stage_finish(block);
    BENCH_REQUIRE(bad == 0);
    BENCH_REQUIRE(!torn && copy[0] != 0);
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

static void ours_child(struct bench_block *block)
{
    winshm_region *region = bench_join(block);
    WRITER(block, BENCH_REQUIRE(winshm_write(region, 0, words_, sizeof words_,
                                             WINSHM_FOREVER) == WINSHM_OK));
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

#ifdef _WIN32
#define PEER_NAME "named mutex + memcpy"
#define PEER_WAITS "winshm spins, then blocks; the peer blocks"
#define PEER_AIM 3500
enum { CHUNK = 8 };
typedef HANDLE peer_lock;

static peer_lock peer_open(struct bench_block *block, bool make)
{
    (void)make;
    return peer_mutex(block);
}

static bool take(peer_lock lock, bool shared)
{
    (void)shared;
    return WaitForSingleObject(lock, INFINITE) == WAIT_OBJECT_0;
}

static bool release(peer_lock lock)
{
    return ReleaseMutex(lock) != 0;
}
#else
#define PEER_NAME "pthread rwlock + memcpy"
#define PEER_WAITS "winshm spins, then blocks; the peer blocks"
#define PEER_AIM 4
enum { CHUNK = 256 };
typedef pthread_rwlock_t *peer_lock;

static peer_lock peer_open(struct bench_block *block, bool make)
{
    return make ? peer_rwlock_make(block) : (pthread_rwlock_t *)block->space;
}

static bool take(peer_lock lock, bool shared)
{
    return (shared ? pthread_rwlock_rdlock(lock)
                   : pthread_rwlock_wrlock(lock)) == 0;
}

static bool release(peer_lock lock)
{
    return pthread_rwlock_unlock(lock) == 0;
}
#endif

static void peer(struct bench_block *block)
{
    peer_lock lock = peer_open(block, true);
    const void *data = peer_data(block);
    uint64_t copy[WORDS];
    bool good = true, torn = false;
    stage_start(block);
    BENCH_LOOP(block, CHUNK, {
        good &= take(lock, true);
        memcpy(copy, data, sizeof copy);
        good &= release(lock);
        torn |= !whole(copy);
    });
    stage_finish(block);
    BENCH_REQUIRE(good);
    BENCH_REQUIRE(!torn && copy[0] != 0);
}

static void peer_child(struct bench_block *block)
{
    peer_lock lock = peer_open(block, false);
    void *data = peer_data(block);
    WRITER(block, {
        BENCH_REQUIRE(take(lock, false));
        memcpy(data, words_, sizeof words_);
        BENCH_REQUIRE(release(lock));
    });
}

/* What no consistent copy can do without: two looks at a version. */

static void bare(struct bench_block *block)
{
    _Atomic uint32_t *version = block->space;
    const void *data = peer_data(block);
    uint64_t copy[WORDS];
    bool torn = false;
    atomic_store(version, 0);
    stage_start(block);
    BENCH_LOOP(block, 256, {
        uint32_t before;
        do {
            before = atomic_load_explicit(version, memory_order_acquire);
            memcpy(copy, data, sizeof copy);
            atomic_thread_fence(memory_order_acquire);
        } while ((before & 1) != 0 ||
                 atomic_load_explicit(version, memory_order_relaxed) != before);
        torn |= !whole(copy);
    });
    stage_finish(block);
    BENCH_REQUIRE(!torn && copy[0] != 0);
}

static void bare_child(struct bench_block *block)
{
    _Atomic uint32_t *version = block->space;
    void *data = peer_data(block);
    WRITER(block, {
        atomic_fetch_add(version, 1);
        atomic_thread_fence(memory_order_release);
        memcpy(data, words_, sizeof words_);
        atomic_fetch_add_explicit(version, 1, memory_order_release);
    });
}

const struct bench_case bench_snapshot[] = {
    {.name = "snapshot/64-bytes",
     .title = "consistent copy of 64 bytes, writer 10 kHz",
     .peer_name = PEER_NAME,
     .waits = PEER_WAITS,
     .aim = PEER_AIM,
     .bytes = BENCH_PAYLOAD,
     .talks = true,
     .ours = ours,
     .peer = peer,
     .ours_child = ours_child,
     .peer_child = peer_child},
    {.name = "snapshot/bare",
     .title = "consistent copy of 64 bytes, writer 10 kHz",
     .peer_name = "bare version and memcpy (no lock)",
     .waits = "neither waits",
     .bytes = BENCH_PAYLOAD,
     .talks = true,
     .ours = ours,
     .peer = bare,
     .ours_child = ours_child,
     .peer_child = bare_child},
    {.name = NULL}};
