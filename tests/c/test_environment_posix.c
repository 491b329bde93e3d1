/* Linux as it may also be: without /proc, with a /dev/shm that is missing, full
 * or not to be written, under limits and filters. Each case runs in a process
 * and in mounts of its own. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "apart_posix.h"

enum { SIZE = 5000, MIB = 1 << 20 };

static const char name[] = "wtenvironment";

/* What surrounds a case. */

static void cover(const char *path)
{
    if (mount("none", path, "tmpfs", 0, "size=64k") != 0)
        SKIP("mounts are refused here");
}

static void filter(struct sock_filter *program, unsigned short length)
{
    struct sock_fprog all = {length, program};
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all) != 0)
        SKIP("no seccomp filters on this system");
}

/** Does what is said with one system call if one of its arguments is this. */
static void filter_call(uint32_t number, uint32_t argument, uint32_t value,
                        uint32_t action)
{
    uint32_t at = (uint32_t)offsetof(struct seccomp_data, args[0]);
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at + 8 * argument),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    filter(program, 6);
}

/* What is seen there. */

static winshm_status create(uint64_t size, uint32_t flags)
{
    winshm_region *h;
    winshm_status status = winshm_create(name, size, flags, &h);
    CHECK((h != NULL) == (status == WINSHM_OK));
    CHECK_OK(winshm_close(h));
    return status;
}

/** Creating is refused, whatever is created, and leaves nothing. */
static void check_no_create(uint64_t size, winshm_status status)
{
    winshm_region *h;
    int before = plain_count("");
    CHECK_STATUS(create(size, 0), status);
    CHECK_STATUS(create(size, WINSHM_RAW), status);
    CHECK_STATUS(winshm_open_or_create(name, size, 0, &h), status);
    CHECK_STATUS(winshm_open_or_create(name, size, WINSHM_RAW, &h), status);
    CHECK_EQ(plain_count(""), before);
}

static void check_no_open(void)
{
    winshm_region *h;
    CHECK_STATUS(winshm_open(name, 0, &h), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_open(name, WINSHM_READ, &h), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_open(name, WINSHM_RAW, &h), WINSHM_E_NOT_FOUND);
}

/* Directories. */

static void run_no_proc(void)
{
    winshm_region *h;
    winshm_info info = {.struct_size = sizeof info};
    own_shm("size=1m");
    cover("/proc");
    check_all_works(name);
    CHECK_OK(winshm_create(name, SIZE, 0, &h));
    CHECK_OK(winshm_get_info(h, &info));
    if (!child_emulated())
        CHECK_EQ(info.creator_start_us, 0);
    CHECK_OK(winshm_close(h));
    CHECK(umount("/proc") == 0); /* for whoever looks at the process's end */
}

static void run_no_way_to_link(void)
{
    own_shm("size=1m");
    cover("/proc");
    filter_call(SYS_linkat, 4, AT_EMPTY_PATH, SECCOMP_RET_ERRNO | ENOENT);
    check_no_create(SIZE, WINSHM_E_SYSTEM);
    CHECK_STATUS(create(SIZE, 0), WINSHM_E_SYSTEM);
    CHECK(strstr(winshm_last_message(), "linkat") != NULL);
    CHECK_STATUS(create(SIZE, WINSHM_RAW), WINSHM_E_SYSTEM);
    CHECK(strstr(winshm_last_message(), "linkat") != NULL);
    check_no_open();
    CHECK(umount("/proc") == 0);
}

static void run_no_shm(void)
{
    own_mounts();
    cover("/dev");
    check_no_create(SIZE, WINSHM_E_SYSTEM);
    check_no_open();
}

static void look_read_only(void *unused)
{
    winshm_region *h;
    winshm_info info = {.struct_size = sizeof info};
    char byte;
    (void)unused;
    own_mounts();
    if (mount("/dev/shm", "/dev/shm", NULL, MS_BIND, NULL) != 0 ||
        mount("none", "/dev/shm", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY,
              NULL) != 0)
        SKIP("mounts are refused here");
    check_no_create(SIZE, WINSHM_E_SYSTEM);
    check_no_open();
    CHECK_STATUS(winshm_create("wtheld", SIZE, 0, &h), WINSHM_E_SYSTEM);
    CHECK_STATUS(winshm_open("wtheld", 0, &h), WINSHM_E_ACCESS);
    CHECK_OK(winshm_open("wtheld", WINSHM_READ, &h));
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_EQ(info.observer, 1);
    CHECK_OK(winshm_read(h, 0, &byte, 1, 0));
    CHECK_OK(winshm_close(h));
}

