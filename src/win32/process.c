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

/** Cuts off what is no text for the middle of a sentence, and converts it. */
static bool narrow(wchar_t *text, size_t length, char *out, size_t size)
{
    while (length > 0 && (text[length - 1] <= L' ' || text[length - 1] == L'.'))
        length--;
    text[length] = L'\0';
    return length > 0 && WideCharToMultiByte(CP_UTF8, 0, text, -1, out,
                                             (int)size, NULL, NULL) != 0;
}

bool wshm_platform_process_name(uint32_t pid, char *name, size_t size)
{
    wchar_t path[MAX_PATH];
    DWORD length = MAX_PATH;
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    if (process == NULL)
        return false;
    BOOL told = QueryFullProcessImageNameW(process, 0, path, &length);
    CloseHandle(process);
    if (!told)
        return false;
    wchar_t *file = path + length;
    while (file > path && file[-1] != L'\\')
        file--;
    return narrow(file, (size_t)(path + length - file), name, size);
}

bool wshm_platform_reason(int32_t code, char *text, size_t size)
{
    wchar_t wide[160];
    DWORD length = FormatMessageW(
        FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
        (DWORD)code, 0, wide, sizeof wide / sizeof wide[0], NULL);
    return length != 0 && narrow(wide, length, text, size);
}
