/* Windows: time. */
#include "win32.h"

/* Process-wide state, set once by wshm_win32_time_init(). */
static uint64_t frequency;
static uint64_t spin_time;

DWORD wshm_win32_milliseconds(uint64_t nanoseconds)
{
    uint64_t time =
        nanoseconds / MILLISECOND + (nanoseconds % MILLISECOND != 0 ? 1 : 0);
    return time < INFINITE ? (DWORD)time : INFINITE - 1;
}

void wshm_platform_barrier_process(void)
{
    FlushProcessWriteBuffers();
    /* Wine 8 does nothing there. */
    uint64_t end = wshm_platform_now() + STORE_HIDDEN;
    while (wshm_platform_now() < end)
        wshm_platform_pause();
}

uint64_t wshm_platform_now(void)
{
    LARGE_INTEGER count;
    QueryPerformanceCounter(&count);
    uint64_t ticks = (uint64_t)count.QuadPart;
    return ticks / frequency * SECOND + ticks % frequency * SECOND / frequency;
}

void wshm_platform_sleep(uint64_t nanoseconds)
{
    if (nanoseconds >= MILLISECOND / 10) {
        Sleep(wshm_win32_milliseconds(nanoseconds));
        return;
    }
    uint64_t began = wshm_platform_now();
    do
        SwitchToThread();
    while (wshm_platform_now() - began < nanoseconds);
}

uint64_t wshm_platform_spin_time(void)
{
    return spin_time;
}

void wshm_win32_time_init(void)
{
    LARGE_INTEGER ticks;
    SYSTEM_INFO system;
    QueryPerformanceFrequency(&ticks);
    frequency = (uint64_t)ticks.QuadPart;
    GetSystemInfo(&system);
    spin_time = system.dwNumberOfProcessors > 1 ? 20 * 1000 : 0;
}
