/* Who this process is, or whom a thread of it acts for, as the system may tell
 * it: the functions that ask for tokens are this program's own, so that users
 * can be played that Wine has not, and a test would need a service for. */
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#include "check.h"
#include "child.h"

enum { BYTES = 5000, TEXT = 1024 };

#define ANYBODY "D:P(A;;GA;;;WD)"
#define ANNA "S-1-5-21-1-2-3-1001"
#define ANNAS_LOGON "S-1-5-5-0-1001"
#define BERT "S-1-5-21-1-2-3-1002"
#define SYSTEM "S-1-5-18"

/** What a token says; logon NULL: it names no logon session. */
struct identity {
    const char *user, *owner, *logon;
};

static const struct identity anna = {ANNA, ANNA, ANNAS_LOGON};
static const struct identity bert = {BERT, BERT, NULL};
static const struct identity local_system = {SYSTEM, "S-1-5-32-544", NULL};

static const struct identity *process_is, *thread_is;
static HANDLE process_token, the_thread_token; /* any objects */
static DWORD thread_refusal;                   /* why it cannot be opened */
static unsigned asked;

static BOOL give(HANDLE from, HANDLE *token)
{
    return DuplicateHandle(GetCurrentProcess(), from, GetCurrentProcess(),
                           token, 0, FALSE, DUPLICATE_SAME_ACCESS);
}

static BOOL WINAPI open_process_token(HANDLE process, DWORD access,
                                      HANDLE *token)
{
    asked++;
    CHECK(process == GetCurrentProcess() && access == TOKEN_QUERY);
    return give(process_token, token);
}

static BOOL WINAPI open_thread_token(HANDLE thread, DWORD access, BOOL as_self,
                                     HANDLE *token)
{
    asked++;
    CHECK(thread == GetCurrentThread() && access == TOKEN_QUERY && as_self);
    if (thread_is != NULL && thread_refusal == 0)
        return give(the_thread_token, token);
    SetLastError(thread_is == NULL ? ERROR_NO_TOKEN : thread_refusal);
    return FALSE;
}

/** Puts the SID behind what leads to it. */
static PSID put_sid(const char *text, void *room, DWORD bytes)
{
    PSID sid;
    CHECK(ConvertStringSidToSidA(text, &sid));
    CHECK(CopySid(bytes, room, sid));
    LocalFree(sid);
    return room;
}

static BOOL WINAPI tell(HANDLE token, TOKEN_INFORMATION_CLASS what,
                        void *answer, DWORD bytes, DWORD *length)
{
    DWORD is_threads = WaitForSingleObject(token, 0) == WAIT_OBJECT_0;
    const struct identity *who = is_threads ? thread_is : process_is;
    TOKEN_GROUPS *groups = answer;
    *length = 256;
    if (bytes < *length) {
        SetLastError(ERROR_INSUFFICIENT_BUFFER);
        return FALSE;
    }
    char *room = (char *)answer + 64;
    switch (what) {
    case TokenUser:
        ((TOKEN_USER *)answer)->User.Sid = put_sid(who->user, room, 100);
        break;
    case TokenOwner:
        ((TOKEN_OWNER *)answer)->Owner = put_sid(who->owner, room, 100);
        break;
    default:
        CHECK_EQ(what, TokenGroups);
        groups->GroupCount = 2;
        groups->Groups[0].Sid = put_sid("S-1-1-0", room, 64);
        groups->Groups[0].Attributes = SE_GROUP_ENABLED;
        groups->Groups[1] = groups->Groups[0];
        if (who->logon != NULL) {
            groups->Groups[1].Sid = put_sid(who->logon, room + 64, 64);
            groups->Groups[1].Attributes = SE_GROUP_LOGON_ID;
        }
    }
    return TRUE;
}

/** The function that has been replaced. */
static void (*real(const char *name))(void)
{
    return (void (*)(void))GetProcAddress(GetModuleHandleA("advapi32.dll"),
                                          name);
}

