/* A thread for which the system has no memory left to keep its number: it may
 * call, is told that it cannot lock, and is in nobody's way afterwards. */
#include <windows.h>

#include "check.h"
#include "child.h"
#include "instrument.h"

static _Atomic uint32_t refusing;

static int32_t refuse(struct instrument_site *site,
                      const volatile void *address)
{
    (void)address;
    return refusing && strcmp(site->name, "TlsSetValue") == 0
               ? ERROR_NOT_ENOUGH_MEMORY
               : 0;
}

static void use(void *h)
{
    uint32_t now;
    refusing = 1;
    for (uint32_t mode = WINSHM_SHARED; mode <= WINSHM_EXCLUSIVE; mode++) {
        CHECK_STATUS(winshm_lock(h, mode, 0), WINSHM_E_NO_MEMORY);
        CHECK_STATUS(winshm_unlock(h, mode), WINSHM_E_NOT_OWNER);
    }
    CHECK_OK(winshm_notify(h));
    CHECK_OK(winshm_change_count(h, &now));
    refusing = 0;
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
}

int main(void)
{
    winshm_region *regions[2];
    const char *names[] = {name_of("number-1"), name_of("number-2")};
    instrument_set_hook(refuse);
    for (int i = 0; i < 2; i++)
        CHECK_OK(winshm_create(names[i], 100, 0, &regions[i]));
    /* One has a first thread already, the other gets it there. */
    CHECK_OK(winshm_notify(regions[0]));
    for (int i = 0; i < 2; i++) {
        thread_join(thread_start(use, regions[i]));
        uint64_t began = clock_ms();
        CHECK_OK(winshm_close(regions[i]));
        CHECK(clock_ms() - began < 1000);
    }
    return 0;
}
