/* Windows: who this process is, and whose an object is. */
#include "platform_win32.h"

#include "status.h"

/** Kept, since every question costs a call of the system and the answers stay
 * the same. False: nothing was told yet. */
static struct {
    bool told;
    union win32_token answer;
} known_user, known_owner;

static HANDLE open_token(void)
{
    HANDLE token = NULL;
    return OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) ? token
                                                                      : NULL;
}

static bool token_ask(TOKEN_INFORMATION_CLASS what, union win32_token *answer)
{
    DWORD length;
    HANDLE token = open_token();
    bool told = token != NULL && GetTokenInformation(token, what, answer,
                                                     sizeof *answer, &length);
    if (token != NULL)
        CloseHandle(token);
    return told;
}

PSID wshm_win32_user_sid(union win32_token *room)
{
    if (known_user.told)
        return known_user.answer.user.User.Sid;
    return token_ask(TokenUser, room) ? room->user.User.Sid : NULL;
}

static PSID token_owner(union win32_token *room)
{
    if (known_owner.told)
        return known_owner.answer.owner.Owner;
    return token_ask(TokenOwner, room) ? room->owner.Owner : NULL;
}

bool wshm_win32_logon_sid(union win32_sid *logon)
{
    bool found = false;
    DWORD length = 0;
    TOKEN_GROUPS *groups = NULL;
    HANDLE token = open_token();
    if (token == NULL)
        return false;
    GetTokenInformation(token, TokenGroups, NULL, 0, &length);
    if (length != 0)
        groups = LocalAlloc(LMEM_FIXED, length);
    if (groups != NULL &&
        GetTokenInformation(token, TokenGroups, groups, length, &length)) {
        for (DWORD i = 0; i < groups->GroupCount && !found; i++)
            found = (groups->Groups[i].Attributes & SE_GROUP_LOGON_ID) ==
                        SE_GROUP_LOGON_ID &&
                    CopySid(sizeof *logon, &logon->sid, groups->Groups[i].Sid);
    }
    LocalFree(groups);
    CloseHandle(token);
    return found;
}

void wshm_win32_owner_init(void)
{
    known_user.told = token_ask(TokenUser, &known_user.answer);
    known_owner.told = token_ask(TokenOwner, &known_owner.answer);
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

static winshm_status check_sid(PSID owner)
{
    union win32_token user, own;
    if (IsWellKnownSid(owner, WinLocalSystemSid) ||
        IsWellKnownSid(owner, WinBuiltinAdministratorsSid))
        return WINSHM_OK;
    PSID self = wshm_win32_user_sid(&user);
    if (self == NULL)
        return wshm_win32_error("GetTokenInformation", GetLastError());
    if (EqualSid(owner, self) || IsWellKnownSid(self, WinLocalSystemSid))
        return WINSHM_OK;
    PSID standard = token_owner(&own);
    if (standard == NULL)
        return wshm_win32_error("GetTokenInformation", GetLastError());
    return EqualSid(owner, standard) ? WINSHM_OK : WINSHM_E_FOREIGN;
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
