/* What a Linux process may bring with it: handlers for SIGBUS, a sandbox
 * without membarrier(), a fork() that the library is not told of, a thread that
 * does not come back. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "child.h"
#include "plain.h"

enum { PAGE = 4096 };

static const char *region_name;

static winshm_region *create(const char *name, uint64_t size, uint32_t flags)
{
    winshm_region *h;
    CHECK_OK(winshm_create(name, size, flags, &h));
    return h;
}

/* Faults, the library's own and others. */

static atomic_int signals;
static const char *lost; /* a block whose page is gone */

/** Puts the page back, so that the process can go on. */
static void on_bus(int number)
{
    CHECK_EQ(number, SIGBUS);
    atomic_fetch_add(&signals, 1);
    if (lost != NULL)
        CHECK(plain_truncate(lost, PAGE));
}

static void on_bus_told_more(int number, siginfo_t *info, void *context)
{
    CHECK(info->si_signo == number && context != NULL);
    on_bus(number);
}

/** What the process did about SIGBUS before it used the library, and whether
 * the signal is sent or comes from a fault. */
enum { BY_DEFAULT, IGNORED, HANDLED, TOLD_MORE, SENT = 4 };

static void handle_bus(uint32_t how)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = how == IGNORED   ? SIG_IGN
                        : how == HANDLED ? on_bus
                                         : SIG_DFL;
    if (how == TOLD_MORE) {
        action.sa_sigaction = on_bus_told_more;
        action.sa_flags = SA_SIGINFO;
    }
    CHECK(sigaction(SIGBUS, &action, NULL) == 0);
}

static void role_signal(const char *name, uint32_t kind)
{
    char byte;
    handle_bus(kind % SENT);
    winshm_region *h = create(name, PAGE, WINSHM_RAW);
    CHECK(plain_truncate(name, 0));
    CHECK_STATUS(winshm_read(h, 0, &byte, 1, 0), WINSHM_E_FAULT);
    CHECK_EQ(signals, 0);
    parent_tell('f');
    if (kind >= SENT) {
        raise(SIGBUS);
    } else {
        lost = name;
        CHECK_EQ(*(volatile char *)winshm_data(h), 0);
        /* A copy's other side is not what it guards. */
        CHECK(plain_truncate(name, 0));
        winshm_region *whole = create(name_of("whole"), PAGE, 0);
        CHECK_OK(winshm_read(whole, 0, winshm_data(h), 1, 0));
        CHECK_OK(winshm_close(whole));
    }
    CHECK_EQ(signals, kind == (IGNORED | SENT) ? 0 : kind < SENT ? 2 : 1);
    CHECK_OK(winshm_close(h));
    exit(9);
}

/** What would have been done without the library is done with it. */
static void test_signals(void)
{
    for (uint32_t kind = 0; kind < 2 * SENT; kind++) {
        bool dies = kind == BY_DEFAULT || kind == IGNORED ||
                    kind == (BY_DEFAULT | SENT);
        struct child child = child_start("signal", region_name, kind);
        CHECK_EQ(child_hear(&child, PATIENCE_MS), 'f');
        CHECK_EQ(child_wait(&child, PATIENCE_MS), dies ? -1 : 9);
        plain_remove(region_name);
    }
}

static winshm_region *long_one;
static atomic_bool stop;

static void copy_on(void *unused)
{
    static char buffer[1 << 22];
    (void)unused;
    while (!stop)
        CHECK_OK(winshm_read(long_one, 0, buffer, sizeof buffer, 0));
}

/** A signal that comes in the middle of a copy is no fault of it. */
static void role_interrupt(const char *name, uint32_t rounds)
{
    handle_bus(HANDLED);
    long_one = create(name, 1 << 22, WINSHM_NO_LOCK);
    struct thread thread = thread_start(copy_on, NULL);
    for (uint32_t i = 0; i < rounds; i++) {
        CHECK_EQ(pthread_kill((pthread_t)thread.opaque, SIGBUS), 0);
        sleep_ms(1);
    }
    stop = true;
    thread_join(thread);
    CHECK(signals > 0);
    CHECK_OK(winshm_close(long_one));
}

static void test_interrupted(void)
{
    struct child child = child_start("interrupt", region_name, 100);
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
}

/* Without membarrier(). */

static void forbid_membarrier(void)
{
    static struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    static struct sock_fprog filter = {4, program};
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        exit(CHECK_SKIPPED);
    CHECK_EQ(syscall(SYS_membarrier, 0, 0, 0), -1);
}

static void count_on(void *argument)
{
    winshm_region *h = argument;
    for (int i = 0; i < 2000; i++) {
        CHECK_OK(winshm_lock(h, WINSHM_SHARED, PATIENCE_MS));
        CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
        CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS));
        volatile uint64_t *word = winshm_data(h);
        *word = *word + 1;
        /* Long enough for the others to go to sleep. */
        if (i % 100 == 0)
            sleep_ms(1);
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    }
}

