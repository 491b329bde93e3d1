/* The lock between handles, threads and processes that live. What happens
 * when one of them dies is in test_death.c. */
#include "check.h"
#include "child.h"

/** What the lock guards: plain memory, so that a broken lock loses counts. */
struct guarded {
    volatile uint64_t first;
    volatile uint64_t second;
    volatile uint64_t readers_saw;
};

static const char *region_name;

static void count_up(winshm_region *h, uint32_t rounds)
{
    struct guarded *guarded = winshm_data(h);
    for (uint32_t i = 0; i < rounds; i++) {
        if (i % 4 == 3) {
            CHECK_OK(winshm_lock(h, WINSHM_SHARED, PATIENCE_MS));
            CHECK_EQ(guarded->first, guarded->second);
            CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
            continue;
        }
        CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS));
        uint64_t value = guarded->first;
        CHECK_EQ(guarded->second, value);
        guarded->first = value + 1;
        if (i % 64 == 0)
            sleep_ms(0);
        guarded->second = value + 1;
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    }
}

struct counting {
    winshm_region *h;
    uint32_t rounds;
};

static void count_thread(void *argument)
{
    struct counting *counting = argument;
    count_up(counting->h, counting->rounds);
}

/** Two threads on one handle and one on a handle of its own. */
static void count_everywhere(const char *name, uint32_t rounds)
{
    struct counting counting[3];
    struct thread threads[3];
    winshm_region *one, *two;
    CHECK_OK(winshm_open(name, 0, &one));
    CHECK_OK(winshm_open(name, 0, &two));
    for (int i = 0; i < 3; i++) {
        counting[i].h = i < 2 ? one : two;
        counting[i].rounds = rounds;
        threads[i] = thread_start(count_thread, &counting[i]);
    }
    for (int i = 0; i < 3; i++)
        thread_join(threads[i]);
    CHECK_OK(winshm_close(one));
    CHECK_OK(winshm_close(two));
}

/** Locks in a mode, says so, unlocks when told. */
static void role_owner(const char *name, uint32_t mode)
{
    winshm_region *h;
    CHECK_OK(winshm_open(name, 0, &h));
    CHECK_OK(winshm_lock(h, mode, PATIENCE_MS));
    parent_tell('l');
    parent_hear();
    CHECK_OK(winshm_unlock(h, mode));
    parent_tell('u');
    parent_hear();
}

/** Locks over and over and counts how often. */
static void role_greedy(const char *name, uint32_t mode)
{
    winshm_region *h;
    CHECK_OK(winshm_open(name, 0, &h));
    parent_tell('g');
    for (;;) {
        winshm_status status = winshm_lock(h, mode, PATIENCE_MS);
        if (status == WINSHM_E_OWNER_DEAD)
            return;
        CHECK_OK(status);
        uint64_t end = clock_us() + 200;
        while (clock_us() < end)
            ;
        CHECK_OK(winshm_unlock(h, mode));
    }
}

static const struct role roles[] = {{"count", count_everywhere},
                                    {"owner", role_owner},
                                    {"greedy", role_greedy},
                                    {NULL, NULL}};

static void test_exclusion(void)
{
    enum { PROCESSES = 3 };
    uint32_t rounds = child_slow() ? 1000 : 8000;
    struct child children[PROCESSES];
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, sizeof(struct guarded), 0, &h));
    for (int i = 0; i < PROCESSES; i++)
        children[i] = child_start("count", region_name, rounds);
    for (int i = 0; i < PROCESSES; i++)
        CHECK_EQ(child_wait(&children[i], 4 * PATIENCE_MS), 0);
    struct guarded *guarded = winshm_data(h);
    CHECK_EQ(guarded->first, PROCESSES * 3 * (rounds - rounds / 4));
    CHECK_EQ(guarded->second, guarded->first);
    CHECK_OK(winshm_close(h));
}

static void check_elapsed(uint64_t began_us, uint32_t least_ms)
{
    uint64_t us = clock_us() - began_us;
    CHECK(us + 1000 >= (uint64_t)least_ms * 1000);
    CHECK(us < (uint64_t)least_ms * 1000 + 5000000);
}

