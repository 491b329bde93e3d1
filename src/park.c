/* Parking and waking. */
#include "park.h"

#include "status.h"

uint64_t wshm_park_deadline(uint32_t timeout_ms)
{
    if (timeout_ms == WINSHM_FOREVER)
        return UINT64_MAX;
    return wshm_platform_now() + (uint64_t)timeout_ms * 1000 * 1000;
}

bool wshm_park(const struct park *park, uint32_t pid, uint64_t nanoseconds)
{
    struct region *r = park->region;
    enum platform_channel channel = park->channel;
    shared_u32 *parked = &r->slot->parked[channel];
    shared_u32 *wakes = &r->slot->wakes[channel];
    if (wshm_platform_park_prepare(&r->platform, r->me - 1, channel) !=
        WINSHM_OK) {
        wshm_error_clear(); /* sleeping will do */
        wshm_platform_sleep(nanoseconds < MILLISECOND ? nanoseconds
                                                      : MILLISECOND);
        return false;
    }
    uint32_t seen = atomic_load_explicit(wakes, memory_order_acquire);
    atomic_fetch_add_explicit(parked, 1, memory_order_seq_cst);
    if (park->flag != NULL)
        atomic_exchange_explicit(park->flag, 1, memory_order_seq_cst);
    bool over = !park->come(park->what) &&
                atomic_load_explicit(&r->closing, memory_order_seq_cst) == 0 &&
                wshm_platform_park(&r->platform, r->me - 1, channel, wakes,
                                   seen, pid, nanoseconds);
    atomic_fetch_sub_explicit(parked, 1, memory_order_relaxed);
    return over;
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
