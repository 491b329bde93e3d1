#include "self.h"

#include <stdio.h>
#include <stdlib.h>

#include <windows.h>

/* What NtQuerySystemInformation() tells of all handles of all processes; the
 * function that counts one's own always says 0 under Wine. */
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

static int count_handles(void)
{
    static union {
        struct handle_list list;
        char bytes[8 << 20];
    } all;
    query_system query = (query_system)(void (*)(void))GetProcAddress(
        GetModuleHandleA("ntdll.dll"), "NtQuerySystemInformation");
    int count = 0;
    if (query == NULL || query(HANDLES_OF_ALL, &all, sizeof all, NULL) < 0)
        abort();
    for (ULONG_PTR i = 0; i < all.list.count; i++)
        count += all.list.entries[i].process == GetCurrentProcessId();
    return count;
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
