/* Waits for a change, joiners, and hand-overs: see hints.h.
 *
 *   test_hints [HANDOVERS]
 */
#include "hints.h"

enum { HANDOVERS = 2000 };

/** A change wakes all who sleep, of one handle and of others, once. */
static void test_change(void)
{
    open_all();
    struct request one = wanting(b, 0), two = wanting(b, 0);
    struct request three = wanting(d, 0);
    start(&one);
    start(&two);
    start_asleep(&three);
    see_asleep(b, 2);
    CHECK_OK(winshm_notify(a));
    thread_join(one.thread);
    thread_join(two.thread);
    thread_join(three.thread);
    uint32_t before = tally.scans;
    for (int i = 0; i < QUIET; i++)
        CHECK_OK(winshm_notify(a));
    CHECK_EQ(tally.scans - before, 0);
    close_all();
}

static void notify_now(void)
{
    CHECK_OK(winshm_notify(a));
}

static void test_change_last_look(void)
{
    open_all();
    struct request one = wanting(b, 0);
    atomic_store(&tally.before_sleep, notify_now);
    start(&one);
    thread_join(one.thread);
    CHECK_EQ(of(b)->slept, 0);
    close_all();
}

static void create(void *place)
{
    CHECK_OK(winshm_create(name_of("joiner"), 1, 0, place));
}

/** An observer's looks meet who creates before it is present, and wait. */
static void test_joiner(void)
{
    winshm_region *h, *made;
    forget_all();
    atomic_store(&tally.joiner_held, true);
    struct thread joiner = thread_start(create, &made);
    until(&tally.joiner_there, true);
    observes = true;
    CHECK_OK(winshm_open(name_of("joiner"), WINSHM_READ, &h));
    observes = false;
    CHECK(tally.joiners_met > MET);
    thread_join(joiner);
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_close(made));
}

/** Two handles that hand the lock to one another, with sleeps as long as they
 * are. A wake-up is lost where a store stays hidden for long: then the end of
 * the slice makes it good, and not another slice. */
struct side {
    winshm_region *h;
    uint32_t number, times;
    uint32_t lost;
};

static _Atomic uint32_t turn;

static void hand_over(void *argument)
{
    struct side *side = argument;
    struct sleeper *s = of(side->h);
    for (uint32_t i = 0; i < side->times; i++) {
        while (atomic_load(&turn) % 2 != side->number)
            wshm_platform_pause();
        uint32_t before = s->overslept;
        CHECK_OK(winshm_lock(side->h, WINSHM_EXCLUSIVE, PATIENCE_MS));
        uint32_t lost = s->overslept - before;
        CHECK(lost <= 1);
        side->lost += lost;
        /* The other one comes now; at times it sleeps when this one leaves. */
        atomic_fetch_add(&turn, 1);
        for (uint32_t pause = 0; pause < i % 1024; pause++)
            wshm_platform_pause();
        CHECK_OK(winshm_unlock(side->h, WINSHM_EXCLUSIVE));
    }
}

static void test_handovers(uint32_t times)
{
    struct thread threads[2];
    open_all();
    struct side sides[2] = {{b, 0, times / 2, 0}, {c, 1, times / 2, 0}};
    for (int i = 0; i < 2; i++)
        atomic_store(&of(sides[i].h)->natural, true);
    atomic_store(&turn, 0);
    for (int i = 0; i < 2; i++)
        threads[i] = thread_start(hand_over, &sides[i]);
    for (int i = 0; i < 2; i++)
        thread_join(threads[i]);
    printf("%u hand-overs, %u sleeps, %u of them to their end though the lock "
           "was free\n",
           (unsigned)times, (unsigned)(of(b)->slept + of(c)->slept),
           (unsigned)(sides[0].lost + sides[1].lost));
    close_all();
}

static const struct role roles[] = {{"hold", role_hold}, {NULL, NULL}};

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    test_lock();
    test_change();
    test_change_last_look();
    test_joiner();
    test_handovers(argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : HANDOVERS);
    return 0;
}
