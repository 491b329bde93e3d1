/* Saving and loading on Linux: other sorts of files, permissions, limits, full
 * disks, holes, signals, fork(), and memory that has gone. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "apart_posix.h"
#include "files.h"

enum { SIZE = 300000, HUGE_MB = 1024 };

static const char *region_name;
static const char *path;
static winshm_region *h;

/** Saves, which is refused in these words and leaves nothing. */
static void refused_at(int line, const char *to, winshm_status expected,
                       const char *words)
{
    bool before = file_exists(part_of(to));
    winshm_status status = winshm_save(h, to, 0);
    if (status != expected || strstr(winshm_last_message(), words) == NULL)
        check_end(1, __FILE__, line, "%s, not \"%s\": %s",
                  winshm_status_name(status), words, winshm_last_message());
    CHECK_EQ(file_exists(part_of(to)), before);
}
#define REFUSED(to, expected, words) refused_at(__LINE__, to, expected, words)

/* What may be in the way. */

static void put_socket(const char *at)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", at);
    CHECK(fd >= 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

static void test_sorts(void)
{
    char text[8] = "";
    const char *target = file_of("target");
    struct stat facts;
    /* A link at the path is replaced, and what it leads to stays. */
    file_write(target, "kept", 4);
    CHECK_EQ(symlink(target, path), 0);
    CHECK_OK(winshm_save(h, path, 0));
    CHECK(lstat(path, &facts) == 0 && S_ISREG(facts.st_mode));
    FILE *file = fopen(target, "r");
    CHECK(file != NULL && fread(text, 1, 7, file) == 4);
    fclose(file);
    CHECK(strcmp(text, "kept") == 0);
    /* Reading follows it. */
    CHECK(remove(target) == 0 && symlink(path, target) == 0);
    CHECK_OK(winshm_load(h, target, 0));
    CHECK_EQ(remove(target), 0);
    /* Where the part file would be. */
    const char *part = part_of(path);
    CHECK_EQ(symlink(target, part), 0);
    REFUSED(path, WINSHM_E_KIND, ".winshm-part appended is no plain file");
    CHECK(!file_exists(target));
    CHECK_EQ(remove(part), 0);
    CHECK_EQ(link(path, part), 0);
    REFUSED(path, WINSHM_E_KIND, ".winshm-part appended");
    CHECK_EQ(remove(part), 0);
    CHECK_EQ(mkdir(part, 0700), 0);
    REFUSED(path, WINSHM_E_KIND, ".winshm-part appended");
    CHECK_EQ(rmdir(part), 0);
    CHECK_EQ(mkfifo(part, 0600), 0);
    CHECK_STATUS(winshm_save(h, path, 0), WINSHM_E_KIND);
    CHECK_EQ(remove(part), 0);
    CHECK_EQ(mknod(part, S_IFSOCK | 0600, 0), 0);
    REFUSED(path, WINSHM_E_KIND, ".winshm-part appended");
    CHECK_EQ(remove(part), 0);
    if (geteuid() == 0) {
        file_write(part, "", 0);
        CHECK_EQ(chown(part, 65533, 65533), 0);
        REFUSED(path, WINSHM_E_KIND, "of this user's");
        CHECK_EQ(remove(part), 0);
    }
    CHECK_OK(winshm_load(h, path, 0));
    /* Where the file would be. */
    CHECK(remove(path) == 0 && mkdir(path, 0700) == 0);
    REFUSED(path, WINSHM_E_KIND, "is no plain file");
    CHECK_STATUS(winshm_load(h, path, 0), WINSHM_E_KIND);
    CHECK(rmdir(path) == 0 && mkfifo(path, 0600) == 0);
    CHECK_STATUS(winshm_save(h, path, 0), WINSHM_E_KIND);
    CHECK_STATUS(winshm_load(h, path, 0), WINSHM_E_KIND);
    CHECK_EQ(remove(path), 0);
    put_socket(path);
    REFUSED(path, WINSHM_E_KIND, "is no plain file");
    CHECK_STATUS(winshm_load(h, path, 0), WINSHM_E_KIND);
    CHECK_EQ(remove(path), 0);
    CHECK_STATUS(winshm_load(h, "/dev/zero", 0), WINSHM_E_KIND);
    CHECK_STATUS(winshm_save(h, "/dev/null", 0), WINSHM_E_KIND);
    CHECK(stat("/dev/null", &facts) == 0 && S_ISCHR(facts.st_mode));
}

static void test_names(void)
{
    char name[400];
    char folder[400];
    /* The name alone may be what the system takes, but not with the rest. */
    memset(name, 'n', 256);
    name[243] = '\0';
    CHECK_EQ(chdir("/dev/shm"), 0);
    CHECK_OK(winshm_save(h, name, 0));
    CHECK_EQ(remove(name), 0);
    name[243] = 'n';
    name[244] = '\0';
    CHECK_STATUS(winshm_save(h, name, 0), WINSHM_E_INVALID);
    CHECK(strstr(winshm_last_message(), "longer than the system takes"));
    name[244] = 'n';
    name[256] = '\0';
    CHECK_STATUS(winshm_load(h, name, 0), WINSHM_E_INVALID);
    snprintf(folder, sizeof folder, "%s/x", file_of("none"));
    CHECK_STATUS(winshm_save(h, folder, 0), WINSHM_E_SYSTEM);
    file_write(path, "", 0);
    snprintf(folder, sizeof folder, "%s/x", path);
    CHECK_STATUS(winshm_save(h, folder, 0), WINSHM_E_SYSTEM);
    CHECK_STATUS(winshm_load(h, folder, 0), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_load(h, path, 0), WINSHM_E_FORMAT);
    CHECK_EQ(remove(path), 0);
}

static winshm_status told;

static void save_without_end(void *region)
{
    told = winshm_save(region, path, WINSHM_FOREVER);
}

/** Somebody is stopped while it saves at the same path. */
static void test_rival(void)
{
    static const uint32_t flags[] = {0, WINSHM_NO_LOCK};
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(part_of(path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0);
    for (int i = 0; i < 2; i++) {
        winshm_region *own;
        CHECK_OK(winshm_create(name_of("rival"), SIZE, flags[i], &own));
        REFUSED(path, WINSHM_E_TIMEOUT, "somebody else had '");
        CHECK_STATUS(winshm_save(own, path, 20), WINSHM_E_TIMEOUT);
        struct thread thread = thread_start(save_without_end, own);
        sleep_ms(20);
        CHECK_OK(winshm_close(own));
        thread_join(thread);
        CHECK_STATUS(told, WINSHM_E_CLOSED);
    }
    /* It dies, and its part file is taken over. */
    close(fd);
    CHECK_OK(winshm_save(h, path, 0));
    CHECK_EQ(remove(path), 0);
}

static void test_mode(void)
{
    static const mode_t masks[] = {0, 022, 0777};
    struct stat facts;
    for (int i = 0; i < 3; i++) {
        mode_t before = umask(masks[i]);
        CHECK_OK(winshm_save(h, path, 0));
        umask(before);
        CHECK(stat(path, &facts) == 0);
        CHECK_EQ(facts.st_mode & 0777, 0600);
        CHECK_EQ(facts.st_nlink, 1);
    }
    CHECK_EQ(remove(path), 0);
}

static void as_nobody(void *unused)
{
    const char *folder = file_of("folder");
    char inside[600];
    (void)unused;
    if (!child_become_nobody())
        exit(CHECK_SKIPPED);
    snprintf(inside, sizeof inside, "%s/file", folder);
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    CHECK_EQ(mkdir(folder, 0755), 0);
    CHECK_OK(winshm_save(h, inside, 0));
    CHECK_EQ(chmod(inside, 0), 0);
    CHECK_STATUS(winshm_load(h, inside, 0), WINSHM_E_ACCESS);
    CHECK(strstr(winshm_last_message(), "may not get at '"));
    CHECK_EQ(chmod(folder, 0555), 0);
    REFUSED(inside, WINSHM_E_ACCESS, "may not get at '");
    /* One that may be entered and not read. */
    CHECK_EQ(chmod(folder, 0333), 0);
    CHECK_OK(winshm_save(h, inside, 0));
    CHECK_OK(winshm_load(h, inside, 0));
    CHECK(remove(inside) == 0 && rmdir(folder) == 0);
    CHECK_OK(winshm_close(h));
}

static void test_child(void (*run)(void *))
{
    struct child child;
    fflush(stdout);
    CHECK(child_fork(&child, run, NULL));
    int code = child_wait(&child, PATIENCE_MS);
    CHECK(code == 0 || code == CHECK_SKIPPED);
}

/* Limits. */

static void with_limit(void *unused)
{
    struct rlimit limit = {SIZE, SIZE};
    (void)unused;
    CHECK_OK(winshm_open(region_name, 0, &h));
    /* Going beyond it would be a signal that ends the process. */
    signal(SIGXFSZ, SIG_DFL);
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    REFUSED(path, WINSHM_E_SIZE, "may write files of 300000");
    CHECK_OK(winshm_close(h));
}

static void on_full_disk(void *unused)
{
    const char *file = "/dev/shm/full/file";
    struct stat before, after;
    (void)unused;
    own_mounts();
    CHECK_OK(winshm_open(region_name, 0, &h));
    CHECK(mkdir("/dev/shm/full", 0700) == 0 || errno == EEXIST);
    if (mount("none", "/dev/shm/full", "tmpfs", 0, "size=360k") != 0)
        SKIP("mounts are refused here");
    memset(winshm_data(h), 1, SIZE);
    CHECK_OK(winshm_save(h, file, 0));
    CHECK_EQ(stat(file, &before), 0);
    for (int at = 4096; at < SIZE - 16384; at += 16384) /* between holes, too */
        memset((char *)winshm_data(h) + at, 0, 12288);
    REFUSED(file, WINSHM_E_SYSTEM, "No space left on device");
    CHECK_EQ(stat(file, &after), 0);
    CHECK(before.st_ino == after.st_ino);
    CHECK_OK(winshm_load(h, file, 0));
    CHECK_EQ(mount("none", "/dev/shm/full", NULL, MS_REMOUNT | MS_RDONLY,
                   "size=360k"),
             0);
    REFUSED(file, WINSHM_E_ACCESS, "may not get at '");
    CHECK_OK(winshm_close(h));
}

static void test_holes(uint64_t megabytes)
{
    winshm_region *large;
    struct stat facts;
    uint64_t size = (megabytes << 20) + 3;
    winshm_status status =
        winshm_create(name_of("large"), size, WINSHM_NO_MAP, &large);
    if (status == WINSHM_E_NO_MEMORY || status == WINSHM_E_SIZE)
        return;
    CHECK_OK(status);
    CHECK_OK(winshm_write(large, size - 1, "x", 1, 0));
    CHECK_OK(winshm_write(large, 5 << 20, "y", 1, 0));
    CHECK_OK(winshm_save(large, path, 0));
    CHECK_EQ(stat(path, &facts), 0);
    CHECK_EQ((uint64_t)facts.st_size, 4096 + size);
    CHECK(facts.st_blocks <= 3 * 8); /* the header and two pages */
    CHECK_OK(winshm_write(large, size / 2, "z", 1, 0));
    CHECK_OK(winshm_load(large, path, 0));
    char bytes[3];
    CHECK_OK(winshm_read(large, size - 1, bytes, 1, 0));
    CHECK_OK(winshm_read(large, 5 << 20, bytes + 1, 1, 0));
    CHECK_OK(winshm_read(large, size / 2, bytes + 2, 1, 0));
    CHECK(memcmp(bytes, "xy", 3) == 0);
    CHECK_OK(winshm_close(large));
    CHECK_EQ(remove(path), 0);
}

/** Gives a saved file the size that its header tells, which is all holes. */
static void make_vast(uint64_t size)
{
    const uint64_t sizes[2] = {size, size};
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_EQ(pwrite(fd, sizes, sizeof sizes, 16), sizeof sizes);
    CHECK_EQ(ftruncate(fd, (off_t)(4096 + size)), 0);
    close(fd);
}

static winshm_status told;

static void load_vast(void *region)
{
    told = winshm_load(region, path, 0);
}

/** A file that nobody could read to its end. */
static void test_vast(void)
{
    const uint64_t vast = (uint64_t)1 << 46;
    winshm_options o = {.struct_size = sizeof o,
                        .flags = WINSHM_NO_MAP,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = SIZE,
                        .capacity = vast,
                        .name = name_of("vast")};
    winshm_region *large;
    CHECK_OK(winshm_save(h, path, 0));
    make_vast(vast);
    CHECK_STATUS(winshm_load(h, path, 0), WINSHM_E_SIZE);
    /* Where there would be room for it, the handle can be closed. */
    CHECK_OK(winshm_open_with(&o, &large));
    struct thread thread = thread_start(load_vast, large);
    sleep_ms(50);
    CHECK_OK(winshm_close(large));
    thread_join(thread);
    CHECK_STATUS(told, WINSHM_E_CLOSED);
    CHECK_EQ(remove(path), 0);
}

/** A server of files may have it for itself for a while. */
static void test_lease(void)
{
    CHECK_OK(winshm_save(h, path, 0));
    int fd = open(path, O_RDWR | O_CLOEXEC);
    signal(SIGIO, SIG_IGN);
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_SETLEASE, F_WRLCK), 0);
    uint64_t began = clock_ms();
    CHECK_STATUS(winshm_load(h, path, 50), WINSHM_E_TIMEOUT);
    CHECK(clock_ms() - began >= 50);
    CHECK(strstr(winshm_last_message(), "open all the time"));
    CHECK_EQ(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
    CHECK_OK(winshm_load(h, path, 0));
    close(fd);
    CHECK_EQ(remove(path), 0);
}

/* Signals that come again and again. */

static volatile sig_atomic_t alarms;

static void on_alarm(int number)
{
    (void)number;
    alarms = alarms + 1;
}

static void test_signals(void)
{
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval often = {{0, 200}, {0, 200}};
    struct itimerval never = {{0, 0}, {0, 0}};
    CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
    CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
    for (uint64_t end = clock_ms() + 100; clock_ms() < end || alarms < 50;) {
        CHECK_OK(winshm_save(h, path, 0));
        CHECK_OK(winshm_load(h, path, 0));
    }
    CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
    CHECK_EQ(remove(path), 0);
}

/* A child that is forked in the middle has none of the files, or it would keep
 * others from saving when this process is gone. */

static _Atomic bool ends;

static void save_all_the_time(void *unused)
{
    (void)unused;
    while (!ends) {
        CHECK_OK(winshm_save(h, path, PATIENCE_MS));
        CHECK_OK(winshm_load(h, path, PATIENCE_MS));
    }
}

static void has_no_file(void *unused)
{
    DIR *files = opendir("/proc/self/fd");
    (void)unused;
    CHECK(files != NULL);
    for (struct dirent *entry; (entry = readdir(files)) != NULL;) {
        char leads[600] = "";
        if (readlinkat(dirfd(files), entry->d_name, leads, sizeof leads - 1) >
            0)
            CHECK(strstr(leads, ".file") == NULL);
    }
    closedir(files);
}

static void test_fork(void)
{
    struct thread thread = thread_start(save_all_the_time, NULL);
    for (int i = 0; i < 40; i++)
        test_child(has_no_file);
    ends = true;
    thread_join(thread);
    CHECK_EQ(remove(path), 0);
}

/* Memory that is gone. */

static void test_cut(void)
{
    winshm_region *cut;
    const char *name = name_of("cut");
    CHECK_OK(winshm_create(name, SIZE, 0, &cut));
    CHECK_OK(winshm_save(cut, path, 0));
    CHECK(plain_truncate(name, 8192));
    CHECK_STATUS(winshm_save(cut, path, 0), WINSHM_E_FAULT);
    CHECK(!file_exists(part_of(path)));
    memset(winshm_data(cut), 7, 8192);
    CHECK_STATUS(winshm_load(cut, path, 0), WINSHM_E_FAULT);
    CHECK_STATUS(winshm_save(cut, path, 0), WINSHM_E_OWNER_DEAD);
    /* In a section of its own it is the caller who says that they are whole. */
    CHECK(plain_truncate(name, SIZE));
    CHECK_STATUS(winshm_lock(cut, WINSHM_EXCLUSIVE, 0), WINSHM_E_OWNER_DEAD);
    CHECK_OK(winshm_load(cut, path, 0));
    CHECK_OK(winshm_unlock(cut, WINSHM_EXCLUSIVE));
    CHECK_STATUS(winshm_lock(cut, WINSHM_EXCLUSIVE, 0), WINSHM_E_OWNER_DEAD);
    CHECK_OK(winshm_make_consistent(cut));
    CHECK_OK(winshm_unlock(cut, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_save(cut, path, 0));
    CHECK_OK(winshm_close(cut));
    CHECK_EQ(remove(path), 0);
}

/** An observer copies between the sections of others. */
static void observe(void *unused)
{
    winshm_region *observer;
    winshm_info info = {.struct_size = sizeof info};
    size_t size;
    (void)unused;
    if (!child_become_nobody())
        exit(CHECK_SKIPPED);
    CHECK_OK(winshm_open(region_name, WINSHM_READ, &observer));
    CHECK_OK(winshm_get_info(observer, &info));
    CHECK_EQ(info.observer, 1);
    const char *file = file_of("observed");
    for (int i = 0; i < 10; i++) {
        CHECK_OK(winshm_save(observer, file, PATIENCE_MS));
        unsigned char *bytes = file_read(file, &size);
        CHECK(memcmp(bytes + 4096, bytes + 4097, SIZE - 1) == 0);
        free(bytes);
    }
    CHECK_STATUS(winshm_load(observer, file, 0), WINSHM_E_ACCESS);
    CHECK_OK(winshm_close(observer));
    CHECK_EQ(remove(file), 0);
}

static void change_all_the_time(void *unused)
{
    (void)unused;
    for (int value = 0; !ends; value++) {
        CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS));
        memset(winshm_data(h), value, SIZE);
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
        sleep_ms(3);
    }
}

static void test_observer(void)
{
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = SIZE,
                        .name = region_name,
                        .security = "everyone-read"};
    CHECK_OK(winshm_open_with(&o, &h));
    ends = false;
    struct thread thread = thread_start(change_all_the_time, NULL);
    test_child(observe);
    ends = true;
    thread_join(thread);
    CHECK_OK(winshm_close(h));
}

/** test_save_posix [MEGABYTES] */
int main(int argc, char **argv)
{
    region_name = name_of("region");
    path = file_of("saved");
    test_child(as_nobody);
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    memset(winshm_data(h), 9, SIZE);
    test_sorts();
    test_names();
    test_rival();
    test_mode();
    test_child(with_limit);
    test_child(on_full_disk);
    test_signals();
    test_fork();
    test_cut();
    test_vast();
    test_lease();
    test_holes(argc > 1 ? strtoul(argv[1], NULL, 10) : HUGE_MB / 4);
    CHECK_OK(winshm_close(h));
    test_observer();
    printf("ok\n");
    return 0;
}
