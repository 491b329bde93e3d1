/* How processes end, fork and wait on Linux, where names and mappings outlive
 * what made them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "check.h"
#include "child.h"
#include "plain.h"

enum {
    SIZE = 5000,
    REST = 8192, /* what main() has mapped of its region */
    MANY = 100,
    BIG = 64 << 20,
    SLACK_MS = 1000,
    JOINS_AT = 36 /* in the header, odd while somebody joins */
};

static const char *region_name;

static const char *part_of(const char *name, int number)
{
    static char parts[4][80];
    static unsigned next;
    char *part = parts[next++ % 4];
    snprintf(part, sizeof parts[0], "%s-%d", name, number);
    return part;
}

/** Has the life lock as whoever may read the control file can have it. */
static int hold_life_lock(const char *name)
{
    struct flock lock = {.l_type = F_RDLCK, .l_len = 1};
    char path[120];
    snprintf(path, sizeof path, "/dev/shm/%s.winshm", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0);
    return fd;
}

/* Orderly ends. */

/** Leaves handles open, views without their handles, and both. */
static void role_leaves(const char *name, uint32_t count)
{
    for (int i = 0; i < (int)count; i++) {
        winshm_region *h, *raw;
        winshm_view *view;
        CHECK_OK(winshm_create(part_of(name, i), SIZE, 0, &h));
        CHECK_OK(winshm_create(part_of(name, (int)count + i), SIZE, WINSHM_RAW,
                               &raw));
        if (i % 3 != 0) {
            CHECK_OK(winshm_map(h, 0, SIZE, 0, &view));
            CHECK_OK(winshm_map(raw, 0, SIZE, 0, &view));
        }
        if (i % 3 == 1) {
            CHECK_OK(winshm_close(h));
            CHECK_OK(winshm_close(raw));
        }
    }
    parent_tell('r');
    CHECK_EQ(parent_hear(), 'e');
}

static void test_left(void)
{
    struct child child = child_start("leaves", region_name, 6);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'r');
    CHECK(plain_count(region_name) > 6);
    child_tell(&child, 'e');
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    CHECK_EQ(plain_count(region_name), 0);
}

/** Whoever holds all the life locks cannot keep a process from ending. */
static void test_held_life_locks(void)
{
    int held[MANY];
    winshm_region *h;
    struct child child = child_start("leaves", region_name, MANY);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'r');
    for (int i = 0; i < MANY; i++)
        held[i] = hold_life_lock(part_of(region_name, i));
    uint64_t began = clock_ms();
    child_tell(&child, 'e');
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    uint64_t took = clock_ms() - began;
    printf("%d regions whose life locks are held: ended after %lu ms\n", MANY,
           (unsigned long)took);
    CHECK(took < SLACK_MS);
    for (int i = 0; i < MANY; i++) {
        close(held[i]);
        CHECK_STATUS(winshm_open(part_of(region_name, i), 0, &h),
                     WINSHM_E_NOT_FOUND);
    }
    CHECK_EQ(plain_count(region_name), 0);
}

/** A raw name is gone with its maker's handle, whatever views there are. */
static void test_raw_name(void)
{
    winshm_region *h, *other;
    winshm_view *view;
    CHECK_OK(winshm_create(region_name, SIZE, WINSHM_RAW, &h));
    CHECK_OK(winshm_open(region_name, WINSHM_RAW, &other));
    CHECK_OK(winshm_map(h, 0, SIZE, 0, &view));
    CHECK_OK(winshm_close(other));
    CHECK_EQ(plain_count(region_name), 1);
    CHECK_OK(winshm_close(h));
    CHECK_EQ(plain_count(region_name), 0);
    *(char *)winshm_view_data(view) = 1;
    /* The next one of this name is not the view's. */
    CHECK_OK(winshm_create(region_name, SIZE, WINSHM_RAW, &h));
    CHECK_OK(winshm_unmap(view));
    CHECK_EQ(plain_count(region_name), 1);
    CHECK_OK(winshm_close(h));
    CHECK_EQ(plain_count(region_name), 0);
}

/* fork() */

/** Children of children, each with a handle of its own that it never closes. */
static void be_many_generations(void *argument)
{
    uint32_t generations = *(uint32_t *)argument;
    winshm_region *first = NULL, *h;
    char byte;
    for (uint32_t i = 0; i < generations; i++) {
        /* Each mapping that is inherited costs the kernel some time. */
        CHECK_OK(winshm_open(region_name, i % 16 == 0 ? 0 : WINSHM_NO_MAP, &h));
        CHECK_OK(winshm_write(h, 0, "x", 1, PATIENCE_MS));
        first = first != NULL ? first : h;
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid != 0)
            _exit(0);
        CHECK_STATUS(winshm_read(h, 0, &byte, 1, 0), WINSHM_E_FORKED);
        /* As long as there is another place for a handle. */
        if (i < 1000)
            CHECK_STATUS(winshm_read(first, 0, &byte, 1, 0), WINSHM_E_FORKED);
    }
    CHECK_STATUS(winshm_close(first),
                 generations > 1024 ? WINSHM_E_CLOSED : WINSHM_OK);
    parent_tell('d');
}

