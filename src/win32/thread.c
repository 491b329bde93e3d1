/* Windows: threads. */
#include <stdatomic.h>

#include "win32.h"

static DWORD block_index = FLS_OUT_OF_INDEXES;

static void CALLBACK block_free(void *block)
{
    if (block != NULL)
        HeapFree(GetProcessHeap(), 0, block);
}

/** May be called before wshm_platform_init(), since failures of bad arguments
 * are kept in it too. */
static DWORD block_slot(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    BOOL pending;
    if (InitOnceBeginInitialize(&once, 0, &pending, NULL) && pending) {
        wshm_win32_stay_loaded();
        block_index = FlsAlloc(block_free);
        bool made = block_index != FLS_OUT_OF_INDEXES;
        InitOnceComplete(&once, made ? 0 : INIT_ONCE_INIT_FAILED, NULL);
    }
    return block_index;
}

/* The index is made with the first thread that needs a number, which may be
 * before wshm_platform_init(). */
uint32_t wshm_win32_thread_index = TLS_OUT_OF_INDEXES;
static DWORD thread_index = TLS_OUT_OF_INDEXES;

static BOOL CALLBACK make_thread_index(INIT_ONCE *once, void *unused,
                                       void **unused2)
{
    (void)once;
    (void)unused;
    (void)unused2;
    wshm_win32_stay_loaded();
    thread_index = TlsAlloc();
    wshm_win32_thread_index = thread_index;
    return thread_index != TLS_OUT_OF_INDEXES;
}

bool wshm_win32_thread_init(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    return InitOnceExecuteOnce(&once, make_thread_index, NULL, NULL) != 0;
}

uintptr_t wshm_platform_thread_number(void)
{
    static _Atomic(uintptr_t) last = PLATFORM_NOBODY;
    if (!wshm_win32_thread_init())
        return PLATFORM_NOBODY;
    DWORD last_error = GetLastError(); /* TlsGetValue() changes it */
    uintptr_t number = (uintptr_t)TlsGetValue(thread_index);
    if (number == 0) {
        number = atomic_fetch_add(&last, 2) + 2;
        if (!TlsSetValue(thread_index, (void *)number))
            number = PLATFORM_NOBODY; /* it would be another one each time */
    }
    SetLastError(last_error);
    return number;
}

struct platform_thread *wshm_platform_thread_block(void)
{
    DWORD index = block_slot();
    if (index == FLS_OUT_OF_INDEXES)
        return NULL;
    DWORD last_error = GetLastError(); /* FlsGetValue() changes it */
    struct platform_thread *block = FlsGetValue(index);
    SetLastError(last_error);
    if (block != NULL)
        return block;
    block = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *block);
    if (block != NULL && !FlsSetValue(index, block)) {
        block_free(block);
        block = NULL;
    }
    return block;
}

int wshm_platform_uncancellable(void)
{
    return 0;
}

void wshm_platform_cancellable(int state)
{
    (void)state;
}

_Static_assert(sizeof(SRWLOCK) <= sizeof(struct platform_mutex),
               "a lock fits, and all zeros is a free one");

void wshm_platform_mutex_lock(struct platform_mutex *mutex)
{
    if (!wshm_platform_ending())
        AcquireSRWLockExclusive((SRWLOCK *)(void *)mutex);
}

void wshm_platform_mutex_unlock(struct platform_mutex *mutex)
{
    if (!wshm_platform_ending())
        ReleaseSRWLockExclusive((SRWLOCK *)(void *)mutex);
}

bool wshm_platform_mutex_free(struct platform_mutex *mutex)
{
    (void)mutex; /* there are no such handlers */
    return true;
}

void wshm_win32_thread_exit(void)
{
    if (thread_index != TLS_OUT_OF_INDEXES)
        TlsFree(thread_index);
    if (block_index != FLS_OUT_OF_INDEXES)
        FlsFree(block_index);
}
