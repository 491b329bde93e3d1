/* Exceptions that are none of the library's go on to whom they concern. */
#include <windows.h>

#include "check.h"
#include "child.h"

#ifdef _WIN64
#define CONTEXT_PC Rip
#define CONTEXT_STACK Rsp
#define CONTEXT_FRAME Rbp
#else
#define CONTEXT_PC Eip
#define CONTEXT_STACK Esp
#define CONTEXT_FRAME Ebp
#endif

static const DWORD ours = 0xE0000001;
static volatile LONG calls;
static char *volatile page; /* becomes usable when it is touched */
static char *data;
static volatile bool raises; /* a handler has exceptions of its own */
static void *out[5];         /* __builtin_setjmp(): frame, label, stack */
static volatile bool jumps;  /* the next access violation ends there */

static LONG CALLBACK handle(EXCEPTION_POINTERS *fault)
{
    CONTEXT *context = fault->ContextRecord;
    DWORD before, code = fault->ExceptionRecord->ExceptionCode;
    calls++;
    if (code == EXCEPTION_GUARD_PAGE && raises) {
        RaiseException(EXCEPTION_ACCESS_VIOLATION, 0, 0, NULL);
        RaiseException((DWORD)EXCEPTION_IN_PAGE_ERROR, 0, 0, NULL);
    } else if (code == EXCEPTION_ACCESS_VIOLATION && jumps) {
        jumps = false;
        VirtualProtect(data, 1, PAGE_NOACCESS, &before);
        page = data;
        context->CONTEXT_FRAME = (uintptr_t)out[0];
        context->CONTEXT_PC = (uintptr_t)out[1];
        context->CONTEXT_STACK = (uintptr_t)out[2];
    } else if (code == EXCEPTION_ACCESS_VIOLATION && !raises) {
        VirtualProtect(page, 1, PAGE_READWRITE, &before);
    } else if (code != ours && !raises) {
        calls--;
        return EXCEPTION_CONTINUE_SEARCH;
    }
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void protect(char *what, DWORD protection)
{
    DWORD before;
    page = what;
    CHECK(VirtualProtect(page, 1, protection, &before));
}

/** In a copy: in what it guards, but of another sort, and in handlers. */
static void test_within(winshm_region *h)
{
    char text[8];
    calls = 0;
    raises = true;
    protect(winshm_data(h), PAGE_READWRITE | PAGE_GUARD);
    CHECK_OK(winshm_read(h, 0, text, 7, 1000));
    CHECK_EQ(calls, 3);
    CHECK(strcmp(text, "before") == 0);
    raises = false;
}

#ifdef __GNUC__
/** So far down that what it leaves on the stack is there after a fault, too. */
static __attribute__((noinline)) void read_deep(winshm_region *h, char *buffer)
{
    volatile char room[65536];
    room[0] = (char)winshm_read(h, 0, buffer, 7, 1000);
    room[1] = room[0];
}

/** After a copy that its caller was made to leave by a jump: it does not guard
 * any more, and its part of the stack is others'. */
static void test_left(winshm_region *h, char *buffer)
{
    static volatile int returns;
    char text[8];
    data = winshm_data(h);
    calls = 0;
    jumps = true;
    protect(buffer, PAGE_NOACCESS);
    if (__builtin_setjmp(out) == 0)
        read_deep(h, buffer);
    CHECK_EQ(*(volatile char *)data, 'b');
    CHECK_EQ(++returns, 1);
    CHECK_EQ(calls, 2);
    CHECK_OK(winshm_read(h, 0, text, 7, 1000));
}
#endif

static _Atomic uint32_t turn;

static void take_turns(void *region)
{
    CHECK_STATUS(winshm_unlock(region, WINSHM_EXCLUSIVE), WINSHM_E_NOT_OWNER);
    turn = 1;
    for (int i = 0; i < 200; i++) {
        CHECK_OK(winshm_lock(region, WINSHM_EXCLUSIVE, PATIENCE_MS));
        CHECK_STATUS(winshm_lock(region, WINSHM_SHARED, 0), WINSHM_E_DEADLOCK);
        CHECK_OK(winshm_unlock(region, WINSHM_EXCLUSIVE));
        CHECK_STATUS(winshm_unlock(region, WINSHM_EXCLUSIVE),
                     WINSHM_E_NOT_OWNER);
    }
}

/** The library comes so late that the thread's block has no room any more for
 * what it keeps there of each thread. */
static void role_late(const char *name, uint32_t unused)
{
    winshm_region *h;
    DWORD index = 0;
    (void)unused;
    for (int i = 0; i < 70; i++)
        index = TlsAlloc();
    CHECK(index != TLS_OUT_OF_INDEXES && index >= 64);
    CHECK_OK(winshm_create(name, 100, 0, &h));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    struct thread threads[2];
    for (int i = 0; i < 2; i++) {
        turn = 0;
        threads[i] = thread_start(take_turns, h);
        while (!turn)
            sleep_ms(1);
    }
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    for (int i = 0; i < 2; i++)
        thread_join(threads[i]);
    take_turns(h);
    CHECK_OK(winshm_close(h));
}

static const struct role roles[] = {{"late", role_late}, {NULL, NULL}};

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    struct child child = child_start("late", name_of("late"), 0);
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    winshm_region *h;
    char text[8];
    const char *name = name_of("process");
    CHECK_OK(winshm_create(name, 100, 0, &h));
    CHECK_OK(winshm_write(h, 0, "before", 7, 1000));
    void *handler = AddVectoredExceptionHandler(0, handle);
    RaiseException(ours, 0, 0, NULL);
    CHECK_EQ(calls, 1);
    char *buffer =
        VirtualAlloc(NULL, 1, MEM_COMMIT | MEM_RESERVE, PAGE_NOACCESS);
    page = buffer;
    *(volatile char *)page = 1;
    CHECK_EQ(calls, 2);
    /* In a copy, but not in what the copy guards: the caller's own buffer. */
    protect(buffer, PAGE_NOACCESS);
    CHECK_OK(winshm_read(h, 0, buffer, 7, 1000));
    CHECK_EQ(calls, 3);
    CHECK(strcmp(buffer, "before") == 0);
    CHECK_OK(winshm_read(h, 0, text, 7, 1000));
    test_within(h);
#ifdef __GNUC__
    test_left(h, buffer);
#endif
    RemoveVectoredExceptionHandler(handler);
    CHECK_OK(winshm_close(h));
    puts("ok");
    return 0;
}
