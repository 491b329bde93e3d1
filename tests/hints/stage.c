/* What the scenes have in common: four handles, and calls that wait. */
#include "hints.h"

enum { SIZE = 64, PLACES = 4 };

winshm_region *a, *b, *c, *d;

struct region *inside(const winshm_region *h)
{
    size_t index;
    CHECK(handle_index((uintptr_t)h, HANDLE_REGION, HANDLE_REGIONS, &index));
    return &wshm_regions[index];
}

struct sleeper *of(const winshm_region *h)
{
    return &sleepers[inside(h)->me - 1];
}

struct layout_lock *the_lock(void)
{
    return &inside(b)->control->lock;
}

void open_all(void)
{
    static unsigned number;
    char part[16];
    winshm_region **handles[PLACES] = {&a, &b, &c, &d};
    forget_all();
    snprintf(part, sizeof part, "hints%u", number++);
    const char *name = name_of(part);
    /* Any thread may unlock the first one. */
    CHECK_OK(winshm_create(name, SIZE, WINSHM_TASK, &a));
    for (int i = 1; i < PLACES; i++)
        CHECK_OK(winshm_open(name, 0, handles[i]));
}

void close_all(void)
{
    winshm_region *handles[PLACES] = {a, b, c, d};
    const struct layout_control *control = inside(c)->control;
    for (int i = 0; i < PLACES; i++) {
        if (!sleepers[i].natural)
            CHECK_EQ(sleepers[i].overslept, 0);
        for (int channel = 0; channel < PLATFORM_CHANNELS; channel++)
            CHECK_EQ(control->slots[i].parked[channel], 0);
    }
    for (int i = 0; i < PLACES; i++)
        if (handles[i] != NULL)
            CHECK_OK(winshm_close(handles[i]));
}

static void run(void *argument)
{
    struct request *it = argument;
    if (it->mode == 0) {
        CHECK_STATUS(winshm_wait(it->h, 0, it->timeout_ms, NULL), it->wanted);
        return;
    }
    CHECK_STATUS(winshm_lock(it->h, it->mode, it->timeout_ms), it->wanted);
    if (it->wanted == WINSHM_OK || it->wanted == WINSHM_E_OWNER_DEAD)
        CHECK_OK(winshm_unlock(it->h, it->mode));
}

void start(struct request *it)
{
    it->thread = thread_start(run, it);
}

void see_asleep(const winshm_region *h, uint32_t threads)
{
    while (atomic_load(&of(h)->lasting) != threads)
        sleep_ms(1);
    sleep_ms(2);
}

struct request wanting(winshm_region *h, uint32_t mode)
{
    return (struct request){.h = h, .mode = mode, .timeout_ms = PATIENCE_MS};
}

void start_asleep(struct request *it)
{
    start(it);
    see_asleep(it->h, 1);
}

void take_a(uint32_t mode)
{
    CHECK_OK(winshm_lock(a, mode, 0));
}

void free_a(uint32_t mode)
{
    CHECK_OK(winshm_unlock(a, mode));
}

void wait_for_word(const winshm_region *h)
{
    while ((atomic_load(&the_lock()->word) & WORD_OWNER) != inside(h)->me)
        sleep_ms(1);
}

void wait_for_seat(const winshm_region *h)
{
    while ((atomic_load(&the_lock()->seat) & SEAT_SLOT) != inside(h)->me)
        sleep_ms(1);
}
