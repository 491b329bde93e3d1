/* Linux: the file that holds a region's data. */
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

_Static_assert(sizeof(off_t) == 8, "sizes of 64 bits reach the kernel");

/** Look at what the region's plain name leads to; all zeros: nothing. */
static winshm_status look_up(const struct platform_region *p,
                             struct stat *there)
{
    char path[POSIX_PATH_BYTES];
    wshm_posix_path(p, "", path);
    memset(there, 0, sizeof *there);
    return lstat(path, there) == 0 || errno == ENOENT
               ? WINSHM_OK
               : wshm_posix_refused("lstat", errno);
}

static bool is_file(const struct stat *there,
                    const struct platform_identity *identity)
{
    return S_ISREG(there->st_mode) &&
           (uint64_t)there->st_dev == identity->volume &&
           (uint64_t)there->st_ino == identity->file;
}

winshm_status wshm_platform_data_look(const struct platform_region *p)
{
    struct stat there;
    if (look_up(p, &there) != WINSHM_OK || there.st_mode == 0)
        return WINSHM_E_NOT_FOUND;
    wshm_error_clear(); /* what is there has refused nothing */
    return S_ISREG(there.st_mode) ? WINSHM_OK : WINSHM_E_KIND;
}

winshm_status wshm_platform_data_open(struct platform_region *p,
                                      const struct platform_identity *known)
{
    char path[POSIX_PATH_BYTES];
    struct stat here;
    wshm_posix_path(p, "", path);
    if (known != NULL && known->file == 0)
        return WINSHM_E_REPLACED;
    int code =
        wshm_posix_open(&p->data, path, p->writable ? O_RDWR : O_RDONLY, 0);
    if (code != 0) {
        winshm_status status = wshm_posix_refused("open", code);
        return known != NULL &&
                       (status == WINSHM_E_NOT_FOUND || status == WINSHM_E_KIND)
                   ? WINSHM_E_REPLACED
                   : status;
    }
    winshm_status status = WINSHM_OK;
    if (fstat((int)p->data, &here) != 0)
        status = wshm_posix_refused("fstat", errno);
    else if (known != NULL && ((uint64_t)here.st_dev != known->volume ||
                               (uint64_t)here.st_ino != known->file))
        status = WINSHM_E_REPLACED;
    else if (!S_ISREG(here.st_mode))
        status = WINSHM_E_KIND;
    if (status != WINSHM_OK)
        wshm_posix_close(&p->data);
    return status;
}

winshm_status wshm_platform_data_make(struct platform_region *p, uint64_t bytes,
                                      uint64_t capacity, const char *security,
                                      struct platform_identity *identity)
{
    mode_t mode;
    winshm_status status = wshm_posix_mode(security, &mode);
    if (status != WINSHM_OK)
        return status;
    /* linkat() decides; this saves setting the room aside in vain. */
    struct stat there;
    status = look_up(p, &there);
    if (status != WINSHM_OK)
        return status;
    if (there.st_mode != 0)
        return S_ISREG(there.st_mode) ? WINSHM_E_HELD : WINSHM_E_KIND;
    status = wshm_posix_make(&p->data, mode);
    if (status != WINSHM_OK)
        return status;
    status = wshm_posix_resize((int)p->data, capacity);
    /* Without room set aside a full file system would kill whoever first
     * touches a page. */
    if (status == WINSHM_OK)
        status = wshm_posix_reserve((int)p->data, 0, bytes);
    if (status == WINSHM_OK)
        status = wshm_platform_data_identity(p, identity);
    if (status != WINSHM_OK)
        wshm_posix_close(&p->data);
    return status;
}

/** Gives back what is set aside beyond the first bytes. */
static void give_back(const struct platform_region *p, uint64_t bytes)
{
    uint64_t page = wshm_platform_granularity();
    uint64_t from = (bytes + page - 1) & ~(page - 1);
    uint64_t end = 0;
    if (wshm_platform_data_bytes(p, &end) == WINSHM_OK && from < end)
        fallocate((int)p->data, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                  (off_t)from, (off_t)(end - from));
}