static void test_generations(void)
{
    uint32_t generations = child_emulated() ? 200 : 2000, count;
    winshm_region *h;
    struct child child;
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    uint64_t began = clock_ms();
    child_fork(&child, be_many_generations, &generations);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'd');
    printf("%u generations in %lu ms\n", generations,
           (unsigned long)(clock_ms() - began));
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    /* The last one is nobody's child that could be waited for. */
    do
        CHECK_OK(winshm_get_participants(h, NULL, 0, &count));
    while (count > 1 && clock_ms() - began < PATIENCE_MS);
    CHECK_EQ(count, 1);
    CHECK_OK(winshm_close(h));
}

/** How many bytes of such files this process has mapped. */
static uint64_t mapped(const char *name)
{
    char line[512];
    uint64_t bytes = 0;
    unsigned long first, last;
    FILE *maps = fopen("/proc/self/maps", "re");
    CHECK(maps != NULL);
    while (fgets(line, sizeof line, maps) != NULL)
        if (strstr(line, name) != NULL &&
            sscanf(line, "%lx-%lx", &first, &last) == 2)
            bytes += last - first;
    fclose(maps);
    return bytes;
}

struct inherited {
    winshm_region *h;
    winshm_region *closed;
    winshm_view *view;
    winshm_view *outlives;
    char *data;
    char *part;
};

static void give_back(void *argument)
{
    struct inherited *i = argument;
    unsigned char resident;
    char byte;
    /* The control blocks are the parent's, and so is what it had closed. */
    CHECK_EQ(mapped("/dev/shm/"), BIG + BIG / 2 + 4096 + REST);
    /* What fork() has copied stays where it was. */
    CHECK(i->data[0] == 'd' && i->part[0] == 'p');
    CHECK_STATUS(winshm_close(i->closed), WINSHM_E_CLOSED);
    CHECK(winshm_data(i->h) == NULL && winshm_view_data(i->view) == NULL);
    CHECK_OK(winshm_close(i->h));
    CHECK(mincore(i->data, 4096, &resident) == -1 && errno == ENOMEM);
    CHECK_STATUS(winshm_close(i->h), WINSHM_E_CLOSED);
    CHECK_STATUS(winshm_read(i->h, 0, &byte, 1, 0), WINSHM_E_CLOSED);
    CHECK_EQ(i->part[0], 'p');
    CHECK_OK(winshm_unmap(i->view));
    CHECK_STATUS(winshm_unmap(i->view), WINSHM_E_CLOSED);
    CHECK_OK(winshm_unmap(i->outlives));
    CHECK_EQ(mapped("/dev/shm/"), REST);
    winshm_region *own;
    CHECK_OK(winshm_open(region_name, 0, &own));
    CHECK_OK(winshm_write(own, 1, "c", 1, PATIENCE_MS));
    CHECK_OK(winshm_close(own));
}

