/* Linux: which control files may be what a crash has left. A guess, made at
 * little cost; whoever acts on it has to look again under the life lock. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "posix.h"

/** How many names are passed and how many control files looked at, at most: the
 * directory may be full of either. */
enum { ENTRIES_MAX = 4096, LOOKS_MAX = 256 };

/** As the kernel writes it. Not through the C library, which allocates. */
struct entry {
    uint64_t file;
    int64_t next;
    uint16_t length;
    uint8_t type;
    char name[5]; /* and more */
};

struct search {
    char (*names)[WINSHM_NAME_MAX + 1];
    uint32_t most;
    uint32_t found;
    uint32_t entries;
    uint32_t looks;
    uint64_t bytes;
};

/** Where entries are read to. Used under the lock of descriptors. */
static _Alignas(struct entry) char room[16384];

static long read_entries(int directory, size_t bytes)
{
    return syscall(SYS_getdents64, (long)directory, room, (long)bytes);
}

/** Reads entries from a position on. @return the furthest position that one of
 * them tells, or the first one. */
static int64_t read_position(int directory, int64_t from, bool furthest)
{
    int64_t told = 0;
    if (lseek(directory, (off_t)from, SEEK_SET) < 0)
        return 0;
    long got = read_entries(directory, furthest ? sizeof room : 512);
    for (long at = 0; at < got && (furthest || at == 0);) {
        const struct entry *entry = (void *)(room + at);
        at += entry->length;
        /* What the last one of all tells means the end. */
        if (entry->next > told && entry->next < INT32_MAX)
            told = entry->next;
    }
    return told;
}

/** Tells a position in the directory by chance, so that whatever is in the way
 * of one search is not in the way of all. How far positions go has to be found
 * out: kernels have named the newest file first, or last, and by numbers with
 * gaps. */
static off_t begin(int directory, uint64_t chance)
{
    int64_t end = read_position(directory, 0, true) + 1;
    while (end < INT32_MAX && read_position(directory, end, false) > end)
        end *= 2;
    return (off_t)(chance % (uint64_t)end);
}

/** True if nobody is in the region, nor just entering it, as far as a glance
 * can tell. */
static bool deserted(const char *path, uint64_t bytes)
{
    struct stat file;
    struct flock lock;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == EACCES && wshm_posix_unshut(path);
    memset(&lock, 0, sizeof lock);
    lock.l_type = F_RDLCK; /* only what was locked for writing counts */
    lock.l_whence = SEEK_SET;
    lock.l_len = 1 + WINSHM_PARTICIPANTS_MAX;
    bool found = fstat(fd, &file) == 0 && S_ISREG(file.st_mode) &&
                 file.st_nlink == 1 &&
                 (file.st_size == 0 || (uint64_t)file.st_size == bytes) &&
                 wshm_posix_own(fd, &file) &&
                 fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
    close(fd);
    return found;
}

static void consider(struct search *s, const char *name)
{
    char path[sizeof POSIX_DIRECTORY + NAME_MAX + 1];
    const size_t suffix = sizeof POSIX_CONTROL_SUFFIX - 1;
    size_t length = strlen(name);
    if (length <= suffix || length - suffix > WINSHM_NAME_MAX ||
        strcmp(name + length - suffix, POSIX_CONTROL_SUFFIX) != 0)
        return;
    length -= suffix;
    /* The search may come to where it has begun. */
    for (uint32_t i = 0; i < s->found; i++)
        if (strncmp(s->names[i], name, length) == 0 &&
            s->names[i][length] == '\0')
            return;
    s->looks--;
    snprintf(path, sizeof path, POSIX_DIRECTORY "/%s", name);
    if (!deserted(path, s->bytes))
        return;
    memcpy(s->names[s->found], name, length);
    s->names[s->found++][length] = '\0';
}

static void look_through(struct search *s, int directory, off_t position)
{
    long got = lseek(directory, position, SEEK_SET) < 0 ? -1 : 1;
    while (got > 0) {
        got = read_entries(directory, sizeof room);
        for (long at = 0; at < got;) {
            const struct entry *entry = (void *)(room + at);
            if (s->found == s->most || s->entries == 0 || s->looks == 0)
                return;
            s->entries--;
            if (entry->type == DT_REG || entry->type == DT_UNKNOWN)
                consider(s, entry->name);
            at += entry->length;
        }
    }
}

uint32_t wshm_platform_leftovers(char (*names)[WINSHM_NAME_MAX + 1],
                                 uint32_t most, uint64_t bytes)
{
    struct search s = {names, most, 0, ENTRIES_MAX, LOOKS_MAX, bytes};
    uint64_t chance = 0;
    wshm_platform_random(&chance, sizeof chance);
    /* A child that is forked meanwhile would keep what is open here. */
    wshm_posix_descriptors_lock();
    int directory = open(POSIX_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0) {
        off_t position = begin(directory, chance);
        look_through(&s, directory, position);
        look_through(&s, directory, 0);
        close(directory);
    }
    wshm_posix_descriptors_unlock();
    return s.found;
}
