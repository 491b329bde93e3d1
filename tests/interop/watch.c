/* watch REGION N: shows the counter of the programs called share until it has
 * reached N. Started first, it creates the region for all of them. */
#include <stdio.h>
#include <stdlib.h>
#include <winshm.h>

static void must(winshm_status status)
{
    if (status != WINSHM_OK) {
        fprintf(stderr, "watch: %s\n", winshm_last_message());
        exit(1);
    }
}

int main(int argc, char **argv)
{
    uint64_t counter = 0, shown = 1, copy;
    uint64_t target = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    uint32_t seen = 0;
    winshm_region *region;
    must(winshm_open_or_create(argc > 1 ? argv[1] : "", 4096 + 3 * 262144, 0,
                               &region));
    for (;;) {
        winshm_status status = winshm_read(region, 0, &copy, sizeof copy, 1000);
        /* Who holds the lock for long or dies with it is to be waited for. */
        if (status != WINSHM_E_TIMEOUT && status != WINSHM_E_OWNER_DEAD) {
            must(status);
            counter = copy;
        }
        if (counter != shown)
            printf("C, %d bits: the counter is %llu of %llu\n",
                   (int)sizeof(void *) * 8, (unsigned long long)counter,
                   (unsigned long long)target);
        fflush(stdout);
        shown = counter;
        if (counter >= target)
            return winshm_close(region) != WINSHM_OK;
        /* Those who count do not notify, so as a rule this is a pause. */
        status = winshm_wait(region, seen, 400, &seen);
        if (status != WINSHM_E_TIMEOUT)
            must(status);
    }
}
