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

/** Tell whether the name leads to the file that is open. */
static winshm_status leads_to(const char *path, int fd, bool *leads)
{
    struct stat here, there;
    *leads = false;
    if (fstat(fd, &here) != 0)
        return wshm_posix_refused("fstat", errno);
    if (lstat(path, &there) != 0)
        return errno == ENOENT ? WINSHM_OK : refused("lstat", errno);
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

winshm_status wshm_platform_link_read(const char *path, char *text,
                                      uint32_t room, uint32_t *length)
{
    winshm_status status;
    /* A child that is forked meanwhile would keep what is open. */
    wshm_posix_descriptors_lock();
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0) {
        status = read_whole(fd, text, room, length);
        close(fd);
    } else {
        status = errno == ENOTDIR ? WINSHM_E_NOT_FOUND
                                  : wshm_posix_refused("open", errno);
    }
    wshm_posix_descriptors_unlock();
    return status;
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
static winshm_status take_part(const char *part, uint64_t deadline_ns,
                               platform_object *file)
{
    uint64_t pause = 20 * MICROSECOND;
    for (;;) {
        int code = wshm_posix_open(file, part, O_RDWR | O_CREAT, 0600);
        if (code != 0)
            return refused("open", code);
        bool leads = false;
        winshm_status status = WINSHM_OK;
        code = lock_file((int)*file, F_WRLCK);
        if (code == 0)
            status = leads_to(part, (int)*file, &leads);
        else if (code != EAGAIN && code != EACCES && code != EINTR)
            status = wshm_posix_refused("fcntl(F_OFD_SETLK)", code);
        if (status == WINSHM_OK && leads)
            status = check_part((int)*file);
        if (status == WINSHM_OK && leads)
            return WINSHM_OK;
        wshm_posix_close(file);
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

static winshm_status put_in_place(const char *part, const char *path)
{
    if (renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
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

static void part_of(const char *path, char part[PART_BYTES])
{
    snprintf(part, PART_BYTES, "%s" PLATFORM_LINK_PART, path);
}

winshm_status wshm_platform_link_make(const char *path, const char *text,
                                      uint32_t length, uint64_t deadline_ns,
                                      platform_object *file)
{
    char part[PART_BYTES];
    part_of(path, part);
    winshm_status status = take_part(part, deadline_ns, file);
    if (status != WINSHM_OK)
        return status;
    status = fill((int)*file, text, length);
    if (status == WINSHM_OK)
        status = put_in_place(part, path);
    if (status == WINSHM_OK) {
        /* By hand: a child that was forked without our hooks may still have the
         * description, and the file be cleared by others one day. */
        lock_file((int)*file, F_UNLCK);
        return WINSHM_OK;
    }
    wshm_error_keep();
    unlink(part);
    wshm_posix_close(file);
    return status;
}

winshm_status wshm_platform_link_clear(const char *path, const char *text,
                                       uint32_t length, uint64_t deadline_ns,
                                       platform_object *file)
{
    char part[PART_BYTES];
    char there[PATH_BYTES];
    uint32_t got;
    part_of(path, part);
    winshm_status status = take_part(part, deadline_ns, file);
    if (status != WINSHM_OK)
        return status;
    status = wshm_platform_link_read(path, there, length + 1, &got);
    if (status == WINSHM_OK && got == length &&
        memcmp(there, text, length) == 0 && unlink(path) != 0 &&
        errno != ENOENT)
        status = wshm_posix_refused("unlink", errno);
    wshm_error_keep();
    unlink(part);
    wshm_posix_close(file);
    /* Gone, or another sort of file by now. */
    return status == WINSHM_E_NOT_FOUND || status == WINSHM_E_KIND ? WINSHM_OK
                                                                   : status;
}

/* Removing. */

void wshm_platform_link_remove(platform_object *file)
{
    char known[64];
    char path[PATH_MAX];
    bool leads;
    /* The kernel knows where the file is now, whatever has become of the
     * working directory and of the folders' names. */
    snprintf(known, sizeof known, "/proc/self/fd/%d", (int)*file);
    ssize_t length = readlink(known, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    if (leads_to(path, (int)*file, &leads) == WINSHM_OK && leads)
        unlink(path);
    wshm_posix_close(file);
}

void wshm_platform_link_abandon(platform_object *file)
{
    if (*file != PLATFORM_NONE)
        close((int)*file);
    *file = PLATFORM_NONE;
}
