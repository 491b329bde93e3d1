/* Link files among what else Linux has: symbolic and hard links, FIFOs, folders
 * that may not be written or move, limits, other users, and somebody who is
 * stopped in the middle. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "child.h"
#include "files.h"

enum { SIZE = 100 };

static char folder[1024];

static winshm_region *created(void)
{
    winshm_region *h;
    CHECK_OK(winshm_create(NULL, SIZE, 0, &h));
    return h;
}

static const char *in_folder(const char *name)
{
    static char paths[8][1100];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static bool exists(const char *path)
{
    struct stat there;
    return lstat(path, &there) == 0;
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void test_other_sorts(void)
{
    winshm_region *h = created(), *found;
    const char *path = in_folder("sort"), *target = in_folder("target");
    CHECK_OK(winshm_link(h, target));
    /* To a link that lives, to one that is stale, to nothing: not followed. */
    CHECK(symlink("target", path) == 0);
    link_refused(created(), path, WINSHM_E_EXISTS, WINSHM_E_KIND);
    CHECK_OK(winshm_close(h));
    link_refused(created(), path, WINSHM_E_EXISTS, WINSHM_E_KIND);
    CHECK(exists(path) && !exists(target));
    CHECK(unlink(path) == 0);
    CHECK(mkfifo(path, 0600) == 0);
    link_refused(created(), path, WINSHM_E_EXISTS, WINSHM_E_KIND);
    CHECK(unlink(path) == 0);
    CHECK(mkdir(path, 0700) == 0);
    link_refused(created(), path, WINSHM_E_EXISTS, WINSHM_E_KIND);
    link_refused(created(), in_folder("sort/"), WINSHM_E_EXISTS, WINSHM_E_KIND);
    CHECK(rmdir(path) == 0);
    link_refused(created(), "/dev/null", WINSHM_E_EXISTS, WINSHM_E_KIND);
    link_refused(created(), "/dev/shm/", WINSHM_E_EXISTS, WINSHM_E_KIND);
    /* The same where the file is made. */
    const char *part = in_folder("sort.winshm-link");
    put(target, "precious");
    CHECK(symlink("target", part) == 0);
    link_refused(created(), path, WINSHM_E_KIND, WINSHM_E_NOT_FOUND);
    CHECK(unlink(part) == 0);
    CHECK(mkfifo(part, 0600) == 0);
    link_refused(created(), path, WINSHM_E_KIND, WINSHM_E_NOT_FOUND);
    CHECK(unlink(part) == 0);
    CHECK(mkdir(part, 0700) == 0);
    link_refused(created(), path, WINSHM_E_KIND, WINSHM_E_NOT_FOUND);
    CHECK(rmdir(part) == 0);
    CHECK(link(target, part) == 0);
    link_refused(created(), path, WINSHM_E_KIND, WINSHM_E_NOT_FOUND);
    CHECK(unlink(part) == 0);
    struct stat there;
    CHECK(stat(target, &there) == 0 && there.st_size == 8);
    CHECK(unlink(target) == 0);
    /* A file that others may read, whatever the mask is. */
    mode_t mask = umask(0777);
    h = created();
    CHECK_OK(winshm_link(h, path));
    umask(mask);
    CHECK(stat(path, &there) == 0);
    CHECK_EQ(there.st_mode & 07777, 0644);
    CHECK_OK(winshm_open_link(path, 0, 0, &found));
    CHECK_OK(winshm_close(found));
    CHECK_OK(winshm_close(h));
    CHECK(!exists(path));
}

/** The link is found again wherever it is by then. */
static void test_moves(void)
{
    char here[4096];
    winshm_region *h = created(), *found;
    CHECK(getcwd(here, sizeof here) != NULL);
    CHECK_OK(winshm_link(h, in_folder("moves")));
    CHECK(chdir("/") == 0);
    CHECK_OK(winshm_close(h));
    CHECK(chdir(here) == 0);
    CHECK(!exists(in_folder("moves")));
    h = created();
    CHECK(mkdir(in_folder("a"), 0700) == 0);
    CHECK_OK(winshm_link(h, in_folder("a/moves")));
    CHECK(rename(in_folder("a"), in_folder("b")) == 0);
    CHECK_OK(winshm_open_link(in_folder("b/moves"), 0, 0, &found));
    CHECK_OK(winshm_close(found));
    CHECK_OK(winshm_close(h));
    CHECK(rmdir(in_folder("b")) == 0);
    /* Not what has its name after it was removed. */
    h = created();
    CHECK_OK(winshm_link(h, in_folder("moves")));
    CHECK(rename(in_folder("moves"), in_folder("kept")) == 0);
    CHECK(unlink(in_folder("kept")) == 0);
    put(in_folder("moves"), "x");
    put(in_folder("kept"), "x");
    put(in_folder("kept (deleted)"), "x"); /* as the kernel calls it */
    CHECK_OK(winshm_close(h));
    CHECK(unlink(in_folder("moves")) == 0 && unlink(in_folder("kept")) == 0);
    CHECK(unlink(in_folder("kept (deleted)")) == 0);
}

static _Atomic bool moving;

static void move_about(void *folders)
{
    const char **names = folders;
    for (int i = 0; moving; i++)
        CHECK(chdir(names[i % 2]) == 0);
}

/** Another thread changes the working directory all the time: a file is made in
 * the one or the other, and nothing is left in either. */
