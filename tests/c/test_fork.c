/* fork(): the child has none of the parent's handles and harms none of them. */
#include "check.h"
#include "child.h"
#include "plain.h"

static const char *region_name;

struct inherited {
    winshm_region *h;
    winshm_region *raw;
    winshm_view *view;
};

static void look_at(void *argument)
{
    struct inherited *inherited = argument;
    winshm_region *h = inherited->h, *own;
    winshm_info info = {.struct_size = sizeof info};
    char byte;
    CHECK_STATUS(winshm_get_info(h, &info), WINSHM_E_FORKED);
    CHECK_STATUS(winshm_lock(h, WINSHM_SHARED, 0), WINSHM_E_FORKED);
    CHECK_STATUS(winshm_unlock(h, WINSHM_EXCLUSIVE), WINSHM_E_FORKED);
    CHECK_STATUS(winshm_read(h, 0, &byte, 1, 0), WINSHM_E_FORKED);
    CHECK_STATUS(winshm_notify(h), WINSHM_E_FORKED);
    CHECK(winshm_data(h) == NULL);
    CHECK_EQ(winshm_size(h), 0);
    CHECK_OK(winshm_close(h));
    CHECK_STATUS(winshm_close(h), WINSHM_E_CLOSED);
    CHECK_STATUS(winshm_get_info(h, &info), WINSHM_E_CLOSED);
    CHECK_STATUS(winshm_read(inherited->raw, 0, &byte, 1, 0), WINSHM_E_FORKED);
    CHECK_OK(winshm_close(inherited->raw));
    CHECK(winshm_view_data(inherited->view) == NULL);
    CHECK_OK(winshm_unmap(inherited->view));
    CHECK_STATUS(winshm_unmap(inherited->view), WINSHM_E_CLOSED);
    /* The child is a participant of its own once it has opened. */
    CHECK_OK(winshm_open(region_name, 0, &own));
    CHECK_OK(winshm_get_info(own, &info));
    CHECK_EQ(info.participants, 2);
    CHECK_EQ(info.owner_pid, info.creator_pid);
    CHECK_STATUS(winshm_lock(own, WINSHM_SHARED, 0), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_close(own));
    parent_tell('d');
}

static void test_handles(void)
{
    struct inherited inherited;
    struct child child;
    winshm_region *h, *other, *unmapped;
    winshm_view *outlives;
    CHECK_OK(winshm_create(region_name, 100, 0, &h));
    CHECK_OK(winshm_create(name_of("raw"), 100, WINSHM_RAW, &inherited.raw));
    CHECK_OK(winshm_map(h, 0, 1, 0, &inherited.view));
    CHECK_OK(winshm_open(name_of("raw"), WINSHM_RAW | WINSHM_NO_MAP, &unmapped));
    CHECK_OK(winshm_map(unmapped, 0, 1, 0, &outlives));
    CHECK_OK(winshm_close(unmapped));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    inherited.h = h;
    for (int i = 0; i < 10; i++) {
        if (!child_fork(&child, look_at, &inherited))
            SKIP("no fork() on this system");
        CHECK_EQ(child_hear(&child, PATIENCE_MS), 'd');
        CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
        /* The parent still has its lock, its presence and its names. */
        CHECK_OK(winshm_open(region_name, 0, &other));
        CHECK_STATUS(winshm_lock(other, WINSHM_SHARED, 0), WINSHM_E_TIMEOUT);
        CHECK_OK(winshm_close(other));
        CHECK_OK(winshm_open(name_of("raw"), WINSHM_RAW, &other));
        CHECK_OK(winshm_close(other));
    }
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_unmap(inherited.view));
    CHECK_OK(winshm_unmap(outlives));
    CHECK_OK(winshm_close(inherited.raw));
    CHECK_OK(winshm_close(h));
    CHECK_STATUS(winshm_open(region_name, 0, &h), WINSHM_E_NOT_FOUND);
}

static void live_on(void *argument)
{
    (void)argument;
    parent_tell('g');
    parent_hear();
}

/** Does nothing, and outlives its parent until the flag is set. */
static void stay(void *flag)
{
    uint64_t end = clock_ms() + PATIENCE_MS;
    child_outlives();
    parent_tell('g');
    while (*(volatile int *)flag == 0 && clock_ms() < end)
        sleep_ms(1);
}

/** Holds the lock and has a child, to be killed. */
static void role_parent(const char *name, uint32_t unused)
{
    winshm_region *h;
    struct plain flag;
    struct child grandchild;
    char flag_name[80];
    (void)unused;
    snprintf(flag_name, sizeof flag_name, "%s-flag", name);
    CHECK(plain_open(&flag, flag_name, 0));
    CHECK_OK(winshm_open(name, 0, &h));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    child_fork(&grandchild, stay, flag.data);
    CHECK_EQ(child_hear(&grandchild, PATIENCE_MS), 'g');
    parent_tell('l');
    parent_hear();
}

static const struct role roles[] = {{"parent", role_parent}, {NULL, NULL}};

