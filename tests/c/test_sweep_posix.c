/* What crashes leave in memory is removed by whoever creates something, and
 * nothing else is. All of it in a /dev/shm of its own, since what other
 * programs leave would be removed as well.
 *
 * test_sweep_posix [CRASHES [SECONDS]] */
#define _GNU_SOURCE
#include <signal.h>
#include <time.h>

#include "apart_posix.h"

enum {
    SIZE = 5000,
    STRANGER = 60001,
    HANDLE_REGIONS = 1024, /* that a process can have open */
    KEPT = 4,
    WORKERS = 4,
    /* Files that there may be while some have just crashed: each one that comes
     * removes sixteen. */
    AT_ONE_TIME = 40
};

static uint32_t crashes = 300, seconds = 3;

static uint32_t random_below(uint32_t limit)
{
    static uint64_t state;
    if (state == 0)
        state = (uint64_t)getpid() * 0x9E3779B97F4A7C15u ^ clock_us();
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % limit;
}

static void pause_us(uint32_t us)
{
    struct timespec time = {0, (long)us * 1000};
    nanosleep(&time, NULL);
}

/** Runs something in a process that has not used the library before, and kills
 * it after so many microseconds unless that is 0. @return its exit code. */
static int run_fresh(void (*run)(const char *), const char *name,
                     uint32_t kill_us)
{
    int state;
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run(name);
        _exit(0);
    }
    if (kill_us != 0) {
        pause_us(kill_us);
        kill(pid, SIGKILL);
    }
    CHECK(waitpid(pid, &state, 0) == pid);
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

static void create_and_crash(const char *name)
{
    winshm_region *h;
    CHECK_OK(winshm_create(name, SIZE, 0, &h));
}

static void create_and_close(const char *name)
{
    winshm_region *h;
    CHECK_OK(winshm_create(name, SIZE, 0, &h));
    CHECK_OK(winshm_close(h));
}

/** Creates something and ends in an orderly way, which writes what it has run
 * of the library where that is counted. */
static void visit(const char *name)
{
    create_and_close(name);
    exit(0);
}

static int count_files(void)
{
    return plain_count("") - 2; /* . and .. */
}

/** Others come, until only so many files are there. @return how many came. */
static int tidy(int files, int most)
{
    int came = 0;
    while (count_files() > files && came < most) {
        CHECK_EQ(run_fresh(visit, "wtidy", 0), 0);
        came++;
    }
    CHECK_EQ(count_files(), files);
    return came;
}

/** Many programs that crash, each with a name that never comes again. */
static void run_crashes(void)
{
    char name[40];
    int worst = 0;
    own_shm("size=100m");
    for (uint32_t i = 0; i < crashes; i++) {
        snprintf(name, sizeof name, "wtcrash-%u", i);
        bool midway = i % 2 != 0;
        int code = run_fresh(create_and_crash, name,
                             midway ? 1 + random_below(1000) : 0);
        CHECK(code == 0 || (midway && code == -1));
        int files = count_files();
        worst = files > worst ? files : worst;
    }
    printf("%u crashes, at most %d files\n", crashes, worst);
    CHECK(worst <= AT_ONE_TIME);
    tidy(0, 3);
}

static void create_many(const char *name)
{
    winshm_region *h;
    for (int i = 0; i < 400; i++) {
        char part[40];
        snprintf(part, sizeof part, "%s-%d", name, i);
        CHECK_OK(winshm_create(part, 1, 0, &h));
    }
}

static void hold_many(void *unused)
{
    (void)unused;
    create_many("wtlive");
    parent_tell('h');
    parent_hear();
}

static void put_file(const char *path, mode_t mode, off_t size)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && ftruncate(fd, size) == 0 && fchmod(fd, mode) == 0);
    close(fd);
}

/** Every leftover has its turn, however many other files there are, and no
 * creator has to do with all of them. */
