/* Windows: codes, memory, threads, the guard of copies, loading and unloading.
 */
#include "platform_win32.h"

#include <string.h>

#include "status.h"

/* Process-wide state, set once. */
static DWORD guard_index = TLS_OUT_OF_INDEXES;
static DWORD block_index = FLS_OUT_OF_INDEXES;
static void *fault_handler;
static BOOLEAN(NTAPI *shutdown_in_progress)(void);

winshm_status wshm_win32_error(const char *call, DWORD code)
{
    winshm_status status = WINSHM_E_SYSTEM;
    switch (code) {
    case ERROR_FILE_NOT_FOUND:
        status = WINSHM_E_NOT_FOUND;
        break;
    case ERROR_ACCESS_DENIED:
        status = WINSHM_E_ACCESS;
        break;
    case ERROR_INVALID_HANDLE: /* an object of another type has the name */
        status = WINSHM_E_KIND;
        break;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_COMMITMENT_LIMIT:
        status = WINSHM_E_NO_MEMORY;
        break;
    }
    return wshm_error_os(status, call, (int32_t)code);
}

/* Memory. */

uint64_t wshm_platform_granularity(void)
{
    SYSTEM_INFO system;
    GetSystemInfo(&system);
    return system.dwAllocationGranularity;
}

winshm_status wshm_platform_map(const struct platform_region *p,
                                uint64_t offset, uint64_t length, bool write,
                                void **address)
{
    if (length > SIZE_MAX)
        return WINSHM_E_NO_MEMORY;
    void *view =
        MapViewOfFile(wshm_win32_handle(p->data),
                      write ? FILE_MAP_READ | FILE_MAP_WRITE : FILE_MAP_READ,
                      (DWORD)(offset >> 32), (DWORD)offset, (SIZE_T)length);
    if (view == NULL)
        return wshm_win32_error("MapViewOfFile", GetLastError());
    *address = view;
    return WINSHM_OK;
}

void wshm_platform_unmap(void *address, uint64_t length)
{
    (void)length;
    UnmapViewOfFile(address);
}

/* This process and its threads. */

/** RtlGenRandom(), under the name that ADVAPI32 exports. */
BOOLEAN NTAPI SystemFunction036(void *bytes, ULONG length);

winshm_status wshm_platform_random(void *bytes, uint32_t length)
{
    return SystemFunction036(bytes, length)
               ? WINSHM_OK
               : wshm_error_os(WINSHM_E_SYSTEM, "RtlGenRandom", 0);
}

uint32_t wshm_platform_pid(void)
{
    return GetCurrentProcessId();
}

static int64_t start_us;

static int64_t read_start(void)
{
    static const int64_t unix_epoch = 11644473600000000; /* from 1601, in us */
    FILETIME start, end, kernel, user;
    if (!GetProcessTimes(GetCurrentProcess(), &start, &end, &kernel, &user))
        return 0;
    int64_t ticks =
        (int64_t)((uint64_t)start.dwHighDateTime << 32 | start.dwLowDateTime);
    return ticks / 10 - unix_epoch;
}

int64_t wshm_platform_start_us(void)
{
    return start_us;
}

/** Called wherever something is made that belongs to the process and leads to
 * this code. Nobody would tell a static library that its module is unloaded. */
static void stay_loaded(void)
{
#ifndef WINSHM_DLL
    static const char here;
    HMODULE module;
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                           GET_MODULE_HANDLE_EX_FLAG_PIN,
                       (const wchar_t *)(const void *)&here, &module);
#endif
}

static void ending_init(void)
{
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    if (ntdll != NULL)
        shutdown_in_progress = (BOOLEAN(NTAPI *)(void))(
            void (*)(void))GetProcAddress(ntdll, "RtlDllShutdownInProgress");
}

bool wshm_platform_ending(void)
{
    return shutdown_in_progress != NULL && shutdown_in_progress();
}

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
        stay_loaded();
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
    stay_loaded();
    thread_index = TlsAlloc();
    wshm_win32_thread_index = thread_index;
    return thread_index != TLS_OUT_OF_INDEXES;
}

static bool thread_index_init(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    return InitOnceExecuteOnce(&once, make_thread_index, NULL, NULL) != 0;
}

