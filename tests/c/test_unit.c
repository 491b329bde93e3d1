/* What only the internals can be asked: pure functions, and the parts of the
 * contract with the operating system that no public call shows. */
#include <stdatomic.h>

#include "check.h"
#include "child.h"
#include "handle.h"
#include "lock.h"
#include "name.h"
#include "participant.h"
#include "status.h"

static void test_names(void)
{
    static const struct {
        const char *name, *bare;
        bool global;
    } cases[] = {
        {"a", "a", false},
        {"Local\\a b", "a b", false},
        {"Global\\a.b", "a.b", true},
        {"Global", "Global", false},
        {"Global\\\xC3\xBC", "\xC3\xBC", true},
        {"a.winshmb", "a.winshmb", false},
    };
    char bare[WINSHM_NAME_MAX + 1];
    bool global;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK_OK(wshm_name_parse(cases[i].name, bare, &global));
        CHECK(strcmp(bare, cases[i].bare) == 0);
        CHECK_EQ(global, cases[i].global);
    }
    CHECK_STATUS(wshm_name_parse(NULL, bare, &global), WINSHM_E_INVALID);
    /* Nothing is read beyond the longest legal name, here seen by
     * AddressSanitizer: there is no NUL. */
    size_t length = 7 + WINSHM_NAME_MAX + 4;
    char *endless = malloc(length);
    CHECK(endless != NULL);
    memset(endless, 'x', length);
    memcpy(endless, "Global\\", 7);
    CHECK_STATUS(wshm_name_parse(endless, bare, &global), WINSHM_E_NAME);
    free(endless);
}

static void test_words(void)
{
    CHECK(word_legal(0));
    CHECK(word_legal(1));
    CHECK(word_legal(LAYOUT_SLOTS));
    CHECK(word_legal(WORD_INCONSISTENT));
    CHECK(word_legal(WORD_INCONSISTENT | LAYOUT_SLOTS));
    CHECK(!word_legal(LAYOUT_SLOTS + 1));
    CHECK(!word_legal(0x1000));
    CHECK(!word_legal(0x80000000));
    struct shared_u64 pair;
    shared_store(&pair, 0x0123456789ABCDEF);
    CHECK_EQ(shared_load(&pair), 0x0123456789ABCDEF);
    CHECK_EQ(pair.low, 0x89ABCDEF);
}

static void test_platform(void)
{
    CHECK_OK(wshm_platform_init());
    uint32_t random[2][4] = {{0}, {0}};
    char from[100], to[100] = {0};
    CHECK_OK(wshm_platform_random(random[0], sizeof random[0]));
    CHECK_OK(wshm_platform_random(random[1], sizeof random[1]));
    CHECK(memcmp(random[0], random[1], sizeof random[0]) != 0);
    uint64_t granularity = wshm_platform_granularity();
    CHECK(granularity >= 4096 && (granularity & (granularity - 1)) == 0);
    uint64_t began = wshm_platform_now();
    wshm_platform_sleep(2000000);
    CHECK(wshm_platform_now() - began >= 1900000);
    memset(from, 'f', sizeof from);
    CHECK_OK(wshm_platform_copy(to, from, sizeof to, to, sizeof to));
    CHECK(memcmp(to, from, sizeof to) == 0);
    CHECK_EQ(wshm_platform_pid(), child_pid());
    CHECK(wshm_platform_thread() != 0);
    CHECK(wshm_platform_thread_block() == wshm_platform_thread_block());
}

/** Codes that the system has no words for, and messages that are too long. */
static void test_words_of_failures(void)
{
    static char long_text[3000];
    char text[100];
    CHECK(!wshm_platform_reason(99999, text, sizeof text));
    /* Without room for all of them, words are cut or left out. */
    CHECK(!wshm_platform_reason(2, text, 2) || strlen(text) == 1);
    wshm_error_clear();
    wshm_error_os(WINSHM_E_SYSTEM, "call", 99999);
    wshm_error_report("function", NULL, WINSHM_E_SYSTEM);
    CHECK(strstr(wshm_error_message(), " (call failed with 99999) [") != NULL);
    memset(long_text, 'x', sizeof long_text - 1);
    wshm_error_because(WINSHM_E_SYSTEM, "what", long_text);
    wshm_error_report("function", NULL, WINSHM_E_SYSTEM);
    CHECK(strncmp(wshm_error_message(), "function: ", 10) == 0);
    CHECK_EQ(strlen(wshm_error_message()), 1023);
}

