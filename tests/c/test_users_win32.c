/* Somebody has taken our names before us: that is told from being us, soon, and
 * nothing of theirs is written to.
 *
 * Wine knows one user only, but lets a descriptor name anybody as the owner,
 * which Windows would not: there these squatters need another account. */
#include <windows.h>

#include <sddl.h>

#include "check.h"
#include "child.h"
#include "global_win32.h"
#include "layout.h"

enum {
    BYTES = 5000,
    LIFE_PATIENCE_MS = 5000, /* what create and open give the life lock */
    SLACK_MS = 3000          /* for a busy machine */
};

/* Descriptors of squatters. */
#define STRANGER "O:WDD:P(A;;GA;;;WD)"
#define STRANGER_SHOWS "O:WDD:P(A;;GR;;;WD)"
#define NOBODY "D:P(D;;GA;;;WD)"
#define ANYBODY "D:P(A;;GA;;;WD)"

static const char *region_name;

static const char *full_name(const char *suffix)
{
    static char names[4][300];
    static unsigned next;
    char *name = names[next++ % 4];
    snprintf(name, sizeof names[0], "%s%s", region_name, suffix);
    return name;
}

static winshm_status open_as(uint32_t disposition, const char *security,
                             uint32_t flags, winshm_region **out)
{
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = disposition,
                        .flags = flags,
                        .size = disposition == WINSHM_OPEN_EXISTING ? 0 : BYTES,
                        .name = region_name,
                        .security = security};
    return winshm_open_with(&o, out);
}

/* Names that somebody else has taken before. */

static SECURITY_ATTRIBUTES *attributes_of(const char *sddl)
{
    static SECURITY_ATTRIBUTES attributes = {sizeof attributes, NULL, FALSE};
    LocalFree(attributes.lpSecurityDescriptor);
    CHECK(ConvertStringSecurityDescriptorToSecurityDescriptorA(
        sddl, SDDL_REVISION_1, &attributes.lpSecurityDescriptor, NULL));
    return &attributes;
}

struct squat {
    HANDLE section;
    char *view;
    DWORD size;
};

static struct squat squat_section(const char *suffix, const char *sddl,
                                  DWORD size, char byte)
{
    struct squat squat = {.size = size};
    SetLastError(ERROR_SUCCESS);
    squat.section =
        CreateFileMappingA(INVALID_HANDLE_VALUE, attributes_of(sddl),
                           PAGE_READWRITE, 0, size, full_name(suffix));
    CHECK(squat.section != NULL);
    CHECK_EQ(GetLastError(), ERROR_SUCCESS);
    squat.view = MapViewOfFile(squat.section, FILE_MAP_WRITE, 0, 0, size);
    CHECK(squat.view != NULL);
    memset(squat.view, byte, size);
    return squat;
}

/** It is what it was, and nobody else has it. */
static void check_untouched(struct squat *squat, const char *suffix, char byte)
{
    for (DWORD i = 0; i < squat->size; i++)
        CHECK_EQ(squat->view[i], byte);
    UnmapViewOfFile(squat->view);
    CloseHandle(squat->section);
    CHECK(OpenFileMappingA(READ_CONTROL, FALSE, full_name(suffix)) == NULL);
    CHECK_EQ(GetLastError(), ERROR_FILE_NOT_FOUND);
}

#define SOON(call, expected)                                                   \
    do {                                                                       \
        uint64_t began_ms = clock_ms();                                        \
        CHECK_STATUS(call, expected);                                          \
        CHECK(clock_ms() - began_ms < SLACK_MS);                               \
    } while (0)

/** Each way in is refused, soon, and as it should be. */
static void check_refused(winshm_status create, winshm_status open,
                          winshm_status read, winshm_status join)
{
    winshm_region *h;
    SOON(winshm_create(region_name, BYTES, 0, &h), create);
    SOON(winshm_open(region_name, 0, &h), open);
    SOON(winshm_open(region_name, WINSHM_READ, &h), read);
    SOON(winshm_open_or_create(region_name, BYTES, 0, &h), join);
}

