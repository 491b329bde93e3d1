/* Notification: no change is missed, whoever waits and however. */
#include "check.h"
#include "child.h"

static const char *region_name;

static uint32_t count_of(winshm_region *h)
{
    uint32_t now;
    CHECK_OK(winshm_change_count(h, &now));
    return now;
}

/** Answers each odd count with an even one. */
static void role_pong(const char *name, uint32_t rounds)
{
    winshm_region *h;
    uint32_t seen = 0;
    CHECK_OK(winshm_open(name, 0, &h));
    parent_tell('r');
    for (uint32_t i = 0; i < rounds; i++) {
        CHECK_OK(winshm_wait(h, seen, WINSHM_FOREVER, &seen));
        CHECK_EQ(seen, 2 * i + 1);
        CHECK_OK(winshm_notify(h));
        seen++;
    }
    CHECK_OK(winshm_close(h));
}

/** Notifies for ever. */
static void role_notify(const char *name, uint32_t unused)
{
    winshm_region *h;
    (void)unused;
    CHECK_OK(winshm_open(name, 0, &h));
    parent_tell('n');
    for (;;)
        CHECK_OK(winshm_notify(h));
}

/** Notifies once for each byte that it hears. */
static void role_once(const char *name, uint32_t unused)
{
    winshm_region *h;
    (void)unused;
    CHECK_OK(winshm_open(name, 0, &h));
    parent_tell('o');
    while (parent_hear() == 'n')
        CHECK_OK(winshm_notify(h));
}

/** Waits until killed. */
static void role_wait(const char *name, uint32_t unused)
{
    winshm_region *h;
    uint32_t seen = unused;
    CHECK_OK(winshm_open(name, 0, &h));
    seen = count_of(h);
    parent_tell('w');
    for (;;)
        CHECK_OK(winshm_wait(h, seen, WINSHM_FOREVER, &seen));
}

static const struct role roles[] = {{"pong", role_pong},
                                    {"notify", role_notify},
                                    {"once", role_once},
                                    {"wait", role_wait},
                                    {NULL, NULL}};

static void test_counter(void)
{
    winshm_region *h, *reader;
    uint32_t now = 77;
    CHECK_OK(winshm_create(region_name, 100, 0, &h));
    CHECK_OK(winshm_open(region_name, WINSHM_READ, &reader));
    CHECK_EQ(count_of(h), 0);
    CHECK_OK(winshm_notify(h));
    CHECK_EQ(count_of(reader), 1);
    CHECK_OK(winshm_write(h, 0, "x", 1, 0));
    CHECK_EQ(count_of(h), 2);
    CHECK_OK(winshm_write(h, 0, NULL, 0, 0));
    uint32_t seen = count_of(h);
    CHECK_STATUS(winshm_write(h, 100, "x", 1, 0), WINSHM_E_RANGE);
    CHECK_EQ(count_of(h), seen);
    CHECK_OK(winshm_notify(reader));
    CHECK_OK(winshm_wait(h, seen, 0, &now));
    CHECK_EQ(now, seen + 1);
    CHECK_OK(winshm_wait(h, seen + 2, WINSHM_FOREVER, NULL));
    CHECK_STATUS(winshm_wait(h, seen + 1, 0, &now), WINSHM_E_TIMEOUT);
    CHECK_EQ(now, seen + 1);
    uint64_t began = clock_us();
    now = 0;
    CHECK_STATUS(winshm_wait(reader, seen + 1, 50, &now), WINSHM_E_TIMEOUT);
    CHECK_EQ(now, seen + 1);
    uint64_t took = clock_us() - began;
    CHECK(took >= 49000 && took < 5000000);
    CHECK_OK(winshm_close(reader));
    CHECK_OK(winshm_close(h));
}

static void test_ping_pong(void)
{
    uint32_t rounds = child_slow() ? 4000 : 20000, seen = 0;
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, 100, 0, &h));
    struct child child = child_start("pong", region_name, rounds);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'r');
    uint64_t began = clock_ms();
    for (uint32_t i = 0; i < rounds; i++) {
        CHECK_OK(winshm_notify(h));
        CHECK_OK(winshm_wait(h, 2 * i + 1, 4 * PATIENCE_MS, &seen));
        CHECK_EQ(seen, 2 * i + 2);
    }
    /* A lost wake-up would still end after half a second: not many may. */
    CHECK(clock_ms() - began < 60000);
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    CHECK_OK(winshm_close(h));
}

/** A time-out comes with the counter that was seen, and a change with another,
 * whatever happens just then. */
static void test_never_both(void)
{
    uint32_t rounds = child_slow() ? 200000 : 2000000, seen, now, timeouts = 0;
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, 100, 0, &h));
    struct child child = child_start("notify", region_name, 0);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'n');
    seen = count_of(h);
    for (uint32_t i = 0; i < rounds; i++) {
        winshm_status status = winshm_wait(h, seen, 0, &now);
        CHECK(status == (now == seen ? WINSHM_E_TIMEOUT : WINSHM_OK));
        timeouts += status == WINSHM_E_TIMEOUT;
        seen = now;
    }
    CHECK(timeouts > 0 && timeouts < rounds);
    child_kill(&child);
    CHECK_OK(winshm_close(h));
}

struct waiter {
    winshm_region *h;
    uint32_t seen;
    uint32_t timeout_ms;
    winshm_status status;
    uint64_t ended;
};

static void wait_thread(void *argument)
{
    struct waiter *waiter = argument;
    waiter->status =
        winshm_wait(waiter->h, waiter->seen, waiter->timeout_ms, &waiter->seen);
    waiter->ended = clock_ms();
}

