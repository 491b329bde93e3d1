/* Who may use the objects of a region: what the kernel has of each, compared
 * with what is promised, and what can be done with a read-only region.
 *
 * Wine keeps descriptors and judges by them who may open what, but for one user
 * only; it knows neither the privilege for Global\ nor integrity levels, and
 * lets the entry for the owner's rights (OW) mean nothing. There this test goes
 * as far as the call and the descriptor. */
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#include "check.h"
#include "child.h"
#include "global_win32.h"

enum { BYTES = 5000, TEXT = 1024 };

static const char *region_name;
static char user[200], logon[200];

/* Descriptors as text. */

static void learn_sids(void)
{
    static union {
        TOKEN_USER user;
        TOKEN_GROUPS groups;
        char room[8192];
    } told;
    HANDLE token;
    DWORD length;
    char *text;
    CHECK(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
    CHECK(GetTokenInformation(token, TokenUser, &told, sizeof told, &length));
    CHECK(ConvertSidToStringSidA(told.user.User.Sid, &text));
    snprintf(user, sizeof user, "%s", text);
    LocalFree(text);
    CHECK(GetTokenInformation(token, TokenGroups, &told, sizeof told, &length));
    for (DWORD i = 0; i < told.groups.GroupCount; i++) {
        if ((told.groups.Groups[i].Attributes & SE_GROUP_LOGON_ID) !=
            SE_GROUP_LOGON_ID)
            continue;
        CHECK(ConvertSidToStringSidA(told.groups.Groups[i].Sid, &text));
        snprintf(logon, sizeof logon, "%s", text);
        LocalFree(text);
    }
    CHECK(user[0] != '\0' && logon[0] != '\0');
    CloseHandle(token);
}

static const GENERIC_MAPPING sections = {
    STANDARD_RIGHTS_READ | SECTION_QUERY | SECTION_MAP_READ,
    STANDARD_RIGHTS_WRITE | SECTION_MAP_WRITE,
    STANDARD_RIGHTS_EXECUTE | SECTION_MAP_EXECUTE, SECTION_ALL_ACCESS};
static const GENERIC_MAPPING mutexes = {
    STANDARD_RIGHTS_READ | MUTEX_MODIFY_STATE, STANDARD_RIGHTS_WRITE,
    STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE, MUTEX_ALL_ACCESS};
static const GENERIC_MAPPING events = {
    STANDARD_RIGHTS_READ | 1 /* EVENT_QUERY_STATE */,
    STANDARD_RIGHTS_WRITE | EVENT_MODIFY_STATE,
    STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE, EVENT_ALL_ACCESS};

/** The list in words. Generic rights become those of the sort of object, since
 * Windows, unlike Wine, does that when the object is made. */
static void words_of(PSECURITY_DESCRIPTOR descriptor, GENERIC_MAPPING sort,
                     char *words)
{
    BOOL present, defaulted;
    PACL list;
    char *text;
    CHECK(GetSecurityDescriptorDacl(descriptor, &present, &list, &defaulted));
    CHECK(present && list != NULL);
    for (DWORD i = 0; i < list->AceCount; i++) {
        ACCESS_ALLOWED_ACE *entry;
        CHECK(GetAce(list, i, (void **)&entry));
        MapGenericMask(&entry->Mask, &sort);
    }
    CHECK(ConvertSecurityDescriptorToStringSecurityDescriptorA(
        descriptor, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text, NULL));
    snprintf(words, TEXT, "%s", text);
    LocalFree(text);
}

/** Puts the SIDs into a pattern, where it says USER and LOGON. */
static void fill(const char *pattern, char *text)
{
    size_t used = 0;
    while (*pattern != '\0') {
        bool is_user = strncmp(pattern, "USER", 4) == 0;
        bool is_logon = strncmp(pattern, "LOGON", 5) == 0;
        if (is_user || is_logon) {
            used += (size_t)snprintf(text + used, TEXT - used, "%s",
                                     is_user ? user : logon);
            pattern += is_user ? 4 : 5;
        } else {
            text[used++] = *pattern++;
        }
    }
    text[used] = '\0';
}

static void check_golden(const char *what, HANDLE object, GENERIC_MAPPING sort,
                         const char *pattern)
{
    PSECURITY_DESCRIPTOR descriptor, wanted;
    PSID owner;
    char sddl[TEXT], is[TEXT], shall[TEXT];
    fprintf(stderr, "%s: %s\n", what, pattern);
    CHECK(object != NULL);
    CHECK_EQ(
        GetSecurityInfo(object, SE_KERNEL_OBJECT,
                        OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                        &owner, NULL, NULL, NULL, &descriptor),
        ERROR_SUCCESS);
    /* Whose it is, is the system's to say; that it is somebody's, ours. */
    CHECK(owner != NULL);
    words_of(descriptor, sort, is);
    fill(pattern, sddl);
    CHECK(ConvertStringSecurityDescriptorToSecurityDescriptorA(
        sddl, SDDL_REVISION_1, &wanted, NULL));
    words_of(wanted, sort, shall);
    if (strcmp(is, shall) != 0)
        check_end(1, __FILE__, __LINE__, "%s has %s, not %s", what, is, shall);
    LocalFree(descriptor);
    LocalFree(wanted);
    CloseHandle(object);
}

/* The objects. */

static winshm_options options_of(const char *name, const char *security)
{
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = BYTES,
                        .name = name,
                        .security = security};
    return o;
}