static void test_control_name(void)
{
    static const struct {
        const char *sddl;
        DWORD size;
        winshm_status others, read;
    } cases[] = {
        {STRANGER, 4096, WINSHM_E_FOREIGN, WINSHM_E_FOREIGN},
        {STRANGER, LAYOUT_BYTES, WINSHM_E_FOREIGN, WINSHM_E_FOREIGN},
        {STRANGER, 2 * LAYOUT_BYTES, WINSHM_E_FOREIGN, WINSHM_E_FOREIGN},
        {STRANGER_SHOWS, LAYOUT_BYTES, WINSHM_E_ACCESS, WINSHM_E_FOREIGN},
        {NOBODY, LAYOUT_BYTES, WINSHM_E_ACCESS, WINSHM_E_ACCESS},
        {ANYBODY, 4096, WINSHM_E_FOREIGN, WINSHM_E_FOREIGN},
        {ANYBODY, LAYOUT_BYTES, WINSHM_E_FOREIGN, WINSHM_E_FOREIGN},
    };
    static const char bytes[] = {0, 's'};
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        size_t k = i / 2;
        char byte = bytes[i % 2];
        /* One's own block of the right size and full of zeros is new. */
        if (byte == 0 && strcmp(cases[k].sddl, ANYBODY) == 0 &&
            cases[k].size == LAYOUT_BYTES)
            continue;
        fprintf(stderr, "control: %s\n", cases[k].sddl);
        struct squat squat =
            squat_section(".winshm", cases[k].sddl, cases[k].size, byte);
        check_refused(cases[k].others, cases[k].others, cases[k].read,
                      cases[k].others);
        check_untouched(&squat, ".winshm", byte);
    }
}

static void test_data_name(void)
{
    static const struct {
        const char *sddl;
        winshm_status create, join;
    } cases[] = {
        {STRANGER, WINSHM_E_HELD, WINSHM_E_FOREIGN},
        {STRANGER_SHOWS, WINSHM_E_ACCESS, WINSHM_E_ACCESS},
        {NOBODY, WINSHM_E_ACCESS, WINSHM_E_ACCESS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fprintf(stderr, "data: %s\n", cases[i].sddl);
        struct squat squat = squat_section("", cases[i].sddl, 8192, 's');
        check_refused(cases[i].create, WINSHM_E_NOT_MANAGED,
                      WINSHM_E_NOT_MANAGED, cases[i].join);
        check_untouched(&squat, "", 's');
    }
    /* A program is no memory to share. */
    winshm_region *h;
    char path[MAX_PATH];
    GetModuleFileNameA(NULL, path, sizeof path);
    HANDLE file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, NULL,
                              OPEN_EXISTING, 0, NULL);
    HANDLE image =
        CreateFileMappingA(file, attributes_of(ANYBODY),
                           PAGE_READONLY | SEC_IMAGE, 0, 0, region_name);
    CHECK(file != INVALID_HANDLE_VALUE && image != NULL);
    check_refused(WINSHM_E_HELD, WINSHM_E_NOT_MANAGED, WINSHM_E_NOT_MANAGED,
                  WINSHM_E_KIND);
    CHECK_STATUS(winshm_open(region_name, WINSHM_RAW | WINSHM_READ, &h),
                 WINSHM_E_KIND);
    CloseHandle(image);
    CloseHandle(file);
}