static void test_giving_back(void)
{
    struct inherited i;
    struct child child;
    const char *name = part_of(region_name, 0);
    CHECK_OK(winshm_create(region_name, BIG, 0, &i.h));
    CHECK_OK(winshm_create(name, BIG, 0, &i.closed));
    CHECK_OK(winshm_map(i.h, BIG / 2, BIG / 2, 0, &i.view));
    CHECK_OK(winshm_map(i.closed, 0, 100, 0, &i.outlives));
    CHECK_OK(winshm_close(i.closed));
    i.data = winshm_data(i.h);
    i.part = winshm_view_data(i.view);
    i.data[0] = 'd';
    i.part[0] = 'p';
    for (int round = 0; round < 2; round++) {
        child_fork(&child, give_back, &i);
        CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    }
    CHECK(i.data[0] == 'd' && i.data[1] == 'c');
    CHECK_OK(winshm_lock(i.h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(i.h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_unmap(i.view));
    CHECK_OK(winshm_unmap(i.outlives));
    CHECK_OK(winshm_close(i.h));
    CHECK_EQ(plain_count(region_name), 0);
}

/* A thread that holds a lock shared and forks holds nothing in the child. */

static void open_and_look(void *out)
{
    winshm_region **h = out;
    CHECK_OK(winshm_open(region_name, 0, h));
    CHECK_EQ(winshm_size(*h), SIZE); /* it is first to use it, nobody else */
}

static void lock_all_places(void *used)
{
    winshm_region *h;
    CHECK_OK(winshm_close(used)); /* its place is one of them then */
    for (int i = 0; i < 1030; i++) {
        thread_join(thread_start(open_and_look, &h));
        CHECK_OK(winshm_lock(h, WINSHM_SHARED, 0));
        CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
        CHECK_OK(winshm_close(h));
    }
}

static void test_shared_lock_held(void)
{
    winshm_region *h;
    struct child child;
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    winshm_region *used;
    thread_join(thread_start(open_and_look, &used));
    CHECK_OK(winshm_lock(used, WINSHM_SHARED, 0));
    child_fork(&child, lock_all_places, used);
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    CHECK_OK(winshm_unlock(used, WINSHM_SHARED));
    CHECK_OK(winshm_close(used));
    CHECK_OK(winshm_close(h));
}

/* Time-outs of create and open. */

static void check_in_time(uint32_t disposition, uint32_t timeout_ms)
{
    winshm_region *h;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = disposition,
                        .timeout_ms = timeout_ms,
                        .size = SIZE,
                        .name = region_name};
    uint64_t began = clock_ms();
    CHECK_STATUS(winshm_open_with(&o, &h), WINSHM_E_TIMEOUT);
    uint64_t took = clock_ms() - began;
    CHECK(took >= timeout_ms && took < timeout_ms + SLACK_MS);
}

static void role_patient(const char *name, uint32_t timeout_ms)
{
    winshm_region *h;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_OPEN_EXISTING,
                        .timeout_ms = timeout_ms,
                        .name = name};
    parent_tell('p');
    CHECK_OK(winshm_open_with(&o, &h));
    CHECK_OK(winshm_close(h));
}

/** Somebody is in create or open and does not go on. */
static void test_timeouts(void)
{
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    int held = hold_life_lock(region_name);
    check_in_time(WINSHM_OPEN_EXISTING, 1);
    check_in_time(WINSHM_OPEN_EXISTING, 100);
    check_in_time(WINSHM_OPEN_OR_CREATE, 100);
    check_in_time(WINSHM_CREATE_NEW, 100);
    close(held);
    CHECK_OK(winshm_close(h));
    CHECK_EQ(plain_count(region_name), 0);
}

static void crash(void *unused)
{
    winshm_region *h;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = SIZE,
                        .name = region_name,
                        .security = "everyone-read"};
    (void)unused;
    CHECK_OK(winshm_open_with(&o, &h));
    child_die();
}

static void observe_in_time(void *unused)
{
    winshm_region *h;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_OPEN_EXISTING,
                        .flags = WINSHM_READ,
                        .timeout_ms = 50,
                        .name = region_name,
                        .security = "anyone"};
    (void)unused;
    if (!child_become_nobody())
        return; /* who made it is no observer */
    uint64_t began = clock_ms();
    CHECK_STATUS(winshm_open_with(&o, &h), WINSHM_E_NOT_FOUND);
    uint64_t took = clock_ms() - began;
    CHECK(took >= 50 && took < 150);
}

/** Whoever may only look waits no longer than it is told to for a region that
 * somebody was about to enter. */
static void test_observer_in_time(void)
{
    winshm_region *h;
    struct child child;
    char path[120];
    uint32_t joins = 1;
    child_fork(&child, crash, NULL);
    CHECK_EQ(child_wait(&child, PATIENCE_MS), -1);
    snprintf(path, sizeof path, "/dev/shm/%s.winshm", region_name);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK_EQ(pwrite(fd, &joins, sizeof joins, JOINS_AT), sizeof joins);
    close(fd);
    child_fork(&child, observe_in_time, NULL);
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    CHECK_STATUS(winshm_open(region_name, 0, &h), WINSHM_E_NOT_FOUND);
    CHECK_EQ(plain_count(region_name), 0);
}

static const struct role roles[] = {
    {"leaves", role_leaves}, {"patient", role_patient}, {NULL, NULL}};

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("ends");
    /* Longer than a call without a time-out waits, and meanwhile the rest. */
    winshm_region *h;
    const char *name = name_of("patience");
    CHECK_OK(winshm_create(name, SIZE, 0, &h));
    int held = hold_life_lock(name);
    struct child patient = child_start("patient", name, PATIENCE_MS);
    CHECK_EQ(child_hear(&patient, PATIENCE_MS), 'p');
    uint64_t end = clock_ms() + 5500;
    test_left();
    test_held_life_locks();
    test_raw_name();
    test_generations();
    test_giving_back();
    test_shared_lock_held();
    test_timeouts();
    test_observer_in_time();
    while (clock_ms() < end)
        sleep_ms(1);
    close(held);
    CHECK_EQ(child_wait(&patient, PATIENCE_MS), 0);
    CHECK_OK(winshm_close(h));
    return 0;
}
