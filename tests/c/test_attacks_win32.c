/* What a program can do to a region that it may only read: nothing. It tries
 * to map it for writing, to change how it is mapped, to get more rights for a
 * handle, and to make a section for writing of one for reading.
 *
 * Wine gives an owner the right to change the descriptor whatever it says, so
 * the region is the system's here, which takes an administrator on Windows. */
#include <windows.h>

#include "check.h"
#include "child.h"
#include "layout.h"

enum { BYTES = 5000 };

typedef LONG(NTAPI *query_section)(HANDLE, ULONG, void *, ULONG, ULONG *);

static bool is_section(HANDLE handle)
{
    struct {
        void *base;
        ULONG attributes;
        LARGE_INTEGER size;
    } facts;
    query_section query = (query_section)(void (*)(void))GetProcAddress(
        GetModuleHandleA("ntdll.dll"), "NtQuerySection");
    return query(handle, 0, &facts, sizeof facts, NULL) >= 0;
}

/** @return true if the handle is one of a section. */
static bool attack_handle(HANDLE section)
{
    static const DWORD rights[] = {
        SECTION_MAP_WRITE,  SECTION_MAP_WRITE | SECTION_MAP_READ,
        SECTION_ALL_ACCESS, WRITE_DAC,
        WRITE_OWNER,        SECTION_EXTEND_SIZE,
        GENERIC_WRITE,      GENERIC_ALL};
    HANDLE self = GetCurrentProcess(), more;
    if (!is_section(section))
        return false;
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++) {
        CHECK(
            !DuplicateHandle(self, section, self, &more, rights[i], FALSE, 0));
        CHECK_EQ(GetLastError(), ERROR_ACCESS_DENIED);
    }
    CHECK(MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0) == NULL);
    CHECK_EQ(GetLastError(), ERROR_ACCESS_DENIED);
    CHECK(MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, 0) == NULL);
    CHECK_EQ(GetLastError(), ERROR_ACCESS_DENIED);
    return true;
}

static void attack_name(const char *name)
{
    CHECK(OpenFileMappingA(FILE_MAP_WRITE, FALSE, name) == NULL);
    CHECK_EQ(GetLastError(), ERROR_ACCESS_DENIED);
    CHECK(OpenFileMappingA(WRITE_DAC, FALSE, name) == NULL);
    CHECK_EQ(GetLastError(), ERROR_ACCESS_DENIED);
    CHECK(CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                             BYTES, name) == NULL);
    CHECK_EQ(GetLastError(), ERROR_ACCESS_DENIED);
}

static void attack_view(void *view)
{
    static const DWORD protections[] = {PAGE_READWRITE, PAGE_EXECUTE_READWRITE};
    MEMORY_BASIC_INFORMATION memory;
    CHECK(VirtualQuery(view, &memory, sizeof memory) != 0);
    CHECK_EQ(memory.AllocationProtect, PAGE_READONLY);
    CHECK_EQ(memory.Protect, PAGE_READONLY);
    for (int i = 0; i < 2; i++) {
        DWORD before;
        CHECK(!VirtualProtect(view, 4096, protections[i], &before));
        CHECK(VirtualAlloc(view, 4096, MEM_COMMIT, protections[i]) == NULL);
    }
    CHECK(!WriteProcessMemory(GetCurrentProcess(), view, "x", 1, NULL));
    CHECK(VirtualQuery(view, &memory, sizeof memory) != 0);
    CHECK_EQ(memory.Protect, PAGE_READONLY);
}

static void role_attack(const char *name, uint32_t observes)
{
    winshm_region *h;
    winshm_view *view;
    winshm_info info = {.struct_size = sizeof info};
    MEMORY_BASIC_INFORMATION memory;
    char *address = NULL, control[300];
    int sections = 0, blocks = 0;
    CHECK_OK(winshm_open(name, WINSHM_READ, &h));
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_EQ(info.observer, observes);
    CHECK_STATUS(winshm_map(h, 0, 1, WINSHM_WRITE, &view), WINSHM_E_ACCESS);
    CHECK_OK(winshm_map(h, 0, BYTES, 0, &view));
    attack_view(winshm_data(h));
    attack_view(winshm_view_data(view));
    if (observes) {
        snprintf(control, sizeof control, "%s.winshm", name);
        attack_name(name);
        attack_name(control);
        for (uintptr_t value = 4; value < 4096; value += 4)
            sections += attack_handle((HANDLE)value);
        CHECK(sections >= 2);
        /* Also the control block, which is mapped somewhere. */
        while (VirtualQuery(address, &memory, sizeof memory) != 0) {
            if (memory.State == MEM_COMMIT && memory.Type == MEM_MAPPED &&
                memory.Protect == PAGE_READONLY &&
                memory.RegionSize >= LAYOUT_BYTES &&
                *(uint32_t *)memory.BaseAddress == LAYOUT_MAGIC) {
                attack_view(memory.BaseAddress);
                blocks++;
            }
            address = (char *)memory.BaseAddress + memory.RegionSize;
        }
        CHECK_EQ(blocks, 1);
    }
    CHECK_OK(winshm_unmap(view));
    CHECK_OK(winshm_close(h));
}

static const struct role roles[] = {{"attack", role_attack}, {NULL, NULL}};

int main(int argc, char **argv)
{
    static const char *const words[] = {"owner", "O:SYD:P(A;;GR;;;WD)"};
    const char *name = name_of("attacks");
    child_run_role(argc, argv, roles);
    for (uint32_t i = 0; i < 2; i++) {
        winshm_region *h, *other;
        winshm_options o = {.struct_size = sizeof o,
                            .disposition = WINSHM_CREATE_NEW,
                            .size = BYTES,
                            .name = name,
                            .security = words[i]};
        CHECK_OK(winshm_open_with(&o, &h));
        memset(winshm_data(h), 'k', BYTES);
        struct child child = child_start("attack", name, i);
        CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
        if (i == 1)
            CHECK_STATUS(winshm_open(name, 0, &other), WINSHM_E_ACCESS);
        for (int k = 0; k < BYTES; k++)
            CHECK_EQ(((char *)winshm_data(h))[k], 'k');
        CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
        CHECK_OK(winshm_close(h));
    }
    return 0;
}
