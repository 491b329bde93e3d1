/* Windows: copies. Only a fault that lies in what a copy guards is made a
 * status, by a handler of the copy's own stack frame: who looks at exceptions
 * first, as debuggers and vectored handlers do, has seen it by then. */
#include <string.h>

#include "status.h"
#include "win32.h"

struct guard {
    uintptr_t first;
    uint64_t length;
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

/* survived() copies, and returns false if there was a guarded fault. */

#if defined(_MSC_VER) || (defined(__clang__) && defined(_WIN64))

static void *copy(void *to, const void *from, size_t length)
{
    return memcpy(to, from, length);
}

/** Clang takes it that what it can see to throw nothing has no faults either,
 * and leaves the handler out. */
static void *(*volatile copy_unseen)(void *, const void *, size_t) = copy;

static bool survived(void *to, const void *from, size_t length,
                     const struct guard *guard)
{
    __try {
        copy_unseen(to, from, length);
    } __except (
        guarded_fault(
            ((EXCEPTION_POINTERS *)GetExceptionInformation())->ExceptionRecord,
            guard)
            ? EXCEPTION_EXECUTE_HANDLER
            : EXCEPTION_CONTINUE_SEARCH) {
        return false;
    }
    return true;
}

#else

/* GCC has no __try. What the others make of it is written down here. */

void *wshm_win32_copy(void *to, const void *from, size_t length);
bool wshm_win32_survived(void *to, const void *from, size_t length,
                         const struct guard *guard);
#define survived wshm_win32_survived

void *wshm_win32_copy(void *to, const void *from, size_t length)
{
    return memcpy(to, from, length);
}

#ifdef _WIN64

/** How many bytes wshm_win32_copy_few() copies at most, all of them guarded.
 * What somebody has defined in the place of memcpy() sees nothing of it. */
#ifndef memcpy
#define FEW 64
#endif

bool wshm_win32_copy_few(void *to, const void *from, size_t length,
                         const void *guarded);

/* Copies of few bytes have no frame and call nothing: what they guard is in
 * registers that they leave alone, and the filter finds it there. The first and
 * the last bytes are copied, in pieces that may overlap, and no piece is stored
 * before all were loaded. */
__asm__(".text\n"
        "    .p2align 5\n"
        "    .globl wshm_win32_copy_few\n"
        "    .def wshm_win32_copy_few; .scl 2; .type 32; .endef\n"
        "    .seh_proc wshm_win32_copy_few\n"
        "wshm_win32_copy_few:\n"
        "    .seh_endprologue\n"
        "1:  cmpl $32, %r8d\n"
        "    jbe 2f\n"
        "    movdqu (%rdx), %xmm0\n"
        "    movdqu 16(%rdx), %xmm1\n"
        "    movdqu -32(%rdx,%r8), %xmm2\n"
        "    movdqu -16(%rdx,%r8), %xmm3\n"
        "    movdqu %xmm0, (%rcx)\n"
        "    movdqu %xmm1, 16(%rcx)\n"
        "    movdqu %xmm2, -32(%rcx,%r8)\n"
        "    movdqu %xmm3, -16(%rcx,%r8)\n"
        "    jmp 6f\n"
        "2:  cmpl $16, %r8d\n"
        "    jb 3f\n"
        "    movdqu (%rdx), %xmm0\n"
        "    movdqu -16(%rdx,%r8), %xmm1\n"
        "    movdqu %xmm0, (%rcx)\n"
        "    movdqu %xmm1, -16(%rcx,%r8)\n"
        "    jmp 6f\n"
        "3:  cmpl $8, %r8d\n"
        "    jb 4f\n"
        "    movq (%rdx), %rax\n"
        "    movq -8(%rdx,%r8), %r10\n"
        "    movq %rax, (%rcx)\n"
        "    movq %r10, -8(%rcx,%r8)\n"
        "    jmp 6f\n"
        "4:  cmpl $4, %r8d\n"
        "    jb 5f\n"
        "    movl (%rdx), %eax\n"
        "    movl -4(%rdx,%r8), %r10d\n"
        "    movl %eax, (%rcx)\n"
        "    movl %r10d, -4(%rcx,%r8)\n"
        "    jmp 6f\n"
        "5:  testl %r8d, %r8d\n"
        "    je 6f\n"
        "    movzbl -1(%rdx,%r8), %r10d\n"
        "    cmpl $1, %r8d\n"
        "    je 8f\n"
        "    movzwl (%rdx), %eax\n"
        "    movw %ax, (%rcx)\n"
        "8:  movb %r10b, -1(%rcx,%r8)\n"
        "6:  movl $1, %eax\n"
        "    ret\n"
        "7:  xorl %eax, %eax\n"
        "    ret\n"
        "    .seh_handler __C_specific_handler, @except\n"
        "    .seh_handlerdata\n"
        "    .long 1\n"
        "    .rva 1b, 6b, wshm_win32_copy_few_filter, 7b\n"
        "    .text\n"
        "    .seh_endproc\n");

long wshm_win32_copy_few_filter(const EXCEPTION_POINTERS *fault, char *frame);

long wshm_win32_copy_few_filter(const EXCEPTION_POINTERS *fault, char *frame)
{
    /* Who looks at exceptions first may itself have one meanwhile, and the
     * filter is asked of that as well: then the registers are not the copy's,
     * nor is the stack. */
    const CONTEXT *context = fault->ContextRecord;
    const struct guard guard = {context->R9, context->R8};
    return context->Rsp == (uintptr_t)frame &&
                   guarded_fault(fault->ExceptionRecord, &guard)
               ? EXCEPTION_EXECUTE_HANDLER
               : EXCEPTION_CONTINUE_SEARCH;
}

/* The frame holds what a called function may use as it likes, and then the
 * guard. __C_specific_handler() is the C run-time's, and reads a table: for a
 * fault from 1: to 2:, ask the filter, and if it says so go on at 3:, with all
 * registers as this function had them. The NOP keeps the address at which
 * the copy returns inside. */
__asm__(".text\n"
        "    .globl wshm_win32_survived\n"
        "    .def wshm_win32_survived; .scl 2; .type 32; .endef\n"
        "    .seh_proc wshm_win32_survived\n"
        "wshm_win32_survived:\n"
        "    subq $40, %rsp\n"
        "    .seh_stackalloc 40\n"
        "    .seh_endprologue\n"
        "    movq %r9, 32(%rsp)\n"
        "1:  call wshm_win32_copy\n"
        "    nop\n"
        "2:  movl $1, %eax\n"
        "    jmp 4f\n"
        "3:  xorl %eax, %eax\n"
        "4:  addq $40, %rsp\n"
        "    ret\n"
        "    .seh_handler __C_specific_handler, @except\n"
        "    .seh_handlerdata\n"
        "    .long 1\n"
        "    .rva 1b, 2b, wshm_win32_copy_filter, 3b\n"
        "    .text\n"
        "    .seh_endproc\n");

long wshm_win32_copy_filter(const EXCEPTION_POINTERS *fault, char *frame);

long wshm_win32_copy_filter(const EXCEPTION_POINTERS *fault, char *frame)
{
    const struct guard *guard = *(struct guard **)(frame + 32);
    return guarded_fault(fault->ExceptionRecord, guard)
               ? EXCEPTION_EXECUTE_HANDLER
               : EXCEPTION_CONTINUE_SEARCH;
}

#else

/* Here a thread keeps a list of frames that have handlers, and each is asked.
 * Ours has the guard behind what the system knows of, and then the registers
 * that a function leaves as they were. The stack is a multiple of 16 where
 * the copy is called. The handler does not say that the copy may go on,
 * elsewhere: then those would be asked who have a say in that, and Go's
 * run-time ends the process. It unwinds to the frame instead, and leaves it
 * from there. */
__asm__(".text\n"
        "    .globl _wshm_win32_survived\n"
        "    .def _wshm_win32_survived; .scl 2; .type 32; .endef\n"
        "_wshm_win32_survived:\n"
        "    pushl %ebp\n"
        "    movl %esp, %ebp\n"
        "    pushl %ebx\n"
        "    pushl %esi\n"
        "    pushl %edi\n"
        "    pushl 20(%ebp)\n"
        "    pushl $_wshm_win32_copy_handler\n"
        "    pushl %fs:0\n"
        "    movl %esp, %fs:0\n"
        "    subl $4, %esp\n"
        "    pushl 16(%ebp)\n"
        "    pushl 12(%ebp)\n"
        "    pushl 8(%ebp)\n"
        "    call _wshm_win32_copy\n"
        "    addl $16, %esp\n"
        "    movl $1, %eax\n"
        "    jmp 1f\n"
        "_wshm_win32_copy_leave:\n"
        "    movl 8(%esp), %eax\n"
        "    pushl %eax\n"
        "    pushl $0\n"
        "    pushl 12(%esp)\n"
        "    pushl $2f\n"
        "    pushl %eax\n"
        "    call _RtlUnwind@16\n"
        "2:  popl %esp\n"
        "    cld\n"
        "    xorl %eax, %eax\n"
        "1:  popl %fs:0\n"
        "    addl $8, %esp\n"
        "    popl %edi\n"
        "    popl %esi\n"
        "    popl %ebx\n"
        "    popl %ebp\n"
        "    ret\n");

struct frame {
    struct frame *next;
    void *handler;
    const struct guard *guard;
};

_Noreturn void wshm_win32_copy_leave(const EXCEPTION_RECORD *fault,
                                     struct frame *frame);
EXCEPTION_DISPOSITION __cdecl wshm_win32_copy_handler(
    const EXCEPTION_RECORD *fault, struct frame *frame, CONTEXT *context,
    void *unused);

EXCEPTION_DISPOSITION __cdecl wshm_win32_copy_handler(
    const EXCEPTION_RECORD *fault, struct frame *frame, CONTEXT *context,
    void *unused)
{
    const DWORD unwinding = 0x02 | 0x04; /* another frame goes on */
    (void)context;
    (void)unused;
    if ((fault->ExceptionFlags & unwinding) == 0 &&
        guarded_fault(fault, frame->guard))
        wshm_win32_copy_leave(fault, frame);
    return ExceptionContinueSearch;
}

#endif
#endif

winshm_status wshm_platform_copy(void *to, const void *from, uint64_t length,
                                 const void *guarded, uint64_t guarded_length)
{
#ifdef FEW
    if (PLATFORM_LIKELY(length <= FEW && guarded_length == length))
        return wshm_win32_copy_few(to, from, (size_t)length, guarded)
                   ? WINSHM_OK
                   : WINSHM_E_FAULT;
#endif
    const struct guard guard = {(uintptr_t)guarded, guarded_length};
    return survived(to, from, (size_t)length, &guard) ? WINSHM_OK
                                                      : WINSHM_E_FAULT;
}
