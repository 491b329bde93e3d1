/* Windows: copies. Only a fault that lies in what a copy guards is made a
 * status. */
#include <string.h>

#include "status.h"
#include "win32.h"

static DWORD guard_index = TLS_OUT_OF_INDEXES;
static void *fault_handler;

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

bool wshm_win32_copy_init(void)
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

bool wshm_win32_copy_init(void)
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

void wshm_win32_copy_exit(void)
{
    if (fault_handler != NULL)
        RemoveVectoredExceptionHandler(fault_handler);
    if (guard_index != TLS_OUT_OF_INDEXES)
        TlsFree(guard_index);
}
