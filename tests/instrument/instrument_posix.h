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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Files. */

#define open(...)                                                              \
    INSTRUMENT_FAILS(open, -1,                                                 \
                     (EACCES, EINTR, EMFILE, ENFILE, ENOMEM, ENOSPC, 0),       \
                     __VA_ARGS__)
#define read(...) INSTRUMENT_FAILS(read, -1, (EINTR, EIO, 0), __VA_ARGS__)
#define fstat(...) INSTRUMENT_FAILS(fstat, -1, (ENOMEM, 0), __VA_ARGS__)
#define lstat(...) INSTRUMENT_FAILS(lstat, -1, (EACCES, ENOMEM, 0), __VA_ARGS__)
#define fstatvfs(...)                                                          \
    INSTRUMENT_FAILS(fstatvfs, -1, (EINTR, EIO, ENOMEM, 0), __VA_ARGS__)
#define ftruncate(...)                                                         \
    INSTRUMENT_FAILS(ftruncate, -1, (EFBIG, EINTR, EIO, EPERM, 0), __VA_ARGS__)
#define posix_fallocate(...)                                                   \
    INSTRUMENT_RETURNS(posix_fallocate, (EFBIG, EINTR, ENOSPC, 0), __VA_ARGS__)
#define fchmod(...)                                                            \
    INSTRUMENT_FAILS(fchmod, -1, (EIO, EPERM, EROFS, 0), __VA_ARGS__)
#define linkat(...)                                                            \
    INSTRUMENT_FAILS(linkat, -1, (EACCES, EDQUOT, ENOMEM, ENOSPC, EPERM, 0),   \
                     __VA_ARGS__)
#define unlink(...)                                                            \
    INSTRUMENT_FAILS(unlink, -1, (EACCES, ENOMEM, EPERM, 0), __VA_ARGS__)
#define fcntl(...)                                                             \
    INSTRUMENT_FAILS(fcntl, -1, (ENOLCK, ENOMEM, -EINTR, 0), __VA_ARGS__)
/* What it closes is closed, whatever it says. */
#define close(...) INSTRUMENT_SURE(close, __VA_ARGS__)

/* Memory. */

#define mmap(...)                                                              \
    INSTRUMENT_FAILS(mmap, MAP_FAILED, (EAGAIN, ENFILE, ENOMEM, 0), __VA_ARGS__)
#define mremap(...)                                                            \
    INSTRUMENT_FAILS(mremap, MAP_FAILED, (EAGAIN, ENOMEM, 0), __VA_ARGS__)
/* Whole mappings only: nothing has to be allocated for a rest. */
#define munmap(...) INSTRUMENT_SURE(munmap, __VA_ARGS__)

/* Waiting, processes and threads. */

/* Futexes, which may also wake for no reason, and membarrier, which filters of
 * system calls refuse. */
#define syscall(...)                                                           \
    INSTRUMENT_FAILS(syscall, -1, (EINTR, ENOMEM, ENOSYS, EPERM, 0),           \
                     __VA_ARGS__)
#define getrandom(...)                                                         \
    INSTRUMENT_FAILS(getrandom, -1, (EINTR, ENOSYS, 0), __VA_ARGS__)
#define pthread_atfork(...)                                                    \
    INSTRUMENT_RETURNS(pthread_atfork, (ENOMEM, 0), __VA_ARGS__)
#define sysconf(...) INSTRUMENT_SURE(sysconf, __VA_ARGS__)
/* These refuse only what is no clock, no lock, no state and no signal. */
#define clock_gettime(...) INSTRUMENT_SURE(clock_gettime, __VA_ARGS__)
#define pthread_mutex_lock(...) INSTRUMENT_SURE(pthread_mutex_lock, __VA_ARGS__)
#define pthread_mutex_unlock(...)                                              \
    INSTRUMENT_SURE(pthread_mutex_unlock, __VA_ARGS__)
#define pthread_once(...) INSTRUMENT_SURE(pthread_once, __VA_ARGS__)
#define pthread_setcancelstate(...)                                            \
    INSTRUMENT_SURE(pthread_setcancelstate, __VA_ARGS__)
#define sigaction(...) INSTRUMENT_SURE(sigaction, __VA_ARGS__)
#define raise(...) INSTRUMENT_SURE(raise, __VA_ARGS__)
#define geteuid(...) INSTRUMENT_SURE(geteuid, __VA_ARGS__)
#define getpid(...) INSTRUMENT_SURE(getpid, __VA_ARGS__)
