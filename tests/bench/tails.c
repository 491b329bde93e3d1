#include "tails.h"

#include "../harness/plain.h"
#include "peers.h"
#include "stage.h"

enum {
    MOST = 8,     /* writers and readers */
    EXACT = 16,   /* steps of a power of two that are told apart */
    STEPS = 64 * EXACT,
    DATA = 8      /* words that a writer changes, and a reader compares */
};

/* ---- The locks ---- */

static void *ours_open(const char *name, void *space, bool make)
{
    winshm_region *region;
    (void)space;
    BENCH_REQUIRE((make ? winshm_create(name, 4096, 0, &region)
                        : winshm_open(name, 0, &region)) == WINSHM_OK);
    return region;
}

static void ours_lock(void *handle, bool exclusive)
{
    BENCH_REQUIRE(winshm_lock(handle,
                              exclusive ? WINSHM_EXCLUSIVE : WINSHM_SHARED,
                              WINSHM_FOREVER) == WINSHM_OK);
}

static void ours_unlock(void *handle, bool exclusive)
{
    BENCH_REQUIRE(winshm_unlock(handle, exclusive ? WINSHM_EXCLUSIVE
                                                  : WINSHM_SHARED) == WINSHM_OK);
}

static void ours_close(void *handle)
{
    BENCH_REQUIRE(winshm_close(handle) == WINSHM_OK);
}

#ifdef _WIN32
static void *mutex_open(const char *name, void *space, bool make)
{
    struct bench_block block = {.name = name};
    (void)space;
    (void)make;
    return peer_mutex(&block);
}

static void mutex_lock(void *handle, bool exclusive)
{
    (void)exclusive;
    BENCH_REQUIRE(WaitForSingleObject(handle, INFINITE) == WAIT_OBJECT_0);
}

static void mutex_unlock(void *handle, bool exclusive)
{
    (void)exclusive;
    BENCH_REQUIRE(ReleaseMutex(handle));
}

static void mutex_close(void *handle)
{
    CloseHandle(handle);
}

static const struct tails_lock locks[] = {
    {"winshm", ours_open, ours_lock, ours_unlock, ours_close},
    {"named mutex", mutex_open, mutex_lock, mutex_unlock, mutex_close}};
#else
static void let_be(void *handle)
{
    (void)handle;
}

static void *mutex_open(const char *name, void *space, bool make)
{
    struct bench_block block = {.name = name, .space = space};
    return make ? peer_mutex_make(&block) : space;
}

static void mutex_lock(void *handle, bool exclusive)
{
    (void)exclusive;
    BENCH_REQUIRE(pthread_mutex_lock(handle) == 0);
}

static void mutex_unlock(void *handle, bool exclusive)
{
    (void)exclusive;
    BENCH_REQUIRE(pthread_mutex_unlock(handle) == 0);
}

static void *rwlock_open(void *space, bool make, int preference)
{
    pthread_rwlockattr_t attributes;
    if (!make)
        return space;
    BENCH_REQUIRE(pthread_rwlockattr_init(&attributes) == 0);
    BENCH_REQUIRE(pthread_rwlockattr_setpshared(&attributes,
                                                PTHREAD_PROCESS_SHARED) == 0);
    BENCH_REQUIRE(pthread_rwlockattr_setkind_np(&attributes, preference) == 0);
    BENCH_REQUIRE(pthread_rwlock_init(space, &attributes) == 0);
    pthread_rwlockattr_destroy(&attributes);
    return space;
}

static void *readers_open(const char *name, void *space, bool make)
{
    (void)name;
    return rwlock_open(space, make, PTHREAD_RWLOCK_PREFER_READER_NP);
}

