/* A program for Visual C++ that needs no run-time: 42 says that all was well, as Wine
 * says 0 of what it could not start. */
#include <winshm.h>

__declspec(dllimport) void __stdcall ExitProcess(unsigned code);

static unsigned use(void)
{
    winshm_region *region;
    uint32_t number = 7;
    if (winshm_version() >> 16 != WINSHM_VERSION_MAJOR)
        return 1;
    if (winshm_create(0, sizeof number, 0, &region) != WINSHM_OK)
        return 2;
    if (winshm_write(region, 0, &number, sizeof number, 0) != WINSHM_OK)
        return 3;
    if (*(uint32_t *)winshm_data(region) != 7)
        return 4;
    if (winshm_close(region) != WINSHM_OK)
        return 5;
    return winshm_close(region) == WINSHM_E_CLOSED ? 42 : 6;
}

void start(void);
void start(void)
{
    ExitProcess(use());
}
