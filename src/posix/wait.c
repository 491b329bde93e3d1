/* Linux: parking is a futex in the slot. */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <time.h>

#include "posix.h"

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
    struct timespec time = wshm_posix_timespec(nanoseconds);
    wshm_posix_futex(word, FUTEX_WAIT, seen, &time);
}

void wshm_platform_wake(struct platform_region *p, uint32_t slot,
                        enum platform_channel channel, _Atomic uint32_t *word)
{
    (void)p;
    (void)slot;
    (void)channel;
    wshm_posix_futex(word, FUTEX_WAKE, INT_MAX, NULL);
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
