/* Windows: link files. What is written comes to its place by a renaming that
 * replaces nothing. The part file is opened without sharing, so that it has one
 * user; and files are renamed and removed by their handles, so that it is never
 * another one than was looked at. */
#include <stddef.h>
#include <string.h>

#include "status.h"
#include "win32.h"

/** How long somebody may be looking at a file that is to be removed, and how
 * long one that was removed may still be denied to others. */
static const uint64_t LOOK_PATIENCE = 100 * MILLISECOND;

static const DWORD share_all =
    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

static winshm_status refused(const char *call, DWORD code)
{
    if (code != ERROR_PATH_NOT_FOUND && code != ERROR_FILE_NOT_FOUND &&
        code != ERROR_INVALID_NAME && code != ERROR_DIRECTORY)
        return wshm_win32_error(call, code);
    wshm_error_os(WINSHM_E_SYSTEM, call, (int32_t)code);
    return wshm_error_because(WINSHM_E_SYSTEM,
                              "there is no such folder for the file",
                              "Make the folder, or choose another path.");
}

/** Opens what has the name itself, be it a link to something else; where it is
 * a pipe, without lending its server any rights. What others are just making or
 * removing is waited for. @param code [out] why not. */
static HANDLE open_file(const wchar_t *path, DWORD access, DWORD share,
                        DWORD disposition, DWORD *code)
{
    uint64_t deadline = wshm_platform_now() + LOOK_PATIENCE;
    for (;;) {
        HANDLE file =
            CreateFileW(path, access, share, NULL, disposition,
                        FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT |
                            SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS,
                        NULL);
        *code = GetLastError();
        if (file != INVALID_HANDLE_VALUE)
            return file;
        if (*code == ERROR_ACCESS_DENIED && wshm_win32_is_folder(path))
            *code = ERROR_INVALID_HANDLE; /* of another sort, as for objects */
        if ((*code != ERROR_ACCESS_DENIED &&
             *code != ERROR_SHARING_VIOLATION) ||
            wshm_platform_now() >= deadline)
            return file;
        Sleep(1);
    }
}

/** Refuse what is no plain file. @param links [out] its names. */
static winshm_status check_plain(HANDLE file, DWORD *links)
{
    BY_HANDLE_FILE_INFORMATION facts;
    if (GetFileType(file) != FILE_TYPE_DISK)
        return WINSHM_E_KIND;
    if (!GetFileInformationByHandle(file, &facts))
        return wshm_win32_error("GetFileInformationByHandle", GetLastError());
    *links = facts.nNumberOfLinks;
    return (facts.dwFileAttributes &
            (FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_DIRECTORY)) != 0
               ? WINSHM_E_KIND
               : WINSHM_OK;
}

/* Reading. */

static winshm_status read_whole(HANDLE file, char *text, uint32_t room,
                                uint32_t *length)
{
    DWORD got = 0, links;
    winshm_status status = check_plain(file, &links);
    if (status != WINSHM_OK)
        return status;
    for (*length = 0; *length < room; *length += got) {
        if (!ReadFile(file, text + *length, room - *length, &got, NULL))
            return wshm_win32_error("ReadFile", GetLastError());
        if (got == 0)
            break;
    }
    return WINSHM_OK;
}

winshm_status wshm_platform_link_read(const char *path, char *text,
                                      uint32_t room, uint32_t *length)
{
    wchar_t name[WIN32_PATH_CHARS];
    DWORD code;
    wshm_win32_path(path, L"", name);
    HANDLE file =
        open_file(name, GENERIC_READ, share_all, OPEN_EXISTING, &code);
    if (file == INVALID_HANDLE_VALUE) {
        return code == ERROR_PATH_NOT_FOUND || code == ERROR_INVALID_NAME ||
                       code == ERROR_DIRECTORY
                   ? wshm_error_os(WINSHM_E_NOT_FOUND, "CreateFileW",
                                   (int32_t)code)
                   : wshm_win32_error("CreateFileW", code);
    }
    winshm_status status = read_whole(file, text, room, length);
    CloseHandle(file);
    return status;
}

/* Making. */

/** Removes the file behind a handle that may do so. */
static BOOL dispose(HANDLE file)
{
    FILE_DISPOSITION_INFO info = {TRUE};
    return SetFileInformationByHandle(file, FileDispositionInfo, &info,
                                      sizeof info);
}

static winshm_status no_part(void)
{
    return wshm_error_because(WINSHM_E_KIND,
                              "what has the name with .winshm-link is no part "
                              "file",
                              "Remove it, or choose another path.");
}

static winshm_status take_part(const wchar_t *part, uint64_t deadline_ns,
                               HANDLE *file)
{
    DWORD code, links;
    do {
        *file = open_file(part, GENERIC_READ | GENERIC_WRITE | DELETE, 0,
                          OPEN_ALWAYS, &code);
    } while (*file == INVALID_HANDLE_VALUE && code == ERROR_SHARING_VIOLATION &&
             wshm_platform_now() < deadline_ns);
    if (*file == INVALID_HANDLE_VALUE) {
        if (code == ERROR_SHARING_VIOLATION)
            return wshm_error_because(WINSHM_E_TIMEOUT,
                                      "another process was making a link here "
                                      "all the time",
                                      "It is stopped.");
        return code == ERROR_INVALID_HANDLE ? no_part()
                                            : refused("CreateFileW", code);
    }
    winshm_status status = check_plain(*file, &links);
    if (status == WINSHM_OK && links > 1)
        status = WINSHM_E_KIND;
    if (status != WINSHM_OK)
        CloseHandle(*file);
    return status == WINSHM_E_KIND ? no_part() : status;
}

