/* Linux: memory that is a file which somebody has cut short. Touching what is
 * gone is a signal: a copy of data ends with a status, and a control block is
 * put out of use. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

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

/** Where a thread goes on that a signal has interrupted. */
#if defined(__x86_64__)
#define GOES_ON_AT(context) ((context)->uc_mcontext.gregs[REG_RIP])
#elif defined(__i386__)
#define GOES_ON_AT(context) ((context)->uc_mcontext.gregs[REG_EIP])
#elif defined(__aarch64__)
#define GOES_ON_AT(context) ((context)->uc_mcontext.pc)
#endif

/* Copies of few bytes. They are written down here, so that the handler knows
 * them by the address of the instruction that has failed, and they leave the
 * registers as they are in which the guarded bytes were passed. So nothing has
 * to be prepared, and what fails returns from where it is.
 *
 * Of up to 64 bytes the first and the last ones are copied, in pieces that may
 * overlap, and no piece is stored before all were loaded. */

#if defined(__has_feature)
#define SANITIZED                                                              \
    (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||    \
     __has_feature(memory_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* Who looks at what memcpy() copies, as sanitizers do, sees nothing here; nor
 * does what somebody has defined in its place. */
#if !SANITIZED && !defined(memcpy) && defined(__LP64__) &&                     \
    (defined(__x86_64__) || defined(__aarch64__))
#define FEW
#endif

#ifdef FEW

winshm_status wshm_posix_copy_many(void *to, const void *from, uint64_t length,
                                   const void *guarded,
                                   uint64_t guarded_length);

/** Where the copy ends, and the instruction that returns from it. */
extern const char wshm_posix_few_end[], wshm_posix_few_return[];

#define FEW_BEGIN(type)                                                        \
    ".pushsection .text\n"                                                     \
    "    .p2align 5\n"                                                         \
    "    .globl wshm_platform_copy, wshm_posix_few_end\n"                      \
    "    .globl wshm_posix_few_return\n"                                       \
    "    .hidden wshm_platform_copy, wshm_posix_few_end\n"                     \
    "    .hidden wshm_posix_few_return, wshm_posix_copy_many\n"                \
    "    .type wshm_platform_copy, " type "\n"                                 \
    "wshm_platform_copy:\n"                                                    \
    "    .cfi_startproc\n"
#define FEW_END                                                                \
    "    .cfi_endproc\n"                                                       \
    "wshm_posix_few_end:\n"                                                    \
    "    .size wshm_platform_copy, .-wshm_platform_copy\n"                     \
    ".popsection\n"

#ifdef __x86_64__

__asm__(FEW_BEGIN("@function") "    cmpq $64, %rdx\n"
                               "    ja wshm_posix_copy_many\n"
                               "    cmpl $32, %edx\n"
                               "    jbe 1f\n"
                               "    movdqu (%rsi), %xmm0\n"
                               "    movdqu 16(%rsi), %xmm1\n"
                               "    movdqu -32(%rsi,%rdx), %xmm2\n"
                               "    movdqu -16(%rsi,%rdx), %xmm3\n"
                               "    movdqu %xmm0, (%rdi)\n"
                               "    movdqu %xmm1, 16(%rdi)\n"
                               "    movdqu %xmm2, -32(%rdi,%rdx)\n"
                               "    movdqu %xmm3, -16(%rdi,%rdx)\n"
                               "    xorl %eax, %eax\n"
                               "wshm_posix_few_return:\n"
                               "    ret\n"
                               "1:  cmpl $16, %edx\n"
                               "    jb 2f\n"
                               "    movdqu (%rsi), %xmm0\n"
                               "    movdqu -16(%rsi,%rdx), %xmm1\n"
                               "    movdqu %xmm0, (%rdi)\n"
                               "    movdqu %xmm1, -16(%rdi,%rdx)\n"
                               "    xorl %eax, %eax\n"
                               "    ret\n"
                               "2:  cmpl $8, %edx\n"
                               "    jb 3f\n"
                               "    movq (%rsi), %rax\n"
                               "    movq -8(%rsi,%rdx), %r9\n"
                               "    movq %rax, (%rdi)\n"
                               "    movq %r9, -8(%rdi,%rdx)\n"
                               "    xorl %eax, %eax\n"
                               "    ret\n"
                               "3:  cmpl $4, %edx\n"
                               "    jb 4f\n"
                               "    movl (%rsi), %eax\n"
                               "    movl -4(%rsi,%rdx), %r9d\n"
                               "    movl %eax, (%rdi)\n"
                               "    movl %r9d, -4(%rdi,%rdx)\n"
                               "    xorl %eax, %eax\n"
                               "    ret\n"
                               "4:  testl %edx, %edx\n"
                               "    je 5f\n"
                               "    movzbl -1(%rsi,%rdx), %r9d\n"
                               "    cmpl $1, %edx\n"
                               "    je 6f\n"
                               "    movzwl (%rsi), %eax\n"
                               "    movw %ax, (%rdi)\n"
                               "6:  movb %r9b, -1(%rdi,%rdx)\n"
                               "5:  xorl %eax, %eax\n"
                               "    ret\n" FEW_END);

#define FEW_FIRST(context) ((uintptr_t)(context)->uc_mcontext.gregs[REG_RCX])
#define FEW_LENGTH(context) ((uint64_t)(context)->uc_mcontext.gregs[REG_R8])
#define FEW_RETURN(context, status)                                            \
    ((context)->uc_mcontext.gregs[REG_RAX] = (status),                         \
     GOES_ON_AT(context) = (greg_t)wshm_posix_few_return)

#else

__asm__(FEW_BEGIN("%function") "    cmp x2, #64\n"
                               "    b.hi 6f\n"
                               "    add x5, x1, x2\n"
                               "    add x6, x0, x2\n"
                               "    cmp x2, #32\n"
                               "    b.ls 1f\n"
                               "    ldp q0, q1, [x1]\n"
                               "    ldp q2, q3, [x5, #-32]\n"
                               "    stp q0, q1, [x0]\n"
                               "    stp q2, q3, [x6, #-32]\n"
                               "    b 5f\n"
                               "1:  cmp x2, #16\n"
                               "    b.lo 2f\n"
                               "    ldr q0, [x1]\n"
                               "    ldr q1, [x5, #-16]\n"
                               "    str q0, [x0]\n"
                               "    str q1, [x6, #-16]\n"
                               "    b 5f\n"
                               "2:  tbz x2, #3, 3f\n"
                               "    ldr x7, [x1]\n"
                               "    ldr x8, [x5, #-8]\n"
                               "    str x7, [x0]\n"
                               "    str x8, [x6, #-8]\n"
                               "    b 5f\n"
                               "3:  tbz x2, #2, 4f\n"
                               "    ldr w7, [x1]\n"
                               "    ldr w8, [x5, #-4]\n"
                               "    str w7, [x0]\n"
                               "    str w8, [x6, #-4]\n"
                               "    b 5f\n"
                               "4:  cbz x2, 5f\n"
                               "    lsr x9, x2, #1\n"
                               "    ldrb w7, [x1]\n"
                               "    ldrb w8, [x1, x9]\n"
                               "    ldrb w10, [x5, #-1]\n"
                               "    strb w7, [x0]\n"
                               "    strb w8, [x0, x9]\n"
                               "    strb w10, [x6, #-1]\n"
                               "5:  mov w0, #0\n"
                               "wshm_posix_few_return:\n"
                               "    ret\n"
                               "6:  b wshm_posix_copy_many\n" FEW_END);

#define FEW_FIRST(context) ((uintptr_t)(context)->uc_mcontext.regs[3])
#define FEW_LENGTH(context) ((uint64_t)(context)->uc_mcontext.regs[4])
#define FEW_RETURN(context, status)                                            \
    ((context)->uc_mcontext.regs[0] = (uint32_t)(status),                      \
     GOES_ON_AT(context) = (uintptr_t)wshm_posix_few_return)

#endif

/** True if the fault was one of a copy of few bytes, which now returns. */
static bool few_ended(const siginfo_t *info, ucontext_t *context)
{
    uintptr_t first = (uintptr_t)wshm_platform_copy;
    if ((uintptr_t)GOES_ON_AT(context) - first >=
            (uintptr_t)wshm_posix_few_end - first ||
        (uintptr_t)info->si_addr - FEW_FIRST(context) >= FEW_LENGTH(context))
        return false;
    FEW_RETURN(context, WINSHM_E_FAULT);
    return true;
}

#else
#define wshm_posix_copy_many wshm_platform_copy
#endif

/* Copies of many bytes. One is left only by a fault of the thread that makes
 * it, at an address that lies in what it guards. */

struct guard {
    uintptr_t first;
    uint64_t length;
    void *out[5];
};

/* The static model keeps the cost of a guard below that of a function call. */
static __attribute__((
    tls_model("initial-exec"))) _Thread_local struct guard *volatile guarding;

/** Ends the copy that this thread makes with a status. */
static _Noreturn void leave(void)
{
    __builtin_longjmp(guarding->out, 1);
}

/** True if the fault was one of a copy of many bytes, which the thread leaves
 * as soon as the handler has returned: that alone brings back the signals which
 * were blocked for it, by whoever has put a handler of his own in front. */
static bool many_ended(const siginfo_t *info, ucontext_t *context)
{
    const struct guard *guard = guarding;
    if (guard == NULL ||
        (uintptr_t)info->si_addr - guard->first >= guard->length)
        return false;
#ifdef GOES_ON_AT
    GOES_ON_AT(context) = (uintptr_t)leave;
    return true;
#else
    (void)context;
    leave();
#endif
}

static struct sigaction previous;

static void on_fault(int signal, siginfo_t *info, void *context)
{
#ifdef FEW
    /* First: a handler of other signals may copy while a copy is interrupted.
     */
    if (info->si_code > 0 && few_ended(info, context))
        return;
#endif
    if (info->si_code > 0 && many_ended(info, context))
        return;
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
    /* SA_NODEFER: the handler that was there before may leave by a jump. */
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigaction(SIGBUS, &action, &previous);
}

__attribute__((noinline, used)) winshm_status
wshm_posix_copy_many(void *to, const void *from, uint64_t length,
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
