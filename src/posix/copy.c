/* Linux: memory that is a file which somebody has cut short. Touching what is
 * gone is a signal: a copy of data ends with a status, and a control block is
 * put out of use. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "posix.h"

/* Control blocks. Pages of this process's own, all ones, come in the place of
 * the whole block in one step, so that no thread ever finds zeros, which would
 * be a free lock. Nothing here allocates or locks. */

/** As many as there can be handles; one that finds no room here is as it was
 * without all this. */
static _Atomic(struct platform_region *) controls[PLATFORM_REGIONS];

void wshm_posix_control_watch(struct platform_region *p)
{
    for (int i = 0; i < PLATFORM_REGIONS; i++) {
        struct platform_region *none = NULL;
        if (atomic_compare_exchange_strong(&controls[i], &none, p))
            return;
    }
}

void wshm_posix_control_unwatch(struct platform_region *p)
{
    for (int i = 0; i < PLATFORM_REGIONS; i++) {
        struct platform_region *watched = p;
        if (atomic_compare_exchange_strong(&controls[i], &watched, NULL))
            return;
    }
}

/** Replaces p's block. @return false if the system does not give the pages. */
static bool put_out_of_use(struct platform_region *p)
{
    size_t bytes = (size_t)p->control_bytes;
    /* A thread that comes second tries again until the first has finished. */
    if (atomic_exchange(&p->control_lost, 1) != 0)
        return true;
    void *ones = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (ones != MAP_FAILED) {
        memset(ones, 0xFF, bytes);
        if (mremap(ones, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
                   p->control_view) != MAP_FAILED)
            return true;
        munmap(ones, bytes);
    }
    /* Whoever handles the fault instead may come here again. */
    atomic_store(&p->control_lost, 0);
    return false;
}

/** True if the address lies in a control block, which is usable again. */
static bool control_fault(const siginfo_t *info)
{
    uintptr_t address = (uintptr_t)info->si_addr;
    if (info->si_code != BUS_ADRERR) /* memory has failed, or it was sent */
        return false;
    for (int i = 0; i < PLATFORM_REGIONS; i++) {
        struct platform_region *p = atomic_load(&controls[i]);
        if (p != NULL &&
            address - (uintptr_t)p->control_view < p->control_bytes)
            return put_out_of_use(p);
    }
    return false;
}

/* Copies. The handler jumps out of a fault only where a copy of this thread
 * runs and the address lies in what it guards. */

struct guard {
    uintptr_t first;
    uint64_t length;
    void *out[5];
};

/* The static model keeps the cost of a guard below that of a function call. */
static __attribute__((
    tls_model("initial-exec"))) _Thread_local struct guard *volatile guarding;

static struct sigaction previous;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    struct guard *guard = guarding;
    uintptr_t address = (uintptr_t)info->si_addr;
    if (guard != NULL && info->si_code > 0 &&
        address - guard->first < guard->length)
        __builtin_longjmp(guard->out, 1);
    int code = errno;
    bool usable = control_fault(info);
    errno = code;
    if (usable)
        return;
    /* Not ours: do what would have been done without us. */
    if ((previous.sa_flags & SA_SIGINFO) != 0) {
        previous.sa_sigaction(signal, info, context);
    } else if (previous.sa_handler == SIG_IGN && info->si_code <= 0) {
        return; /* sent, and ignored; a fault cannot be */
    } else if (previous.sa_handler != SIG_DFL &&
               previous.sa_handler != SIG_IGN) {
        previous.sa_handler(signal);
    } else {
        struct sigaction standard;
        memset(&standard, 0, sizeof standard);
        standard.sa_handler = SIG_DFL;
        sigaction(signal, &standard, NULL);
        if (info->si_code <= 0) /* sent, so it does not come again */
            raise(signal);
    }
}

void wshm_posix_copy_init(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_fault;
    /* SA_NODEFER: the mask stays as it is, so jumping out leaves it right. */
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigaction(SIGBUS, &action, &previous);
}

__attribute__((noinline)) winshm_status
wshm_platform_copy(void *to, const void *from, uint64_t length,
                   const void *guarded, uint64_t guarded_length)
{
    struct guard guard;
    guard.first = (uintptr_t)guarded;
    guard.length = guarded_length;
    if (__builtin_setjmp(guard.out) != 0) {
        guarding = NULL;
        return WINSHM_E_FAULT;
    }
    guarding = &guard;
    atomic_signal_fence(memory_order_seq_cst);
    memcpy(to, from, (size_t)length);
    atomic_signal_fence(memory_order_seq_cst);
    guarding = NULL;
    return WINSHM_OK;
}
