/* Exceptions that are none of the library's go on to whom they concern. */
#include <windows.h>

#include "check.h"
#include "child.h"

static const DWORD ours = 0xE0000001;
static LONG calls;
static char *page;

static LONG CALLBACK handle(EXCEPTION_POINTERS *fault)
{
    DWORD before, code = fault->ExceptionRecord->ExceptionCode;
    if (code == EXCEPTION_ACCESS_VIOLATION)
        VirtualProtect(page, 1, PAGE_READWRITE, &before);
    else if (code != ours)
        return EXCEPTION_CONTINUE_SEARCH;
    calls++;
    return EXCEPTION_CONTINUE_EXECUTION;
}

int main(void)
{
    winshm_region *h;
    char text[8];
    const char *name = name_of("process");
    CHECK_OK(winshm_create(name, 100, 0, &h));
    CHECK_OK(winshm_write(h, 0, "before", 7, 1000));
    void *handler = AddVectoredExceptionHandler(0, handle);
    RaiseException(ours, 0, 0, NULL);
    CHECK_EQ(calls, 1);
    page = VirtualAlloc(NULL, 1, MEM_COMMIT | MEM_RESERVE, PAGE_NOACCESS);
    *(volatile char *)page = 1;
    CHECK_EQ(calls, 2);
    /* In a copy, but not in what the copy guards: the caller's own buffer. */
    DWORD before;
    VirtualProtect(page, 1, PAGE_NOACCESS, &before);
    CHECK_OK(winshm_read(h, 0, page, 7, 1000));
    CHECK_EQ(calls, 3);
    CHECK(strcmp(page, "before") == 0);
    CHECK_OK(winshm_read(h, 0, text, 7, 1000));
    RemoveVectoredExceptionHandler(handler);
    CHECK_OK(winshm_close(h));
    puts("ok");
    return 0;
}
