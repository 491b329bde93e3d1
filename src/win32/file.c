/* Windows: files that regions are saved in.
 *
 * A part file is shared with nobody who wants to read or write it, so whoever
 * has it open has it alone; only to be renamed and removed it is open. */
#include "file.h"

#include <string.h>

#include "status.h"
#include "win32.h"

#include <winioctl.h> /* after windows.h */

/** What is open. Nobody forks here; the places are counted all the same, so
 * that both systems have the same limits. */
static struct place {
    _Atomic uint32_t used;
    platform_object file;
    bool part; /* the file has the part file's name */
} places[PLATFORM_FILES];

static HANDLE handle_of(const struct platform_file *f)
{
    return wshm_win32_handle(places[f->place].file);
}

static winshm_status take_place(struct platform_file *f, const char *path)
{
    f->path = path;
    for (f->place = 0; f->place < PLATFORM_FILES; f->place++) {
        uint32_t unused = 0;
        struct place *p = &places[f->place];
        if (!atomic_compare_exchange_strong(&p->used, &unused, 1))
            continue;
        p->file = PLATFORM_NONE;
        p->part = false;
        return WINSHM_OK;
    }
    return wshm_error_detail(WINSHM_E_NO_MEMORY, PLATFORM_FILE_MANY,
                             PLATFORM_FILE_MANY_CURE, PLATFORM_FILES, 0, 0);
}

/* Refusals. A status of a region's objects, such as "not found", would not tell
 * of a file. */

static winshm_status refused(const char *call, DWORD code)
{
    wshm_error_os(WINSHM_E_SYSTEM, call, (int32_t)code);
    switch (code) {
    case ERROR_ACCESS_DENIED:
    case ERROR_WRITE_PROTECT:
        return wshm_error_because(WINSHM_E_ACCESS, PLATFORM_FILE_DENIED,
                                  PLATFORM_FILE_DENIED_CURE);
    case ERROR_INVALID_HANDLE: /* a console, where there is none */
    case ERROR_DIRECTORY:
        return wshm_error_because(WINSHM_E_KIND, PLATFORM_FILE_KIND,
                                  PLATFORM_FILE_KIND_CURE);
    case ERROR_FILENAME_EXCED_RANGE:
        return wshm_error_because(WINSHM_E_INVALID, PLATFORM_FILE_LONG,
                                  PLATFORM_FILE_LONG_CURE);
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_COMMITMENT_LIMIT:
    case ERROR_TOO_MANY_OPEN_FILES:
        return WINSHM_E_NO_MEMORY;
    case ERROR_FILE_TOO_LARGE:
        return wshm_error_because(WINSHM_E_SIZE, PLATFORM_FILE_LARGE,
                                  PLATFORM_FILE_LARGE_CURE);
    default:
        return WINSHM_E_SYSTEM;
    }
}

static winshm_status bad_kind(void)
{
    return wshm_error_because(WINSHM_E_KIND, PLATFORM_FILE_KIND,
                              PLATFORM_FILE_KIND_CURE);
}

static winshm_status bad_part(void)
{
    return wshm_error_because(WINSHM_E_KIND, PLATFORM_FILE_PART_KIND,
                              PLATFORM_FILE_PART_KIND_CURE);
}

/** True if the path ends where a folder's name would stand. */
static bool names_no_file(const wchar_t *path)
{
    size_t length = wcslen(path);
    return length == 0 || wcschr(L"/\\:", path[length - 1]) != NULL;
}

/** Opens a file; where it is a pipe, without lending its server any rights.
 * Denied for a moment is what somebody else is just removing or replacing.
 * @return INVALID_HANDLE_VALUE with *code. */
