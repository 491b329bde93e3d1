/* WINSHM_CREATE_LOCKED: nobody reads what the creator has not filled. */
#include <string.h>

#include "check.h"
#include "child.h"

enum { SIZE = 64 };

static const char *region_name;

static uint32_t origin_of(winshm_region *h)
{
    winshm_info info;
    info.struct_size = sizeof info;
    CHECK_OK(winshm_get_info(h, &info));
    return info.origin;
}

/** Whoever comes first fills the region; all see it filled. */
static void role_fill(const char *name, uint32_t lingers)
{
    winshm_region *h;
    char text[SIZE];
    CHECK_OK(winshm_open_or_create(name, SIZE, WINSHM_CREATE_LOCKED, &h));
    if (origin_of(h) == WINSHM_ORIGIN_CREATED) {
        char *data = winshm_data(h);
        for (int i = 0; i < SIZE; i++) {
            data[i] = 'f';
            sleep_ms(lingers);
        }
        CHECK_OK(winshm_make_consistent(h));
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    }
    CHECK_OK(winshm_read(h, 0, text, SIZE, PATIENCE_MS));
    for (int i = 0; i < SIZE; i++)
        CHECK_EQ(text[i], 'f');
    parent_tell('f');
    CHECK_EQ(parent_hear(), 'e');
    CHECK_OK(winshm_close(h));
}

/** Creates, and waits for its death. */
static void role_create(const char *name, uint32_t unused)
{
    winshm_region *h;
    (void)unused;
    CHECK_OK(winshm_create(name, SIZE, WINSHM_CREATE_LOCKED, &h));
    parent_tell('c');
    parent_hear();
}

static const struct role roles[] = {
    {"fill", role_fill}, {"create", role_create}, {NULL, NULL}};

static void test_alone(void)
{
    winshm_region *h;
    winshm_info info;
    CHECK_OK(winshm_create(region_name, SIZE, WINSHM_CREATE_LOCKED, &h));
    info.struct_size = sizeof info;
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_EQ(info.lock_state,
             WINSHM_STATE_EXCLUSIVE | WINSHM_STATE_INCONSISTENT);
    CHECK_STATUS(winshm_lock(h, WINSHM_SHARED, 0), WINSHM_E_DEADLOCK);
    CHECK_STATUS(winshm_close(h), WINSHM_E_BUSY);
    CHECK_OK(winshm_write(h, 0, "x", 1, 0));
    CHECK_OK(winshm_make_consistent(h));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_lock(h, WINSHM_SHARED, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
    CHECK_OK(winshm_close(h));
}

static void lock_elsewhere(void *h)
{
    CHECK_STATUS(winshm_unlock(h, WINSHM_EXCLUSIVE), WINSHM_E_NOT_OWNER);
    CHECK_STATUS(winshm_lock(h, WINSHM_SHARED, 0), WINSHM_E_TIMEOUT);
}

/** It is the creating thread's, as any lock. */
static void test_threads(void)
{
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, SIZE, WINSHM_CREATE_LOCKED, &h));
    thread_join(thread_start(lock_elsewhere, h));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(h));
}

static void unlock_elsewhere(void *h)
{
    CHECK_OK(winshm_make_consistent(h));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
}

static void test_tasks(void)
{
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, SIZE,
                           WINSHM_CREATE_LOCKED | WINSHM_TASK, &h));
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 10), WINSHM_E_TIMEOUT);
    thread_join(thread_start(unlock_elsewhere, h));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(h));
}

/** Unlocked without having declared the data whole. */
static void test_unfilled(void)
{
    winshm_region *h, *other;
    char byte;
    CHECK_OK(winshm_create(region_name, SIZE, WINSHM_CREATE_LOCKED, &h));
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_STATUS(winshm_read(other, 0, &byte, 1, 0), WINSHM_E_TIMEOUT);
    CHECK_STATUS(winshm_lock(other, WINSHM_EXCLUSIVE, 0), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_STATUS(winshm_read(other, 0, &byte, 1, 0), WINSHM_E_OWNER_DEAD);
    CHECK_STATUS(winshm_lock(other, WINSHM_SHARED, 0), WINSHM_E_OWNER_DEAD);
    CHECK_STATUS(winshm_lock(other, WINSHM_EXCLUSIVE, 0), WINSHM_E_OWNER_DEAD);
    CHECK_OK(winshm_make_consistent(other));
    CHECK_OK(winshm_unlock(other, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_read(h, 0, &byte, 1, 0));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
}

static void test_joined(void)
{
    winshm_region *h, *other;
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    CHECK_OK(winshm_open_or_create(region_name, SIZE, WINSHM_CREATE_LOCKED,
                                   &other));
    CHECK_EQ(origin_of(other), WINSHM_ORIGIN_OPENED);
    CHECK_STATUS(winshm_unlock(other, WINSHM_EXCLUSIVE), WINSHM_E_NOT_OWNER);
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
}

static void test_refused(void)
{
    winshm_region *h;
    const uint32_t locked = WINSHM_CREATE_LOCKED;
    CHECK_STATUS(winshm_create(region_name, SIZE, locked | WINSHM_RAW, &h),
                 WINSHM_E_INVALID);
    CHECK_STATUS(winshm_create(region_name, SIZE, locked | WINSHM_NO_LOCK, &h),
                 WINSHM_E_INVALID);
    CHECK_STATUS(winshm_open(region_name, locked, &h), WINSHM_E_INVALID);
}

/** The creator dies before it has filled the region. */
static void test_death(void)
{
    winshm_region *h;
    struct child creator = child_start("create", region_name, 0);
    CHECK_EQ(child_hear(&creator, PATIENCE_MS), 'c');
    CHECK_OK(winshm_open_or_create(region_name, SIZE, WINSHM_CREATE_LOCKED, &h));
    CHECK_EQ(origin_of(h), WINSHM_ORIGIN_OPENED);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_TIMEOUT);
    child_kill(&creator);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS),
                 WINSHM_E_OWNER_DEAD);
    CHECK_OK(winshm_make_consistent(h));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(h));
}

/** Several come at once; nobody sees a part of it. */
static void test_crowd(void)
{
    struct child crowd[4];
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 4; i++)
            crowd[i] = child_start("fill", region_name, (uint32_t)round % 2);
        for (int i = 0; i < 4; i++)
            CHECK_EQ(child_hear(&crowd[i], PATIENCE_MS), 'f');
        for (int i = 0; i < 4; i++)
            child_tell(&crowd[i], 'e');
        for (int i = 0; i < 4; i++)
            CHECK_EQ(child_wait(&crowd[i], PATIENCE_MS), 0);
    }
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("filled");
    test_alone();
    test_threads();
    test_tasks();
    test_unfilled();
    test_joined();
    test_refused();
    test_death();
    test_crowd();
    return 0;
}
