/* Elevated and not, and a service: who may join whom. */
#include <stdio.h>
#include <string.h>

#include "questions.h"

/* Of the creator's number: who may use what it makes. */
static const char *const securities[] = {NULL, "everyone-read",
                                         "D:(A;;GA;;;SY)(A;;GRGW;;;AU)"};

static winshm_status create(const char *name, uint32_t which,
                            winshm_region **region)
{
    winshm_options options = {.struct_size = sizeof options,
                              .disposition = WINSHM_CREATE_NEW,
                              .size = 100,
                              .name = name,
                              .security = securities[which]};
    return winshm_open_with(&options, region);
}

int role_creates(const char *name, uint32_t which)
{
    winshm_region *region;
    winshm_status status = create(name, which, &region);
    if (status == WINSHM_OK)
        winshm_close(region);
    return -status;
}

/** Stays until it is killed. */
int role_keeps(const char *name, uint32_t which)
{
    winshm_region *region;
    winshm_status status = create(name, which, &region);
    if (status == WINSHM_OK)
        Sleep(2 * SMOKE_PATIENCE_MS);
    return -status;
}

enum { NO_OBSERVER = 99 };

static winshm_status use(winshm_region *region)
{
    char bytes[4] = "use";
    winshm_status status =
        winshm_lock(region, WINSHM_EXCLUSIVE, SMOKE_PATIENCE_MS);
    if (status != WINSHM_OK)
        return status;
    status = winshm_write(region, 0, bytes, sizeof bytes, 0);
    winshm_unlock(region, WINSHM_EXCLUSIVE);
    return status;
}

static int observe(winshm_region *region)
{
    char bytes[4];
    winshm_info info = {.struct_size = sizeof info};
    winshm_status status = winshm_get_info(region, &info);
    if (status == WINSHM_OK && !info.observer)
        return NO_OBSERVER;
    return -winshm_read(region, 0, bytes, sizeof bytes, SMOKE_PATIENCE_MS);
}

/** @param reads only: as an observer. */
int role_joins(const char *name, uint32_t reads)
{
    winshm_region *region;
    winshm_options options = {.struct_size = sizeof options,
                              .disposition = WINSHM_OPEN_EXISTING,
                              .flags = reads ? WINSHM_READ : 0,
                              .timeout_ms = SMOKE_PATIENCE_MS / 2,
                              .name = name};
    winshm_status status = winshm_open_with(&options, &region);
    if (status != WINSHM_OK)
        return -status;
    int code = reads ? observe(region) : -use(region);
    winshm_close(region);
    return code;
}

/** A child in one of these roles tells a status. */
static void judge(struct answer *answer, HANDLE child, winshm_status expected)
{
    int code = smoke_end(child, SMOKE_PATIENCE_MS);
    if (code == NO_OBSERVER)
        smoke_see(answer, "joined, but not as an observer");
    else if (code >= 0 && code < NO_OBSERVER)
        smoke_see_status(answer, -code);
    else
        smoke_see(answer, "ended with 0x%lX", (unsigned long)code);
    smoke_judge(answer, code == -expected);
}

static bool elevated(struct answer *answer)
{
    if (smoke_is_elevated())
        return true;
    return smoke_skip(answer, "this process is not elevated: run it in an "
                              "administrator's console");
}

/** Where these are not enforced an answer would say nothing. */
static bool enforced(struct answer *answer, const char *what)
{
    return !smoke_is_wine() ||
           smoke_skip(answer, "Wine does not have %s", what);
}

void ask_elevated_first(struct answer *answer)
{
    winshm_region *region;
    const char *name = smoke_name("", "elevated");
    if (!elevated(answer) ||
        !smoke_expect(answer, "winshm_create()",
                      winshm_create(name, 100, 0, &region), WINSHM_OK))
        return;
    HANDLE child = smoke_start(answer, SMOKE_AS_PLAIN, "joins", name, 0);
    if (child != NULL)
        judge(answer, child, WINSHM_OK);
    winshm_close(region);
}