winshm_status wshm_platform_data_grow(const struct platform_region *p,
                                      uint64_t from, uint64_t to)
{
    winshm_status status = wshm_posix_reserve((int)p->data, from, to);
    if (status == WINSHM_E_NO_MEMORY) {
        /* What another one has set aside, and died, is in the way. */
        give_back(p, from);
        wshm_error_clear();
        status = wshm_posix_reserve((int)p->data, from, to);
    }
    if (status != WINSHM_OK) {
        wshm_error_keep();
        give_back(p, from);
    }
    return status;
}

winshm_status wshm_platform_data_publish(struct platform_region *p)
{
    char path[POSIX_PATH_BYTES];
    wshm_posix_path(p, "", path);
    int code = wshm_posix_link((int)p->data, path);
    if (code == 0)
        return WINSHM_OK;
    winshm_status status = wshm_posix_not_made("linkat", code);
    return code == EEXIST ? WINSHM_E_HELD : status;
}

void wshm_platform_data_close(struct platform_region *p)
{
    wshm_posix_close(&p->data);
}

winshm_status wshm_platform_data_identity(const struct platform_region *p,
                                          struct platform_identity *identity)
{
    struct stat here;
    if (fstat((int)p->data, &here) != 0)
        return wshm_posix_refused("fstat", errno);
    identity->volume = (uint64_t)here.st_dev;
    identity->file = (uint64_t)here.st_ino;
    return WINSHM_OK;
}

bool wshm_platform_data_named(const struct platform_region *p)
{
    struct platform_identity identity = {0, 0};
    struct stat there;
    return wshm_platform_data_identity(p, &identity) == WINSHM_OK &&
           look_up(p, &there) == WINSHM_OK && is_file(&there, &identity);
}

winshm_status wshm_platform_data_trusted(const struct platform_region *p)
{
    struct stat here;
    if (fstat((int)p->data, &here) != 0)
        return wshm_posix_refused("fstat", errno);
    return wshm_posix_trust((int)p->data, &here);
}

winshm_status wshm_platform_data_bytes(const struct platform_region *p,
                                       uint64_t *bytes)
{
    struct stat here;
    if (fstat((int)p->data, &here) != 0)
        return wshm_posix_refused("fstat", errno);
    *bytes = (uint64_t)here.st_size;
    return WINSHM_OK;
}

winshm_status wshm_platform_data_usable(const struct platform_region *p,
                                        uint64_t *bytes)
{
    /* What was not set aside is as soon as it is touched, if there is room. */
    return wshm_platform_data_bytes(p, bytes);
}

winshm_status
wshm_platform_data_remove(const struct platform_region *p,
                          const struct platform_identity *recorded)
{
    char path[POSIX_PATH_BYTES];
    struct stat data, control;
    if (recorded->file == 0)
        return WINSHM_OK;
    winshm_status status = look_up(p, &data);
    if (status != WINSHM_OK || !is_file(&data, recorded))
        return status;
    if (p->control != PLATFORM_NONE) {
        if (fstat((int)p->control, &control) != 0)
            return wshm_posix_refused("fstat", errno);
        /* Whoever wrote the record could not name other people's files. */
        if (data.st_uid != control.st_uid && control.st_uid != 0)
            return WINSHM_OK;
    }
    wshm_posix_path(p, "", path);
    return unlink(path) == 0 ? WINSHM_OK : wshm_posix_refused("unlink", errno);
}

winshm_status wshm_platform_raw(struct platform_region *p, bool create,
                                uint64_t bytes, const char *security)
{
    struct platform_identity identity;
    if (!create)
        return wshm_platform_data_open(p, NULL);
    winshm_status status =
        wshm_platform_data_make(p, bytes, bytes, security, &identity);
    p->removes = status == WINSHM_OK;
    return status;
}

void wshm_platform_unname(const struct platform_region *p)
{
    struct platform_identity identity;
    if (p->removes && wshm_platform_data_identity(p, &identity) == WINSHM_OK)
        wshm_platform_data_remove(p, &identity);
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
        return wshm_posix_refused("mmap", errno);
    *address = view;
    return WINSHM_OK;
}

void wshm_platform_unmap(void *address, uint64_t length)
{
    munmap(address, (size_t)length);
}
