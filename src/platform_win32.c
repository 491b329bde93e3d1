/* Windows: the objects behind a region.
 *
 * One name is one object for as long as any handle to it is open; so nothing
 * has to be removed, and whatever a dead process had is gone with it. */
#include "platform_win32.h"

#include <stdio.h>
#include <string.h>

#include "status.h"

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

/** Opens a section; with the rights to ask for its size and its owner too,
 * where they are granted. @return NULL with *code. */
static HANDLE section_open(const struct platform_region *p, const char *suffix,
                           DWORD access, DWORD *code)
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

/** Makes a section. @return NULL with *code; else *code is 0, or
 * ERROR_ALREADY_EXISTS for a handle to the one that was there. */
static HANDLE section_make(const struct platform_region *p, const char *suffix,
                           uint64_t bytes, struct win32_security *security,
                           DWORD *code)
{
    wchar_t name[WIN32_NAME_CHARS];
    wshm_win32_name(p, suffix, name);
    SetLastError(ERROR_SUCCESS);
    HANDLE section = CreateFileMappingW(
        INVALID_HANDLE_VALUE, &security->attributes, PAGE_READWRITE,
        (DWORD)(bytes >> 32), (DWORD)bytes, name);
    *code = GetLastError();
    return section;
}

/** Why section_make() failed. */
static winshm_status section_refused(const struct platform_region *p,
                                     const char *suffix, DWORD code)
{
    if (code == ERROR_INVALID_PARAMETER) /* all the others are right */
        return wshm_error_os(WINSHM_E_SIZE, "CreateFileMappingW",
                             (int32_t)code);
    if (code == ERROR_ACCESS_DENIED && p->global) {
        DWORD opening;
        HANDLE section = section_open(p, suffix, FILE_MAP_READ, &opening);
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

static winshm_status section_bytes(HANDLE section, uint64_t *bytes)
{
    struct section_facts facts;
    MEMORY_BASIC_INFORMATION memory;
    query_section query = (query_section)(void (*)(void))GetProcAddress(
        GetModuleHandleW(L"ntdll.dll"), "NtQuerySection");
    if (query != NULL && query(section, 0, &facts, sizeof facts, NULL) >= 0) {
        /* A program file is not for sharing data. */
        if ((facts.attributes & SEC_IMAGE) == SEC_IMAGE)
            return WINSHM_E_KIND;
        *bytes = (uint64_t)facts.size.QuadPart;
        return WINSHM_OK;
    }
    /* The right to ask may be missing; a view tells too. */
    void *view = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
    if (view == NULL)
        return wshm_win32_error("MapViewOfFile", GetLastError());
    SIZE_T told = VirtualQuery(view, &memory, sizeof memory);
    UnmapViewOfFile(view);
    if (told == 0)
        return wshm_win32_error("VirtualQuery", GetLastError());
    *bytes = memory.RegionSize;
    return WINSHM_OK;
}

static void object_close(platform_object *object)
{
    if (*object != PLATFORM_NONE)
        CloseHandle(wshm_win32_handle(*object));
    *object = PLATFORM_NONE;
}

/* The life of a region. */

static winshm_status life_take(struct platform_region *p,
                               const struct win32_security *section,
                               HANDLE control, uint64_t deadline_ns)
{
    struct win32_security security;
    wchar_t name[WIN32_NAME_CHARS];
    DWORD got;
    winshm_status status =
        wshm_win32_security_derive(section, control, &security);
    if (status != WINSHM_OK)
        return status;
    wshm_win32_name(p, ".winshm.lock", name);
    HANDLE life = CreateMutexExW(&security.attributes, name, 0,
                                 SYNCHRONIZE | MUTEX_MODIFY_STATE);
    DWORD code = GetLastError();
    wshm_win32_security_free(&security);
    if (life == NULL)
        return wshm_win32_error("CreateMutexExW", code);
    do {
        uint64_t now = wshm_platform_now();
        uint64_t left = now < deadline_ns ? deadline_ns - now : 0;
        uint64_t slice = (left + 999999) / 1000000;
        got = WaitForSingleObject(life, slice < 60000 ? (DWORD)slice : 60000);
        if (got == WAIT_TIMEOUT && left == 0)
            status = WINSHM_E_TIMEOUT;
        else if (got == WAIT_FAILED)
            status = wshm_win32_error("WaitForSingleObject", GetLastError());
    } while (got == WAIT_TIMEOUT && status == WINSHM_OK);
    /* Abandoned is as good as free: whoever enters checks everything. */
    if (status == WINSHM_OK)
        p->life = (platform_object)life;
    else
        CloseHandle(life);
    return status;
}

static winshm_status control_map(struct platform_region *p, uint64_t bytes,
                                 DWORD access)
{
    uint64_t held;
    HANDLE control = wshm_win32_handle(p->control);
    winshm_status status = section_bytes(control, &held);
    if (status != WINSHM_OK)
        return status;
    if (held < bytes)
        return WINSHM_E_FOREIGN;
    p->control_view = MapViewOfFile(control, access, 0, 0, (SIZE_T)bytes);
    if (p->control_view == NULL)
        return wshm_win32_error("MapViewOfFile", GetLastError());
    p->control_bytes = bytes;
    return WINSHM_OK;
}

/** Steps 1 to 4 of entering, with everything that it took left in p. */
static winshm_status enter(struct platform_region *p, enum platform_entry entry,
                           uint64_t bytes, struct win32_security *security,
                           bool anybodys, uint64_t deadline_ns)
{
    static const char suffix[] = ".winshm";
    const DWORD access = entry == PLATFORM_OBSERVE
                             ? FILE_MAP_READ
                             : FILE_MAP_READ | FILE_MAP_WRITE;
    DWORD code;
    /* Opened before it is made: only making asks for the privilege. */
    HANDLE control = section_open(p, suffix, access, &code);
    if (control != NULL)
        p->control = (platform_object)control;
    else if (code != ERROR_FILE_NOT_FOUND || entry != PLATFORM_CREATE)
        return wshm_win32_error("OpenFileMappingW", code);
    winshm_status status = WINSHM_OK;
    if (entry != PLATFORM_OBSERVE)
        status = life_take(p, entry == PLATFORM_CREATE ? security : NULL,
                           control, deadline_ns);
    if (status != WINSHM_OK)
        return status;
    if (control == NULL) {
        control = section_make(p, suffix, bytes, security, &code);
        if (control == NULL)
            return section_refused(p, suffix, code);
        p->control = (platform_object)control;
    }
    if (!anybodys)
        status = wshm_win32_check_owner(control);
    return status == WINSHM_OK ? control_map(p, bytes, access) : status;
}

winshm_status wshm_platform_enter(struct platform_region *p,
                                  enum platform_entry entry, uint64_t bytes,
                                  const char *security, uint64_t deadline_ns)
{
    struct win32_security made = {0};
    bool anybodys = entry != PLATFORM_CREATE && security != NULL;
    winshm_status status = WINSHM_OK;
    if (entry == PLATFORM_CREATE)
        status = wshm_win32_security_parse(security, &made);
    if (status == WINSHM_OK)
        status = enter(p, entry, bytes, &made, anybodys, deadline_ns);
    if (status != WINSHM_OK)
        wshm_platform_leave(p);
    wshm_win32_security_free(&made);
    return status;
}

void wshm_platform_entered(struct platform_region *p)
{
    if (p->life != PLATFORM_NONE)
        ReleaseMutex(wshm_win32_handle(p->life));
    object_close(&p->life);
}

uint32_t wshm_platform_leftovers(char (*names)[WINSHM_NAME_MAX + 1],
                                 uint32_t most, uint64_t bytes)
{
    (void)names;
    (void)most;
    (void)bytes;
    return 0;
}

void wshm_platform_unname(const struct platform_region *p)
{
    (void)p;
}

bool wshm_platform_leaving(struct platform_region *p, uint64_t deadline_ns)
{
    (void)p;
    (void)deadline_ns;
    return false;
}

void wshm_platform_leave(struct platform_region *p)
{
    object_close(&p->presence);
    object_close(&p->data);
    if (p->control_view != NULL)
        UnmapViewOfFile(p->control_view);
    object_close(&p->control);
    wshm_platform_entered(p);
    wshm_win32_park_free(p);
    wshm_platform_reset(p);
}

void wshm_platform_abandon(struct platform_region *p)
{
    (void)p;
}

/* Data. */

winshm_status wshm_platform_data_look(const struct platform_region *p)
{
    DWORD code;
    HANDLE data = section_open(p, "", FILE_MAP_READ, &code);
    if (data != NULL)
        CloseHandle(data);
    else if (code != ERROR_FILE_NOT_FOUND)
        wshm_win32_error("OpenFileMappingW", code);
    if (data != NULL || code == ERROR_ACCESS_DENIED)
        return WINSHM_OK;
    return code == ERROR_INVALID_HANDLE ? WINSHM_E_KIND : WINSHM_E_NOT_FOUND;
}

winshm_status wshm_platform_data_open(struct platform_region *p,
                                      const struct platform_identity *known)
{
    DWORD code;
    (void)known;
    HANDLE data = section_open(
        p, "", p->writable ? FILE_MAP_READ | FILE_MAP_WRITE : FILE_MAP_READ,
        &code);
    if (data == NULL)
        return wshm_win32_error("OpenFileMappingW", code);
    p->data = (platform_object)data;
    return WINSHM_OK;
}

/** How long a name may still be taken that is about to become free. */
static const uint64_t MADE_PATIENCE = 20ull * 1000 * 1000;

/** Makes the data section, which must not exist after so long a time. */
static winshm_status data_new(struct platform_region *p, uint64_t bytes,
                              const char *security, uint64_t patience,
                              winshm_status taken)
{
    struct win32_security made;
    HANDLE data;
    DWORD code;
    winshm_status status = wshm_win32_security_parse(security, &made);
    if (status != WINSHM_OK)
        return status;
    uint64_t deadline = wshm_platform_now() + patience;
    for (;;) {
        data = section_make(p, "", bytes, &made, &code);
        if (code != ERROR_ALREADY_EXISTS)
            break;
        if (data != NULL)
            CloseHandle(data);
        if (wshm_platform_now() >= deadline)
            break;
        Sleep(1);
    }
    wshm_win32_security_free(&made);
    if (code == ERROR_ALREADY_EXISTS)
        return wshm_error_os(taken, "CreateFileMappingW", (int32_t)code);
    if (data == NULL)
        return section_refused(p, "", code);
    p->data = (platform_object)data;
    return WINSHM_OK;
}

winshm_status wshm_platform_data_make(struct platform_region *p, uint64_t bytes,
                                      uint64_t capacity, const char *security,
                                      struct platform_identity *identity)
{
    (void)bytes;
    /* For a moment after its end a process may still hold what it had. */
    winshm_status status =
        data_new(p, capacity, security, MADE_PATIENCE, WINSHM_E_HELD);
    if (status == WINSHM_OK)
        memset(identity, 0, sizeof *identity);
    return status;
}

winshm_status wshm_platform_data_publish(struct platform_region *p)
{
    (void)p;
    return WINSHM_OK;
}

void wshm_platform_data_close(struct platform_region *p)
{
    object_close(&p->data);
}

winshm_status wshm_platform_data_identity(const struct platform_region *p,
                                          struct platform_identity *identity)
{
    (void)p;
    memset(identity, 0, sizeof *identity);
    return WINSHM_OK;
}

bool wshm_platform_data_named(const struct platform_region *p)
{
    (void)p; /* a name stays with its object while that is open */
    return true;
}

winshm_status wshm_platform_data_trusted(const struct platform_region *p)
{
    return wshm_win32_check_owner(wshm_win32_handle(p->data));
}

winshm_status wshm_platform_data_bytes(const struct platform_region *p,
                                       uint64_t *bytes)
{
    return section_bytes(wshm_win32_handle(p->data), bytes);
}

winshm_status
wshm_platform_data_remove(const struct platform_region *p,
                          const struct platform_identity *recorded)
{
    (void)p;
    (void)recorded;
    return WINSHM_OK;
}

void wshm_platform_control_remove(const struct platform_region *p)
{
    (void)p;
}

winshm_status wshm_platform_raw(struct platform_region *p, bool create,
                                uint64_t bytes, const char *security)
{
    return create ? data_new(p, bytes, security, 0, WINSHM_E_EXISTS)
                  : wshm_platform_data_open(p, NULL);
}
