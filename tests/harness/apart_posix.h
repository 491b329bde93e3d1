/* Processes with surroundings of their own: users, mounts, and a /dev/shm that
 * nobody else sees. Where the kernel refuses that, the test is skipped. */
#ifndef APART_POSIX_H
#define APART_POSIX_H

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "child.h"
#include "plain.h"

static inline void put_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        SKIP("user namespaces are refused here");
    close(fd);
}

/** A user namespace in which this user is `inside`, or nobody at all. */
static inline void own_users(const char *inside)
{
    char map[40];
    snprintf(map, sizeof map, "%s %u 1", inside != NULL ? inside : "",
             (unsigned)geteuid());
    prctl(PR_SET_DUMPABLE, 1); /* or /proc/self would be root's */
    if (unshare(CLONE_NEWUSER) != 0)
        SKIP("user namespaces are refused here");
    if (inside == NULL)
        return;
    put_text("/proc/self/setgroups", "deny");
    put_text("/proc/self/uid_map", map);
}

static inline void own_mounts(void)
{
    if (geteuid() != 0)
        own_users("0");
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        SKIP("mount namespaces are refused here");
}

/** An empty /dev/shm for this process and its children alone. */
static inline void own_shm(const char *options)
{
    own_mounts();
    if (mount("none", "/dev/shm", "tmpfs", 0, options) != 0)
        SKIP("mounts are refused here");
    CHECK(chmod("/dev/shm", 01777) == 0);
}

/** Everything that one process can do with a region, which leaves nothing. */
static inline void check_all_works(const char *name)
{
    winshm_region *h, *other;
    winshm_view *view;
    char byte = 0;
    uint32_t now;
    const uint64_t size = 5000;
    CHECK_OK(winshm_create(name, size, 0, &h));
    CHECK_OK(winshm_open(name, 0, &other));
    CHECK_OK(winshm_write(h, size - 1, "x", 1, 0));
    CHECK_OK(winshm_read(other, size - 1, &byte, 1, 0));
    CHECK_EQ(byte, 'x');
    CHECK_OK(winshm_wait(other, 0, PATIENCE_MS, &now));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_STATUS(winshm_lock(other, WINSHM_SHARED, 0), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_map(other, 1, 100, 0, &view));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_unmap(view));
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_create(name, size, WINSHM_RAW, &h));
    CHECK_OK(winshm_close(h));
    CHECK_EQ(plain_count(name), 0);
}

struct apart {
    const char *text;
    void (*run)(void);
};

/** Runs each case in a process of its own, or those whose text has a word. Ends
 * with the first failure, and as skipped if all of them were. */
static inline int run_apart(const struct apart *cases, const char *word)
{
    bool ran = false;
    for (; cases->text != NULL; cases++) {
        int state;
        if (word != NULL && strstr(cases->text, word) == NULL)
            continue;
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            cases->run();
            exit(0);
        }
        CHECK(waitpid(pid, &state, 0) == pid);
        int code = WIFEXITED(state) ? WEXITSTATUS(state) : 128;
        printf("%s: %s\n", cases->text,
               code == CHECK_SKIPPED ? "skipped" : "done");
        if (code != 0 && code != CHECK_SKIPPED)
            check_end(1, __FILE__, __LINE__, "%s: ended with 0x%x", cases->text,
                      (unsigned)state);
        ran = ran || code == 0;
    }
    return ran ? 0 : CHECK_SKIPPED;
}

#endif
