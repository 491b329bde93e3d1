/* Victims at the lock. */
#include "roles.h"

/** How many participants besides the caller wait for something. */
static int waiting(winshm_region *h)
{
    winshm_participant all[8] = {{.struct_size = sizeof all[0]}};
    uint32_t count;
    int found = 0;
    CHECK_OK(winshm_get_participants(h, all, 8, &count));
    for (uint32_t i = 0; i < count && i < 8; i++)
        found += (all[i].flags & WINSHM_PARTICIPANT_WAITING) != 0 &&
                 (all[i].flags & WINSHM_PARTICIPANT_SELF) == 0;
    return found;
}

/** The point that is meant is not in this; somebody shall come and wait. */
static void linger(winshm_region *h)
{
    points_disarm();
    for (uint64_t end = clock_ms() + 2000; waiting(h) == 0;) {
        CHECK(clock_ms() < end);
        sleep_ms(1);
    }
    sleep_ms(1);
    role_arm();
}

enum { REPAIR = 1, LEAVE_TORN = 2, LINGER = 4 };

static void update(winshm_region *h, uint32_t how)
{
    struct data *data = winshm_data(h);
    role_board->state = TAKING;
    winshm_status status = winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS);
    role_board->state = INSIDE;
    points_mark(MARK_LOCKED);
    if ((how & REPAIR) != 0) {
        CHECK_STATUS(status, WINSHM_E_OWNER_DEAD);
        data_repair(data);
        CHECK_OK(winshm_make_consistent(h));
    } else if ((how & LEAVE_TORN) == 0) {
        CHECK_OK(status);
    }
    if ((how & LEAVE_TORN) == 0) {
        CHECK(data_whole(data));
        CHECK_EQ(data->done, role_board->acknowledged);
        data->first++;
        points_mark(MARK_HALF);
        data->second++;
        data->done++;
    }
    points_mark(MARK_WHOLE);
    if ((how & LINGER) != 0)
        linger(h);
    if ((how & LEAVE_TORN) == 0)
        role_board->state = RELEASING;
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    if ((how & LEAVE_TORN) == 0)
        role_board->acknowledged++;
    if ((how & REPAIR) != 0)
        role_board->repaired = 1;
    role_board->state = OUTSIDE;
}

static void look(winshm_region *h, bool lingers)
{
    struct data *data = winshm_data(h);
    CHECK_OK(winshm_lock(h, WINSHM_SHARED, PATIENCE_MS));
    role_board->state = READING;
    points_mark(MARK_READING);
    CHECK(data_whole(data));
    if (lingers)
        linger(h);
    role_board->state = OUTSIDE;
    CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
}

static void exclusive(void)
{
    winshm_region *h = role_joined();
    role_arm();
    update(h, 0);
    look(h, false);
    update(h, 0);
}

/** Meets what the dead have left in its way. */
static void exclusive_late(void)
{
    winshm_region *h = role_joined_early();
    role_arm();
    update(h, 0);
}

/** Waits behind the keeper, and is waited for. */
static void exclusive_contended(void)
{
    winshm_region *h = role_joined();
    role_arm();
    update(h, LINGER);
    CHECK_OK(winshm_close(h));
}

static void shared(void)
{
    winshm_region *h = role_joined();
    role_arm();
    look(h, false);
    look(h, false);
}

static void shared_contended(void)
{
    winshm_region *h = role_joined();
    role_arm();
    look(h, true);
}

static void look_too(void *handle)
{
    look(handle, false);
}

/** A thread that is not the handle's first. */
static void shared_second(void)
{
    winshm_region *h = role_joined();
    CHECK_EQ(winshm_size(h), sizeof(struct data));
    role_arm();
    thread_join(thread_start(look_too, h));
}

/** On a handle for tasks. */
static void tasks(void)
{
    winshm_region *h;
    CHECK_OK(winshm_open(role_region, WINSHM_TASK, &h));
    role_arm();
    look(h, false);
    update(h, 0);
}

/** Gives up waiting: for the word, for readers to leave, for a change. */
static void impatient(void)
{
    winshm_region *h = role_joined();
    uint32_t now;
    role_arm();
    role_board->state = TAKING;
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 3), WINSHM_E_TIMEOUT);
    role_board->state = OUTSIDE;
    CHECK_STATUS(winshm_lock(h, WINSHM_SHARED, 3), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_change_count(h, &now));
    CHECK_STATUS(winshm_wait(h, now, 3, &now), WINSHM_E_TIMEOUT);
}

static void impatient_drain(void)
{
    winshm_region *h = role_joined();
    role_arm();
    role_board->state = TAKING;
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 30), WINSHM_E_TIMEOUT);
    role_board->state = OUTSIDE;
}

/** Is told of a death and mends what it finds. */
static void heir(void)
{
    winshm_region *h = role_joined_early();
    role_arm();
    update(h, REPAIR);
}

/** Has waited for one process, then waits for another, which dies. */
static void heir_twice(void)
{
    winshm_region *h = role_joined();
    role_arm();
    update(h, 0);
    parent_tell('j');
    parent_hear();
    update(h, REPAIR);
}

/** Is told of a death, in every way, and leaves it to others. */
static void told(void)
{
    winshm_region *h = role_joined_early();
    char byte;
    role_arm();
    CHECK_STATUS(winshm_lock(h, WINSHM_SHARED, PATIENCE_MS),
                 WINSHM_E_OWNER_DEAD);
    CHECK_STATUS(winshm_read(h, 0, &byte, 1, PATIENCE_MS), WINSHM_E_OWNER_DEAD);
    role_board->state = WRITING;
    CHECK_STATUS(winshm_write(h, 0, "x", 1, PATIENCE_MS), WINSHM_E_OWNER_DEAD);
    update(h, LEAVE_TORN);
}

const struct part parts_of_lock[] = {
    {"exclusive", exclusive},
    {"exclusive-late", exclusive_late},
    {"exclusive-contended", exclusive_contended},
    {"shared", shared},
    {"shared-contended", shared_contended},
    {"shared-second", shared_second},
    {"tasks", tasks},
    {"impatient", impatient},
    {"impatient-drain", impatient_drain},
    {"heir", heir},
    {"heir-twice", heir_twice},
    {"told", told},
    {NULL, NULL}};
