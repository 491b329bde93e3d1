/* Linux: link files. What is written comes to its place by a renaming that
 * replaces nothing. The part file is locked by its only user; as it is renamed
 * or removed under that lock, whoever gets the lock has to see whether it is
 * still the one that the name leads to. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix.h"
#include "status.h"

enum {
    PATH_BYTES = PLATFORM_PATH_MAX + 1,
    PART_BYTES = PATH_BYTES + sizeof PLATFORM_LINK_PART - 1
};

static winshm_status refused(const char *call, int code)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR:
        wshm_error_os(WINSHM_E_SYSTEM, call, code);
        return wshm_error_because(WINSHM_E_SYSTEM,
                                  "there is no such folder for the file",
                                  "Make the folder, or choose another path.");
    case ENOSPC: /* this is not about /dev/shm */
    case EDQUOT:
        return wshm_error_os(WINSHM_E_SYSTEM, call, code);
    default:
        return wshm_posix_refused(call, code);
    }
}

static void close_both(struct platform_link *l)
{
    wshm_posix_close(&l->file);
    wshm_posix_close(&l->folder);
}

/** Tell whether the name leads to the file that is open. */
static winshm_status leads_to(const struct platform_link *l, const char *name,
                              bool *leads)
{
    struct stat here, there;
    *leads = false;
    if (fstat((int)l->file, &here) != 0)
        return wshm_posix_refused("fstat", errno);
    if (fstatat((int)l->folder, name, &there, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? WINSHM_OK : refused("fstatat", errno);
    *leads = here.st_ino == there.st_ino && here.st_dev == there.st_dev;
    return WINSHM_OK;
}

/* Reading. */

static winshm_status read_whole(int fd, char *text, uint32_t room,
                                uint32_t *length)
{
    struct stat here;
    if (fstat(fd, &here) != 0)
        return wshm_posix_refused("fstat", errno);
    if (!S_ISREG(here.st_mode))
        return WINSHM_E_KIND;
    *length = 0;
    while (*length < room) {
        ssize_t got = read(fd, text + *length, room - *length);
        if (got < 0)
            return wshm_posix_refused("read", errno);
        if (got == 0)
            break;
        *length += (uint32_t)got;
    }
    return WINSHM_OK;
}

/** @param folder AT_FDCWD, or the one that name is in. */
static winshm_status read_in(int folder, const char *name, char *text,
                             uint32_t room, uint32_t *length)
{
    winshm_status status;
    /* A child that is forked meanwhile would keep what is open. */
    wshm_posix_descriptors_lock();
    int fd =
        openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
    if (fd >= 0) {
        status = read_whole(fd, text, room, length);
        close(fd);
    } else {
        status = errno == ENOTDIR ? WINSHM_E_NOT_FOUND
                                  : wshm_posix_refused("openat", errno);
    }
    wshm_posix_descriptors_unlock();
    return status;
}

winshm_status wshm_platform_link_read(const char *path, char *text,
                                      uint32_t room, uint32_t *length)
{
    return read_in(AT_FDCWD, path, text, room, length);
}

/* Making. */

/** Locks the part file, or gives up at once. @return 0 or an errno. */
static int lock_file(int fd, short kind)
{
    struct flock lock = {.l_type = kind, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock) == 0 ? 0 : errno;
}

/** Nobody else could have put the part file there, and none but us write it. */
static winshm_status check_part(int fd)
{
    struct stat here;
    if (fstat(fd, &here) != 0)
        return wshm_posix_refused("fstat", errno);
    if (!S_ISREG(here.st_mode) || here.st_nlink > 1)
        return wshm_error_because(WINSHM_E_KIND,
                                  "what has the name with .winshm-link is no "
                                  "part file",
                                  "Remove it, or choose another path.");
    if (!wshm_posix_own(fd, &here))
        return wshm_error_because(WINSHM_E_ACCESS,
                                  "another user's process was killed when it "
                                  "made a link here",
                                  "Remove its part file, which ends in "
                                  ".winshm-link, or choose another path.");
    return WINSHM_OK;
}

/** Makes the part file, or takes over what a killed process has left of it. */
static winshm_status take_part(struct platform_link *l, const char *part,
                               uint64_t deadline_ns)
{
    uint64_t pause = 20 * MICROSECOND;
    for (;;) {
        int code = wshm_posix_open_at(&l->file, l->folder, part,
                                      O_RDWR | O_CREAT | O_NOFOLLOW);
        if (code != 0)
            return refused("openat", code);
        bool leads = false;
        winshm_status status = WINSHM_OK;
        code = lock_file((int)l->file, F_WRLCK);
        if (code == 0)
            status = leads_to(l, part, &leads);
        else if (code != EAGAIN && code != EACCES && code != EINTR)
            status = wshm_posix_refused("fcntl(F_OFD_SETLK)", code);
        if (status == WINSHM_OK && leads)
            status = check_part((int)l->file);
        if (status == WINSHM_OK && leads)
            return WINSHM_OK;
        wshm_posix_close(&l->file);
        if (status != WINSHM_OK)
            return status;
        if (wshm_platform_now() >= deadline_ns)
            return wshm_error_because(WINSHM_E_TIMEOUT,
                                      "another process was making a link here "
                                      "all the time",
                                      "It is stopped.");
        wshm_platform_sleep(pause);
        pause = pause < MILLISECOND ? pause * 2 : pause;
    }
}

/** Opens the folder of a path and takes the part file there. */
static winshm_status begin(struct platform_link *l, const char *path,
                           char part[PART_BYTES], uint64_t deadline_ns)
{
    snprintf(part, PART_BYTES, "%s" PLATFORM_LINK_PART, wshm_posix_base(path));
    int code = wshm_posix_open_folder(&l->folder, path, O_PATH);
    winshm_status status = code == 0 ? WINSHM_OK : refused("openat", code);
    if (status == WINSHM_OK && *wshm_posix_base(path) == '\0')
        status = WINSHM_E_EXISTS; /* the folder itself */
    if (status == WINSHM_OK)
        status = take_part(l, part, deadline_ns);
    if (status != WINSHM_OK)
        close_both(l);
    return status;
}

/** Writes what is to be read by whoever may open the region. */
static winshm_status fill(int fd, const char *text, uint32_t length)
{
    winshm_status status = wshm_posix_resize(fd, length);
    if (status != WINSHM_OK)
        return status;
    if (fchmod(fd, 0644) != 0)
        return refused("fchmod", errno);
    ssize_t put = pwrite(fd, text, length, 0);
    return put == (ssize_t)length ? WINSHM_OK
                                  : refused("pwrite", put < 0 ? errno : ENOSPC);
}

static winshm_status put_in_place(const struct platform_link *l,
                                  const char *part, const char *name)
{
    int folder = (int)l->folder;
    if (renameat2(folder, part, folder, name, RENAME_NOREPLACE) == 0)
        return WINSHM_OK;
    switch (errno) {
    case EEXIST:
        return WINSHM_E_EXISTS;
    case EINVAL:
    case ENOSYS:
        wshm_error_os(WINSHM_E_UNSUPPORTED, "renameat2", errno);
        return wshm_error_because(WINSHM_E_UNSUPPORTED,
                                  "the file system of the link cannot rename "
                                  "without replacing",
                                  "Choose a folder on a local disk or in "
                                  "memory.");
    default:
        return refused("renameat2", errno);
    }
}

winshm_status wshm_platform_link_make(const char *path, const char *text,
                                      uint32_t length, uint64_t deadline_ns,
                                      struct platform_link *l)
{
    char part[PART_BYTES];
    winshm_status status = begin(l, path, part, deadline_ns);
    if (status != WINSHM_OK)
        return status;
    status = fill((int)l->file, text, length);
    if (status == WINSHM_OK)
        status = put_in_place(l, part, wshm_posix_base(path));
    if (status == WINSHM_OK) {
        /* By hand: a child that was forked without our hooks may still have the
         * description, and the file be cleared by others one day. */
        lock_file((int)l->file, F_UNLCK);
        wshm_posix_close(&l->folder);
        return WINSHM_OK;
    }
    wshm_error_keep();
    unlinkat((int)l->folder, part, 0);
    close_both(l);
    return status;
}

winshm_status wshm_platform_link_clear(const char *path, const char *text,
                                       uint32_t length, uint64_t deadline_ns,
                                       struct platform_link *l)
{
    char part[PART_BYTES];
    char there[PATH_BYTES];
    uint32_t got;
    winshm_status status = begin(l, path, part, deadline_ns);
    if (status != WINSHM_OK)
        return status;
    const char *name = wshm_posix_base(path);
    status = read_in((int)l->folder, name, there, length + 1, &got);
    if (status == WINSHM_OK && got == length &&
        memcmp(there, text, length) == 0 &&
        unlinkat((int)l->folder, name, 0) != 0 && errno != ENOENT)
        status = wshm_posix_refused("unlinkat", errno);
    wshm_error_keep();
    unlinkat((int)l->folder, part, 0);
    close_both(l);
    /* Gone, or another sort of file by now. */
    return status == WINSHM_E_NOT_FOUND || status == WINSHM_E_KIND ? WINSHM_OK
                                                                   : status;
}

/* Removing. */

void wshm_platform_link_remove(struct platform_link *l)
{
    char known[64];
    char path[PATH_MAX];
    bool leads;
    /* The kernel knows where the file is now, whatever has become of the
     * working directory and of the folders' names. */
    snprintf(known, sizeof known, "/proc/self/fd/%d", (int)l->file);
    ssize_t length = readlink(known, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    const char *name = wshm_posix_base(path);
    if (wshm_posix_open_folder(&l->folder, path, O_PATH) == 0 &&
        leads_to(l, name, &leads) == WINSHM_OK && leads)
        unlinkat((int)l->folder, name, 0);
    close_both(l);
}

void wshm_platform_link_abandon(struct platform_link *l)
{
    if (l->file != PLATFORM_NONE)
        close((int)l->file);
    if (l->folder != PLATFORM_NONE)
        close((int)l->folder);
    *l = (struct platform_link){PLATFORM_NONE, PLATFORM_NONE};
}
