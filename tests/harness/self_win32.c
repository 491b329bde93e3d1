#include "self.h"

#include <stdio.h>
#include <stdlib.h>

#include <windows.h>

#include <psapi.h>

/** So many handles that are not there in a row, beyond the last one that there
 * was before, are the end: the lowest free one is always given out next. */
enum { HANDLES_BEYOND = 16 };

/** Wine 8 always tells 0. Asked for the handles of all processes, as some
 * programs do instead, its server reads on for ever where one of them has none
 * just now. So every handle that there may be is tried. */
static int count_handles(void)
{
    static UINT_PTR before;
    UINT_PTR last = 0;
    DWORD flags, count = 0;
    GetProcessHandleCount(GetCurrentProcess(), &count);
    if (count != 0)
        return (int)count;
    for (UINT_PTR i = 1; i <= (last > before ? last : before) + HANDLES_BEYOND;
         i++)
        if (GetHandleInformation((HANDLE)(4 * i), &flags)) {
            count++;
            last = i;
        }
    before = last;
    return (int)count;
}

static int count_views(void)
{
    MEMORY_BASIC_INFORMATION memory;
    const char *at = NULL;
    int count = 0;
    while (VirtualQuery(at, &memory, sizeof memory) != 0) {
        count += memory.Type == MEM_MAPPED &&
                 memory.AllocationBase == memory.BaseAddress;
        if ((UINT_PTR)memory.BaseAddress + memory.RegionSize <= (UINT_PTR)at)
            break;
        at = (const char *)memory.BaseAddress + memory.RegionSize;
    }
    return count;
}

struct holdings self_holdings(void)
{
    struct holdings holdings = {count_handles(), count_views()};
    return holdings;
}

uint32_t self_memory(void)
{
    PROCESS_MEMORY_COUNTERS memory;
    if (!K32GetProcessMemoryInfo(GetCurrentProcess(), &memory, sizeof memory))
        abort();
    return (uint32_t)(memory.PagefileUsage / 1024);
}

void *library_load(const char *file)
{
    HMODULE library = LoadLibraryA(file);
    if (library == NULL)
        fprintf(stderr, "LoadLibrary %s: error %lu\n", file,
                (unsigned long)GetLastError());
    return library;
}

void *library_symbol(void *library, const char *name)
{
    union {
        FARPROC function;
        void *address;
    } symbol;
    symbol.function = GetProcAddress(library, name);
    return symbol.address;
}

void library_unload(void *library)
{
    FreeLibrary(library);
}

bool library_present(const char *file)
{
    return GetModuleHandleA(file) != NULL;
}
