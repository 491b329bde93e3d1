/* Killed owners, readers and waiters, and stopped ones, which are alive. */
#include "check.h"
#include "child.h"

static const char *region_name;

static void locked(const char *name, uint32_t mode, winshm_status expected,
                   winshm_region **h)
{
    CHECK_OK(winshm_open(name, 0, h));
    CHECK_STATUS(winshm_lock(*h, mode, PATIENCE_MS), expected);
    parent_tell('l');
    parent_hear();
}

/** Holds the lock until told to unlock, or killed. */
static void role_hold(const char *name, uint32_t mode)
{
    winshm_region *h;
    locked(name, mode, WINSHM_OK, &h);
    CHECK_OK(winshm_unlock(h, mode));
    parent_tell('u');
    parent_hear();
}

/** Ends without any good-bye, but by itself. */
static void role_exit(const char *name, uint32_t mode)
{
    winshm_region *h;
    CHECK_OK(winshm_open(name, 0, &h));
    CHECK_OK(winshm_lock(h, mode, PATIENCE_MS));
    _Exit(0);
}

/** Is told of a death and repairs nothing. */
static void role_told(const char *name, uint32_t repairs)
{
    winshm_region *h;
    CHECK_OK(winshm_open(name, 0, &h));
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS),
                 WINSHM_E_OWNER_DEAD);
    if (repairs)
        CHECK_OK(winshm_make_consistent(h));
    parent_tell('l');
    parent_hear();
}

/** Waits for the lock. */
static void role_wait(const char *name, uint32_t mode)
{
    winshm_region *h;
    CHECK_OK(winshm_open(name, 0, &h));
    parent_tell('w');
    CHECK_OK(winshm_lock(h, mode, 4 * PATIENCE_MS));
    CHECK_OK(winshm_unlock(h, mode));
}

static const struct role roles[] = {{"hold", role_hold},
                                    {"exit", role_exit},
                                    {"told", role_told},
                                    {"wait", role_wait},
                                    {NULL, NULL}};

static struct child start(const char *role, uint32_t number, int says)
{
    struct child child = child_start(role, region_name, number);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), says);
    return child;
}

static uint32_t state_of(winshm_region *h)
{
    winshm_info info = {.struct_size = sizeof info};
    CHECK_OK(winshm_get_info(h, &info));
    return info.lock_state;
}

static void repair(winshm_region *h)
{
    CHECK_OK(winshm_make_consistent(h));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_EQ(state_of(h), 0);
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
}

/** The mark stays until somebody says that the data are whole again. */
static void test_sticky(winshm_region *h)
{
    winshm_region *other;
    char byte = 0;
    struct child owner = start("hold", WINSHM_EXCLUSIVE, 'l');
    child_kill(&owner);
    CHECK_OK(winshm_open(region_name, WINSHM_READ, &other));
    CHECK_STATUS(winshm_lock(h, WINSHM_SHARED, PATIENCE_MS),
                 WINSHM_E_OWNER_DEAD);
    CHECK_STATUS(winshm_unlock(h, WINSHM_SHARED), WINSHM_E_NOT_OWNER);
    CHECK_EQ(state_of(h), WINSHM_STATE_INCONSISTENT);
    CHECK_STATUS(winshm_read(h, 0, &byte, 1, 0), WINSHM_E_OWNER_DEAD);
    CHECK_STATUS(winshm_read(other, 0, &byte, 1, 0), WINSHM_E_OWNER_DEAD);
    CHECK_STATUS(winshm_write(h, 0, "x", 1, 0), WINSHM_E_OWNER_DEAD);
    CHECK_EQ(*(char *)winshm_data(h), 0);
    for (int i = 0; i < 3; i++) {
        winshm_region *who = i == 1 ? other : h;
        CHECK_STATUS(winshm_lock(who, WINSHM_EXCLUSIVE, 0),
                     WINSHM_E_OWNER_DEAD);
        CHECK_EQ(state_of(h),
                 WINSHM_STATE_EXCLUSIVE | WINSHM_STATE_INCONSISTENT);
        /* The lock is held: others wait, and this handle may use it. */
        CHECK_STATUS(winshm_lock(i == 1 ? h : other, WINSHM_EXCLUSIVE, 0),
                     WINSHM_E_TIMEOUT);
        CHECK_STATUS(winshm_lock(i == 1 ? h : other, WINSHM_SHARED, 0),
                     WINSHM_E_TIMEOUT);
        CHECK_STATUS(winshm_lock(who, WINSHM_EXCLUSIVE, 0), WINSHM_E_DEADLOCK);
        CHECK_STATUS(winshm_close(who), WINSHM_E_BUSY);
        CHECK_OK(winshm_read(who, 0, &byte, 1, 0));
        CHECK_OK(winshm_unlock(who, WINSHM_EXCLUSIVE));
        CHECK_STATUS(winshm_make_consistent(who), WINSHM_E_NOT_OWNER);
    }
    CHECK_OK(winshm_close(other));
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_OWNER_DEAD);
    repair(h);
    CHECK_OK(winshm_lock(h, WINSHM_SHARED, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
}

static void test_owners(winshm_region *h)
{
    /* Killed, and ended by itself, after this one began to wait and before. */
    for (int i = 0; i < 4; i++) {
        struct child owner;
        if (i % 2 == 0) {
            owner = start("hold", WINSHM_EXCLUSIVE, 'l');
            child_kill(&owner);
        } else {
            owner = child_start("exit", region_name, WINSHM_EXCLUSIVE);
            CHECK_EQ(child_wait(&owner, PATIENCE_MS), 0);
        }
        uint32_t timeout = i < 2 ? 0 : WINSHM_FOREVER;
        CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, timeout),
                     WINSHM_E_OWNER_DEAD);
        repair(h);
    }
    /* Died after it was told, and after make_consistent but before unlock. */
    for (uint32_t repairs = 0; repairs < 2; repairs++) {
        struct child owner = start("hold", WINSHM_EXCLUSIVE, 'l');
        child_kill(&owner);
        struct child told = start("told", repairs, 'l');
        child_kill(&told);
        CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_OWNER_DEAD);
        repair(h);
    }
}

