/* What this process may do, and one that may less. */
#include <string.h>

#include "smoke.h"

/** ProcessUserShadowStackPolicy, which older headers lack. */
enum { POLICY_SHADOW_STACK = 15 };

bool smoke_token_tells(TOKEN_INFORMATION_CLASS what, void *answer, DWORD bytes)
{
    HANDLE token;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return false;
    bool told = GetTokenInformation(token, what, answer, bytes, &bytes);
    CloseHandle(token);
    return told;
}

bool smoke_is_elevated(void)
{
    TOKEN_ELEVATION elevation = {0};
    return smoke_token_tells(TokenElevation, &elevation, sizeof elevation) &&
           elevation.TokenIsElevated != 0;
}

bool smoke_is_wine(void)
{
    return smoke_function("ntdll.dll", "wine_get_version") != NULL;
}

int smoke_shadow_stack(void)
{
    typedef BOOL(WINAPI * query)(HANDLE, int, void *, SIZE_T);
    query ask =
        (query)smoke_function("kernel32.dll", "GetProcessMitigationPolicy");
    DWORD bits = 0;
    return ask != NULL && ask(GetCurrentProcess(), POLICY_SHADOW_STACK, &bits,
                              sizeof bits)
               ? (int)bits
               : -1;
}

union sid {
    SID sid;
    BYTE room[SECURITY_MAX_SID_SIZE];
};

static bool well_known(WELL_KNOWN_SID_TYPE type, union sid *sid)
{
    DWORD bytes = sizeof *sid;
    return CreateWellKnownSid(type, NULL, &sid->sid, &bytes);
}

/** A medium level, and the user instead of the administrators as owner of what
 * is made and in the lists of what is made without one. */
static bool lower(HANDLE token)
{
    union {
        TOKEN_USER user;
        BYTE room[256];
    } self;
    union {
        ACL acl;
        BYTE room[256];
    } list;
    union sid medium, system;
    DWORD bytes;
    if (!GetTokenInformation(token, TokenUser, &self, sizeof self, &bytes) ||
        !well_known(WinMediumLabelSid, &medium) ||
        !well_known(WinLocalSystemSid, &system))
        return false;
    PSID user = self.user.User.Sid;
    TOKEN_MANDATORY_LABEL label = {{&medium.sid, SE_GROUP_INTEGRITY}};
    TOKEN_OWNER owner = {user};
    TOKEN_DEFAULT_DACL standard = {&list.acl};
    return InitializeAcl(&list.acl, sizeof list, ACL_REVISION) &&
           AddAccessAllowedAce(&list.acl, ACL_REVISION, GENERIC_ALL, user) &&
           AddAccessAllowedAce(&list.acl, ACL_REVISION, GENERIC_ALL,
                               &system.sid) &&
           SetTokenInformation(token, TokenOwner, &owner, sizeof owner) &&
           SetTokenInformation(token, TokenDefaultDacl, &standard,
                               sizeof standard) &&
           SetTokenInformation(token, TokenIntegrityLevel, &label,
                               sizeof label + GetLengthSid(&medium.sid));
}

HANDLE smoke_plain_token(void)
{
    HANDLE own, plain = NULL;
    union sid administrators;
    if (!OpenProcessToken(GetCurrentProcess(),
                          TOKEN_DUPLICATE | TOKEN_ASSIGN_PRIMARY | TOKEN_QUERY |
                              TOKEN_ADJUST_DEFAULT,
                          &own))
        return NULL;
    bool made = well_known(WinBuiltinAdministratorsSid, &administrators);
    SID_AND_ATTRIBUTES denied = {&administrators.sid, 0};
    made = made &&
           CreateRestrictedToken(own, DISABLE_MAX_PRIVILEGE | LUA_TOKEN, 1,
                                 &denied, 0, NULL, 0, NULL, &plain) &&
           lower(plain);
    DWORD code = GetLastError();
    CloseHandle(own);
    if (!made && plain != NULL) {
        CloseHandle(plain);
        plain = NULL;
    }
    SetLastError(code);
    return plain;
}
