#include "child.h"

#include <windows.h>

void child_fail(const char *what)
{
    fprintf(stderr, "%s: error %lu\n", what, (unsigned long)GetLastError());
    fflush(stderr);
    _Exit(1);
}

/** Have a function called before main(). */
#ifdef _MSC_VER
#pragma section(".CRT$XCU", read)
#define BEFORE_MAIN(function)                                                  \
    __declspec(allocate(".CRT$XCU")) void(__cdecl *const function##_first)(    \
        void) = function
#else
#define BEFORE_MAIN(function)                                                  \
    static __attribute__((constructor)) void function##_first(void)            \
    {                                                                          \
        function();                                                            \
    }                                                                          \
    _Static_assert(1, "a semicolon follows")
#endif

/* Whoever runs the program may want to see that it has begun, and that it has
 * ended by itself: see wine.sh. */
static char mark[MAX_PATH];

static void mark_with(const char *text)
{
    FILE *file = mark[0] != '\0' ? fopen(mark, "w") : NULL;
    if (file != NULL) {
        fputs(text, file);
        fclose(file);
    }
}

static void __cdecl mark_end(void)
{
    mark_with("ended\n");
}

static void __cdecl mark_begin(void)
{
    const char *path = getenv("WINSHM_TEST_MARK");
    if (path != NULL && strlen(path) < sizeof mark)
        strcpy(mark, path);
    _putenv("WINSHM_TEST_MARK="); /* it is not the children's */
    mark_with("");
    atexit(mark_end);
}

BEFORE_MAIN(mark_begin);

/** Its last handle goes with this process, and takes the children along. */
static HANDLE job(void)
{
    static HANDLE handle;
    if (handle == NULL) {
        JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits;
        memset(&limits, 0, sizeof limits);
        limits.BasicLimitInformation.LimitFlags =
            JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        handle = CreateJobObjectW(NULL, NULL);
        SetInformationJobObject(handle, JobObjectExtendedLimitInformation,
                                &limits, sizeof limits);
    }
    return handle;
}

static void make_pipe(HANDLE *reads, HANDLE *writes, bool child_reads)
{
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    if (!CreatePipe(reads, writes, &inherit, 0))
        child_fail("CreatePipe");
    SetHandleInformation(child_reads ? *writes : *reads, HANDLE_FLAG_INHERIT,
                         0);
}

struct child child_start_program(const char *program, const char *role,
                                 const char *argument, uint32_t number)
{
    char path[MAX_PATH], line[MAX_PATH + 400];
    HANDLE in_read, in_write, out_read, out_write;
    STARTUPINFOA startup;
    PROCESS_INFORMATION process;
    if (program != NULL)
        snprintf(path, sizeof path, "%s", program);
    else
        GetModuleFileNameA(NULL, path, sizeof path);
    snprintf(line, sizeof line, "\"%s\" role:%s \"%s\" %lu", path, role,
             argument, (unsigned long)number);
    make_pipe(&in_read, &in_write, true);
    make_pipe(&out_read, &out_write, false);
    memset(&startup, 0, sizeof startup);
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = in_read;
    startup.hStdOutput = out_write;
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    fflush(NULL);
    /* On a busy machine Wine sometimes gives up waiting for what it starts. */
    for (int tries = 0;
         !CreateProcessA(path, line, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL,
                         NULL, &startup, &process);
         tries++) {
        if (GetLastError() != ERROR_INTERNAL_ERROR || tries == 5)
            child_fail("CreateProcess");
        Sleep(100);
    }
    AssignProcessToJobObject(job(), process.hProcess);
    ResumeThread(process.hThread);
    CloseHandle(process.hThread);
    CloseHandle(in_read);
    CloseHandle(out_write);
    struct child child = {(intptr_t)process.hProcess, (intptr_t)in_write,
                          (intptr_t)out_read, (uint32_t)process.dwProcessId};
    return child;
}

bool child_fork(struct child *child, void (*run)(void *), void *argument)
{
    (void)child;
    (void)run;
    (void)argument;
    return false;
}

void child_tell(struct child *child, char byte)
{
    DWORD done;
    if (!WriteFile((HANDLE)child->to, &byte, 1, &done, NULL))
        fprintf(stderr, "a child is gone that should have heard %c\n", byte);
}

int child_hear(struct child *child, uint32_t timeout_ms)
{
    uint64_t end = clock_ms() + timeout_ms;
    unsigned char byte;
    DWORD count = 0;
    for (;;) {
        if (!PeekNamedPipe((HANDLE)child->from, NULL, 0, NULL, &count, NULL))
            return -1;
        if (count != 0)
            break;
        if (clock_ms() >= end)
            return -2;
        Sleep(1);
    }
    return ReadFile((HANDLE)child->from, &byte, 1, &count, NULL) ? byte : -1;
}

enum { KILLED = 1000 };

int child_wait(struct child *child, uint32_t timeout_ms)
{
    DWORD code;
    if (WaitForSingleObject((HANDLE)child->process, timeout_ms) != 0)
        return -2;
    GetExitCodeProcess((HANDLE)child->process, &code);
    CloseHandle((HANDLE)child->process);
    CloseHandle((HANDLE)child->to);
    CloseHandle((HANDLE)child->from);
    return code == KILLED ? -1 : (int)code;
}

