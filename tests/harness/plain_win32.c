#include "plain.h"
#include "child.h"

#include <windows.h>

static bool plain_map(struct plain *plain, HANDLE section, uint64_t size)
{
    MEMORY_BASIC_INFORMATION memory;
    if (section == NULL)
        return false;
    plain->object = (intptr_t)section;
    plain->data = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0,
                                (SIZE_T)size);
    if (plain->data == NULL) {
        CloseHandle(section);
        return false;
    }
    if (size == 0 && VirtualQuery(plain->data, &memory, sizeof memory) != 0)
        size = memory.RegionSize;
    plain->size = size;
    return true;
}

static bool plain_make(struct plain *plain, HANDLE file, const char *name,
                       uint64_t size)
{
    SetLastError(0);
    HANDLE section = CreateFileMappingA(file, NULL, PAGE_READWRITE,
                                        (DWORD)(size >> 32), (DWORD)size, name);
    if (section != NULL && GetLastError() == ERROR_ALREADY_EXISTS) {
        CloseHandle(section);
        return false;
    }
    return plain_map(plain, section, size);
}

bool plain_create(struct plain *plain, const char *name, uint64_t size)
{
    return plain_make(plain, INVALID_HANDLE_VALUE, name, size);
}

static wchar_t disk_path[MAX_PATH];

bool plain_create_on_disk(struct plain *plain, const char *name, uint64_t size)
{
    wchar_t folder[MAX_PATH - 14];
    if (GetTempPathW(MAX_PATH - 14, folder) == 0 ||
        GetTempFileNameW(folder, L"wsh", 0, disk_path) == 0)
        child_fail("GetTempFileName");
    /* Goes with its last handle, of which the section has one. */
    HANDLE file =
        CreateFileW(disk_path, GENERIC_READ | GENERIC_WRITE | DELETE,
                    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    if (file == INVALID_HANDLE_VALUE)
        child_fail("CreateFile");
    bool made = plain_make(plain, file, name, size);
    CloseHandle(file);
    return made;
}

bool plain_open(struct plain *plain, const char *name, uint64_t size)
{
    HANDLE section =
        OpenFileMappingA(FILE_MAP_READ | FILE_MAP_WRITE, FALSE, name);
    return plain_map(plain, section, size);
}

void plain_close(struct plain *plain)
{
    UnmapViewOfFile(plain->data);
    CloseHandle((HANDLE)plain->object);
}

void plain_remove(const char *name)
{
    (void)name;
}

static uint64_t disk_bytes(void)
{
    WIN32_FILE_ATTRIBUTE_DATA facts;
    if (!GetFileAttributesExW(disk_path, GetFileExInfoStandard, &facts))
        return UINT64_MAX;
    return (uint64_t)facts.nFileSizeHigh << 32 | facts.nFileSizeLow;
}

/** Windows cuts no file that is mapped. Where it is Wine, Linux does. */
bool plain_truncate(const char *name, uint64_t size)
{
    typedef char *(CDECL * unix_name)(const wchar_t *);
    char line[MAX_PATH + 80];
    STARTUPINFOA startup = {.cb = sizeof startup};
    /* Of a program of Linux there are no handles: what Wine leaves here may be
     * the number of one of its own, and is not to be closed. */
    PROCESS_INFORMATION process;
    unix_name path_of = (unix_name)(void (*)(void))GetProcAddress(
        GetModuleHandleW(L"kernel32.dll"), "wine_get_unix_file_name");
    (void)name;
    if (path_of == NULL || disk_path[0] == L'\0')
        return false;
    char *path = path_of(disk_path);
    snprintf(line, sizeof line, "Z:\\usr\\bin\\truncate -s %lu \"%s\"",
             (unsigned long)size, path);
    HeapFree(GetProcessHeap(), 0, path);
    if (!CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup,
                        &process))
        return false;
    for (uint64_t end = clock_ms() + PATIENCE_MS; disk_bytes() != size;) {
        if (clock_ms() >= end)
            return false;
        Sleep(1);
    }
    return true;
}

bool plain_protect(void *page, bool protect)
{
    DWORD before;
    return VirtualProtect(page, 1, protect ? PAGE_NOACCESS : PAGE_READWRITE,
                          &before);
}

int plain_count(const char *prefix)
{
    (void)prefix;
    return -1;
}

intptr_t plain_obstruct(const char *name, int sort)
{
    HANDLE object = sort == 0   ? CreateMutexA(NULL, FALSE, name)
                    : sort == 1 ? CreateEventA(NULL, TRUE, FALSE, name)
                                : CreateSemaphoreA(NULL, 0, 1, name);
    if (object == NULL)
        child_fail(name);
    return (intptr_t)object;
}

void plain_clear(const char *name, intptr_t obstacle)
{
    (void)name;
    CloseHandle((HANDLE)obstacle);
}
