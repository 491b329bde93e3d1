/* The descriptor of wait loops: readable after each change, whoever makes it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "child.h"

static const char *region_name;

/** More of a thread's own than the watcher's stack has room for. */
static _Thread_local volatile char large[1 << 17];

static bool is_closed(int fd)
{
    return fcntl(fd, F_GETFD) < 0;
}

/** True if it becomes readable in time; it is emptied. */
static bool fires(int fd, uint32_t timeout_ms)
{
    uint64_t count;
    struct pollfd one = {fd, POLLIN, 0};
    if (poll(&one, 1, (int)timeout_ms) != 1)
        return false;
    CHECK_EQ(read(fd, &count, sizeof count), sizeof count);
    return true;
}

/** Notifies once for each byte that it hears. */
static void role_once(const char *name, uint32_t unused)
{
    winshm_region *h;
    (void)unused;
    CHECK_OK(winshm_open(name, 0, &h));
    parent_tell('o');
    while (parent_hear() == 'n')
        CHECK_OK(winshm_notify(h));
}

static const struct role roles[] = {{"once", role_once}, {NULL, NULL}};

static void test_changes(void)
{
    winshm_region *h, *other;
    int32_t fd, again;
    CHECK_OK(winshm_create(region_name, 8, 0, &h));
    CHECK_OK(winshm_notify(h)); /* before: not told */
    CHECK_OK(winshm_wait_fd(h, &fd));
    CHECK(!fires(fd, 20));
    CHECK_OK(winshm_wait_fd(h, &again));
    CHECK_EQ(fd, again);
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_OK(winshm_wait_fd(other, &again));
    CHECK(fd != again);
    /* At once, though the watcher may not have begun yet. */
    CHECK_OK(winshm_notify(h));
    CHECK(fires(fd, PATIENCE_MS));
    CHECK(fires(again, PATIENCE_MS));
    struct child once = child_start("once", region_name, 0);
    CHECK_EQ(child_hear(&once, PATIENCE_MS), 'o');
    for (int i = 0; i < 20; i++) {
        child_tell(&once, 'n');
        CHECK(fires(fd, PATIENCE_MS));
        CHECK(fires(again, PATIENCE_MS));
        CHECK(!fires(fd, 0));
    }
    child_kill(&once);
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_write(h, 0, "x", 1, 0));
    CHECK(fires(fd, PATIENCE_MS));
    CHECK_OK(winshm_close(h));
    CHECK(is_closed(fd));
}

static void *notify(void *h)
{
    CHECK_OK(winshm_notify(h));
    return NULL;
}

/** A close that is refused takes nothing away. */
static void test_refused_close(void)
{
    winshm_region *h;
    pthread_t thread;
    int32_t fd;
    CHECK_OK(winshm_create(region_name, 8, 0, &h));
    CHECK_OK(winshm_wait_fd(h, &fd));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    for (int i = 0; i < 20; i++)
        CHECK_STATUS(winshm_close(h), WINSHM_E_BUSY);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK(pthread_create(&thread, NULL, notify, h) == 0);
    CHECK(fires(fd, PATIENCE_MS));
    pthread_join(thread, NULL);
    CHECK_OK(winshm_close(h));
}

/** Opened and closed often: no thread and no descriptor is left. */
static void test_leaks(void)
{
    winshm_region *h, *other;
    int32_t fd;
    CHECK_OK(winshm_create(region_name, 8, 0, &h));
    uint32_t before = child_descriptors();
    for (int i = 0; i < 200; i++) {
        CHECK_OK(winshm_open(region_name, 0, &other));
        CHECK_OK(winshm_wait_fd(other, &fd));
        if (i % 2 != 0)
            CHECK_OK(winshm_notify(h));
        CHECK_OK(winshm_close(other));
    }
    CHECK_EQ(child_descriptors(), before);
    CHECK_OK(winshm_close(h));
}

/** The thread takes no signal that is meant for the program. */
static void test_signals(void)
{
    winshm_region *h;
    sigset_t set, before;
    int32_t fd;
    int told;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_OK(winshm_create(region_name, 8, 0, &h));
    CHECK_OK(winshm_wait_fd(h, &fd));
    /* Blocked here, it would end the process in any other thread. */
    pthread_sigmask(SIG_BLOCK, &set, &before);
    kill(getpid(), SIGUSR1);
    sleep_ms(20);
    CHECK_EQ(sigwait(&set, &told), 0);
    CHECK_EQ(told, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    CHECK_OK(winshm_close(h));
}

/** A child has no watcher, and takes none from its parent. */
static void test_fork(void)
{
    winshm_region *h;
    int32_t fd, none;
    int ended;
    CHECK_OK(winshm_create(region_name, 8, 0, &h));
    CHECK_OK(winshm_wait_fd(h, &fd));
    pid_t child = fork();
    if (child == 0) {
        winshm_region *own;
        CHECK_STATUS(winshm_wait_fd(h, &none), WINSHM_E_FORKED);
        CHECK_EQ(none, -1);
        CHECK(is_closed(fd));
        CHECK_OK(winshm_close(h));
        CHECK_OK(winshm_open(region_name, 0, &own));
        CHECK_OK(winshm_wait_fd(own, &fd));
        CHECK(!fires(fd, 0));
        CHECK_OK(winshm_notify(own));
        CHECK(fires(fd, PATIENCE_MS));
        CHECK_OK(winshm_close(own));
        exit(0);
    }
    CHECK_EQ(waitpid(child, &ended, 0), child);
    CHECK_EQ(ended, 0);
    CHECK(fires(fd, PATIENCE_MS));
    CHECK_OK(winshm_close(h));
}

static void test_refusals(void)
{
    winshm_region *h;
    int32_t fd = 5;
    CHECK_STATUS(winshm_wait_fd(NULL, &fd), WINSHM_E_HANDLE);
    CHECK_EQ(fd, -1);
    CHECK_OK(winshm_create(region_name, 8, WINSHM_RAW, &h));
    CHECK_STATUS(winshm_wait_fd(h, &fd), WINSHM_E_UNSUPPORTED);
    CHECK_OK(winshm_close(h));
    CHECK_STATUS(winshm_wait_fd(h, &fd), WINSHM_E_CLOSED);
    CHECK_OK(winshm_create(region_name, 8, 0, &h));
    CHECK_STATUS(winshm_wait_fd(h, NULL), WINSHM_E_INVALID);
    CHECK_OK(winshm_close(h));
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("descriptor");
    large[0] = 1;
    test_changes();
    test_refused_close();
    test_leaks();
    test_signals();
    test_fork();
    test_refusals();
    return 0;
}