/** Whom the system makes the owner of what this process makes. */
static PSID real_owner(void)
{
    static union {
        TOKEN_OWNER owner;
        char room[256];
    } told;
    HANDLE token;
    DWORD length;
    BOOL(WINAPI * open)
    (HANDLE, DWORD, HANDLE *) =
        (BOOL(WINAPI *)(HANDLE, DWORD, HANDLE *))real("OpenProcessToken");
    BOOL(WINAPI * ask)
    (HANDLE, TOKEN_INFORMATION_CLASS, void *, DWORD, DWORD *) =
        (BOOL(WINAPI *)(HANDLE, TOKEN_INFORMATION_CLASS, void *, DWORD,
                        DWORD *))real("GetTokenInformation");
    CHECK(open(GetCurrentProcess(), TOKEN_QUERY, &token));
    CHECK(ask(token, TokenOwner, &told, sizeof told, &length));
    CloseHandle(token);
    return told.owner.Owner;
}

/** To the system all objects are of one user, so those that have no other owner
 * by their descriptor were made by whom this program plays. */
static BOOL WINAPI tell_owner(PSECURITY_DESCRIPTOR descriptor, PSID *owner,
                              BOOL *defaulted)
{
    static char room[SECURITY_MAX_SID_SIZE];
    BOOL(WINAPI * call)
    (PSECURITY_DESCRIPTOR, PSID *, BOOL *) =
        (BOOL(WINAPI *)(PSECURITY_DESCRIPTOR, PSID *, BOOL *))real(
            "GetSecurityDescriptorOwner");
    if (!call(descriptor, owner, defaulted))
        return FALSE;
    if (*owner == NULL || EqualSid(*owner, real_owner()))
        *owner =
            put_sid(thread_is != NULL ? thread_is->owner : process_is->owner,
                    room, sizeof room);
    return TRUE;
}

/* Where the library looks for functions of the system. */
#ifdef _WIN64
#define IMPORT(name, bytes) __asm__("__imp_" #name)
#else
#define IMPORT(name, bytes) __asm__("__imp__" #name "@" #bytes)
#endif
BOOL(WINAPI *import_process)
(HANDLE, DWORD, HANDLE *)IMPORT(OpenProcessToken, 12) = open_process_token;
BOOL(WINAPI *import_thread)
(HANDLE, DWORD, BOOL, HANDLE *)IMPORT(OpenThreadToken, 16) = open_thread_token;
BOOL(WINAPI *import_tell)
(HANDLE, TOKEN_INFORMATION_CLASS, void *, DWORD,
 DWORD *)IMPORT(GetTokenInformation, 20) = tell;
BOOL(WINAPI *import_owner)
(PSECURITY_DESCRIPTOR, PSID *, BOOL *)IMPORT(GetSecurityDescriptorOwner,
                                             12) = tell_owner;

/* Regions and blocks. */

static winshm_status open_as(const char *name, uint32_t disposition,
                             const char *security, winshm_region **out)
{
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = disposition,
                        .size = BYTES,
                        .name = name,
                        .security = security};
    return winshm_open_with(&o, out);
}

/** A block that the user of this SID has made. */
static HANDLE block_of(const char *name, const char *sid)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, NULL, FALSE};
    char sddl[TEXT];
    snprintf(sddl, sizeof sddl, "O:%s" ANYBODY, sid);
    CHECK(ConvertStringSecurityDescriptorToSecurityDescriptorA(
        sddl, SDDL_REVISION_1, &attributes.lpSecurityDescriptor, NULL));
    HANDLE block = CreateFileMappingA(INVALID_HANDLE_VALUE, &attributes,
                                      PAGE_READWRITE, 0, 8192, name);
    CHECK(block != NULL);
    LocalFree(attributes.lpSecurityDescriptor);
    return block;
}

/** Whether a block of this user's is taken over, and its name as control block
 * is, too. */
static void check_trust(const char *name, const char *sid,
                        winshm_status expected)
{
    winshm_region *h;
    char control[100];
    snprintf(control, sizeof control, "%s.winshm", name);
    fprintf(stderr, "trust in %s\n", sid);
    HANDLE block = block_of(name, sid);
    CHECK_STATUS(open_as(name, WINSHM_OPEN_OR_CREATE, NULL, &h), expected);
    CHECK_OK(winshm_close(h));
    CloseHandle(block);
    if (expected == WINSHM_OK)
        return;
    block = block_of(control, sid);
    CHECK_STATUS(winshm_create(name, BYTES, 0, &h), expected);
    CHECK_STATUS(winshm_open(name, 0, &h), expected);
    CloseHandle(block);
}

