/* Exceptions that are none of the library's go on to whom they concern: to
 * those who look at them before it does, and to those who look after it. */
#include <windows.h>

#include "check.h"
#include "child.h"

static const DWORD ours = 0xE0000001;
static volatile LONG calls;
static volatile LONG continued;
static char *volatile page;  /* becomes usable when it is touched */
static volatile bool raises; /* in guard pages, the handler has its own */
static volatile bool passes; /* it looks on, and leaves all to others */

static LONG CALLBACK handle(EXCEPTION_POINTERS *fault)
{
    DWORD before, code = fault->ExceptionRecord->ExceptionCode;
    calls++;
    if (passes)
        return EXCEPTION_CONTINUE_SEARCH;
    if (code == EXCEPTION_GUARD_PAGE && raises) {
        RaiseException(EXCEPTION_ACCESS_VIOLATION, 0, 0, NULL);
        RaiseException((DWORD)EXCEPTION_IN_PAGE_ERROR, 0, 0, NULL);
    } else if (code == EXCEPTION_ACCESS_VIOLATION &&
               fault->ExceptionRecord->NumberParameters != 0) {
        VirtualProtect(page, 1, PAGE_READWRITE, &before);
    }
    return EXCEPTION_CONTINUE_EXECUTION;
}

/** Asked before what has had an exception goes on. */
static LONG CALLBACK handle_continue(EXCEPTION_POINTERS *fault)
{
    (void)fault;
    continued++;
    return EXCEPTION_CONTINUE_SEARCH;
}

static void protect(char *what, DWORD protection)
{
    DWORD before;
    page = what;
    CHECK(VirtualProtect(page, 1, protection, &before));
}

/** What the handler is to see, and how often. */
static void test_seen(winshm_region *h, char *buffer, bool nested)
{
    char text[8];
    calls = 0;
    RaiseException(ours, 0, 0, NULL);
    CHECK_EQ(calls, 1);
    protect(buffer, PAGE_NOACCESS);
    *(volatile char *)page = 1;
    CHECK_EQ(calls, 2);
    /* In a copy, but not in what the copy guards: the caller's own buffer. */
    protect(buffer, PAGE_NOACCESS);
    CHECK_OK(winshm_read(h, 0, buffer, 7, 1000));
    CHECK_EQ(calls, 3);
    CHECK(strcmp(buffer, "before") == 0);
    protect(buffer, PAGE_NOACCESS);
    CHECK_OK(winshm_write(h, 8, buffer, 7, 1000));
    CHECK_EQ(calls, 4);
    /* In what it guards, but of another sort, and in handlers. */
    raises = nested;
    protect(winshm_data(h), PAGE_READWRITE | PAGE_GUARD);
    CHECK_OK(winshm_read(h, 0, text, 7, 1000));
    CHECK_EQ(calls, nested ? 7 : 5);
    CHECK(strcmp(text, "before") == 0);
}

/** Somebody who looks on keeps no fault from being a status; and who would
 * end the process is not asked, neither about the fault nor about going on. */
static void test_fault(winshm_region *h, LONG looks)
{
    char text[8];
    void *handler = AddVectoredContinueHandler(1, handle_continue);
    calls = 0;
    continued = 0;
    passes = true;
    protect(winshm_data(h), PAGE_NOACCESS);
    CHECK_STATUS(winshm_read(h, 0, text, 7, 1000), WINSHM_E_FAULT);
    CHECK_STATUS(winshm_write(h, 0, text, 7, 1000), WINSHM_E_FAULT);
    protect(winshm_data(h), PAGE_READWRITE);
    passes = false;
    RemoveVectoredContinueHandler(handler);
    CHECK_EQ(calls, looks);
    CHECK_EQ(continued, 0);
}

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
    CHECK_OK(winshm_create(name_of("process"), 100, 0, &h));
    CHECK_OK(winshm_write(h, 0, "before", 7, 1000));
    char *buffer =
        VirtualAlloc(NULL, 1, MEM_COMMIT | MEM_RESERVE, PAGE_NOACCESS);
    LPTOP_LEVEL_EXCEPTION_FILTER filter = SetUnhandledExceptionFilter(handle);
    test_seen(h, buffer, false);
    test_fault(h, 0);
    SetUnhandledExceptionFilter(filter);
    void *handler = AddVectoredExceptionHandler(0, handle);
    test_seen(h, buffer, true);
    test_fault(h, 3); /* a short read that fails is made once more */
    RemoveVectoredExceptionHandler(handler);
    CHECK_OK(winshm_close(h));
    puts("ok");
    return 0;
}