static winshm_region *create_as(const char *name, const char *security)
{
    winshm_region *h;
    winshm_options o = options_of(name, security);
    CHECK_OK(winshm_open_with(&o, &h));
    return h;
}

static HANDLE section_of(const char *name, const char *suffix)
{
    char full[300];
    snprintf(full, sizeof full, "%s%s", name, suffix);
    return OpenFileMappingA(READ_CONTROL, FALSE, full);
}

static bool exists(const char *name, const char *suffix)
{
    HANDLE section = section_of(name, suffix);
    if (section != NULL)
        CloseHandle(section);
    return section != NULL;
}

/** An event that belongs to the handle's slot. */
static HANDLE event_of(const char *name, winshm_region *h, const char *suffix)
{
    winshm_info info = {.struct_size = sizeof info};
    winshm_participant all[4] = {{.struct_size = sizeof all[0]}};
    uint32_t id[4], count, slot = 99;
    char full[300];
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_OK(winshm_get_participants(h, all, 4, &count));
    for (uint32_t i = 0; i < count; i++)
        if ((all[i].flags & WINSHM_PARTICIPANT_SELF) != 0)
            slot = all[i].slot;
    memcpy(id, info.id, sizeof id);
    snprintf(full, sizeof full, "%swinshm.%08lx%08lx%08lx%08lx.%lu%s",
             strncmp(name, "Global", 6) == 0 ? "Global\\" : "Local\\",
             (unsigned long)id[0], (unsigned long)id[1], (unsigned long)id[2],
             (unsigned long)id[3], (unsigned long)slot, suffix);
    return OpenEventA(READ_CONTROL, FALSE, full);
}

/** The life lock is there only while somebody is about to enter. */
struct watch {
    char name[300];
    HANDLE seen;
};

static void wait_for_life_lock(void *argument)
{
    struct watch *watch = argument;
    uint64_t end = clock_ms() + PATIENCE_MS;
    while (watch->seen == NULL && clock_ms() < end)
        watch->seen = OpenMutexA(READ_CONTROL, FALSE, watch->name);
}

