/* Linux: presence is a lock on a byte of the control file, through an open file
 * description of its own. Byte 0 is the life lock, byte 1 + slot a presence.
 *
 * That description is never mapped: a mapping would keep it, and with it the
 * locks, alive in a forked child. Everything is mapped through a second one.
 * No lock is ever waited for in the kernel, because such a wait has no end. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "posix.h"

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

bool wshm_posix_lock_byte(const struct platform_region *p, uint32_t byte)
{
    struct flock lock = byte_lock(F_WRLCK, byte, 1);
    return fcntl((int)p->control, F_OFD_SETLK, &lock) == 0;
}

void wshm_posix_unlock_bytes(const struct platform_region *p, uint32_t first,
                             uint32_t count)
{
    struct flock lock = byte_lock(F_UNLCK, first, count);
    fcntl((int)p->control, F_OFD_SETLK, &lock);
}

/**
 * Asks whether somebody else has any of the bytes. Asked as if for reading:
 * only what was locked for writing is in the way of that, while whoever may
 * read the file can lock it for reading, and is no participant.
 *
 * @return 0 or an errno.
 */
static int bytes_locked(const struct platform_region *p, uint32_t first,
                        uint32_t count, bool *locked)
{
    struct flock lock = byte_lock(F_RDLCK, first, count);
    int code = fcntl((int)p->control, F_OFD_GETLK, &lock) == 0 ? 0 : errno;
    *locked = code != 0 || lock.l_type != F_UNLCK;
    return code;
}

bool wshm_platform_present(struct platform_region *p, uint32_t slot)
{
    bool locked;
    bytes_locked(p, 1 + slot, 1, &locked);
    return locked;
}

winshm_status wshm_platform_anybody(struct platform_region *p, uint32_t count,
                                    uint32_t except, bool *anybody)
{
    /* One question covers all slots; our own locks are not in the answer. */
    (void)count;
    (void)except;
    int code = bytes_locked(p, 1, WINSHM_PARTICIPANTS_MAX, anybody);
    return code == 0 ? WINSHM_OK
                     : wshm_posix_refused("fcntl(F_OFD_GETLK)", code);
}

winshm_status wshm_platform_take(struct platform_region *p, uint32_t slot,
                                 platform_object *taken)
{
    if (!wshm_posix_lock_byte(p, 1 + slot))
        return errno == EAGAIN || errno == EACCES
                   ? WINSHM_E_BUSY
                   : wshm_posix_refused("fcntl(F_OFD_SETLK)", errno);
    *taken = (platform_object)slot;
    return WINSHM_OK;
}

void wshm_platform_absent(struct platform_region *p, uint32_t slot,
                          platform_object taken)
{
    (void)taken;
    wshm_posix_unlock_bytes(p, 1 + slot, 1);
}
