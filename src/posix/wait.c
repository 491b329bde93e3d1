/* Linux: parking is a futex in the slot, and a thread watches for those who
 * wait for a descriptor. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "posix.h"
#include "status.h"

winshm_status wshm_platform_park_prepare(struct platform_region *p,
                                         uint32_t slot,
                                         enum platform_channel channel)
{
    (void)p;
    (void)slot;
    (void)channel;
    return WINSHM_OK;
}

bool wshm_platform_park(struct platform_region *p, uint32_t slot,
                        enum platform_channel channel, _Atomic uint32_t *word,
                        uint32_t seen, uint32_t pid, uint64_t nanoseconds)
{
    (void)p;
    (void)slot;
    (void)channel;
    (void)pid;
    struct timespec time = wshm_posix_timespec(nanoseconds);
    return wshm_posix_futex(word, FUTEX_WAIT, seen, &time) != 0 &&
           errno == ETIMEDOUT;
}

void wshm_platform_wake(struct platform_region *p, uint32_t slot,
                        enum platform_channel channel, _Atomic uint32_t *word)
{
    (void)p;
    (void)slot;
    (void)channel;
    wshm_posix_futex(word, FUTEX_WAKE, INT_MAX, NULL);
}

winshm_status wshm_platform_event(struct platform_region *p, uint32_t slot,
                                  void **handle)
{
    (void)p;
    (void)slot;
    (void)handle;
    return wshm_error_because(
        WINSHM_E_UNSUPPORTED, "this system has no events to wait for",
        "Use winshm_wait_fd() in loops with poll() or epoll.");
}

void wshm_platform_event_set(struct platform_region *p, uint32_t slot)
{
    (void)p;
    (void)slot;
}

/* The descriptor of wait loops. */

struct watcher {
    int fd;
    pthread_t thread;
    platform_watch *watch;
    void *subject;
    uint32_t seen;
};

static void *run(void *argument)
{
    struct watcher *watcher = argument;
    bool more = true;
    while (more) {
        if (watcher->watch(watcher->subject, &watcher->seen, &more))
            eventfd_write(watcher->fd, 1);
    }
    return NULL;
}

enum { WATCHER_STACK = 65536 };

/** Whatever the program has made the default for its own threads. @param stack
 * 0: the system's. @return 0 or an errno. */
static int create(struct watcher *watcher, size_t stack)
{
    pthread_attr_t attributes;
    int code = pthread_attr_init(&attributes);
    if (code != 0)
        return code;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_JOINABLE);
    if (stack != 0)
        pthread_attr_setstacksize(&attributes, stack);
    code = pthread_create(&watcher->thread, &attributes, run, watcher);
    pthread_attr_destroy(&attributes);
    return code;
}

/** Starts the thread, which takes no signals but those of its own faults: they
 * are the program's, and meant for its threads. @return 0 or an errno. */
static int start(struct watcher *watcher)
{
    static const int own[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP};
    sigset_t set, before;
    sigfillset(&set);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        sigdelset(&set, own[i]);
    pthread_sigmask(SIG_SETMASK, &set, &before);
    int code = create(watcher, WATCHER_STACK);
    /* Where a program has more thread-local data than that. */
    if (code == EINVAL)
        code = create(watcher, 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

/** @return NULL, with the failure noted in *status. */
static struct watcher *make_watcher(platform_watch *watch, void *subject,
                                    uint32_t seen, winshm_status *status)
{
    struct watcher *watcher = calloc(1, sizeof *watcher);
    if (watcher == NULL) {
        *status = wshm_posix_refused("calloc", ENOMEM);
        return NULL;
    }
    watcher->watch = watch;
    watcher->subject = subject;
    watcher->seen = seen;
    watcher->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watcher->fd < 0) {
        *status = wshm_posix_refused("eventfd", errno);
        free(watcher);
        return NULL;
    }
    int code = start(watcher);
    if (code != 0) {
        *status = wshm_posix_refused("pthread_create", code);
        close(watcher->fd);
        free(watcher);
        return NULL;
    }
    *status = WINSHM_OK;
    return watcher;
}

winshm_status wshm_platform_descriptor(struct platform_region *p,
                                       platform_watch *watch, void *subject,
                                       uint32_t seen, int32_t *fd)
{
    winshm_status status = WINSHM_OK;
    /* A child that is forked meanwhile would keep what is open here. */
    wshm_posix_descriptors_lock();
    if (p->park == NULL)
        p->park = make_watcher(watch, subject, seen, &status);
    if (p->park != NULL)
        *fd = ((const struct watcher *)p->park)->fd;
    wshm_posix_descriptors_unlock();
    return status;
}

void wshm_platform_descriptor_close(struct platform_region *p)
{
    struct watcher *watcher = p->park;
    if (watcher == NULL)
        return;
    pthread_join(watcher->thread, NULL);
    wshm_posix_descriptors_lock();
    wshm_posix_watcher_forget(p);
    wshm_posix_descriptors_unlock();
}

void wshm_posix_watcher_forget(struct platform_region *p)
{
    struct watcher *watcher = p->park;
    if (watcher == NULL)
        return;
    p->park = NULL;
    close(watcher->fd);
    free(watcher);
}
