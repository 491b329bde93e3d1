#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/** In a forked child, what is kept for threads that are not there would count
 * as a leak. */
static bool forked;

/** Asked by LeakSanitizer at the end, where that is linked. */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);

int __lsan_is_turned_off(void)
{
    return forked;
}

void child_fail(const char *what)
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
        child_fail("pipe2");
    signal(SIGPIPE, SIG_IGN);
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        child_fail("fork");
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
    char word[64], digits[16], self[4096] = "";
    const char *emulator = getenv("WINSHM_TEST_EMULATOR");
    snprintf(word, sizeof word, "role:%s", role);
    snprintf(digits, sizeof digits, "%u", number);
    if (branch(&child)) {
        if (emulator != NULL &&
            readlink("/proc/self/exe", self, sizeof self - 1) > 0)
            execl(emulator, "child", program != NULL ? program : self, word,
                  argument, digits, (char *)NULL);
        else
            execl(program != NULL ? program : "/proc/self/exe", "child", word,
                  argument, digits, (char *)NULL);
        child_fail("execl");
    }
    return child;
}

bool child_fork(struct child *child, void (*run)(void *), void *argument)
{
    if (branch(child)) {
        forked = true;
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

uint64_t cpu_ms(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
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

bool child_emulated(void)
{
    return getenv("WINSHM_TEST_EMULATOR") != NULL;
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
        child_fail("malloc");
    start->run = run;
    start->argument = argument;
    if (pthread_create(&id, NULL, begin, start) != 0)
        child_fail("pthread_create");
    struct thread thread = {(uintptr_t)id};
    return thread;
}

void thread_join(struct thread thread)
{
    pthread_join((pthread_t)thread.opaque, NULL);
}

bool handle_fires(void *handle, uint32_t timeout_ms)
{
    struct pollfd one = {(int)(intptr_t)handle, POLLIN, 0};
    return poll(&one, 1, (int)timeout_ms) == 1;
}
