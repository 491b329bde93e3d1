/* Windows: the section that holds a region's data. */
#include <string.h>

#include "status.h"
#include "win32.h"

winshm_status wshm_platform_data_look(const struct platform_region *p)
{
    DWORD code;
    HANDLE data = wshm_win32_section_open(p, "", FILE_MAP_READ, &code);
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
    HANDLE data = wshm_win32_section_open(
        p, "", p->writable ? FILE_MAP_READ | FILE_MAP_WRITE : FILE_MAP_READ,
        &code);
    if (data == NULL)
        return wshm_win32_error("OpenFileMappingW", code);
    p->data = (platform_object)data;
    return WINSHM_OK;
}

/** How much is committed at a time: in 32 bits there may be no room for a view
 * of more. */
static const uint64_t PART =
    sizeof(void *) == 8 ? (uint64_t)1 << 62 : (uint64_t)64 << 20;

static uint64_t part_of(uint64_t length)
{
    return length < PART ? length : PART;
}

/** Commits pages of a section that is reserved, of so many bytes in all. What
 * is committed in one view is so in all, whether that view stays or not. */
static winshm_status commit(const struct platform_region *p, uint64_t from,
                            uint64_t to, uint64_t all)
{
    const uint64_t granularity = wshm_platform_granularity();
    uint64_t at = from & ~(granularity - 1);
    winshm_status status = WINSHM_OK;
    while (at < to && status == WINSHM_OK) {
        uint64_t length = part_of(to - at);
        /* Wine forgets what is committed up to the end of a view. */
        uint64_t mapped = length + granularity;
        void *view = NULL;
        mapped = mapped < all - at ? mapped : all - at;
        status = wshm_platform_map(p, at, mapped, true, &view);
        if (status != WINSHM_OK)
            break;
        if (VirtualAlloc(view, (SIZE_T)length, MEM_COMMIT, PAGE_READWRITE) ==
            NULL)
            status = wshm_win32_error("VirtualAlloc", GetLastError());
        wshm_platform_unmap(view, mapped);
        at += length;
    }
    return status;
}

/** How long a name may still be taken that is about to become free. */
static const uint64_t MADE_PATIENCE = 20 * MILLISECOND;

/** Makes the data section, which must not exist after so long a time. */
static winshm_status data_new(struct platform_region *p, uint64_t bytes,
                              uint64_t capacity, const char *security,
                              uint64_t patience, winshm_status taken)
{
    const DWORD pages = bytes < capacity ? SEC_RESERVE : SEC_COMMIT;
    struct win32_security made;
    HANDLE data;
    DWORD code;
    winshm_status status = wshm_win32_security_parse(security, &made);
    if (status != WINSHM_OK)
        return status;
    uint64_t deadline = wshm_platform_now() + patience;
    for (;;) {
        data = wshm_win32_section_make(p, "", pages, capacity, &made, &code);
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
        return taken;
    if (data == NULL)
        return wshm_win32_section_refused(p, "", code);
    p->data = (platform_object)data;
    if (pages == SEC_RESERVE)
        status = commit(p, 0, bytes, capacity);
    if (status != WINSHM_OK)
        wshm_win32_close(&p->data);
    return status;
}

winshm_status wshm_platform_data_make(struct platform_region *p, uint64_t bytes,
                                      uint64_t capacity, const char *security,
                                      struct platform_identity *identity)
{
    /* For a moment after its end a process may still hold what it had. */
    winshm_status status =
        data_new(p, bytes, capacity, security, MADE_PATIENCE, WINSHM_E_HELD);
    if (status == WINSHM_OK)
        memset(identity, 0, sizeof *identity);
    return status;
}

winshm_status wshm_platform_data_grow(const struct platform_region *p,
                                      uint64_t from, uint64_t to)
{
    uint64_t all;
    winshm_status status = wshm_platform_data_bytes(p, &all);
    return status == WINSHM_OK ? commit(p, from, to, all) : status;
}

winshm_status wshm_platform_data_publish(struct platform_region *p)
{
    (void)p;
    return WINSHM_OK;
}

void wshm_platform_data_close(struct platform_region *p)
{
    wshm_win32_close(&p->data);
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
    bool reserved;
    return wshm_win32_section_bytes(wshm_win32_handle(p->data), bytes,
                                    &reserved);
}

/** Looks how far a part of the section is committed. */
static winshm_status committed(const struct platform_region *p, uint64_t at,
                               uint64_t length, uint64_t *bytes)
{
    MEMORY_BASIC_INFORMATION memory;
    void *view = NULL;
    winshm_status status = wshm_platform_map(p, at, length, false, &view);
    if (status != WINSHM_OK)
        return status;
    if (VirtualQuery(view, &memory, sizeof memory) == 0)
        status = wshm_win32_error("VirtualQuery", GetLastError());
    else if (memory.State != MEM_COMMIT)
        *bytes = 0;
    else
        *bytes = memory.RegionSize < length ? memory.RegionSize : length;
    wshm_platform_unmap(view, length);
    return status;
}

winshm_status wshm_platform_data_usable(const struct platform_region *p,
                                        uint64_t *bytes)
{
    uint64_t all, more = 0;
    bool reserved;
    winshm_status status =
        wshm_win32_section_bytes(wshm_win32_handle(p->data), &all, &reserved);
    if (status != WINSHM_OK)
        return status;
    *bytes = reserved ? 0 : all;
    while (status == WINSHM_OK && *bytes < all) {
        uint64_t length = part_of(all - *bytes);
        status = committed(p, *bytes, length, &more);
        *bytes += more;
        if (more < length)
            break;
    }
    return status;
}

winshm_status
wshm_platform_data_remove(const struct platform_region *p,
                          const struct platform_identity *recorded)
{
    (void)p;
    (void)recorded;
    return WINSHM_OK;
}

winshm_status wshm_platform_raw(struct platform_region *p, bool create,
                                uint64_t bytes, const char *security)
{
    return create ? data_new(p, bytes, bytes, security, 0, WINSHM_E_EXISTS)
                  : wshm_platform_data_open(p, NULL);
}

void wshm_platform_unname(const struct platform_region *p)
{
    (void)p;
}

/* Mapping. */

uint64_t wshm_platform_granularity(void)
{
    SYSTEM_INFO system;
    GetSystemInfo(&system);
    return system.dwAllocationGranularity;
}

winshm_status wshm_platform_map(const struct platform_region *p,
                                uint64_t offset, uint64_t length, bool write,
                                void **address)
{
    if (length > SIZE_MAX)
        return WINSHM_E_NO_MEMORY;
    void *view =
        MapViewOfFile(wshm_win32_handle(p->data),
                      write ? FILE_MAP_READ | FILE_MAP_WRITE : FILE_MAP_READ,
                      (DWORD)(offset >> 32), (DWORD)offset, (SIZE_T)length);
    if (view == NULL)
        return wshm_win32_error("MapViewOfFile", GetLastError());
    *address = view;
    return WINSHM_OK;
}

void wshm_platform_unmap(void *address, uint64_t length)
{
    (void)length;
    UnmapViewOfFile(address);
}
