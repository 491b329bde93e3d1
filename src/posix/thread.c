/* Linux: threads. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "posix.h"

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

/** Other destructors of the thread may still unlock what it holds: so the
 * system is asked to come again after them, which it does a few times. */
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

bool wshm_platform_mutex_free(struct platform_mutex *mutex)
{
    pthread_mutex_t *own = (pthread_mutex_t *)(void *)mutex;
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_nsec += 100 * (long)MILLISECOND;
    end.tv_sec += end.tv_nsec / (long)SECOND;
    end.tv_nsec %= (long)SECOND;
    if (pthread_mutex_timedlock(own, &end) != 0)
        return false;
    pthread_mutex_unlock(own);
    return true;
}

void wshm_posix_thread_forked(void)
{
    if (block != NULL)
        memset(block->shared, 0, sizeof block->shared);
}
