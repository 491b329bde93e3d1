#include <windows.h>

#include "fault.h"

/* What NtQuerySystemInformation() tells of class 64; GetProcessHandleCount()
 * is always 0 under Wine. */
struct handle_facts {
    void *object;
    ULONG_PTR process;
    ULONG_PTR handle;
    ULONG access;
    USHORT trace, type;
    ULONG attributes, reserved;
};

struct all_handles {
    ULONG_PTR count, reserved;
    struct handle_facts handles[1];
};

typedef LONG(NTAPI *query)(ULONG, void *, ULONG, ULONG *);

static int count_handles(void)
{
    static struct all_handles *all;
    static ULONG room;
    query ask = (query)(void (*)(void))GetProcAddress(
        GetModuleHandleW(L"ntdll.dll"), "NtQuerySystemInformation");
    int count = 0;
    while (all == NULL || ask(64, all, room, NULL) < 0) {
        room = room == 0 ? 65536 : room * 2;
        all = realloc(all, room);
        if (all == NULL)
            exit(1);
    }
    for (ULONG_PTR i = 0; i < all->count; i++)
        if (all->handles[i].process == GetCurrentProcessId())
            count++;
    return count;
}

static int count_mappings(void)
{
    MEMORY_BASIC_INFORMATION memory;
    char *at = NULL;
    int count = 0;
    while (VirtualQuery(at, &memory, sizeof memory) != 0) {
        if (memory.State != MEM_FREE && memory.Type == MEM_MAPPED &&
            memory.AllocationBase == memory.BaseAddress)
            count++;
        at = (char *)memory.BaseAddress + memory.RegionSize;
    }
    return count;
}

/** Allocations of the heap that both HeapAlloc() and LocalAlloc() use. */
static int count_blocks(void)
{
    PROCESS_HEAP_ENTRY entry;
    HANDLE heap = GetProcessHeap();
    int count = 0;
    entry.lpData = NULL;
    HeapLock(heap);
    while (HeapWalk(heap, &entry))
        if ((entry.wFlags & PROCESS_HEAP_ENTRY_BUSY) != 0)
            count++;
    HeapUnlock(heap);
    return count;
}

void fault_count(struct fault_holdings *holdings)
{
    holdings->handles = count_handles();
    holdings->mappings = count_mappings();
    holdings->names = -1;
    holdings->blocks = count_blocks();
}

bool fault_leave_names(winshm_region *h, const char *name)
{
    (void)h;
    (void)name;
    return false;
}