static HANDLE open_patiently(const wchar_t *path, DWORD access, DWORD share,
                             DWORD disposition, DWORD flags, DWORD *code)
{
    uint64_t end = wshm_platform_now() + 50 * MILLISECOND;
    for (;;) {
        HANDLE file = CreateFileW(
            path, access, share, NULL, disposition,
            flags | SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS, NULL);
        if (file != INVALID_HANDLE_VALUE)
            return file;
        *code = GetLastError();
        if (*code != ERROR_ACCESS_DENIED || wshm_win32_is_folder(path) ||
            wshm_platform_now() >= end)
            return file;
        Sleep(1);
    }
}

/* Reading. */

static winshm_status open_file(const struct platform_file *f, uint64_t *bytes)
{
    wchar_t path[WIN32_PATH_CHARS];
    DWORD code;
    LARGE_INTEGER size;
    wshm_win32_path(f->path, L"", path);
    HANDLE file =
        open_patiently(path, GENERIC_READ,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                       OPEN_EXISTING, FILE_FLAG_SEQUENTIAL_SCAN, &code);
    if (file == INVALID_HANDLE_VALUE) {
        if (code == ERROR_SHARING_VIOLATION)
            return WINSHM_E_BUSY;
        if (code == ERROR_ACCESS_DENIED && wshm_win32_is_folder(path))
            return bad_kind();
        if (code != ERROR_FILE_NOT_FOUND && code != ERROR_PATH_NOT_FOUND)
            return refused("CreateFileW", code);
        wshm_error_os(WINSHM_E_NOT_FOUND, "CreateFileW", (int32_t)code);
        return wshm_error_because(WINSHM_E_NOT_FOUND, PLATFORM_FILE_NONE,
                                  PLATFORM_FILE_NONE_CURE);
    }
    places[f->place].file = (platform_object)file;
    if (GetFileType(file) != FILE_TYPE_DISK)
        return bad_kind();
    if (!GetFileSizeEx(file, &size))
        return refused("GetFileSizeEx", GetLastError());
    *bytes = (uint64_t)size.QuadPart;
    return WINSHM_OK;
}

winshm_status wshm_platform_file_open(struct platform_file *f, const char *path,
                                      uint64_t *bytes)
{
    winshm_status status = take_place(f, path);
    if (status != WINSHM_OK)
        return status;
    status = open_file(f, bytes);
    if (status != WINSHM_OK)
        wshm_platform_file_close(f);
    return status;
}

static OVERLAPPED at(uint64_t offset)
{
    OVERLAPPED where;
    memset(&where, 0, sizeof where);
    where.Offset = (DWORD)offset;
    where.OffsetHigh = (DWORD)(offset >> 32);
    return where;
}

winshm_status wshm_platform_file_read(const struct platform_file *f,
                                      uint64_t offset, void *bytes,
                                      size_t length, size_t *got)
{
    size_t done = 0;
    while (done < length) {
        OVERLAPPED where = at(offset + done);
        DWORD some = 0;
        if (!ReadFile(handle_of(f), (char *)bytes + done,
                      (DWORD)(length - done), &some, &where) &&
            GetLastError() != ERROR_HANDLE_EOF)
            return refused("ReadFile", GetLastError());
        if (some == 0)
            break;
        done += some;
    }
    *got = done;
    return WINSHM_OK;
}

/* Writing. */

