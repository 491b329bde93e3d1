/* All functions by many threads on one handle, and closing it meanwhile. Built
 * with ThreadSanitizer (see tests/race/run.sh) it looks for data races, without
 * for what they do.
 *
 * Usage: test_race [SECONDS [SEED]] */
#include "check.h"
#include "child.h"

enum { THREADS = 8, SIZE = 8192, WORDS = SIZE / 8 };

static char names[2][64];

/* The handles that all threads use: of a region whose words only sections
 * raise, which are counted, and of one whose words copies replace. */
static winshm_region *locked, *copied;

struct worker {
    uint64_t random;
    uint64_t end;
    uint64_t calls;
    uint64_t sections; /* in which it raised all words */
    bool closes;       /* at its end */
};

static uint32_t draw(struct worker *w, uint32_t limit)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(w->random >> 33) % limit;
}

/** What any call may say while others close the handle or hold the lock. */
static bool done(winshm_status status)
{
    CHECK(status == WINSHM_OK || status == WINSHM_E_TIMEOUT ||
          status == WINSHM_E_CLOSED);
    return status == WINSHM_OK;
}

static void check_same(const uint64_t *words, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        CHECK_EQ(words[i], words[0]);
}

static void raise_all(uint64_t *words)
{
    for (uint32_t i = 0; i < WORDS; i++)
        words[i]++;
}

/** A section that raises every word, in one of the three ways to reach them. */
static void section(struct worker *w)
{
    uint64_t copy[WORDS];
    winshm_view *view;
    if (!done(winshm_lock(locked, WINSHM_EXCLUSIVE, draw(w, 3))))
        return;
    switch (draw(w, 3)) {
    case 0:
        raise_all(winshm_data(locked));
        break;
    case 1:
        CHECK_OK(winshm_map(locked, 0, SIZE, WINSHM_WRITE, &view));
        raise_all(winshm_view_data(view));
        CHECK_OK(winshm_unmap(view));
        break;
    default:
        CHECK_OK(winshm_read(locked, 0, copy, SIZE, 0));
        raise_all(copy);
        CHECK_OK(winshm_write(locked, 0, copy, SIZE, 0));
        break;
    }
    w->sections++;
    CHECK_OK(winshm_unlock(locked, WINSHM_EXCLUSIVE));
}

static void look(struct worker *w, winshm_region *h)
{
    winshm_view *view;
    if (!done(winshm_lock(h, WINSHM_SHARED, draw(w, 3))))
        return;
    if (draw(w, 2) == 0) {
        check_same(winshm_data(h), WORDS);
    } else {
        CHECK_OK(winshm_map(h, SIZE / 2, SIZE / 2, WINSHM_READ, &view));
        check_same(winshm_view_data(view), WORDS / 2);
        CHECK_OK(winshm_unmap(view));
    }
    CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
}

static void copy(struct worker *w, winshm_region *h)
{
    uint64_t words[WORDS];
    /* Brief ones are made in another way than long ones. */
    uint32_t first = draw(w, WORDS), count = 1 + draw(w, WORDS - first);
    if (done(winshm_read(h, first * 8, words, count * 8, draw(w, 3))))
        check_same(words, count);
}

static void replace(struct worker *w)
{
    uint64_t words[WORDS];
    for (uint32_t i = 0; i < WORDS; i++)
        words[i] = w->random;
    done(winshm_write(copied, 0, words, SIZE, draw(w, 3)));
}

static void ask(winshm_region *h)
{
    winshm_info info = {.struct_size = sizeof info};
    winshm_participant participants[4];
    uint32_t count;
    for (int i = 0; i < 4; i++)
        participants[i].struct_size = sizeof participants[i];
    if (done(winshm_get_info(h, &info)))
        CHECK_EQ(info.size, SIZE);
    if (done(winshm_get_participants(h, participants, 4, &count)))
        CHECK(count >= 1);
}

/** A handle of its own. */
static void visit(struct worker *w)
{
    winshm_region *h;
    uint32_t which = draw(w, 2);
    CHECK_OK(winshm_open(names[which], 0, &h));
    look(w, h);
    copy(w, h);
    CHECK_OK(winshm_notify(h));
    CHECK_OK(winshm_close(h));
}

