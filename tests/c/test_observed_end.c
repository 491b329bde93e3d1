/* The end of a region that is observed: every call tells of it, and whoever
 * opens the next one is told nothing else. */
#include "check.h"
#include "child.h"
#include "observer.h"
#include "plain.h"

static const char *region_name;

static void wait_thread(void *h)
{
    uint32_t now;
    CHECK_STATUS(winshm_wait(h, 0, WINSHM_FOREVER, &now), WINSHM_E_NOT_FOUND);
}

/** Every call tells soon that the region has ended. */
static void role_outlive(const char *name, uint32_t expected)
{
    winshm_region *h = observed(name);
    winshm_info info = {.struct_size = sizeof info};
    uint32_t now;
    int32_t fd;
    char byte;
    struct thread thread = thread_start(wait_thread, h);
    parent_tell('o');
    parent_hear();
    uint64_t end = clock_ms() + 1000;
    winshm_status status;
    while ((status = winshm_read(h, 0, &byte, 1, 100)) == WINSHM_OK) {
        CHECK_EQ(byte, 1);
        CHECK(clock_ms() < end);
        sleep_ms(10);
    }
    CHECK_STATUS(status, WINSHM_E_NOT_FOUND);
    thread_join(thread);
    CHECK(clock_ms() < end);
    CHECK_STATUS(winshm_read(h, 0, &byte, 1, 0), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_wait(h, 0, 0, &now), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_change_count(h, &now), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_get_info(h, &info), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_wait_fd(h, &fd), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_get_participants(h, NULL, 0, &now), WINSHM_E_NOT_FOUND);
    CHECK_OK(winshm_close(h));
    status = winshm_open(name, WINSHM_READ, &h);
    CHECK_EQ(status, -(int32_t)expected);
    if (status == WINSHM_OK)
        CHECK_OK(winshm_close(h));
}

/** Makes the region and ends as it is told. */
static void role_own(const char *name, uint32_t unused)
{
    winshm_region *h = shown(name);
    (void)unused;
    memset(winshm_data(h), 1, SIZE);
    parent_tell('s');
    int told = parent_hear();
    if (told == 'c') {
        CHECK_OK(winshm_close(h));
        return;
    }
    if (told == 'l')
        CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS));
    parent_tell('x');
    parent_hear();
}

/** Lives, one after the other, none of which ends in any but an orderly way. */
static void role_live(const char *name, uint32_t lives)
{
    for (uint32_t i = 0; i < lives; i++)
        CHECK_OK(winshm_close(shown(name)));
}

/** Opens them as they come. */
static void role_follow(const char *name, uint32_t unused)
{
    winshm_region *h;
    winshm_status status = WINSHM_OK;
    winshm_options o = {.struct_size = sizeof o,
                        .flags = WINSHM_READ,
                        .disposition = WINSHM_OPEN_EXISTING,
                        .timeout_ms = 300,
                        .name = name};
    (void)unused;
    if (!child_become_nobody())
        exit(CHECK_SKIPPED);
    parent_tell('f');
    while ((status = winshm_open_with(&o, &h)) == WINSHM_OK)
        CHECK_OK(winshm_close(h));
    CHECK_STATUS(status, WINSHM_E_NOT_FOUND);
}

/** Where there is no lock the end is told, too, and outputs are 0 then. */
static void role_without_lock(const char *name, uint32_t unused)
{
    winshm_region *h = observed(name);
    uint32_t now = 9;
    char byte;
    (void)unused;
    CHECK_OK(winshm_read(h, 0, &byte, 1, 0));
    CHECK_STATUS(winshm_copy_out(h, 0, &byte, 1), WINSHM_E_ACCESS);
    parent_tell('o');
    parent_hear();
    sleep_ms(250);
    CHECK_STATUS(winshm_read(h, 0, &byte, 1, 0), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_read(h, 0, NULL, 0, 0), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_wait(h, 9, 0, &now), WINSHM_E_NOT_FOUND);
    CHECK_EQ(now, 0);
    CHECK_OK(winshm_close(h));
}

static const struct role roles[] = {
    {"outlive", role_outlive}, {"own", role_own},           {"live", role_live},
    {"follow", role_follow},   {"bare", role_without_lock}, {NULL, NULL}};

/** How the region ends while it is observed. */
enum ending { CLOSED, KILLED, KILLED_INSIDE, REBORN, ENDINGS };

static void test_outlived(void)
{
    for (int ending = 0; ending < ENDINGS; ending++) {
        winshm_status after = ending == REBORN ? WINSHM_OK : WINSHM_E_NOT_FOUND;
        struct child owner = child_start("own", region_name, 0);
        CHECK_EQ(child_hear(&owner, PATIENCE_MS), 's');
        struct child child =
            child_start("outlive", region_name, (uint32_t)-after);
        CHECK_EQ(child_hear(&child, PATIENCE_MS), 'o');
        child_tell(&owner, "cwlw"[ending]);
        if (ending == CLOSED) {
            CHECK_EQ(child_wait(&owner, PATIENCE_MS), 0);
        } else {
            CHECK_EQ(child_hear(&owner, PATIENCE_MS), 'x');
            child_kill(&owner);
        }
        winshm_region *h = ending == REBORN ? shown(region_name) : NULL;
        child_tell(&child, 'x');
        CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
        if (h == NULL && ending != CLOSED)
            h = shown(region_name);
        CHECK_OK(winshm_close(h));
        CHECK(plain_count(region_name) <= 0);
    }
}

static void test_following(void)
{
    struct child child = child_start("follow", region_name, 0);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'f');
    struct child lives = child_start("live", region_name, 1000);
    CHECK_EQ(child_wait(&lives, PATIENCE_MS), 0);
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
}

static void test_without_lock(void)
{
    winshm_region *h = shown_as(region_name, WINSHM_NO_LOCK);
    struct child child = child_start("bare", region_name, 0);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'o');
    CHECK_OK(winshm_close(h));
    child_tell(&child, 'x');
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("observed");
    winshm_region *h = shown(region_name);
    struct child child = child_start("follow", region_name, 0);
    if (child_hear(&child, PATIENCE_MS) == -1)
        SKIP("this test must begin with rights to give up");
    child_kill(&child);
    CHECK_OK(winshm_close(h));
    test_outlived();
    test_following();
    test_without_lock();
    return 0;
}