static uint32_t readers_of(const struct layout_slot *slot)
{
    return atomic_load(&slot->own) + atomic_load(&slot->other);
}

static bool anybody_but(struct region *r, uint32_t except)
{
    bool anybody;
    CHECK_OK(
        wshm_platform_anybody(&r->platform, LAYOUT_SLOTS, except, &anybody));
    return anybody;
}

/** Presence: taken once, seen by all, gone when it is given back. */
static void test_presence(void)
{
    winshm_region *one, *two;
    platform_object taken, again;
    CHECK_OK(winshm_create(name_of("unit"), 10, 0, &one));
    CHECK_OK(winshm_open(name_of("unit"), 0, &two));
    struct region *a = wshm_region_begin(one);
    struct region *b = wshm_region_begin(two);
    CHECK(a != NULL && b != NULL && a != b);
    CHECK_EQ(a->me, 1);
    CHECK_EQ(b->me, 2);
    CHECK(wshm_participant_alive(a, 0));
    CHECK(wshm_participant_alive(a, 1));
    CHECK(wshm_participant_alive(b, 0));
    CHECK(!wshm_participant_alive(a, 2));
    CHECK_STATUS(wshm_platform_take(&a->platform, 1, &taken), WINSHM_E_BUSY);
    CHECK_OK(wshm_platform_take(&a->platform, 5, &taken));
    CHECK(wshm_platform_present(&b->platform, 5));
    CHECK_STATUS(wshm_platform_take(&b->platform, 5, &again), WINSHM_E_BUSY);
    wshm_platform_absent(&a->platform, 5, taken);
    CHECK(!wshm_platform_present(&b->platform, 5));
    CHECK(!wshm_platform_present(&a->platform, 5));
    CHECK(anybody_but(a, 0));
    wshm_platform_absent(&b->platform, 1, b->platform.presence);
    b->platform.presence = PLATFORM_NONE;
    CHECK(!anybody_but(a, 0));
    CHECK_OK(wshm_platform_take(&b->platform, 1, &b->platform.presence));
    /* Only what is dead is cleaned. */
    atomic_store(&b->slot->own, 1);
    wshm_participant_reap(a, 1);
    CHECK_EQ(readers_of(b->slot), 1);
    atomic_store(&b->slot->own, 0);
    /* Nor its own, which on Linux could be taken once more. */
    atomic_store(&a->slot->own, 1);
    wshm_participant_reap(a, 0);
    CHECK_EQ(readers_of(a->slot), 1);
    CHECK(wshm_platform_present(&b->platform, 0));
    atomic_store(&a->slot->own, 0);
    struct layout_slot *dead = &a->control->slots[9];
    atomic_store(&dead->own, 3);
    atomic_store(&dead->parked[PLATFORM_CHANGE], 3);
    atomic_store(&a->control->lock.word, 10);
    wshm_participant_reap(a, 9);
    CHECK_EQ(readers_of(dead), 0);
    CHECK_EQ(dead->parked[PLATFORM_CHANGE], 0);
    CHECK_EQ(a->control->lock.word, 0);
    /* A section that was cut off is told, one that was not is not. */
    atomic_store(&a->control->lock.version, 7);
    atomic_store(&a->control->lock.word, 10);
    wshm_participant_reap(a, 9);
    CHECK_EQ(a->control->lock.word, WORD_INCONSISTENT);
    wshm_region_end(a);
    wshm_region_end(b);
    CHECK_OK(winshm_close(two));
    CHECK_OK(winshm_close(one));
}

struct sleeper {
    struct region *region;
    _Atomic uint32_t word;
    _Atomic bool awake;
};

