/* SPDX-License-Identifier: MIT
 *
 * notify: one program speaks, any number of others listen.
 *
 *     ./notify NAME                     listens; run it as often as you like
 *     ./notify NAME "good morning"      says this to all who listen
 *     ./notify NAME bye                 ends them
 *
 * A listener uses no processor time while nobody speaks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winshm.h>

enum { LONGEST = 200 };

static void check(winshm_status status)
{
    if (status != WINSHM_OK) {
        fprintf(stderr, "%s\n", winshm_last_message());
        exit(EXIT_FAILURE);
    }
}

static void say(winshm_region *region, const char *words)
{
    char text[LONGEST] = {0};
    snprintf(text, sizeof text, "%s", words);
    /* This one call locks, copies, unlocks and wakes the listeners. */
    check(winshm_write(region, 0, text, sizeof text, WINSHM_FOREVER));
}

static void listen_until_bye(winshm_region *region)
{
    char text[LONGEST];
    uint32_t seen;

    /* Take the counter first, then look, then wait with it: if somebody speaks
     * in between, the counter has moved on and the wait returns at once. The
     * region holds the last words, not a queue of all: whoever speaks faster
     * than we read is heard once. */
    check(winshm_change_count(region, &seen));
    puts("listening");
    fflush(stdout);
    do {
        check(winshm_wait(region, seen, WINSHM_FOREVER, &seen));
        check(winshm_read(region, 0, text, sizeof text, WINSHM_FOREVER));
        text[LONGEST - 1] = '\0'; /* Another program may have filled it all. */
        puts(text);
        fflush(stdout);
    } while (strcmp(text, "bye") != 0);
}

int main(int argc, char **argv)
{
    winshm_region *region;
    if (argc == 3) {
        /* If nobody listens there is no region, and this fails. */
        check(winshm_open(argv[1], 0, &region));
        say(region, argv[2]);
    } else if (argc == 2) {
        check(winshm_open_or_create(argv[1], LONGEST, 0, &region));
        listen_until_bye(region);
    } else {
        fputs("usage: notify NAME [WORDS]\n", stderr);
        return EXIT_FAILURE;
    }
    check(winshm_close(region));
    return 0;
}