/** All threads of one handle, and those of others, wake by one change. */
static void test_threads(void)
{
    enum { THREADS = 8 };
    winshm_region *one, *two;
    int slow = 0;
    CHECK_OK(winshm_create(region_name, 100, 0, &one));
    CHECK_OK(winshm_open(region_name, 0, &two));
    struct child once = child_start("once", region_name, 0);
    CHECK_EQ(child_hear(&once, PATIENCE_MS), 'o');
    for (int round = 0; round < 10; round++) {
        struct waiter waiters[THREADS];
        struct thread threads[THREADS];
        uint32_t seen = count_of(one);
        for (int i = 0; i < THREADS; i++) {
            struct waiter waiter = {i < 6 ? one : two, seen, 2 * PATIENCE_MS, 1,
                                    0};
            waiters[i] = waiter;
            threads[i] = thread_start(wait_thread, &waiters[i]);
        }
        sleep_ms(round % 3 * 10);
        uint64_t began = clock_ms();
        child_tell(&once, 'n');
        for (int i = 0; i < THREADS; i++) {
            thread_join(threads[i]);
            CHECK_OK(waiters[i].status);
            CHECK_EQ(waiters[i].seen, seen + 1);
            slow += waiters[i].ended > began + 250;
        }
    }
    /* Who is woken does not sleep on until its slice of 500 ms ends. */
    CHECK(slow <= 8);
    child_kill(&once);
    CHECK_OK(winshm_close(two));
    CHECK_OK(winshm_close(one));
}

static void test_close(void)
{
    enum { THREADS = 4 };
    winshm_region *h, *other;
    CHECK_OK(winshm_create(region_name, 100, 0, &other));
    for (int round = 0; round < 10; round++) {
        struct waiter waiters[THREADS];
        struct thread threads[THREADS];
        CHECK_OK(winshm_open(region_name, 0, &h));
        for (int i = 0; i < THREADS; i++) {
            struct waiter waiter = {h, count_of(h),
                                    i == 0 ? 60000 : WINSHM_FOREVER, 1, 0};
            waiters[i] = waiter;
            threads[i] = thread_start(wait_thread, &waiters[i]);
        }
        sleep_ms(round % 4 * 5);
        CHECK_OK(winshm_close(h));
        for (int i = 0; i < THREADS; i++) {
            thread_join(threads[i]);
            CHECK_STATUS(waiters[i].status, WINSHM_E_CLOSED);
        }
        CHECK_STATUS(winshm_close(h), WINSHM_E_CLOSED);
        CHECK_OK(winshm_notify(other));
    }
    CHECK_OK(winshm_close(other));
}

/** Neither a notifier nor a waiter takes anybody along into its death. */
static void test_kills(void)
{
    winshm_region *h;
    uint32_t seen = 0;
    CHECK_OK(winshm_create(region_name, 100, 0, &h));
    for (int round = 0; round < 5; round++) {
        struct child waiter = child_start("wait", region_name, 0);
        struct child notifier = child_start("notify", region_name, 0);
        CHECK_EQ(child_hear(&waiter, PATIENCE_MS), 'w');
        CHECK_EQ(child_hear(&notifier, PATIENCE_MS), 'n');
        for (int i = 0; i < 100; i++)
            CHECK_OK(winshm_wait(h, seen, PATIENCE_MS, &seen));
        child_kill(round % 2 == 0 ? &notifier : &waiter);
        child_kill(round % 2 == 0 ? &waiter : &notifier);
        seen = count_of(h);
        CHECK_STATUS(winshm_wait(h, seen, 5, NULL), WINSHM_E_TIMEOUT);
        struct child once = child_start("once", region_name, 0);
        CHECK_EQ(child_hear(&once, PATIENCE_MS), 'o');
        child_tell(&once, 'n');
        CHECK_OK(winshm_wait(h, seen, PATIENCE_MS, &seen));
        child_kill(&once);
    }
    CHECK_OK(winshm_close(h));
}

static void test_wait_handle(void)
{
    winshm_region *h, *other;
    void *handle, *again;
    CHECK_OK(winshm_create(region_name, 100, 0, &h));
    winshm_status status = winshm_wait_handle(h, &handle);
    if (status == WINSHM_E_UNSUPPORTED) {
        CHECK(handle == NULL);
        CHECK_OK(winshm_close(h));
        return;
    }
    CHECK_OK(status);
    CHECK_OK(winshm_wait_handle(h, &again));
    CHECK(handle == again);
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_OK(winshm_wait_handle(other, &again));
    CHECK(handle != again);
    CHECK(!handle_fires(handle, 0));
    struct child once = child_start("once", region_name, 0);
    CHECK_EQ(child_hear(&once, PATIENCE_MS), 'o');
    for (int i = 0; i < 20; i++) {
        uint32_t seen = count_of(h);
        child_tell(&once, 'n');
        CHECK(handle_fires(handle, PATIENCE_MS));
        CHECK(handle_fires(again, PATIENCE_MS));
        CHECK_EQ(count_of(h), seen + 1);
        CHECK(!handle_fires(handle, 0));
    }
    CHECK_OK(winshm_notify(h));
    CHECK(handle_fires(handle, PATIENCE_MS));
    child_kill(&once);
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_notify(h));
    CHECK(handle_fires(handle, PATIENCE_MS));
    CHECK_OK(winshm_close(h));
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("change");
    test_counter();
    test_ping_pong();
    test_never_both();
    test_threads();
    test_close();
    test_kills();
    test_wait_handle();
    return 0;
}