/** One handle's lock seen from another handle: which modes wait. */
static void test_modes(void)
{
    static const uint32_t modes[] = {WINSHM_SHARED, WINSHM_EXCLUSIVE};
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, 100, 0, &h));
    for (int i = 0; i < 4; i++) {
        uint32_t theirs = modes[i / 2], ours = modes[i % 2];
        bool fits = theirs == WINSHM_SHARED && ours == WINSHM_SHARED;
        winshm_info info = {.struct_size = sizeof info};
        struct child owner = child_start("owner", region_name, theirs);
        CHECK_EQ(child_hear(&owner, PATIENCE_MS), 'l');
        CHECK_OK(winshm_get_info(h, &info));
        CHECK_EQ(info.owner_pid, theirs == WINSHM_EXCLUSIVE ? owner.pid : 0);
        CHECK_EQ(info.lock_state, theirs == WINSHM_EXCLUSIVE
                                      ? WINSHM_STATE_EXCLUSIVE
                                      : WINSHM_STATE_SHARED);
        uint64_t began = clock_us();
        CHECK_STATUS(winshm_lock(h, ours, 0),
                     fits ? WINSHM_OK : WINSHM_E_TIMEOUT);
        check_elapsed(began, 0);
        if (fits) {
            CHECK_OK(winshm_unlock(h, ours));
        } else {
            began = clock_us();
            CHECK_STATUS(winshm_lock(h, ours, 30), WINSHM_E_TIMEOUT);
            check_elapsed(began, 30);
        }
        /* Nobody may unlock what another handle holds. */
        CHECK_STATUS(winshm_unlock(h, theirs), WINSHM_E_NOT_OWNER);
        CHECK_STATUS(winshm_make_consistent(h), WINSHM_E_NOT_OWNER);
        child_tell(&owner, 'u');
        CHECK_OK(winshm_lock(h, ours, WINSHM_FOREVER));
        CHECK_OK(winshm_unlock(h, ours));
        CHECK_STATUS(winshm_unlock(h, ours), WINSHM_E_NOT_OWNER);
        CHECK_EQ(child_hear(&owner, PATIENCE_MS), 'u');
        child_kill(&owner);
    }
    CHECK_OK(winshm_close(h));
}

static void write_soon(void *h)
{
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
}

static void test_upgrade(void)
{
    winshm_region *h, *other;
    CHECK_OK(winshm_create(region_name, 100, 0, &h));
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_OK(winshm_lock(h, WINSHM_SHARED, 0));
    /* Somebody has begun to wait until this reader has gone. */
    struct thread writer = thread_start(write_soon, other);
    sleep_ms(100);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, WINSHM_FOREVER),
                 WINSHM_E_DEADLOCK);
    CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
    thread_join(writer);
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
}

