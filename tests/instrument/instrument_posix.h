/* Every call to Linux that the library makes, and how each may be refused.
 *
 * The codes are those of the manual that can come up in a call as the library
 * makes it. Left out are answers, which tell how things are (ENOENT, EEXIST,
 * EAGAIN for a lock that another has): the real system gives those. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Files. */

INSTRUMENT_STAND_IN(int, open, -1,
                    (const char *path, int flags, mode_t mode, ...),
                    (path, flags, mode))
#define open(...)                                                              \
    INSTRUMENT_FAILS(open, (EACCES, EINTR, EMFILE, ENFILE, ENOMEM, ENOSPC, 0), \
                     __VA_ARGS__, 0)

INSTRUMENT_STAND_IN(int, openat, -1,
                    (int at, const char *path, int flags, mode_t mode),
                    (at, path, flags, mode))
#define openat(...)                                                            \
    INSTRUMENT_FAILS(openat,                                                   \
                     (EACCES, EINTR, EIO, EMFILE, ENAMETOOLONG, ENFILE,        \
                      ENOMEM, ENOSPC, EROFS, 0),                               \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(ssize_t, pread, -1,
                    (int file, void *bytes, size_t length, off_t offset),
                    (file, bytes, length, offset))
#define pread(...) INSTRUMENT_FAILS(pread, (EINTR, EIO, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(ssize_t, pwrite, -1,
                    (int file, const void *bytes, size_t length, off_t offset),
                    (file, bytes, length, offset))
