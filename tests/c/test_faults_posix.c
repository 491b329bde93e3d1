/* Copies that end with a fault, in loops, by many threads, while signals of the
 * program's own interrupt them, and under a handler that the program has put in
 * front of the library's. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "check.h"
#include "child.h"
#include "plain.h"

enum { PAGE = 4096, MOST = 100, THREADS = 3 };

static atomic_int faults, alarms;
static atomic_bool stop;
static struct sigaction library;

/** A block of two pages, of which the second is gone. */
static winshm_region *half_gone(const char *name)
{
    winshm_region *h;
    CHECK_OK(winshm_create(name, 2 * PAGE, WINSHM_RAW, &h));
    CHECK(plain_truncate(name, PAGE));
    return h;
}

/** Copies of every length that end behind the last byte there is, and those that
 * end at it. What was copied there is whole, and nothing beside it has changed.
 */
static void copy_at_the_edge(winshm_region *h, uint32_t round)
{
    unsigned char in[MOST], out[MOST + 2];
    for (uint32_t length = 1; length <= MOST; length++) {
        uint32_t beyond = 1 + (length + round) % length;
        uint32_t at = PAGE + beyond - length;
        CHECK_STATUS(winshm_read(h, at, out, length, 0), WINSHM_E_FAULT);
        CHECK_STATUS(winshm_write(h, at, in, length, 0), WINSHM_E_FAULT);
        memset(in, (int)(length + round), sizeof in);
        memset(out, 0, sizeof out);
        CHECK_OK(winshm_write(h, PAGE - length, in, length, 0));
        CHECK_OK(winshm_read(h, PAGE - length, out + 1, length, 0));
        CHECK_EQ(out[0], 0);
        CHECK_EQ(memcmp(out + 1, in, length), 0);
        CHECK_EQ(out[length + 1], 0);
    }
}

static void fault_on(void *h)
{
    for (uint32_t round = 0; !stop; round++)
        copy_at_the_edge(h, round);
}

/** Uses what a copy uses. */
static void on_alarm(int number)
{
    char from[64], to[64];
    memset(from, number, sizeof from);
    memcpy(to, from, sizeof to);
    atomic_fetch_add(&alarms, to[63] == number);
}

/** For those that were sent: a fault is the library's. */
static void on_sent(int number, siginfo_t *info, void *context)
{
    CHECK(number == SIGBUS && info->si_code <= 0 && context != NULL);
    atomic_fetch_add(&alarms, 1);
}

static void test_threads(uint32_t ms)
{
    static const int numbers[] = {SIGUSR1, SIGBUS};
    winshm_region *h[THREADS];
    struct thread threads[THREADS];
    signal(SIGUSR1, on_alarm);
    for (int i = 0; i < THREADS; i++) {
        h[i] = half_gone(name_of("threads"));
        threads[i] = thread_start(fault_on, h[i]);
        /* Every thread has a block of its own. */
        plain_remove(name_of("threads"));
    }
    uint64_t end = clock_ms() + ms;
    int sent = 0;
    for (; clock_ms() < end; sent++) {
        pthread_t thread = (pthread_t)threads[sent % THREADS].opaque;
        CHECK_EQ(pthread_kill(thread, numbers[sent % 2]), 0);
        if (sent % 8 == 0)
            sleep_ms(1);
    }
    stop = true;
    for (int i = 0; i < THREADS; i++)
        thread_join(threads[i]);
    CHECK(alarms > 0 && alarms <= sent);
    for (int i = 0; i < THREADS; i++)
        CHECK_OK(winshm_close(h[i]));
}

/** What a program does that wants to know of faults, and leaves those to others
 * that are not its own. */
static void in_front(int number, siginfo_t *info, void *context)
{
    atomic_fetch_add(&faults, 1);
    library.sa_sigaction(number, info, context);
}

static void test_chain(void)
{
    struct sigaction mine;
    winshm_region *h = half_gone(name_of("chain"));
    memset(&mine, 0, sizeof mine);
    mine.sa_sigaction = in_front;
    /* Its signal is blocked while it runs, and no longer. */
    mine.sa_flags = SA_SIGINFO;
    CHECK_EQ(sigaction(SIGBUS, &mine, &library), 0);
    CHECK((library.sa_flags & SA_SIGINFO) != 0);
    for (uint32_t round = 0; round < 20; round++)
        copy_at_the_edge(h, round);
    CHECK_EQ(faults, 20 * 2 * MOST);
    CHECK_EQ(sigaction(SIGBUS, &library, NULL), 0);
    CHECK_OK(winshm_close(h));
}

int main(void)
{
    /* Before the library's, which goes on with it if a signal was sent. */
    struct sigaction sent;
    memset(&sent, 0, sizeof sent);
    sent.sa_sigaction = on_sent;
    sent.sa_flags = SA_SIGINFO;
    CHECK_EQ(sigaction(SIGBUS, &sent, NULL), 0);
    test_threads(child_emulated() ? 3000 : 700);
    test_chain();
    return 0;
}
