/* Whose counts a writer looks at: readers of every slot keep it out, from the
 * first time on that they lock, also where they share a bit with others who
 * come, go and die. */
#include <stdatomic.h>

#include "check.h"
#include "child.h"

/* A bit of the word `shown` is of four slots. */
enum { SLOTS = WINSHM_PARTICIPANTS_MAX, BITS = 32 };

static const char *region_name;

static uint32_t slot_of(winshm_region *h)
{
    static winshm_participant list[SLOTS];
    uint32_t count;
    list[0].struct_size = sizeof list[0];
    CHECK_OK(winshm_get_participants(h, list, SLOTS, &count));
    for (uint32_t i = 0; i < count; i++)
        if ((list[i].flags & WINSHM_PARTICIPANT_SELF) != 0)
            return list[i].slot;
    CHECK(!"a participant is in its own list");
    return 0;
}

/** The writer cannot get in, whether it tries once or waits. */
static void expect_kept_out(winshm_region *writer)
{
    CHECK_STATUS(winshm_lock(writer, WINSHM_EXCLUSIVE, 0), WINSHM_E_TIMEOUT);
    CHECK_STATUS(winshm_lock(writer, WINSHM_EXCLUSIVE, 1), WINSHM_E_TIMEOUT);
}

static void lock_and_go(void *reader)
{
    CHECK_OK(winshm_lock(reader, WINSHM_SHARED, PATIENCE_MS));
    expect_kept_out(*(winshm_region **)winshm_data(reader));
    CHECK_OK(winshm_unlock(reader, WINSHM_SHARED));
}

/** Every slot there is, the highest first, and each alone. */
static void test_every_slot(void)
{
    static winshm_region *in_slot[SLOTS];
    winshm_region *h, *writer;
    for (int i = 0; i < SLOTS; i++) {
        CHECK_OK(winshm_open_or_create(region_name, sizeof h, 0, &h));
        in_slot[slot_of(h)] = h;
    }
    writer = in_slot[7];
    memcpy(winshm_data(writer), &writer, sizeof writer);
    /* Every second time by a thread that is not the handle's first. */
    for (int slot = SLOTS; slot-- > 0;) {
        if (slot % 2 == 0)
            lock_and_go(in_slot[slot]);
        else if (in_slot[slot] != writer)
            thread_join(thread_start(lock_and_go, in_slot[slot]));
    }
    /* The bits are raised; one after the other leaves, and each counts. */
    for (int bit = 0; bit < BITS; bit += 5) {
        CHECK_OK(winshm_lock(writer, WINSHM_EXCLUSIVE, 0));
        for (int slot = bit; slot < SLOTS; slot += BITS)
            CHECK_STATUS(winshm_lock(in_slot[slot], WINSHM_SHARED, 0),
                         WINSHM_E_TIMEOUT);
        CHECK_OK(winshm_unlock(writer, WINSHM_EXCLUSIVE));
        for (int slot = bit; slot < SLOTS; slot += BITS)
            CHECK_OK(winshm_lock(in_slot[slot], WINSHM_SHARED, 0));
        for (int slot = bit; slot < SLOTS; slot += BITS) {
            expect_kept_out(writer);
            CHECK_OK(winshm_unlock(in_slot[slot], WINSHM_SHARED));
        }
    }
    for (int i = 0; i < SLOTS; i++)
        CHECK_OK(winshm_close(in_slot[i]));
}

/* The first shared lock of a handle, and at the same moment a writer, or the
 * first one of another. */

struct sides {
    winshm_region *handles[2], *writer;
    winshm_status got[2];
    atomic_uint met[2];
    bool ends; /* after this round */
    uint32_t pause; /* of side 0; as long as lets each be first as often */
};

enum { PAUSE = 200 };

/** Both sides come out of here close together, unless the other one has no
 * processor. */
static void meet(struct sides *s, int side)
{
    uint32_t turn = atomic_fetch_add(&s->met[side], 1) + 1;
    uint64_t began = clock_us();
    for (uint32_t spins = 1; atomic_load(&s->met[!side]) < turn; spins++)
        if (spins % 64 == 0 && clock_us() - began > 100)
            sleep_ms(0);
}

/** @return false if this is the last round. */
static bool request(struct sides *s, int side, uint32_t round)
{
    bool readers = round % 2 != 0;
    int last = round / 2 % 2;
    uint32_t mode = side == 0 || readers ? WINSHM_SHARED : WINSHM_EXCLUSIVE;
    /* What is slow the first time is over before the two meet for the request,
     * and so is the sleep that one of them may have come from. */
    if (side == 1)
        meet(s, side);
    CHECK_OK(winshm_lock(s->handles[side], WINSHM_EXCLUSIVE, PATIENCE_MS));
    CHECK_OK(winshm_unlock(s->handles[side], WINSHM_EXCLUSIVE));
    if (side == 0)
        meet(s, side);
    meet(s, side);
    meet(s, side);
    uint32_t most = side == 0 ? s->pause : PAUSE;
    for (volatile uint32_t pause = most + round * 7 % 31; pause > 0; pause--)
        ;
    s->got[side] = winshm_lock(s->handles[side], mode, 0);
    bool goes_on = !s->ends;
    meet(s, side);
    CHECK(readers || s->got[0] != WINSHM_OK || s->got[1] != WINSHM_OK);
    if (readers && side == last) {
        meet(s, side);
        CHECK_STATUS(winshm_lock(s->writer, WINSHM_EXCLUSIVE, 0),
                     WINSHM_E_TIMEOUT);
    }
    if (s->got[side] == WINSHM_OK)
        CHECK_OK(winshm_unlock(s->handles[side], mode));
    else
        CHECK_STATUS(s->got[side], WINSHM_E_TIMEOUT);
    if (!readers || side != last)
        meet(s, side);
    meet(s, side);
    return goes_on;
}

