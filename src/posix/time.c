/* Linux: time, and the kernel's part in waiting. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "posix.h"

/* Process-wide state, set once by wshm_posix_time_init(). */
static bool barrier_process_works;
static uint64_t spin_time;

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
long wshm_posix_futex(_Atomic uint32_t *word, int operation, uint32_t value,
                      const struct timespec *timeout)
{
    return syscall(FUTEX_NUMBER, word, operation, value, timeout, NULL, 0);
}

struct timespec wshm_posix_timespec(uint64_t nanoseconds)
{
    struct timespec time;
    time.tv_sec = (time_t)(nanoseconds / SECOND);
    time.tv_nsec = (long)(nanoseconds % SECOND);
    return time;
}

void wshm_platform_barrier_process(void)
{
    if (barrier_process_works &&
        syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0)
        return;
    uint64_t end = wshm_platform_now() + STORE_HIDDEN;
    while (wshm_platform_now() < end)
        wshm_platform_sleep(STORE_HIDDEN);
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
    struct timespec time = wshm_posix_timespec(nanoseconds);
    wshm_posix_futex(&nobody, FUTEX_WAIT_PRIVATE, 0, &time);
}

uint64_t wshm_platform_spin_time(void)
{
    return spin_time;
}

void wshm_posix_time_init(void)
{
    barrier_process_works =
        syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0,
                0) == 0;
    /* Of the machine: the one to wait for may run where this process may
     * not. */
    spin_time = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 5000 : 0;
}