static HANDLE life_lock_of(const char *name, const char *security, bool create)
{
    static struct watch watch;
    winshm_region *h;
    snprintf(watch.name, sizeof watch.name, "%s.winshm.lock", name);
    watch.seen = NULL;
    struct thread thread = thread_start(wait_for_life_lock, &watch);
    do {
        if (create)
            h = create_as(name, security);
        else
            CHECK_OK(winshm_open(name, WINSHM_READ, &h));
        CHECK_OK(winshm_close(h));
    } while (*(HANDLE volatile *)&watch.seen == NULL);
    thread_join(thread);
    return watch.seen;
}

static const char NOBODY[] = "D:P(D;;GA;;;WD)";

static void check_region(const char *name, const char *security,
                         const char *section, const char *derived)
{
    void *event;
    char sddl[TEXT];
    fill(security != NULL ? security : "", sddl);
    security = security != NULL ? sddl : NULL;
    check_golden("life lock, created", life_lock_of(name, security, true),
                 mutexes, derived);
    winshm_region *h = create_as(name, security), *joined;
    check_golden("data", section_of(name, ""), sections, section);
    check_golden("control", section_of(name, ".winshm"), sections, section);
    check_golden("life lock, joined", life_lock_of(name, NULL, false), mutexes,
                 derived);
    CHECK_OK(winshm_open(name, WINSHM_READ, &joined));
    check_golden("presence", event_of(name, h, ""), events, NOBODY);
    check_golden("presence, joined", event_of(name, joined, ""), events,
                 NOBODY);
    CHECK_OK(winshm_wait_handle(joined, &event));
    check_golden("event for loops", event_of(name, joined, ".e"), events,
                 derived);
    CHECK_STATUS(winshm_wait(h, 0, 5, NULL), WINSHM_E_TIMEOUT);
    check_golden("event of changes", event_of(name, h, ".c"), events, derived);
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_STATUS(winshm_lock(joined, WINSHM_SHARED, 20), WINSHM_E_TIMEOUT);
    check_golden("event of locks", event_of(name, joined, ".l"), events,
                 derived);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(joined));
    CHECK_OK(winshm_close(h));
    winshm_options o = options_of(name, security);
    o.flags = WINSHM_RAW;
    CHECK_OK(winshm_open_with(&o, &h));
    check_golden("raw", section_of(name, ""), sections, section);
    CHECK_OK(winshm_close(h));
    CHECK(!exists(name, "") && !exists(name, ".winshm"));
}

#define OWNER "D:P(A;;GA;;;USER)(A;;GA;;;SY)"

static void test_golden(const char *prefix)
{
    static const struct {
        const char *security, *section, *derived;
    } cases[] = {
        {NULL, OWNER "(A;;RC;;;OW)", OWNER "(A;;RC;;;OW)"},
        {"owner", OWNER "(A;;RC;;;OW)", OWNER "(A;;RC;;;OW)"},
        {"session", OWNER "(A;;GA;;;LOGON)(A;;RC;;;OW)",
         OWNER "(A;;GA;;;LOGON)(A;;RC;;;OW)"},
        {"interactive-read", OWNER "(A;;GR;;;IU)(A;;RC;;;OW)",
         OWNER "(A;;RC;;;OW)"},
        {"everyone-read", OWNER "(A;;GR;;;WD)(A;;RC;;;OW)",
         OWNER "(A;;RC;;;OW)"},
        /* Own lists stay as they are; who may not write gets no more. */
        {"D:P(A;;0x6;;;WD)(A;;GA;;;USER)", "D:P(A;;0x6;;;WD)(A;;GA;;;USER)",
         "D:P(A;;GA;;;WD)(A;;GA;;;USER)(A;;RC;;;OW)"},
        {"D:(A;;0x5;;;WD)(A;;GA;;;USER)(A;;GX;;;BU)",
         "D:(A;;0x5;;;WD)(A;;GA;;;USER)(A;;GX;;;BU)",
         "D:P(A;;GA;;;USER)(A;;RC;;;OW)"},
        {"D:P(D;;GW;;;BG)(D;;GR;;;AN)(A;;GA;;;USER)(A;IO;GA;;;WD)",
         "D:P(D;;GW;;;BG)(D;;GR;;;AN)(A;;GA;;;USER)(A;IO;GA;;;WD)",
         "D:P(D;;GA;;;BG)(A;;GA;;;USER)(A;;RC;;;OW)"},
    };
    char name[300];
    snprintf(name, sizeof name, "%s%s", prefix, region_name);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_region(name, cases[i].security, cases[i].section,
                     cases[i].derived);
}