static winshm_status fill(HANDLE file, const char *text, uint32_t length)
{
    DWORD put;
    if (!WriteFile(file, text, length, &put, NULL) || put != length)
        return wshm_win32_error("WriteFile", GetLastError());
    return SetEndOfFile(file)
               ? WINSHM_OK
               : wshm_win32_error("SetEndOfFile", GetLastError());
}

static winshm_status put_in_place(HANDLE file, const wchar_t *path)
{
    union {
        FILE_RENAME_INFO info;
        BYTE
            room[sizeof(FILE_RENAME_INFO) + WIN32_PATH_CHARS * sizeof(wchar_t)];
    } rename;
    size_t length = wcslen(path);
    memset(&rename.info, 0, sizeof rename.info);
    rename.info.FileNameLength = (DWORD)(length * sizeof *path);
    memcpy(rename.info.FileName, path, (length + 1) * sizeof *path);
    if (SetFileInformationByHandle(file, FileRenameInfo, &rename,
                                   sizeof rename))
        return WINSHM_OK;
    DWORD code = GetLastError();
    /* Denied, where the part file could be made, is what has the name: a
     * folder, or a file that is about to be gone. */
    return code == ERROR_ALREADY_EXISTS || code == ERROR_FILE_EXISTS ||
                   code == ERROR_ACCESS_DENIED
               ? WINSHM_E_EXISTS
               : refused("SetFileInformationByHandle", code);
}

winshm_status wshm_platform_link_make(const char *path, const char *text,
                                      uint32_t length, uint64_t deadline_ns,
                                      struct platform_link *link)
{
    wchar_t name[WIN32_PATH_CHARS], part[WIN32_PATH_CHARS];
    HANDLE made;
    wshm_win32_path(path, L"", name);
    wshm_win32_path(path, L"" PLATFORM_LINK_PART, part);
    winshm_status status = take_part(part, deadline_ns, &made);
    if (status != WINSHM_OK)
        return status;
    status = fill(made, text, length);
    if (status == WINSHM_OK)
        status = put_in_place(made, name);
    if (status == WINSHM_OK) {
        /* Only to find it by: readers are not kept out by that. */
        HANDLE kept = ReOpenFile(made, FILE_READ_ATTRIBUTES, share_all, 0);
        if (kept == INVALID_HANDLE_VALUE)
            status = wshm_win32_error("ReOpenFile", GetLastError());
        else
            link->file = (platform_object)kept;
    }
    if (status != WINSHM_OK) {
        wshm_error_keep();
        dispose(made);
    }
    CloseHandle(made);
    return status;
}

winshm_status wshm_platform_link_clear(const char *path, const char *text,
                                       uint32_t length, uint64_t deadline_ns,
                                       struct platform_link *link)
{
    wchar_t name[WIN32_PATH_CHARS];
    char there[PLATFORM_PATH_MAX + 1];
    uint32_t got;
    DWORD code;
    (void)deadline_ns;
    (void)link;
    wshm_win32_path(path, L"", name);
    HANDLE stale =
        open_file(name, GENERIC_READ | DELETE, share_all, OPEN_EXISTING, &code);
    if (stale == INVALID_HANDLE_VALUE)
        return code == ERROR_FILE_NOT_FOUND || code == ERROR_INVALID_HANDLE
                   ? WINSHM_OK
                   : wshm_win32_error("CreateFileW", code);
    winshm_status status = read_whole(stale, there, length + 1, &got);
    if (status == WINSHM_OK && got == length &&
        memcmp(there, text, length) == 0 && !dispose(stale))
        status = wshm_win32_error("SetFileInformationByHandle", GetLastError());
    CloseHandle(stale);
    return status == WINSHM_E_KIND ? WINSHM_OK : status;
}

/* Removing. */

/** True if both handles are of one file: where this is emulated, a file is
 * opened again by its name. */
static bool same_file(HANDLE a, HANDLE b)
{
    BY_HANDLE_FILE_INFORMATION first, second;
    return GetFileInformationByHandle(a, &first) &&
           GetFileInformationByHandle(b, &second) &&
           first.dwVolumeSerialNumber == second.dwVolumeSerialNumber &&
           first.nFileIndexHigh == second.nFileIndexHigh &&
           first.nFileIndexLow == second.nFileIndexLow;
}

void wshm_platform_link_remove(struct platform_link *link)
{
    uint64_t deadline = wshm_platform_now() + LOOK_PATIENCE;
    HANDLE own;
    /* Whoever just reads it may forbid that. */
    while ((own = ReOpenFile(wshm_win32_handle(link->file),
                             FILE_READ_ATTRIBUTES | DELETE, share_all, 0)) ==
               INVALID_HANDLE_VALUE &&
           GetLastError() == ERROR_SHARING_VIOLATION &&
           wshm_platform_now() < deadline)
        Sleep(1);
    if (own != INVALID_HANDLE_VALUE) {
        if (same_file(own, wshm_win32_handle(link->file)))
            dispose(own);
        CloseHandle(own);
    }
    wshm_win32_close(&link->file);
}

void wshm_platform_link_abandon(struct platform_link *link)
{
    (void)link;
}
