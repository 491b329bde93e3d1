/* Namespaces: users that have other numbers, or none, and processes that do.
 * What belongs to whom is the kernel's word, not that of the numbers. */
#define _GNU_SOURCE
#include <signal.h>

#include "apart_posix.h"

enum { SIZE = 5000 };

static const char name[] = "wtnamespaces";

enum { OWN = 60000, OTHER = 60001 };

/** A region that lets anybody write, and yet is not anybody's. */
static void hold_region(void *user)
{
    winshm_region *h;
    CHECK(setgid(OTHER) == 0 && setuid(*(uid_t *)user) == 0);
    CHECK_OK(winshm_create("wtforeign", SIZE, 0, &h));
    CHECK(chmod("/dev/shm/wtforeign", 0666) == 0);
    CHECK(chmod("/dev/shm/wtforeign.winshm", 0666) == 0);
    parent_tell('h');
    parent_hear();
    CHECK_OK(winshm_close(h));
}

static void check_foreign(void)
{
    winshm_region *h;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_OPEN_EXISTING,
                        .name = "wtforeign",
                        .security = "anyone"};
    CHECK_STATUS(winshm_open("wtforeign", 0, &h), WINSHM_E_FOREIGN);
    CHECK_STATUS(winshm_open("wtforeign", WINSHM_READ, &h), WINSHM_E_FOREIGN);
    CHECK_STATUS(winshm_open_or_create("wtforeign", SIZE, 0, &h),
                 WINSHM_E_FOREIGN);
    CHECK_STATUS(winshm_create("wtforeign", SIZE, 0, &h), WINSHM_E_FOREIGN);
    /* A block to adopt is as foreign. */
    CHECK_STATUS(winshm_open_or_create("wtplain", SIZE, 0, &h),
                 WINSHM_E_FOREIGN);
    CHECK_OK(winshm_open_with(&o, &h));
    CHECK_OK(winshm_close(h));
    check_all_works(name);
}

static void be_nobody_inside(void *inside)
{
    CHECK(setgid(OWN) == 0 && setuid(OWN) == 0);
    own_users(inside);
    CHECK_EQ(geteuid(), inside != NULL ? 0 : 65534);
    check_foreign();
}

static void run_users(void)
{
    static char mapped[] = "0";
    static uid_t owners[] = {OTHER, 65534};
    if (geteuid() != 0)
        SKIP("this test must begin with rights to give up");
    own_shm("size=1m");
    int fd = open("/dev/shm/wtplain", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && fchmod(fd, 0666) == 0 && ftruncate(fd, SIZE) == 0);
    CHECK(fchown(fd, OTHER, OTHER) == 0);
    close(fd);
    for (int i = 0; i < 4; i++) {
        struct child holder, child;
        child_fork(&holder, hold_region, &owners[i / 2]);
        CHECK_EQ(child_hear(&holder, PATIENCE_MS), 'h');
        /* Whoever owns it, the real super-user may. */
        winshm_region *h;
        CHECK_OK(winshm_open("wtforeign", 0, &h));
        CHECK_OK(winshm_close(h));
        child_fork(&child, be_nobody_inside, i % 2 ? mapped : NULL);
        int code = child_wait(&child, PATIENCE_MS);
        child_tell(&holder, 'e');
        CHECK_EQ(child_wait(&holder, PATIENCE_MS), 0);
        if (code != 0)
            exit(code < 0 ? 1 : code);
    }
}

static void live_apart(void)
{
    winshm_region *h;
    uint32_t now;
    CHECK_EQ(getpid(), 1);
    CHECK_OK(winshm_open(name, 0, &h));
    CHECK_OK(winshm_wait(h, 0, PATIENCE_MS, &now));
    CHECK_OK(winshm_notify(h));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS));
    parent_tell('l');
    parent_hear();
}

/** Has a child that begins as process 1 of a namespace of its own, and dies
 * with this process. */
static void begin_apart(void *unused)
{
    (void)unused;
    if (unshare(CLONE_NEWPID) != 0)
        SKIP("namespaces of processes are refused here");
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        live_apart();
        exit(0);
    }
    waitpid(pid, NULL, 0);
}

static void run_processes(void)
{
    winshm_region *h;
    winshm_info info = {.struct_size = sizeof info};
    struct child child;
    own_shm("size=1m");
    CHECK_OK(winshm_create(name, SIZE, 0, &h));
    child_fork(&child, begin_apart, NULL);
    sleep_ms(20);
    CHECK_OK(winshm_notify(h));
    int heard = child_hear(&child, PATIENCE_MS);
    if (heard == -1 && child_wait(&child, PATIENCE_MS) == CHECK_SKIPPED)
        exit(CHECK_SKIPPED);
    CHECK_EQ(heard, 'l');
    CHECK_OK(winshm_wait(h, 1, 0, NULL));
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 5), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_EQ(info.participants, 2);
    CHECK_EQ(info.owner_pid, 1);
    child_kill(&child);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS),
                 WINSHM_E_OWNER_DEAD);
    CHECK_OK(winshm_make_consistent(h));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(h));
    CHECK_EQ(plain_count(name), 0);
}

static const struct apart cases[] = {{"users apart", run_users},
                                     {"processes apart", run_processes},
                                     {NULL, NULL}};

int main(int argc, char **argv)
{
    return run_apart(cases, argc > 1 ? argv[1] : NULL);
}