static void run_read_only(void)
{
    winshm_region *h;
    struct child child;
    own_shm("size=1m");
    CHECK_OK(winshm_create("wtheld", SIZE, 0, &h));
    child_fork(&child, look_read_only, NULL);
    int code = child_wait(&child, PATIENCE_MS);
    CHECK_OK(winshm_close(h));
    exit(code < 0 ? 1 : code);
}

/* Room. */

static void fill(uint64_t bytes)
{
    int fd = open("/dev/shm/filler", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(posix_fallocate(fd, 0, (off_t)bytes), 0);
    close(fd);
}

static void run_no_room(void)
{
    own_shm("size=1m");
    CHECK_OK(create(MIB / 2, 0));
    check_no_create(2 * MIB, WINSHM_E_SIZE);
    check_no_create((uint64_t)1 << 62, WINSHM_E_SIZE);
    fill(MIB / 2);
    check_no_create(3 * MIB / 4, WINSHM_E_NO_MEMORY);
    CHECK(strstr(winshm_last_message(), "/dev/shm") != NULL);
    /* One page less for each round, until it is full. */
    for (uint64_t used = MIB / 2; used <= MIB; used += 4096) {
        fill(used);
        winshm_status status = create(SIZE, 0);
        CHECK_STATUS(create(SIZE, 0), status);
        if (used + 65536 + 2 * 4096 <= MIB)
            CHECK_EQ(status, WINSHM_OK);
        else
            CHECK_EQ(status, WINSHM_E_NO_MEMORY);
        CHECK_EQ(plain_count(name), 0);
    }
    check_no_create(1, WINSHM_E_NO_MEMORY);
    check_no_open();
    CHECK(unlink("/dev/shm/filler") == 0);
    check_all_works(name);
}

static void run_no_limit(void)
{
    struct statvfs room;
    own_shm("size=0");
    CHECK(statvfs("/dev/shm", &room) == 0 && room.f_blocks == 0);
    check_all_works(name);
}

/** No signal ends the process. */
static void run_limited_files(void)
{
    winshm_region *h, *other;
    struct rlimit limit = {65535, 65536};
    own_shm("size=1m");
    CHECK_OK(winshm_create("wtheld", SIZE, 0, &h));
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    winshm_region *none;
    CHECK_STATUS(winshm_create(name, 1, 0, &none), WINSHM_E_SIZE);
    CHECK_OK(create(65535, WINSHM_RAW));
    check_no_create(65536, WINSHM_E_SIZE);
    limit.rlim_cur = 65536;
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    CHECK_OK(create(65536, 0));
    check_no_create(65537, WINSHM_E_SIZE);
    limit.rlim_cur = 0;
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    CHECK_OK(winshm_open("wtheld", 0, &other));
    CHECK_OK(winshm_write(other, 0, "x", 1, 0));
    CHECK_OK(winshm_close(other));
    check_no_open();
    CHECK_OK(winshm_close(h));
    CHECK_EQ(plain_count(""), 2); /* . and .. */
    limit.rlim_cur = limit.rlim_max;
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0); /* for the counts, if any */
}

/** Room that is there at first and runs out half way. */
static void run_no_more_room(void)
{
    const uint32_t second = SIZE + 64 * MIB; /* where the second part begins */
    winshm_region *h;
    struct stat before, after;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = SIZE,
                        .capacity = 100 * MIB,
                        .name = name};
    own_shm("size=200m");
    CHECK_OK(winshm_open_with(&o, &h));
    CHECK_EQ(stat("/dev/shm/wtenvironment", &before), 0);
    filter_call(SYS_fallocate, 2, second, SECCOMP_RET_ERRNO | ENOSPC);
    CHECK_STATUS(winshm_resize(h, 100 * MIB, 0), WINSHM_E_NO_MEMORY);
    CHECK_EQ(stat("/dev/shm/wtenvironment", &after), 0);
    CHECK_EQ(after.st_blocks, before.st_blocks);
    CHECK_EQ(winshm_size(h), SIZE);
    CHECK_OK(winshm_resize(h, 60 * MIB, 0));
    CHECK_OK(winshm_close(h));
}

static void run_limited_descriptors(void)
{
    winshm_region *h;
    struct rlimit limit;
    bool refused = false, granted = false;
    own_shm("size=1m");
    int next = dup(0);
    close(next);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int more = 0; more < 6; more++) {
        rlim_t usual = limit.rlim_cur;
        limit.rlim_cur = (rlim_t)(next + more);
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
        for (uint32_t raw = 0; raw <= WINSHM_RAW; raw += WINSHM_RAW) {
            winshm_status status = winshm_create(name, SIZE, raw, &h);
            granted = granted || status == WINSHM_OK;
            refused = refused || status == WINSHM_E_NO_MEMORY;
            CHECK(status == WINSHM_OK || status == WINSHM_E_NO_MEMORY);
            CHECK_OK(winshm_close(h));
        }
        limit.rlim_cur = usual;
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
        CHECK_EQ(plain_count(""), 2);
    }
    CHECK(refused && granted);
    check_all_works(name);
}

