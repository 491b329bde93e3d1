/* Who holds the lock: each refusal from each place of the region, from the
 * handle's first thread and from another one, and handles for tasks. */
#include <stdatomic.h>

#include "check.h"
#include "child.h"
#include "plain.h"

enum { SIZE = 16384, SLOTS = 128 };

static const uint32_t modes[] = {WINSHM_SHARED, WINSHM_EXCLUSIVE};
static char bytes[SIZE];
static const char *region_name;

/** A call made on another thread, with what it returned. */
struct call {
    enum { LOCK, UNLOCK, READ, WRITE, COPY_OUT, COPY_IN, REPAIR, CLOSE } kind;
    winshm_region *h;
    uint32_t mode;
    uint32_t timeout_ms;
    winshm_status status;
};

static void call_thread(void *argument)
{
    struct call *c = argument;
    char own[SIZE] = {0};
    switch (c->kind) {
    case LOCK:
        c->status = winshm_lock(c->h, c->mode, c->timeout_ms);
        break;
    case UNLOCK:
        c->status = winshm_unlock(c->h, c->mode);
        break;
    case READ:
        c->status = winshm_read(c->h, 0, own, SIZE, c->timeout_ms);
        break;
    case WRITE:
        c->status = winshm_write(c->h, 0, own, SIZE, c->timeout_ms);
        break;
    case COPY_OUT:
        c->status = winshm_copy_out(c->h, 0, own, SIZE);
        break;
    case COPY_IN:
        c->status = winshm_copy_in(c->h, 0, own, SIZE);
        break;
    case REPAIR:
        c->status = winshm_make_consistent(c->h);
        break;
    case CLOSE:
        c->status = winshm_close(c->h);
        break;
    }
}

static winshm_status elsewhere(int kind, winshm_region *h, uint32_t mode,
                               uint32_t timeout_ms)
{
    struct call c = {kind, h, mode, timeout_ms, 1};
    thread_join(thread_start(call_thread, &c));
    return c.status;
}

/** What a thread that holds the lock in mode is told, and what it leaves as it
 * is: all without end, since none of it may wait. */
static void check_holder(winshm_region *h, uint32_t mode)
{
    const uint32_t other = WINSHM_SHARED + WINSHM_EXCLUSIVE - mode;
    const bool exclusive = mode == WINSHM_EXCLUSIVE;
    for (int i = 0; i < 2; i++)
        CHECK_STATUS(winshm_lock(h, modes[i], WINSHM_FOREVER),
                     WINSHM_E_DEADLOCK);
    CHECK_STATUS(winshm_unlock(h, other), WINSHM_E_NOT_OWNER);
    CHECK_STATUS(winshm_make_consistent(h),
                 exclusive ? WINSHM_OK : WINSHM_E_NOT_OWNER);
    CHECK_OK(winshm_read(h, 0, bytes, SIZE, WINSHM_FOREVER));
    CHECK_STATUS(winshm_write(h, 0, bytes, SIZE, WINSHM_FOREVER),
                 exclusive ? WINSHM_OK : WINSHM_E_DEADLOCK);
    CHECK_OK(winshm_copy_out(h, 0, bytes, SIZE));
    CHECK_STATUS(winshm_copy_in(h, 0, bytes, SIZE),
                 exclusive ? WINSHM_OK : WINSHM_E_NOT_OWNER);
    CHECK_STATUS(winshm_close(h), WINSHM_E_BUSY);
}

/** What others of the handle's threads are told meanwhile. */
static void check_bystander(winshm_region *h, uint32_t mode)
{
    const bool exclusive = mode == WINSHM_EXCLUSIVE;
    for (int i = 0; i < 2; i++)
        CHECK_STATUS(elsewhere(UNLOCK, h, modes[i], 0), WINSHM_E_NOT_OWNER);
    CHECK_STATUS(elsewhere(REPAIR, h, 0, 0), WINSHM_E_NOT_OWNER);
    CHECK_STATUS(elsewhere(CLOSE, h, 0, 0), WINSHM_E_BUSY);
    CHECK_STATUS(elsewhere(LOCK, h, WINSHM_EXCLUSIVE, 1), WINSHM_E_TIMEOUT);
    CHECK_STATUS(elsewhere(WRITE, h, 0, 1), WINSHM_E_TIMEOUT);
    CHECK_STATUS(elsewhere(READ, h, 0, 1),
                 exclusive ? WINSHM_E_TIMEOUT : WINSHM_OK);
    /* A piece of work that the holder has given to another thread. */
    CHECK_OK(elsewhere(COPY_OUT, h, 0, 0));
    CHECK_STATUS(elsewhere(COPY_IN, h, 0, 0),
                 exclusive ? WINSHM_OK : WINSHM_E_NOT_OWNER);
}