static void test_working_directory(void)
{
    char here[4096];
    CHECK(getcwd(here, sizeof here) != NULL);
    const char *folders[2] = {in_folder("one"), in_folder("other")};
    CHECK(mkdir(folders[0], 0700) == 0 && mkdir(folders[1], 0700) == 0);
    moving = true;
    struct thread thread = thread_start(move_about, folders);
    uint64_t end = clock_ms() + 300;
    for (int i = 0; i < 100 || clock_ms() < end; i++) {
        winshm_region *h = created();
        CHECK_OK(winshm_link(h, "about"));
        CHECK_OK(winshm_close(h));
    }
    moving = false;
    thread_join(thread);
    CHECK(chdir(here) == 0);
    CHECK(rmdir(folders[0]) == 0 && rmdir(folders[1]) == 0);
}

static void test_limit(void)
{
    struct rlimit limit, less;
    winshm_region *h = created();
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    less = limit;
    less.rlim_cur = 10;
    CHECK(setrlimit(RLIMIT_FSIZE, &less) == 0);
    CHECK_STATUS(winshm_link(h, in_folder("limit")), WINSHM_E_SIZE);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(!exists(in_folder("limit.winshm-link")));
    CHECK_OK(winshm_link(h, in_folder("limit")));
    CHECK_OK(winshm_close(h));
}

static void role_nobody(const char *path, uint32_t unused)
{
    char deeper[1100];
    winshm_region *h, *found;
    (void)unused;
    snprintf(folder, sizeof folder, "%s", path);
    if (!child_become_nobody())
        exit(CHECK_SKIPPED);
    h = created();
    CHECK_STATUS(winshm_link(h, in_folder("new")), WINSHM_E_ACCESS);
    snprintf(deeper, sizeof deeper, "%s", in_folder("shut/new"));
    CHECK_STATUS(winshm_link(h, deeper), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_open_link(deeper, 0, 0, &found), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_open_link(in_folder("secret"), 0, 0, &found),
                 WINSHM_E_ACCESS);
    /* In a folder for all: what is root's is in the way. */
    CHECK_STATUS(winshm_link(h, in_folder("all/root")), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_link(h, in_folder("all/secret")), WINSHM_E_EXISTS);
    CHECK_STATUS(winshm_link(h, in_folder("all/part")), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_link(h, in_folder("all/open")), WINSHM_E_ACCESS);
    CHECK_OK(winshm_link(h, in_folder("all/own")));
    CHECK_OK(winshm_close(h));
    CHECK(!exists(in_folder("all/own")));
    CHECK(!exists(in_folder("all/root.winshm-link")));
    CHECK(!exists(in_folder("all/secret.winshm-link")));
}

static void test_other_users(void)
{
    char token[WINSHM_TOKEN_MAX + 1];
    uint32_t length;
    winshm_region *h = created();
    CHECK_OK(winshm_export(h, 0, token, sizeof token, &length));
    CHECK_OK(winshm_close(h));
    CHECK(chmod(folder, 0755) == 0);
    CHECK(mkdir(in_folder("shut"), 0700) == 0);
    CHECK(mkdir(in_folder("all"), 0700) == 0);
    CHECK(chmod(in_folder("all"), 01777) == 0);
    put(in_folder("all/root"), token); /* stale, but another's */
    put(in_folder("secret"), token);
    CHECK(chmod(in_folder("secret"), 0600) == 0);
    CHECK(link(in_folder("secret"), in_folder("all/secret")) == 0);
    put(in_folder("all/part.winshm-link"), "");
    put(in_folder("all/open.winshm-link"), "");
    CHECK(chmod(in_folder("all/open.winshm-link"), 0666) == 0);
    struct child child = child_start("nobody", folder, 0);
    int code = child_wait(&child, PATIENCE_MS);
    if (code == CHECK_SKIPPED)
        fprintf(stderr, "skipped: there is nobody to become\n");
    else
        CHECK_EQ(code, 0);
    static const char *const files[] = {"all/root", "secret", "all/secret",
                                        "all/part.winshm-link",
                                        "all/open.winshm-link"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        CHECK(unlink(in_folder(files[i])) == 0);
    CHECK(rmdir(in_folder("all")) == 0 && rmdir(in_folder("shut")) == 0);
}

/** A process that is stopped while it has the part file. */
static void role_holds(const char *path, uint32_t unused)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    (void)unused;
    CHECK(fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0);
    parent_tell('h');
    parent_hear();
}

static void wait_for_part(void *path)
{
    winshm_region *h = created();
    uint64_t began = clock_ms();
    CHECK_STATUS(winshm_link(h, path), WINSHM_E_TIMEOUT);
    CHECK(clock_ms() - began >= 4900);
    CHECK_OK(winshm_close(h));
}

static const struct role roles[] = {
    {"nobody", role_nobody}, {"holds", role_holds}, {NULL, NULL}};

int main(int argc, char **argv)
{
    char held[1100];
    child_run_role(argc, argv, roles);
    /* Where others can go, too. */
    snprintf(folder, sizeof folder, "/dev/shm/%s", name_of("links"));
    CHECK(mkdir(folder, 0700) == 0);
    snprintf(held, sizeof held, "%s", in_folder("held"));
    struct child child = child_start("holds", in_folder("held.winshm-link"), 0);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'h');
    struct thread waiter = thread_start(wait_for_part, held);
    test_other_sorts();
    test_moves();
    test_working_directory();
    test_limit();
    test_other_users();
    thread_join(waiter);
    child_kill(&child);
    winshm_region *h = created();
    CHECK_OK(winshm_link(h, held));
    CHECK_OK(winshm_close(h));
    CHECK(rmdir(folder) == 0);
    return 0;
}
