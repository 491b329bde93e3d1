/* Random bytes in everything that can be reached, from another process and at
 * full speed, while four workers use the region: every call ends, in time and
 * with a status that winshm.h lists, and nobody crashes. Told to cut, it also
 * cuts both files behind the region short, the control file being what the
 * library itself cannot do without.
 *
 * Usage: scribble SECONDS SEED [cut] */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "layout.h"
#include "winshm.h"

enum {
    WORKERS = 4,
    BYTES = 20000,
    TIMEOUT_MS = 5,
    /* How late a call may be on a machine that others use, too. */
    LATE_MS = 3000,
    OPEN_LATE_MS = 9000,
    /* After this a call that does not return ends its process. */
    STUCK_SECONDS = 60,
    STATUSES = 40
};

/** What the processes tell each other, out of the scribbler's reach. */
struct board {
    _Atomic uint64_t calls;
    _Atomic uint64_t opens;
    _Atomic uint64_t writes;
    _Atomic uint64_t cuts;
    _Atomic uint64_t longest_ms;
    _Atomic uint64_t seen[STATUSES];
};

static struct board *board;
static char name[48];
static uint64_t random_state;
static uint64_t end_ms;
static bool cuts;

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void *map_file(const char *suffix, size_t length, int *fd)
{
    char path[96];
    snprintf(path, sizeof path, "/dev/shm/%s%s", name, suffix);
    *fd = open(path, O_RDWR | O_CLOEXEC);
    void *view = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (*fd < 0 || view == MAP_FAILED) {
        perror(path);
        _exit(1);
    }
    return view;
}

/** Somewhere in the block, mostly where the words have a meaning. */
static uint32_t somewhere(uint64_t random)
{
    uint32_t offset = (uint32_t)(random >> 32);
    switch (random & 7) {
    case 0:
        return offset % LAYOUT_BYTES;
    case 1:
    case 2:
        return 4096 + offset % (8 * 384);
    case 3:
        return offset % 108;
    default:
        return 128 + offset % 272;
    }
}

static void cut(int fd, uint64_t bytes)
{
    if (ftruncate(fd, (off_t)bytes) != 0)
        perror("ftruncate");
}

/** Bursts of nonsense, and a whole block again in between, so that the workers
 * get far enough to be hurt by the next burst. */
static void scribble(void)
{
    static uint8_t whole[LAYOUT_BYTES];
    struct timespec pause = {0, 2000000};
    int control_fd, data_fd;
    uint8_t *control = map_file(".winshm", LAYOUT_BYTES, &control_fd);
    uint8_t *data = map_file("", BYTES, &data_fd);
    memcpy(whole, control, LAYOUT_BYTES);
    while (now_ms() < end_ms) {
        uint64_t count = random_next() % 2000;
        for (uint64_t i = 0; i < count; i++) {
            uint64_t random = random_next();
            uint32_t at = somewhere(random);
            if ((random & 0x100) != 0)
                control[at] = (uint8_t)(random >> 9);
            else
                *(volatile uint32_t *)(void *)(control + (at & ~3u)) =
                    (uint32_t)(random >> 9) &
                    ((random & 0x200) != 0 ? 0x83 : ~0u);
            data[random % BYTES] = (uint8_t)random;
        }
        atomic_fetch_add(&board->writes, count);
        /* These mappings lose their pages as well: they are not touched before
         * the files are whole again. */
        bool cut_data = random_next() % 16 == 0;
        bool cut_control = cuts && random_next() % 4 == 0;
        if (cut_data)
            cut(data_fd, random_next() % BYTES);
        if (cut_control)
            cut(control_fd, random_next() % 2 * (random_next() % LAYOUT_BYTES));
        nanosleep(&pause, NULL);
        if (cut_data)
            cut(data_fd, BYTES);
        if (cut_control)
            cut(control_fd, LAYOUT_BYTES);
        atomic_fetch_add(&board->cuts, cut_data + cut_control);
        if (cut_control || random_next() % 2 == 0) {
            memcpy(control, whole, sizeof(struct layout_header));
            memset(control + 128, 0, LAYOUT_BYTES - 128);
            /* Slots that have been used, and have locked shared. */
            *(volatile uint32_t *)(void *)(control + 260) = 8;
            *(volatile uint32_t *)(void *)(control + 144) = 0xFF;
            nanosleep(&pause, NULL);
        }
    }
    _exit(0);
}

