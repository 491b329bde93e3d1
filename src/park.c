/* Parking and waking. */
#include "park.h"

uint64_t wshm_park_deadline(uint32_t timeout_ms)
{
    if (timeout_ms == WINSHM_FOREVER)
        return UINT64_MAX;
    return wshm_platform_now() + (uint64_t)timeout_ms * 1000 * 1000;
}

winshm_status wshm_park_announce(struct region *r,
                                 enum platform_channel channel, uint32_t *seen)
{
    winshm_status status =
        wshm_platform_park_prepare(&r->platform, r->me - 1, channel);
    if (status != WINSHM_OK)
        return status;
    *seen =
        atomic_load_explicit(&r->slot->wakes[channel], memory_order_acquire);
    atomic_fetch_add_explicit(&r->slot->parked[channel], 1,
                              memory_order_seq_cst);
    return WINSHM_OK;
}

void wshm_park_withdraw(struct region *r, enum platform_channel channel)
{
    atomic_fetch_sub_explicit(&r->slot->parked[channel], 1,
                              memory_order_relaxed);
}

void wshm_park_sleep(struct region *r, enum platform_channel channel,
                     uint32_t seen, uint32_t pid, uint64_t nanoseconds)
{
    wshm_platform_park(&r->platform, r->me - 1, channel,
                       &r->slot->wakes[channel], seen, pid, nanoseconds);
}

void wshm_park_wake(struct region *r, uint32_t slot,
                    enum platform_channel channel)
{
    shared_u32 *wakes = &r->control->slots[slot].wakes[channel];
    atomic_fetch_add_explicit(wakes, 1, memory_order_seq_cst);
    wshm_platform_wake(&r->platform, slot, channel, wakes);
}

void wshm_park_wake_parked(struct region *r, enum platform_channel channel)
{
    uint32_t limit = wshm_park_limit(r->control);
    for (uint32_t slot = 0; slot < limit; slot++) {
        if (atomic_load_explicit(&r->control->slots[slot].parked[channel],
                                 memory_order_seq_cst) != 0)
            wshm_park_wake(r, slot, channel);
    }
}
