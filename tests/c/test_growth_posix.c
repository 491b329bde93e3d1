/* Regions that grow on Linux: what is set aside in /dev/shm, who is in the way,
 * who may only look, and what fork() does to it. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "apart_posix.h"

enum { KIB = 1024, MIB = 1 << 20, FIRST = 5000 };

static const char name[] = "wtgrowth";

static winshm_region *created(uint64_t capacity, const char *security)
{
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = FIRST,
                        .capacity = capacity,
                        .name = name,
                        .security = security};
    winshm_region *h;
    if (capacity > SIZE_MAX)
        o.flags = WINSHM_NO_MAP;
    CHECK_OK(winshm_open_with(&o, &h));
    return h;
}

static int file(const char *suffix)
{
    char path[64];
    snprintf(path, sizeof path, "/dev/shm/%s%s", name, suffix);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}

/** Bytes that the data take up. */
static uint64_t set_aside(void)
{
    struct stat facts;
    int fd = file("");
    CHECK(fstat(fd, &facts) == 0);
    close(fd);
    return (uint64_t)facts.st_blocks * 512;
}

static uint64_t free_room(void)
{
    struct statvfs room;
    CHECK(statvfs("/dev/shm", &room) == 0);
    return (uint64_t)room.f_bavail * room.f_frsize;
}

/* What is set aside. */

static void run_vast(void)
{
    own_shm("size=16m");
    winshm_region *h = created(vast_capacity(), NULL);
    CHECK_EQ(set_aside(), 8 * KIB);
    CHECK_OK(winshm_resize(h, MIB, 0));
    CHECK_EQ(set_aside(), MIB);
    CHECK_OK(winshm_resize(h, MIB + 1, 0));
    CHECK_EQ(set_aside(), MIB + 4 * KIB);
    CHECK_OK(winshm_close(h));
}

/** Nothing more is set aside by what fails, and nothing that was is lost. */
static void run_no_room(void)
{
    struct plain filler;
    own_shm("size=1m");
    winshm_region *h = created(64 * MIB, NULL);
    CHECK_OK(winshm_resize(h, 400 * KIB, 0));
    CHECK(plain_create(&filler, "wtfiller", 400 * KIB));
    memset(filler.data, 1, 400 * KIB);
    uint64_t room = free_room();
    CHECK_STATUS(winshm_resize(h, 700 * KIB, 0), WINSHM_E_NO_MEMORY);
    CHECK(strstr(winshm_last_message(), "/dev/shm") != NULL);
    CHECK_STATUS(winshm_resize(h, 32 * MIB, 0), WINSHM_E_SIZE);
    CHECK_EQ(free_room(), room);
    CHECK_EQ(winshm_size(h), 400 * KIB);
    CHECK_EQ(set_aside(), 400 * KIB);
    CHECK_OK(winshm_resize(h, 450 * KIB, 0));
    plain_close(&filler);
    plain_remove("wtfiller");
    CHECK_OK(winshm_resize(h, 700 * KIB, 0));
    memset(winshm_data(h), 2, 700 * KIB);
    CHECK_OK(winshm_close(h));
}

/** Who dies after it has set room aside is not in the way of the next one. */
static void run_left_aside(void)
{
    own_shm("size=1m");
    winshm_region *h = created(64 * MIB, NULL);
    int fd = file("");
    CHECK_EQ(posix_fallocate(fd, 0, 900 * KIB), 0);
    CHECK_OK(winshm_resize(h, 500 * KIB, 0));
    CHECK_EQ(winshm_size(h), 500 * KIB);
    CHECK_OK(winshm_resize(h, 800 * KIB, 0));
    CHECK_EQ(set_aside(), 800 * KIB);
    /* Nor is it of one whom it does not help. */
    CHECK_EQ(posix_fallocate(fd, 0, 900 * KIB), 0);
    CHECK_STATUS(winshm_resize(h, MIB, 0), WINSHM_E_NO_MEMORY);
    CHECK_EQ(set_aside(), 800 * KIB);
    close(fd);
    CHECK_OK(winshm_close(h));
}