static void sleep_long(void *argument)
{
    struct sleeper *s = argument;
    wshm_platform_park(&s->region->platform, 0, PLATFORM_CHANGE, &s->word, 0, 0,
                       (uint64_t)1000000 << 32);
    atomic_store(&s->awake, true);
}

/** A time that is more than 32 bits of milliseconds is not cut to them. */
static void test_long_sleep(void)
{
    winshm_region *h;
    CHECK_OK(winshm_create(name_of("sleep"), 1, 0, &h));
    struct region *r = wshm_region_begin(h);
    CHECK(r != NULL);
    struct sleeper s = {.region = r};
    CHECK_OK(wshm_platform_park_prepare(&r->platform, 0, PLATFORM_CHANGE));
    struct thread thread = thread_start(sleep_long, &s);
    sleep_ms(50);
    CHECK(!atomic_load(&s.awake));
    atomic_store(&s.word, 1);
    wshm_platform_wake(&r->platform, 0, PLATFORM_CHANGE, &s.word);
    thread_join(thread);
    CHECK(atomic_load(&s.awake));
    wshm_region_end(r);
    CHECK_OK(winshm_close(h));
}

/** A value that was given out is not given out again soon. */
static void test_handles(void)
{
    winshm_region *h, *first;
    CHECK_OK(winshm_create(name_of("handles"), 1, 0, &first));
    CHECK_OK(winshm_close(first));
    int rounds = child_slow() ? HANDLE_REGIONS + 10 : 3 * HANDLE_REGIONS;
    for (int i = 0; i < rounds; i++) {
        CHECK_OK(winshm_create(name_of("handles"), 1, 0, &h));
        CHECK(h != first);
        CHECK_EQ(winshm_size(first), 0);
        CHECK_OK(winshm_close(h));
        CHECK_STATUS(winshm_close(first), WINSHM_E_CLOSED);
    }
}

/** Generations come round; 0 is none. */
static void test_generations(void)
{
    winshm_region *h;
    for (int i = 0; i < HANDLE_REGIONS; i++)
        wshm_regions[i].last = UINTPTR_MAX;
    for (int i = 0; i < 3; i++) {
        CHECK_OK(winshm_create(name_of("generation"), 1, 0, &h));
        CHECK((uintptr_t)h >> HANDLE_INDEX_BITS >> HANDLE_INDEX_SHIFT == 1);
        CHECK_EQ(winshm_size(h), 1);
        CHECK_OK(winshm_close(h));
    }
    /* Of a place, the parent's last value is told from older ones. */
    CHECK_OK(winshm_create(name_of("generation"), 1, 0, &h));
    struct region *r = wshm_region_begin(h);
    CHECK(r != NULL);
    uintptr_t step = (uintptr_t)1 << HANDLE_INDEX_BITS << HANDLE_INDEX_SHIFT;
    uintptr_t value = r->last;
    r->last = value + step;
    r->forked = 1;
    CHECK_STATUS(wshm_region_refusal((winshm_region *)value), WINSHM_E_CLOSED);
    CHECK_STATUS(wshm_region_refusal((winshm_region *)r->last),
                 WINSHM_E_FORKED);
    r->last = value;
    r->forked = 0;
    wshm_region_end(r);
    CHECK_OK(winshm_close(h));
}

/** A seat that no participant can have keeps nobody from being woken. */
static void test_damaged_seat(void)
{
    winshm_region *h;
    CHECK_OK(winshm_create(name_of("seat"), 1, 0, &h));
    struct region *r = wshm_region_begin(h);
    CHECK(r != NULL);
    struct layout_lock *lock = &r->control->lock;
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    atomic_store(&lock->seat, SEAT_EXCLUSIVE | SEAT_SLOT);
    atomic_store(&lock->parked, 1);
    atomic_store(&r->slot->parked[PLATFORM_LOCK], 1);
    uint32_t wakes = atomic_load(&r->slot->wakes[PLATFORM_LOCK]);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_EQ(atomic_load(&r->slot->wakes[PLATFORM_LOCK]), wakes + 1);
    CHECK_EQ(atomic_load(&lock->parked), 0);
    atomic_store(&r->slot->parked[PLATFORM_LOCK], 0);
    atomic_store(&lock->seat, 0);
    wshm_region_end(r);
    CHECK_OK(winshm_close(h));
}

