/* Processes: this program again, in a role, as whom the question wants. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smoke.h"

/* Of headers that are newer than the oldest system:
 * PROC_THREAD_ATTRIBUTE_MITIGATION_POLICY and, of
 * PROCESS_CREATION_MITIGATION_POLICY2_: CET_USER_SHADOW_STACKS_STRICT_MODE and
 * USER_CET_SET_CONTEXT_IP_VALIDATION_ALWAYS_ON. */
#define ATTRIBUTE_MITIGATION 0x20007
#define STRICT_SHADOW_STACK (UINT64_C(3) << 28 | UINT64_C(1) << 32)

/** No child outlives this process. */
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

static HANDLE running(PROCESS_INFORMATION *process)
{
    AssignProcessToJobObject(job(), process->hProcess);
    ResumeThread(process->hThread);
    CloseHandle(process->hThread);
    return process->hProcess;
}

static bool start_self(char *line, PROCESS_INFORMATION *process)
{
    STARTUPINFOA startup = {.cb = sizeof startup};
    return CreateProcessA(NULL, line, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL,
                          NULL, &startup, process);
}

static bool start_plain(char *line, PROCESS_INFORMATION *process)
{
    STARTUPINFOA startup = {.cb = sizeof startup};
    HANDLE token = smoke_plain_token();
    if (token == NULL)
        return false;
    bool started =
        CreateProcessAsUserA(token, NULL, line, NULL, NULL, FALSE,
                             CREATE_SUSPENDED, NULL, NULL, &startup, process);
    DWORD code = GetLastError();
    CloseHandle(token);
    SetLastError(code);
    return started;
}

static bool start_strict(char *line, PROCESS_INFORMATION *process)
{
    STARTUPINFOEXA startup = {.StartupInfo.cb = sizeof startup};
    UINT64 policy[2] = {0, STRICT_SHADOW_STACK};
    SIZE_T bytes = 0;
    InitializeProcThreadAttributeList(NULL, 1, 0, &bytes);
    startup.lpAttributeList = malloc(bytes);
    if (startup.lpAttributeList == NULL ||
        !InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0,
                                           &bytes))
        return false;
    bool started =
        UpdateProcThreadAttribute(startup.lpAttributeList, 0,
                                  ATTRIBUTE_MITIGATION, policy, sizeof policy,
                                  NULL, NULL) &&
        CreateProcessA(NULL, line, NULL, NULL, FALSE,
                       CREATE_SUSPENDED | EXTENDED_STARTUPINFO_PRESENT, NULL,
                       NULL, &startup.StartupInfo, process);
    DWORD code = GetLastError();
    DeleteProcThreadAttributeList(startup.lpAttributeList);
    free(startup.lpAttributeList);
    SetLastError(code);
    return started;
}

static bool start_other(const char *line, PROCESS_INFORMATION *process)
{
    STARTUPINFOW startup = {.cb = sizeof startup};
    wchar_t user[100], password[300], wide[2 * MAX_PATH], folder[MAX_PATH];
    MultiByteToWideChar(CP_ACP, 0, smoke_options.user, -1, user, 100);
    MultiByteToWideChar(CP_ACP, 0, smoke_options.password, -1, password, 300);
    MultiByteToWideChar(CP_ACP, 0, line, -1, wide, 2 * MAX_PATH);
    /* Where this process is may be closed to that user. */
    GetSystemDirectoryW(folder, MAX_PATH);
    return CreateProcessWithLogonW(user, L".", password, 0, NULL, wide,
                                   CREATE_SUSPENDED, NULL, folder, &startup,
                                   process);
}

HANDLE smoke_start(struct answer *answer, enum smoke_way way, const char *role,
                   const char *argument, uint32_t number)
{
    char path[MAX_PATH], line[2 * MAX_PATH];
    PROCESS_INFORMATION process;
    smoke_own_path(path);
    snprintf(line, sizeof line, "\"%s\" --role %s \"%s\" %lu", path, role,
             argument, (unsigned long)number);
    bool started = way == SMOKE_AS_SELF        ? start_self(line, &process)
                   : way == SMOKE_AS_PLAIN     ? start_plain(line, &process)
                   : way == SMOKE_SHADOW_STACK ? start_strict(line, &process)
                                               : start_other(line, &process);
    if (started)
        return running(&process);
    static const char *const whose[] = {
        "process", "process that is not elevated",
        "process with a strict shadow stack", "process of that user"};
    DWORD code = GetLastError();
    smoke_skip(answer, "the system starts no %s: error %lu", whose[way],
               (unsigned long)code);
    if (way == SMOKE_AS_SELF)
        smoke_judge(answer, false);
    return NULL;
}

HANDLE smoke_start_program(struct answer *answer, const char *program,
                           char *line, HANDLE output)
{
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    if (output != NULL) {
        SetHandleInformation(output, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
        startup.dwFlags = STARTF_USESTDHANDLES;
        startup.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
        startup.hStdOutput = output;
        startup.hStdError = output;
    }
    if (CreateProcessA(program, line, NULL, NULL, output != NULL,
                       CREATE_SUSPENDED, NULL, NULL, &startup, &process))
        return running(&process);
    smoke_skip(answer, "%s cannot be started: error %lu", program,
               (unsigned long)GetLastError());
    return NULL;
}

int smoke_end(HANDLE process, uint32_t timeout_ms)
{
    DWORD code = SMOKE_LATE;
    if (WaitForSingleObject(process, timeout_ms) == WAIT_OBJECT_0)
        GetExitCodeProcess(process, &code);
    else if (TerminateProcess(process, SMOKE_LATE))
        WaitForSingleObject(process, SMOKE_PATIENCE_MS);
    CloseHandle(process);
    return (int)code;
}