static winshm_status open_part(const struct platform_file *f)
{
    wchar_t part[WIN32_PATH_CHARS];
    DWORD code, bytes;
    BY_HANDLE_FILE_INFORMATION facts;
    struct place *p = &places[f->place];
    wshm_win32_path(f->path, L"" PLATFORM_PART, part);
    HANDLE file = open_patiently(
        part, GENERIC_READ | GENERIC_WRITE | DELETE, FILE_SHARE_DELETE,
        OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT,
        &code);
    if (file == INVALID_HANDLE_VALUE) {
        if (code == ERROR_SHARING_VIOLATION)
            return WINSHM_E_BUSY;
        if (code == ERROR_ACCESS_DENIED && wshm_win32_is_folder(part))
            return bad_part();
        if (code != ERROR_PATH_NOT_FOUND)
            return refused("CreateFileW", code);
        wshm_error_os(WINSHM_E_SYSTEM, "CreateFileW", (int32_t)code);
        return wshm_error_because(WINSHM_E_SYSTEM, PLATFORM_FILE_NO_FOLDER,
                                  PLATFORM_FILE_NO_FOLDER_CURE);
    }
    p->file = (platform_object)file;
    if (GetFileType(file) != FILE_TYPE_DISK)
        return bad_part();
    if (!GetFileInformationByHandle(file, &facts))
        return refused("GetFileInformationByHandle", GetLastError());
    if ((facts.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 ||
        facts.nNumberOfLinks > 1)
        return bad_part();
    p->part = true;
    /* Where files cannot have holes they have zeros. */
    DeviceIoControl(file, FSCTL_SET_SPARSE, NULL, 0, NULL, 0, &bytes, NULL);
    return WINSHM_OK;
}

winshm_status wshm_platform_file_make(struct platform_file *f, const char *path)
{
    wchar_t target[WIN32_PATH_CHARS];
    winshm_status status = take_place(f, path);
    if (status != WINSHM_OK)
        return status;
    wshm_win32_path(path, L"", target);
    status = names_no_file(target) || wshm_win32_is_folder(target)
                 ? bad_kind()
                 : open_part(f);
    if (status != WINSHM_OK)
        wshm_platform_file_close(f);
    return status;
}

winshm_status wshm_platform_file_empty(const struct platform_file *f,
                                       uint64_t bytes)
{
    LARGE_INTEGER sizes[2] = {{.QuadPart = 0}, {.QuadPart = (LONGLONG)bytes}};
    for (int i = 0; i < 2; i++) {
        if (!SetFilePointerEx(handle_of(f), sizes[i], NULL, FILE_BEGIN))
            return refused("SetFilePointerEx", GetLastError());
        if (!SetEndOfFile(handle_of(f)))
            return refused("SetEndOfFile", GetLastError());
    }
    return WINSHM_OK;
}

winshm_status wshm_platform_file_write(const struct platform_file *f,
                                       uint64_t offset, const void *bytes,
                                       size_t length)
{
    for (size_t done = 0; done < length;) {
        OVERLAPPED where = at(offset + done);
        DWORD some = 0;
        if (!WriteFile(handle_of(f), (const char *)bytes + done,
                       (DWORD)(length - done), &some, &where))
            return refused("WriteFile", GetLastError());
        done += some;
    }
    return WINSHM_OK;
}

winshm_status wshm_platform_file_publish(const struct platform_file *f,
                                         uint64_t deadline_ns)
{
    wchar_t part[WIN32_PATH_CHARS], target[WIN32_PATH_CHARS];
    /* Denied is either for good or by somebody who has the old file open, such
     * as a loader or a virus scanner, and who shall have a second. */
    uint64_t begun = wshm_platform_now();
    if (!FlushFileBuffers(handle_of(f)))
        return refused("FlushFileBuffers", GetLastError());
    wshm_win32_path(f->path, L"" PLATFORM_PART, part);
    wshm_win32_path(f->path, L"", target);
    while (!MoveFileExW(part, target,
                        MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
        DWORD code = GetLastError();
        uint64_t now = wshm_platform_now();
        bool patient = now - begun < SECOND ||
                       (code == ERROR_SHARING_VIOLATION && now < deadline_ns);
        if ((code != ERROR_ACCESS_DENIED && code != ERROR_SHARING_VIOLATION) ||
            !patient || wshm_win32_is_folder(target))
            return refused("MoveFileExW", code);
        Sleep(1);
    }
    places[f->place].part = false;
    return WINSHM_OK;
}

void wshm_platform_file_close(const struct platform_file *f)
{
    FILE_DISPOSITION_INFO removed = {TRUE};
    struct place *p = &places[f->place];
    if (p->part)
        SetFileInformationByHandle(handle_of(f), FileDispositionInfo, &removed,
                                   sizeof removed);
    wshm_win32_close(&p->file);
    atomic_store(&p->used, 0);
}
