/* The shortest sleep lasts as long as the system's clock takes from tick to
 * tick, which is up to 16 ms on Windows, and 1 ms under Wine. Here it is made
 * longer: what is bounded in time stays so, above all under the life lock. */
#include <windows.h>

#include "check.h"
#include "child.h"
#include "instrument.h"

enum { TICK_MS = 40, BYTES = 5000 };

static _Atomic uint32_t sleeps;

static int32_t tick(struct instrument_site *site, const volatile void *address)
{
    (void)address;
    if (strcmp(site->name, "Sleep") == 0) {
        sleeps++;
        Sleep(TICK_MS);
    }
    return 0;
}

/** Checks how long it took, in sleeps, which a busy machine makes fewer. */
static void check_took(const char *what, winshm_status status,
                       winshm_status expected, uint32_t most_ms)
{
    uint32_t slept = sleeps;
    sleeps = 0;
    fprintf(stderr, "%s: %lu sleeps\n", what, (unsigned long)slept);
    CHECK_STATUS(status, expected);
    CHECK(slept <= most_ms / TICK_MS + 1);
}

static const char *slot_name(winshm_region *h, int slot)
{
    static char name[100];
    winshm_info info = {.struct_size = sizeof info};
    uint32_t id[4];
    CHECK_OK(winshm_get_info(h, &info));
    memcpy(id, info.id, sizeof id);
    snprintf(name, sizeof name, "winshm.%08lx%08lx%08lx%08lx.%d",
             (unsigned long)id[0], (unsigned long)id[1], (unsigned long)id[2],
             (unsigned long)id[3], slot);
    return name;
}

/** Somebody keeps a participant's place of a region that has ended. */
static void test_witness(const char *name)
{
    winshm_region *h;
    char control_name[100];
    snprintf(control_name, sizeof control_name, "%s.winshm", name);
    CHECK_OK(winshm_create(name, BYTES, 0, &h));
    HANDLE control = OpenFileMappingA(FILE_MAP_READ, FALSE, control_name);
    CHECK(control != NULL);
    HANDLE presence = CreateEventA(NULL, TRUE, FALSE, slot_name(h, 7));
    CHECK(presence != NULL);
    CHECK_OK(winshm_close(h));
    sleeps = 0;
    check_took("joining a remnant", winshm_open(name, 0, &h), WINSHM_E_HELD,
               200);
    CloseHandle(presence);
    CloseHandle(control);
}

/** Somebody keeps the name of the data. */
static void test_data(const char *name)
{
    winshm_region *h;
    HANDLE data = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE,
                                     0, BYTES, name);
    CHECK(data != NULL);
    sleeps = 0;
    check_took("creating where a block is", winshm_create(name, BYTES, 0, &h),
               WINSHM_E_HELD, 20);
    check_took("creating a raw one", winshm_create(name, BYTES, WINSHM_RAW, &h),
               WINSHM_E_EXISTS, 0);
    CloseHandle(data);
}

/** All places are taken. */
static void test_places(const char *name)
{
    winshm_region *h, *other;
    HANDLE all[WINSHM_PARTICIPANTS_MAX];
    CHECK_OK(winshm_create(name, BYTES, 0, &h));
    for (int i = 0; i < (int)WINSHM_PARTICIPANTS_MAX; i++)
        all[i] = CreateEventA(NULL, TRUE, FALSE, slot_name(h, i));
    sleeps = 0;
    check_took("joining a full region", winshm_open(name, 0, &other),
               WINSHM_E_TOO_MANY, 5);
    for (int i = 0; i < (int)WINSHM_PARTICIPANTS_MAX; i++)
        if (all[i] != NULL)
            CloseHandle(all[i]);
    CHECK_OK(winshm_close(h));
}

int main(void)
{
    const char *name = name_of("tick");
    instrument_set_hook(tick);
    test_witness(name);
    test_data(name);
    test_places(name);
    return 0;
}