static void role_count(const char *name, uint32_t unused)
{
    struct thread threads[2];
    winshm_region *h;
    (void)unused;
    forbid_membarrier();
    CHECK_OK(winshm_open(name, 0, &h));
    for (int i = 0; i < 2; i++)
        threads[i] = thread_start(count_on, h);
    for (int i = 0; i < 2; i++)
        thread_join(threads[i]);
    CHECK_OK(winshm_close(h));
}

/** Nothing is lost, and nobody sleeps for longer than a bounded park. */
static void test_no_membarrier(void)
{
    struct child children[3];
    winshm_region *h = create(region_name, 8, 0);
    for (int i = 0; i < 3; i++)
        children[i] = child_start("count", region_name, 0);
    for (int i = 0; i < 3; i++) {
        int code = child_wait(&children[i], PATIENCE_MS);
        if (code == CHECK_SKIPPED)
            SKIP("no seccomp filters on this system");
        CHECK_EQ(code, 0);
    }
    CHECK_EQ(*(uint64_t *)winshm_data(h), 3 * 2 * 2000);
    CHECK_OK(winshm_close(h));
}

/* Processes that the library does not know of. */

/** A fork that the C library, and with it its handlers, does not know of. */
static pid_t bare_fork(void)
{
    return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/** A child that fork handlers were not called for ends in an orderly way. */
static void test_bare_fork(void)
{
    winshm_region *h = create(region_name, 8, 0), *raw, *other;
    int state;
    raw = create(name_of("raw"), 8, WINSHM_RAW);
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    fflush(NULL);
    pid_t pid = bare_fork();
    if (pid == 0) {
        create(name_of("own"), 8, 0); /* left open */
        exit(9);
    }
    CHECK_EQ(waitpid(pid, &state, 0), pid);
    CHECK(WIFEXITED(state) && WEXITSTATUS(state) == 9);
    CHECK_STATUS(winshm_open(name_of("own"), 0, &other), WINSHM_E_NOT_FOUND);
    /* The parent has its names and its lock. */
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_STATUS(winshm_lock(other, WINSHM_SHARED, 0), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_open(name_of("raw"), WINSHM_RAW, &other));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(raw));
    CHECK_OK(winshm_close(h));
}

static void role_leave(const char *name, uint32_t unused)
{
    winshm_region *h;
    (void)unused;
    CHECK_OK(winshm_open(name, 0, &h));
    create(name_of("left-raw"), 8, WINSHM_RAW);
    create(name_of("left"), 8, 0);
    parent_tell('l');
}

/** An orderly end removes what nobody else is in, and no more. */
static void test_left_open(void)
{
    winshm_region *h = create(region_name, 8, 0), *other;
    char prefix[40];
    struct child child = child_start("leave", region_name, 0);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'l');
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    snprintf(prefix, sizeof prefix, "wt%u-left", child.pid);
    CHECK_EQ(plain_count(prefix), 0);
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
}

/* A thread that does not come back. */

static atomic_bool released;

static void hang(int number)
{
    (void)number;
    atomic_fetch_add(&signals, 1);
    while (!released)
        sleep_ms(1);
}

static void wait_for_ever(void *argument)
{
    winshm_wait(argument, 0, WINSHM_FOREVER, NULL);
}

static void test_hung_thread(void)
{
    winshm_region *h = create(region_name, 8, 0);
    struct pollfd told = {.events = POLLIN};
    CHECK_OK(winshm_wait_fd(h, &told.fd));
    signals = 0;
    signal(SIGUSR1, hang);
    struct thread thread = thread_start(wait_for_ever, h);
    sleep_ms(50);
    CHECK_EQ(pthread_kill((pthread_t)thread.opaque, SIGUSR1), 0);
    while (signals == 0)
        sleep_ms(1);
    uint64_t began = clock_ms();
    CHECK_STATUS(winshm_close(h), WINSHM_E_BUSY);
    CHECK(clock_ms() - began >= 9900);
    /* As if nothing had been. */
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    released = true;
    CHECK_OK(winshm_notify(h));
    thread_join(thread);
    CHECK_EQ(poll(&told, 1, PATIENCE_MS), 1);
    CHECK_OK(winshm_close(h));
    CHECK(plain_count(region_name) <= 0);
}

