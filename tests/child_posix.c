#define _GNU_SOURCE
#include "child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    _exit(1);
}

/** Makes the pipes and forks. @return true in the child. */
static bool branch(struct child *child)
{
    int in[2], out[2];
    pid_t parent = getpid();
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        fail("pipe2");
    signal(SIGPIPE, SIG_IGN);
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        fail("fork");
    if (pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[0]);
        close(in[1]);
        close(out[0]);
        close(out[1]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        return true;
    }
    close(in[0]);
    close(out[1]);
    child->process = pid;
    child->pid = (uint32_t)pid;
    child->to = in[1];
    child->from = out[0];
    return false;
}

struct child child_start_program(const char *program, const char *role,
                                 const char *argument, uint32_t number)
{
    struct child child;
    char word[64], digits[16];
    snprintf(word, sizeof word, "role:%s", role);
    snprintf(digits, sizeof digits, "%u", number);
    if (branch(&child)) {
        execl(program != NULL ? program : "/proc/self/exe", "child", word,
              argument, digits, (char *)NULL);
        fail("execl");
    }
    return child;
}

bool child_fork(struct child *child, void (*run)(void *), void *argument)
{
    if (branch(child)) {
        run(argument);
        exit(0);
    }
    return true;
}

void child_tell(struct child *child, char byte)
{
    if (write((int)child->to, &byte, 1) != 1)
        fprintf(stderr, "a child is gone that should have heard %c\n", byte);
}

int child_hear(struct child *child, uint32_t timeout_ms)
{
    struct pollfd poller = {(int)child->from, POLLIN, 0};
    unsigned char byte;
    int ready;
    do
        ready = poll(&poller, 1, (int)timeout_ms);
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        return -2;
    return read((int)child->from, &byte, 1) == 1 ? byte : -1;
}

int child_wait(struct child *child, uint32_t timeout_ms)
{
    uint64_t end = clock_ms() + timeout_ms;
    int state;
    while (waitpid((pid_t)child->process, &state, WNOHANG) == 0) {
        if (clock_ms() >= end)
            return -2;
        sleep_ms(1);
    }
    close((int)child->to);
    close((int)child->from);
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

void child_kill(struct child *child)
{
    kill((pid_t)child->process, SIGKILL);
    child_wait(child, PATIENCE_MS);
}

bool child_stop(struct child *child, bool stop)
{
    int state;
    kill((pid_t)child->process, stop ? SIGSTOP : SIGCONT);
    return !stop ||
           waitpid((pid_t)child->process, &state, WUNTRACED) == child->process;
}

uint32_t child_linux_pid(void)
{
    return (uint32_t)getpid();
}

bool child_signal(uint32_t linux_pid, enum child_signal which)
{
    static const int signals[] = {SIGKILL, SIGSTOP, SIGCONT};
    return kill((pid_t)linux_pid, signals[which]) == 0;
}

void parent_tell(char byte)
{
    if (write(1, &byte, 1) != 1)
        _exit(3);
}

int parent_hear(void)
{
    unsigned char byte;
    return read(0, &byte, 1) == 1 ? byte : -1;
}

void child_die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

void child_outlives(void)
{
    prctl(PR_SET_PDEATHSIG, 0);
}

bool child_become_nobody(void)
{
    return geteuid() == 0 && setgid(65534) == 0 && setuid(65534) == 0;
}

void child_crashes(void)
{
}

uint32_t child_pid(void)
{
    return (uint32_t)getpid();
}

uint64_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_ms(void)
{
    return clock_us() / 1000;
}

void sleep_ms(uint32_t ms)
{
    struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

bool child_slow(void)
{
    return false;
}

void child_limit_files(uint64_t bytes)
{
    struct rlimit limit = {(rlim_t)bytes, (rlim_t)bytes};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
}

uint32_t child_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > 1000000 ? 1000000 : (uint32_t)limit.rlim_cur;
}

struct start {
    void (*run)(void *);
    void *argument;
};

static void *begin(void *argument)
{
    struct start start = *(struct start *)argument;
    free(argument);
    start.run(start.argument);
    return NULL;
}

struct thread thread_start(void (*run)(void *), void *argument)
{
    struct start *start = malloc(sizeof *start);
    pthread_t id;
    if (start == NULL)
        fail("malloc");
    start->run = run;
    start->argument = argument;
    if (pthread_create(&id, NULL, begin, start) != 0)
        fail("pthread_create");
    struct thread thread = {(uintptr_t)id};
    return thread;
}

void thread_join(struct thread thread)
{
    pthread_join((pthread_t)thread.opaque, NULL);
}

static bool plain_map(struct plain *plain, int fd, uint64_t size)
{
    struct stat status;
    if (fd < 0)
        return false;
    if (size == 0 && fstat(fd, &status) == 0)
        size = (uint64_t)status.st_size;
    plain->object = -1;
    plain->size = size;
    plain->data =
        mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return plain->data != MAP_FAILED;
}

bool plain_create(struct plain *plain, const char *name, uint64_t size)
{
    int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd >= 0 && ftruncate(fd, (off_t)size) != 0)
        fail("ftruncate");
    return plain_map(plain, fd, size);
}

bool plain_create_on_disk(struct plain *plain, const char *name, uint64_t size)
{
    return plain_create(plain, name, size);
}

bool plain_open(struct plain *plain, const char *name, uint64_t size)
{
    return plain_map(plain, shm_open(name, O_RDWR, 0), size);
}

void plain_close(struct plain *plain)
{
    munmap(plain->data, (size_t)plain->size);
}

void plain_remove(const char *name)
{
    shm_unlink(name);
}

bool plain_truncate(const char *name, uint64_t size)
{
    int fd = shm_open(name, O_RDWR, 0);
    bool done = fd >= 0 && ftruncate(fd, (off_t)size) == 0;
    if (fd >= 0)
        close(fd);
    return done;
}

bool plain_protect(void *page, bool protect)
{
    (void)page;
    (void)protect;
    return false;
}

int plain_count(const char *prefix)
{
    DIR *directory = opendir("/dev/shm");
    int count = 0;
    struct dirent *entry;
    if (directory == NULL)
        return -1;
    while ((entry = readdir(directory)) != NULL)
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            count++;
    closedir(directory);
    return count;
}

intptr_t plain_obstruct(const char *name, int sort)
{
    char path[300];
    snprintf(path, sizeof path, "/dev/shm/%s", name);
    if ((sort == 0 && mkdir(path, 0700) != 0) ||
        (sort == 1 && mkfifo(path, 0600) != 0) ||
        (sort == 2 && symlink("/dev/null", path) != 0))
        fail(path);
    return 0;
}

void plain_clear(const char *name, intptr_t obstacle)
{
    char path[300];
    (void)obstacle;
    snprintf(path, sizeof path, "/dev/shm/%s", name);
    remove(path);
}

bool handle_fires(void *handle, uint32_t timeout_ms)
{
    (void)handle;
    (void)timeout_ms;
    return false;
}