#define pwrite(...)                                                            \
    INSTRUMENT_FAILS(pwrite, (EDQUOT, EFBIG, EINTR, EIO, ENOSPC, 0),           \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(int, fsync, -1, (int file), (file))
#define fsync(...)                                                             \
    INSTRUMENT_FAILS(fsync, (EDQUOT, EINTR, EIO, ENOSPC, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(int, renameat, -1,
                    (int at, const char *path, int to, const char *name),
                    (at, path, to, name))
#define renameat(...)                                                          \
    INSTRUMENT_FAILS(renameat, (EACCES, EISDIR, ENOMEM, ENOSPC, EROFS, 0),     \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(int, unlinkat, -1, (int at, const char *path, int flags),
                    (at, path, flags))
#define unlinkat(...)                                                          \
    INSTRUMENT_FAILS(unlinkat, (EACCES, ENOMEM, EPERM, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(ssize_t, read, -1, (int file, void *bytes, size_t length),
                    (file, bytes, length))
#define read(...) INSTRUMENT_FAILS(read, (EINTR, EIO, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(int, fstat, -1, (int file, struct stat *facts),
                    (file, facts))
#define fstat(...) INSTRUMENT_FAILS(fstat, (ENOMEM, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(int, lstat, -1, (const char *path, struct stat *facts),
                    (path, facts))
#define lstat(...) INSTRUMENT_FAILS(lstat, (EACCES, ENOMEM, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(int, fstatat, -1,
                    (int at, const char *path, struct stat *facts, int flags),
                    (at, path, facts, flags))
#define fstatat(...) INSTRUMENT_FAILS(fstatat, (EACCES, ENOMEM, 0), __VA_ARGS__)

#define lseek(...) INSTRUMENT_SURE(lseek, __VA_ARGS__)

INSTRUMENT_STAND_IN(int, fstatvfs, -1, (int file, struct statvfs *facts),
                    (file, facts))
#define fstatvfs(...)                                                          \
    INSTRUMENT_FAILS(fstatvfs, (EINTR, EIO, ENOMEM, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(int, ftruncate, -1, (int file, off_t length),
                    (file, length))
#define ftruncate(...)                                                         \
    INSTRUMENT_FAILS(ftruncate, (EFBIG, EINTR, EIO, EPERM, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(int, posix_fallocate, refusal,
                    (int file, off_t offset, off_t length),
                    (file, offset, length))
#define posix_fallocate(...)                                                   \
    INSTRUMENT_FAILS(posix_fallocate, (EFBIG, EINTR, ENOSPC, 0), __VA_ARGS__)

/* It gives back what was got in vain, and nothing depends on it. */
#define fallocate(...) INSTRUMENT_SURE(fallocate, __VA_ARGS__)

INSTRUMENT_STAND_IN(int, fchmod, -1, (int file, mode_t mode), (file, mode))
#define fchmod(...)                                                            \
    INSTRUMENT_FAILS(fchmod, (EIO, EPERM, EROFS, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(int, chmod, -1, (const char *path, mode_t mode),
                    (path, mode))
#define chmod(...) INSTRUMENT_FAILS(chmod, (EACCES, EPERM, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(int, linkat, -1,
                    (int from, const char *path, int to, const char *link,
                     int flags),
                    (from, path, to, link, flags))
#define linkat(...)                                                            \
    INSTRUMENT_FAILS(linkat, (EACCES, EDQUOT, ENOMEM, ENOSPC, EPERM, 0),       \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(int, unlink, -1, (const char *path), (path))
#define unlink(...)                                                            \
    INSTRUMENT_FAILS(unlink, (EACCES, ENOMEM, EPERM, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(ssize_t, pwrite, -1,
                    (int file, const void *bytes, size_t length, off_t at),
                    (file, bytes, length, at))
#define pwrite(...)                                                            \
    INSTRUMENT_FAILS(pwrite, (EDQUOT, EINTR, EIO, ENOSPC, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(int, renameat2, -1,
                    (int from, const char *old, int to, const char *path,
                     unsigned flags),
                    (from, old, to, path, flags))
#define renameat2(...)                                                         \
    INSTRUMENT_FAILS(renameat2,                                                \
                     (EACCES, EDQUOT, EINVAL, ENOMEM, ENOSPC, EPERM, 0),       \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(ssize_t, readlink, -1,
                    (const char *path, char *text, size_t length),
                    (path, text, length))
#define readlink(...)                                                          \
    INSTRUMENT_FAILS(readlink, (EACCES, EIO, ENOMEM, 0), __VA_ARGS__)

/* Locks, and flags. */
static inline int instrument_fcntl(struct instrument_site *site, int file,
                                   int command, ...)
{
    va_list arguments;
    struct flock *lock = NULL;
    int flags = 0;
    va_start(arguments, command);
    if (command == F_GETFL || command == F_SETFL)
        flags = va_arg(arguments, int);
    else
        lock = va_arg(arguments, struct flock *);
    va_end(arguments);
    if (instrument_call(site) != 0)
        return -1;
    return lock != NULL ? fcntl(file, command, lock)
                        : fcntl(file, command, flags);
}
#define fcntl(...)                                                             \
    INSTRUMENT_FAILS(fcntl, (ENOLCK, ENOMEM, -EINTR, 0), __VA_ARGS__)
/* What it closes is closed, whatever it says. */
#define close(...) INSTRUMENT_SURE(close, __VA_ARGS__)

/* Memory. */

INSTRUMENT_STAND_IN(void *, mmap, MAP_FAILED,
                    (void *at, size_t length, int access, int flags, int file,
                     off_t offset),
                    (at, length, access, flags, file, offset))
#define mmap(...)                                                              \
    INSTRUMENT_FAILS(mmap, (EAGAIN, ENFILE, ENOMEM, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(void *, mremap, MAP_FAILED,
                    (void *old, size_t old_length, size_t length, int flags,
                     void *to),
                    (old, old_length, length, flags, to))
#define mremap(...) INSTRUMENT_FAILS(mremap, (EAGAIN, ENOMEM, 0), __VA_ARGS__)
/* Whole mappings only: nothing has to be allocated for a rest. */
#define munmap(...) INSTRUMENT_SURE(munmap, __VA_ARGS__)

/* Waiting, processes and threads. */

/* Futexes, which may also wake for no reason, and membarrier, which filters of
 * system calls refuse. */
static inline long instrument_syscall(struct instrument_site *site, long number,
                                      ...)
{
    va_list arguments;
    long a[6];
    va_start(arguments, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(arguments, long);
    va_end(arguments);
    return instrument_call(site) != 0
               ? -1
               : syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
#define syscall(...)                                                           \
    INSTRUMENT_FAILS(syscall, (EINTR, ENOMEM, ENOSYS, EPERM, 0), __VA_ARGS__,  \
                     0L, 0L, 0L)

INSTRUMENT_STAND_IN(ssize_t, getrandom, -1,
                    (void *bytes, size_t length, unsigned flags),
                    (bytes, length, flags))
#define getrandom(...)                                                         \
    INSTRUMENT_FAILS(getrandom, (EINTR, ENOSYS, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(int, pthread_atfork, refusal,
                    (void (*before)(void), void (*parent)(void),
                     void (*child)(void)),
                    (before, parent, child))
#define pthread_atfork(...)                                                    \
    INSTRUMENT_FAILS(pthread_atfork, (ENOMEM, 0), __VA_ARGS__)

/* What is kept for a thread. */
INSTRUMENT_STAND_IN(int, pthread_key_create, refusal,
                    (pthread_key_t * key, void (*destroy)(void *)),
                    (key, destroy))
#define pthread_key_create(...)                                                \
    INSTRUMENT_FAILS(pthread_key_create, (EAGAIN, ENOMEM, 0), __VA_ARGS__)
INSTRUMENT_STAND_IN(int, pthread_setspecific, refusal,
                    (pthread_key_t key, const void *value), (key, value))
#define pthread_setspecific(...)                                               \
    INSTRUMENT_FAILS(pthread_setspecific, (ENOMEM, 0), __VA_ARGS__)
INSTRUMENT_STAND_IN(void *, calloc, NULL, (size_t count, size_t size),
                    (count, size))
#define calloc(...) INSTRUMENT_FAILS(calloc, (ENOMEM, 0), __VA_ARGS__)
#define free(...) INSTRUMENT_SURE(free, __VA_ARGS__)

/* The descriptor of wait loops and the thread that raises it. */
INSTRUMENT_STAND_IN(int, eventfd, -1, (unsigned count, int flags),
                    (count, flags))
#define eventfd(...) INSTRUMENT_FAILS(eventfd, (EMFILE, ENOMEM, 0), __VA_ARGS__)
INSTRUMENT_STAND_IN(int, pthread_create, refusal,
                    (pthread_t * thread, const pthread_attr_t *attributes,
                     void *(*run)(void *), void *argument),
                    (thread, attributes, run, argument))
#define pthread_create(...)                                                    \
    INSTRUMENT_FAILS(pthread_create, (EAGAIN, 0), __VA_ARGS__)
#define pthread_join(...) INSTRUMENT_SURE(pthread_join, __VA_ARGS__)
#define pthread_sigmask(...) INSTRUMENT_SURE(pthread_sigmask, __VA_ARGS__)
/* It refuses only where nobody has read 2^64 times. */
#define eventfd_write(...) INSTRUMENT_SURE(eventfd_write, __VA_ARGS__)

#define sysconf(...) INSTRUMENT_SURE(sysconf, __VA_ARGS__)
/* These refuse only what is no clock, no lock, no state and no signal. */
#define clock_gettime(...) INSTRUMENT_SURE(clock_gettime, __VA_ARGS__)
#define pthread_mutex_lock(...) INSTRUMENT_SURE(pthread_mutex_lock, __VA_ARGS__)
#define pthread_mutex_unlock(...)                                              \
    INSTRUMENT_SURE(pthread_mutex_unlock, __VA_ARGS__)
#define pthread_mutex_timedlock(...)                                           \
    INSTRUMENT_SURE(pthread_mutex_timedlock, __VA_ARGS__)
#define pthread_once(...) INSTRUMENT_SURE(pthread_once, __VA_ARGS__)
#define pthread_setcancelstate(...)                                            \
    INSTRUMENT_SURE(pthread_setcancelstate, __VA_ARGS__)
#define sigaction(...) INSTRUMENT_SURE(sigaction, __VA_ARGS__)
#define raise(...) INSTRUMENT_SURE(raise, __VA_ARGS__)
#define getrlimit(...) INSTRUMENT_SURE(getrlimit, __VA_ARGS__)
#define geteuid(...) INSTRUMENT_SURE(geteuid, __VA_ARGS__)
#define getpid(...) INSTRUMENT_SURE(getpid, __VA_ARGS__)