static void run_full_directory(void)
{
    enum { OTHERS = 10000 };
    struct child holder;
    char path[80];
    own_shm("size=200m");
    child_fork(&holder, hold_many, NULL);
    CHECK_EQ(child_hear(&holder, PATIENCE_MS), 'h');
    for (int i = 0; i < OTHERS; i++) {
        snprintf(path, sizeof path, "/dev/shm/other-%d", i);
        put_file(path, 0600, 0);
        if (i == OTHERS / 2)
            CHECK_EQ(run_fresh(create_many, "wtmany", 0), 0);
    }
    CHECK_EQ(plain_count("wtmany"), 800);
    uint64_t began = clock_us(), worst = 0;
    int came = 0;
    while (plain_count("wtmany") > 0 && came < 2000) {
        uint64_t before = clock_us();
        CHECK_EQ(run_fresh(visit, "wtidy", 0), 0);
        uint64_t took = clock_us() - before;
        worst = took > worst ? took : worst;
        came++;
    }
    printf("400 leftovers among %d files: %d processes, %lu ms, worst %lu us\n",
           OTHERS, came, (unsigned long)(clock_us() - began) / 1000,
           (unsigned long)worst);
    CHECK_EQ(plain_count("wtmany"), 0);
    CHECK_EQ(count_files(), OTHERS + 800);
    child_tell(&holder, 'e');
    CHECK_EQ(child_wait(&holder, PATIENCE_MS), 0);
    CHECK_EQ(count_files(), OTHERS);
}

/* What is to be left alone. */

static void crash_as_stranger(const char *name)
{
    if (geteuid() == 0)
        CHECK(setgid(STRANGER) == 0 && setuid(STRANGER) == 0);
    create_and_crash(name);
}

static void visit_as_stranger(const char *name)
{
    CHECK(setgid(STRANGER) == 0 && setuid(STRANGER) == 0);
    prctl(PR_SET_DUMPABLE, 1); /* or /proc/self would be root's */
    visit(name);
}

static void adopt_and_crash(const char *name)
{
    winshm_region *h;
    CHECK_OK(winshm_open_or_create(name, SIZE, 0, &h));
}

static void rewrite(const char *path, off_t offset, uint32_t word)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && pwrite(fd, &word, 4, offset) == 4);
    close(fd);
}

