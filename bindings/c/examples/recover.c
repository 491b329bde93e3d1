/* SPDX-License-Identifier: MIT
 *
 * recover: what to do when a program dies in the middle of a change.
 *
 *     ./recover NAME            looks after the accounts when you press Enter
 *     ./recover NAME crash      changes one account and dies holding the lock
 *
 * Run the first in one terminal and the second in another; then press Enter in
 * the first.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winshm.h>

/* Money goes from one to the other, and together they always have 100. */
struct accounts {
    int64_t mine;
    int64_t yours;
};

static void check(winshm_status status)
{
    if (status != WINSHM_OK) {
        fprintf(stderr, "%s\n", winshm_last_message());
        exit(EXIT_FAILURE);
    }
}

static winshm_region *enter(const char *name)
{
    /* Whoever creates the region has its lock at once, and so nobody reads the
     * accounts before they are filled. */
    winshm_region *region;
    check(winshm_open_or_create(name, sizeof(struct accounts),
                                WINSHM_CREATE_LOCKED, &region));
    winshm_info info;
    info.struct_size = sizeof info;
    check(winshm_get_info(region, &info));
    if (info.origin != WINSHM_ORIGIN_OPENED) {
        ((struct accounts *)winshm_data(region))->mine = 100;
        check(winshm_make_consistent(region));
        check(winshm_unlock(region, WINSHM_EXCLUSIVE));
    }
    return region;
}

static void lock(winshm_region *region)
{
    struct accounts *accounts = (struct accounts *)winshm_data(region);
    winshm_status status =
        winshm_lock(region, WINSHM_EXCLUSIVE, WINSHM_FOREVER);
    if (status == WINSHM_E_OWNER_DEAD) {
        /* The lock is ours; the program that held it died before it could
         * unlock. How to make the data whole again only we can know. */
        printf("found %" PRId64 " and %" PRId64 "\n", accounts->mine,
               accounts->yours);
        accounts->yours = 100 - accounts->mine;
        /* Until this call the data count as broken. If we died before it, the
         * next program to lock would repair them. */
        status = winshm_make_consistent(region);
    }
    check(status);
}

int main(int argc, char **argv)
{
    int crash = argc == 3 && strcmp(argv[2], "crash") == 0;
    if (argc != 2 && !crash) {
        fputs("usage: recover NAME [crash]\n", stderr);
        return EXIT_FAILURE;
    }

    winshm_region *region = enter(argv[1]);
    struct accounts *accounts = (struct accounts *)winshm_data(region);
    if (crash) {
        lock(region);
        accounts->mine -= 30;
        abort(); /* A bug, a kill, no more memory: it makes no difference. */
    }

    puts("crash in another terminal, then press Enter here");
    fflush(stdout);
    getchar();
    lock(region);
    printf("the accounts have %" PRId64 " and %" PRId64 "\n", accounts->mine,
           accounts->yours);
    check(winshm_unlock(region, WINSHM_EXCLUSIVE));
    check(winshm_close(region));
    return 0;
}
