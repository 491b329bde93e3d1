/* The real world: the Linux backend and its files. In between stand a clock
 * without sleep, and mappings with nothing beside them. run.sh gives the names
 * below to the library in place of those of the C library. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sanitizer/asan_interface.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "posix/posix.h"

bool bench_denies;
bool bench_barrier = true;

int bench_clock_gettime(clockid_t id, struct timespec *time);
int bench_clock_gettime(clockid_t id, struct timespec *time)
{
    if (id != CLOCK_MONOTONIC)
        return clock_gettime(id, time);
    uint64_t now = bench_look();
    time->tv_sec = (time_t)(now / SECOND);
    time->tv_nsec = (long)(now % SECOND);
    return 0;
}

static long bench_futex(const _Atomic uint32_t *word, int operation,
                        uint32_t value, const struct timespec *time)
{
    if ((operation & FUTEX_CMD_MASK) == FUTEX_WAKE)
        return 0;
    if (time == NULL)
        bench_fail("a sleep without end");
    if (time->tv_sec < 0 || time->tv_nsec < 0 || time->tv_nsec >= (long)SECOND)
        bench_fail("a sleep of no length");
    /* The load is for the address: the kernel would only say EFAULT. */
    if (atomic_load(word) != value) {
        errno = EAGAIN;
        return -1;
    }
    bench_pass((uint64_t)time->tv_sec * SECOND + (uint64_t)time->tv_nsec);
    errno = ETIMEDOUT;
    return -1;
}

long bench_syscall(long number, ...);
long bench_syscall(long number, ...)
{
    if (number != SYS_futex)
        return bench_barrier ? 0 : -1; /* membarrier */
    va_list arguments;
    va_start(arguments, number);
    const _Atomic uint32_t *word = va_arg(arguments, _Atomic uint32_t *);
    int operation = va_arg(arguments, int);
    uint32_t value = va_arg(arguments, uint32_t);
    const struct timespec *time = va_arg(arguments, struct timespec *);
    va_end(arguments);
    return bench_futex(word, operation, value, time);
}

int bench_posix_open(platform_object *object, const char *path, int flags,
                     mode_t mode);
int bench_posix_open(platform_object *object, const char *path, int flags,
                     mode_t mode)
{
    if (bench_denies && (flags & O_ACCMODE) != O_RDONLY)
        return EACCES;
    return wshm_posix_open(object, path, flags, mode);
}

/* The files. */

static const char *path_of(const char *name, const char *suffix)
{
    static char path[96];
    snprintf(path, sizeof path, "/dev/shm/%s%s", name, suffix);
    return path;
}

uint8_t *world_control(const char *name)
{
    int fd = open(path_of(name, ".winshm"), O_RDWR | O_CLOEXEC);
    void *view =
        mmap(NULL, LAYOUT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || view == MAP_FAILED)
        bench_fail("cannot map %s", name);
    close(fd);
    return view;
}

uint64_t world_data(const char *name)
{
    struct stat there;
    return lstat(path_of(name, ""), &there) == 0 ? (uint64_t)there.st_ino : 0;
}

bool world_has_control(const char *name)
{
    return access(path_of(name, ".winshm"), F_OK) == 0;
}

static int make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        bench_fail("cannot make %s", path);
    return fd;
}

uint64_t world_make_data(const char *name, uint64_t *volume)
{
    struct stat here;
    int fd = make_file(path_of(name, ""));
    if (ftruncate(fd, BENCH_BYTES) != 0 || fstat(fd, &here) != 0)
        bench_fail("cannot make the data");
    close(fd);
    *volume = (uint64_t)here.st_dev;
    return (uint64_t)here.st_ino;
}

void world_make_control(const char *name, const uint8_t *from, uint32_t bytes)
{
    int fd = make_file(path_of(name, ".winshm"));
    if (write(fd, from, 512) != 512 || ftruncate(fd, bytes) != 0)
        bench_fail("cannot make the control file");
    close(fd);
}

void world_remove(const char *name)
{
    unlink(path_of(name, ""));
    unlink(path_of(name, ".winshm"));
}

uint32_t world_descriptors(void)
{
    int lowest = dup(0);
    if (lowest >= 0)
        close(lowest);
    return (uint32_t)lowest;
}

void world_check_left_over(void)
{
    DIR *directory = opendir("/dev/shm");
    size_t length = strlen(bench_name);
    struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL)
        if (strncmp(entry->d_name, bench_name, length) == 0 &&
            entry->d_name[length] == '.' &&
            strcmp(entry->d_name + length, ".winshm") != 0)
            bench_fail("%s is left over", entry->d_name);
    if (directory != NULL)
        closedir(directory);
}

/* Mappings. A slot's number taken from hostile memory without a check leads at
 * most 4096 slots away, which is inside the guard on either side; and what is
 * in the last page beyond the length asked for is poisoned. */

enum { GUARD = 4 << 20, MAPPINGS = 4096, PAGE = 4096 };

static struct {
    char *address;
    size_t length;
} mappings[MAPPINGS];
static uint32_t mapped;

void *__real_mmap64(void *address, size_t length, int protection, int flags,
                    int fd, off_t offset);
int __real_munmap(void *address, size_t length);
void *__wrap_mmap64(void *address, size_t length, int protection, int flags,
                    int fd, off_t offset);
int __wrap_munmap(void *address, size_t length);

static size_t whole_pages(size_t length)
{
    return (length + PAGE - 1) / PAGE * PAGE;
}

/** What a mapping has room for but the library has no business in. */
static size_t used_of(size_t length)
{
    return length == LAYOUT_BYTES ? sizeof(struct layout_control) : length;
}

void *__wrap_mmap64(void *address, size_t length, int protection, int flags,
                    int fd, off_t offset)
{
    size_t pages = whole_pages(length);
    if (fd < 0 || address != NULL || length > SIZE_MAX / 2)
        return __real_mmap64(address, length, protection, flags, fd, offset);
    if (mapped == MAPPINGS)
        bench_fail("too many mappings");
    char *room =
        __real_mmap64(NULL, pages + 2 * (size_t)GUARD, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return MAP_FAILED;
    char *view = __real_mmap64(room + GUARD, length, protection,
                               flags | MAP_FIXED, fd, offset);
    if (view == MAP_FAILED) {
        int code = errno;
        __real_munmap(room, pages + 2 * (size_t)GUARD);
        errno = code;
        return MAP_FAILED;
    }
    size_t used = used_of(length);
    ASAN_POISON_MEMORY_REGION(view + used, pages - used);
    mappings[mapped].address = view;
    mappings[mapped++].length = length;
    return view;
}

int __wrap_munmap(void *address, size_t length)
{
    for (uint32_t i = 0; i < mapped; i++) {
        if (mappings[i].address != address)
            continue;
        if (mappings[i].length != length)
            bench_fail("unmapped %zu bytes of %zu", length, mappings[i].length);
        size_t pages = whole_pages(length);
        ASAN_UNPOISON_MEMORY_REGION(mappings[i].address, pages);
        mappings[i] = mappings[--mapped];
        return __real_munmap((char *)address - GUARD,
                             pages + 2 * (size_t)GUARD);
    }
    return __real_munmap(address, length);
}

uint32_t world_mappings(void)
{
    return mapped;
}