/** What whoever holds nothing is told. */
static void check_free(winshm_region *h)
{
    for (int i = 0; i < 2; i++)
        CHECK_STATUS(winshm_unlock(h, modes[i]), WINSHM_E_NOT_OWNER);
    CHECK_STATUS(winshm_make_consistent(h), WINSHM_E_NOT_OWNER);
    CHECK_STATUS(winshm_copy_out(h, 0, bytes, SIZE), WINSHM_E_NOT_OWNER);
    CHECK_STATUS(winshm_copy_in(h, 0, bytes, SIZE), WINSHM_E_NOT_OWNER);
}

static void hold_and_check(void *argument)
{
    winshm_region *h = argument;
    for (int i = 0; i < 2; i++) {
        check_free(h);
        CHECK_OK(winshm_lock(h, modes[i], 0));
        check_holder(h, modes[i]);
        CHECK_OK(winshm_unlock(h, modes[i]));
    }
    check_free(h);
}

static void hold_and_check_all(void *argument)
{
    winshm_region *h = argument;
    hold_and_check(h);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(winshm_lock(h, modes[i], 0));
        check_bystander(h, modes[i]);
        check_holder(h, modes[i]);
        CHECK_OK(winshm_unlock(h, modes[i]));
    }
}

/** Each refusal from the places that the scan of readers meets first, between
 * others and last, with readers before and behind. */
static void test_places(void)
{
    static const int places[] = {0, 1, 63, 127};
    static winshm_region *handles[SLOTS];
    CHECK_OK(winshm_create(region_name, SIZE, 0, &handles[0]));
    for (int i = 1; i < SLOTS; i++)
        CHECK_OK(winshm_open(region_name, 0, &handles[i]));
    for (int i = 0; i < 4; i++) {
        winshm_region *h = handles[places[i]];
        /* The handle's first thread is this one, then never this one. */
        hold_and_check_all(h);
        thread_join(thread_start(hold_and_check_all, h));
    }
    /* An upgrade does not wait for others before it is told. */
    for (int i = 0; i < 4; i++) {
        winshm_region *h = handles[places[i]];
        winshm_region *reader = handles[(places[i] + 64) % SLOTS];
        CHECK_OK(winshm_lock(reader, WINSHM_SHARED, 0));
        CHECK_OK(winshm_lock(h, WINSHM_SHARED, 0));
        CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, WINSHM_FOREVER),
                     WINSHM_E_DEADLOCK);
        CHECK_STATUS(winshm_write(h, 0, "x", 1, WINSHM_FOREVER),
                     WINSHM_E_DEADLOCK);
        CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
        CHECK_OK(winshm_unlock(reader, WINSHM_SHARED));
        CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    }
    for (int i = 0; i < SLOTS; i++)
        CHECK_OK(winshm_close(handles[i]));
}

/** A handle that another thread has used first. */
static void test_used_before(void)
{
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    thread_join(thread_start(hold_and_check, h));
    hold_and_check_all(h);
    CHECK_OK(winshm_close(h));
}

static void lock_and_end(void *argument)
{
    struct call *c = argument;
    CHECK_OK(winshm_lock(c->h, c->mode, PATIENCE_MS));
}

/** No later thread is taken for one that has ended with the lock. */
static void test_ended_thread(void)
{
    for (int i = 0; i < 2; i++) {
        winshm_region *h;
        struct call c = {LOCK, NULL, modes[i], 0, 1};
        struct child child = child_start("end", region_name, modes[i]);
        CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
        CHECK_OK(winshm_create(region_name, SIZE, WINSHM_TASK, &h));
        /* The lock is the handle's: whoever comes later can set it right. */
        c.h = h;
        thread_join(thread_start(lock_and_end, &c));
        CHECK_STATUS(elsewhere(LOCK, h, WINSHM_EXCLUSIVE, 0), WINSHM_E_TIMEOUT);
        CHECK_OK(elsewhere(UNLOCK, h, modes[i], 0));
        CHECK_OK(winshm_close(h));
    }
}

