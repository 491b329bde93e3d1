/* What a test of several processes needs of the operating system. Besides the
 * library's own backends, only C files that are named after a system know which
 * one this is. A test starts its own program again in a role; parent and child
 * talk in single bytes over pipes, which are the child's standard input and
 * output. No child outlives its parent. */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** How long a test waits for what is sure to happen soon. */
enum { PATIENCE_MS = 30000 };

struct child {
    intptr_t process;
    intptr_t to;
    intptr_t from;
    uint32_t pid;
};

/** What a child does; the list ends with a NULL name. */
struct role {
    const char *name;
    void (*run)(const char *argument, uint32_t number);
};

/** Starts a program, NULL: this one again, in a role. Both values are passed
 * on. */
struct child child_start_program(const char *program, const char *role,
                                 const char *argument, uint32_t number);
void child_tell(struct child *child, char byte);
/** The next byte from the child; -1 if it ended, -2 after the time-out. */
int child_hear(struct child *child, uint32_t timeout_ms);
/** Waits for the end. @return the exit code; -1 if killed, -2 time-out. */
int child_wait(struct child *child, uint32_t timeout_ms);
/** Kills without any last words and waits until the system says it is dead. */
void child_kill(struct child *child);
/** Stops it, or lets it go on. @return false where that cannot be done. */
bool child_stop(struct child *child, bool stop);

/** The Linux process that this one is, also under Wine; 0 on Windows. */
uint32_t child_linux_pid(void);
/** Does to that process what the kernel can, and Wine learns of afterwards.
 * @return false where that cannot be done. */
enum child_signal { CHILD_KILL, CHILD_STOP, CHILD_CONTINUE };
bool child_signal(uint32_t linux_pid, enum child_signal signal);

/** In a child. */
void parent_tell(char byte);
int parent_hear(void);

/** Ends this process and says what the system did not do. */
void child_fail(const char *what);

/** Ends this process as child_kill() would. */
void child_die(void);

/** fork(). @return false on a system without it. */
bool child_fork(struct child *child, void (*run)(void *), void *argument);
/** In a child: does not end with its parent. Must end by itself soon. */
void child_outlives(void);
/** Gives up the rights of the super-user. @return false if there are none. */
bool child_become_nobody(void);

/** A crash of this process that is wanted: no debugger, no dialogue. */
void child_crashes(void);

uint32_t child_pid(void);
uint64_t clock_ms(void);
uint64_t clock_us(void);
/** Processor time that this process has used. */
uint64_t cpu_ms(void);
void sleep_ms(uint32_t ms);
/** True where processes and system calls are slow, as they are under Wine. */
bool child_slow(void);
/** True under an emulator, which takes its time with threads and children, has
 * memory of its own, and answers for /proc. */
bool child_emulated(void);
/** A capacity that no test fills and 32 bits cannot say. An emulator first maps as
 * much memory, which the system counts. */
static inline uint64_t vast_capacity(void)
{
    return (uint64_t)(child_emulated() ? 8 : 64) << 30;
}
/** Lets no file grow beyond this, where that can be said: what must be refused
 * shall not take the machine's memory if it is not. */
void child_limit_files(uint64_t bytes);
/** How many handles this process can have, raised as far as it goes. */
uint32_t child_descriptors(void);

struct thread {
    uintptr_t opaque;
};
struct thread thread_start(void (*run)(void *), void *argument);
void thread_join(struct thread thread);

/** True if a handle or descriptor of the system that loops wait for fires in
 * time. */
bool handle_fires(void *handle, uint32_t timeout_ms);

static inline struct child child_start(const char *role, const char *argument,
                                       uint32_t number)
{
    return child_start_program(NULL, role, argument, number);
}

/** Runs the role and ends, if this process is a child. */
static inline void child_run_role(int argc, char **argv,
                                  const struct role *roles)
{
    if (argc != 4 || strncmp(argv[1], "role:", 5) != 0)
        return;
    for (; roles->name != NULL; roles++) {
        if (strcmp(argv[1] + 5, roles->name) != 0)
            continue;
        roles->run(argv[2], (uint32_t)strtoul(argv[3], NULL, 10));
        exit(0);
    }
    fprintf(stderr, "no such role: %s\n", argv[1]);
    exit(2);
}

/** A name of this test process's own. It stays valid for many others. */
static inline const char *name_of(const char *part)
{
    static char names[256][64];
    static unsigned next;
    char *name = names[next++ % 256];
    snprintf(name, sizeof names[0], "wt%lu-%s", (unsigned long)child_pid(),
             part);
    return name;
}

#endif
