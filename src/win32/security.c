/* Windows: who may use the objects of a region.
 *
 * Sections carry the descriptor that the creator asked for. The life lock and
 * the park events are made by whoever comes first, so theirs is derived from
 * the control section: only its writers can take part in locks, and all of
 * them must be able to, while a reader with a right to wait for the life lock
 * could already hold everybody up. */
#include "win32.h"

#include <sddl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "status.h"

/** Room for SDDL with two SIDs in text, of at most 184 characters each. */
#define TEXT_CHARS 512

static SECURITY_ATTRIBUTES deny_all;

SECURITY_ATTRIBUTES *wshm_win32_deny_all(void)
{
    return &deny_all;
}

void wshm_win32_security_init(void)
{
    static union {
        ACL acl;
        BYTE room[sizeof(ACL) + sizeof(ACCESS_DENIED_ACE) +
                  SECURITY_MAX_SID_SIZE];
    } list;
    static SECURITY_DESCRIPTOR descriptor;
    union win32_sid world;
    DWORD length = sizeof world;
    InitializeAcl(&list.acl, sizeof list, ACL_REVISION);
    /* Without the entry the list is empty, which denies everybody as well. */
    if (CreateWellKnownSid(WinWorldSid, NULL, &world.sid, &length))
        AddAccessDeniedAce(&list.acl, ACL_REVISION, GENERIC_ALL, &world.sid);
    InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION);
    SetSecurityDescriptorDacl(&descriptor, TRUE, &list.acl, FALSE);
    SetSecurityDescriptorControl(&descriptor, SE_DACL_PROTECTED,
                                 SE_DACL_PROTECTED);
    deny_all.nLength = sizeof deny_all;
    deny_all.lpSecurityDescriptor = &descriptor;
}

/* From words to descriptors. */

/** Appends one entry that grants rights to a SID. */
static bool grant(wchar_t *text, const wchar_t *rights, PSID sid)
{
    wchar_t *name;
    if (!ConvertSidToStringSidW(sid, &name))
        return false;
    size_t used = wcslen(text);
    int length = _snwprintf(text + used, TEXT_CHARS - used, L"(A;;%ls;;;%ls)",
                            rights, name);
    LocalFree(name);
    return length > 0 && (size_t)length < TEXT_CHARS - used;
}

/**
 * Generic rights to the user, because programs that know nothing of winshm
 * often ask for all access to the data. OW takes from other tokens of the
 * owner what Windows would give them unasked: changing the descriptor.
 */
static winshm_status standard_text(const char *word, wchar_t *text)
{
    static const char call[] = "ConvertSidToStringSidW";
    union win32_token room;
    union win32_sid logon;
    wcscpy(text, L"D:P");
    PSID self = wshm_win32_user_sid(&room);
    if (self == NULL)
        return wshm_win32_error("GetTokenInformation", GetLastError());
    if (!grant(text, L"GA", self))
        return wshm_win32_error(call, GetLastError());
    wcscat(text, L"(A;;GA;;;SY)");
    if (strcmp(word, "session") == 0) {
        winshm_status status = wshm_win32_logon_sid(&logon);
        if (status != WINSHM_OK)
            return status;
        if (!grant(text, L"GA", &logon.sid))
            return wshm_win32_error(call, GetLastError());
    }
    if (strcmp(word, "interactive-read") == 0)
        wcscat(text, L"(A;;GR;;;IU)");
    if (strcmp(word, "everyone-read") == 0)
        wcscat(text, L"(A;;GR;;;WD)");
    wcscat(text, L"(A;;RC;;;OW)");
    return WINSHM_OK;
}

static winshm_status malformed(const char *security)
{
    wshm_error_text(security);
    return wshm_error_because(WINSHM_E_INVALID, "security is '{text}'",
                              PLATFORM_SECURITY_WORDS);
}

