/* SPDX-License-Identifier: MIT
 *
 * parts: a region that is too large to be mapped as a whole.
 *
 *     ./parts NAME              records 64 pictures and keeps them
 *     ./parts NAME 17           looks at one of them, in another terminal
 *
 * A 32-bit program has 2 or 3 GiB of address space for everything. Opening with
 * WINSHM_NO_MAP takes none of it, and a view no more than the part it shows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winshm.h>

enum { PICTURES = 64, PICTURE_BYTES = 512 * 512 };

static void check(winshm_status status)
{
    if (status != WINSHM_OK) {
        fprintf(stderr, "%s\n", winshm_last_message());
        exit(EXIT_FAILURE);
    }
}

static void record(winshm_region *region)
{
    for (int i = 0; i < PICTURES; i++) {
        winshm_view *view;
        check(winshm_map(region, (uint64_t)i * PICTURE_BYTES, PICTURE_BYTES, 0,
                         &view));
        memset(winshm_view_data(view), i, PICTURE_BYTES);
        check(winshm_unmap(view));
    }
}

static void look(winshm_region *region, int picture)
{
    winshm_view *view;
    /* The number may be anything: a part outside the region is refused. */
    check(winshm_map(region, (uint64_t)picture * PICTURE_BYTES, PICTURE_BYTES,
                     WINSHM_READ, &view));
    const unsigned char *pixels = (const unsigned char *)winshm_view_data(view);
    check(winshm_lock(region, WINSHM_SHARED, WINSHM_FOREVER));
    printf("picture %d: the first pixel is %d, the last %d\n", picture,
           pixels[0], pixels[PICTURE_BYTES - 1]);
    check(winshm_unlock(region, WINSHM_SHARED));
    check(winshm_unmap(view));
}

int main(int argc, char **argv)
{
    winshm_region *region;
    if (argc == 2) {
        /* We hold the lock from the first moment on, so whoever is early waits
         * until the recording is complete. */
        uint64_t size = (uint64_t)PICTURES * PICTURE_BYTES;
        check(winshm_create(argv[1], size, WINSHM_NO_MAP | WINSHM_CREATE_LOCKED,
                            &region));
        record(region);
        check(winshm_make_consistent(region));
        check(winshm_unlock(region, WINSHM_EXCLUSIVE));
        puts("recorded. Press Enter to throw it away.");
        fflush(stdout);
        getchar();
    } else if (argc == 3) {
        check(winshm_open(argv[1], WINSHM_READ | WINSHM_NO_MAP, &region));
        look(region, atoi(argv[2]));
    } else {
        fputs("usage: parts NAME [PICTURE]\n", stderr);
        return EXIT_FAILURE;
    }
    check(winshm_close(region));
    return 0;
}
