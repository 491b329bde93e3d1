/* The world in memory: waiting, time, process and threads. Whoever waits makes
 * the time pass. */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "platform.h"

bool bench_barrier = true;

bool wshm_platform_park(struct platform_region *p, uint32_t slot,
                        enum platform_channel channel, _Atomic uint32_t *word,
                        uint32_t seen, uint32_t pid, uint64_t nanoseconds)
{
    (void)p;
    (void)slot;
    (void)channel;
    (void)pid;
    if (nanoseconds == UINT64_MAX)
        bench_fail("a sleep without end");
    if (atomic_load(word) != seen)
        return false;
    bench_pass(nanoseconds);
    return true;
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

void wshm_platform_wake(struct platform_region *p, uint32_t slot,
                        enum platform_channel channel, _Atomic uint32_t *word)
{
    (void)p;
    (void)channel;
    if (slot >= LAYOUT_SLOTS)
        bench_fail("slot %u is woken", slot);
    atomic_load(word);
}

winshm_status wshm_platform_event(struct platform_region *p, uint32_t slot,
                                  void **handle)
{
    (void)p;
    (void)slot;
    (void)handle;
    return WINSHM_E_UNSUPPORTED;
}

winshm_status wshm_platform_descriptor(struct platform_region *p,
                                       platform_watch *watch, void *subject,
                                       uint32_t seen, int32_t *fd)
{
    (void)p;
    (void)watch;
    (void)subject;
    (void)seen;
    (void)fd;
    return WINSHM_E_UNSUPPORTED;
}

void wshm_platform_descriptor_close(struct platform_region *p)
{
    (void)p;
}

bool wshm_platform_process_name(uint32_t pid, char *name, size_t size)
{
    snprintf(name, size, "program %lu", (unsigned long)pid);
    return true;
}

bool wshm_platform_reason(int32_t code, char *text, size_t size)
{
    snprintf(text, size, "reason %ld", (long)code);
    return true;
}

void wshm_platform_event_set(struct platform_region *p, uint32_t slot)
{
    (void)p;
    if (slot >= LAYOUT_SLOTS)
        bench_fail("the event of slot %u is set", slot);
}

uint32_t wshm_platform_leftovers(char (*names)[WINSHM_NAME_MAX + 1],
                                 uint32_t most, uint64_t bytes)
{
    (void)names;
    (void)most;
    (void)bytes;
    return 0;
}

/* There are no files here. */

winshm_status wshm_platform_link_read(const char *path, char *text,
                                      uint32_t room, uint32_t *length)
{
    (void)path;
    (void)text;
    (void)room;
    (void)length;
    return WINSHM_E_NOT_FOUND;
}

winshm_status wshm_platform_link_make(const char *path, const char *text,
                                      uint32_t length, uint64_t deadline_ns,
                                      struct platform_link *link)
{
    (void)path;
    (void)text;
    (void)length;
    (void)deadline_ns;
    (void)link;
    return WINSHM_E_UNSUPPORTED;
}

winshm_status wshm_platform_link_clear(const char *path, const char *text,
                                       uint32_t length, uint64_t deadline_ns,
                                       struct platform_link *link)
{
    return wshm_platform_link_make(path, text, length, deadline_ns, link);
}

void wshm_platform_link_remove(struct platform_link *link)
{
    (void)link;
    bench_fail("a link is removed, and none was made");
}

void wshm_platform_link_abandon(struct platform_link *link)
{
    (void)link;
}

void wshm_platform_barrier_process(void)
{
}

uint64_t wshm_platform_now(void)
{
    return bench_look();
}

void wshm_platform_sleep(uint64_t nanoseconds)
{
    bench_pass(nanoseconds);
}

uint64_t wshm_platform_spin_time(void)
{
    return 5000;
}

winshm_status wshm_platform_random(void *bytes, uint32_t length)
{
    static uint8_t next;
    memset(bytes, ++next, length);
    return WINSHM_OK;
}

uint32_t wshm_platform_pid(void)
{
    return 4711;
}

int64_t wshm_platform_start_us(void)
{
    return 1;
}

_Thread_local uintptr_t wshm_posix_thread = PLATFORM_NOBODY;

uintptr_t wshm_platform_thread_number(void)
{
    wshm_posix_thread = 3;
    return wshm_posix_thread;
}

struct platform_thread *wshm_platform_thread_block(void)
{
    static struct platform_thread block;
    return &block;
}

int wshm_platform_uncancellable(void)
{
    return 0;
}

void wshm_platform_cancellable(int state)
{
    (void)state;
}

void wshm_platform_mutex_lock(struct platform_mutex *mutex)
{
    if (mutex->opaque[0] != NULL)
        bench_fail("a mutex is taken twice");
    mutex->opaque[0] = mutex;
}

void wshm_platform_mutex_unlock(struct platform_mutex *mutex)
{
    mutex->opaque[0] = NULL;
}

bool wshm_platform_mutex_free(struct platform_mutex *mutex)
{
    (void)mutex;
    return true;
}