static void work(void *argument)
{
    struct worker *w = argument;
    uint32_t seen = 0;
    while (clock_ms() < w->end && winshm_size(locked) != 0) {
        uint32_t call = draw(w, 12);
        w->calls++;
        if (call < 3)
            section(w);
        else if (call < 5)
            look(w, draw(w, 2) == 0 ? locked : copied);
        else if (call < 7)
            copy(w, draw(w, 2) == 0 ? locked : copied);
        else if (call == 7)
            replace(w);
        else if (call == 8)
            done(winshm_notify(locked));
        else if (call == 9)
            done(winshm_wait(locked, seen, draw(w, 3), &seen));
        else if (call == 10)
            ask(draw(w, 2) == 0 ? locked : copied);
        else
            visit(w);
    }
    /* BUSY while another thread holds the lock, and that ends. */
    while (w->closes && winshm_close(locked) == WINSHM_E_BUSY)
        sleep_ms(0);
}

/** Opens and closes while its process ends. */
static void come_and_go(void *argument)
{
    const char *name = argument;
    for (;;) {
        winshm_region *h;
        CHECK_OK(winshm_open_or_create(name, SIZE, 0, &h));
        CHECK_OK(winshm_close(h));
    }
}

static void role_exit(const char *name, uint32_t round)
{
    winshm_region *h;
    CHECK_OK(winshm_open_or_create(name, SIZE, 0, &h));
    for (int i = 0; i < THREADS; i++)
        thread_start(come_and_go, (void *)(intptr_t)name);
    sleep_ms(round % 8);
}

static const struct role roles[] = {{"exit", role_exit}, {NULL, NULL}};

/** An orderly end with threads in the middle of everything. */
static void test_exit(int rounds)
{
    winshm_region *h;
    for (int i = 0; i < rounds; i++) {
        struct child child = child_start("exit", name_of("exit"), (uint32_t)i);
        CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    }
    /* A call that is cut off may leave its names to the next one who comes. */
    CHECK_STATUS(winshm_open(name_of("exit"), 0, &h), WINSHM_E_NOT_FOUND);
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    uint64_t seconds = argc > 1 ? strtoull(argv[1], NULL, 10) : 2;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : clock_us();
    uint64_t end = clock_ms() + seconds * 1000, calls = 0, sections = 0;
    winshm_region *keepers[2];
    snprintf(names[0], sizeof names[0], "%s", name_of("locked"));
    snprintf(names[1], sizeof names[1], "%s", name_of("copied"));
    for (int i = 0; i < 2; i++)
        CHECK_OK(winshm_create(names[i], SIZE, 0, &keepers[i]));
    printf("seed %llu\n", (unsigned long long)seed);
    fflush(stdout);
    for (uint64_t round = 0; clock_ms() < end; round++) {
        struct worker workers[THREADS];
        struct thread threads[THREADS];
        uint64_t now = clock_ms();
        CHECK_OK(winshm_open(names[0], 0, &locked));
        CHECK_OK(winshm_open(names[1], 0, &copied));
        for (uint32_t i = 0; i < THREADS; i++) {
            workers[i] = (struct worker){.random = seed + round * THREADS + i};
            workers[i].end = now + 200;
            /* In every other round two threads close while the rest calls. */
            workers[i].closes = round % 2 == 1 && i < 2;
            if (workers[i].closes)
                workers[i].end = now + 50 + draw(&workers[i], 100);
            threads[i] = thread_start(work, &workers[i]);
        }
        for (int i = 0; i < THREADS; i++) {
            thread_join(threads[i]);
            calls += workers[i].calls;
            sections += workers[i].sections;
        }
        CHECK_STATUS(winshm_close(locked),
                     round % 2 == 1 ? WINSHM_E_CLOSED : WINSHM_OK);
        CHECK_OK(winshm_close(copied));
    }
    const uint64_t *words = winshm_data(keepers[0]);
    CHECK_EQ(words[0], sections);
    check_same(words, WORDS);
    check_same(winshm_data(keepers[1]), WORDS);
    printf("%llu calls, %llu sections\n", (unsigned long long)calls,
           (unsigned long long)sections);
    CHECK(sections >= seconds * 10);
    for (int i = 0; i < 2; i++)
        CHECK_OK(winshm_close(keepers[i]));
    test_exit((uint32_t)seconds * 8);
    return 0;
}
