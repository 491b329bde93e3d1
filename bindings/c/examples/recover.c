/* SPDX-License-Identifier: MIT
 *
 * recover: what to do when a program dies in the middle of a change.
 *
 *     ./recover NAME            books ten whenever you press Enter; q quits
 *     ./recover NAME crash      books one side and dies while holding the lock
 *
 * Run the first in one terminal and the second in another; then press Enter in
 * the first.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winshm.h>

/* A booking changes both sides: while nobody holds the lock they are equal. */
struct book {
    int64_t debit;
    int64_t credit;
};

static void check(winshm_status status)
{
    if (status != WINSHM_OK) {
        fprintf(stderr, "%s\n", winshm_last_message());
        exit(EXIT_FAILURE);
    }
}

static void lock(winshm_region *region)
{
    struct book *book = (struct book *)winshm_data(region);
    winshm_status status =
        winshm_lock(region, WINSHM_EXCLUSIVE, WINSHM_FOREVER);
    if (status == WINSHM_E_OWNER_DEAD) {
        /* The lock is ours; the program that held it died before it could
         * unlock. How to make the data whole again only we can know. */
        printf("found %" PRId64 " and %" PRId64 ", repaired\n", book->debit,
               book->credit);
        book->credit = book->debit;
        /* Until this call the data count as broken. If we died before it, the
         * next program to lock would repair them. */
        status = winshm_make_consistent(region);
    }
    check(status);
}

static void book_ten(winshm_region *region, int crash)
{
    struct book *book = (struct book *)winshm_data(region);
    lock(region);
    book->debit += 10;
    if (crash)
        abort(); /* A bug, a kill, no more memory: it makes no difference. */
    book->credit += 10;
    printf("debit %" PRId64 ", credit %" PRId64 "\n", book->debit,
           book->credit);
    check(winshm_unlock(region, WINSHM_EXCLUSIVE));
}

int main(int argc, char **argv)
{
    int crash = argc == 3 && strcmp(argv[2], "crash") == 0;
    if (argc != 2 && !crash) {
        fputs("usage: recover NAME [crash]\n", stderr);
        return EXIT_FAILURE;
    }

    winshm_region *region;
    check(winshm_open_or_create(argv[1], sizeof(struct book), 0, &region));
    do {
        book_ten(region, crash);
        fflush(stdout);
    } while (getchar() == '\n');
    check(winshm_close(region));
    return 0;
}
