/* Clocks and processors of Linux. */
#define _GNU_SOURCE
#include "stage.h"

#include <sched.h>
#include <time.h>

static uint64_t clock_of(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t bench_now(void)
{
    return clock_of(CLOCK_MONOTONIC);
}

uint64_t bench_cpu(void)
{
    return clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

static cpu_set_t allowed;

bool bench_cpus(uint32_t cpus[2])
{
    uint32_t found = 0;
    BENCH_REQUIRE(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
    for (uint32_t cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++)
        if (CPU_ISSET(cpu, &allowed))
            cpus[found++] = cpu;
    return found == 2;
}

void bench_pin(uint32_t cpu)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    BENCH_REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
}

void bench_unpin(void)
{
    BENCH_REQUIRE(sched_setaffinity(0, sizeof allowed, &allowed) == 0);
}
