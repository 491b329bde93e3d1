/* Frames on the move: what a way of handing them over is made of.
 *
 * A producer stamps a frame of its own, one after the other, and gives it to its
 * consumers; each of them looks at every byte of every frame. Whatever the way, the
 * frame, the stamp and the check are the same, so that what differs is the way.
 *
 * Each page of a frame bears the frame's number, so that the sum over a frame which
 * is half of one and half of another is wrong. */
#ifndef BENCH_FRAMES_H
#define BENCH_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "../bench.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { JOB_CONSUMERS = 4, JOB_PAGE = 4096 };
/** The number of the last frame, which carries nothing. */
#define JOB_END UINT64_MAX

struct job {
    char name[128]; /* of objects; for a consumer what the producer has answered */
    uint64_t bytes;
    uint32_t boxes;     /* how many frames may be under way */
    uint32_t consumers; /* of the producer */
    uint32_t number;    /* of the consumer */
    uint64_t *frame;    /* the producer's own, or the consumer's copy */
    void *state;        /* of the way */
};

struct way {
    const char *name;
    /* The producer: make the objects, which name() then leads to. */
    void (*make)(struct job *job);
    /* Wait for the consumers, where that takes a call. */
    void (*meet)(struct job *job);
    /* Give a copy of job->frame to each consumer. */
    void (*give)(struct job *job);
    /* Wait until all is taken, where nothing else does, and let go. */
    void (*end)(struct job *job);
    /* A consumer. */
    void (*join)(struct job *job);
    /* The next frame: job->frame, or where it is. */
    const uint64_t *(*take)(struct job *job);
    void (*taken)(struct job *job);
    void (*leave)(struct job *job);
};

/** Memory of zeros. */
void *job_new(size_t bytes);

extern const struct way way_boxes, way_locked, way_bare, way_tcp, way_local;
#ifndef _WIN32
extern const struct way way_zmq, way_boost;

/** Boost is a C++ library. */
void boost_frames_make(const char *name, uint64_t bytes, uint32_t boxes);
void *boost_frames_open(const char *name);
void boost_frames_send(void *queue, const void *frame, uint64_t bytes);
void boost_frames_receive(void *queue, void *frame, uint64_t bytes);
void boost_frames_close(void *queue, const char *remove);
#endif

#ifdef __cplusplus
}
#endif

#endif
