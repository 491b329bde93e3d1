/* The contract with the operating system, of what is the process's and not a
 * region's: times, threads, hooks, words. platform.h has the rules. */
#ifndef WINSHM_SYSTEM_H
#define WINSHM_SYSTEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(_MSC_VER)
#include <intrin.h>
#endif

#include "winshm.h"

/** COLD marks what is rarely run. Kept out of line, it costs the fast path that
 * calls it last not even saved registers. */
#if defined(__GNUC__)
#define PLATFORM_COLD __attribute__((noinline, cold))
#define PLATFORM_NOINLINE __attribute__((noinline))
#define PLATFORM_LIKELY(x) __builtin_expect(!!(x), 1)
#else
#define PLATFORM_COLD
#define PLATFORM_NOINLINE
#define PLATFORM_LIKELY(x) (x)
#endif

/** Hide from the compiler where a pointer, which is not NULL, comes from: it
 * reaches all fields from there then, and does not work out anew where each of
 * them is. */
#if defined(__GNUC__)
#define PLATFORM_OPAQUE(pointer)                                               \
    do {                                                                       \
        __asm__("" : "+r"(pointer));                                           \
        if ((pointer) == NULL)                                                 \
            __builtin_unreachable();                                           \
    } while (0)
#else
#define PLATFORM_OPAQUE(pointer) ((void)(pointer))
#endif

/** Keep a variable in memory from here on, and not in registers. */
#if defined(__GNUC__)
#define PLATFORM_IN_MEMORY(variable) __asm__("" : "+m"(variable))
#else
#define PLATFORM_IN_MEMORY(variable) ((void)(variable))
#endif

/** Times are nanoseconds. */
#define MICROSECOND UINT64_C(1000)
#define MILLISECOND (1000 * MICROSECOND)
#define SECOND (1000 * MILLISECOND)

/** How many regions a process can have open. */
enum { PLATFORM_REGIONS = 1024 };

/** Before anything else: clocks, guards, fork hooks. Does it once, and again
 * only what failed. */
winshm_status wshm_platform_init(void);

/* Time. */

/** Longer than any store stays hidden in a processor's store buffer. */
#define STORE_HIDDEN (20 * MICROSECOND)

/** Make every store that a thread of this process has executed visible to this
 * thread, without the other's help. */
void wshm_platform_barrier_process(void);

uint64_t wshm_platform_now(void); /* nanoseconds, monotonic */
void wshm_platform_sleep(uint64_t nanoseconds);

/** How long spinning beats parking here, in nanoseconds; 0 with one CPU. */
uint64_t wshm_platform_spin_time(void);

