/* Integrity levels: what the creator's descriptor says holds for every object
 * of the region, since whoever may write the data has to be able to take part,
 * and whoever may not must not be able to hold others up.
 *
 * Wine keeps the level of an object, and lets it mean nothing. */
#include <windows.h>

#include <sddl.h>

#include "check.h"
#include "child.h"

#define NO_WRITE SYSTEM_MANDATORY_LABEL_NO_WRITE_UP
#define NO_READ SYSTEM_MANDATORY_LABEL_NO_READ_UP

static const char *region_name;

/** Checks and closes. */
static void check_label(const char *what, HANDLE object, DWORD mask,
                        const char *level)
{
    static union {
        SYSTEM_MANDATORY_LABEL_ACE *entry;
        char room[1024];
    } read;
    SYSTEM_MANDATORY_LABEL_ACE *entry;
    BOOL present = FALSE, defaulted;
    PACL list = NULL;
    DWORD length;
    char *is;
    fprintf(stderr, "%s: %s\n", what, level != NULL ? level : "none");
    CHECK(object != NULL);
    CHECK(GetKernelObjectSecurity(object, LABEL_SECURITY_INFORMATION, &read,
                                  sizeof read, &length));
    CHECK(GetSecurityDescriptorSacl(&read, &present, &list, &defaulted));
    CloseHandle(object);
    bool labelled = present && list != NULL && list->AceCount != 0;
    CHECK(labelled == (level != NULL));
    if (level == NULL)
        return;
    CHECK_EQ(list->AceCount, 1);
    CHECK(GetAce(list, 0, (void **)&entry));
    CHECK_EQ(entry->Header.AceType, SYSTEM_MANDATORY_LABEL_ACE_TYPE);
    CHECK_EQ(entry->Mask, mask);
    CHECK(ConvertSidToStringSidA(&entry->SidStart, &is));
    CHECK(strcmp(is, level) == 0);
    LocalFree(is);
}

static HANDLE section_of(const char *suffix)
{
    char name[100];
    snprintf(name, sizeof name, "%s%s", region_name, suffix);
    return OpenFileMappingA(READ_CONTROL, FALSE, name);
}

/** An event of the region's creator. */
static HANDLE event_of(winshm_region *h, const char *suffix)
{
    winshm_info info = {.struct_size = sizeof info};
    uint32_t id[4];
    char name[100];
    CHECK_OK(winshm_get_info(h, &info));
    memcpy(id, info.id, sizeof id);
    snprintf(name, sizeof name, "winshm.%08lx%08lx%08lx%08lx.0%s",
             (unsigned long)id[0], (unsigned long)id[1], (unsigned long)id[2],
             (unsigned long)id[3], suffix);
    return OpenEventA(READ_CONTROL, FALSE, name);
}

static winshm_region *create_as(const char *security)
{
    winshm_region *h;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = 100,
                        .name = region_name,
                        .security = security};
    CHECK_OK(winshm_open_with(&o, &h));
    return h;
}

/** The life lock is there only while somebody is about to enter. */
static HANDLE life_lock;

static void wait_for_life_lock(void *name)
{
    uint64_t end = clock_ms() + PATIENCE_MS;
    while (life_lock == NULL && clock_ms() < end)
        life_lock = OpenMutexA(READ_CONTROL, FALSE, name);
}

static HANDLE life_lock_of(const char *security, bool create)
{
    char name[100];
    winshm_region *h, *joined;
    snprintf(name, sizeof name, "%s.winshm.lock", region_name);
    h = create ? NULL : create_as(security);
    life_lock = NULL;
    struct thread thread = thread_start(wait_for_life_lock, name);
    do {
        if (create)
            joined = create_as(security);
        else
            CHECK_OK(winshm_open(region_name, 0, &joined));
        CHECK_OK(winshm_close(joined));
    } while (*(HANDLE volatile *)&life_lock == NULL);
    thread_join(thread);
    CHECK_OK(winshm_close(h));
    return life_lock;
}

static void check_region(const char *security, DWORD mask, const char *level)
{
    void *event;
    check_label("life lock, created", life_lock_of(security, true), mask,
                level);
    check_label("life lock, joined", life_lock_of(security, false), mask,
                level);
    winshm_region *h = create_as(security), *other;
    check_label("data", section_of(""), mask, level);
    check_label("control", section_of(".winshm"), mask, level);
    CHECK_OK(winshm_wait_handle(h, &event));
    check_label("event for loops", event_of(h, ".e"), mask, level);
    CHECK_STATUS(winshm_wait(h, 0, 5, NULL), WINSHM_E_TIMEOUT);
    check_label("event of changes", event_of(h, ".c"), mask, level);
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_OK(winshm_lock(other, WINSHM_EXCLUSIVE, 0));
    CHECK_STATUS(winshm_lock(h, WINSHM_SHARED, 20), WINSHM_E_TIMEOUT);
    check_label("event of locks", event_of(h, ".l"), mask, level);
    CHECK_OK(winshm_unlock(other, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
}

int main(void)
{
    region_name = name_of("label");
    check_region(NULL, 0, NULL);
    check_region("D:P(A;;GA;;;WD)", 0, NULL);
    check_region("D:P(A;;GA;;;WD)S:(ML;;NW;;;LW)", NO_WRITE, "S-1-16-4096");
    check_region("D:P(A;;GA;;;WD)S:(ML;;NRNW;;;ME)", NO_WRITE | NO_READ,
                 "S-1-16-8192");
    return 0;
}