static void run_limited(void)
{
    struct rlimit limit = {MIB, MIB};
    own_shm("size=16m");
    winshm_region *h = created(8 * MIB, NULL);
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    CHECK_OK(winshm_resize(h, MIB, 0));
    CHECK_STATUS(winshm_resize(h, MIB + 1, 0), WINSHM_E_SIZE);
    CHECK(strstr(winshm_last_message(), "RLIMIT_FSIZE") != NULL);
    CHECK_EQ(winshm_size(h), MIB);
    CHECK_OK(winshm_close(h));
}

/* Who is in the way. */

static winshm_region *common;
static volatile winshm_status heard[4];

static void thread_resize(void *which)
{
    uint32_t i = (uint32_t)(uintptr_t)which;
    heard[i] =
        winshm_resize(common, FIRST + 10 + i, i >= 2 ? PATIENCE_MS : 100);
}

static void thread_resize_alike(void *region)
{
    CHECK_OK(winshm_resize(region, FIRST + 9, PATIENCE_MS));
}

/** One who stands still with the life lock. */
static void stand_in_the_way(int fd, bool yes)
{
    struct flock lock = {
        .l_type = yes ? F_WRLCK : F_UNLCK, .l_whence = SEEK_SET, .l_len = 1};
    CHECK_EQ(fcntl(fd, F_OFD_SETLK, &lock), 0);
}

static void run_in_the_way(void)
{
    struct thread threads[4];
    winshm_region *other;
    uint32_t before, after;
    own_shm("size=1m");
    common = created(MIB, NULL);
    int fd = file(".winshm");
    stand_in_the_way(fd, true);
    uint64_t began = clock_ms();
    CHECK_STATUS(winshm_resize(common, FIRST + 1, 0), WINSHM_E_TIMEOUT);
    CHECK(strstr(winshm_last_message(), "resize of it") != NULL);
    CHECK(clock_ms() - began < 50);
    /* Threads of one handle, of which only one can try. */
    began = clock_ms();
    for (uintptr_t i = 0; i < 2; i++)
        threads[i] = thread_start(thread_resize, (void *)i);
    for (int i = 0; i < 2; i++) {
        thread_join(threads[i]);
        CHECK_STATUS(heard[i], WINSHM_E_TIMEOUT);
    }
    CHECK(clock_ms() - began >= 100 && clock_ms() - began < 1000);
    CHECK_EQ(winshm_size(common), FIRST);
    /* Two that ask for the same, and one of them comes late. */
    stand_in_the_way(fd, false);
    CHECK_OK(winshm_open(name, 0, &other));
    stand_in_the_way(fd, true);
    CHECK_OK(winshm_change_count(common, &before));
    threads[0] = thread_start(thread_resize_alike, common);
    threads[1] = thread_start(thread_resize_alike, other);
    sleep_ms(20);
    stand_in_the_way(fd, false);
    thread_join(threads[0]);
    thread_join(threads[1]);
    CHECK_OK(winshm_change_count(common, &after));
    CHECK_EQ(after, before + 1);
    CHECK_EQ(winshm_size(other), FIRST + 9);
    CHECK_OK(winshm_close(other));
    /* What is closed is not waited for, by one thread or the next. */
    stand_in_the_way(fd, true);
    for (uintptr_t i = 2; i < 4; i++)
        threads[i] = thread_start(thread_resize, (void *)i);
    sleep_ms(20);
    CHECK_STATUS(winshm_resize(common, FIRST + 10, 20), WINSHM_E_TIMEOUT);
    CHECK(strstr(winshm_last_message(), "was inside resize of it") != NULL);
    CHECK_OK(winshm_close(common));
    for (int i = 2; i < 4; i++) {
        thread_join(threads[i]);
        CHECK_STATUS(heard[i], WINSHM_E_CLOSED);
    }
    stand_in_the_way(fd, false);
    close(fd);
}

/* Who may only look. */

