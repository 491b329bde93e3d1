/* SPDX-License-Identifier: MIT
 *
 * frames.h: frames of one size, such as pictures, from one process to several. None
 * is lost, and none is copied: all work in the shared memory itself. frames.c shows
 * how it is used; take this file into your own program as it is.
 *
 * The region has a head, and then two boxes or more, a frame in each. The giver
 * fills the next box while the takers look at those before, so nobody waits for
 * anybody who is not slower. A box is filled again when each taker has done with it.
 * No lock is held meanwhile: the lock is for the numbers in the head alone, which
 * winshm_write() and winshm_read() take for the time of a few bytes.
 *
 * A taker that dies is forgotten within two seconds, and a giver that dies while it
 * fills a box has given nothing. Who dies with the lock had only numbers of its own
 * to write, so whoever locks next takes it off the list and goes on. For a taker that
 * wants the newest frame and not every one, snapshots with winshm_write() and
 * winshm_read() are simpler.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <winshm.h>

enum { FRAMES_TAKERS = 8, FRAMES_PAGE = 4096, FRAMES_PATIENCE_MS = 1000 };

struct frames_taker {
    uint64_t member; /* its number as a participant; 0: a free place */
    uint64_t taken;  /* frames that it has done with */
};

/* The first bytes of the region; the first box begins at FRAMES_PAGE, and each
 * following one at a whole page, too. */
struct frames_head {
    uint64_t given; /* frames so far */
    uint64_t over;  /* 1: there will be no more */
    uint64_t bytes; /* of a frame */
    uint64_t boxes;
    struct frames_taker takers[FRAMES_TAKERS];
};

struct frames {
    winshm_region *region;
    uint64_t bytes;
    uint64_t boxes;
    uint64_t count; /* frames that this program has given or done with */
    uint64_t known; /* giver: what the slowest had taken; taker: what was given */
    uint64_t told;  /* taker: what the giver knows of count */
    uint64_t place; /* taker: where its frames_taker is */
    time_t looked;  /* when it last looked who has died */
};

static inline void frames_fail(const char *who, const char *what)
{
    fprintf(stderr, "%s %s\n", who, what);
    exit(EXIT_FAILURE);
}

static inline void frames_check(winshm_status status)
{
    if (status != WINSHM_OK)
        frames_fail("frames:", winshm_last_message());
}

static inline uint64_t frames_stride(uint64_t bytes)
{
    return (bytes + FRAMES_PAGE - 1) / FRAMES_PAGE * FRAMES_PAGE;
}

static inline void frames_lock(struct frames *frames)
{
    winshm_status status =
        winshm_lock(frames->region, WINSHM_EXCLUSIVE, WINSHM_FOREVER);
    /* The lock is ours then, too, and frames_mend() is to follow. */
    if (status != WINSHM_E_OWNER_DEAD)
        frames_check(status);
}

static inline void frames_unlock(struct frames *frames)
{
    frames_check(winshm_unlock(frames->region, WINSHM_EXCLUSIVE));
}

/* Under the lock: frees the places of takers that are no participants any more.
 * Nothing else has to be mended when somebody has died with the lock. */
static inline void frames_mend(struct frames *frames)
{
    winshm_participant there[WINSHM_PARTICIPANTS_MAX];
    uint32_t count, i, k;
    struct frames_head *head =
        (struct frames_head *)winshm_data(frames->region);
    there[0].struct_size = sizeof there[0];
    frames_check(winshm_get_participants(frames->region, there,
                                         WINSHM_PARTICIPANTS_MAX, &count));
    for (i = 0; i < FRAMES_TAKERS; i++) {
        for (k = 0; k < count && there[k].member != head->takers[i].member; k++)
            ;
        if (k == count)
            head->takers[i].member = 0;
    }
    frames_check(winshm_make_consistent(frames->region));
}

static inline void frames_forget_the_dead(struct frames *frames)
{
    frames_lock(frames);
    frames_mend(frames);
    frames_unlock(frames);
}

/* Writes one of the numbers down and wakes those who wait for it. */
static inline void frames_tell(struct frames *frames, uint64_t offset,
                               uint64_t number)
{
    winshm_status status;
    while ((status = winshm_write(frames->region, offset, &number, sizeof number,
                                  WINSHM_FOREVER)) == WINSHM_E_OWNER_DEAD)
        frames_forget_the_dead(frames);
    frames_check(status);
}

/* Gets the numbers, and the change counter as it was before: so no change is missed
 * by who waits from there on. */
static inline void frames_look(struct frames *frames, struct frames_head *head,
                               uint32_t *seen)
{
    winshm_status status;
    frames_check(winshm_change_count(frames->region, seen));
    while ((status = winshm_read(frames->region, 0, head, sizeof *head,
                                 WINSHM_FOREVER)) == WINSHM_E_OWNER_DEAD)
        frames_forget_the_dead(frames);
    frames_check(status);
}

/* How many frames one is ahead of another. The numbers are somebody else's, and
 * never further apart than there are boxes. */
static inline uint64_t frames_ahead(const struct frames *frames, uint64_t first,
                                    uint64_t second)
{
    if (first - second > frames->boxes)
        frames_fail("another program",
                    "has written over the numbers of the frames");
    return first - second;
}

/* Waits for a change. Returns 0 if it is time to look who has died, whatever the
 * change was. */
static inline int frames_wait(struct frames *frames, uint32_t seen)
{
    winshm_status status =
        winshm_wait(frames->region, seen, FRAMES_PATIENCE_MS, NULL);
    time_t now = time(NULL);
    if (status != WINSHM_E_TIMEOUT)
        frames_check(status);
    if (now == frames->looked)
        return 1;
    frames->looked = now;
    return 0;
}

