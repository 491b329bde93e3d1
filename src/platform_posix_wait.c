/* Linux: waiting, time, threads, and fork(). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "platform.h"
#include "platform_posix.h"
#include "status.h"

static const uint64_t SECOND = 1000 * 1000 * 1000;

/* Process-wide state, set once by wshm_platform_init(). */
static bool barrier_works;
static bool barrier_process_works;
static uint64_t spin_time;
static int64_t start_us;

/** The call that takes a struct timespec as the C library has it: of 64 bits
 * also where the kernel's first one is of 32. */
#if !defined(SYS_futex_time64)
#define FUTEX_NUMBER SYS_futex
#elif !defined(SYS_futex)
#define FUTEX_NUMBER SYS_futex_time64
#else
#define FUTEX_NUMBER                                                           \
    (sizeof(time_t) > sizeof(long) ? SYS_futex_time64 : SYS_futex)
#endif

/** Not through the C library: these are no cancellation points, so a thread
 * that is cancelled never dies in the middle of a call. */
static long futex(_Atomic uint32_t *word, int operation, uint32_t value,
                  const struct timespec *timeout)
{
    return syscall(FUTEX_NUMBER, word, operation, value, timeout, NULL, 0);
}

static struct timespec timespec_of(uint64_t nanoseconds)
{
    struct timespec time;
    time.tv_sec = (time_t)(nanoseconds / SECOND);
    time.tv_nsec = (long)(nanoseconds % SECOND);
    return time;
}

winshm_status wshm_platform_park_prepare(struct platform_region *p,
                                         uint32_t slot,
                                         enum platform_channel channel)
{
    (void)p;
    (void)slot;
    (void)channel;
    return WINSHM_OK;
}

void wshm_platform_park(struct platform_region *p, uint32_t slot,
                        enum platform_channel channel, _Atomic uint32_t *word,
                        uint32_t seen, uint32_t pid, uint64_t nanoseconds)
{
    (void)p;
    (void)slot;
    (void)channel;
    (void)pid;
    struct timespec time = timespec_of(nanoseconds);
    futex(word, FUTEX_WAIT, seen, &time);
}

void wshm_platform_wake(struct platform_region *p, uint32_t slot,
                        enum platform_channel channel, _Atomic uint32_t *word)
{
    (void)p;
    (void)slot;
    (void)channel;
    futex(word, FUTEX_WAKE, INT_MAX, NULL);
}

winshm_status wshm_platform_event(struct platform_region *p, uint32_t slot,
                                  void **handle)
{
    (void)p;
    (void)slot;
    (void)handle;
    return WINSHM_E_UNSUPPORTED;
}

void wshm_platform_event_set(struct platform_region *p, uint32_t slot)
{
    (void)p;
    (void)slot;
}

bool wshm_platform_barrier(void)
{
    return barrier_works &&
           syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) == 0;
}

void wshm_platform_barrier_process(void)
{
    if (barrier_process_works &&
        syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0)
        return;
    /* Longer than any store can stay in a store buffer. */
    uint64_t end = wshm_platform_now() + 1000 * 1000;
    while (wshm_platform_now() < end)
        wshm_platform_sleep(1000 * 1000);
}

uint64_t wshm_platform_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

void wshm_platform_sleep(uint64_t nanoseconds)
{
    _Atomic uint32_t nobody = 0;
    struct timespec time = timespec_of(nanoseconds);
    futex(&nobody, FUTEX_WAIT_PRIVATE, 0, &time);
}

uint64_t wshm_platform_spin_time(void)
{
    return spin_time;
}

winshm_status wshm_platform_random(void *bytes, uint32_t length)
{
    ssize_t got = getrandom(bytes, length, 0);
    return got == (ssize_t)length
               ? WINSHM_OK
               : wshm_error_os(WINSHM_E_SYSTEM, "getrandom", errno);
}

uint32_t wshm_platform_pid(void)
{
    return (uint32_t)getpid();
}

int64_t wshm_platform_start_us(void)
{
    return start_us;
}

/** Field 22 of /proc/self/stat counts clock ticks since the machine started. */
static int64_t read_start(void)
{
    char text[1024];
    struct timespec real, boot;
    int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    text[length > 0 ? length : 0] = '\0';
    /* The program's name, in parentheses, may hold anything. */
    char *field = strrchr(text, ')');
    for (int i = 2; i < 22 && field != NULL; i++)
        field = strchr(field + 1, ' ');
    if (field == NULL)
        return 0;
    int64_t ticks = strtoll(field + 1, NULL, 10);
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    int64_t booted = ((int64_t)real.tv_sec - (int64_t)boot.tv_sec) * 1000000 +
                     (real.tv_nsec - boot.tv_nsec) / 1000;
    return booted + ticks * (1000000 / sysconf(_SC_CLK_TCK));
}

