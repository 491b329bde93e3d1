/* Linux: codes, paths, and how files are made. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "posix.h"
#include "status.h"

winshm_status wshm_posix_translate(int code)
{
    switch (code) {
    case ENOENT:
        return WINSHM_E_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return WINSHM_E_ACCESS;
    case ELOOP:
    case EISDIR:
    case ENXIO:
    case ENODEV:
        return WINSHM_E_KIND;
    case EAGAIN: /* more memory is locked than may be */
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
        return WINSHM_E_NO_MEMORY;
    case EFBIG:
    case EOVERFLOW:
        return WINSHM_E_SIZE;
    default:
        return WINSHM_E_SYSTEM;
    }
}

winshm_status wshm_posix_refused(const char *call, int code)
{
    return wshm_error_os(wshm_posix_translate(code), call, code);
}

winshm_status wshm_posix_not_made(const char *call, int code)
{
    /* There is no such directory, or not one to make files in; and that is no
     * matter of this region's permissions. */
    if (code == EACCES) {
        wshm_error_os(WINSHM_E_ACCESS, call, code);
        return wshm_error_because(
            WINSHM_E_ACCESS, "no file can be made in " POSIX_DIRECTORY,
            "This user has to be allowed to write there.");
    }
    if (code == ENOENT || code == EROFS || code == EISDIR) {
        wshm_error_os(WINSHM_E_SYSTEM, call, code);
        return wshm_error_because(WINSHM_E_SYSTEM,
                                  "no file can be made in " POSIX_DIRECTORY,
                                  "Mount a tmpfs there that may be written.");
    }
    return wshm_posix_refused(call, code);
}

void wshm_posix_path(const struct platform_region *p, const char *suffix,
                     char *path)
{
    snprintf(path, POSIX_PATH_BYTES, POSIX_DIRECTORY "/%s%s", p->name, suffix);
}

static struct platform_mutex descriptors;

void wshm_posix_descriptors_lock(void)
{
    wshm_platform_mutex_lock(&descriptors);
}

void wshm_posix_descriptors_unlock(void)
{
    wshm_platform_mutex_unlock(&descriptors);
}

bool wshm_posix_descriptors_free(void)
{
    return wshm_platform_mutex_free(&descriptors);
}

int wshm_posix_open(platform_object *object, const char *path, int flags,
                    mode_t mode)
{
    wshm_posix_descriptors_lock();
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode);
    int code = errno;
    if (fd >= 0)
        *object = fd;
    wshm_posix_descriptors_unlock();
    return fd >= 0 ? 0 : code;
}

int wshm_posix_open_at(platform_object *object, platform_object folder,
                       const char *path, int flags)
{
    int fd, interruptions = 0;
    int at = folder == PLATFORM_NONE ? AT_FDCWD : (int)folder;
    wshm_posix_descriptors_lock();
    do
        fd = openat(at, path, flags | O_CLOEXEC | O_NONBLOCK, 0600);
    while (fd < 0 && errno == EINTR && ++interruptions < 100);
    int code = fd < 0 ? errno : 0;
    if (fd >= 0)
        *object = fd;
    wshm_posix_descriptors_unlock();
    return code;
}

const char *wshm_posix_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

int wshm_posix_open_folder(platform_object *object, const char *path, int flags)
{
    char folder[PATH_MAX] = ".";
    size_t length = (size_t)(wshm_posix_base(path) - path);
    if (length != 0) {
        memcpy(folder, path, length);
        folder[length] = '\0';
    }
    return wshm_posix_open_at(object, PLATFORM_NONE, folder,
                              flags | O_DIRECTORY);
}

