/* Windows: codes, names, and sections. */
#include <stdio.h>
#include <string.h>

#include "status.h"
#include "win32.h"

winshm_status wshm_win32_error(const char *call, DWORD code)
{
    winshm_status status = WINSHM_E_SYSTEM;
    switch (code) {
    case ERROR_FILE_NOT_FOUND:
        status = WINSHM_E_NOT_FOUND;
        break;
    case ERROR_ACCESS_DENIED:
        status = WINSHM_E_ACCESS;
        break;
    case ERROR_INVALID_HANDLE: /* an object of another type has the name */
        status = WINSHM_E_KIND;
        break;
    case ERROR_TOO_MANY_OPEN_FILES:
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_COMMITMENT_LIMIT:
    case ERROR_NOT_ENOUGH_QUOTA: /* the job's or the user's, not the machine's
                                  */
    case ERROR_PAGEFILE_QUOTA:
    case ERROR_WORKING_SET_QUOTA:
        status = WINSHM_E_NO_MEMORY;
        break;
    }
    return wshm_error_os(status, call, (int32_t)code);
}

/* Names. They obey name.h, so the buffers are always long enough. */

static void wide(const struct platform_region *p, const char *narrow,
                 wchar_t name[WIN32_NAME_CHARS])
{
    wcscpy(name, p->global ? L"Global\\" : L"Local\\");
    int used = (int)wcslen(name);
    if (MultiByteToWideChar(CP_UTF8, 0, narrow, -1, name + used,
                            WIN32_NAME_CHARS - used) == 0)
        name[used] = L'\0';
}

void wshm_win32_name(const struct platform_region *p, const char *suffix,
                     wchar_t name[WIN32_NAME_CHARS])
{
    char narrow[WIN32_NAME_CHARS];
    snprintf(narrow, sizeof narrow, "%s%s", p->name, suffix);
    wide(p, narrow, name);
}

void wshm_win32_slot_name(const struct platform_region *p, uint32_t slot,
                          const char *suffix, wchar_t name[WIN32_NAME_CHARS])
{
    char narrow[WIN32_NAME_CHARS];
    snprintf(narrow, sizeof narrow, "winshm.%08lx%08lx%08lx%08lx.%lu%s",
             (unsigned long)p->id[0], (unsigned long)p->id[1],
             (unsigned long)p->id[2], (unsigned long)p->id[3],
             (unsigned long)slot, suffix);
    wide(p, narrow, name);
}

/* Sections. */

HANDLE wshm_win32_section_open(const struct platform_region *p,
                               const char *suffix, DWORD access, DWORD *code)
{
    wchar_t name[WIN32_NAME_CHARS];
    wshm_win32_name(p, suffix, name);
    HANDLE section =
        OpenFileMappingW(access | SECTION_QUERY | READ_CONTROL, FALSE, name);
    if (section == NULL && GetLastError() == ERROR_ACCESS_DENIED)
        section = OpenFileMappingW(access, FALSE, name);
    *code = section == NULL ? GetLastError() : ERROR_SUCCESS;
    return section;
}

HANDLE wshm_win32_section_make(const struct platform_region *p,
                               const char *suffix, DWORD pages, uint64_t bytes,
                               struct win32_security *security, DWORD *code)
{
    wchar_t name[WIN32_NAME_CHARS];
    wshm_win32_name(p, suffix, name);
    SetLastError(ERROR_SUCCESS);
    HANDLE section = CreateFileMappingW(
        INVALID_HANDLE_VALUE, &security->attributes, PAGE_READWRITE | pages,
        (DWORD)(bytes >> 32), (DWORD)bytes, name);
    *code = GetLastError();
    return section;
}

winshm_status wshm_win32_section_refused(const struct platform_region *p,
                                         const char *suffix, DWORD code)
{
    if (code == ERROR_INVALID_PARAMETER) /* all the others are right */
        return wshm_error_os(WINSHM_E_SIZE, "CreateFileMappingW",
                             (int32_t)code);
    if (code == ERROR_ACCESS_DENIED && p->global) {
        DWORD opening;
        HANDLE section =
            wshm_win32_section_open(p, suffix, FILE_MAP_READ, &opening);
        if (section != NULL)
            CloseHandle(section);
        else if (opening == ERROR_FILE_NOT_FOUND)
            return wshm_error_os(WINSHM_E_PRIVILEGE, "CreateFileMappingW",
                                 (int32_t)code);
    }
    return wshm_win32_error("CreateFileMappingW", code);
}

struct section_facts { /* what NtQuerySection() tells of class 0 */
    void *base;
    ULONG attributes;
    LARGE_INTEGER size;
};

typedef LONG(NTAPI *query_section)(HANDLE, ULONG, void *, ULONG, ULONG *);

/** Adds up what a view of a whole section has, which is of several sorts where
 * only part of it is committed. @return 0: refused. */
static uint64_t view_bytes(const void *view)
{
    MEMORY_BASIC_INFORMATION memory;
    uint64_t bytes = 0;
    while (VirtualQuery((const char *)view + bytes, &memory, sizeof memory) !=
               0 &&
           memory.AllocationBase == view)
        bytes += memory.RegionSize;
    return bytes;
}

winshm_status wshm_win32_section_bytes(HANDLE section, uint64_t *bytes,
                                       bool *reserved)
{
    struct section_facts facts;
    query_section query = (query_section)(void (*)(void))GetProcAddress(
        GetModuleHandleW(L"ntdll.dll"), "NtQuerySection");
    if (query != NULL && query(section, 0, &facts, sizeof facts, NULL) >= 0) {
        /* A program file is not for sharing data. */
        if ((facts.attributes & SEC_IMAGE) == SEC_IMAGE)
            return WINSHM_E_KIND;
        *bytes = (uint64_t)facts.size.QuadPart;
        *reserved = (facts.attributes & SEC_RESERVE) != 0;
        return WINSHM_OK;
    }
    /* The right to ask may be missing; a view tells too. */
    void *view = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
    if (view == NULL)
        return wshm_win32_error("MapViewOfFile", GetLastError());
    uint64_t told = view_bytes(view);
    DWORD code = GetLastError();
    UnmapViewOfFile(view);
    if (told == 0)
        return wshm_win32_error("VirtualQuery", code);
    *bytes = told;
    *reserved = true;
    return WINSHM_OK;
}

void wshm_win32_close(platform_object *object)
{
    if (*object != PLATFORM_NONE)
        CloseHandle(wshm_win32_handle(*object));
    *object = PLATFORM_NONE;
}

void wshm_win32_stay_loaded(void)
{
#ifndef WINSHM_DLL
    static const char here;
    HMODULE module;
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                           GET_MODULE_HANDLE_EX_FLAG_PIN,
                       (const wchar_t *)(const void *)&here, &module);
#endif
}

/* Files. */

void wshm_win32_path(const char *path, const wchar_t *suffix,
                     wchar_t wide[WIN32_PATH_CHARS])
{
    if (MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, WIN32_PATH_CHARS) == 0)
        wide[0] = L'\0';
    wcscat(wide, suffix);
}

bool wshm_win32_is_folder(const wchar_t *path)
{
    DWORD attributes = GetFileAttributesW(path);
    return attributes != INVALID_FILE_ATTRIBUTES &&
           (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}
