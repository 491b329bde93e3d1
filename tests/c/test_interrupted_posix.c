/* Threads that are cancelled, and signal handlers that interrupt a call: nothing
 * is lost by the first, and no end of a process hangs in the second. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "child.h"

static const char *region_name;

static bool returned; /* from the call that is tried */

/** Runs it on a thread that has been cancelled already. @return true if the call
 * came to its end, and the thread was cancelled after it. */
static bool cancelled(void *(*run)(void *), void *argument)
{
    pthread_t thread;
    void *result;
    returned = false;
    CHECK(pthread_create(&thread, NULL, run, argument) == 0);
    pthread_join(thread, &result);
    return returned && result == PTHREAD_CANCELED;
}

static void *ask_why(void *name)
{
    winshm_region *h;
    pthread_cancel(pthread_self());
    winshm_status status = winshm_create(name, 1, 0, &h);
    returned = status == WINSHM_E_EXISTS &&
               strstr(winshm_last_message(), "has created it") != NULL;
    pthread_testcancel();
    return NULL;
}

static void *watch(void *h)
{
    int32_t fd;
    pthread_cancel(pthread_self());
    winshm_status status = winshm_wait_fd(h, &fd);
    returned = status == WINSHM_OK;
    pthread_testcancel();
    return NULL;
}

static void test_cancellation(void)
{
    winshm_region *h, *other;
    CHECK_OK(winshm_create(region_name, 8, 0, &h));
    uint32_t before = child_descriptors();
    for (int i = 0; i < 50; i++)
        CHECK(cancelled(ask_why, (void *)region_name));
    CHECK_EQ(child_descriptors(), before);
    for (int i = 0; i < 50; i++) {
        CHECK_OK(winshm_open(region_name, 0, &other));
        CHECK(cancelled(watch, other));
        CHECK_OK(winshm_close(other));
    }
    CHECK_EQ(child_descriptors(), before);
    CHECK_OK(winshm_close(h));
}

/** What a program has made the default of its own threads is not the watcher's. */
static void test_attributes(void)
{
    winshm_region *h;
    pthread_attr_t attributes, usual;
    int32_t fd;
    CHECK_OK(winshm_create(region_name, 8, 0, &h));
    CHECK(pthread_getattr_default_np(&usual) == 0);
    CHECK(pthread_attr_init(&attributes) == 0);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    CHECK(pthread_setattr_default_np(&attributes) == 0);
    CHECK_OK(winshm_wait_fd(h, &fd));
    CHECK(pthread_setattr_default_np(&usual) == 0);
    CHECK_OK(winshm_notify(h));
    CHECK(handle_fires((void *)(intptr_t)fd, PATIENCE_MS));
    CHECK_OK(winshm_close(h));
}

/** A child that is forked by a thread which has been cancelled. */
static void *fork_and_wait(void *status)
{
    pthread_cancel(pthread_self());
    int cancellation;
    pid_t child = fork();
    if (child == 0)
        _exit(33);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation);
    returned = waitpid(child, status, 0) == child;
    pthread_setcancelstate(cancellation, NULL);
    pthread_testcancel();
    return NULL;
}

static void test_fork_of_the_cancelled(void)
{
    int status = 0;
    CHECK(cancelled(fork_and_wait, &status));
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 33);
}

static void end_orderly(int signal)
{
    (void)signal;
    exit(5);
}

/** Calls again and again what takes the locks of the library's tables. */
static void role_busy(const char *name, uint32_t unused)
{
    winshm_region *h;
    winshm_view *view;
    (void)unused;
    signal(SIGTERM, end_orderly);
    CHECK_OK(winshm_open(name, 0, &h));
    parent_tell('b');
    for (;;) {
        CHECK_OK(winshm_map(h, 0, 8, 0, &view));
        CHECK_OK(winshm_unmap(view));
    }
}

static const struct role roles[] = {{"busy", role_busy}, {NULL, NULL}};

/** Programs that end in a handler end, whatever it has interrupted. */
static void test_exit_in_a_handler(void)
{
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, 8, 0, &h));
    for (int i = 0; i < 100; i++) {
        struct child busy = child_start("busy", region_name, 0);
        CHECK_EQ(child_hear(&busy, PATIENCE_MS), 'b');
        CHECK(kill((pid_t)busy.pid, SIGTERM) == 0);
        CHECK_EQ(child_wait(&busy, PATIENCE_MS), 5);
    }
    CHECK_OK(winshm_close(h));
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("interrupted");
    test_cancellation();
    test_attributes();
    test_fork_of_the_cancelled();
    test_exit_in_a_handler();
    return 0;
}