/** Whom the list of the region's data names. */
static void check_grants(const char *name, const char *security,
                         const char *sid, const char *not_sid)
{
    winshm_region *h;
    PSECURITY_DESCRIPTOR descriptor;
    char *text;
    CHECK_OK(open_as(name, WINSHM_CREATE_NEW, security, &h));
    HANDLE data = OpenFileMappingA(READ_CONTROL, FALSE, name);
    CHECK(data != NULL);
    CHECK_EQ(GetSecurityInfo(data, SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION,
                             NULL, NULL, NULL, NULL, &descriptor),
             ERROR_SUCCESS);
    CHECK(ConvertSecurityDescriptorToStringSecurityDescriptorA(
        descriptor, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text, NULL));
    if (strstr(text, sid) == NULL || strstr(text, not_sid) != NULL)
        check_end(1, __FILE__, __LINE__, "%s names not %s, or %s", text, sid,
                  not_sid);
    LocalFree(text);
    LocalFree(descriptor);
    CloseHandle(data);
    CHECK_OK(winshm_close(h));
}

/** A service trusts the system and the administrators, but not whoever was
 * there first; and it belongs to no session. */
static void role_system(const char *name, uint32_t unused)
{
    winshm_region *h;
    (void)unused;
    process_is = &local_system;
    check_trust(name, SYSTEM, WINSHM_OK);
    check_trust(name, "S-1-5-32-544", WINSHM_OK);
    check_trust(name, ANNA, WINSHM_E_FOREIGN);
    check_trust(name, "S-1-1-0", WINSHM_E_FOREIGN);
    CHECK_STATUS(open_as(name, WINSHM_CREATE_NEW, "session", &h),
                 WINSHM_E_UNSUPPORTED);
    CHECK_EQ(winshm_last_os_code(), 0);
}

/** What a thread makes and joins is for whom it acts for, and only as long as
 * it does. */
static void role_impersonates(const char *name, uint32_t unused)
{
    winshm_region *h;
    (void)unused;
    process_is = &bert;
    check_grants(name, NULL, BERT, ANNA);
    check_trust(name, ANNA, WINSHM_E_FOREIGN);
    thread_is = &anna;
    check_grants(name, NULL, ANNA, BERT);
    check_grants(name, "session", ANNAS_LOGON, BERT);
    check_trust(name, ANNA, WINSHM_OK);
    check_trust(name, BERT, WINSHM_E_FOREIGN);
    /* Nobody else is taken for whom it acts for. */
    thread_refusal = ERROR_ACCESS_DENIED;
    CHECK_STATUS(winshm_create(name, BYTES, 0, &h), WINSHM_E_ACCESS);
    CHECK_EQ(winshm_last_os_code(), ERROR_ACCESS_DENIED);
    CHECK_STATUS(open_as(name, WINSHM_CREATE_NEW, "session", &h),
                 WINSHM_E_ACCESS);
    thread_is = NULL;
    thread_refusal = 0;
    check_grants(name, NULL, BERT, ANNA);
    check_trust(name, BERT, WINSHM_OK);
    CHECK_STATUS(open_as(name, WINSHM_CREATE_NEW, "session", &h),
                 WINSHM_E_UNSUPPORTED);
    /* What is done often asks for nobody. */
    CHECK_OK(winshm_create(name, BYTES, 0, &h));
    unsigned before = asked;
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_STATUS(winshm_wait(h, 0, 5, NULL), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_write(h, 0, "x", 1, 0));
    CHECK_EQ(asked, before);
    CHECK_OK(winshm_close(h));
}

static const struct role roles[] = {
    {"system", role_system}, {"impersonates", role_impersonates}, {NULL, NULL}};

int main(int argc, char **argv)
{
    process_token = CreateEventA(NULL, TRUE, FALSE, NULL);
    the_thread_token = CreateEventA(NULL, TRUE, TRUE, NULL);
    child_run_role(argc, argv, roles);
    for (int i = 0; roles[i].name != NULL; i++) {
        struct child child = child_start(roles[i].name, name_of("token"), 0);
        CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    }
    return 0;
}
