/* SPDX-License-Identifier: MIT
 *
 * counter: programs that count together.
 *
 *     ./counter NAME
 *
 * Run it in two terminals with the same name: each adds a million, and no
 * addition is lost. When the last program has left, the region is gone, and the
 * next one starts at zero.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <winshm.h>

/* The message says what went wrong, and what to do about it. */
static void check(winshm_status status)
{
    if (status != WINSHM_OK) {
        fprintf(stderr, "%s\n", winshm_last_message());
        exit(EXIT_FAILURE);
    }
}

static void lock(winshm_region *region)
{
    winshm_status status =
        winshm_lock(region, WINSHM_EXCLUSIVE, WINSHM_FOREVER);
    /* This is not a failure: the lock is ours, but the program that held it
     * died, perhaps halfway through a change. A single number cannot be half
     * written, so there is nothing to repair. In recover.c there is. */
    if (status == WINSHM_E_OWNER_DEAD)
        status = winshm_make_consistent(region);
    check(status);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: counter NAME\n", stderr);
        return EXIT_FAILURE;
    }

    /* Whoever comes first creates the region, all zeros; the others join it. */
    winshm_region *region;
    check(winshm_open_or_create(argv[1], sizeof(uint64_t), 0, &region));
    uint64_t *counter = (uint64_t *)winshm_data(region);

    for (int i = 0; i < 1000000; i++) {
        lock(region);
        ++*counter;
        check(winshm_unlock(region, WINSHM_EXCLUSIVE));
    }

    lock(region);
    uint64_t total = *counter;
    check(winshm_unlock(region, WINSHM_EXCLUSIVE));
    printf("%" PRIu64 ". Press Enter to leave.\n", total);
    fflush(stdout);
    getchar();
    check(winshm_close(region));
    return 0;
}
