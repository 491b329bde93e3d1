/* SPDX-License-Identifier: MIT
 *
 * drift: programs that no longer agree on what they share.
 *
 *     ./drift NAME              keeps a game, until you press Enter
 *     ./drift NAME old          is what was built before `lives` got larger
 *     ./drift NAME ask          has never heard of the game, and prints what it
 * is
 *
 * Run the first in one terminal and the others in a second one. Without a
 * layout the old program would read a quarter of a number and go on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winshm.h>

struct position {
    float x, y;
};

struct game {
    uint32_t score;
    uint32_t lives;
    char player[16];
    struct position boxes[3];
};

/* The names in quotes, offsets, kinds and counts are the compiler's own. */
static const winshm_field position_fields[] = {
    WINSHM_FIELD(struct position, x),
    WINSHM_FIELD(struct position, y),
};
static const winshm_field game_fields[] = {
    WINSHM_FIELD(struct game, score),
    WINSHM_FIELD(struct game, lives),
    WINSHM_FIELD(struct game, player),
    WINSHM_NESTED_ARRAY(struct game, boxes, position_fields),
};

/* The same a year ago. It had the same size, so that it was not told by that.
 */
struct old_game {
    uint32_t score;
    uint8_t lives;
    char player[16];
    struct position boxes[3];
};

static const winshm_field old_game_fields[] = {
    WINSHM_FIELD(struct old_game, score),
    WINSHM_FIELD(struct old_game, lives),
    WINSHM_FIELD(struct old_game, player),
    WINSHM_NESTED_ARRAY(struct old_game, boxes, position_fields),
};

static void check(winshm_status status)
{
    if (status != WINSHM_OK) {
        fprintf(stderr, "%s\n", winshm_last_message());
        exit(EXIT_FAILURE);
    }
}

static winshm_region *enter(const char *name, const winshm_field *fields,
                            uint32_t count, uint64_t size)
{
    char layout[WINSHM_LAYOUT_MAX + 1];
    uint32_t length;
    check(winshm_format_layout(fields, count, size, layout, sizeof layout,
                               &length));
    winshm_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.disposition = WINSHM_OPEN_OR_CREATE;
    options.name = name;
    options.size = size;
    options.layout = layout;
    winshm_region *region;
    check(winshm_open_with(&options, &region));
    return region;
}

static void ask(const char *name)
{
    char layout[WINSHM_LAYOUT_MAX + 1];
    uint32_t length;
    winshm_region *region;
    check(winshm_open(name, WINSHM_READ, &region));
    check(winshm_get_layout(region, layout, sizeof layout, &length));
    puts(layout);
    check(winshm_close(region));
}

int main(int argc, char **argv)
{
    if (argc == 2) {
        winshm_region *region =
            enter(argv[1], game_fields, 4, sizeof(struct game));
        puts("the game is on. Press Enter to end it.");
        fflush(stdout);
        getchar();
        check(winshm_close(region));
    } else if (argc == 3 && strcmp(argv[2], "old") == 0) {
        check(winshm_close(
            enter(argv[1], old_game_fields, 4, sizeof(struct old_game))));
    } else if (argc == 3 && strcmp(argv[2], "ask") == 0) {
        ask(argv[1]);
    } else {
        fputs("usage: drift NAME [old|ask]\n", stderr);
        return EXIT_FAILURE;
    }
    return 0;
}
