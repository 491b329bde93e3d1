/* What this machine is, as far as answers depend on it. */
#include <stdio.h>
#include <string.h>

#include "questions.h"

#include <sddl.h>

static const char *machine_name(unsigned machine)
{
    return machine == 0x8664   ? "x86-64"
           : machine == 0xAA64 ? "ARM64"
           : machine == 0x014C ? "x86"
           : machine == 0      ? "native"
                               : "another processor";
}

void ask_system(struct answer *answer)
{
    typedef LONG(NTAPI * version_of)(OSVERSIONINFOW *);
    typedef const char *(*wine_version)(void);
    typedef BOOL(WINAPI * machines_of)(HANDLE, USHORT *, USHORT *);
    OSVERSIONINFOW version = {.dwOSVersionInfoSize = sizeof version};
    SYSTEM_INFO system;
    USHORT process = 0, native = 0;
    version_of tell = (version_of)smoke_function("ntdll.dll", "RtlGetVersion");
    machines_of ask =
        (machines_of)smoke_function("kernel32.dll", "IsWow64Process2");
    wine_version wine =
        (wine_version)smoke_function("ntdll.dll", "wine_get_version");
    if (tell != NULL)
        tell(&version);
    GetNativeSystemInfo(&system);
    smoke_see(answer, "%s%s%sWindows %lu.%lu.%lu", wine != NULL ? "Wine " : "",
              wine != NULL ? wine() : "", wine != NULL ? " as " : "",
              (unsigned long)version.dwMajorVersion,
              (unsigned long)version.dwMinorVersion,
              (unsigned long)version.dwBuildNumber);
    if (ask != NULL && ask(GetCurrentProcess(), &process, &native))
        smoke_see(answer, ", %s; this program: %s", machine_name(native),
                  machine_name(process));
    smoke_see(answer, ", %lu processors",
              (unsigned long)system.dwNumberOfProcessors);
    smoke_fact(answer);
}

static void see_logon(struct answer *answer)
{
    static union {
        TOKEN_GROUPS groups;
        BYTE room[16384];
    } told;
    char *text = NULL;
    if (smoke_token_tells(TokenGroups, &told, sizeof told))
        for (DWORD i = 0; i < told.groups.GroupCount; i++)
            if ((told.groups.Groups[i].Attributes & SE_GROUP_LOGON_ID) ==
                SE_GROUP_LOGON_ID)
                ConvertSidToStringSidA(told.groups.Groups[i].Sid, &text);
    smoke_see(answer, ", logon SID %s", text != NULL ? text : "none");
    LocalFree(text);
}

void ask_session(struct answer *answer)
{
    union {
        TOKEN_MANDATORY_LABEL label;
        BYTE room[256];
    } level;
    DWORD session = 0;
    ProcessIdToSessionId(GetCurrentProcessId(), &session);
    smoke_see(answer, "session %lu, %selevated", (unsigned long)session,
              smoke_is_elevated() ? "" : "not ");
    if (smoke_token_tells(TokenIntegrityLevel, &level, sizeof level)) {
        PSID sid = level.label.Label.Sid;
        smoke_see(answer, ", integrity 0x%lX",
                  (unsigned long)*GetSidSubAuthority(
                      sid, *GetSidSubAuthorityCount(sid) - 1u));
    }
    see_logon(answer);
    smoke_fact(answer);
}

void ask_shadow_stack(struct answer *answer)
{
    int bits = smoke_shadow_stack();
    if (bits < 0)
        smoke_see(answer, "the system knows no such policy");
    else
        smoke_see(answer, "%s, policy 0x%X", (bits & 1) != 0 ? "on" : "off",
                  (unsigned)bits);
    smoke_fact(answer);
}

void ask_name_spaces(struct answer *answer)
{
    HANDLE local =
        CreateEventA(NULL, TRUE, FALSE, smoke_name("Local\\", "space"));
    HANDLE global =
        OpenEventA(SYNCHRONIZE, FALSE, smoke_name("Global\\", "space"));
    smoke_see(answer, "%s",
              local == NULL    ? "no event can be made"
              : global != NULL ? "one space with two names"
                               : "two spaces");
    if (local != NULL)
        CloseHandle(local);
    if (global != NULL)
        CloseHandle(global);
    smoke_fact(answer);
}

void ask_letters(struct answer *answer)
{
    winshm_region *small, *capital;
    if (!smoke_expect(answer, "winshm_create()",
                      winshm_create(smoke_name("", "letters"), 100, 0, &small),
                      WINSHM_OK))
        return;
    if (smoke_expect(answer, "winshm_create() in capitals",
                     winshm_create(smoke_name("", "LETTERS"), 100, 0, &capital),
                     WINSHM_OK)) {
        smoke_see(answer, "two regions");
        smoke_judge(answer, true);
        winshm_close(capital);
    }
    winshm_close(small);
}

/** What the library asks, of objects as it makes them. */
void ask_presence(struct answer *answer)
{
    SECURITY_ATTRIBUTES nobody = {.nLength = sizeof nobody};
    const char *there = smoke_name("Local\\", "there");
    const char *other = smoke_name("Local\\", "other");
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorA(
            "D:P(D;;GA;;;WD)", SDDL_REVISION_1, &nobody.lpSecurityDescriptor,
            NULL)) {
        smoke_skip(answer, "no descriptor can be made");
        return;
    }
    HANDLE event = CreateEventA(&nobody, TRUE, FALSE, there);
    HANDLE mutex = CreateMutexA(NULL, FALSE, other);
    HANDLE opened[4];
    DWORD codes[4];
    opened[0] = OpenEventA(EVENT_MODIFY_STATE, FALSE, there);
    codes[0] = GetLastError();
    opened[1] = CreateEventA(&nobody, TRUE, FALSE, there);
    codes[1] = GetLastError();
    opened[2] =
        OpenEventA(EVENT_MODIFY_STATE, FALSE, smoke_name("Local\\", "missing"));
    codes[2] = GetLastError();
    opened[3] = OpenEventA(EVENT_MODIFY_STATE, FALSE, other);
    codes[3] = GetLastError();
    bool good = event != NULL && mutex != NULL && codes[0] == 5 &&
                codes[1] == 5 && codes[2] == 2 && codes[3] == 6;
    for (int i = 0; i < 4; i++) {
        smoke_see(answer, "%s%lu%s", i > 0 ? " " : "", (unsigned long)codes[i],
                  opened[i] != NULL ? " with a handle" : "");
        good = good && opened[i] == NULL;
        if (opened[i] != NULL)
            CloseHandle(opened[i]);
    }
    smoke_judge(answer, good);
    if (event != NULL)
        CloseHandle(event);
    if (mutex != NULL)
        CloseHandle(mutex);
    LocalFree(nobody.lpSecurityDescriptor);
}