static void leave_later(void *region)
{
    sleep_ms(500);
    atomic_fetch_sub(&((struct region *)region)->inside_other, 1);
}

/** Close sleeps while it waits for a long call to return. */
static void test_patient_close(void)
{
    winshm_region *h;
    CHECK_OK(winshm_create(name_of("patient"), 1, 0, &h));
    struct region *r = wshm_region_begin(h);
    CHECK(r != NULL);
    atomic_fetch_add(&r->inside_other, 1);
    wshm_region_end(r);
    struct thread thread = thread_start(leave_later, r);
    uint64_t began = clock_ms(), used = cpu_ms();
    CHECK_OK(winshm_close(h));
    used = cpu_ms() - used;
    fprintf(stderr, "closing: %lu ms of processor time in %lu ms\n",
            (unsigned long)used, (unsigned long)(clock_ms() - began));
    CHECK(used < 150);
    thread_join(thread);
}

/** Handles that have one place of the table after each other. */
struct late {
    winshm_region *before, *now;
    struct region *place;
    uint32_t seen;
    atomic_int step;
    atomic_bool ended;
};

static void step_to(struct late *late, int step)
{
    while (atomic_load(&late->step) != step)
        sleep_ms(1);
}

/** The steps of wshm_region_begin_first(), very slowly. */
static void begin_late(void *argument)
{
    struct late *late = argument;
    CHECK_EQ(winshm_size(late->before), 1);
    CHECK(handle_used_first(late->place));
    atomic_store(&late->step, 1);
    step_to(late, 2);
    handle_mark_first(late->place);
    CHECK(atomic_load(&late->place->handle) != (uintptr_t)late->before);
    wshm_region_end_first(late->place);
    atomic_store(&late->step, 3);
}

static void wait_for_close(void *argument)
{
    struct late *late = argument;
    CHECK_STATUS(winshm_wait(late->now, late->seen, WINSHM_FOREVER, NULL),
                 WINSHM_E_CLOSED);
    atomic_store(&late->ended, true);
}

/** Who comes late with a handle that is closed takes away no mark of a thread
 * that is inside a call on the place's next handle. */
static void test_late_mark(void)
{
    static struct region *others[HANDLE_REGIONS + 1];
    struct late late = {0};
    CHECK_OK(winshm_create(name_of("late"), 1, 0, &late.before));
    late.place = wshm_region_begin(late.before);
    CHECK(late.place != NULL);
    wshm_region_end(late.place);
    /* The thread, and not this one, shall be the first. */
    atomic_store(&late.place->first, 0);
    atomic_store(&wshm_markers[late.place - wshm_regions], 0);
    struct thread thread = thread_start(begin_late, &late);
    step_to(&late, 1);
    CHECK_OK(winshm_close(late.before));
    int count = 0;
    while ((others[count] = wshm_region_allocate(false)) != NULL)
        count++;
    wshm_region_free(late.place);
    CHECK_OK(winshm_create(name_of("late"), 1, 0, &late.now));
    CHECK_EQ(atomic_load(&late.place->handle), (uintptr_t)late.now);
    CHECK_OK(winshm_change_count(late.now, &late.seen));
    atomic_store(&late.place->first, 0);
    struct thread waiter = thread_start(wait_for_close, &late);
    while (atomic_load(&late.place->inside_first) == 0 &&
           atomic_load(&late.place->inside_other) == 0)
        sleep_ms(1);
    atomic_store(&late.step, 2);
    step_to(&late, 3);
    CHECK_OK(winshm_close(late.now));
    CHECK(atomic_load(&late.ended));
    thread_join(waiter);
    thread_join(thread);
    while (count-- > 0)
        if (others[count] != late.place)
            wshm_region_free(others[count]);
}

int main(void)
{
    test_names();
    test_words();
    test_platform();
    test_words_of_failures();
    test_presence();
    test_long_sleep();
    test_handles();
    test_damaged_seat();
    test_patient_close();
    test_late_mark();
    test_generations();
    return 0;
}