static bool converts(const char *sddl, SECURITY_ATTRIBUTES *attributes)
{
    *attributes = (SECURITY_ATTRIBUTES){sizeof *attributes, NULL, FALSE};
    return ConvertStringSecurityDescriptorToSecurityDescriptorA(
        sddl, SDDL_REVISION_1, &attributes->lpSecurityDescriptor, NULL);
}

/** An entry that is neither for nor against anybody gives nobody the right to
 * take part. Where no such list can be made, there is nothing to see. */
static void test_other_entries(void)
{
    static const char other[] = "D:P(A;;GA;;;USER)(AU;SA;GA;;;WD)";
    SECURITY_ATTRIBUTES made;
    char sddl[TEXT];
    fill(other, sddl);
    if (!converts(sddl, &made))
        return;
    LocalFree(made.lpSecurityDescriptor);
    check_region(region_name, other, other, "D:P(A;;GA;;;USER)(A;;RC;;;OW)");
}

/** A block that another program keeps does not hand its own list on, be it
 * like the one that is wanted but for a SID, a right, or the sort of an
 * entry. */
static void test_leftover(void)
{
    static const char *const lists[] = {
        "D:P(A;;GA;;;WD)",
        "D:P(A;;GA;;;USER)(A;;GA;;;WD)(A;;RC;;;OW)",
        "D:P(A;;GA;;;USER)(A;;GR;;;SY)(A;;RC;;;OW)",
        "D:P(A;;GA;;;USER)(D;;GA;;;SY)(A;;RC;;;OW)",
    };
    char control[300], sddl[TEXT];
    snprintf(control, sizeof control, "%s.winshm", region_name);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        SECURITY_ATTRIBUTES open;
        fill(lists[i], sddl);
        CHECK(converts(sddl, &open));
        HANDLE kept = CreateFileMappingA(INVALID_HANDLE_VALUE, &open,
                                         PAGE_READWRITE, 0, 65536, control);
        CHECK(kept != NULL);
        winshm_region *h = create_as(region_name, NULL);
        check_golden("control, kept", section_of(region_name, ".winshm"),
                     sections, OWNER "(A;;RC;;;OW)");
        CHECK_OK(winshm_close(h));
        CloseHandle(kept);
        LocalFree(open.lpSecurityDescriptor);
    }
}

static void test_words(void)
{
    static const char *const refused[] = {
        ":",
        "D",
        "D:(",
        "D:(A;;GA;;;WD",
        "D:(A;;GA;;WD)",
        "D:(A;;ZZ;;;WD)",
        "D:(Z;;GA;;;WD)",
        "D:(A;;GA;;;ZZ)",
        "D:(A;;GA;;;S-1-x)",
        "x:y",
        "everyone:",
        "D:\xFF",
        /* No list, or none that keeps anybody out. */
        "O:SY",
        "O:SYG:SY",
        "D:NO_ACCESS_CONTROL",
        "D:PNO_ACCESS_CONTROL",
        "O:BAG:BAD:NO_ACCESS_CONTROL",
        /* Meant for opening. */
        "anyone",
    };
    winshm_region *h;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        winshm_options o = options_of(region_name, refused[i]);
        fprintf(stderr, "refused: case %d\n", (int)i);
        for (int way = 0; way < 4; way++) {
            o.flags = way % 2 == 0 ? 0 : WINSHM_RAW;
            o.disposition = way < 2 ? WINSHM_CREATE_NEW : WINSHM_OPEN_OR_CREATE;
            CHECK_STATUS(winshm_open_with(&o, &h), WINSHM_E_INVALID);
            CHECK(!exists(region_name, ""));
            CHECK(!exists(region_name, ".winshm"));
        }
    }
    winshm_options o = options_of(region_name, "D:P(A;;GA;;;WD)");
    o.disposition = WINSHM_OPEN_EXISTING;
    CHECK_STATUS(winshm_open_with(&o, &h), WINSHM_E_INVALID);
}

