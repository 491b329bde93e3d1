#include <stdio.h>
#include <winshm.h>

int main(void)
{
    winshm_region *region;
    if (winshm_create(NULL, 100, 0, &region) != WINSHM_OK) {
        puts(winshm_last_message());
        return 1;
    }
    return winshm_close(region) != WINSHM_OK;
}