uintptr_t wshm_platform_thread_number(void)
{
    static _Atomic(uintptr_t) last = PLATFORM_NOBODY;
    if (!thread_index_init())
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
    struct platform_thread *block = FlsGetValue(index);
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

/* Copies. Only a fault that lies in what a copy guards is made a status. */

struct guard {
    uintptr_t first;
    uint64_t length;
    void *out[5]; /* __builtin_setjmp(): frame, label, stack */
};

static bool guarded_fault(const EXCEPTION_RECORD *fault,
                          const struct guard *guard)
{
    if (fault->ExceptionCode != EXCEPTION_ACCESS_VIOLATION &&
        fault->ExceptionCode != (DWORD)EXCEPTION_IN_PAGE_ERROR)
        return false;
    /* Kind of access, address. */
    return fault->NumberParameters >= 2 &&
           fault->ExceptionInformation[1] - guard->first < guard->length;
}

#ifdef _MSC_VER

static bool guard_init(void)
{
    (void)guard_index;
    return true;
}

winshm_status wshm_platform_copy(void *to, const void *from, uint64_t length,
                                 const void *guarded, uint64_t guarded_length)
{
    struct guard guard = {(uintptr_t)guarded, guarded_length};
    __try {
        memcpy(to, from, (size_t)length);
    } __except (
        guarded_fault(GetExceptionInformation()->ExceptionRecord, &guard)
            ? EXCEPTION_EXECUTE_HANDLER
            : EXCEPTION_CONTINUE_SEARCH) {
        return WINSHM_E_FAULT;
    }
    return WINSHM_OK;
}

#else

#ifdef _WIN64
#define CONTEXT_PC Rip
#define CONTEXT_STACK Rsp
#define CONTEXT_FRAME Rbp
#else
#define CONTEXT_PC Eip
#define CONTEXT_STACK Esp
#define CONTEXT_FRAME Ebp
#endif

/** The compiler has no __try: the faulting thread goes on at the label that
 * its copy has left, as __builtin_longjmp() would. */
static LONG CALLBACK on_fault(EXCEPTION_POINTERS *fault)
{
    CONTEXT *context = fault->ContextRecord;
    DWORD last_error = GetLastError(); /* TlsGetValue() changes it */
    struct guard *guard = TlsGetValue(guard_index);
    SetLastError(last_error);
    /* A copy whose caller was left by a jump out of somebody's handler has
     * its guard in a part of the stack that is not in use any more. */
    if (guard == NULL || (uintptr_t)guard < context->CONTEXT_STACK ||
        !guarded_fault(fault->ExceptionRecord, guard))
        return EXCEPTION_CONTINUE_SEARCH;
    context->CONTEXT_FRAME = (uintptr_t)guard->out[0];
    context->CONTEXT_PC = (uintptr_t)guard->out[1];
    context->CONTEXT_STACK = (uintptr_t)guard->out[2];
    context->EFlags &= ~0x400u; /* the direction of string instructions */
    return EXCEPTION_CONTINUE_EXECUTION;
}

static bool guard_init(void)
{
    if (guard_index == TLS_OUT_OF_INDEXES)
        guard_index = TlsAlloc();
    if (guard_index != TLS_OUT_OF_INDEXES)
        fault_handler = AddVectoredExceptionHandler(1, on_fault);
    return fault_handler != NULL;
}

__attribute__((noinline)) winshm_status
wshm_platform_copy(void *to, const void *from, uint64_t length,
                   const void *guarded, uint64_t guarded_length)
{
    struct guard guard;
    guard.first = (uintptr_t)guarded;
    guard.length = guarded_length;
    if (__builtin_setjmp(guard.out) != 0) {
        TlsSetValue(guard_index, NULL);
        return WINSHM_E_FAULT;
    }
    if (!TlsSetValue(guard_index, &guard))
        return wshm_error_os(WINSHM_E_NO_MEMORY, "TlsSetValue",
                             (int32_t)GetLastError());
    memcpy(to, from, (size_t)length);
    TlsSetValue(guard_index, NULL);
    return WINSHM_OK;
}

#endif

/* The process. */

static BOOL CALLBACK initialise(INIT_ONCE *once, void *unused, void **unused2)
{
    (void)once;
    (void)unused;
    (void)unused2;
    stay_loaded();
    ending_init();
    start_us = read_start();
    wshm_win32_owner_init();
    wshm_win32_security_init();
    wshm_win32_wait_init();
    return thread_index_init() && guard_init();
}

winshm_status wshm_platform_init(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    return InitOnceExecuteOnce(&once, initialise, NULL, NULL)
               ? WINSHM_OK
               : wshm_error_os(WINSHM_E_NO_MEMORY, "TlsAlloc",
                               (int32_t)GetLastError());
}

#ifdef WINSHM_DLL
static void unload(void)
{
    if (fault_handler != NULL)
        RemoveVectoredExceptionHandler(fault_handler);
    if (guard_index != TLS_OUT_OF_INDEXES)
        TlsFree(guard_index);
    if (thread_index != TLS_OUT_OF_INDEXES)
        TlsFree(thread_index);
    if (block_index != FLS_OUT_OF_INDEXES)
        FlsFree(block_index);
}

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved)
{
    (void)module;
    /* At the end of the process other threads were stopped anywhere, and what
     * they have locked stays locked; nothing needs to be freed then. */
    if (reason == DLL_PROCESS_DETACH && reserved == NULL)
        unload();
    return TRUE;
}
#endif