/** What is the system's or this user's is as good as our own. */
static void test_trusted(void)
{
    union {
        TOKEN_USER user;
        char room[256];
    } told;
    HANDLE token;
    DWORD length;
    char *sid, self[250];
    CHECK(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
    CHECK(GetTokenInformation(token, TokenUser, &told, sizeof told, &length));
    CHECK(ConvertSidToStringSidA(told.user.User.Sid, &sid));
    snprintf(self, sizeof self, "O:%s" ANYBODY, sid);
    LocalFree(sid);
    CloseHandle(token);
    const char *cases[] = {"O:SY" ANYBODY, "O:BA" ANYBODY, self};
    for (int i = 0; i < 3; i++) {
        winshm_region *h;
        fprintf(stderr, "trusted: %s\n", cases[i]);
        struct squat squat = squat_section("", cases[i], 8192, 's');
        CHECK_OK(winshm_open_or_create(region_name, BYTES, 0, &h));
        CHECK_OK(winshm_close(h));
        check_untouched(&squat, "", 's');
    }
}

static void try_to_enter(void *disposition)
{
    winshm_region *h;
    uint64_t began = clock_ms();
    CHECK_STATUS(open_as(*(uint32_t *)disposition, NULL, 0, &h),
                 WINSHM_E_TIMEOUT);
    CHECK(clock_ms() - began >= LIFE_PATIENCE_MS);
    CHECK(clock_ms() - began < LIFE_PATIENCE_MS + SLACK_MS);
}

static void test_life_lock(void)
{
    uint32_t ways[] = {WINSHM_CREATE_NEW, WINSHM_OPEN_EXISTING,
                       WINSHM_OPEN_OR_CREATE};
    struct thread threads[3];
    winshm_region *h, *other;
    CHECK_OK(winshm_create(region_name, BYTES, 0, &h));
    HANDLE event = CreateEventA(NULL, TRUE, TRUE, full_name(".winshm.lock"));
    check_refused(WINSHM_E_KIND, WINSHM_E_KIND, WINSHM_E_KIND, WINSHM_E_KIND);
    CloseHandle(event);
    HANDLE mutex =
        CreateMutexA(attributes_of(NOBODY), FALSE, full_name(".winshm.lock"));
    CHECK_STATUS(winshm_create(region_name, BYTES, 0, &other), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_open(region_name, 0, &other), WINSHM_E_ACCESS);
    /* To look on nobody needs it. */
    CHECK_OK(winshm_open(region_name, WINSHM_READ, &other));
    CHECK_OK(winshm_close(other));
    CloseHandle(mutex);
    /* A stranger's, free, shuts nobody in or out: whoever shares the region
     * may have made it. Held, it costs time. */
    mutex =
        CreateMutexA(attributes_of(STRANGER), FALSE, full_name(".winshm.lock"));
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_OK(winshm_close(other));
    CHECK_EQ(WaitForSingleObject(mutex, 0), WAIT_OBJECT_0);
    for (int i = 0; i < 3; i++)
        threads[i] = thread_start(try_to_enter, &ways[i]);
    for (int i = 0; i < 3; i++)
        thread_join(threads[i]);
    /* Who is inside goes on. */
    CHECK_OK(winshm_write(h, 0, "x", 1, 0));
    ReleaseMutex(mutex);
    CloseHandle(mutex);
    CHECK_OK(winshm_close(h));
}

static const char *slot_name(winshm_region *h, int slot, const char *suffix)
{
    static char names[4][100];
    static unsigned next;
    static uint32_t id[4];
    winshm_info info = {.struct_size = sizeof info};
    if (h != NULL) {
        CHECK_OK(winshm_get_info(h, &info));
        memcpy(id, info.id, sizeof id);
    }
    char *name = names[next++ % 4];
    snprintf(name, sizeof names[0], "winshm.%08lx%08lx%08lx%08lx.%d%s",
             (unsigned long)id[0], (unsigned long)id[1], (unsigned long)id[2],
             (unsigned long)id[3], slot, suffix);
    return name;
}

/** Somebody keeps the control block of a life that has ended, and a presence
 * in it; then data of their own, too. */
static void test_presence(void)
{
    winshm_region *h, *other;
    HANDLE all[WINSHM_PARTICIPANTS_MAX];
    CHECK_OK(winshm_create(region_name, BYTES, 0, &h));
    const char *name = slot_name(h, 7, "");
    HANDLE control =
        OpenFileMappingA(FILE_MAP_READ, FALSE, full_name(".winshm"));
    CHECK(control != NULL);
    CHECK_OK(winshm_close(h));
    HANDLE presence = CreateMutexA(NULL, FALSE, name);
    SOON(winshm_create(region_name, BYTES, 0, &h), WINSHM_E_EXISTS);
    CloseHandle(presence);
    presence = CreateEventA(attributes_of(ANYBODY), TRUE, FALSE, name);
    check_refused(WINSHM_E_EXISTS, WINSHM_E_HELD, WINSHM_E_HELD, WINSHM_E_HELD);
    struct squat data = squat_section("", STRANGER, 8192, 's');
    check_refused(WINSHM_E_EXISTS, WINSHM_E_FOREIGN, WINSHM_E_FOREIGN,
                  WINSHM_E_FOREIGN);
    CHECK_OK(open_as(WINSHM_OPEN_EXISTING, "anyone", 0, &other));
    CHECK_OK(winshm_close(other));
    check_untouched(&data, "", 's');
    CloseHandle(presence);
    CHECK_STATUS(winshm_open(region_name, 0, &h), WINSHM_E_NOT_FOUND);
    CloseHandle(control);
    /* All places but the creator's. */
    CHECK_OK(winshm_create(region_name, BYTES, 0, &h));
    for (int i = 0; i < (int)WINSHM_PARTICIPANTS_MAX; i++)
        all[i] = CreateEventA(attributes_of(ANYBODY), TRUE, FALSE,
                              slot_name(h, i, ""));
    check_refused(WINSHM_E_EXISTS, WINSHM_E_TOO_MANY, WINSHM_E_TOO_MANY,
                  WINSHM_E_TOO_MANY);
    for (int i = 0; i < (int)WINSHM_PARTICIPANTS_MAX; i++)
        if (all[i] != NULL)
            CloseHandle(all[i]);
    CHECK_OK(winshm_close(h));
}

static void notify_later(void *h)
{
    sleep_ms(50);
    CHECK_OK(winshm_notify(h));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
}

/** Events that nobody can be woken by cost a little time. */
static void test_events(void)
{
    static const char *const suffixes[] = {".l", ".c", ".e"};
    winshm_region *h, *other;
    void *event;
    for (int sort = 0; sort < 3; sort++) {
        HANDLE squats[2][3];
        /* What one thread locks another one unlocks. */
        CHECK_OK(winshm_create(region_name, BYTES, WINSHM_TASK, &h));
        CHECK_OK(winshm_open(region_name, 0, &other));
        for (int slot = 0; slot < 2; slot++) {
            for (int i = 0; i < 3; i++) {
                const char *name = slot_name(h, slot, suffixes[i]);
                squats[slot][i] =
                    sort == 0 ? CreateMutexA(NULL, FALSE, name)
                              : CreateEventA(
                                    attributes_of(sort == 1 ? NOBODY : ANYBODY),
                                    TRUE, TRUE, name);
                CHECK(squats[slot][i] != NULL);
            }
        }
        CHECK_STATUS(winshm_wait_handle(other, &event),
                     sort == 0   ? WINSHM_E_KIND
                     : sort == 1 ? WINSHM_E_ACCESS
                                 : WINSHM_OK);
        uint64_t began = clock_ms();
        CHECK_STATUS(winshm_wait(other, 0, 100, NULL), WINSHM_E_TIMEOUT);
        CHECK(clock_ms() - began >= 99);
        CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
        struct thread thread = thread_start(notify_later, h);
        CHECK_OK(winshm_lock(other, WINSHM_EXCLUSIVE, 5000));
        CHECK_OK(winshm_wait(other, 0, 5000, NULL));
        CHECK(clock_ms() - began < SLACK_MS);
        thread_join(thread);
        CHECK_OK(winshm_unlock(other, WINSHM_EXCLUSIVE));
        CHECK_OK(winshm_close(other));
        CHECK_OK(winshm_close(h));
        for (int slot = 0; slot < 2; slot++)
            for (int i = 0; i < 3; i++)
                CloseHandle(squats[slot][i]);
    }
}

int main(void)
{
    char global[100];
    region_name = name_of("users");
    snprintf(global, sizeof global, "Global\\%s", region_name);
    test_control_name();
    test_data_name();
    test_trusted();
    test_presence();
    test_events();
    test_life_lock();
    /* What is refused there is not for want of the privilege. */
    region_name = global;
    if (global_allows("a squatter in Global\\"))
        test_data_name();
    return 0;
}