static void *writers_open(const char *name, void *space, bool make)
{
    (void)name;
    return rwlock_open(space, make,
                       PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
}

static void rwlock_lock(void *handle, bool exclusive)
{
    BENCH_REQUIRE((exclusive ? pthread_rwlock_wrlock(handle)
                             : pthread_rwlock_rdlock(handle)) == 0);
}

static void rwlock_unlock(void *handle, bool exclusive)
{
    (void)exclusive;
    BENCH_REQUIRE(pthread_rwlock_unlock(handle) == 0);
}

static const struct tails_lock locks[] = {
    {"winshm", ours_open, ours_lock, ours_unlock, ours_close},
    {"robust pthread mutex", mutex_open, mutex_lock, mutex_unlock, let_be},
    {"pthread rwlock", readers_open, rwlock_lock, rwlock_unlock, let_be},
    {"pthread rwlock, prefers writers", writers_open, rwlock_lock, rwlock_unlock,
     let_be},
    {"Boost sharable mutex", boost_sharable_open, boost_sharable_lock,
     boost_sharable_unlock, let_be}};
#endif

/* ---- A block ---- */

/** What one writer or reader has seen. */
struct seen {
    uint64_t ops;
    uint64_t most;
    uint64_t cpu;
    uint32_t waits[STEPS]; /* how many took so long */
};

struct arena {
    uint64_t budget;
    uint32_t lock;
    uint32_t writers;
    uint32_t readers;
    _Alignas(STAGE_LINE) _Atomic uint32_t ready;
    _Atomic uint64_t start;
    _Alignas(4096) unsigned char space[TAILS_LOCK_SPACE];
    _Alignas(STAGE_LINE) volatile uint64_t data[DATA];
    _Alignas(STAGE_LINE) struct seen seen[MOST];
};

/** Wider steps for longer waits, all to 1 part in EXACT. */
static uint32_t step_of(uint64_t ns)
{
    uint32_t shift = 0;
    while (ns >> shift >= 2 * EXACT)
        shift++;
    return shift * EXACT + (uint32_t)(ns >> shift);
}

static uint64_t ns_of(uint32_t step)
{
    uint32_t shift = step < 2 * EXACT ? 0 : step / EXACT - 1;
    return (uint64_t)(step - shift * EXACT) << shift;
}

static void write_all(struct arena *arena)
{
    uint64_t next = arena->data[0] + 1;
    for (uint32_t i = 0; i < DATA; i++)
        arena->data[i] = next;
}

static void compare_all(struct arena *arena)
{
    uint64_t first = arena->data[0];
    for (uint32_t i = 1; i < DATA; i++)
        BENCH_REQUIRE(arena->data[i] == first);
}

void tails_child(const char *name, uint32_t number)
{
    struct plain plain;
    char its_name[80];
    snprintf(its_name, sizeof its_name, "%s-arena", name);
    BENCH_REQUIRE(plain_open(&plain, its_name, sizeof(struct arena)));
    struct arena *arena = plain.data;
    struct seen *seen = &arena->seen[number];
    const struct tails_lock *lock = &locks[arena->lock];
    bool writes = number < arena->writers;
    void *handle = lock->open(name, arena->space, false);
    uint64_t start, end, before, after;
    atomic_fetch_add(&arena->ready, 1);
    while ((start = atomic_load(&arena->start)) == 0 || bench_now() < start)
        sleep_ms(1);
    end = start + arena->budget;
    seen->cpu = bench_cpu();
    /* Who waits at the end goes on to wait: its wait counts as a whole. */
    while ((before = bench_now()) < end) {
        lock->lock(handle, writes);
        after = bench_now();
        if (writes)
            write_all(arena);
        else
            compare_all(arena);
        lock->unlock(handle, writes);
        seen->ops++;
        seen->waits[step_of(after - before)]++;
        if (after - before > seen->most)
            seen->most = after - before;
    }
    seen->cpu = bench_cpu() - seen->cpu;
    lock->close(handle);
    plain_close(&plain);
}

/* ---- The report ---- */

/** How long all but one of this many waits took at most. */
static uint64_t all_but(const struct seen *seen, uint32_t count, uint64_t one_of)
{
    uint64_t ops = 0, passed = 0;
    for (uint32_t i = 0; i < count; i++)
        ops += seen[i].ops;
    for (uint32_t step = 0; step < STEPS; step++) {
        for (uint32_t i = 0; i < count; i++)
            passed += seen[i].waits[step];
        if (passed >= ops - ops / one_of)
            return ns_of(step);
    }
    return 0;
}

static void report_side(const char *name, const struct seen *seen,
                        uint32_t count)
{
    uint64_t ops = 0, most = 0;
    for (uint32_t i = 0; i < count; i++) {
        ops += seen[i].ops;
        most = seen[i].most > most ? seen[i].most : most;
    }
    printf("\"%s\": {\"ops\": %llu, \"p50_ns\": %llu, \"p999_ns\": %llu, "
           "\"most_ns\": %llu}, ",
           name, (unsigned long long)ops,
           (unsigned long long)all_but(seen, count, 2),
           (unsigned long long)all_but(seen, count, 1000),
           (unsigned long long)most);
}

static void report(const struct arena *arena, const char *mix, uint32_t block)
{
    uint32_t count = arena->writers + arena->readers;
    uint64_t ops = 0, least = UINT64_MAX, cpu = 0;
    for (uint32_t i = 0; i < count; i++) {
        ops += arena->seen[i].ops;
        cpu += arena->seen[i].cpu;
        if (arena->seen[i].ops < least)
            least = arena->seen[i].ops;
    }
    printf("{\"name\": \"%s\", \"lock\": \"%s\", \"block\": %u, ", mix,
           locks[arena->lock].name, (unsigned)block);
    report_side("writers", arena->seen, arena->writers);
    report_side("readers", arena->seen + arena->writers, arena->readers);
    /* Of what each would have if all had the same. */
    printf("\"share\": %.6g, \"ops\": %llu, \"ns\": %llu, \"cpu_ns\": %llu}\n",
           (double)least * count / (double)ops, (unsigned long long)ops,
           (unsigned long long)arena->budget, (unsigned long long)cpu);
    fflush(stdout);
}

/** The arena's name, which must not outlive a run that fails. */
static char arena_name[80];

static void remove_arena(void)
{
    if (arena_name[0] != '\0')
        plain_remove(arena_name);
}

static void run_block(const char *mix, uint32_t lock, uint32_t writers,
                      uint32_t readers, uint64_t budget, uint32_t block)
{
    static uint32_t blocks;
    struct plain plain;
    struct child children[MOST];
    char name[64];
    snprintf(name, sizeof name, "winshm-tails-%u-%u", child_pid(), ++blocks);
    if (blocks == 1)
        atexit(remove_arena);
    snprintf(arena_name, sizeof arena_name, "%s-arena", name);
    BENCH_REQUIRE(plain_create(&plain, arena_name, sizeof(struct arena)));
    struct arena *arena = plain.data;
    memset(arena, 0, sizeof *arena);
    arena->budget = budget;
    arena->lock = lock;
    arena->writers = writers;
    arena->readers = readers;
    void *handle = locks[lock].open(name, arena->space, true);
    for (uint32_t i = 0; i < writers + readers; i++)
        children[i] = child_start("tails", name, i);
    uint64_t end = clock_ms() + PATIENCE_MS;
    while (atomic_load(&arena->ready) != writers + readers) {
        BENCH_REQUIRE(clock_ms() < end);
        sleep_ms(1);
    }
    atomic_store(&arena->start, bench_now() + 5 * 1000 * 1000);
    for (uint32_t i = 0; i < writers + readers; i++)
        BENCH_REQUIRE(child_wait(&children[i], PATIENCE_MS) == 0);
    report(arena, mix, block);
    locks[lock].close(handle);
    plain_close(&plain);
    remove_arena();
    arena_name[0] = '\0';
}

void tails_run(uint32_t blocks, uint64_t budget, const char *only)
{
    static const struct {
        const char *name;
        uint32_t writers, readers;
    } mixes[] = {{"tails/4+4", 4, 4},
                 {"tails/7+1", 7, 1},
                 {"tails/1+7", 1, 7},
                 {"tails/4+0", 4, 0}};
    for (uint32_t mix = 0; mix < sizeof mixes / sizeof mixes[0]; mix++) {
        if (only != NULL && strstr(mixes[mix].name, only) == NULL)
            continue;
        for (uint32_t block = 0; block < blocks; block++)
            for (uint32_t i = 0; i < sizeof locks / sizeof locks[0]; i++)
                run_block(mixes[mix].name, i, mixes[mix].writers,
                          mixes[mix].readers, budget, block);
    }
}