winshm_status wshm_posix_make(platform_object *object, mode_t mode)
{
    wshm_posix_descriptors_lock();
    int fd = open(POSIX_DIRECTORY, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    int code = errno;
    if (fd >= 0)
        *object = fd;
    wshm_posix_descriptors_unlock();
    if (fd < 0)
        return wshm_posix_not_made("open(O_TMPFILE)", code);
    /* Before anybody can see it, and whatever this process's mask is. */
    if (fchmod(fd, mode) == 0)
        return WINSHM_OK;
    code = errno;
    wshm_posix_close(object);
    return wshm_posix_not_made("fchmod", code);
}

int wshm_posix_link(int fd, const char *path)
{
    char from[64];
    snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    if (errno != ENOENT)
        return errno;
    /* There is no /proc. Kernels before 6.10 want a privilege for this. */
    return linkat(fd, "", AT_FDCWD, path, AT_EMPTY_PATH) == 0 ? 0 : errno;
}

bool wshm_posix_unshut(const char *path)
{
    char same[64];
    struct stat file;
    bool done = false;
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        snprintf(same, sizeof same, "/proc/self/fd/%d", fd);
        done = fstat(fd, &file) == 0 && S_ISREG(file.st_mode) &&
               file.st_size == 0 && file.st_uid == geteuid() &&
               (file.st_mode & 0600) != 0600 && chmod(same, 0600) == 0;
        close(fd);
    }
    return done;
}

void wshm_posix_close(platform_object *object)
{
    wshm_posix_descriptors_lock();
    if (*object != PLATFORM_NONE)
        close((int)*object);
    *object = PLATFORM_NONE;
    wshm_posix_descriptors_unlock();
}

winshm_status wshm_posix_check_limit(uint64_t bytes)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
                   limit.rlim_cur != RLIM_INFINITY && bytes > limit.rlim_cur
               ? wshm_error_detail(WINSHM_E_SIZE,
                                   "{a} bytes are asked for, and this process "
                                   "may write files of {b}",
                                   "Ask for less, or raise RLIMIT_FSIZE.",
                                   bytes, limit.rlim_cur, 0)
               : WINSHM_OK;
}

winshm_status wshm_posix_resize(int fd, uint64_t bytes)
{
    winshm_status status = wshm_posix_check_limit(bytes);
    return status != WINSHM_OK || ftruncate(fd, (off_t)bytes) == 0
               ? status
               : wshm_posix_refused("ftruncate", errno);
}

/** Ask first whether there is room: finding out by filling it would take the
 * memory from everybody else meanwhile. */
static winshm_status check_room(int fd, uint64_t bytes)
{
    struct statvfs room;
    if (fstatvfs(fd, &room) != 0)
        return wshm_posix_refused("fstatvfs", errno);
    uint64_t all = (uint64_t)room.f_blocks * room.f_frsize;
    uint64_t free = (uint64_t)room.f_bavail * room.f_frsize;
    if (all == 0 || bytes / room.f_frsize <= room.f_bavail)
        return WINSHM_OK;
    if (bytes / room.f_frsize > room.f_blocks)
        return wshm_error_detail(
            WINSHM_E_SIZE,
            "{a} bytes are asked for, " POSIX_DIRECTORY " could hold {b}",
            "Ask for less, or mount it with a larger size.", bytes, all, 0);
    return wshm_error_detail(
        WINSHM_E_NO_MEMORY,
        "{a} bytes are asked for, " POSIX_DIRECTORY " has {b} free",
        "Ask for less, remove files there, or mount it with a larger size.",
        bytes, free, 0);
}

winshm_status wshm_posix_reserve(int fd, uint64_t from, uint64_t to)
{
    winshm_status status = wshm_posix_check_limit(to);
    if (status == WINSHM_OK)
        status = check_room(fd, to - from);
    if (status != WINSHM_OK)
        return status;
    /* In parts, and smaller ones where need be, so that a signal that comes
     * again and again, as a profiler's does, cannot keep a large one from ever
     * being done. */
    uint64_t part = 64 << 20;
    int interruptions = 0;
    for (uint64_t done = from; done < to;) {
        uint64_t length = to - done < part ? to - done : part;
        int code = posix_fallocate(fd, (off_t)done, (off_t)length);
        if (code == 0) {
            done += length;
            interruptions = 0;
        } else if (code != EINTR || ++interruptions == 100) {
            return wshm_posix_refused("posix_fallocate", code);
        } else if (part > 65536) {
            part /= 2;
        }
    }
    return WINSHM_OK;
}
