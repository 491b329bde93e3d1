/* Linux: files that regions are saved in.
 *
 * A part file is locked through an open file description, which ends with its
 * process, and is the one that its name leads to while it is locked. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix.h"
#include "status.h"

/** What is open, so that a forked child can close it: under the lock of
 * descriptors. */
static struct place {
    bool used;
    platform_object file;
    platform_object folder;
    bool part; /* the file has the part file's name, and the lock */
} places[PLATFORM_FILES];

void wshm_posix_files_forget(void)
{
    for (int i = 0; i < PLATFORM_FILES; i++) {
        if (places[i].file != PLATFORM_NONE && places[i].used)
            close((int)places[i].file);
        if (places[i].folder != PLATFORM_NONE && places[i].used)
            close((int)places[i].folder);
        places[i].used = false;
    }
}

static struct place *place_of(const struct platform_file *f)
{
    return &places[f->place];
}

static winshm_status take_place(struct platform_file *f, const char *path)
{
    uint32_t place = 0;
    wshm_posix_descriptors_lock();
    while (place < PLATFORM_FILES && places[place].used)
        place++;
    if (place < PLATFORM_FILES)
        places[place] =
            (struct place){true, PLATFORM_NONE, PLATFORM_NONE, false};
    wshm_posix_descriptors_unlock();
    f->path = path;
    f->place = place;
    return place < PLATFORM_FILES
               ? WINSHM_OK
               : wshm_error_detail(WINSHM_E_NO_MEMORY, PLATFORM_FILE_MANY,
                                   PLATFORM_FILE_MANY_CURE, PLATFORM_FILES, 0,
                                   0);
}

/* Refusals. A status of a region's objects, such as "not found", would not tell
 * of a file. */

static winshm_status refused(const char *call, int code)
{
    wshm_error_os(WINSHM_E_SYSTEM, call, code);
    switch (code) {
    case EACCES:
    case EPERM:
    case EROFS:
        return wshm_error_because(WINSHM_E_ACCESS, PLATFORM_FILE_DENIED,
                                  PLATFORM_FILE_DENIED_CURE);
    case EISDIR:
    case ENXIO: /* a socket, or a device without a driver */
    case ENODEV:
        return wshm_error_because(WINSHM_E_KIND, PLATFORM_FILE_KIND,
                                  PLATFORM_FILE_KIND_CURE);
    case ENAMETOOLONG:
        return wshm_error_because(WINSHM_E_INVALID, PLATFORM_FILE_LONG,
                                  PLATFORM_FILE_LONG_CURE);
    case EAGAIN:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return WINSHM_E_NO_MEMORY;
    case EFBIG:
        return wshm_error_because(WINSHM_E_SIZE, PLATFORM_FILE_LARGE,
                                  PLATFORM_FILE_LARGE_CURE);
    default:
        return WINSHM_E_SYSTEM;
    }
}

static winshm_status no_file(const char *call, int code)
{
    wshm_error_os(WINSHM_E_NOT_FOUND, call, code);
    return wshm_error_because(WINSHM_E_NOT_FOUND, PLATFORM_FILE_NONE,
                              PLATFORM_FILE_NONE_CURE);
}

static winshm_status no_folder(const char *call, int code)
{
    wshm_error_os(WINSHM_E_SYSTEM, call, code);
    return wshm_error_because(WINSHM_E_SYSTEM, PLATFORM_FILE_NO_FOLDER,
                              PLATFORM_FILE_NO_FOLDER_CURE);
}

static winshm_status bad_part(void)
{
    return wshm_error_because(WINSHM_E_KIND, PLATFORM_FILE_PART_KIND,
                              PLATFORM_FILE_PART_KIND_CURE);
}

/** True if a call was interrupted by a signal and is to be made again. Signals
 * that come again and again do not keep the library for ever. */
static bool again(int *interruptions)
{
    return errno == EINTR && ++*interruptions < 100;
}

/* Reading. */

