/* Parking and waking, shared by the lock and by change notification.
 *
 * A wake-up is a hint. Whoever parks has announced it (the slot's count, then
 * the common flag) and looks again before it sleeps; whoever wakes clears the
 * flag before it looks at the counts. What is lost all the same, because its
 * sender died, is made good by the end of the sleeper's slice. */
#ifndef WINSHM_PARK_H
#define WINSHM_PARK_H

#include "handle.h"

/** The end of a time-out in wshm_platform_now() terms. */
uint64_t wshm_park_deadline(uint32_t timeout_ms);

/** How many slots have been used in this life; never more than there are. */
static inline uint32_t wshm_park_limit(const struct layout_control *control)
{
    uint32_t used =
        atomic_load_explicit(&control->counts.slots_used, memory_order_seq_cst);
    return used < LAYOUT_SLOTS ? used : LAYOUT_SLOTS;
}

/** What a thread of this handle sleeps for. */
struct park {
    struct region *region;
    enum platform_channel channel;
    shared_u32 *flag;     /* the common one; NULL: wakers need none */
    bool (*come)(void *); /* true if it is there and nobody need sleep */
    void *what;           /* what come() is asked about */
};

/**
 * Sleep until woken, until pid's process ends, or for the given time; not at
 * all if what is waited for has come, or the handle is being closed.
 *
 * @param pid 0, or a process whose end is worth waking for.
 * @return true if it was not woken: the time was over.
 */
bool wshm_park(const struct park *park, uint32_t pid, uint64_t nanoseconds);

/** Wake the threads of one slot, or of all slots where some are parked. */
void wshm_park_wake(struct region *r, uint32_t slot,
                    enum platform_channel channel);
void wshm_park_wake_parked(struct region *r, enum platform_channel channel);

#endif