static void other_side(void *sides)
{
    for (uint32_t round = 0; request(sides, 1, round); round++)
        ;
}

/** In a new life each time, in which nobody has locked shared. */
static void test_first_time(void)
{
    static struct sides s = {.pause = PAUSE};
    uint32_t in[2] = {0, 0};
    struct thread other;
    uint64_t end = clock_ms() + 1000;
    for (uint32_t round = 0; !s.ends; round++) {
        s.ends = round >= 50 && clock_ms() >= end;
        CHECK_OK(winshm_create(region_name, 8, 0, &s.handles[0]));
        CHECK_OK(winshm_open(region_name, 0, &s.handles[1]));
        CHECK_OK(winshm_open(region_name, 0, &s.writer));
        if (round == 0)
            other = thread_start(other_side, &s);
        request(&s, 0, round);
        if (round % 2 == 0) {
            for (int side = 0; side < 2; side++)
                in[side] += s.got[side] == WINSHM_OK;
            if (s.got[0] == WINSHM_OK && s.pause < 10 * PAUSE)
                s.pause += 2;
            else if (s.pause > 0)
                s.pause -= 2;
        }
        CHECK_OK(winshm_close(s.writer));
        CHECK_OK(winshm_close(s.handles[1]));
        CHECK_OK(winshm_close(s.handles[0]));
    }
    thread_join(other);
    printf("%u times the reader was in, %u times the writer\n", in[0], in[1]);
}

/* Readers that come and go. */

/** Plain memory, so that a broken lock is seen. */
struct guarded {
    volatile uint64_t first;
    volatile uint64_t second;
    atomic_uint stop;
};

static void read_on(winshm_region *h, uint32_t times)
{
    struct guarded *guarded = winshm_data(h);
    for (uint32_t i = 0; i < times; i++) {
        CHECK_OK(winshm_lock(h, WINSHM_SHARED, PATIENCE_MS));
        uint64_t first = guarded->first;
        if (i % 16 == 0)
            sleep_ms(0);
        CHECK_EQ(guarded->second, first);
        CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
    }
}

/** Comes and goes until it is told to stop, or dies in a shared lock. */
static void role_visitor(const char *name, uint32_t dies)
{
    winshm_region *h;
    CHECK_OK(winshm_open(name, 0, &h));
    if (dies) {
        read_on(h, 20);
        CHECK_OK(winshm_lock(h, WINSHM_SHARED, PATIENCE_MS));
        child_die();
    }
    parent_tell('v');
    while (!((struct guarded *)winshm_data(h))->stop) {
        winshm_region *again;
        CHECK_OK(winshm_open(name, 0, &again));
        CHECK_OK(winshm_close(h));
        h = again;
        read_on(h, 30);
    }
    CHECK_OK(winshm_close(h));
}

static void stay(void *h)
{
    while (!((struct guarded *)winshm_data(h))->stop)
        read_on(h, 100);
}

static const struct role roles[] = {{"visitor", role_visitor}, {NULL, NULL}};

/** Those who stay have the slots from 2 on, those who visit the ones from 34
 * on, and so bits of theirs. */
static void test_visitors(void)
{
    enum { STAYERS = 3, VISITORS = 3 };
    winshm_region *in_slot[BITS + 2], *h;
    struct thread threads[STAYERS];
    struct child visitors[VISITORS];
    uint64_t count = 0;
    for (int i = 0; i < BITS + 2; i++) {
        CHECK_OK(winshm_open_or_create(region_name, sizeof(struct guarded), 0,
                                       &h));
        in_slot[slot_of(h)] = h;
    }
    for (int i = 0; i < VISITORS; i++) {
        visitors[i] = child_start("visitor", region_name, 0);
        CHECK_EQ(child_hear(&visitors[i], PATIENCE_MS), 'v');
    }
    for (int i = 0; i < STAYERS; i++)
        threads[i] = thread_start(stay, in_slot[2 + i]);
    struct guarded *guarded = winshm_data(in_slot[0]);
    int deaths = child_slow() || child_emulated() ? 3 : 10;
    for (int death = 0; death < deaths; death++) {
        struct child mortal = child_start("visitor", region_name, 1);
        for (int i = 0; i < 500; i++, count++) {
            CHECK_OK(winshm_lock(in_slot[0], WINSHM_EXCLUSIVE, PATIENCE_MS));
            guarded->first = guarded->first + 1;
            if (i % 32 == 0)
                sleep_ms(0);
            guarded->second = guarded->second + 1;
            CHECK_OK(winshm_unlock(in_slot[0], WINSHM_EXCLUSIVE));
        }
        CHECK_EQ(child_wait(&mortal, PATIENCE_MS), -1);
    }
    guarded->stop = 1;
    for (int i = 0; i < STAYERS; i++)
        thread_join(threads[i]);
    for (int i = 0; i < VISITORS; i++)
        CHECK_EQ(child_wait(&visitors[i], PATIENCE_MS), 0);
    CHECK_EQ(guarded->first, count);
    CHECK_EQ(guarded->second, count);
    for (int i = 0; i < BITS + 2; i++)
        CHECK_OK(winshm_close(in_slot[i]));
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("readers");
    test_every_slot();
    test_first_time();
    test_visitors();
    return 0;
}
