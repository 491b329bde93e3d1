/* Change notification: a counter and those who wait for it to move. */
#ifndef WINSHM_CHANGE_H
#define WINSHM_CHANGE_H

#include "handle.h"

static inline uint32_t wshm_change_count(const struct region *r)
{
    return atomic_load_explicit(&r->control->change.count,
                                memory_order_seq_cst);
}

void wshm_change_notify(struct region *r);
winshm_status wshm_change_wait(struct region *r, uint32_t seen,
                               uint32_t timeout_ms);
/** The descriptor that is readable after each change from now on. */
winshm_status wshm_change_descriptor(struct region *r, int32_t *fd);

winshm_status wshm_change_event(struct region *r, void **handle);

#endif