/** What took the name of a region's data is somebody else's. */
static void test_replaced(void)
{
    winshm_region *other;
    struct plain plain;
    for (int taken = 0; taken < 3; taken++) {
        winshm_region *h = create(region_name, 8, 0);
        plain_remove(region_name);
        if (taken == 1)
            CHECK(plain_create(&plain, region_name, 8));
        if (taken == 2)
            plain_obstruct(region_name, 0);
        CHECK_STATUS(winshm_open(region_name, 0, &other), WINSHM_E_REPLACED);
        CHECK_STATUS(winshm_open(region_name, WINSHM_READ, &other),
                     WINSHM_E_REPLACED);
        CHECK_OK(winshm_close(h));
        CHECK_EQ(plain_count(region_name), taken != 0);
        if (taken == 1)
            plain_close(&plain);
        plain_clear(region_name, 0);
    }
}

/** More than the file system can hold is refused before any of it is taken. */
static void test_no_room(void)
{
    winshm_region *h;
    CHECK_STATUS(winshm_create(region_name, (uint64_t)1 << 42, 0, &h),
                 WINSHM_E_SIZE);
    CHECK_STATUS(winshm_create(region_name, (uint64_t)1 << 42, WINSHM_RAW, &h),
                 WINSHM_E_SIZE);
    CHECK(plain_count(region_name) <= 0);
}

/* A child made without any hook, or that uses hooks of its own early. */

static winshm_region *inherited;

/** What every child does with the parent's region. */
static void close_inherited(void)
{
    CHECK_STATUS(winshm_close(inherited), WINSHM_E_FORKED);
    CHECK(plain_count(region_name) == 2);
}

static void hooked(void)
{
    if (inherited != NULL)
        CHECK_OK(winshm_close(inherited)); /* its memory here, no more */
}

static void test_children(void)
{
    winshm_region *other;
    winshm_view *view, *outlives;
    for (int hooks = 0; hooks < 2; hooks++) {
        winshm_region *h = create(region_name, 8, 0);
        CHECK_OK(winshm_map(h, 0, 8, 0, &view));
        CHECK_OK(winshm_open(region_name, 0, &other));
        CHECK_OK(winshm_map(other, 0, 8, 0, &outlives));
        CHECK_OK(winshm_close(other));
        inherited = h;
        pid_t child = hooks ? fork() : bare_fork();
        if (child == 0) {
            if (!hooks) {
                close_inherited();
                CHECK_OK(winshm_unmap(view));
                CHECK_OK(winshm_unmap(outlives));
            }
            CHECK(plain_count(region_name) == 2);
            exit(0);
        }
        int status = -1;
        CHECK(child > 0 && waitpid(child, &status, 0) == child);
        CHECK_EQ(status, 0);
        inherited = NULL;
        uint32_t count;
        CHECK_STATUS(winshm_create(region_name, 8, 0, &other), WINSHM_E_EXISTS);
        CHECK_OK(winshm_get_participants(h, NULL, 0, &count));
        CHECK_EQ(count, 2); /* one has views only */
        CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
        CHECK_OK(winshm_unmap(view));
        CHECK_OK(winshm_unmap(outlives));
        CHECK_OK(winshm_close(h));
        CHECK(plain_count(region_name) <= 0);
    }
}

/* A thread's other destructors may come after the library's own. */

static pthread_key_t key;

static void unlock_late(void *h)
{
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_DEADLOCK);
    CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
}

static void lock_and_end(void *h)
{
    CHECK_OK(winshm_lock(h, WINSHM_SHARED, 0));
    CHECK(pthread_setspecific(key, h) == 0);
}

static void test_destructors(void)
{
    winshm_region *h = create(region_name, 8, 0);
    CHECK_EQ(winshm_size(h), 8); /* this is the first thread */
    CHECK_STATUS(winshm_unlock(h, WINSHM_SHARED), WINSHM_E_NOT_OWNER);
    CHECK(pthread_key_create(&key, unlock_late) == 0);
    thread_join(thread_start(lock_and_end, h));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(h));
}

/** A close that succeeds leaves no code behind for a later failure to tell. */
static void test_stale_code(void)
{
    winshm_region *h = create(region_name, 8, 0);
    winshm_region *other = create(name_of("other"), 8, 0);
    if (geteuid() == 0) {
        CHECK(seteuid(65534) == 0);
        CHECK_OK(winshm_close(h));
        CHECK(seteuid(0) == 0);
        CHECK_STATUS(winshm_unlock(other, WINSHM_SHARED), WINSHM_E_NOT_OWNER);
        CHECK_EQ(winshm_last_os_code(), 0);
        h = create(region_name, 8, 0);
    }
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
}

static const struct role roles[] = {{"signal", role_signal},
                                    {"interrupt", role_interrupt},
                                    {"count", role_count},
                                    {"leave", role_leave},
                                    {NULL, NULL}};

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("process");
    CHECK(pthread_atfork(NULL, NULL, hooked) == 0);
    test_children();
    test_destructors();
    test_stale_code();
    test_signals();
    test_interrupted();
    test_bare_fork();
    test_left_open();
    test_replaced();
    test_no_room();
    test_no_membarrier();
    test_hung_thread();
    return 0;
}
