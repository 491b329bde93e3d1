/* A DLL that uses the library: closes in its destructor what it has open. What
 * threads do through it is asked for by test_module_win32.c. */
#include <windows.h>

#include <stdbool.h>
#include <stdint.h>

#include "winshm.h"

#define EXPORT __declspec(dllexport)

enum { SOON_MS = 1000 };

static winshm_region *handle;

/** A call that fails before any region was opened. */
EXPORT winshm_status host_fail(void)
{
    return winshm_unlock((winshm_region *)(uintptr_t)5, WINSHM_EXCLUSIVE);
}

EXPORT winshm_status host_open(const char *name)
{
    return winshm_open_or_create(name, 100, 0, &handle);
}

EXPORT winshm_status host_wait(void)
{
    uint32_t now = 0;
    winshm_change_count(handle, &now);
    return winshm_wait(handle, now, WINSHM_FOREVER, NULL);
}

EXPORT winshm_status host_lock(void)
{
    return winshm_lock(handle, WINSHM_EXCLUSIVE, WINSHM_FOREVER);
}

EXPORT winshm_status host_unlock(void)
{
    return winshm_unlock(handle, WINSHM_EXCLUSIVE);
}

EXPORT winshm_status host_close(void)
{
    return winshm_close(handle);
}

/** How the process ends: the status of the last close, or 100 if it took long.
 * Nobody else would tell. */
BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *ending)
{
    (void)module;
    if (reason == DLL_PROCESS_DETACH && ending != NULL && handle != NULL) {
        ULONGLONG began = GetTickCount64();
        winshm_status status = winshm_close(handle);
        bool late = GetTickCount64() - began > SOON_MS;
        TerminateProcess(GetCurrentProcess(), late ? 100 : (UINT)-status);
    }
    return TRUE;
}