static void run_limited_memory(void)
{
    unsigned long pages = 0;
    if (child_emulated())
        SKIP("the emulator does not keep to limits of address space");
    FILE *file = fopen("/proc/self/statm", "re");
    CHECK(file != NULL && fscanf(file, "%lu", &pages) == 1);
    fclose(file);
    rlim_t most = (rlim_t)pages * 4096 + 32 * MIB;
    struct rlimit limit = {most, most};
    own_shm("size=100m");
    CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    check_no_create(64 * MIB, WINSHM_E_NO_MEMORY);
    CHECK_OK(create(64 * MIB, WINSHM_NO_MAP));
    check_all_works(name);
}

/* Rights. */

static void make_shut(void)
{
    int fd =
        open("/dev/shm/wtenvironment.winshm", O_RDWR | O_CREAT | O_EXCL, 0000);
    CHECK(fd >= 0);
    close(fd);
}

/** A creator that is killed under a strict mask shuts nobody out. */
static void run_strict_mask(void)
{
    winshm_region *h;
    own_shm("size=1m");
    if (!child_become_nobody())
        SKIP("nobody can be shut out here");
    static const mode_t masks[] = {077, 0777};
    for (int i = 0; i < 2; i++) {
        umask(masks[i]);
        check_all_works(name);
    }
    make_shut();
    CHECK_STATUS(winshm_open(name, 0, &h), WINSHM_E_NOT_FOUND);
    CHECK_EQ(plain_count(name), 0);
    make_shut();
    CHECK_OK(create(SIZE, 0));
    make_shut();
    CHECK_OK(winshm_open_or_create(name, SIZE, 0, &h));
    CHECK_OK(winshm_close(h));
    CHECK_EQ(plain_count(name), 0);
    /* What is not empty is no such file. */
    make_shut();
    CHECK(truncate("/dev/shm/wtenvironment.winshm", 1) != 0);
    CHECK(chmod("/dev/shm/wtenvironment.winshm", 0200) == 0);
    CHECK(truncate("/dev/shm/wtenvironment.winshm", 1) == 0);
    CHECK_STATUS(create(SIZE, 0), WINSHM_E_ACCESS);
    CHECK_EQ(plain_count(name), 1);
}

/* Filters. */

static void use(void *h)
{
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
}

/** A close by another thread than the first needs a barrier in this process
 * alone, and who goes to sleep needs none: others are not disturbed. */
static void run_own_barrier(void)
{
    winshm_region *h, *other;
    own_shm("size=1m");
    filter_call(SYS_membarrier, 0, MEMBARRIER_CMD_GLOBAL_EXPEDITED,
                SECCOMP_RET_KILL_PROCESS);
    CHECK_OK(winshm_create(name, SIZE, 0, &h));
    thread_join(thread_start(use, h));
    CHECK_OK(winshm_open(name, 0, &other));
    CHECK_OK(winshm_lock(other, WINSHM_EXCLUSIVE, 0));
    CHECK_STATUS(winshm_lock(h, WINSHM_SHARED, 20), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_unlock(other, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
}

static void run_no_barrier(void)
{
    winshm_region *h;
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    own_shm("size=1m");
    filter(program, 4);
    CHECK_OK(winshm_create(name, SIZE, 0, &h));
    thread_join(thread_start(use, h));
    CHECK_OK(winshm_close(h));
    check_all_works(name);
}

static const struct apart cases[] = {
    {"no /proc", run_no_proc},
    {"no /proc and no other way", run_no_way_to_link},
    {"no /dev/shm", run_no_shm},
    {"/dev/shm read-only", run_read_only},
    {"/dev/shm small and full", run_no_room},
    {"/dev/shm fills up", run_no_more_room},
    {"/dev/shm without a limit", run_no_limit},
    {"files limited", run_limited_files},
    {"descriptors limited", run_limited_descriptors},
    {"address space limited", run_limited_memory},
    {"strict masks", run_strict_mask},
    {"barriers of this process alone", run_own_barrier},
    {"no barriers", run_no_barrier},
    {NULL, NULL}};

int main(int argc, char **argv)
{
    return run_apart(cases, argc > 1 ? argv[1] : NULL);
}