/** A dead process is dead although a child of it is still there. */
static void test_surviving_child(void)
{
    winshm_region *h;
    uint32_t count;
    struct plain flag;
    char flag_name[80];
    snprintf(flag_name, sizeof flag_name, "%s-flag", region_name);
    CHECK(plain_create(&flag, flag_name, 4096));
    CHECK_OK(winshm_create(region_name, 100, 0, &h));
    struct child parent = child_start("parent", region_name, 0);
    CHECK_EQ(child_hear(&parent, PATIENCE_MS), 'l');
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_TIMEOUT);
    child_kill(&parent);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 1000), WINSHM_E_OWNER_DEAD);
    CHECK_OK(winshm_make_consistent(h));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_get_participants(h, NULL, 0, &count));
    CHECK_EQ(count, 1);
    CHECK_OK(winshm_close(h));
    *(volatile int *)flag.data = 1;
    plain_close(&flag);
    plain_remove(flag_name);
}

static volatile int stop;

static void churn(void *argument)
{
    char name[64];
    snprintf(name, sizeof name, "%s-%d", region_name, (int)(intptr_t)argument);
    while (!stop) {
        winshm_region *h;
        CHECK_OK(winshm_create(name, 5000, 0, &h));
        CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
        CHECK_OK(winshm_close(h));
    }
}

static void use_it(void *argument)
{
    winshm_region *h;
    (void)argument;
    CHECK_OK(winshm_open_or_create(name_of("child"), 10, 0, &h));
    CHECK_OK(winshm_write(h, 0, "x", 1, PATIENCE_MS));
    CHECK_OK(winshm_close(h));
    parent_tell('d');
    parent_hear();
}

/** Whatever moment fork() meets, the child works, and its being there keeps
 * nothing that the parent has given back. */
static void test_fork_while_opening(void)
{
    enum { CHILDREN = 100 };
    static struct child children[CHILDREN];
    struct thread threads[2];
    winshm_region *h;
    char name[64];
    if (child_emulated())
        SKIP("where a thread maps memory, QEMU's own locks stop a forked child");
    for (intptr_t i = 0; i < 2; i++)
        threads[i] = thread_start(churn, (void *)i);
    for (int i = 0; i < CHILDREN; i++) {
        child_fork(&children[i], use_it, NULL);
        CHECK_EQ(child_hear(&children[i], PATIENCE_MS), 'd');
    }
    stop = 1;
    for (int i = 0; i < 2; i++)
        thread_join(threads[i]);
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s-%d", region_name, i);
        CHECK_STATUS(winshm_open(name, 0, &h), WINSHM_E_NOT_FOUND);
    }
    for (int i = 0; i < CHILDREN; i++) {
        child_tell(&children[i], 'e');
        CHECK_EQ(child_wait(&children[i], PATIENCE_MS), 0);
    }
    CHECK(plain_count(region_name) <= 0);
}

/** A thread that waits in a call when its process forks goes on. */
static void wait_thread(void *argument)
{
    uint32_t now;
    CHECK_OK(winshm_wait(argument, 0, PATIENCE_MS, &now));
    CHECK_EQ(now, 1);
}

/** In no place of the child's regions a call is inside. */
static void use_all_places(void *unused)
{
    enum { PLACES = 1024 };
    static winshm_region *all[PLACES];
    for (int i = 0; i < PLACES; i++)
        CHECK_OK(winshm_open_or_create(name_of("places"), 1, WINSHM_RAW,
                                       &all[i]));
    for (int i = 0; i < PLACES; i++)
        CHECK_OK(winshm_close(all[i]));
    live_on(unused);
}

static void test_fork_while_waiting(void)
{
    winshm_region *h;
    struct child child;
    struct thread threads[2];
    CHECK_OK(winshm_create(region_name, 100, 0, &h));
    for (int i = 0; i < 2; i++)
        threads[i] = thread_start(wait_thread, h);
    sleep_ms(10);
    child_fork(&child, use_all_places, NULL);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'g');
    CHECK_OK(winshm_notify(h));
    for (int i = 0; i < 2; i++)
        thread_join(threads[i]);
    CHECK_OK(winshm_close(h));
    CHECK_STATUS(winshm_open(region_name, 0, &h), WINSHM_E_NOT_FOUND);
    child_tell(&child, 'e');
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
}

/** A child's new view takes the place of none that the parent has given it, as
 * long as there are others, wherever the search for a place begins. */
static void map_again(void *argument)
{
    struct inherited *inherited = argument;
    winshm_region *own;
    winshm_view *view;
    CHECK_OK(winshm_open(region_name, 0, &own));
    CHECK_OK(winshm_map(own, 0, 1, 0, &view));
    CHECK_OK(winshm_unmap(inherited->view));
    CHECK_OK(winshm_unmap(view));
    CHECK_OK(winshm_close(own));
}

static void test_view_places(void)
{
    enum { VIEWS = 8192 }; /* that a process can have */
    struct inherited inherited;
    struct child child;
    winshm_view *view;
    CHECK_OK(winshm_create(region_name, 100, 0, &inherited.h));
    CHECK_OK(winshm_map(inherited.h, 0, 1, 0, &inherited.view));
    for (int i = 1; i < VIEWS; i++) {
        CHECK_OK(winshm_map(inherited.h, 0, 1, 0, &view));
        CHECK_OK(winshm_unmap(view));
    }
    child_fork(&child, map_again, &inherited);
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    CHECK_OK(winshm_unmap(inherited.view));
    CHECK_OK(winshm_close(inherited.h));
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("fork");
    test_handles();
    test_surviving_child();
    test_fork_while_waiting();
    test_view_places();
    test_fork_while_opening();
    return 0;
}