static inline void *frames_box(const struct frames *frames)
{
    return (unsigned char *)winshm_data(frames->region) + FRAMES_PAGE +
           frames->count % frames->boxes * frames_stride(frames->bytes);
}

/* ---- Giver ---- */

/* boxes: at least 2. More of them let a taker be late now and then, and are worth it
 * for small frames, which otherwise are over before a sleeper has woken. */
static inline void frames_create(struct frames *frames, const char *name,
                                 uint64_t bytes, uint64_t boxes)
{
    struct frames_head head;
    memset(frames, 0, sizeof *frames);
    memset(&head, 0, sizeof head);
    head.bytes = frames->bytes = bytes;
    head.boxes = frames->boxes = boxes;
    /* Held from the first moment on, so that no taker comes upon half a head. */
    frames_check(winshm_create(name, FRAMES_PAGE + boxes * frames_stride(bytes),
                               WINSHM_CREATE_LOCKED, &frames->region));
    frames_check(winshm_write(frames->region, 0, &head, sizeof head, 0));
    frames_check(winshm_make_consistent(frames->region));
    frames_check(winshm_unlock(frames->region, WINSHM_EXCLUSIVE));
}

/* Waits until no more than this many frames are left that somebody has to take. */
static inline void frames_await(struct frames *frames, uint64_t left)
{
    struct frames_head head;
    uint64_t ahead, most;
    uint32_t seen, i;
    while (frames->count - frames->known > left) {
        frames_look(frames, &head, &seen);
        for (i = 0, most = 0; i < FRAMES_TAKERS; i++) {
            if (head.takers[i].member == 0)
                continue;
            ahead = frames_ahead(frames, frames->count, head.takers[i].taken);
            most = ahead > most ? ahead : most;
        }
        frames->known = frames->count - most;
        if (most > left && !frames_wait(frames, seen))
            frames_forget_the_dead(frames);
    }
}

/* Waits until the next box is free. Returns the place for a frame. */
static inline void *frames_room(struct frames *frames)
{
    frames_await(frames, frames->boxes - 1);
    return frames_box(frames);
}

/* Gives what is in the place that frames_room() has returned. */
static inline void frames_give(struct frames *frames)
{
    frames->count++;
    frames_tell(frames, offsetof(struct frames_head, given), frames->count);
}

/* Waits until all is taken, and ends. */
static inline void frames_end(struct frames *frames)
{
    frames_tell(frames, offsetof(struct frames_head, over), 1);
    frames_await(frames, 0);
    frames_check(winshm_close(frames->region));
}

/* ---- Taker ---- */

static inline uint64_t frames_place(const struct frames *frames)
{
    return offsetof(struct frames_head, takers) +
           frames->place * sizeof(struct frames_taker);
}

/* Whether there is nothing in the numbers that leads out of the region: they are
 * somebody else's. */
static inline int frames_fit(const struct frames_head *head, uint64_t size)
{
    return head->bytes > 0 && head->bytes <= size && head->boxes > 0 &&
           head->boxes <= (size - FRAMES_PAGE) / frames_stride(head->bytes);
}

/* From now on each frame waits for this taker. */
static inline void frames_open(struct frames *frames, const char *name)
{
    winshm_info info;
    struct frames_head head;
    struct frames_taker taker;
    memset(frames, 0, sizeof *frames);
    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    frames_check(winshm_open(name, 0, &frames->region));
    frames_check(winshm_get_info(frames->region, &info));
    if (info.size < FRAMES_PAGE)
        frames_fail(name, "has no frames");
    frames_lock(frames);
    frames_check(winshm_read(frames->region, 0, &head, sizeof head, 0));
    if (!frames_fit(&head, info.size)) {
        frames_unlock(frames);
        frames_fail(name, "has no frames");
    }
    frames->bytes = head.bytes;
    frames->boxes = head.boxes;
    frames_mend(frames);
    frames_check(winshm_read(frames->region, 0, &head, sizeof head, 0));
    while (frames->place < FRAMES_TAKERS &&
           head.takers[frames->place].member != 0)
        frames->place++;
    if (frames->place == FRAMES_TAKERS) {
        frames_unlock(frames);
        frames_fail(name, "has as many takers as there is room for");
    }
    frames->count = frames->known = frames->told = head.given;
    taker.member = info.member;
    taker.taken = head.given;
    frames_check(winshm_write(frames->region, frames_place(frames), &taker,
                              sizeof taker, 0));
    frames_unlock(frames);
}

/* Waits for the next frame, which stays as it is until frames_done(). Returns NULL
 * when there will be none any more. */
static inline const void *frames_next(struct frames *frames)
{
    struct frames_head head;
    winshm_info info;
    uint32_t seen;
    while (frames->known == frames->count) {
        frames_look(frames, &head, &seen);
        frames->known = head.given;
        if (frames_ahead(frames, frames->known, frames->count) > 0)
            break;
        if (head.over)
            return NULL;
        if (!frames_wait(frames, seen)) {
            memset(&info, 0, sizeof info);
            info.struct_size = sizeof info;
            frames_check(winshm_get_info(frames->region, &info));
            if (!info.creator_present)
                return NULL;
        }
    }
    return frames_box(frames);
}

static inline void frames_done(struct frames *frames)
{
    frames->count++;
    /* Of many boxes the giver need not hear one by one. */
    if (frames->count == frames->known ||
        (frames->count - frames->told) * 2 >= frames->boxes) {
        frames->told = frames->count;
        frames_tell(frames,
                    frames_place(frames) + offsetof(struct frames_taker, taken),
                    frames->count);
    }
}

static inline void frames_leave(struct frames *frames)
{
    frames_tell(frames, frames_place(frames), 0);
    frames_check(winshm_close(frames->region));
}

#endif