_Thread_local uintptr_t wshm_posix_thread = PLATFORM_NOBODY;

uintptr_t wshm_platform_thread_number(void)
{
    static _Atomic(uintptr_t) last = PLATFORM_NOBODY;
    if (wshm_posix_thread == PLATFORM_NOBODY)
        wshm_posix_thread = atomic_fetch_add(&last, 2) + 2;
    return wshm_posix_thread;
}

/* On the heap: what a library has in thread-local storage of the static model,
 * as the number and the guard of copies are, comes out of a small room that the
 * libraries of a process share. */
static __attribute__((
    tls_model("initial-exec"))) _Thread_local struct platform_thread *block;
static pthread_key_t block_key; /* only so that block_free() is called */
static bool block_key_works;

/** How often the end of a thread that holds something is put off. */
enum { ENDINGS = 2 };

/** Other destructors of the thread may still unlock what it holds: so the system
 * is asked to come again after them, which it does a few times. */
static void block_free(void *memory)
{
    struct platform_thread *thread = memory;
    uint32_t held = 0;
    for (size_t i = 0; i < sizeof thread->shared / sizeof thread->shared[0];
         i++)
        held |= thread->shared[i];
    if (held != 0 && thread->endings++ < ENDINGS &&
        pthread_setspecific(block_key, memory) == 0)
        return;
    block = NULL;
    free(memory);
}

static void make_block_key(void)
{
    block_key_works = pthread_key_create(&block_key, block_free) == 0;
}

static PLATFORM_COLD struct platform_thread *make_block(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_block_key);
    struct platform_thread *memory =
        block_key_works ? calloc(1, sizeof *memory) : NULL;
    if (memory != NULL && pthread_setspecific(block_key, memory) != 0) {
        free(memory);
        memory = NULL;
    }
    block = memory;
    return memory;
}

struct platform_thread *wshm_platform_thread_block(void)
{
    return PLATFORM_LIKELY(block != NULL) ? block : make_block();
}

int wshm_platform_uncancellable(void)
{
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    return state;
}

void wshm_platform_cancellable(int state)
{
    pthread_setcancelstate(state, NULL);
}

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(struct platform_mutex),
               "a mutex fits, and all zeros is an unlocked one");

void wshm_platform_mutex_lock(struct platform_mutex *mutex)
{
    pthread_mutex_lock((pthread_mutex_t *)(void *)mutex);
}

void wshm_platform_mutex_unlock(struct platform_mutex *mutex)
{
    pthread_mutex_unlock((pthread_mutex_t *)(void *)mutex);
}

/* fork() */

static pthread_mutex_t descriptors = PTHREAD_MUTEX_INITIALIZER;

void wshm_posix_descriptors_lock(void)
{
    pthread_mutex_lock(&descriptors);
}

void wshm_posix_descriptors_unlock(void)
{
    pthread_mutex_unlock(&descriptors);
}

static void before_fork(void)
{
    wshm_region_fork_prepare();
    wshm_posix_descriptors_lock();
}

static void after_fork_parent(void)
{
    wshm_posix_descriptors_unlock();
    wshm_region_fork_parent();
}

static void after_fork_child(void)
{
    wshm_region_fork_child();
    wshm_posix_descriptors_unlock();
    /* The locks that this thread held are the parent's. */
    if (block != NULL)
        memset(block->shared, 0, sizeof block->shared);
    /* Neither the registration nor the start time is the parent's. */
    wshm_posix_wait_init();
    start_us = read_start();
}

void wshm_posix_wait_init(void)
{
    barrier_works =
        syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0,
                0) == 0;
    barrier_process_works =
        syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0,
                0) == 0;
    /* Of the machine: the one to wait for may run where this process may
     * not. */
    spin_time = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 5000 : 0;
}

static void initialise(void)
{
    wshm_posix_wait_init();
    wshm_posix_fault_init();
    start_us = read_start();
}

__attribute__((destructor)) static void at_exit(void)
{
    wshm_region_exit();
}

static int hook_fork(void)
{
    static bool hooked;
    int code = 0;
    wshm_posix_descriptors_lock();
    if (!hooked)
        code = pthread_atfork(before_fork, after_fork_parent, after_fork_child);
    hooked = code == 0;
    wshm_posix_descriptors_unlock();
    return code;
}

/** As early as can be: hooks that others set later are called while the handles
 * of the parent can still be used, or cannot be any more in the child. */
__attribute__((constructor)) static void at_load(void)
{
    hook_fork(); /* or else with the first region */
}

winshm_status wshm_platform_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, initialise);
    int code = hook_fork();
    return code == 0 ? WINSHM_OK : wshm_posix_refused("pthread_atfork", code);
}