/** The two name spaces hold two regions, and only these two are meant. */
static void test_prefixes(void)
{
    static const char *const others[] = {
        "global\\",  "GLOBAL\\", "local\\",        "Global/",
        "Session\\", "\\",       "Local\\Global\\"};
    char global[300], local[300], wrong[300];
    winshm_region *one, *two;
    snprintf(global, sizeof global, "Global\\%s", region_name);
    snprintf(local, sizeof local, "Local\\%s", region_name);
    CHECK_OK(winshm_create(global, BYTES, 0, &one));
    CHECK_STATUS(winshm_open(region_name, 0, &two), WINSHM_E_NOT_FOUND);
    CHECK(!exists(local, "") && !exists(local, ".winshm"));
    CHECK_OK(winshm_create(local, BYTES, 0, &two));
    memset(winshm_data(one), 'g', BYTES);
    for (int i = 0; i < BYTES; i++)
        CHECK_EQ(((char *)winshm_data(two))[i], 0);
    CHECK_OK(winshm_close(one));
    CHECK_STATUS(winshm_open(global, 0, &one), WINSHM_E_NOT_FOUND);
    CHECK_OK(winshm_close(two));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        snprintf(wrong, sizeof wrong, "%s%s", others[i], region_name);
        CHECK_STATUS(winshm_create(wrong, BYTES, 0, &one), WINSHM_E_NAME);
        CHECK_STATUS(winshm_open(wrong, 0, &one), WINSHM_E_NAME);
    }
}

/** Without the privilege it says so, or (as under Wine, which does not ask) it
 * is done; in no case it is done elsewhere. */
static void test_privilege(void)
{
    TOKEN_PRIVILEGES change = {.PrivilegeCount = 1};
    HANDLE token;
    char global[300], local[300];
    winshm_region *h;
    snprintf(global, sizeof global, "Global\\%s", region_name);
    snprintf(local, sizeof local, "Local\\%s", region_name);
    change.Privileges[0].Attributes = SE_PRIVILEGE_REMOVED;
    CHECK(
        OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &token));
    CHECK(LookupPrivilegeValueA(NULL, "SeCreateGlobalPrivilege",
                                &change.Privileges[0].Luid));
    CHECK(AdjustTokenPrivileges(token, FALSE, &change, 0, NULL, NULL));
    CloseHandle(token);
    /* Opening asks for no privilege. */
    CHECK_STATUS(winshm_open(global, 0, &h), WINSHM_E_NOT_FOUND);
    for (int raw = 0; raw < 2; raw++) {
        uint32_t flags = raw ? WINSHM_RAW : 0;
        winshm_status status = winshm_create(global, BYTES, flags, &h);
        if (status != WINSHM_OK)
            CHECK_STATUS(status, WINSHM_E_PRIVILEGE);
        CHECK(!exists(local, ""));
        CHECK(!exists(local, ".winshm"));
        CHECK(exists(global, "") == (status == WINSHM_OK));
        CHECK_OK(winshm_close(h));
    }
}

int main(void)
{
    region_name = name_of("security");
    learn_sids();
    test_golden("Local\\");
    if (global_allows("descriptors in Global\\"))
        test_golden("Global\\");
    test_other_entries();
    test_leftover();
    test_words();
    if (global_is_apart("two regions of one name")) {
        if (global_allows("two regions of one name"))
            test_prefixes();
        test_privilege();
    }
    return 0;
}