static winshm_status open_file(const struct platform_file *f, uint64_t *bytes)
{
    struct place *p = place_of(f);
    struct stat here;
    int code = wshm_posix_open_at(&p->file, PLATFORM_NONE, f->path, O_RDONLY);
    if (code == ENOENT || code == ENOTDIR)
        return no_file("openat", code);
    if (code == EAGAIN) /* a lease keeps others away for a while */
        return WINSHM_E_BUSY;
    if (code != 0)
        return refused("openat", code);
    if (fstat((int)p->file, &here) != 0)
        return refused("fstat", errno);
    *bytes = (uint64_t)here.st_size;
    return S_ISREG(here.st_mode)
               ? WINSHM_OK
               : wshm_error_because(WINSHM_E_KIND, PLATFORM_FILE_KIND,
                                    PLATFORM_FILE_KIND_CURE);
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

winshm_status wshm_platform_file_read(const struct platform_file *f,
                                      uint64_t offset, void *bytes,
                                      size_t length, size_t *got)
{
    int fd = (int)place_of(f)->file;
    int interruptions = 0;
    size_t done = 0;
    while (done < length) {
        ssize_t some = pread(fd, (char *)bytes + done, length - done,
                             (off_t)(offset + done));
        if (some == 0)
            break;
        if (some > 0)
            done += (size_t)some;
        else if (!again(&interruptions))
            return refused("pread", errno);
    }
    *got = done;
    return WINSHM_OK;
}

/* Writing. */

static void part_of(const char *path, char part[PLATFORM_PATH_MAX + 16])
{
    snprintf(part, PLATFORM_PATH_MAX + 16, "%s" PLATFORM_PART,
             wshm_posix_base(path));
}

/** Opens the folder, which may be one that can be entered and not read. */
static winshm_status open_folder(const struct platform_file *f)
{
    struct place *p = place_of(f);
    int code = wshm_posix_open_folder(&p->folder, f->path, O_RDONLY);
    if (code == EACCES)
        code = wshm_posix_open_folder(&p->folder, f->path, O_PATH);
    if (code == ENOENT || code == ENOTDIR)
        return no_folder("openat", code);
    return code == 0 ? WINSHM_OK : refused("openat", code);
}

/** Looks whether path may be replaced. */
static winshm_status look_at_target(const struct platform_file *f)
{
    struct stat there;
    const char *base = wshm_posix_base(f->path);
    if (*base != '\0' && fstatat((int)place_of(f)->folder, base, &there,
                                 AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? WINSHM_OK : refused("fstatat", errno);
    return *base != '\0' && (S_ISREG(there.st_mode) || S_ISLNK(there.st_mode))
               ? WINSHM_OK
               : wshm_error_because(WINSHM_E_KIND, PLATFORM_FILE_KIND,
                                    PLATFORM_FILE_KIND_CURE);
}

/** Locks the part file that is open, and looks whether it still has the name.
 * @return WINSHM_E_BUSY if either is not so. */
static winshm_status lock_part(const struct platform_file *f, const char *part,
                               const struct stat *here)
{
    struct place *p = place_of(f);
    struct stat there;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int interruptions = 0;
    while (fcntl((int)p->file, F_OFD_SETLK, &lock) != 0) {
        if (errno == EAGAIN || errno == EACCES)
            return WINSHM_E_BUSY;
        if (!again(&interruptions))
            return refused("fcntl(F_OFD_SETLK)", errno);
    }
    if (fstatat((int)p->folder, part, &there, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? WINSHM_E_BUSY : refused("fstatat", errno);
    p->part = here->st_ino == there.st_ino && here->st_dev == there.st_dev;
    return p->part ? WINSHM_OK : WINSHM_E_BUSY;
}

static winshm_status open_part(const struct platform_file *f)
{
    char part[PLATFORM_PATH_MAX + 16];
    struct place *p = place_of(f);
    struct stat here;
    part_of(f->path, part);
    int code = wshm_posix_open_at(&p->file, p->folder, part,
                                  O_RDWR | O_CREAT | O_NOFOLLOW);
    if (code == ELOOP || code == EISDIR || code == ENXIO)
        return bad_part();
    if (code != 0)
        return refused("openat", code);
    if (fstat((int)p->file, &here) != 0)
        return refused("fstat", errno);
    /* Anybody else's would be theirs under the path, too. */
    if (!S_ISREG(here.st_mode) || here.st_nlink > 1 ||
        !wshm_posix_own((int)p->file, &here))
        return bad_part();
    winshm_status status = lock_part(f, part, &here);
    /* Whatever the mask of this process is, or was of the one that made it. */
    if (status == WINSHM_OK && fchmod((int)p->file, 0600) != 0)
        status = refused("fchmod", errno);
    return status;
}

winshm_status wshm_platform_file_make(struct platform_file *f, const char *path)
{
    winshm_status status = take_place(f, path);
    if (status != WINSHM_OK)
        return status;
    status = open_folder(f);
    if (status == WINSHM_OK)
        status = look_at_target(f);
    if (status == WINSHM_OK)
        status = open_part(f);
    if (status != WINSHM_OK)
        wshm_platform_file_close(f);
    return status;
}

winshm_status wshm_platform_file_empty(const struct platform_file *f,
                                       uint64_t bytes)
{
    int fd = (int)place_of(f)->file;
    int interruptions = 0;
    winshm_status status = wshm_posix_check_limit(bytes);
    if (status != WINSHM_OK)
        return status;
    do {
        if (ftruncate(fd, 0) == 0 && ftruncate(fd, (off_t)bytes) == 0)
            return WINSHM_OK;
    } while (again(&interruptions));
    return refused("ftruncate", errno);
}

winshm_status wshm_platform_file_write(const struct platform_file *f,
                                       uint64_t offset, const void *bytes,
                                       size_t length)
{
    int fd = (int)place_of(f)->file;
    int interruptions = 0;
    for (size_t done = 0; done < length;) {
        ssize_t some = pwrite(fd, (const char *)bytes + done, length - done,
                              (off_t)(offset + done));
        if (some >= 0)
            done += (size_t)some;
        else if (!again(&interruptions))
            return refused("pwrite", errno);
    }
    return WINSHM_OK;
}

/** Brings a file or folder to the disk. @return 0 or an errno. */
static int flush(platform_object object)
{
    int interruptions = 0;
    int code;
    do
        code = fsync((int)object) == 0 ? 0 : errno;
    while (code != 0 && again(&interruptions));
    return code;
}

winshm_status wshm_platform_file_publish(const struct platform_file *f,
                                         uint64_t deadline_ns)
{
    char part[PLATFORM_PATH_MAX + 16];
    struct place *p = place_of(f);
    (void)deadline_ns;
    part_of(f->path, part);
    int code = flush(p->file);
    if (code != 0)
        return refused("fsync", code);
    if (renameat((int)p->folder, part, (int)p->folder,
                 wshm_posix_base(f->path)) != 0)
        return refused("renameat", errno);
    p->part = false;
    code = flush(p->folder);
    /* Some file systems cannot, nor can who may not read the folder. */
    return code == 0 || code == EINVAL || code == EBADF
               ? WINSHM_OK
               : refused("fsync", code);
}

void wshm_platform_file_close(const struct platform_file *f)
{
    char part[PLATFORM_PATH_MAX + 16];
    struct place *p = place_of(f);
    struct flock unlock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    part_of(f->path, part);
    if (p->part)
        unlinkat((int)p->folder, part, 0);
    /* By hand: a child that was forked without our hooks may still have the
     * description. */
    if (p->folder != PLATFORM_NONE && p->file != PLATFORM_NONE)
        fcntl((int)p->file, F_OFD_SETLK, &unlock);
    wshm_posix_close(&p->file);
    wshm_posix_close(&p->folder);
    wshm_posix_descriptors_lock();
    p->used = false;
    wshm_posix_descriptors_unlock();
}
