/* Linux: the life of a region. The control block is a file in /dev/shm, and the
 * life lock a byte of it: see presence.c. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix.h"
#include "status.h"

static winshm_status life_lock(const struct platform_region *p,
                               uint64_t deadline_ns)
{
    uint64_t pause = 20 * MICROSECOND;
    while (!wshm_posix_lock_byte(p, 0)) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return wshm_posix_refused("fcntl(F_OFD_SETLK)", errno);
        if (wshm_platform_now() >= deadline_ns)
            return wshm_error_because(WINSHM_E_TIMEOUT, PLATFORM_OTHERS_INSIDE,
                                      PLATFORM_OTHERS_CURE);
        wshm_platform_sleep(pause);
        pause = pause < MILLISECOND ? pause * 2 : pause;
    }
    return WINSHM_OK;
}

/* Entering. */

/** What is known of the control file that is open. */
struct condition {
    bool made;   /* by this call */
    bool gone;   /* the name is not the file's any more */
    bool unused; /* no life has begun in it, seen under the life lock */
};

/** The file that is open is whole, and ours to trust. */
static winshm_status check_control(const struct platform_region *p,
                                   const struct stat *here, uint64_t bytes,
                                   bool observe, bool anybodys,
                                   struct condition *found)
{
    if (!S_ISREG(here->st_mode))
        return WINSHM_E_KIND;
    if (here->st_size != (off_t)bytes && (observe || here->st_size != 0))
        return observe && here->st_size == 0 ? WINSHM_E_NOT_FOUND
                                             : WINSHM_E_FOREIGN;
    winshm_status status =
        anybodys ? WINSHM_OK : wshm_posix_trust((int)p->control, here);
    if (status != WINSHM_OK)
        return status;
    found->unused = here->st_size == 0;
    return found->unused ? wshm_posix_reserve((int)p->control, 0, bytes)
                         : WINSHM_OK;
}

static winshm_status map_control(struct platform_region *p, int fd,
                                 uint64_t bytes, bool observe)
{
    void *view =
        mmap(NULL, (size_t)bytes, observe ? PROT_READ : PROT_READ | PROT_WRITE,
             MAP_SHARED, fd, 0);
    if (view == MAP_FAILED)
        return wshm_posix_refused("mmap", errno);
    p->control_view = view;
    p->control_bytes = bytes;
    wshm_posix_control_watch(p);
    return WINSHM_OK;
}

/** Checks and maps the control file. It is opened by its name once more: that
 * gives the description to be mapped, and tells whether it is still the one
 * that the name leads to. */
