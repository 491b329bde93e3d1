/* SPDX-License-Identifier: MIT
 *
 * frames: pictures from one program to several, none lost and none copied.
 *
 *     ./frames NAME             gives a thousand pictures
 *     ./frames take NAME        takes them; run it as often as you like before
 *
 * frames.h is how it is done. Programs in other languages take part as well: each has
 * an example called frames.
 */
#include "frames.h"

/* A picture of 640 by 480 is the same number all over. */
enum { FRAMES = 1000, PIXELS = 640 * 480 };

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
    if (argc == 3 && strcmp(argv[1], "take") == 0)
        return take(argv[2]);
    if (argc != 2) {
        fputs("usage: frames NAME\n       frames take NAME\n", stderr);
        return EXIT_FAILURE;
    }
    give(argv[1]);
    return EXIT_SUCCESS;
}
