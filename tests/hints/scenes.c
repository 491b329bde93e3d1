/* Waits for the lock. */
#include "hints.h"

/** Two modes asleep before a writer are woken by its release, and once there
 * is nobody any more nobody is looked for. */
static void test_release(uint32_t mode, bool both)
{
    open_all();
    struct request one = wanting(b, mode), two = wanting(c, mode);
    take_a(WINSHM_EXCLUSIVE);
    start_asleep(&one);
    if (both)
        start_asleep(&two);
    free_a(WINSHM_EXCLUSIVE);
    thread_join(one.thread);
    if (both)
        thread_join(two.thread);
    uint32_t vain = tally.vain_scans;
    for (int i = 0; i < QUIET; i++) {
        take_a(WINSHM_EXCLUSIVE);
        free_a(WINSHM_EXCLUSIVE);
    }
    CHECK(tally.vain_scans - vain <= 1);
    CHECK_EQ(atomic_load(&the_lock()->seat), 0);
    close_all();
}

/** Whoever is woken before it sleeps does not sleep. */
static void test_woken_early(void)
{
    open_all();
    struct request one = wanting(b, WINSHM_EXCLUSIVE);
    take_a(WINSHM_EXCLUSIVE);
    atomic_store(&of(b)->held_before, true);
    start_asleep(&one);
    free_a(WINSHM_EXCLUSIVE);
    atomic_store(&of(b)->held_before, false);
    thread_join(one.thread);
    close_all();
}

static void free_a_now(void)
{
    free_a(WINSHM_EXCLUSIVE);
}

/** What has come before the waiter was announced is seen by a last look. */
static void test_last_look(void)
{
    open_all();
    struct request one = wanting(b, WINSHM_EXCLUSIVE);
    take_a(WINSHM_EXCLUSIVE);
    atomic_store(&tally.before_sleep, free_a_now);
    start(&one);
    thread_join(one.thread);
    CHECK_EQ(of(b)->slept, 0);
    close_all();
}

static void free_a_slowly(void)
{
    free_a(atomic_load(&the_lock()->word) == inside(a)->me ? WINSHM_EXCLUSIVE
                                                           : WINSHM_SHARED);
    sleep_ms(2);
}

/** What comes while the waiter looks on is seen, even if the time for that
 * is up meanwhile. */
static void test_looks_on(uint32_t mode)
{
    open_all();
    struct request one = wanting(b, WINSHM_EXCLUSIVE);
    take_a(mode);
    atomic_store(&tally.looking_on, free_a_slowly);
    start(&one);
    thread_join(one.thread);
    CHECK_EQ(of(b)->slept, 0);
    close_all();
}

/** A reader wakes the writer that waits for it, and a writer that does not get
 * the readers out lets others try. */
static void test_drain(bool gives_up)
{
    open_all();
    struct request one = wanting(b, WINSHM_EXCLUSIVE);
    struct request two = wanting(c, WINSHM_EXCLUSIVE);
    take_a(WINSHM_SHARED);
    if (gives_up) {
        one.timeout_ms = 500;
        one.wanted = WINSHM_E_TIMEOUT;
        atomic_store(&of(b)->natural, true);
    }
    start(&one);
    wait_for_word(b);
    if (gives_up) {
        start(&two);
        thread_join(one.thread);
        wait_for_word(c);
        see_asleep(c, 1);
    } else {
        see_asleep(b, 1);
    }
    free_a(WINSHM_SHARED);
    thread_join(gives_up ? two.thread : one.thread);
    close_all();
}

/** The writer whose turn it is is woken alone; after it the others are. */
static void test_seat(void)
{
    open_all();
    struct request one = wanting(b, WINSHM_EXCLUSIVE);
    struct request two = wanting(c, WINSHM_EXCLUSIVE);
    struct request three = wanting(d, WINSHM_SHARED);
    take_a(WINSHM_EXCLUSIVE);
    atomic_store(&of(b)->natural, true);
    start(&one);
    wait_for_seat(b);
    atomic_store(&of(b)->natural, false);
    start_asleep(&two);
    start_asleep(&three);
    see_asleep(b, 1);
    atomic_store(&of(b)->held_after, true);
    free_a(WINSHM_EXCLUSIVE);
    CHECK_EQ(of(b)->woken, 1);
    CHECK_EQ(of(c)->woken, 0);
    CHECK_EQ(of(d)->woken, 0);
    atomic_store(&of(b)->held_after, false);
    thread_join(one.thread);
    thread_join(two.thread);
    thread_join(three.thread);
    close_all();
}

