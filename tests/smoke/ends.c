/* Unloading, and processes that end while their threads wait. */
#include <stdio.h>

#include "questions.h"

enum { SOON_MS = 1000, SETTLE_MS = 50 };

typedef int host_call(void);

static HMODULE host;
static volatile LONG reached, go_on;

static int call(const char *name)
{
    host_call *function =
        (host_call *)(void (*)(void))GetProcAddress(host, name);
    return function != NULL ? function() : 1;
}

/* A DLL with the library inside, unloaded while a thread runs that has called
 * it: at the thread's end nothing may lead there. */

static DWORD WINAPI fail_and_outlive(void *unused)
{
    (void)unused;
    call("host_fail");
    InterlockedExchange(&reached, 1);
    while (!go_on)
        Sleep(1);
    return 0;
}

int role_unloads(const char *module, uint32_t number)
{
    (void)number;
    host = LoadLibraryA(module);
    if (host == NULL)
        return 1;
    HANDLE thread = smoke_thread(fail_and_outlive, NULL);
    while (!reached)
        Sleep(1);
    FreeLibrary(host);
    InterlockedExchange(&go_on, 1);
    WaitForSingleObject(thread, INFINITE);
    return 0;
}

static void ask_role(struct answer *answer, const char *role)
{
    const char *module = smoke_module(answer);
    HANDLE child = module != NULL
                       ? smoke_start(answer, SMOKE_AS_SELF, role, module, 0)
                       : NULL;
    if (child == NULL)
        return;
    double began = smoke_ms();
    int code = smoke_end(child, SMOKE_PATIENCE_MS);
    double took = smoke_ms() - began;
    smoke_see(answer, "exit code 0x%lX after %.0f ms", (unsigned long)code,
              took);
    smoke_judge(answer, code == 0 && took < 5 * SOON_MS);
}

void ask_unloaded(struct answer *answer)
{
    ask_role(answer, "unloads");
}

/* The DLL closes in its destructor, when the waiting threads are gone. The exit
 * code is the close's status, or 100 if that took long. */

static DWORD WINAPI wait_in_host(void *unused)
{
    (void)unused;
    InterlockedIncrement(&reached);
    call("host_wait");
    return 0;
}

int role_destroys(const char *module, uint32_t number)
{
    typedef int host_open(const char *);
    (void)number;
    host = LoadLibraryA(module);
    host_open *opens =
        host != NULL
            ? (host_open *)(void (*)(void))GetProcAddress(host, "host_open")
            : NULL;
    if (opens == NULL || opens(smoke_name("", "destroyed")) != WINSHM_OK)
        return 1;
    for (int i = 0; i < 3; i++)
        smoke_thread(wait_in_host, NULL);
    while (reached < 3)
        Sleep(1);
    Sleep(SETTLE_MS);
    return 0; /* unless the destructor says something else */
}

void ask_destructor(struct answer *answer)
{
    ask_role(answer, "destroys");
}

/* The program itself. */

static winshm_region *region;

static DWORD WINAPI wait_for_lock(void *unused)
{
    (void)unused;
    InterlockedIncrement(&reached);
    return winshm_lock(region, WINSHM_EXCLUSIVE, WINSHM_FOREVER) == WINSHM_OK;
}

static DWORD WINAPI wait_for_change(void *unused)
{
    uint32_t seen = 0;
    (void)unused;
    InterlockedIncrement(&reached);
    if (winshm_change_count(region, &seen) == WINSHM_OK)
        winshm_wait(region, seen, WINSHM_FOREVER, NULL);
    return 0;
}

int role_exits(const char *name, uint32_t number)
{
    (void)number;
    if (winshm_open(name, 0, &region) != WINSHM_OK)
        return 1;
    smoke_thread(wait_for_lock, NULL);
    smoke_thread(wait_for_change, NULL);
    smoke_thread(wait_for_change, NULL);
    while (reached < 3)
        Sleep(1);
    Sleep(SETTLE_MS);
    *(volatile double *)winshm_data(region) = smoke_ms();
    return 0;
}

void ask_exit(struct answer *answer)
{
    winshm_region *own;
    winshm_info info = {.struct_size = sizeof info};
    const char *name = smoke_name("", "exits");
    if (!smoke_expect(answer, "winshm_create()",
                      winshm_create(name, sizeof(double), 0, &own), WINSHM_OK))
        return;
    smoke_expect(answer, "winshm_lock()", winshm_lock(own, WINSHM_EXCLUSIVE, 0),
                 WINSHM_OK);
    HANDLE child = smoke_start(answer, SMOKE_AS_SELF, "exits", name, 0);
    if (child != NULL) {
        int code = smoke_end(child, SMOKE_PATIENCE_MS);
        double took = smoke_ms() - *(volatile double *)winshm_data(own);
        winshm_unlock(own, WINSHM_EXCLUSIVE);
        winshm_get_info(own, &info);
        smoke_see(answer, "exit code 0x%lX after %.1f ms, %lu participant left",
                  (unsigned long)code, took, (unsigned long)info.participants);
        smoke_judge(answer,
                    code == 0 && took < SOON_MS && info.participants == 1);
    }
    winshm_close(own);
}