void child_kill(struct child *child)
{
    TerminateProcess((HANDLE)child->process, KILLED);
    child_wait(child, PATIENCE_MS);
}

bool child_stop(struct child *child, bool stop)
{
    FARPROC function =
        GetProcAddress(GetModuleHandleA("ntdll.dll"),
                       stop ? "NtSuspendProcess" : "NtResumeProcess");
    LONG(NTAPI * call)
    (HANDLE) = (LONG(NTAPI *)(HANDLE))(void (*)(void))function;
    return call != NULL && call((HANDLE)child->process) >= 0;
}

/* A Windows process under Wine is a Linux process, and what it asks the kernel
 * directly the kernel answers. */

static bool on_wine(void)
{
    return GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") !=
           NULL;
}

#if defined(__x86_64__) || defined(__i386__)
#ifdef _WIN64
enum { LINUX_GETPID = 39, LINUX_KILL = 62 };
#else
enum { LINUX_GETPID = 20, LINUX_KILL = 37 };
#endif

static intptr_t linux_call(intptr_t number, intptr_t first, intptr_t second)
{
    intptr_t result;
#ifdef _WIN64
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(first), "S"(second)
                     : "rcx", "r11", "memory");
#else
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(first), "c"(second)
                     : "memory");
#endif
    return result;
}
#else
enum { LINUX_GETPID, LINUX_KILL };

static intptr_t linux_call(intptr_t number, intptr_t first, intptr_t second)
{
    (void)number;
    (void)first;
    (void)second;
    return -1;
}
#endif

uint32_t child_linux_pid(void)
{
    intptr_t pid = on_wine() ? linux_call(LINUX_GETPID, 0, 0) : 0;
    return pid > 0 ? (uint32_t)pid : 0;
}

bool child_signal(uint32_t linux_pid, enum child_signal which)
{
    static const int signals[] = {9, 19, 18}; /* SIGKILL, SIGSTOP, SIGCONT */
    return linux_pid != 0 && on_wine() &&
           linux_call(LINUX_KILL, (intptr_t)linux_pid, signals[which]) == 0;
}

void parent_tell(char byte)
{
    DWORD done;
    if (!WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), &byte, 1, &done, NULL))
        _Exit(3);
}

int parent_hear(void)
{
    unsigned char byte;
    DWORD count;
    return ReadFile(GetStdHandle(STD_INPUT_HANDLE), &byte, 1, &count, NULL) &&
                   count == 1
               ? byte
               : -1;
}

void child_die(void)
{
    TerminateProcess(GetCurrentProcess(), KILLED);
    for (;;)
        Sleep(INFINITE);
}

void child_outlives(void)
{
}

bool child_become_nobody(void)
{
    return false;
}

static LONG WINAPI on_crash(EXCEPTION_POINTERS *unused)
{
    (void)unused;
    TerminateProcess(GetCurrentProcess(), 139);
    return EXCEPTION_EXECUTE_HANDLER;
}

void child_crashes(void)
{
    SetUnhandledExceptionFilter(on_crash);
}

/* In every test: after a crash that is not wanted, Wine's debugger may end the
 * program as if nothing had been the matter. */
static void __cdecl crashes_fail(void)
{
    child_crashes();
}

BEFORE_MAIN(crashes_fail);

uint32_t child_pid(void)
{
    return (uint32_t)GetCurrentProcessId();
}

uint64_t clock_us(void)
{
    LARGE_INTEGER now, frequency;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    return (uint64_t)((double)now.QuadPart * 1e6 / (double)frequency.QuadPart);
}

uint64_t clock_ms(void)
{
    return clock_us() / 1000;
}

uint64_t cpu_ms(void)
{
    FILETIME start, end, kernel, user;
    if (!GetProcessTimes(GetCurrentProcess(), &start, &end, &kernel, &user))
        child_fail("GetProcessTimes");
    uint64_t ticks =
        ((uint64_t)kernel.dwHighDateTime << 32 | kernel.dwLowDateTime) +
        ((uint64_t)user.dwHighDateTime << 32 | user.dwLowDateTime);
    return ticks / 10000;
}

void sleep_ms(uint32_t ms)
{
    Sleep(ms);
}

bool child_slow(void)
{
    return true;
}

bool child_emulated(void)
{
    return false;
}

void child_limit_files(uint64_t bytes)
{
    (void)bytes;
}

uint32_t child_descriptors(void)
{
    return 1000000;
}

struct start {
    void (*run)(void *);
    void *argument;
};

static DWORD WINAPI begin(void *argument)
{
    struct start start = *(struct start *)argument;
    free(argument);
    start.run(start.argument);
    return 0;
}

struct thread thread_start(void (*run)(void *), void *argument)
{
    struct start *start = malloc(sizeof *start);
    if (start == NULL)
        child_fail("malloc");
    start->run = run;
    start->argument = argument;
    HANDLE handle = CreateThread(NULL, 0, begin, start, 0, NULL);
    if (handle == NULL)
        child_fail("CreateThread");
    struct thread thread = {(uintptr_t)handle};
    return thread;
}

void thread_join(struct thread thread)
{
    WaitForSingleObject((HANDLE)thread.opaque, INFINITE);
    CloseHandle((HANDLE)thread.opaque);
}

bool handle_fires(void *handle, uint32_t timeout_ms)
{
    return WaitForSingleObject(handle, timeout_ms) == WAIT_OBJECT_0;
}