void ask_plain_first(struct answer *answer)
{
    winshm_region *region;
    const char *name = smoke_name("", "plain");
    winshm_options options = {.struct_size = sizeof options,
                              .disposition = WINSHM_OPEN_EXISTING,
                              .timeout_ms = SMOKE_PATIENCE_MS / 2,
                              .name = name};
    if (!elevated(answer))
        return;
    HANDLE child = smoke_start(answer, SMOKE_AS_PLAIN, "keeps", name, 0);
    if (child == NULL)
        return;
    winshm_status status = winshm_open_with(&options, &region);
    if (smoke_expect(answer, "winshm_open_with()", status, WINSHM_OK)) {
        status = use(region);
        smoke_see_status(answer, status);
        smoke_judge(answer, status == WINSHM_OK);
        winshm_close(region);
    }
    smoke_end(child, 0);
}

void ask_privilege(struct answer *answer)
{
    DWORD session = 1;
    ProcessIdToSessionId(GetCurrentProcessId(), &session);
    if (!enforced(answer, "privileges"))
        return;
    if (session == 0) {
        smoke_skip(answer, "this is session 0, where no privilege is needed");
        return;
    }
    HANDLE child = smoke_start(answer, SMOKE_AS_PLAIN, "creates",
                               smoke_name("Global\\", "privilege"), 0);
    if (child != NULL)
        judge(answer, child, WINSHM_E_PRIVILEGE);
}

/* A service, by a task that runs as the system. */

static bool task(struct answer *answer, const char *arguments)
{
    char path[MAX_PATH], line[3 * MAX_PATH];
    if (SearchPathA(NULL, "schtasks.exe", NULL, sizeof path, path, NULL) == 0)
        return smoke_skip(answer, "there is no schtasks.exe");
    snprintf(line, sizeof line, "\"%s\" %s", path, arguments);
    HANDLE output =
        CreateFileA("NUL", GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                    NULL, OPEN_EXISTING, 0, NULL);
    HANDLE process = smoke_start_program(answer, path, line, output);
    int code = process != NULL ? smoke_end(process, SMOKE_PATIENCE_MS) : -1;
    CloseHandle(output);
    return code == 0 || (process != NULL &&
                         smoke_skip(answer, "schtasks %.30s... ended with %d",
                                    arguments, code));
}

static void ask_service(struct answer *answer, uint32_t which, uint32_t reads)
{
    char path[MAX_PATH], id[100], line[2 * MAX_PATH + 200];
    const char *name = smoke_name("Global\\", reads ? "observed" : "locked");
    struct answer unused = {SMOKE_FACT, ""};
    if (!elevated(answer) || !enforced(answer, "an account of the system"))
        return;
    smoke_own_path(path);
    snprintf(id, sizeof id, "/tn winshm-smoke-%lu",
             (unsigned long)GetCurrentProcessId());
    snprintf(line, sizeof line,
             "/create %s /f /ru SYSTEM /sc once /st 00:00 /tr "
             "\"\\\"%s\\\" --role keeps %s %lu\"",
             id, path, name, (unsigned long)which);
    if (!task(answer, line))
        return;
    snprintf(line, sizeof line, "/run %s", id);
    if (task(answer, line)) {
        HANDLE child =
            smoke_start(answer, SMOKE_AS_PLAIN, "joins", name, reads);
        if (child != NULL)
            judge(answer, child, WINSHM_OK);
        if (answer->verdict == SMOKE_UNEXPECTED)
            smoke_see(answer, " (a task does not start on battery)");
        snprintf(line, sizeof line, "/end %s", id);
        task(&unused, line);
    }
    snprintf(line, sizeof line, "/delete %s /f", id);
    task(&unused, line);
}

void ask_service_observed(struct answer *answer)
{
    ask_service(answer, 1, 1);
}

void ask_service_locked(struct answer *answer)
{
    ask_service(answer, 2, 0);
}