static void role_observe(const char *unused, uint32_t wait_ms)
{
    winshm_region *h;
    winshm_info info = {.struct_size = sizeof info};
    uint8_t byte = 7;
    (void)unused;
    if (!child_become_nobody())
        exit(CHECK_SKIPPED);
    CHECK_OK(winshm_open(name, WINSHM_READ, &h));
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_EQ(info.observer, 1);
    CHECK_EQ(info.capacity, MIB);
    CHECK_STATUS(winshm_resize(h, FIRST + 1, 0), WINSHM_E_ACCESS);
    parent_tell('o');
    parent_hear();
    CHECK_EQ(winshm_size(h), MIB);
    CHECK_OK(winshm_read(h, MIB - 1, &byte, 1, 0));
    CHECK_EQ(byte, 3);
    CHECK_EQ(((uint8_t *)winshm_data(h))[MIB - 1], 3);
    parent_tell('s');
    parent_hear();
    sleep_ms(wait_ms);
    CHECK_EQ(winshm_size(h), 0);
    CHECK(strstr(winshm_last_message(), "WINSHM_E_NOT_FOUND") != NULL);
    CHECK_STATUS(winshm_read(h, MIB - 1, &byte, 1, 0), WINSHM_E_NOT_FOUND);
    CHECK_OK(winshm_close(h));
}

/** @param wait_ms how old the observer's knowledge may be of that end. */
static void observe_until(bool reborn, uint32_t wait_ms)
{
    winshm_region *h = created(MIB, "everyone-read");
    struct child child = child_start("observe", "", wait_ms);
    int first = child_hear(&child, PATIENCE_MS);
    if (first == -1)
        SKIP("there are no rights to give up");
    CHECK_EQ(first, 'o');
    CHECK_OK(winshm_resize(h, MIB, 0));
    CHECK_OK(winshm_write(h, MIB - 1, "\3", 1, 0));
    child_tell(&child, 'l');
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 's');
    if (reborn) {
        /* Its block is used again if it is still there: as a crash leaves it.
         */
        int fd = file(".winshm");
        uint32_t id[4];
        CHECK_EQ(pread(fd, id, sizeof id, 40), sizeof id);
        id[1] ^= 1;
        CHECK_EQ(pwrite(fd, id, sizeof id, 40), sizeof id);
        close(fd);
    } else {
        CHECK_OK(winshm_close(h));
    }
    child_tell(&child, 'e');
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    if (reborn)
        CHECK_OK(winshm_close(h));
}

static void run_observed(void)
{
    own_shm("size=4m");
    observe_until(true, 0);
    observe_until(false, 200);
}

/* fork() */

static _Atomic bool growing;

/** Grows by so much, or another one is faster. */
static bool grow_by(winshm_region *h, uint64_t more)
{
    winshm_status status = winshm_resize(h, winshm_size(h) + more, PATIENCE_MS);
    CHECK(status == WINSHM_OK || status == WINSHM_E_SIZE);
    return status == WINSHM_OK;
}

static void thread_grow(void *unused)
{
    (void)unused;
    while (growing)
        grow_by(common, 1);
}

static void live_apart(void *mapped)
{
    winshm_region *own;
    unsigned char there;
    uint8_t *last = (uint8_t *)mapped + 64 * MIB - 4096;
    CHECK_STATUS(winshm_resize(common, 64 * MIB, 0), WINSHM_E_FORKED);
    CHECK_EQ(mincore(last, 4096, &there), 0);
    CHECK_OK(winshm_close(common));
    CHECK(mincore(last, 4096, &there) != 0 && errno == ENOMEM);
    CHECK_OK(winshm_open(name, 0, &own));
    while (!grow_by(own, 2)) {
    }
    CHECK_OK(winshm_close(own));
    parent_tell('d');
}

static void run_forks(void)
{
    own_shm("size=16m");
    common = created(64 * MIB, NULL);
    growing = true;
    struct thread thread = thread_start(thread_grow, NULL);
    for (int i = 0; i < 20; i++) {
        struct child child;
        CHECK(child_fork(&child, live_apart, winshm_data(common)));
        CHECK_EQ(child_hear(&child, PATIENCE_MS), 'd');
        CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    }
    growing = false;
    thread_join(thread);
    CHECK(winshm_size(common) >= FIRST + 20);
    CHECK_OK(winshm_close(common));
}

static const struct role roles[] = {{"observe", role_observe}, {NULL, NULL}};

static const struct apart cases[] = {
    {"a vast capacity", run_vast},  {"no room", run_no_room},
    {"left aside", run_left_aside}, {"files limited", run_limited},
    {"in the way", run_in_the_way}, {"observed", run_observed},
    {"forks", run_forks},           {NULL, NULL}};

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    return run_apart(cases, argc > 1 ? argv[1] : NULL);
}
