/* The frame that is moved, and how it is checked; see frames.h. Python on Windows, which
 * has no numpy there, calls these. */
#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H

#include <stdint.h>

#ifdef _WIN32
#define FRAME_API __declspec(dllexport)
#else
#define FRAME_API
#endif

enum { FRAME_PAGE = 4096, FRAME_WORDS = FRAME_PAGE / 8 };

/** Fills a frame with words that differ. bytes: a whole number of pages. */
FRAME_API void frame_paint(uint64_t *frame, uint64_t bytes);
/** Each page gets the number, and the second word the time. */
FRAME_API void frame_stamp(uint64_t *frame, uint64_t bytes, uint64_t number,
                           uint64_t time);
/** The sum of all words. */
FRAME_API uint64_t frame_sum(const uint64_t *frame, uint64_t bytes);
/** What the sum of a frame with these stamps must be. */
FRAME_API uint64_t frame_right_sum(uint64_t bytes, uint64_t number,
                                   uint64_t time);

#endif
