/* Linux: regions are files in /dev/shm, presence and the life lock are bytes
 * of the control file, locked through one open file description.
 *
 * That description is never mapped: a mapping would keep it, and with it the
 * locks, alive in a forked child. Everything is mapped through a second one.
 * No lock is ever waited for in the kernel, because such a wait has no end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform.h"
#include "platform_posix.h"
#include "status.h"

#define DIRECTORY "/dev/shm"
#define CONTROL_SUFFIX ".winshm"

enum { PATH_BYTES = sizeof DIRECTORY + WINSHM_NAME_MAX + sizeof CONTROL_SUFFIX };

static const uint64_t MICROSECOND = 1000;
static const uint64_t MILLISECOND = 1000 * 1000;

static winshm_status translate(int code)
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

static winshm_status refused(const char *call, int code)
{
    return wshm_error_os(translate(code), call, code);
}

static void path_of(const struct platform_region *p, const char *suffix,
                    char *path)
{
    snprintf(path, PATH_BYTES, DIRECTORY "/%s%s", p->name, suffix);
}

static winshm_status mode_of(const char *security, mode_t *mode)
{
    *mode = 0600;
    if (security == NULL || strcmp(security, "owner") == 0 ||
        strcmp(security, "session") == 0)
        return WINSHM_OK;
    if (strcmp(security, "interactive-read") == 0 ||
        strcmp(security, "everyone-read") == 0) {
        *mode = 0644;
        return WINSHM_OK;
    }
    return strchr(security, ':') != NULL ? WINSHM_E_UNSUPPORTED
                                         : WINSHM_E_INVALID;
}

static bool acceptable(uid_t owner)
{
    uid_t self = geteuid();
    return owner == self || owner == 0 || self == 0;
}

/** Opens into a field that a forked child knows, so that it can close it. */
static int open_into(platform_object *object, const char *path, int flags,
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

static void close_object(platform_object *object)
{
    wshm_posix_descriptors_lock();
    if (*object != PLATFORM_NONE)
        close((int)*object);
    *object = PLATFORM_NONE;
    wshm_posix_descriptors_unlock();
}

/* Byte locks. Byte 0 is the life lock, byte 1 + slot a presence. */

static struct flock byte_lock(short type, uint32_t first, uint32_t count)
{
    struct flock lock;
    memset(&lock, 0, sizeof lock);
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = first;
    lock.l_len = count;
    return lock;
}

static bool lock_byte(const struct platform_region *p, uint32_t byte)
{
    struct flock lock = byte_lock(F_WRLCK, byte, 1);
    return fcntl((int)p->control, F_OFD_SETLK, &lock) == 0;
}

static void unlock_bytes(const struct platform_region *p, uint32_t first,
                         uint32_t count)
{
    struct flock lock = byte_lock(F_UNLCK, first, count);
    fcntl((int)p->control, F_OFD_SETLK, &lock);
}

/** True unless the kernel says that nobody else has any of the bytes. */
static bool bytes_locked(const struct platform_region *p, uint32_t first,
                         uint32_t count)
{
    struct flock lock = byte_lock(F_WRLCK, first, count);
    return fcntl((int)p->control, F_OFD_GETLK, &lock) != 0 ||
           lock.l_type != F_UNLCK;
}

static winshm_status life_lock(const struct platform_region *p,
                               uint64_t deadline_ns)
{
    uint64_t pause = 20 * MICROSECOND;
    while (!lock_byte(p, 0)) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return refused("fcntl(F_OFD_SETLK)", errno);
        if (wshm_platform_now() >= deadline_ns)
            return WINSHM_E_TIMEOUT;
        wshm_platform_sleep(pause);
        pause = pause < MILLISECOND ? pause * 2 : pause;
    }
    return WINSHM_OK;
}

bool wshm_platform_present(struct platform_region *p, uint32_t slot)
{
    return bytes_locked(p, 1 + slot, 1);
}

bool wshm_platform_anybody(struct platform_region *p, uint32_t count,
                           uint32_t except)
{
    /* One question covers all slots; our own locks are not in the answer. */
    (void)count;
    (void)except;
    return bytes_locked(p, 1, WINSHM_PARTICIPANTS_MAX);
}

