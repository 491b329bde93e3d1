/* Windows: for whom this thread acts, and whose an object is.
 *
 * A thread that impersonates somebody is that somebody to the system: so it is
 * here, for the lists that it makes as for the owners that it trusts. */
#include "win32.h"

#include "status.h"

/** What the process's token says, kept, since every question costs calls of the
 * system and the answers stay the same. False: nothing was told yet. */
struct known {
    bool told;
    union win32_token answer;
};

static struct known known_user, known_owner;

static HANDLE process_token(void)
{
    HANDLE token = NULL;
    return OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) ? token
                                                                      : NULL;
}

/** Opened as the process, since whom the thread acts for may not be allowed to
 * look. @return NULL with the last error; ERROR_NO_TOKEN: for nobody else. */
static HANDLE thread_token(void)
{
    HANDLE token = NULL;
    return OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)
               ? token
               : NULL;
}

/** Asks and closes the token; NULL is none. */
static bool token_ask(HANDLE token, TOKEN_INFORMATION_CLASS what,
                      union win32_token *answer)
{
    DWORD length;
    if (token == NULL)
        return false;
    bool told =
        GetTokenInformation(token, what, answer, sizeof *answer, &length);
    CloseHandle(token);
    return told;
}

/** @return what the token says that the system goes by, in room or kept. */
static const union win32_token *ask(TOKEN_INFORMATION_CLASS what,
                                    const struct known *known,
                                    union win32_token *room)
{
    HANDLE token = thread_token();
    if (token == NULL && GetLastError() != ERROR_NO_TOKEN)
        return NULL;
    if (token == NULL && known->told)
        return &known->answer;
    return token_ask(token != NULL ? token : process_token(), what, room)
               ? room
               : NULL;
}

PSID wshm_win32_user_sid(union win32_token *room)
{
    const union win32_token *answer = ask(TokenUser, &known_user, room);
    return answer != NULL ? answer->user.User.Sid : NULL;
}

static PSID token_owner(union win32_token *room)
{
    const union win32_token *answer = ask(TokenOwner, &known_owner, room);
    return answer != NULL ? answer->owner.Owner : NULL;
}

/** What LocalSystem runs belongs to no logon session that is in its token. */
static winshm_status logon_among(const TOKEN_GROUPS *groups,
                                 union win32_sid *logon)
{
    for (DWORD i = 0; i < groups->GroupCount; i++) {
        if ((groups->Groups[i].Attributes & SE_GROUP_LOGON_ID) !=
            SE_GROUP_LOGON_ID)
            continue;
        return CopySid(sizeof *logon, &logon->sid, groups->Groups[i].Sid)
                   ? WINSHM_OK
                   : wshm_win32_error("CopySid", GetLastError());
    }
    return WINSHM_E_UNSUPPORTED;
}

winshm_status wshm_win32_logon_sid(union win32_sid *logon)
{
    DWORD length = 0;
    TOKEN_GROUPS *groups = NULL;
    winshm_status status;
    HANDLE token = thread_token();
    if (token == NULL && GetLastError() == ERROR_NO_TOKEN)
        token = process_token();
    if (token == NULL)
        return wshm_win32_error("OpenProcessToken", GetLastError());
    GetTokenInformation(token, TokenGroups, NULL, 0, &length);
    if (length != 0)
        groups = LocalAlloc(LMEM_FIXED, length);
    if (groups != NULL &&
        GetTokenInformation(token, TokenGroups, groups, length, &length))
        status = logon_among(groups, logon);
    else
        status = wshm_win32_error("GetTokenInformation", GetLastError());
    LocalFree(groups);
    CloseHandle(token);
    return status;
}

void wshm_win32_owner_init(void)
{
    known_user.told = token_ask(process_token(), TokenUser, &known_user.answer);
    known_owner.told =
        token_ask(process_token(), TokenOwner, &known_owner.answer);
}

PSECURITY_DESCRIPTOR wshm_win32_security_read(HANDLE object,
                                              SECURITY_INFORMATION what)
{
    DWORD length = 1024, code = ERROR_NOT_ENOUGH_MEMORY;
    for (int tries = 0; tries < 2; tries++) {
        PSECURITY_DESCRIPTOR read = LocalAlloc(LMEM_FIXED, length);
        if (read == NULL)
            break;
        if (GetKernelObjectSecurity(object, what, read, length, &length))
            return read;
        code = GetLastError();
        LocalFree(read);
        if (code != ERROR_INSUFFICIENT_BUFFER)
            break;
    }
    SetLastError(code);
    return NULL;
}

/** The system itself trusts no more than anybody: a user may have made the name
 * first that a service is about to open. */
static winshm_status check_sid(PSID owner)
{
    union win32_token user, own;
    if (IsWellKnownSid(owner, WinLocalSystemSid) ||
        IsWellKnownSid(owner, WinBuiltinAdministratorsSid))
        return WINSHM_OK;
    PSID self = wshm_win32_user_sid(&user);
    if (self == NULL)
        return wshm_win32_error("GetTokenInformation", GetLastError());
    if (EqualSid(owner, self))
        return WINSHM_OK;
    PSID standard = token_owner(&own);
    if (standard == NULL)
        return wshm_win32_error("GetTokenInformation", GetLastError());
    return EqualSid(owner, standard)
               ? WINSHM_OK
               : wshm_error_because(
                     WINSHM_E_FOREIGN, "it belongs to another user",
                     "If you trust that user, open it with \"anyone\" for "
                     "winshm_options.security.");
}

winshm_status wshm_win32_check_owner(HANDLE object)
{
    PSID owner = NULL;
    BOOL defaulted;
    PSECURITY_DESCRIPTOR read =
        wshm_win32_security_read(object, OWNER_SECURITY_INFORMATION);
    if (read == NULL)
        return wshm_win32_error("GetKernelObjectSecurity", GetLastError());
    winshm_status status = WINSHM_OK;
    /* Windows gives every object an owner; Wine tells none for an object that
     * was made without a descriptor. */
    if (!GetSecurityDescriptorOwner(read, &owner, &defaulted))
        status = wshm_win32_error("GetSecurityDescriptorOwner", GetLastError());
    else if (owner != NULL)
        status = check_sid(owner);
    LocalFree(read);
    return status;
}
