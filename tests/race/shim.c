/* Shows ThreadSanitizer what it would not see. In its build the library's calls
 * of mmap(), munmap(), fcntl() and sigaction() come here (see CMakeLists.txt).
 *
 * It tells races by address. Two handles of one region map its blocks twice,
 * and what one thread does through the first mapping is nothing to it when
 * another one looks through the second. So whoever maps a file that is mapped
 * already is given that place.
 *
 * It knows what orders threads from the program's own atomic operations. A
 * presence is a lock in the kernel: what was done before it was given back is
 * seen by whoever takes it next. This is told to it, and nothing else is.
 *
 * It puts a handler of its own before every signal handler, in which all
 * signals are blocked, and would not notice that the library's is left by a
 * jump. So that one is registered past it.
 *
 * This file itself is compiled without ThreadSanitizer, and its own lock is
 * none that it knows: an order between all threads that come through here would
 * hide races. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <sanitizer/tsan_interface.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

void *__real_mmap64(void *address, size_t length, int protection, int flags,
                    int fd, off_t offset);
int __real_munmap(void *address, size_t length);
void *__wrap_mmap64(void *address, size_t length, int protection, int flags,
                    int fd, off_t offset);
int __wrap_munmap(void *address, size_t length);
int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);
int __sigaction(int signal, const struct sigaction *action,
                struct sigaction *previous);
int __wrap_sigaction(int signal, const struct sigaction *action,
                     struct sigaction *previous);

/** A file as one part of it was first mapped. */
struct mapping {
    unsigned users; /* 0: free */
    dev_t volume;
    ino_t file;
    int protection;
    off_t offset;
    size_t length;
    char *address;
};

static struct mapping mappings[4096];
static atomic_flag busy = ATOMIC_FLAG_INIT;

static void enter(void)
{
    while (atomic_flag_test_and_set(&busy))
        sched_yield();
}

static void leave(void)
{
    atomic_flag_clear(&busy);
}

static struct mapping *find(const struct stat *status, int protection,
                            off_t offset, size_t length)
{
    struct mapping *end = mappings + sizeof mappings / sizeof mappings[0];
    for (struct mapping *m = mappings; m < end; m++)
        if (m->users != 0 && m->volume == status->st_dev &&
            m->file == status->st_ino && (protection & ~m->protection) == 0 &&
            offset >= m->offset && length <= m->length &&
            (size_t)(offset - m->offset) <= m->length - length)
            return m;
    return NULL;
}

static struct mapping *unused(void)
{
    for (size_t i = 0; i < sizeof mappings / sizeof mappings[0]; i++)
        if (mappings[i].users == 0)
            return &mappings[i];
    abort();
}

void *__wrap_mmap64(void *address, size_t length, int protection, int flags,
                    int fd, off_t offset)
{
    struct stat status;
    void *place = MAP_FAILED;
    if ((flags & MAP_SHARED) == 0 || fstat(fd, &status) != 0)
        return __real_mmap64(address, length, protection, flags, fd, offset);
    enter();
    struct mapping *m = find(&status, protection, offset, length);
    if (m == NULL) {
        place = __real_mmap64(address, length, protection, flags, fd, offset);
        if (place != MAP_FAILED) {
            m = unused();
            m->volume = status.st_dev;
            m->file = status.st_ino;
            m->protection = protection;
            m->offset = offset;
            m->length = length;
            m->address = place;
        }
    }
    if (m != NULL) {
        m->users++;
        place = m->address + (offset - m->offset);
    }
    leave();
    return place;
}

int __wrap_munmap(void *address, size_t length)
{
    int result = 0;
    struct mapping *m = mappings;
    struct mapping *end = mappings + sizeof mappings / sizeof mappings[0];
    enter();
    while (m < end && (m->users == 0 || (char *)address < m->address ||
                       (size_t)((char *)address - m->address) >= m->length))
        m++;
    if (m == end)
        result = __real_munmap(address, length);
    else if (--m->users == 0)
        result = __real_munmap(m->address, m->length);
    leave();
    return result;
}

/** An address that stands for a locked byte of a file. */
static void *byte_of(int fd, size_t byte)
{
    static char bytes[1 << 20];
    struct stat status;
    if (fstat(fd, &status) != 0)
        abort();
    return &bytes[((size_t)status.st_ino * 257 + byte) % sizeof bytes];
}

int __wrap_fcntl64(int fd, int command, ...)
{
    enum { FILES = 8192, BYTES = 256 };
    static bool held[FILES][BYTES];
    va_list arguments;
    va_start(arguments, command);
    struct flock *lock = va_arg(arguments, struct flock *);
    va_end(arguments);
    if (command != F_OFD_SETLK)
        return __real_fcntl64(fd, command, lock);
    size_t first = (size_t)lock->l_start, count = (size_t)lock->l_len;
    if (fd >= FILES || first + count > BYTES)
        abort();
    /* Giving back what one does not have orders nothing. */
    for (size_t byte = first; byte < first + count; byte++) {
        if (lock->l_type == F_UNLCK && held[fd][byte]) {
            held[fd][byte] = false;
            __tsan_release(byte_of(fd, byte));
        }
    }
    int result = __real_fcntl64(fd, command, lock);
    if (lock->l_type == F_WRLCK && result == 0) {
        held[fd][first] = true;
        __tsan_acquire(byte_of(fd, first));
    }
    return result;
}

int __wrap_sigaction(int signal, const struct sigaction *action,
                     struct sigaction *previous)
{
    return __sigaction(signal, action, previous);
}
