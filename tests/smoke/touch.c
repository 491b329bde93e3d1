/* The copy of a page that is gone: in the program, and in the DLL for hosts
 * that are others. */
#include <stdio.h>

#include "smoke.h"

enum { PAGE = 4096 };

static winshm_status touch(winshm_region *region)
{
    unsigned char bytes[64];
    DWORD before;
    char *page = (char *)winshm_data(region) + PAGE;
    if (!VirtualProtect(page, PAGE, PAGE_NOACCESS, &before))
        return SMOKE_CANNOT;
    winshm_status read =
        winshm_read(region, PAGE + 100, bytes, sizeof bytes, 1000);
    winshm_status written =
        winshm_write(region, PAGE + 100, bytes, sizeof bytes, 1000);
    if (!VirtualProtect(page, PAGE, PAGE_READWRITE, &before))
        return SMOKE_CANNOT;
    winshm_status again =
        winshm_read(region, PAGE + 100, bytes, sizeof bytes, 1000);
    if (again != WINSHM_OK)
        return again;
    return read != WINSHM_E_FAULT ? read : written;
}

int smoke_touch(void)
{
    char name[64];
    winshm_region *region;
    snprintf(name, sizeof name, "smoke-touch-%lu",
             (unsigned long)GetCurrentProcessId());
    winshm_status status = winshm_create(name, 3 * PAGE, 0, &region);
    if (status != WINSHM_OK)
        return status;
    status = touch(region);
    winshm_close(region);
    return status;
}
