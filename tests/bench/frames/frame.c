#include "frame.h"

/** Any odd number: words differ from each other. */
static const uint64_t mix = 0x9E3779B97F4A7C15u;

void frame_paint(uint64_t *frame, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes / 8; i++)
        frame[i] = i * mix;
}

void frame_stamp(uint64_t *frame, uint64_t bytes, uint64_t number,
                 uint64_t time)
{
    for (uint64_t i = 0; i < bytes / 8; i += FRAME_WORDS)
        frame[i] = number;
    frame[1] = time;
}

/** Four at a time, as the processor can do it. */
uint64_t frame_sum(const uint64_t *frame, uint64_t bytes)
{
    uint64_t a = 0, b = 0, c = 0, d = 0;
    for (uint64_t i = 0; i < bytes / 8; i += 4) {
        a += frame[i];
        b += frame[i + 1];
        c += frame[i + 2];
        d += frame[i + 3];
    }
    return a + b + c + d;
}

uint64_t frame_right_sum(uint64_t bytes, uint64_t number, uint64_t time)
{
    uint64_t words = bytes / 8, pages = bytes / FRAME_PAGE;
    uint64_t painted = words * (words - 1) / 2 - 1 -
                       FRAME_WORDS * (pages * (pages - 1) / 2);
    return mix * painted + pages * number + time;
}
