/* Waiting for one's turn at the lock: spin, seat, park, probe. */
#ifndef WINSHM_TURN_H
#define WINSHM_TURN_H

#include "handle.h"

/** One request that could not be granted at once. */
struct turn {
    struct region *region;
    uint32_t exclusive; /* SEAT_EXCLUSIVE or 0 */
    uint32_t seat;      /* what the seat holds if it is this request's */
    uint64_t began;
    uint64_t deadline;
    uint32_t stale_seat; /* somebody else's, seen before a free lock */
    uint64_t stale_since;
    bool overslept; /* not woken by anybody: nothing is about to happen */
};

void wshm_turn_begin(struct turn *turn, struct region *r, bool exclusive,
                     uint64_t deadline);

/**
 * Wait until the request may try.
 *
 * @return WINSHM_OK; WINSHM_E_TIMEOUT: it may try one last time, without
 *         regard to others; WINSHM_E_CLOSED; WINSHM_E_CORRUPT.
 */
winshm_status wshm_turn_wait(struct turn *turn);

/** Wait until a slot's readers are out. The caller owns the word. */
winshm_status wshm_turn_drain(struct region *r, uint32_t slot,
                              uint64_t deadline);

/** End the request; granted: it got the lock. Those whom its seat held up, or
 * whose wake-up it has had without using it, are woken. */
void wshm_turn_end(struct turn *turn, bool granted);

#endif
