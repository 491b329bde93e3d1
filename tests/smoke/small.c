/* Small things that the questions share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smoke.h"

double smoke_ms(void)
{
    LARGE_INTEGER now, frequency;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    return (double)now.QuadPart * 1e3 / (double)frequency.QuadPart;
}

smoke_any *smoke_function(const char *module, const char *name)
{
    HMODULE loaded = GetModuleHandleA(module);
    return loaded != NULL ? (smoke_any *)GetProcAddress(loaded, name) : NULL;
}

void smoke_own_path(char path[MAX_PATH])
{
    GetModuleFileNameA(NULL, path, MAX_PATH);
}

const char *smoke_name(const char *prefix, const char *part)
{
    static char names[64][64];
    static unsigned next;
    char *name = names[next++ % 64];
    snprintf(name, sizeof names[0], "%ssmoke-%lu-%s", prefix,
             (unsigned long)GetCurrentProcessId(), part);
    return name;
}

HANDLE smoke_thread(DWORD(WINAPI *run)(void *), void *argument)
{
    return CreateThread(NULL, 0, run, argument, 0, NULL);
}

bool smoke_held(winshm_region *region)
{
    winshm_info info = {.struct_size = sizeof info};
    double began = smoke_ms();
    while (smoke_ms() - began < SMOKE_PATIENCE_MS) {
        if (winshm_get_info(region, &info) == WINSHM_OK &&
            (info.lock_state & WINSHM_STATE_EXCLUSIVE) != 0 &&
            info.owner_pid != GetCurrentProcessId())
            return true;
        Sleep(1);
    }
    return false;
}

/* The DLL. */

static char module[MAX_PATH];

static bool write_file(const char *path, const void *bytes, DWORD length)
{
    DWORD done = 0;
    HANDLE file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS,
                              FILE_ATTRIBUTE_NORMAL, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return false;
    bool written = WriteFile(file, bytes, length, &done, NULL);
    CloseHandle(file);
    return written && done == length;
}

const char *smoke_module(struct answer *answer)
{
    char folder[MAX_PATH];
    HRSRC found = FindResourceA(NULL, MAKEINTRESOURCEA(1), (LPCSTR)RT_RCDATA);
    if (module[0] != '\0')
        return module;
    GetTempPathA(sizeof folder, folder);
    snprintf(module, sizeof module, "%swinshm-smoke-%lu.dll", folder,
             (unsigned long)GetCurrentProcessId());
    if (found != NULL &&
        write_file(module, LockResource(LoadResource(NULL, found)),
                   SizeofResource(NULL, found)))
        return module;
    smoke_skip(answer, "%s cannot be written: error %lu", module,
               (unsigned long)GetLastError());
    module[0] = '\0';
    return NULL;
}

void smoke_module_remove(void)
{
    if (module[0] != '\0')
        DeleteFileA(module);
}