static void test_refusals(void)
{
    winshm_region *h, *other;
    CHECK_OK(winshm_create(region_name, 100, 0, &h));
    CHECK_OK(winshm_open(region_name, WINSHM_READ, &other));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_DEADLOCK);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, WINSHM_FOREVER),
                 WINSHM_E_DEADLOCK);
    CHECK_STATUS(winshm_lock(h, WINSHM_SHARED, WINSHM_FOREVER),
                 WINSHM_E_DEADLOCK);
    CHECK_STATUS(winshm_unlock(h, WINSHM_SHARED), WINSHM_E_NOT_OWNER);
    CHECK_STATUS(winshm_close(h), WINSHM_E_BUSY);
    CHECK_OK(winshm_make_consistent(h));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_lock(h, WINSHM_SHARED, 0));
    CHECK_STATUS(winshm_lock(h, WINSHM_SHARED, WINSHM_FOREVER),
                 WINSHM_E_DEADLOCK);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, WINSHM_FOREVER),
                 WINSHM_E_DEADLOCK);
    CHECK_STATUS(winshm_write(h, 0, "x", 1, WINSHM_FOREVER), WINSHM_E_DEADLOCK);
    CHECK_STATUS(winshm_unlock(h, WINSHM_EXCLUSIVE), WINSHM_E_NOT_OWNER);
    CHECK_STATUS(winshm_make_consistent(h), WINSHM_E_NOT_OWNER);
    CHECK_STATUS(winshm_close(h), WINSHM_E_BUSY);
    /* A refused upgrade leaves the lock as it was. */
    CHECK_OK(winshm_lock(other, WINSHM_SHARED, 0));
    CHECK_OK(winshm_unlock(other, WINSHM_SHARED));
    CHECK_STATUS(winshm_lock(other, WINSHM_EXCLUSIVE, 0), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
    CHECK_OK(winshm_lock(other, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(other, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
}

struct call {
    winshm_region *h;
    uint32_t mode;
    uint32_t timeout_ms;
    winshm_status status;
};

static void lock_thread(void *argument)
{
    struct call *call = argument;
    call->status = winshm_lock(call->h, call->mode, call->timeout_ms);
}

/** A second thread of the owning handle waits like a stranger. */
static void test_threads(void)
{
    winshm_region *h, *other;
    /* For tasks, so that what one thread locks the other may unlock. */
    CHECK_OK(winshm_create(region_name, 100, WINSHM_TASK, &h));
    CHECK_OK(winshm_open(region_name, 0, &other));
    struct call call = {h, WINSHM_EXCLUSIVE, 20, 1};
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    thread_join(thread_start(lock_thread, &call));
    CHECK_STATUS(call.status, WINSHM_E_TIMEOUT);
    call.timeout_ms = PATIENCE_MS;
    struct thread thread = thread_start(lock_thread, &call);
    sleep_ms(10);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    thread_join(thread);
    CHECK_OK(call.status);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
}

/** Whoever waits while others come again and again has its turn. */
static void test_fairness(void)
{
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, 100, 0, &h));
    for (int i = 0; i < 2; i++) {
        uint32_t theirs = i == 0 ? WINSHM_SHARED : WINSHM_EXCLUSIVE;
        uint32_t ours = i == 0 ? WINSHM_EXCLUSIVE : WINSHM_SHARED;
        struct child greedy[3];
        for (int k = 0; k < 3; k++) {
            greedy[k] = child_start("greedy", region_name, theirs);
            CHECK_EQ(child_hear(&greedy[k], PATIENCE_MS), 'g');
        }
        for (int round = 0; round < 20; round++) {
            CHECK_OK(winshm_lock(h, ours, 5000));
            CHECK_OK(winshm_unlock(h, ours));
        }
        for (int k = 0; k < 3; k++)
            child_kill(&greedy[k]);
        winshm_status status = winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS);
        CHECK(status == WINSHM_OK || status == WINSHM_E_OWNER_DEAD);
        CHECK_OK(winshm_make_consistent(h));
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    }
    CHECK_OK(winshm_close(h));
}

/** A waiter goes on soon after the release, and not at its slice's end. */
static void test_wake_up(void)
{
    winshm_region *h, *other;
    int rounds = child_slow() ? 50 : 200, soon = 0;
    CHECK_OK(winshm_create(region_name, 100, 0, &h));
    CHECK_OK(winshm_open(region_name, WINSHM_TASK, &other));
    for (int i = 0; i < rounds; i++) {
        struct call call = {other, WINSHM_EXCLUSIVE, PATIENCE_MS, 1};
        CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
        struct thread thread = thread_start(lock_thread, &call);
        sleep_ms(2);
        uint64_t began = clock_us();
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
        thread_join(thread);
        soon += clock_us() - began < 8000;
        CHECK_OK(call.status);
        CHECK_OK(winshm_unlock(other, WINSHM_EXCLUSIVE));
    }
    /* A busy machine may delay any one of them, but not most. */
    CHECK(soon > rounds / 4);
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("lock");
    test_modes();
    test_refusals();
    test_upgrade();
    test_threads();
    test_wake_up();
    test_fairness();
    test_exclusion();
    return 0;
}
