/* Windows: presence is an event that exists for as long as its maker. */
#include "status.h"
#include "win32.h"

/** True if this is what a presence says that exists: it denies everybody; and
 * an object of another type in its place would not let us make it either. */
static bool is_there(DWORD code)
{
    return code == ERROR_ACCESS_DENIED || code == ERROR_INVALID_HANDLE ||
           code == ERROR_ALREADY_EXISTS;
}

/** Looks for a presence. @return 0 if there is one, ERROR_FILE_NOT_FOUND, or
 * why it cannot be told. */
static DWORD look_for(const struct platform_region *p, uint32_t slot)
{
    wchar_t name[WIN32_NAME_CHARS];
    wshm_win32_slot_name(p, slot, "", name);
    HANDLE event = OpenEventW(EVENT_MODIFY_STATE, FALSE, name);
    DWORD code = event == NULL ? GetLastError() : ERROR_SUCCESS;
    if (event != NULL)
        CloseHandle(event);
    return is_there(code) ? ERROR_SUCCESS : code;
}

bool wshm_platform_present(struct platform_region *p, uint32_t slot)
{
    return look_for(p, slot) != ERROR_FILE_NOT_FOUND;
}

winshm_status wshm_platform_anybody(struct platform_region *p, uint32_t count,
                                    uint32_t except, bool *anybody)
{
    *anybody = false;
    if (p->id[0] == 0) /* no life, no presences */
        return WINSHM_OK;
    for (uint32_t slot = 0; slot < count && !*anybody; slot++) {
        DWORD code = slot != except ? look_for(p, slot) : ERROR_FILE_NOT_FOUND;
        if (code != ERROR_SUCCESS && code != ERROR_FILE_NOT_FOUND)
            return wshm_win32_error("OpenEventW", code);
        *anybody = code == ERROR_SUCCESS;
    }
    return WINSHM_OK;
}

winshm_status wshm_platform_take(struct platform_region *p, uint32_t slot,
                                 platform_object *taken)
{
    wchar_t name[WIN32_NAME_CHARS];
    wshm_win32_slot_name(p, slot, "", name);
    SetLastError(ERROR_SUCCESS);
    HANDLE event = CreateEventW(wshm_win32_deny_all(), TRUE, FALSE, name);
    DWORD code = GetLastError();
    if (event != NULL && code == ERROR_SUCCESS) {
        *taken = (platform_object)event;
        return WINSHM_OK;
    }
    if (event != NULL)
        CloseHandle(event);
    return is_there(code) ? WINSHM_E_BUSY
                          : wshm_win32_error("CreateEventW", code);
}

void wshm_platform_absent(struct platform_region *p, uint32_t slot,
                          platform_object taken)
{
    (void)p;
    (void)slot;
    CloseHandle(wshm_win32_handle(taken));
}
