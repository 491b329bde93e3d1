/* What stands between the library and the system in a fuzz target: a clock
 * without sleep, and mappings with nothing beside them. run.sh gives the names
 * below to the library in place of those of the C library. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sanitizer/asan_interface.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "platform_posix.h"

bool bench_denies;
bool bench_barrier = true;

static const uint64_t SECOND = 1000 * 1000 * 1000;

/** What one look at the clock costs. */
static const uint64_t LOOK = 1000;

/** No call may wait for longer than this, whatever its time-out is. */
static const uint64_t TOO_LONG = 60ull * 1000 * 1000 * 1000;

static uint64_t clock_ns = 1000ull * 1000 * 1000 * 1000;
static uint64_t clock_began;

void bench_clock_begin(void)
{
    clock_began = clock_ns;
}

static void pass(uint64_t nanoseconds)
{
    clock_ns += nanoseconds;
    if (clock_ns - clock_began > TOO_LONG)
        bench_fail("a call goes on for more than a minute");
    if (bench_pending != 0)
        bench_strike();
}

uint64_t bench_now(void)
{
    return clock_ns;
}

int bench_clock_gettime(clockid_t id, struct timespec *time);
int bench_clock_gettime(clockid_t id, struct timespec *time)
{
    if (id != CLOCK_MONOTONIC)
        return clock_gettime(id, time);
    pass(LOOK);
    time->tv_sec = (time_t)(clock_ns / SECOND);
    time->tv_nsec = (long)(clock_ns % SECOND);
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
    pass((uint64_t)time->tv_sec * SECOND + (uint64_t)time->tv_nsec);
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

int bench_lowest_descriptor(void)
{
    int fd = dup(0);
    if (fd >= 0)
        close(fd);
    return fd;
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

uint32_t bench_mappings(void)
{
    return mapped;
}
