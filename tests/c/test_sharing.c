/* Threads that share a handle exclude each other as handles do: sections,
 * copies, copies nested in sections, requests that must be refused and unlocks
 * of those who hold nothing, by many threads of one handle, beside a handle for
 * tasks whose lock goes from thread to thread, and a handle of one thread.
 *
 * Usage: test_sharing [SECONDS [SEED]] */
#include <stdatomic.h>

#include "check.h"
#include "child.h"

/* More than what is copied without the lock. */
enum { SHARERS = 5, PASSERS = 2, SIZE = 8192, WORDS = SIZE / 8, BRIEF = 64 };

static winshm_region *shared, *tasks, *single;

/** Who is inside a section, whatever the library believes. */
static atomic_int writers, readers;

struct worker {
    winshm_region *h;
    uint64_t random;
    uint64_t end;
    uint64_t counts[4]; /* sections, readings, copies, refusals */
};

enum { SECTIONS, READINGS, COPIES, REFUSALS };

/** What one thread has locked and the other is to unlock; 0: nothing. */
static atomic_uint handed;

static uint32_t draw(struct worker *w, uint32_t limit)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(w->random >> 33) % limit;
}

static void check_same(const uint64_t *words, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        CHECK_EQ(words[i], words[0]);
}

static void fill(uint64_t *words, uint64_t value)
{
    for (uint32_t i = 0; i < WORDS; i++)
        words[i] = value;
}

static bool had(winshm_status status)
{
    CHECK(status == WINSHM_OK || status == WINSHM_E_TIMEOUT);
    return status == WINSHM_OK;
}

static void refused_inside(struct worker *w)
{
    uint32_t mode = WINSHM_SHARED + draw(w, 2);
    CHECK_STATUS(winshm_lock(w->h, mode, WINSHM_FOREVER), WINSHM_E_DEADLOCK);
    w->counts[REFUSALS]++;
}

static void section(struct worker *w)
{
    uint64_t words[WORDS];
    if (!had(winshm_lock(w->h, WINSHM_EXCLUSIVE, draw(w, 4))))
        return;
    CHECK_EQ(atomic_fetch_add(&writers, 1), 0);
    CHECK_EQ(atomic_load(&readers), 0);
    if (draw(w, 8) == 0)
        refused_inside(w);
    CHECK_OK(winshm_read(w->h, 0, words, SIZE, WINSHM_FOREVER));
    check_same(words, WORDS);
    if (draw(w, 2) == 0) {
        fill(winshm_data(w->h), words[0] + 1);
    } else {
        fill(words, words[0] + 1);
        CHECK_OK(winshm_write(w->h, 0, words, SIZE, WINSHM_FOREVER));
    }
    CHECK_EQ(atomic_load(&readers), 0);
    CHECK_EQ(atomic_fetch_sub(&writers, 1), 1);
    CHECK_OK(winshm_unlock(w->h, WINSHM_EXCLUSIVE));
    w->counts[SECTIONS]++;
}

static void reading(struct worker *w)
{
    uint64_t words[WORDS];
    if (!had(winshm_lock(w->h, WINSHM_SHARED, draw(w, 4))))
        return;
    atomic_fetch_add(&readers, 1);
    CHECK_EQ(atomic_load(&writers), 0);
    if (draw(w, 8) == 0) {
        refused_inside(w);
        CHECK_STATUS(winshm_write(w->h, 0, words, 8, WINSHM_FOREVER),
                     WINSHM_E_DEADLOCK);
    }
    check_same(winshm_data(w->h), WORDS);
    CHECK_OK(winshm_read(w->h, 0, words, SIZE, WINSHM_FOREVER));
    check_same(words, WORDS);
    CHECK_EQ(atomic_load(&writers), 0);
    atomic_fetch_sub(&readers, 1);
    CHECK_OK(winshm_unlock(w->h, WINSHM_SHARED));
    w->counts[READINGS]++;
}

static void copies(struct worker *w)
{
    uint64_t words[WORDS];
    uint32_t length = draw(w, 2) == 0 ? BRIEF : SIZE;
    if (had(winshm_read(w->h, 0, words, length, draw(w, 3)))) {
        check_same(words, length / 8);
        w->counts[COPIES]++;
    }
    fill(words, draw(w, 1000));
    if (had(winshm_write(w->h, 0, words, SIZE, draw(w, 3))))
        w->counts[COPIES]++;
}