bool wshm_platform_take(struct platform_region *p, uint32_t slot,
                        platform_object *taken)
{
    *taken = (platform_object)slot;
    return lock_byte(p, 1 + slot);
}

void wshm_platform_absent(struct platform_region *p, uint32_t slot,
                          platform_object taken)
{
    (void)taken;
    unlock_bytes(p, 1 + slot, 1);
}

/* Entering. */

void wshm_platform_reset(struct platform_region *p)
{
    memset(p->id, 0, sizeof p->id);
    p->removes = false;
    p->control = p->life = p->data = p->presence = PLATFORM_NONE;
    p->control_view = NULL;
    p->control_bytes = 0;
    p->park = NULL;
}

/** Opens the object behind a descriptor again, for mapping. */
static int reopen(platform_object object, int flags)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", (int)object);
    return open(path, flags | O_CLOEXEC);
}

static winshm_status map_control(struct platform_region *p, uint64_t bytes,
                                 bool write)
{
    int fd = reopen(p->control, write ? O_RDWR : O_RDONLY);
    if (fd < 0)
        return refused("open(/proc/self/fd)", errno);
    void *view = mmap(NULL, (size_t)bytes, PROT_READ | (write ? PROT_WRITE : 0),
                      MAP_SHARED, fd, 0);
    int code = errno;
    close(fd);
    if (view == MAP_FAILED)
        return refused("mmap", code);
    p->control_view = view;
    p->control_bytes = bytes;
    return WINSHM_OK;
}

/** The file that is open is whole, ours to trust, and still has the name. */
static winshm_status check_control(struct platform_region *p, const char *path,
                                   uint64_t bytes, bool observe, bool anybodys,
                                   bool *gone)
{
    struct stat here, there;
    *gone = false;
    if (fstat((int)p->control, &here) != 0)
        return refused("fstat", errno);
    if (lstat(path, &there) != 0 || here.st_ino != there.st_ino ||
        here.st_dev != there.st_dev) {
        *gone = true;
        return WINSHM_E_NOT_FOUND;
    }
    if (!S_ISREG(here.st_mode))
        return WINSHM_E_KIND;
    if (here.st_size != (off_t)bytes && (observe || here.st_size != 0))
        return observe && here.st_size == 0 ? WINSHM_E_NOT_FOUND
                                            : WINSHM_E_FOREIGN;
    if (observe)
        return WINSHM_OK;
    if (!anybodys && !acceptable(here.st_uid))
        return WINSHM_E_FOREIGN;
    if (here.st_size == 0) {
        int code = posix_fallocate((int)p->control, 0, (off_t)bytes);
        if (code != 0)
            return refused("posix_fallocate", code);
    }
    return WINSHM_OK;
}