static void role_end(const char *name, uint32_t mode)
{
    winshm_region *h;
    struct call c = {LOCK, NULL, mode, 0, 1};
    CHECK_OK(winshm_create(name, SIZE, 0, &h));
    c.h = h;
    thread_join(thread_start(lock_and_end, &c));
    for (int i = 0; i < 50; i++) {
        CHECK_STATUS(elsewhere(LOCK, h, WINSHM_EXCLUSIVE, 0), WINSHM_E_TIMEOUT);
        CHECK_STATUS(elsewhere(UNLOCK, h, mode, 0), WINSHM_E_NOT_OWNER);
    }
    CHECK_STATUS(winshm_close(h), WINSHM_E_BUSY);
}

/** On a handle for tasks nobody is told of a deadlock, and anybody unlocks. */
static void test_tasks(void)
{
    winshm_region *h, *other;
    CHECK_OK(winshm_create(region_name, SIZE, WINSHM_TASK, &h));
    CHECK_OK(winshm_open(region_name, 0, &other));
    check_free(h);
    for (int i = 0; i < 2; i++) {
        winshm_status reading = i == 0 ? WINSHM_OK : WINSHM_E_TIMEOUT;
        winshm_status writing = i == 0 ? WINSHM_E_NOT_OWNER : WINSHM_OK;
        CHECK_OK(winshm_lock(h, modes[i], 0));
        CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 1), WINSHM_E_TIMEOUT);
        CHECK_STATUS(winshm_read(h, 0, bytes, SIZE, 1), reading);
        CHECK_STATUS(winshm_write(h, 0, bytes, SIZE, 1), WINSHM_E_TIMEOUT);
        CHECK_OK(winshm_copy_out(h, 0, bytes, SIZE));
        CHECK_STATUS(winshm_copy_in(h, 0, bytes, SIZE), writing);
        CHECK_STATUS(
            winshm_unlock(h, WINSHM_SHARED + WINSHM_EXCLUSIVE - modes[i]),
            WINSHM_E_NOT_OWNER);
        CHECK_STATUS(elsewhere(REPAIR, h, 0, 0), writing);
        CHECK_STATUS(winshm_close(h), WINSHM_E_BUSY);
        CHECK_STATUS(winshm_lock(other, WINSHM_EXCLUSIVE, 0), WINSHM_E_TIMEOUT);
        CHECK_OK(elsewhere(UNLOCK, h, modes[i], 0));
        check_free(h);
        CHECK_OK(winshm_lock(other, WINSHM_EXCLUSIVE, 0));
        CHECK_OK(winshm_unlock(other, WINSHM_EXCLUSIVE));
    }
    /* As many readers as there are tasks, and as many releases. */
    for (int i = 0; i < 1000; i++)
        CHECK_OK(winshm_lock(h, WINSHM_SHARED, 0));
    CHECK_STATUS(winshm_lock(other, WINSHM_EXCLUSIVE, 0), WINSHM_E_TIMEOUT);
    for (int i = 0; i < 1000; i++)
        CHECK_OK(i % 100 != 0 ? winshm_unlock(h, WINSHM_SHARED)
                              : elsewhere(UNLOCK, h, WINSHM_SHARED, 0));
    check_free(h);
    CHECK_OK(winshm_lock(other, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(other, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
}

enum { PLACES = 1024, REGIONS = 9 };

/** All handles that this process can have, of as many regions as it takes. */
static winshm_region *everything[PLACES];
static atomic_int step;

static void reach(int next)
{
    atomic_store(&step, next);
}

static void await(int wanted)
{
    while (atomic_load(&step) != wanted)
        sleep_ms(1);
}

static void lock_everything(void *h)
{
    CHECK_OK(winshm_lock(h, WINSHM_SHARED, 0));
    reach(1);
    await(2);
    if (everything[0] == NULL) /* nothing was lost */
        CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
    for (int i = 0; i < PLACES && everything[i] != NULL; i++) {
        CHECK_OK(winshm_lock(everything[i], WINSHM_SHARED, 0));
        CHECK_OK(winshm_unlock(everything[i], WINSHM_SHARED));
    }
}

/** A lock that is lost with its control block is nobody's any more, whichever
 * handle comes into the place of the one that had it. */
static void test_lost_lock(void)
{
    const char *names[REGIONS], *control = name_of("holding.winshm");
    winshm_region *h;
    for (int i = 0; i < REGIONS; i++) {
        char part[16];
        snprintf(part, sizeof part, "holding-%d", i);
        names[i] = name_of(part);
    }
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    CHECK_EQ(winshm_size(h), SIZE);
    struct thread thread = thread_start(lock_everything, h);
    await(1);
    bool lost = plain_truncate(control, 0);
    if (lost) {
        CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_CORRUPT);
        bytes[0] = 'b';
        CHECK_STATUS(winshm_copy_out(h, 0, bytes, 1), WINSHM_E_CORRUPT);
        CHECK_EQ(bytes[0], 'b');
    }
    for (int i = 0; lost && i < PLACES; i++) {
        if (i == 0)
            CHECK_OK(winshm_close(h));
        winshm_status status =
            winshm_open_or_create(names[i % REGIONS], SIZE, 0, &everything[i]);
        CHECK(status == WINSHM_OK || status == WINSHM_E_TOO_MANY);
        /* This is the first thread. */
        CHECK_EQ(winshm_size(everything[i]), status == WINSHM_OK ? SIZE : 0);
    }
    reach(2);
    thread_join(thread);
    if (!lost)
        CHECK_OK(winshm_close(h));
    for (int i = 0; i < PLACES; i++)
        CHECK_OK(winshm_close(everything[i]));
    plain_remove(control);
    plain_remove(region_name);
}

/** Where there is no lock the flag means nothing, and copies just copy. */
static void test_without_lock(void)
{
    static const uint32_t flags[] = {WINSHM_NO_LOCK, WINSHM_RAW};
    for (int i = 0; i < 2; i++) {
        winshm_region *h;
        CHECK_OK(winshm_create(region_name, SIZE, flags[i] | WINSHM_TASK, &h));
        CHECK_OK(winshm_copy_in(h, 1, "ab", 2));
        CHECK_OK(winshm_copy_out(h, 1, bytes, 2));
        CHECK(memcmp(bytes, "ab", 2) == 0);
        CHECK_STATUS(winshm_lock(h, WINSHM_SHARED, 0), WINSHM_E_UNSUPPORTED);
        CHECK_STATUS(winshm_copy_out(h, SIZE, bytes, 1), WINSHM_E_RANGE);
        CHECK_STATUS(winshm_copy_in(h, UINT64_MAX, bytes, 1), WINSHM_E_RANGE);
        CHECK_STATUS(winshm_copy_out(h, 0, NULL, 1), WINSHM_E_INVALID);
        CHECK_STATUS(winshm_copy_in(h, 0, NULL, 1), WINSHM_E_INVALID);
        CHECK_OK(winshm_copy_in(h, SIZE, NULL, 0));
        CHECK_OK(winshm_close(h));
        CHECK_STATUS(winshm_copy_out(h, 0, bytes, 1), WINSHM_E_CLOSED);
    }
}

/** An explicit copy notifies as winshm_write() does, and keeps to the rights.
 */
static void test_explicit_copies(void)
{
    winshm_region *h, *reader;
    uint32_t before, after;
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    CHECK_OK(winshm_open(region_name, WINSHM_READ | WINSHM_NO_MAP, &reader));
    CHECK_OK(winshm_change_count(h, &before));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_copy_in(h, 7, "seven", 5));
    CHECK_OK(winshm_change_count(h, &after));
    CHECK_EQ(after - before, 1);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_lock(reader, WINSHM_SHARED, 0));
    CHECK_OK(winshm_copy_out(reader, 7, bytes, 5));
    CHECK(memcmp(bytes, "seven", 5) == 0);
    CHECK_OK(winshm_copy_out(reader, SIZE, NULL, 0));
    CHECK_OK(winshm_unlock(reader, WINSHM_SHARED));
    CHECK_OK(winshm_lock(reader, WINSHM_EXCLUSIVE, 0));
    CHECK_STATUS(winshm_copy_in(reader, 7, "SEVEN", 5), WINSHM_E_ACCESS);
    CHECK_OK(winshm_unlock(reader, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(reader));
    CHECK_OK(winshm_close(h));
}

static const struct role roles[] = {{"end", role_end}, {NULL, NULL}};

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("holding");
    test_places();
    test_used_before();
    test_ended_thread();
    test_tasks();
    test_lost_lock();
    test_without_lock();
    test_explicit_copies();
    return 0;
}
