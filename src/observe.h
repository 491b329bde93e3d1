/* What an observer does, who may not write the control block: it reads by
 * version check, and looks by itself whether its region still lives, since
 * nobody knows of it and nothing that it holds keeps the region. */
#ifndef WINSHM_OBSERVE_H
#define WINSHM_OBSERVE_H

#include "handle.h"

/** What is to be done while no section runs. */
typedef winshm_status observe_action(void *subject);

/** Do it, and again if a section ran meanwhile, until it is good or fails. */
winshm_status wshm_observe(struct region *r, observe_action *action,
                           void *subject, uint32_t timeout_ms);

/** Copy without a lock: good if no section ran meanwhile. */
winshm_status wshm_observe_read(struct region *r, uint64_t offset, void *buffer,
                                uint64_t length, uint32_t timeout_ms);

/** True if the block still is of the life that was opened. A participant keeps
 * it so; before an observer's eyes it may begin anew. */
static inline bool observe_same_life(const struct region *r)
{
    for (int i = 0; i < 4; i++)
        if (atomic_load_explicit(&r->control->header.id[i],
                                 memory_order_relaxed) != r->platform.id[i])
            return false;
    return true;
}

/**
 * Tell whether an observer's region lives. Asks the system no more than ten
 * times a second, so the answer may be 0.1 s old.
 *
 * @return WINSHM_OK or WINSHM_E_NOT_FOUND.
 */
winshm_status wshm_observe_life(struct region *r);

/** The same for any handle: a participant's region lives. */
static inline winshm_status wshm_observe_any(struct region *r)
{
    return PLATFORM_LIKELY(r->slot != NULL) ? WINSHM_OK : wshm_observe_life(r);
}

#endif
