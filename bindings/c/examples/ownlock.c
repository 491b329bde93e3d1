/* SPDX-License-Identifier: MIT
 *
 * ownlock: locks of your own, one for each part of a region.
 *
 *     ./ownlock NAME PART       PART is 0 to 7
 *
 * Run it in two terminals. While one works on a part, the other can work on
 * another one; for the same part it waits. End the first with Ctrl+C while it
 * has a part, and the second gets it and is told.
 *
 * Words in the region say who has which part. The region's lock guards only
 * these words, for as long as it takes to look at them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winshm.h>

#define PARTS 8

/* Who has the part: the number of a participant, which no other one gets as
 * long as the region exists; or 0. */
struct locks {
    uint64_t owner[PARTS];
};

static const winshm_field locks_fields[] = {WINSHM_FIELD(struct locks, owner)};

static void check(winshm_status status)
{
    if (status != WINSHM_OK) {
        fprintf(stderr, "%s\n", winshm_last_message());
        exit(EXIT_FAILURE);
    }
}

static winshm_region *enter(const char *name)
{
    char layout[WINSHM_LAYOUT_MAX + 1];
    uint32_t length;
    winshm_options options;
    winshm_region *region;
    check(winshm_format_layout(locks_fields, 1, sizeof(struct locks), layout,
                               sizeof layout, &length));
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.disposition = WINSHM_OPEN_OR_CREATE;
    options.name = name;
    options.size = sizeof(struct locks);
    options.layout = layout;
    check(winshm_open_with(&options, &region));
    return region;
}

static uint64_t *begin(winshm_region *region)
{
    winshm_status status =
        winshm_lock(region, WINSHM_EXCLUSIVE, WINSHM_FOREVER);
    /* A word is written or it is not, so a death in between left nothing to
     * repair. */
    if (status == WINSHM_E_OWNER_DEAD)
        status = winshm_make_consistent(region);
    check(status);
    return ((struct locks *)winshm_data(region))->owner;
}

static void end(winshm_region *region)
{
    check(winshm_unlock(region, WINSHM_EXCLUSIVE));
}

static int is_present(winshm_region *region, uint64_t member)
{
    winshm_participant all[WINSHM_PARTICIPANTS_MAX];
    uint32_t count;
    all[0].struct_size = sizeof all[0];
    check(
        winshm_get_participants(region, all, WINSHM_PARTICIPANTS_MAX, &count));
    for (uint32_t i = 0; i < count; i++) {
        if (all[i].member == member)
            return 1;
    }
    return 0;
}

/* Takes a part, for which it waits. Returns whether its owner has died. */
static int take(winshm_region *region, uint64_t me, unsigned part)
{
    for (;;) {
        /* The counter first, then a look: so a release in between ends the
         * wait. */
        uint32_t seen;
        check(winshm_change_count(region, &seen));
        uint64_t *owner = begin(region);
        uint64_t found = owner[part];
        /* It took part when it took the lock, so if it is not there now, it has
         * died, or left without a word. Of those who wait one takes its place.
         */
        int is_free = found == 0 || !is_present(region, found);
        if (is_free)
            owner[part] = me;
        end(region);
        if (is_free)
            return found != 0;

        /* A death notifies nobody, so look for it from time to time. */
        winshm_status status = winshm_wait(region, seen, 200, &seen);
        if (status != WINSHM_E_TIMEOUT)
            check(status);
    }
}

static void release(winshm_region *region, unsigned part)
{
    begin(region)[part] = 0;
    end(region);
    check(winshm_notify(region));
}

int main(int argc, char **argv)
{
    unsigned part = argc == 3 ? (unsigned)atoi(argv[2]) : PARTS;
    if (part >= PARTS) {
        fputs("usage: ownlock NAME PART, which is 0 to 7\n", stderr);
        return EXIT_FAILURE;
    }
    winshm_region *region = enter(argv[1]);
    winshm_info info;
    info.struct_size = sizeof info;
    check(winshm_get_info(region, &info));

    if (take(region, info.member, part))
        printf("Who had part %u has died, and may have left it half written.\n",
               part);
    printf("Part %u is yours, until you press Enter.\n", part);
    fflush(stdout);
    getchar();
    release(region, part);
    check(winshm_close(region));
    return 0;
}