static void refused_outside(struct worker *w)
{
    CHECK_STATUS(winshm_unlock(w->h, WINSHM_EXCLUSIVE), WINSHM_E_NOT_OWNER);
    CHECK_STATUS(winshm_unlock(w->h, WINSHM_SHARED), WINSHM_E_NOT_OWNER);
    CHECK_STATUS(winshm_make_consistent(w->h), WINSHM_E_NOT_OWNER);
    w->counts[REFUSALS] += 3;
}

static void work_thread(void *argument)
{
    struct worker *w = argument;
    while (clock_ms() < w->end) {
        for (int i = 0; i < 20; i++) {
            switch (draw(w, 4)) {
            case 0:
                section(w);
                break;
            case 1:
                reading(w);
                break;
            case 2:
                copies(w);
                break;
            default:
                refused_outside(w);
                break;
            }
        }
    }
}

/** Locks for the other thread, or unlocks what that one has locked. */
static void pass_thread(void *argument)
{
    struct worker *w = argument;
    uint64_t words[WORDS];
    while (clock_ms() < w->end) {
        unsigned mode = atomic_exchange(&handed, 0);
        if (mode == 0) {
            mode = WINSHM_SHARED + draw(w, 2);
            if (!had(winshm_lock(w->h, mode, draw(w, 3))))
                continue;
            atomic_fetch_add(mode == WINSHM_SHARED ? &readers : &writers, 1);
            unsigned none = 0;
            if (atomic_compare_exchange_strong(&handed, &none, mode))
                continue;
        }
        CHECK_OK(winshm_copy_out(w->h, 0, words, SIZE));
        check_same(words, WORDS);
        fill(words, words[0] + 1);
        if (mode == WINSHM_EXCLUSIVE)
            CHECK_OK(winshm_copy_in(w->h, 0, words, SIZE));
        CHECK_EQ(atomic_load(&writers), mode == WINSHM_EXCLUSIVE);
        /* What no task can hold meanwhile is not unlocked. */
        CHECK_STATUS(winshm_unlock(w->h, WINSHM_SHARED + WINSHM_EXCLUSIVE - mode),
                     WINSHM_E_NOT_OWNER);
        atomic_fetch_sub(mode == WINSHM_SHARED ? &readers : &writers, 1);
        CHECK_OK(winshm_unlock(w->h, mode));
        w->counts[mode == WINSHM_SHARED ? READINGS : SECTIONS]++;
    }
}

int main(int argc, char **argv)
{
    enum { THREADS = SHARERS + PASSERS + 1 };
    struct worker workers[THREADS];
    struct thread threads[THREADS];
    uint64_t seconds = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : clock_us();
    const char *name = name_of("sharing");
    printf("seed %llu\n", (unsigned long long)seed);
    CHECK_OK(winshm_create(name, SIZE, 0, &shared));
    CHECK_OK(winshm_open(name, WINSHM_TASK, &tasks));
    CHECK_OK(winshm_open(name, 0, &single));
    uint64_t end = clock_ms() + seconds * 1000;
    for (int i = 0; i < THREADS; i++) {
        memset(&workers[i], 0, sizeof workers[i]);
        workers[i].h = i < SHARERS             ? shared
                       : i < SHARERS + PASSERS ? tasks
                                               : single;
        workers[i].random = seed + (uint64_t)i * 7919;
        workers[i].end = end;
        threads[i] = thread_start(
            workers[i].h == tasks ? pass_thread : work_thread, &workers[i]);
    }
    for (int i = 0; i < THREADS; i++)
        thread_join(threads[i]);
    unsigned mode = atomic_load(&handed);
    if (mode != 0)
        CHECK_OK(winshm_unlock(tasks, mode));
    uint64_t counts[4] = {0};
    for (int i = 0; i < THREADS; i++)
        for (int k = 0; k < 4; k++)
            counts[k] += workers[i].counts[k];
    printf("%llu sections, %llu readings, %llu copies, %llu refusals\n",
           (unsigned long long)counts[SECTIONS],
           (unsigned long long)counts[READINGS],
           (unsigned long long)counts[COPIES],
           (unsigned long long)counts[REFUSALS]);
    for (int k = 0; k < 4; k++)
        CHECK(counts[k] > 0);
    /* Nothing is left in the counts of any of them. */
    CHECK_OK(winshm_lock(single, WINSHM_EXCLUSIVE, PATIENCE_MS));
    check_same(winshm_data(single), WORDS);
    CHECK_OK(winshm_unlock(single, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(shared));
    CHECK_OK(winshm_close(tasks));
    CHECK_OK(winshm_close(single));
    return 0;
}