/** The oldest has the seat, whoever took it before, and keeps it. */
static void test_age(void)
{
    open_all();
    struct request old = wanting(b, WINSHM_EXCLUSIVE);
    struct request young = wanting(c, WINSHM_SHARED);
    take_a(WINSHM_EXCLUSIVE);
    atomic_store(&of(b)->natural, true);
    atomic_store(&of(b)->held_before, true);
    start(&old);
    while (atomic_load(&of(b)->asleep) == 0)
        sleep_ms(1);
    /* On a slow machine it has waited for long enough to have the seat. */
    atomic_store(&the_lock()->seat, 0);
    atomic_store(&of(c)->natural, true);
    start(&young);
    wait_for_seat(c);
    atomic_store(&of(b)->held_before, false);
    wait_for_seat(b);
    uint32_t slept = of(c)->slept;
    while (of(c)->slept - slept < 3)
        sleep_ms(1);
    CHECK_EQ(atomic_load(&the_lock()->seat) & SEAT_SLOT, inside(b)->me);
    free_a(WINSHM_EXCLUSIVE);
    thread_join(old.thread);
    thread_join(young.thread);
    close_all();
}

/** Who goes without having had its turn leaves the seat: with its time up, or
 * after it was woken, which it then passes on. */
static void test_leaves(bool woken)
{
    open_all();
    struct request one = wanting(b, WINSHM_EXCLUSIVE);
    struct request two = wanting(c, WINSHM_EXCLUSIVE);
    one.wanted = woken ? WINSHM_E_CLOSED : WINSHM_E_TIMEOUT;
    one.timeout_ms = woken ? PATIENCE_MS : 30;
    take_a(WINSHM_EXCLUSIVE);
    atomic_store(&of(b)->natural, true);
    start(&one);
    if (woken) {
        wait_for_seat(b);
        atomic_store(&of(b)->natural, false);
        see_asleep(b, 1);
        atomic_store(&of(b)->held_after, true);
    }
    start_asleep(&two);
    if (!woken)
        thread_join(one.thread);
    free_a(WINSHM_EXCLUSIVE);
    if (woken) {
        struct region *r = inside(b);
        struct sleeper *s = of(b);
        CHECK_EQ(of(c)->woken, 0);
        atomic_store(&r->closing, CLOSE_UNDECIDED);
        atomic_store(&s->held_after, false);
        thread_join(one.thread);
        atomic_store(&r->closing, CLOSE_NONE);
    }
    thread_join(two.thread);
    close_all();
}

void role_hold(const char *name, uint32_t unused)
{
    winshm_region *h;
    (void)unused;
    CHECK_OK(winshm_open(name, 0, &h));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    parent_tell('l');
    parent_hear();
}

/** Who takes a dead owner's place wakes those who wait for it. */
static void test_heir(void)
{
    open_all();
    CHECK_OK(winshm_close(d));
    struct child owner = child_start("hold", inside(a)->platform.name, 0);
    CHECK_EQ(child_hear(&owner, PATIENCE_MS), 'l');
    struct request one = wanting(b, WINSHM_EXCLUSIVE);
    one.wanted = WINSHM_E_OWNER_DEAD;
    start_asleep(&one);
    atomic_store(&of(b)->held_after, true);
    child_kill(&owner);
    /* On Windows the death itself ends the sleep. */
    CHECK_OK(winshm_open(inside(a)->platform.name, 0, &d));
    CHECK_EQ(of(b)->woken, 1);
    atomic_store(&of(b)->held_after, false);
    thread_join(one.thread);
    close_all();
}

/** A close wakes the handle's own sleepers. */
static void test_close(uint32_t mode)
{
    open_all();
    struct request one = wanting(b, mode);
    one.wanted = WINSHM_E_CLOSED;
    take_a(WINSHM_EXCLUSIVE);
    start_asleep(&one);
    struct sleeper *s = of(b);
    CHECK_OK(winshm_close(b));
    thread_join(one.thread);
    CHECK_EQ(s->overslept, 0);
    free_a(WINSHM_EXCLUSIVE);
    b = NULL;
    close_all();
}

void test_lock(void)
{
    test_release(WINSHM_EXCLUSIVE, false);
    test_release(WINSHM_EXCLUSIVE, true);
    test_release(WINSHM_SHARED, true);
    test_woken_early();
    test_last_look();
    test_looks_on(WINSHM_EXCLUSIVE);
    test_looks_on(WINSHM_SHARED);
    test_drain(false);
    test_drain(true);
    test_seat();
    test_age();
    test_leaves(false);
    test_leaves(true);
    test_heir();
    test_close(WINSHM_EXCLUSIVE);
    test_close(0);
}