static winshm_status open_control(struct platform_region *p, const char *path,
                                  enum platform_entry entry, mode_t mode)
{
    for (;;) {
        int access = entry == PLATFORM_OBSERVE ? O_RDONLY : O_RDWR;
        int code = open_into(&p->control, path, access, 0);
        if (code == 0)
            return WINSHM_OK;
        if (code != ENOENT || entry != PLATFORM_CREATE)
            return refused("open", code);
        /* Never O_CREAT without O_EXCL: the kernel may refuse that on an
         * existing file of another user although opening it is allowed. */
        code = open_into(&p->control, path, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (code == 0) {
            fchmod((int)p->control, mode);
            return WINSHM_OK;
        }
        if (code != EEXIST)
            return refused("open(O_CREAT)", code);
    }
}

winshm_status wshm_platform_enter(struct platform_region *p,
                                  enum platform_entry entry, uint64_t bytes,
                                  const char *security, uint64_t deadline_ns)
{
    char path[PATH_BYTES];
    mode_t mode = 0;
    bool gone;
    bool observe = entry == PLATFORM_OBSERVE;
    bool anybodys = entry == PLATFORM_JOIN && security != NULL;
    winshm_status status = WINSHM_OK;
    path_of(p, CONTROL_SUFFIX, path);
    if (entry == PLATFORM_CREATE)
        status = mode_of(security, &mode);
    if (status != WINSHM_OK)
        return status;
    for (;;) {
        status = open_control(p, path, entry, mode);
        if (status != WINSHM_OK)
            return status;
        if (!observe)
            status = life_lock(p, deadline_ns);
        if (status == WINSHM_OK)
            status = check_control(p, path, bytes, observe, anybodys, &gone);
        if (status == WINSHM_OK)
            status = map_control(p, bytes, !observe);
        if (status == WINSHM_OK)
            return WINSHM_OK;
        wshm_platform_leave(p);
        /* A last participant has removed the file while we waited. */
        if (status != WINSHM_E_NOT_FOUND || !gone)
            return status;
        if (wshm_platform_now() >= deadline_ns)
            return WINSHM_E_TIMEOUT;
    }
}

void wshm_platform_entered(struct platform_region *p)
{
    unlock_bytes(p, 0, 1);
}

bool wshm_platform_leaving(struct platform_region *p)
{
    uint64_t deadline = wshm_platform_now() + 1000 * MILLISECOND;
    return life_lock(p, deadline) == WINSHM_OK;
}

/** True if the region's plain name leads to this file. */
static bool name_is(const struct platform_region *p,
                    const struct platform_identity *identity)
{
    char path[PATH_BYTES];
    struct stat there;
    path_of(p, "", path);
    return lstat(path, &there) == 0 && S_ISREG(there.st_mode) &&
           (uint64_t)there.st_dev == identity->volume &&
           (uint64_t)there.st_ino == identity->file;
}

void wshm_platform_leave(struct platform_region *p)
{
    struct platform_identity identity;
    if (p->removes &&
        wshm_platform_data_identity(p, &identity) == WINSHM_OK)
        wshm_platform_data_remove(p, &identity);
    if (p->control_view != NULL)
        munmap(p->control_view, (size_t)p->control_bytes);
    /* Unlocked by hand: a child that was forked without our hooks may still
     * have the description. */
    if (p->control != PLATFORM_NONE)
        unlock_bytes(p, 0, 1 + WINSHM_PARTICIPANTS_MAX);
    close_object(&p->control);
    close_object(&p->data);
    wshm_platform_reset(p);
}

void wshm_platform_abandon(struct platform_region *p)
{
    /* Closed, never unlocked: that would take the parent's locks away. */
    if (p->control != PLATFORM_NONE)
        close((int)p->control);
    if (p->data != PLATFORM_NONE)
        close((int)p->data);
    p->control = p->data = PLATFORM_NONE;
    p->removes = false;
}

/* The data. */

bool wshm_platform_data_exists(const struct platform_region *p)
{
    char path[PATH_BYTES];
    struct stat there;
    path_of(p, "", path);
    return lstat(path, &there) == 0;
}

winshm_status wshm_platform_data_open(struct platform_region *p,
                                      const struct platform_identity *known)
{
    char path[PATH_BYTES];
    struct stat here;
    path_of(p, "", path);
    if (known != NULL && known->file == 0)
        return WINSHM_E_REPLACED;
    int code = open_into(&p->data, path, p->writable ? O_RDWR : O_RDONLY, 0);
    if (code != 0) {
        winshm_status status = refused("open", code);
        return known != NULL && code != EACCES && code != EMFILE &&
                       code != ENFILE
                   ? WINSHM_E_REPLACED
                   : status;
    }
    winshm_status status = WINSHM_OK;
    if (fstat((int)p->data, &here) != 0)
        status = refused("fstat", errno);
    else if (known != NULL && ((uint64_t)here.st_dev != known->volume ||
                               (uint64_t)here.st_ino != known->file))
        status = WINSHM_E_REPLACED;
    else if (!S_ISREG(here.st_mode))
        status = WINSHM_E_KIND;
    if (status != WINSHM_OK)
        close_object(&p->data);
    return status;
}

winshm_status wshm_platform_data_make(struct platform_region *p, uint64_t bytes,
                                      uint64_t capacity, const char *security,
                                      struct platform_identity *identity)
{
    mode_t mode;
    winshm_status status = mode_of(security, &mode);
    if (status != WINSHM_OK)
        return status;
    if (capacity > INT64_MAX)
        return WINSHM_E_SIZE;
    wshm_posix_descriptors_lock();
    int fd = open(DIRECTORY, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    int code = errno;
    if (fd >= 0)
        p->data = fd;
    wshm_posix_descriptors_unlock();
    if (fd < 0)
        return refused("open(O_TMPFILE)", code);
    const char *call = "ftruncate";
    code = ftruncate(fd, (off_t)capacity) == 0 ? 0 : errno;
    if (code == 0) {
        /* Without room set aside a full file system would kill whoever first
         * touches a page. */
        call = "posix_fallocate";
        code = posix_fallocate(fd, 0, (off_t)bytes);
    }
    if (code == 0) {
        call = "fchmod";
        code = fchmod(fd, mode) == 0 ? 0 : errno;
    }
    status = code == 0 ? wshm_platform_data_identity(p, identity)
                       : refused(call, code);
    if (status != WINSHM_OK)
        close_object(&p->data);
    return status;
}

winshm_status wshm_platform_data_publish(struct platform_region *p)
{
    char from[64], to[PATH_BYTES];
    path_of(p, "", to);
    snprintf(from, sizeof from, "/proc/self/fd/%d", (int)p->data);
    if (linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW) == 0)
        return WINSHM_OK;
    int code = errno;
    winshm_status status = refused("linkat", code);
    return code == EEXIST ? WINSHM_E_HELD : status;
}

void wshm_platform_data_close(struct platform_region *p)
{
    close_object(&p->data);
}

winshm_status wshm_platform_data_identity(const struct platform_region *p,
                                          struct platform_identity *identity)
{
    struct stat here;
    if (fstat((int)p->data, &here) != 0)
        return refused("fstat", errno);
    identity->volume = (uint64_t)here.st_dev;
    identity->file = (uint64_t)here.st_ino;
    return WINSHM_OK;
}

bool wshm_platform_data_trusted(const struct platform_region *p)
{
    struct stat here;
    return fstat((int)p->data, &here) == 0 && acceptable(here.st_uid);
}

winshm_status wshm_platform_data_bytes(const struct platform_region *p,
                                       uint64_t *bytes)
{
    struct stat here;
    if (fstat((int)p->data, &here) != 0)
        return refused("fstat", errno);
    *bytes = (uint64_t)here.st_size;
    return WINSHM_OK;
}

winshm_status wshm_platform_data_remove(
    const struct platform_region *p, const struct platform_identity *recorded)
{
    char path[PATH_BYTES];
    path_of(p, "", path);
    if (recorded->file == 0 || !name_is(p, recorded))
        return WINSHM_OK;
    return unlink(path) == 0 ? WINSHM_OK : refused("unlink", errno);
}

void wshm_platform_control_remove(const struct platform_region *p)
{
    char path[PATH_BYTES];
    struct stat here, there;
    path_of(p, CONTROL_SUFFIX, path);
    if (fstat((int)p->control, &here) == 0 && lstat(path, &there) == 0 &&
        here.st_ino == there.st_ino && here.st_dev == there.st_dev)
        unlink(path);
}

winshm_status wshm_platform_raw(struct platform_region *p, bool create,
                                uint64_t bytes, const char *security)
{
    struct platform_identity identity;
    if (!create)
        return wshm_platform_data_open(p, NULL);
    winshm_status status =
        wshm_platform_data_make(p, bytes, bytes, security, &identity);
    if (status != WINSHM_OK)
        return status;
    status = wshm_platform_data_publish(p);
    if (status != WINSHM_OK) {
        close_object(&p->data);
        return status == WINSHM_E_HELD ? WINSHM_E_EXISTS : status;
    }
    p->removes = true;
    return WINSHM_OK;
}

/* Mapping. */

uint64_t wshm_platform_granularity(void)
{
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

winshm_status wshm_platform_map(const struct platform_region *p,
                                uint64_t offset, uint64_t length, bool write,
                                void **address)
{
    if (length > SIZE_MAX)
        return WINSHM_E_NO_MEMORY;
    void *view =
        mmap(NULL, (size_t)length, PROT_READ | (write ? PROT_WRITE : 0),
             MAP_SHARED, (int)p->data, (off_t)offset);
    if (view == MAP_FAILED)
        return refused("mmap", errno);
    *address = view;
    return WINSHM_OK;
}

void wshm_platform_unmap(void *address, uint64_t length)
{
    munmap(address, (size_t)length);
}