static void run_left_alone(void)
{
    winshm_region *live, *viewed, *closed;
    winshm_view *view;
    int files = 0;
    bool root;
    own_shm("size=10m");
    root = geteuid() == 0 && setegid(0) == 0 && seteuid(STRANGER) == 0 &&
           seteuid(0) == 0;
    CHECK_OK(winshm_create("wtlive", SIZE, 0, &live));
    CHECK_OK(winshm_create("wtviewed", SIZE, 0, &viewed));
    CHECK_OK(winshm_map(viewed, 0, 1, 0, &view));
    CHECK_OK(winshm_close(viewed));
    files += 4;
    /* The life lock is somebody's. */
    CHECK_EQ(run_fresh(create_and_crash, "wtheld", 0), 0);
    struct flock lock = {.l_type = F_WRLCK, .l_len = 1};
    int held = open("/dev/shm/wtheld.winshm", O_RDWR | O_CLOEXEC);
    CHECK(held >= 0 && fcntl(held, F_OFD_SETLK, &lock) == 0);
    files += 2;
    /* Another version's, which has its own ideas of what is where. */
    CHECK_EQ(run_fresh(create_and_crash, "wtversion", 0), 0);
    rewrite("/dev/shm/wtversion.winshm", 4, 2);
    files += 2;
    if (root) {
        CHECK_EQ(run_fresh(crash_as_stranger, "wtstranger", 0), 0);
        files += 2;
    }
    /* Not control files, whatever they are called. */
    char name[200 + 20];
    snprintf(name, sizeof name, "/dev/shm/%0201d.winshm", 0);
    put_file(name, 0600, 0);
    put_file("/dev/shm/wtshort.winshm", 0600, 100);
    put_file("/dev/shm/wtfull.winshm", 0600, 65536);
    rewrite("/dev/shm/wtfull.winshm", 0, 1);
    put_file("/dev/shm/wtown", 0600, 0);
    put_file("/dev/shm/.winshm", 0600, 0);
    put_file("/dev/shm/wt.winshm.winshm", 0600, 0);
    put_file("/dev/shm/Local\\wt.winshm", 0600, 0);
    put_file("/dev/shm/wt.winshm.", 0600, 0);
    CHECK(mkdir("/dev/shm/wtfolder.winshm", 0700) == 0);
    CHECK(symlink("wtown", "/dev/shm/wtlink.winshm") == 0);
    CHECK(link("/dev/shm/wtown", "/dev/shm/wtsecond.winshm") == 0);
    /* As long as one, and with something in it, though not at the beginning. */
    put_file("/dev/shm/wtlater.winshm", 0600, 65536);
    rewrite("/dev/shm/wtlater.winshm", 5000, 1);
    files += 12;
    /* An adopted block is the outside program's, its control block is not. */
    put_file("/dev/shm/wtadopted", 0600, SIZE);
    CHECK_EQ(run_fresh(adopt_and_crash, "wtadopted", 0), 0);
    files += 1;
    put_file("/dev/shm/wtempty.winshm", 0600, 0);
    put_file("/dev/shm/wtshut.winshm", 0000, 0);
    put_file("/dev/shm/wtzeros.winshm", 0600, 65536);
    for (int i = 0; i < 20; i++)
        CHECK_EQ(run_fresh(visit, "wtidy", 0), 0);
    CHECK_EQ(plain_count("wtempty") + plain_count("wtshut"), 0);
    CHECK_EQ(plain_count("wtadopted"), 1);
    CHECK_EQ(plain_count("wtstranger"), root ? 2 : 0);
    CHECK_EQ(count_files(), files);
    CHECK_OK(winshm_open("wtlive", 0, &closed));
    CHECK_OK(winshm_close(closed));
    CHECK_OK(winshm_open("wtviewed", 0, &closed));
    CHECK_OK(winshm_close(closed));
    close(held);
    CHECK_OK(winshm_unmap(view));
    CHECK_OK(winshm_close(live));
    tidy(files - 6, 3);
    /* Everybody tidies up what is their own. */
    if (root) {
        put_file("/dev/shm/wtroot.winshm", 0000, 0);
        put_file("/dev/shm/wtshut.winshm", 0000, 0);
        CHECK(chown("/dev/shm/wtshut.winshm", STRANGER, STRANGER) == 0);
        CHECK_EQ(run_fresh(visit_as_stranger, "wtidy", 0), 0);
        CHECK_EQ(plain_count("wtstranger") + plain_count("wtshut"), 0);
        CHECK_EQ(count_files(), files - 6 - 2 + 1);
    }
}

/** Once a second a process, and the errors of it are nobody's. */
static void run_seldom(void)
{
    winshm_region *h;
    own_shm("size=10m");
    create_and_close("wtfirst");
    CHECK_EQ(run_fresh(create_and_crash, "wtcrash", 0), 0);
    CHECK_STATUS(winshm_open("wtnone", 0, &h), WINSHM_E_NOT_FOUND);
    char before[800];
    snprintf(before, sizeof before, "%s", winshm_last_message());
    uint64_t began = clock_ms();
    do {
        create_and_close("wtagain");
        sleep_ms(1);
    } while (count_files() > 0 && clock_ms() - began < PATIENCE_MS);
    CHECK_EQ(count_files(), 0);
    CHECK(clock_ms() - began > 900 && clock_ms() - began < 2000);
    CHECK(strcmp(before, winshm_last_message()) == 0);
}

static void visit_with_full_hands(const char *name)
{
    winshm_region *h;
    CHECK_OK(winshm_create("wtraw", 1, WINSHM_RAW, &h));
    for (int i = 2; i < HANDLE_REGIONS; i++)
        CHECK_OK(winshm_open("wtraw", WINSHM_RAW, &h));
    visit(name);
}

/** Who has no handle left for looking at leftovers creates all the same. */
static void run_no_handle(void)
{
    own_shm("size=10m");
    CHECK_EQ(run_fresh(create_and_crash, "wtcrash", 0), 0);
    CHECK_EQ(run_fresh(visit_with_full_hands, "wtidy", 0), 0);
    CHECK_EQ(count_files(), 2);
    tidy(0, 3);
}