static bool known_word(const char *word)
{
    static const char *const words[] = {"owner", "session", "interactive-read",
                                        "everyone-read"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

static winshm_status convert(const wchar_t *text, struct win32_security *made)
{
    BOOL present = FALSE, defaulted;
    PACL list = NULL;
    /* Wine does not know the word and makes a list of it that is empty. */
    if (wcsstr(text, L"NO_ACCESS_CONTROL") != NULL)
        return WINSHM_E_INVALID;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(
            text, SDDL_REVISION_1, &made->descriptor, NULL)) {
        static const char call[] =
            "ConvertStringSecurityDescriptorToSecurityDescriptorW";
        DWORD code = GetLastError();
        made->descriptor = NULL;
        return code == ERROR_NOT_ENOUGH_MEMORY
                   ? wshm_win32_error(call, code)
                   : wshm_error_os(WINSHM_E_INVALID, call, (int32_t)code);
    }
    winshm_status status = WINSHM_OK;
    if (!GetSecurityDescriptorDacl(made->descriptor, &present, &list,
                                   &defaulted))
        status = wshm_win32_error("GetSecurityDescriptorDacl", GetLastError());
    else if (!present || list == NULL)
        /* No list at all would let everybody do everything. */
        status = WINSHM_E_INVALID;
    if (status != WINSHM_OK) {
        wshm_win32_security_free(made);
        return status;
    }
    made->attributes.nLength = sizeof made->attributes;
    made->attributes.lpSecurityDescriptor = made->descriptor;
    return WINSHM_OK;
}

winshm_status wshm_win32_security_parse(const char *security,
                                        struct win32_security *made)
{
    const char *word = security != NULL ? security : "owner";
    memset(made, 0, sizeof *made);
    if (strchr(word, ':') == NULL) {
        wchar_t text[TEXT_CHARS];
        if (!known_word(word))
            return malformed(word);
        winshm_status status = standard_text(word, text);
        return status == WINSHM_OK ? convert(text, made) : status;
    }
    int chars =
        MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, word, -1, NULL, 0);
    if (chars <= 0)
        return malformed(word);
    wchar_t *text = LocalAlloc(LMEM_FIXED, (size_t)chars * sizeof *text);
    if (text == NULL)
        return wshm_win32_error("LocalAlloc", GetLastError());
    MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, word, -1, text, chars);
    winshm_status status = convert(text, made);
    LocalFree(text);
    return status == WINSHM_E_INVALID ? malformed(word) : status;
}

void wshm_win32_security_free(struct win32_security *made)
{
    LocalFree(made->descriptor);
    LocalFree(made->list);
    memset(made, 0, sizeof *made);
}

/** True if an entry is about writing to a section. */
static bool about_writing(ACCESS_MASK mask)
{
    return (mask & (SECTION_MAP_WRITE | GENERIC_WRITE | GENERIC_ALL)) != 0;
}

/** Turns a section's list into one for events and mutexes, in new memory.
 * @return NULL with the last error. */
static PACL derive_list(const ACL *section)
{
    ACL_SIZE_INFORMATION size;
    union win32_sid owner;
    DWORD sid_bytes = sizeof owner;
    if (!GetAclInformation((PACL)section, &size, sizeof size,
                           AclSizeInformation))
        return NULL;
    DWORD bytes =
        size.AclBytesInUse + sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE;
    PACL list = LocalAlloc(LMEM_FIXED, bytes);
    if (list == NULL || !InitializeAcl(list, bytes, ACL_REVISION))
        goto failed;
    for (DWORD i = 0; i < size.AceCount; i++) {
        ACCESS_ALLOWED_ACE *entry; /* denying ones have the same form */
        if (!GetAce((PACL)section, i, (void **)&entry))
            goto failed;
        BYTE type = entry->Header.AceType;
        bool added = true;
        /* An inherit-only entry says nothing about the object itself. */
        if ((entry->Header.AceFlags & INHERIT_ONLY_ACE) != 0 ||
            !about_writing(entry->Mask))
            continue;
        if (type == ACCESS_ALLOWED_ACE_TYPE)
            added = AddAccessAllowedAce(list, ACL_REVISION, GENERIC_ALL,
                                        (PSID)&entry->SidStart);
        else if (type == ACCESS_DENIED_ACE_TYPE)
            added = AddAccessDeniedAce(list, ACL_REVISION, GENERIC_ALL,
                                       (PSID)&entry->SidStart);
        if (!added)
            goto failed;
    }
    if (CreateWellKnownSid(WinCreatorOwnerRightsSid, NULL, &owner.sid,
                           &sid_bytes) &&
        AddAccessAllowedAce(list, ACL_REVISION, READ_CONTROL, &owner.sid))
        return list;
failed:;
    DWORD code = GetLastError();
    LocalFree(list);
    SetLastError(code);
    return NULL;
}

/** Copies the integrity level from there, if it has one. Without it a level
 * below the usual one could not take part, and one above would not keep others
 * out. */
static winshm_status derive_label(PSECURITY_DESCRIPTOR from,
                                  struct win32_security *made)
{
    BOOL present = FALSE, defaulted;
    PACL list = NULL;
    if (!GetSecurityDescriptorSacl(from, &present, &list, &defaulted))
        return wshm_win32_error("GetSecurityDescriptorSacl", GetLastError());
    for (DWORD i = 0; present && list != NULL && i < list->AceCount; i++) {
        ACE_HEADER *entry;
        if (!GetAce(list, i, (void **)&entry))
            return wshm_win32_error("GetAce", GetLastError());
        if (entry->AceType != SYSTEM_MANDATORY_LABEL_ACE_TYPE)
            continue;
        if (!InitializeAcl(&made->label.acl, sizeof made->label,
                           ACL_REVISION) ||
            !AddAce(&made->label.acl, ACL_REVISION, MAXDWORD, entry,
                    entry->AceSize))
            return wshm_win32_error("AddAce", GetLastError());
        SetSecurityDescriptorSacl(&made->absolute, TRUE, &made->label.acl,
                                  FALSE);
        break;
    }
    return WINSHM_OK;
}

