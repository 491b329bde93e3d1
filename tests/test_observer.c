/* A participant without the right to write the control block: it reads by
 * version check and disturbs nobody. */
#include "check.h"
#include "child.h"

enum { SIZE = 65536 };

static const char *region_name;

static winshm_region *observed(const char *name)
{
    winshm_region *h;
    if (!child_become_nobody())
        exit(CHECK_SKIPPED);
    CHECK_OK(winshm_open(name, WINSHM_READ, &h));
    winshm_info info = {.struct_size = sizeof info};
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_EQ(info.observer, 1);
    CHECK_EQ(info.access, WINSHM_READ);
    CHECK_EQ(info.size, SIZE);
    CHECK_EQ(info.participants, 1);
    return h;
}

static void role_refused(const char *name, uint32_t unused)
{
    winshm_region *h = observed(name), *other;
    char byte;
    uint32_t now;
    void *handle;
    (void)unused;
    CHECK_STATUS(winshm_lock(h, WINSHM_SHARED, 0), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_unlock(h, WINSHM_SHARED), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_unlock(h, WINSHM_EXCLUSIVE), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_make_consistent(h), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_notify(h), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_wait_handle(h, &handle), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_write(h, 0, "x", 1, 0), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_open(name, 0, &other), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_open_or_create(name, SIZE, 0, &other), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_open(name, WINSHM_RAW, &other), WINSHM_E_ACCESS);
    CHECK_OK(winshm_open(name, WINSHM_RAW | WINSHM_READ, &other));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_read(h, 0, &byte, 1, 0));
    CHECK_OK(winshm_change_count(h, &now));
    parent_tell('w');
    CHECK_OK(winshm_wait(h, now, PATIENCE_MS, &now));
    CHECK_STATUS(winshm_wait(h, now, 20, &now), WINSHM_E_TIMEOUT);
    /* A writer is inside now. */
    parent_tell('l');
    parent_hear();
    CHECK_STATUS(winshm_read(h, 0, &byte, 1, 20), WINSHM_E_TIMEOUT);
    parent_tell('d');
    parent_hear();
    CHECK_STATUS(winshm_read(h, 0, &byte, 1, 20), WINSHM_E_OWNER_DEAD);
    CHECK_OK(winshm_close(h));
}

/** Reads a block that changes all the time. */
static void role_read(const char *name, uint32_t rounds)
{
    static unsigned char block[SIZE];
    winshm_region *h = observed(name);
    unsigned copies = 0, changes = 0, last = 0;
    parent_tell('r');
    for (uint32_t i = 0; i < rounds; i++) {
        winshm_status status = winshm_read(h, 0, block, SIZE, 5);
        if (status == WINSHM_E_TIMEOUT)
            continue;
        CHECK_OK(status);
        for (int k = 1; k < SIZE; k++)
            CHECK_EQ(block[k], block[0]);
        copies++;
        changes += block[0] != last;
        last = block[0];
    }
    CHECK(copies > rounds / 20);
    CHECK(changes > 5);
    CHECK_OK(winshm_close(h));
}

/** Does not take what comes after for the region that it has opened. */
static void role_outlive(const char *name, uint32_t unused)
{
    winshm_region *h = observed(name);
    char byte;
    (void)unused;
    parent_tell('o');
    parent_hear();
    winshm_status status = winshm_read(h, 0, &byte, 1, 100);
    if (status == WINSHM_OK)
        CHECK_EQ(byte, 1);
    CHECK_OK(winshm_close(h));
    CHECK_STATUS(winshm_open(name, WINSHM_READ, &h), WINSHM_E_NOT_FOUND);
}

static void role_hold(const char *name, uint32_t unused)
{
    winshm_region *h;
    (void)unused;
    CHECK_OK(winshm_open(name, 0, &h));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS));
    parent_tell('l');
    parent_hear();
}

static const struct role roles[] = {{"refused", role_refused},
                                    {"read", role_read},
                                    {"outlive", role_outlive},
                                    {"hold", role_hold},
                                    {NULL, NULL}};

static winshm_region *shown(void)
{
    winshm_region *h;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = SIZE,
                        .name = region_name,
                        .security = "everyone-read"};
    CHECK_OK(winshm_open_with(&o, &h));
    return h;
}

static void test_refused(void)
{
    winshm_region *h = shown();
    struct child child = child_start("refused", region_name, 0);
    int said = child_hear(&child, PATIENCE_MS);
    if (said == -1 && child_wait(&child, PATIENCE_MS) == CHECK_SKIPPED)
        SKIP("this test must begin with rights to give up");
    CHECK_EQ(said, 'w');
    sleep_ms(30);
    CHECK_OK(winshm_notify(h));
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'l');
    struct child owner = child_start("hold", region_name, 0);
    CHECK_EQ(child_hear(&owner, PATIENCE_MS), 'l');
    child_tell(&child, 'x');
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'd');
    child_kill(&owner);
    child_tell(&child, 'x');
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_OWNER_DEAD);
    CHECK_OK(winshm_make_consistent(h));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(h));
}

static void test_never_torn(void)
{
    winshm_region *h = shown();
    struct child child = child_start("read", region_name, 2000);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'r');
    unsigned char value = 0;
    while (child_hear(&child, 0) == -2) {
        CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS));
        memset(winshm_data(h), ++value, SIZE);
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
        if (value % 16 == 0)
            sleep_ms(1);
    }
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    CHECK_OK(winshm_close(h));
}

static void test_outlived(void)
{
    winshm_region *h = shown();
    memset(winshm_data(h), 1, SIZE);
    struct child child = child_start("outlive", region_name, 0);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'o');
    CHECK_OK(winshm_close(h));
    child_tell(&child, 'x');
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    CHECK(plain_count(region_name) <= 0);
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("observer");
    test_refused();
    test_never_torn();
    test_outlived();
    return 0;
}