/** Memory that only crashes have taken is there for whoever creates. */
static void run_no_room(void)
{
    own_shm("size=1m");
    CHECK_EQ(run_fresh(create_and_crash, "wtsmall", 0), 0);
    int fd = open("/dev/shm/filler", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    off_t size = (1 << 20) - 65536 - 2 * 4096;
    CHECK(fd >= 0 && posix_fallocate(fd, 0, size) == 0);
    close(fd);
    CHECK_EQ(run_fresh(visit, "wtidy", 0), 0);
    CHECK_EQ(count_files(), 1);
}

/* Sweepers, creators and joiners at once. */

static void act(const char *name)
{
    winshm_region *h, *other;
    char own[60];
    uint32_t what = random_below(6);
    snprintf(own, sizeof own, "%s-%d", name, (int)getpid());
    if (what < 2) {
        /* Nobody takes away what has just been made. */
        CHECK_OK(winshm_create(own, SIZE, 0, &h));
        CHECK_OK(winshm_write(h, 0, "own", 4, PATIENCE_MS));
        CHECK_OK(winshm_open(own, 0, &other));
        CHECK(strcmp(winshm_data(other), "own") == 0);
        CHECK_OK(winshm_close(h));
        CHECK_OK(winshm_open(own, 0, &h));
        CHECK_OK(winshm_close(h));
        if (what == 0)
            CHECK_OK(winshm_close(other));
    } else if (what < 4) {
        snprintf(own, sizeof own, "wtshared-%u", random_below(KEPT));
        CHECK_OK(winshm_open_or_create(own, SIZE, 0, &h));
        winshm_status status = winshm_write(h, 0, "shared", 7, PATIENCE_MS);
        /* Some are killed in the middle of it, and nobody repairs that. */
        CHECK(status == WINSHM_OK || status == WINSHM_E_OWNER_DEAD);
        if (what == 2)
            CHECK_OK(winshm_close(h));
    } else if (what == 4) {
        winshm_status status = winshm_open("wtshared-0", 0, &h);
        CHECK(status == WINSHM_OK || status == WINSHM_E_NOT_FOUND);
        CHECK_OK(winshm_close(h));
    } else {
        snprintf(own, sizeof own, "wtkept-%u", random_below(KEPT));
        CHECK_OK(winshm_open(own, 0, &h));
        CHECK(strcmp(winshm_data(h), "kept") == 0);
        CHECK_OK(winshm_close(h));
    }
}

static void work(void *argument)
{
    uint64_t end = clock_ms() + 1000 * (uint64_t)seconds;
    (void)argument;
    while (clock_ms() < end) {
        bool killed = random_below(3) == 0;
        int code = run_fresh(act, "wtown", killed ? 1 + random_below(800) : 0);
        CHECK(code == 0 || (killed && code == -1));
    }
}

static void run_race(void)
{
    winshm_region *kept[KEPT];
    struct child workers[WORKERS];
    char name[40];
    own_shm("size=100m");
    for (int i = 0; i < KEPT; i++) {
        snprintf(name, sizeof name, "wtkept-%d", i);
        CHECK_OK(winshm_create(name, SIZE, 0, &kept[i]));
        CHECK_OK(winshm_write(kept[i], 0, "kept", 5, 0));
    }
    for (int i = 0; i < WORKERS; i++)
        child_fork(&workers[i], work, NULL);
    for (int i = 0; i < WORKERS; i++)
        CHECK_EQ(child_wait(&workers[i], PATIENCE_MS + 1000 * seconds), 0);
    tidy(2 * KEPT, 3 + WORKERS);
    for (int i = 0; i < KEPT; i++)
        CHECK_OK(winshm_close(kept[i]));
    CHECK_EQ(count_files(), 0);
}

static const struct apart cases[] = {{"crashes", run_crashes},
                                     {"full directory", run_full_directory},
                                     {"left alone", run_left_alone},
                                     {"seldom", run_seldom},
                                     {"no handle", run_no_handle},
                                     {"no room", run_no_room},
                                     {"race", run_race},
                                     {NULL, NULL}};

int main(int argc, char **argv)
{
    if (argc > 1)
        crashes = (uint32_t)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        seconds = (uint32_t)strtoul(argv[2], NULL, 10);
    return run_apart(cases, NULL);
}
