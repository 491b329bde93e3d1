/* Windows: this process. */
#include "status.h"
#include "win32.h"

/** RtlGenRandom(), under the name that ADVAPI32 exports. */
BOOLEAN NTAPI SystemFunction036(void *bytes, ULONG length);

winshm_status wshm_platform_random(void *bytes, uint32_t length)
{
    return SystemFunction036(bytes, length)
               ? WINSHM_OK
               : wshm_error_os(WINSHM_E_SYSTEM, "RtlGenRandom", 0);
}

uint32_t wshm_platform_pid(void)
{
    return GetCurrentProcessId();
}

static int64_t start_us;

static int64_t read_start(void)
{
    static const int64_t unix_epoch = 11644473600000000; /* from 1601, in us */
    FILETIME start, end, kernel, user;
    if (!GetProcessTimes(GetCurrentProcess(), &start, &end, &kernel, &user))
        return 0;
    int64_t ticks =
        (int64_t)((uint64_t)start.dwHighDateTime << 32 | start.dwLowDateTime);
    return ticks / 10 - unix_epoch;
}

int64_t wshm_platform_start_us(void)
{
    return start_us;
}

static BOOLEAN(NTAPI *shutdown_in_progress)(void);

void wshm_win32_process_init(void)
{
    start_us = read_start();
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    if (ntdll != NULL)
        shutdown_in_progress = (BOOLEAN(NTAPI *)(void))(
            void (*)(void))GetProcAddress(ntdll, "RtlDllShutdownInProgress");
}

bool wshm_platform_ending(void)
{
    return shutdown_in_progress != NULL && shutdown_in_progress();
}