/** Tell the processor that this is a spin loop. */
static inline void wshm_platform_pause(void)
{
#if defined(_MSC_VER) && (defined(_M_ARM64) || defined(_M_ARM64EC))
    __yield();
#elif defined(_MSC_VER)
    _mm_pause();
#elif defined(__i386__) || defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

/** The number of the lowest bit that is set; there is one. */
static inline uint32_t wshm_platform_lowest_bit(uint32_t bits)
{
#if defined(_MSC_VER) && !defined(__clang__)
    unsigned long bit;
    _BitScanForward(&bit, bits);
    return bit;
#else
    return (uint32_t)__builtin_ctz(bits);
#endif
}

/** Longest path of a file in bytes, without the NUL. */
enum { PLATFORM_PATH_MAX = 4000 };

/* This process and thread. */

winshm_status wshm_platform_random(void *bytes, uint32_t length);
uint32_t wshm_platform_pid(void);
int64_t wshm_platform_start_us(void); /* Unix microseconds */

/* Words for people. Whoever shows them looks at what bytes they are. */

/** Name the program that a process runs. @return false: not known. */
bool wshm_platform_process_name(uint32_t pid, char *name, size_t size);

/** Say what a code of the system means. @return false: not known. */
bool wshm_platform_reason(int32_t code, char *text, size_t size);

/* A thread is known by a number that no other thread of the process has ever
 * had: what the system calls its threads by is given to the next one as soon as
 * a thread has ended. Numbers are odd; PLATFORM_NOBODY is no thread's. */

#define PLATFORM_NOBODY ((uintptr_t)1)

/** The number of this thread, which is given one now if it has none. @return
 * PLATFORM_NOBODY: no memory. */
PLATFORM_COLD uintptr_t wshm_platform_thread_number(void);

#if defined(_WIN32)

/** Where in the thread's block the system keeps what TlsSetValue() has set;
 * at or beyond PLATFORM_TLS_SLOTS: elsewhere, or not yet made. */
extern uint32_t wshm_win32_thread_index;
#define PLATFORM_TLS_SLOTS 64u

/** The number of this thread, or PLATFORM_NOBODY if it has none yet. */
static inline uintptr_t wshm_platform_thread(void)
{
    uint32_t index = wshm_win32_thread_index;
    uintptr_t number;
    if (!PLATFORM_LIKELY(index < PLATFORM_TLS_SLOTS))
        return wshm_platform_thread_number();
        /* TlsGetValue() without the call: TEB.TlsSlots, as winternl.h has it.
         */
#if defined(_MSC_VER) && (defined(_M_ARM64) || defined(_M_ARM64EC))
    number = *(volatile uintptr_t *)(__getReg(18) + 0x1480 + index * 8);
#elif defined(__aarch64__)
    __asm__ __volatile__("ldr %0, [x18, %1]"
                         : "=r"(number)
                         : "r"((uint64_t)index * 8 + 0x1480));
#elif defined(_MSC_VER) && defined(_M_X64)
    number = __readgsqword(0x1480 + index * 8);
#elif defined(_MSC_VER) && defined(_M_IX86)
    number = __readfsdword(0xE10 + index * 4);
#elif defined(_WIN64)
    __asm__ __volatile__("movq %%gs:0x1480(,%1,8), %0"
                         : "=r"(number)
                         : "r"((uint64_t)index));
#else
    __asm__ __volatile__("movl %%fs:0xE10(,%1,4), %0"
                         : "=r"(number)
                         : "r"(index));
#endif
    return number | PLATFORM_NOBODY;
}

#else

/** Hidden, and in the static model, so that it costs a load. */
extern __attribute__((
    visibility("hidden"),
    tls_model("initial-exec"))) _Thread_local uintptr_t wshm_posix_thread;

/** The number of this thread, or PLATFORM_NOBODY if it has none yet. */
static inline uintptr_t wshm_platform_thread(void)
{
    return wshm_posix_thread;
}

#endif

/** True if the process has come so far in ending that no thread but this one is
 * left. The others were stopped anywhere: no mark of theirs is ever cleared,
 * and no lock released. Windows only. */
#if defined(_WIN32)
bool wshm_platform_ending(void);
#else
static inline bool wshm_platform_ending(void)
{
    return false;
}
#endif

/** What is kept for each thread, zeroed at first. */
struct platform_thread {
    uint32_t shared[PLATFORM_REGIONS / 32]; /* a bit a region: see lock.h */
    uint32_t endings; /* backend: how often its end was put off */
    _Alignas(16) unsigned char failure[1792];
};

/** What is kept for this thread. @return NULL: no memory. */
struct platform_thread *wshm_platform_thread_block(void);

/**
 * Keep the calling thread from being cancelled (POSIX threads) while it is in
 * the middle of something that only it can finish.
 *
 * @return what wshm_platform_cancellable() wants back.
 */
int wshm_platform_uncancellable(void);
void wshm_platform_cancellable(int state);

/** A lock between the threads of this process; all zeros: free. It is none any
 * more when the process is ending. */
struct platform_mutex {
    void *opaque[8];
};
void wshm_platform_mutex_lock(struct platform_mutex *mutex);
void wshm_platform_mutex_unlock(struct platform_mutex *mutex);

/** True if the mutex can be had in a tenth of a second, so that this thread is
 * not in a signal handler which has interrupted whoever has it. */
bool wshm_platform_mutex_free(struct platform_mutex *mutex);

/* What the backend calls, as soon as the library is loaded. */

struct platform_hooks {
    /** Around fork(): both sides see the tables of handles whole. */
    void (*fork_prepare)(void);
    void (*fork_parent)(void);
    void (*fork_child)(void);
    /** At the orderly end of a process that may have left regions open: removes
     * the names of those that end with it. Presences stay until the process is
     * gone, since its other threads may still be running. */
    void (*exit)(void);
};

extern const struct platform_hooks wshm_hooks;

#endif