/** Exactly one of several that wait is told, and none waits on. */
static void test_waiters(winshm_region *h)
{
    struct child owner = start("hold", WINSHM_EXCLUSIVE, 'l');
    struct child waiters[4];
    for (int i = 0; i < 4; i++)
        waiters[i] =
            start("wait", i % 2 == 0 ? WINSHM_SHARED : WINSHM_EXCLUSIVE, 'w');
    sleep_ms(30);
    child_kill(&waiters[0]);
    child_kill(&waiters[1]);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_TIMEOUT);
    child_tell(&owner, 'u');
    CHECK_EQ(child_hear(&owner, PATIENCE_MS), 'u');
    CHECK_EQ(child_wait(&waiters[2], PATIENCE_MS), 0);
    CHECK_EQ(child_wait(&waiters[3], PATIENCE_MS), 0);
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    child_kill(&owner);
}

/** The death of the one that is waited for is seen soon. */
static void test_latency(winshm_region *h)
{
    uint64_t worst = 0;
    for (int i = 0; i < 10; i++) {
        struct child owner = start("hold", WINSHM_EXCLUSIVE, 'l');
        struct child told = child_start("told", region_name, 1);
        sleep_ms(20);
        uint64_t began = clock_ms();
        child_kill(&owner);
        CHECK_EQ(child_hear(&told, PATIENCE_MS), 'l');
        uint64_t took = clock_ms() - began;
        worst = took > worst ? took : worst;
        child_kill(&told);
        CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS),
                     WINSHM_E_OWNER_DEAD);
        repair(h);
    }
    CHECK(worst < 5000);
}

static void test_readers(winshm_region *h)
{
    for (int i = 0; i < 4; i++) {
        struct child one = start("hold", WINSHM_SHARED, 'l');
        struct child two = start("hold", WINSHM_SHARED, 'l');
        CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_TIMEOUT);
        child_kill(&one);
        CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_TIMEOUT);
        CHECK_EQ(state_of(h), WINSHM_STATE_SHARED);
        child_kill(&two);
        /* A reader cannot tear data: nobody is told. */
        CHECK_OK(
            winshm_lock(h, WINSHM_EXCLUSIVE, i % 2 == 0 ? 0 : WINSHM_FOREVER));
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    }
    /* More dead readers than a region has places. */
    int count = child_slow() ? 10 : 140;
    for (int i = 0; i < count; i++) {
        struct child child = child_start("exit", region_name, WINSHM_SHARED);
        CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    }
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
}

/** A process that does not run for a while is not dead. */
static void test_stopped(winshm_region *h)
{
    static const uint32_t modes[] = {WINSHM_SHARED, WINSHM_EXCLUSIVE};
    for (int i = 0; i < 2; i++) {
        struct child owner = start("hold", modes[i], 'l');
        CHECK(child_stop(&owner, true));
        CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 300), WINSHM_E_TIMEOUT);
        CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_TIMEOUT);
        CHECK_STATUS(winshm_write(h, 0, "x", 1, 50), WINSHM_E_TIMEOUT);
        CHECK(child_stop(&owner, false));
        child_tell(&owner, 'u');
        CHECK_EQ(child_hear(&owner, PATIENCE_MS), 'u');
        CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
        child_kill(&owner);
        /* Killed while stopped it is dead. */
        owner = start("hold", WINSHM_SHARED, 'l');
        CHECK(child_stop(&owner, true));
        child_kill(&owner);
        CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    }
}

/** What a death has left ends with the region's life. */
static void test_new_life(void)
{
    winshm_region *h;
    struct child owner;
    const char *name = region_name;
    CHECK_OK(winshm_create(name, 10, 0, &h));
    owner = start("hold", WINSHM_EXCLUSIVE, 'l');
    CHECK_OK(winshm_close(h));
    child_kill(&owner);
    CHECK_OK(winshm_create(name, 10, 0, &h));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(h));
}

int main(int argc, char **argv)
{
    winshm_region *h;
    child_run_role(argc, argv, roles);
    region_name = name_of("death");
    CHECK_OK(winshm_create(region_name, 100, 0, &h));
    test_sticky(h);
    test_owners(h);
    test_waiters(h);
    test_latency(h);
    test_readers(h);
    test_stopped(h);
    CHECK_OK(winshm_close(h));
    test_new_life();
    return 0;
}
