#include "child.h"

#include <windows.h>

static void fail(const char *what)
{
    fprintf(stderr, "%s: error %lu\n", what, (unsigned long)GetLastError());
    fflush(stderr);
    _Exit(1);
}

#ifdef __GNUC__
/** Whoever runs the program may want to see that it has begun: see wine.sh. */
__attribute__((constructor)) static void mark_begin(void)
{
    const char *path = getenv("WINSHM_TEST_BEGAN");
    FILE *file = path != NULL ? fopen(path, "w") : NULL;
    if (file != NULL)
        fclose(file);
}
#endif

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
        fail("CreatePipe");
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
            fail("CreateProcess");
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

#ifdef __GNUC__
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

/** In every test: after a crash that is not wanted, Wine's debugger may end the
 * program as if nothing had been the matter. */
static __attribute__((constructor)) void crashes_fail(void)
{
    child_crashes();
}

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

void sleep_ms(uint32_t ms)
{
    Sleep(ms);
}

bool child_slow(void)
{
    return true;
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
        fail("malloc");
    start->run = run;
    start->argument = argument;
    HANDLE handle = CreateThread(NULL, 0, begin, start, 0, NULL);
    if (handle == NULL)
        fail("CreateThread");
    struct thread thread = {(uintptr_t)handle};
    return thread;
}

void thread_join(struct thread thread)
{
    WaitForSingleObject((HANDLE)thread.opaque, INFINITE);
    CloseHandle((HANDLE)thread.opaque);
}

static bool plain_map(struct plain *plain, HANDLE section, uint64_t size)
{
    MEMORY_BASIC_INFORMATION memory;
    if (section == NULL)
        return false;
    plain->object = (intptr_t)section;
    plain->data = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0,
                                (SIZE_T)size);
    if (plain->data == NULL) {
        CloseHandle(section);
        return false;
    }
    if (size == 0 && VirtualQuery(plain->data, &memory, sizeof memory) != 0)
        size = memory.RegionSize;
    plain->size = size;
    return true;
}

static bool plain_make(struct plain *plain, HANDLE file, const char *name,
                       uint64_t size)
{
    SetLastError(0);
    HANDLE section = CreateFileMappingA(file, NULL, PAGE_READWRITE,
                                        (DWORD)(size >> 32), (DWORD)size, name);
    if (section != NULL && GetLastError() == ERROR_ALREADY_EXISTS) {
        CloseHandle(section);
        return false;
    }
    return plain_map(plain, section, size);
}

bool plain_create(struct plain *plain, const char *name, uint64_t size)
{
    return plain_make(plain, INVALID_HANDLE_VALUE, name, size);
}

static wchar_t disk_path[MAX_PATH];

bool plain_create_on_disk(struct plain *plain, const char *name, uint64_t size)
{
    wchar_t folder[MAX_PATH - 14];
    if (GetTempPathW(MAX_PATH - 14, folder) == 0 ||
        GetTempFileNameW(folder, L"wsh", 0, disk_path) == 0)
        fail("GetTempFileName");
    /* Goes with its last handle, of which the section has one. */
    HANDLE file =
        CreateFileW(disk_path, GENERIC_READ | GENERIC_WRITE | DELETE,
                    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    if (file == INVALID_HANDLE_VALUE)
        fail("CreateFile");
    bool made = plain_make(plain, file, name, size);
    CloseHandle(file);
    return made;
}

bool plain_open(struct plain *plain, const char *name, uint64_t size)
{
    HANDLE section =
        OpenFileMappingA(FILE_MAP_READ | FILE_MAP_WRITE, FALSE, name);
    return plain_map(plain, section, size);
}

void plain_close(struct plain *plain)
{
    UnmapViewOfFile(plain->data);
    CloseHandle((HANDLE)plain->object);
}

void plain_remove(const char *name)
{
    (void)name;
}

static uint64_t disk_bytes(void)
{
    WIN32_FILE_ATTRIBUTE_DATA facts;
    if (!GetFileAttributesExW(disk_path, GetFileExInfoStandard, &facts))
        return UINT64_MAX;
    return (uint64_t)facts.nFileSizeHigh << 32 | facts.nFileSizeLow;
}

/** Windows cuts no file that is mapped. Where it is Wine, Linux does. */
bool plain_truncate(const char *name, uint64_t size)
{
    typedef char *(CDECL * unix_name)(const wchar_t *);
    char line[MAX_PATH + 80];
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    unix_name path_of = (unix_name)(void (*)(void))GetProcAddress(
        GetModuleHandleW(L"kernel32.dll"), "wine_get_unix_file_name");
    (void)name;
    if (path_of == NULL || disk_path[0] == L'\0')
        return false;
    char *path = path_of(disk_path);
    snprintf(line, sizeof line, "Z:\\usr\\bin\\truncate -s %lu \"%s\"",
             (unsigned long)size, path);
    HeapFree(GetProcessHeap(), 0, path);
    if (!CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup,
                        &process))
        return false;
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    for (uint64_t end = clock_ms() + PATIENCE_MS; disk_bytes() != size;) {
        if (clock_ms() >= end)
            return false;
        Sleep(1);
    }
    return true;
}

bool plain_protect(void *page, bool protect)
{
    DWORD before;
    return VirtualProtect(page, 1, protect ? PAGE_NOACCESS : PAGE_READWRITE,
                          &before);
}

int plain_count(const char *prefix)
{
    (void)prefix;
    return -1;
}

intptr_t plain_obstruct(const char *name, int sort)
{
    HANDLE object = sort == 0   ? CreateMutexA(NULL, FALSE, name)
                    : sort == 1 ? CreateEventA(NULL, TRUE, FALSE, name)
                                : CreateSemaphoreA(NULL, 0, 1, name);
    if (object == NULL)
        fail(name);
    return (intptr_t)object;
}

void plain_clear(const char *name, intptr_t obstacle)
{
    (void)name;
    CloseHandle((HANDLE)obstacle);
}

bool handle_fires(void *handle, uint32_t timeout_ms)
{
    return WaitForSingleObject(handle, timeout_ms) == WAIT_OBJECT_0;
}
