#include "self.h"

#include <stdio.h>
#include <stdlib.h>

#include <windows.h>

#include <psapi.h>

/* What NtQuerySystemInformation() tells of all handles of all processes. */
enum { HANDLES_OF_ALL = 64 };

struct handle_entry {
    void *object;
    ULONG_PTR process;
    ULONG_PTR handle;
    ULONG access;
    USHORT trace;
    USHORT type;
    ULONG attributes;
    ULONG reserved;
};

struct handle_list {
    ULONG_PTR count;
    ULONG_PTR reserved;
    struct handle_entry entries[1];
};

typedef LONG(NTAPI *query_system)(int, void *, ULONG, ULONG *);

static int count_among_all(void)
{
    static struct handle_list *all;
    static ULONG room;
    query_system query = (query_system)(void (*)(void))GetProcAddress(
        GetModuleHandleA("ntdll.dll"), "NtQuerySystemInformation");
    int count = 0;
    while (all == NULL || query(HANDLES_OF_ALL, all, room, NULL) < 0) {
        room = room == 0 ? 65536 : room * 2;
        all = realloc(all, room);
        if (query == NULL || all == NULL)
            abort();
    }
    for (ULONG_PTR i = 0; i < all->count; i++)
        count += all->entries[i].process == GetCurrentProcessId();
    return count;
}

/** Wine 8 always tells 0. */
static int count_handles(void)
{
    DWORD count = 0;
    GetProcessHandleCount(GetCurrentProcess(), &count);
    return count != 0 ? (int)count : count_among_all();
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