static winshm_status take_control(struct platform_region *p, const char *path,
                                  uint64_t bytes, bool observe, bool anybodys,
                                  struct condition *found)
{
    struct stat here, there;
    int fd = open(path, (observe ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW |
                            O_NONBLOCK);
    found->gone = fd < 0 && errno == ENOENT;
    if (found->gone)
        return WINSHM_E_NOT_FOUND;
    if (fd < 0)
        return wshm_posix_refused("open", errno);
    winshm_status status = WINSHM_OK;
    if (fstat((int)p->control, &here) != 0 || fstat(fd, &there) != 0) {
        status = wshm_posix_refused("fstat", errno);
    } else if (here.st_ino != there.st_ino || here.st_dev != there.st_dev) {
        found->gone = true;
        status = WINSHM_E_NOT_FOUND;
    }
    if (status == WINSHM_OK)
        status = check_control(p, &here, bytes, observe, anybodys, found);
    if (status == WINSHM_OK)
        status = map_control(p, fd, bytes, observe);
    close(fd);
    return status;
}

static bool unshut(const char *path)
{
    wshm_posix_descriptors_lock();
    bool done = wshm_posix_unshut(path);
    wshm_posix_descriptors_unlock();
    return done;
}

static winshm_status open_control(struct platform_region *p, const char *path,
                                  enum platform_entry entry, mode_t mode,
                                  bool *made)
{
    for (;;) {
        int access = entry == PLATFORM_OBSERVE ? O_RDONLY : O_RDWR;
        int code = wshm_posix_open(&p->control, path, access, 0);
        if (code == 0)
            return WINSHM_OK;
        if (code == EACCES && access == O_RDWR && unshut(path))
            continue;
        if (entry != PLATFORM_CREATE)
            return wshm_posix_refused("open", code);
        if (code != ENOENT)
            return code == EROFS ? wshm_posix_not_made("open", code)
                                 : wshm_posix_refused("open", code);
        /* Named when it has its permissions: a creator that is killed shuts
         * nobody out. */
        winshm_status status = wshm_posix_make(&p->control, mode);
        if (status != WINSHM_OK)
            return status;
        code = wshm_posix_link((int)p->control, path);
        *made = code == 0;
        if (code == 0)
            return WINSHM_OK;
        wshm_posix_close(&p->control);
        if (code != EEXIST)
            return wshm_posix_not_made("linkat", code);
    }
}

/** Removes a control file that no life has begun in. One that was just made
 * may have been taken into use by whoever had the life lock meanwhile. */
static void remove_unused(const struct platform_region *p,
                          const struct condition *found)
{
    struct stat here;
    if (found->unused ||
        (found->made && wshm_posix_lock_byte(p, 0) &&
         fstat((int)p->control, &here) == 0 && here.st_size == 0))
        wshm_platform_control_remove(p);
}

winshm_status wshm_platform_enter(struct platform_region *p,
                                  enum platform_entry entry, uint64_t bytes,
                                  const char *security, uint64_t deadline_ns)
{
    char path[POSIX_PATH_BYTES];
    mode_t mode = 0;
    bool observe = entry == PLATFORM_OBSERVE;
    bool anybodys = entry != PLATFORM_CREATE && security != NULL;
    winshm_status status = WINSHM_OK;
    wshm_posix_path(p, POSIX_CONTROL_SUFFIX, path);
    if (entry == PLATFORM_CREATE)
        status = wshm_posix_mode(security, &mode);
    if (status != WINSHM_OK)
        return status;
    for (;;) {
        struct condition found = {false, false, false};
        status = open_control(p, path, entry, mode, &found.made);
        if (status != WINSHM_OK)
            return status;
        if (!observe)
            status = life_lock(p, deadline_ns);
        if (status == WINSHM_OK) {
            /* A child that is forked meanwhile would keep what is open. */
            wshm_posix_descriptors_lock();
            status = take_control(p, path, bytes, observe, anybodys, &found);
            wshm_posix_descriptors_unlock();
        }
        if (status == WINSHM_OK)
            return WINSHM_OK;
        remove_unused(p, &found);
        wshm_platform_leave(p);
        /* A last participant has removed the file while we waited. */
        if (status != WINSHM_E_NOT_FOUND || !found.gone)
            return status;
        if (wshm_platform_now() >= deadline_ns)
            return WINSHM_E_TIMEOUT;
    }
}

winshm_status wshm_platform_control_own(const struct platform_region *p,
                                        const char *security)
{
    struct stat here;
    mode_t mode;
    winshm_status status = wshm_posix_mode(security, &mode);
    if (status != WINSHM_OK)
        return status;
    if (fstat((int)p->control, &here) != 0)
        return wshm_posix_refused("fstat", errno);
    /* Root may join what users have made, but shall not build upon it. */
    if (here.st_uid != 0 && !wshm_posix_own((int)p->control, &here))
        return WINSHM_E_FOREIGN;
    return fchmod((int)p->control, mode) == 0
               ? WINSHM_OK
               : wshm_posix_refused("fchmod", errno);
}

winshm_status wshm_platform_reenter(struct platform_region *p,
                                    uint64_t deadline_ns)
{
    return life_lock(p, deadline_ns);
}

void wshm_platform_entered(struct platform_region *p)
{
    wshm_posix_unlock_bytes(p, 0, 1);
}

bool wshm_platform_leaving(struct platform_region *p, uint64_t deadline_ns)
{
    return life_lock(p, deadline_ns) == WINSHM_OK;
}

/** Unmaps the control block. Forgotten first: a child that is forked meanwhile
 * must not unmap what has come in its place. */
static void unmap_control(struct platform_region *p)
{
    void *view = p->control_view;
    if (view == NULL)
        return;
    wshm_posix_control_unwatch(p);
    p->control_view = NULL;
    munmap(view, (size_t)p->control_bytes);
}

void wshm_platform_leave(struct platform_region *p)
{
    wshm_platform_unname(p);
    wshm_posix_descriptors_lock();
    unmap_control(p);
    wshm_posix_descriptors_unlock();
    /* Unlocked by hand: a child that was forked without our hooks may still
     * have the description. */
    if (p->control != PLATFORM_NONE)
        wshm_posix_unlock_bytes(p, 0, 1 + WINSHM_PARTICIPANTS_MAX);
    wshm_posix_close(&p->control);
    wshm_posix_close(&p->data);
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
    wshm_posix_watcher_forget(p);
    p->removes = false;
    unmap_control(p);
}

void wshm_platform_control_remove(const struct platform_region *p)
{
    char path[POSIX_PATH_BYTES];
    struct stat here, there;
    wshm_posix_path(p, POSIX_CONTROL_SUFFIX, path);
    if (fstat((int)p->control, &here) == 0 && lstat(path, &there) == 0 &&
        here.st_ino == there.st_ino && here.st_dev == there.st_dev)
        unlink(path);
}