/* Workers. */

#define BIT(status) (UINT64_C(1) << -(status))

static void judge(const char *what, winshm_status status, uint64_t allowed,
                  uint64_t began, uint64_t late_ms)
{
    uint64_t took = now_ms() - began;
    alarm(STUCK_SECONDS);
    uint64_t longest = atomic_load(&board->longest_ms);
    while (took > longest &&
           !atomic_compare_exchange_weak(&board->longest_ms, &longest, took)) {
    }
    atomic_fetch_add(&board->calls, 1);
    if (status <= 0 && status > -STATUSES)
        atomic_fetch_add(&board->seen[-status], 1);
    if (status > 0 || status <= -STATUSES || (allowed & BIT(status)) == 0) {
        fprintf(stderr, "%s gave %s: %s\n", what, winshm_status_name(status),
                winshm_last_message());
        abort();
    }
    if (took > late_ms) {
        fprintf(stderr, "%s took %llu ms\n", what, (unsigned long long)took);
        abort();
    }
}

#define TRY(call, allowed, late)                                               \
    do {                                                                       \
        uint64_t began = now_ms();                                             \
        winshm_status status_ = call;                                          \
        judge(#call, status_, allowed, began, late);                           \
    } while (0)

static void use(winshm_region *h)
{
    static const uint64_t lock =
        BIT(WINSHM_OK) | BIT(WINSHM_E_CORRUPT) | BIT(WINSHM_E_OWNER_DEAD) |
        BIT(WINSHM_E_TIMEOUT) | BIT(WINSHM_E_DEADLOCK) |
        BIT(WINSHM_E_UNSUPPORTED);
    static const uint64_t unlock = BIT(WINSHM_OK) | BIT(WINSHM_E_NOT_OWNER) |
                                   BIT(WINSHM_E_UNSUPPORTED) |
                                   BIT(WINSHM_E_CORRUPT);
    /* RANGE where the block has lied about the size when this was opened. */
    static const uint64_t copy =
        BIT(WINSHM_OK) | BIT(WINSHM_E_CORRUPT) | BIT(WINSHM_E_OWNER_DEAD) |
        BIT(WINSHM_E_TIMEOUT) | BIT(WINSHM_E_FAULT) | BIT(WINSHM_E_RANGE);
    static const uint64_t told = BIT(WINSHM_OK) | BIT(WINSHM_E_CORRUPT);
    winshm_info info = {.struct_size = sizeof info};
    winshm_participant list[2] = {{.struct_size = sizeof list[0]}};
    uint32_t count;
    char bytes[256];
    uint64_t random = random_next();
    uint32_t mode = 1 + (uint32_t)(random >> 60 & 1);
    uint64_t offset = (random >> 8) % (BYTES - sizeof bytes);
    switch (random & 7) {
    case 0:
    case 1:
        TRY(winshm_lock(h, mode, TIMEOUT_MS), lock, LATE_MS);
        if ((random & 0x80) != 0)
            TRY(winshm_make_consistent(h), unlock, LATE_MS);
        TRY(winshm_unlock(h, mode), unlock, LATE_MS);
        break;
    case 2:
        TRY(winshm_read(h, offset, bytes, sizeof bytes, TIMEOUT_MS), copy,
            LATE_MS);
        break;
    case 3:
        memset(bytes, 7, sizeof bytes);
        TRY(winshm_write(h, offset, bytes, sizeof bytes, TIMEOUT_MS),
            copy | BIT(WINSHM_E_DEADLOCK), LATE_MS);
        break;
    case 4:
        TRY(winshm_notify(h), told, LATE_MS);
        break;
    case 5:
        winshm_change_count(h, &count);
        TRY(winshm_wait(h, count, TIMEOUT_MS, &count),
            told | BIT(WINSHM_E_TIMEOUT), LATE_MS);
        break;
    case 6:
        TRY(winshm_get_info(h, &info), told, LATE_MS);
        break;
    default:
        TRY(winshm_get_participants(h, list, 2, &count), told, LATE_MS);
    }
}

/** Every list of open and of open_or_create that a lie can lead to. */
static winshm_region *open_one(void)
{
    static const uint64_t opening =
        BIT(WINSHM_OK) | BIT(WINSHM_E_CORRUPT) | BIT(WINSHM_E_FOREIGN) |
        BIT(WINSHM_E_LAYOUT) | BIT(WINSHM_E_SIZE) | BIT(WINSHM_E_HELD) |
        BIT(WINSHM_E_REPLACED) | BIT(WINSHM_E_TIMEOUT) | BIT(WINSHM_E_TOO_MANY);
    winshm_region *h = NULL;
    uint64_t size = random_next() % 4 == 0 ? BYTES : 0;
    atomic_fetch_add(&board->opens, 1);
    if (random_next() % 2 == 0)
        TRY(winshm_open(name, 0, &h), opening, OPEN_LATE_MS);
    else
        TRY(winshm_open_or_create(name, size, 0, &h), opening, OPEN_LATE_MS);
    return h;
}

static void close_one(winshm_region *h)
{
    TRY(winshm_close(h), BIT(WINSHM_OK), OPEN_LATE_MS);
}

static void work(void)
{
    winshm_region *h = NULL;
    while (now_ms() < end_ms) {
        if (h == NULL)
            h = open_one();
        for (int i = 0; i < 100 && h != NULL; i++)
            use(h);
        /* One whose control file was cut does nothing but say so. */
        if (h != NULL && random_next() % (cuts ? 2 : 8) == 0) {
            close_one(h);
            h = NULL;
        }
    }
    if (h != NULL)
        close_one(h);
    _exit(0);
}

static pid_t start(void (*run)(void), uint64_t seed)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    random_state = seed * 0x9E3779B97F4A7C15u | 1;
    if (run == work)
        alarm(STUCK_SECONDS);
    run();
    _exit(1);
}

