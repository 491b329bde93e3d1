/* SPDX-License-Identifier: MIT
 *
 * frames: pictures from one program to several, none lost and none copied.
 *
 *     ./frames NAME             gives five hundred pictures
 *     ./frames NAME take        takes them; run it as often as you like before
 *
 * frames.h is how it is done. Programs in other languages take part as well: each has
 * an example called frames.
 */
#include "frames.h"

/* A picture of 320 by 240 is the same number all over. */
enum { FRAMES = 500, PIXELS = 320 * 240 };

static void give(const char *name)
{
    struct frames frames;
    frames_create(&frames, name, PIXELS * sizeof(uint32_t), 3);
    puts("start the takers in other terminals, then press Enter here");
    fflush(stdout);
    getchar();
    for (uint32_t number = 0; number < FRAMES; number++) {
        uint32_t *pixels = (uint32_t *)frames_room(&frames);
        for (int i = 0; i < PIXELS; i++)
            pixels[i] = number;
        frames_give(&frames);
    }
    frames_end(&frames);
    printf("gave %d frames\n", FRAMES);
}

static int take(const char *name)
{
    struct frames frames;
    const uint32_t *pixels;
    uint32_t taken = 0, whole = 0;
    frames_open(&frames, name);
    puts("taking");
    fflush(stdout);
    for (; (pixels = (const uint32_t *)frames_next(&frames)) != NULL; taken++) {
        uint32_t other = 0;
        for (int i = 0; i < PIXELS; i++)
            other |= pixels[i] ^ taken;
        whole += other == 0;
        frames_done(&frames);
    }
    frames_leave(&frames);
    printf("took %u frames, %u of them whole and in order\n", (unsigned)taken,
           (unsigned)whole);
    return whole == taken ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[2], "take") == 0)
        return take(argv[1]);
    if (argc != 2) {
        fputs("usage: frames NAME [take]\n", stderr);
        return EXIT_FAILURE;
    }
    give(argv[1]);
    return EXIT_SUCCESS;
}