/** The list in there. @return NULL: none. */
static PACL list_of(PSECURITY_DESCRIPTOR descriptor)
{
    BOOL present, defaulted;
    PACL list = NULL;
    return descriptor != NULL &&
                   GetSecurityDescriptorDacl(descriptor, &present, &list,
                                             &defaulted) &&
                   present
               ? list
               : NULL;
}

winshm_status wshm_win32_security_derive(const struct win32_security *section,
                                         HANDLE control,
                                         struct win32_security *made)
{
    struct win32_security standard = {0};
    PSECURITY_DESCRIPTOR read = NULL;
    winshm_status status = WINSHM_OK;
    memset(made, 0, sizeof *made);
    if (control != NULL)
        read = wshm_win32_security_read(
            control, DACL_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION);
    PACL list = list_of(read);
    bool controls = list != NULL;
    if (list == NULL && section == NULL) {
        status = wshm_win32_security_parse(NULL, &standard);
        section = &standard;
    }
    if (status == WINSHM_OK && list == NULL) {
        list = list_of(section->descriptor);
        if (list == NULL)
            status =
                wshm_win32_error("GetSecurityDescriptorDacl", GetLastError());
    }
    if (status == WINSHM_OK) {
        made->list = derive_list(list);
        if (made->list == NULL)
            status = wshm_win32_error("making an access list", GetLastError());
    }
    if (status == WINSHM_OK) {
        InitializeSecurityDescriptor(&made->absolute,
                                     SECURITY_DESCRIPTOR_REVISION);
        SetSecurityDescriptorDacl(&made->absolute, TRUE, made->list, FALSE);
        SetSecurityDescriptorControl(&made->absolute, SE_DACL_PROTECTED,
                                     SE_DACL_PROTECTED);
        made->attributes.nLength = sizeof made->attributes;
        made->attributes.lpSecurityDescriptor = &made->absolute;
        status = derive_label(controls ? read : section->descriptor, made);
    }
    if (status != WINSHM_OK)
        wshm_win32_security_free(made);
    LocalFree(read);
    wshm_win32_security_free(&standard);
    return status;
}

/* Permissions of a control section that was there before. */

/** True if both are about the same rights of the same SIDs, in order. */
static bool same_list(PACL one, PACL other)
{
    static const GENERIC_MAPPING section = {
        STANDARD_RIGHTS_READ | SECTION_QUERY | SECTION_MAP_READ,
        STANDARD_RIGHTS_WRITE | SECTION_MAP_WRITE,
        STANDARD_RIGHTS_EXECUTE | SECTION_MAP_EXECUTE, SECTION_ALL_ACCESS};
    if (one == NULL || other == NULL || one->AceCount != other->AceCount)
        return false;
    for (DWORD i = 0; i < one->AceCount; i++) {
        ACCESS_ALLOWED_ACE *a, *b;
        if (!GetAce(one, i, (void **)&a) || !GetAce(other, i, (void **)&b))
            return false;
        ACCESS_MASK left = a->Mask, right = b->Mask;
        MapGenericMask(&left, (GENERIC_MAPPING *)&section);
        MapGenericMask(&right, (GENERIC_MAPPING *)&section);
        size_t rest = offsetof(ACCESS_ALLOWED_ACE, SidStart);
        if (memcmp(&a->Header, &b->Header, sizeof a->Header) != 0 ||
            left != right ||
            memcmp(&a->SidStart, &b->SidStart, a->Header.AceSize - rest) != 0)
            return false;
    }
    return true;
}

/** The control section has the list of another life; whoever may not change it
 * is in somebody else's. */
static winshm_status change_list(const struct platform_region *p,
                                 const struct win32_security *made)
{
    wchar_t name[WIN32_NAME_CHARS];
    const char *call = "OpenFileMappingW";
    DWORD code = ERROR_SUCCESS;
    wshm_win32_name(p, ".winshm", name);
    HANDLE control = OpenFileMappingW(WRITE_DAC, FALSE, name);
    if (control != NULL)
        call = "SetKernelObjectSecurity";
    if (control == NULL ||
        !SetKernelObjectSecurity(control, DACL_SECURITY_INFORMATION,
                                 made->descriptor))
        code = GetLastError();
    if (control != NULL)
        CloseHandle(control);
    if (code == ERROR_ACCESS_DENIED)
        return wshm_error_os(WINSHM_E_FOREIGN, call, (int32_t)code);
    return code == ERROR_SUCCESS ? WINSHM_OK : wshm_win32_error(call, code);
}

winshm_status wshm_platform_control_own(const struct platform_region *p,
                                        const char *security)
{
    struct win32_security made;
    winshm_status status = wshm_win32_security_parse(security, &made);
    if (status != WINSHM_OK)
        return status;
    PSECURITY_DESCRIPTOR read = wshm_win32_security_read(
        wshm_win32_handle(p->control), DACL_SECURITY_INFORMATION);
    if (!same_list(list_of(read), list_of(made.descriptor)))
        status = change_list(p, &made);
    LocalFree(read);
    wshm_win32_security_free(&made);
    return status;
}
