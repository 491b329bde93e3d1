/* Windows: the life of a region.
 *
 * One name is one object for as long as any handle to it is open; so nothing
 * has to be removed, and whatever a dead process had is gone with it. */
#include "status.h"
#include "win32.h"

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
            status = wshm_error_because(
                WINSHM_E_TIMEOUT, PLATFORM_OTHERS_INSIDE, PLATFORM_OTHERS_CURE);
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
    bool reserved;
    HANDLE control = wshm_win32_handle(p->control);
    winshm_status status = wshm_win32_section_bytes(control, &held, &reserved);
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

/** Opens or makes the control block under the life lock, checks and maps it.
 * Everything that it took is left in p. */
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
    HANDLE control = wshm_win32_section_open(p, suffix, access, &code);
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
        control = wshm_win32_section_make(p, suffix, SEC_COMMIT, bytes,
                                          security, &code);
        if (control == NULL)
            return wshm_win32_section_refused(p, suffix, code);
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

winshm_status wshm_platform_reenter(struct platform_region *p,
                                    uint64_t deadline_ns)
{
    return life_take(p, NULL, wshm_win32_handle(p->control), deadline_ns);
}

void wshm_platform_entered(struct platform_region *p)
{
    if (p->life != PLATFORM_NONE)
        ReleaseMutex(wshm_win32_handle(p->life));
    wshm_win32_close(&p->life);
}

uint32_t wshm_platform_leftovers(char (*names)[WINSHM_NAME_MAX + 1],
                                 uint32_t most, uint64_t bytes)
{
    (void)names;
    (void)most;
    (void)bytes;
    return 0;
}

bool wshm_platform_leaving(struct platform_region *p, uint64_t deadline_ns)
{
    (void)p;
    (void)deadline_ns;
    return false;
}

void wshm_platform_leave(struct platform_region *p)
{
    wshm_win32_close(&p->presence);
    wshm_win32_close(&p->data);
    if (p->control_view != NULL)
        UnmapViewOfFile(p->control_view);
    wshm_win32_close(&p->control);
    wshm_platform_entered(p);
    wshm_win32_park_free(p);
    wshm_platform_reset(p);
}

void wshm_platform_abandon(struct platform_region *p)
{
    (void)p;
}

void wshm_platform_control_remove(const struct platform_region *p)
{
    (void)p;
}
