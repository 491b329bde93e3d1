/* Clocks and processors of Windows. */
#include "stage.h"

#include <windows.h>

uint64_t bench_now(void)
{
    static LARGE_INTEGER frequency;
    LARGE_INTEGER count;
    if (frequency.QuadPart == 0)
        QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&count);
    uint64_t ticks = (uint64_t)count.QuadPart;
    uint64_t second = (uint64_t)frequency.QuadPart;
    return ticks / second * 1000000000u + ticks % second * 1000000000u / second;
}

static uint64_t time_of(FILETIME time)
{
    return ((uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime) * 100;
}

uint64_t bench_cpu(void)
{
    FILETIME created, ended, kernel, user;
    GetProcessTimes(GetCurrentProcess(), &created, &ended, &kernel, &user);
    return time_of(kernel) + time_of(user);
}

static DWORD_PTR allowed;

bool bench_cpus(uint32_t cpus[2])
{
    DWORD_PTR system;
    uint32_t found = 0;
    GetProcessAffinityMask(GetCurrentProcess(), &allowed, &system);
    for (uint32_t cpu = 0; cpu < sizeof allowed * 8 && found < 2; cpu++)
        if ((allowed >> cpu & 1) != 0)
            cpus[found++] = cpu;
    return found == 2;
}

void bench_pin(uint32_t cpu)
{
    BENCH_REQUIRE(
        SetThreadAffinityMask(GetCurrentThread(), (DWORD_PTR)1 << cpu) != 0);
}

void bench_unpin(void)
{
    BENCH_REQUIRE(SetThreadAffinityMask(GetCurrentThread(), allowed) != 0);
}