static void report(void)
{
    printf("%llu calls, %llu of them open, among %llu random writes and %llu "
           "cuts of a file; the longest took %llu ms\n",
           (unsigned long long)board->calls, (unsigned long long)board->opens,
           (unsigned long long)board->writes, (unsigned long long)board->cuts,
           (unsigned long long)board->longest_ms);
    for (int i = 0; i < STATUSES; i++)
        if (board->seen[i] != 0)
            printf("  %-22s %llu\n", winshm_status_name(-i),
                   (unsigned long long)board->seen[i]);
    printf("Done %llu runs\n", (unsigned long long)board->calls);
}

int main(int argc, char **argv)
{
    cuts = argc == 4 && strcmp(argv[3], "cut") == 0;
    if (argc != 3 && !cuts) {
        fputs("usage: scribble SECONDS SEED [cut]\n", stderr);
        return 2;
    }
    uint64_t seed = strtoull(argv[2], NULL, 10);
    /* Nobody uses this handle. It keeps the region alive, whatever the block
     * says. */
    winshm_region *keeper;
    pid_t children[WORKERS + 1];
    int result = 0;
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    snprintf(name, sizeof name, "wfs%ld", (long)getpid());
    if (board == MAP_FAILED ||
        winshm_create(name, BYTES, 0, &keeper) != WINSHM_OK) {
        fprintf(stderr, "%s\n", winshm_last_message());
        return 1;
    }
    end_ms = now_ms() + strtoull(argv[1], NULL, 10) * 1000;
    children[WORKERS] = start(scribble, seed);
    for (uint64_t i = 0; i < WORKERS; i++)
        children[i] = start(work, seed + 1 + i);
    for (int i = 0; i <= WORKERS; i++) {
        int status;
        if (waitpid(children[i], &status, 0) != children[i] || status != 0) {
            fprintf(stderr, "process %d ended with status 0x%x\n", i, status);
            result = 1;
        }
    }
    report();
    char path[96];
    snprintf(path, sizeof path, "/dev/shm/%s", name);
    unlink(path);
    snprintf(path, sizeof path, "/dev/shm/%s.winshm", name);
    unlink(path);
    return result;
}
