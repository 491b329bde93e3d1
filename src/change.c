/* Change notification. Unlike the lock's, waits for a change are long, so the
 * notifier pays for a fence (its addition is one) and no wake-up is lost while
 * it lives; the slice only makes good what a notifier's death has lost. */
#include "change.h"

#include "observe.h"
#include "park.h"
#include "status.h"

static const uint64_t SLICE = 500 * MILLISECOND;

static void set_events(struct region *r)
{
    uint32_t limit = wshm_park_limit(r->control);
    for (uint32_t slot = 0; slot < limit; slot++)
        if (atomic_load(&r->control->slots[slot].event) != 0)
            wshm_platform_event_set(&r->platform, slot);
}

void wshm_change_notify(struct region *r)
{
    struct layout_change *change = &r->control->change;
    atomic_fetch_add_explicit(&change->count, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&change->parked, memory_order_seq_cst) != 0) {
        /* Cleared first: who announces itself later also sees the count. */
        atomic_exchange_explicit(&change->parked, 0, memory_order_seq_cst);
        wshm_park_wake_parked(r, PLATFORM_CHANGE);
    }
    if (atomic_load_explicit(&change->events, memory_order_seq_cst) != 0)
        set_events(r);
}

static bool spin(const struct region *r, uint32_t seen, uint64_t now)
{
    uint64_t end = now + wshm_platform_spin_time();
    do {
        for (int i = 0; i < 16; i++) {
            if (wshm_change_count(r) != seen)
                return true;
            wshm_platform_pause();
        }
    } while (wshm_platform_now() < end);
    return false;
}

/** An observer may not announce itself, so nobody can wake it. */
static void poll(uint64_t began, uint64_t now, uint64_t left)
{
    uint64_t pause =
        now - began < 50 * MILLISECOND ? MILLISECOND : 5 * MILLISECOND;
    wshm_platform_sleep(pause < left ? pause : left);
}

struct change_seen {
    const struct region *region;
    uint32_t seen;
};

static bool changed(void *since)
{
    const struct change_seen *it = since;
    return wshm_change_count(it->region) != it->seen;
}

static winshm_status unchanged(uint32_t timeout_ms)
{
    return wshm_error_detail(WINSHM_E_TIMEOUT, "no change within {a} ms",
                             "Nobody has called winshm_notify() or "
                             "winshm_write() meanwhile.",
                             timeout_ms, 0, 0);
}

winshm_status wshm_change_wait(struct region *r, uint32_t seen,
                               uint32_t timeout_ms)
{
    winshm_status life = wshm_observe_any(r);
    if (life != WINSHM_OK)
        return life;
    if (wshm_change_count(r) != seen)
        return WINSHM_OK;
    if (timeout_ms == 0)
        return unchanged(0);
    uint64_t began = wshm_platform_now();
    uint64_t deadline = wshm_park_deadline(timeout_ms);
    uint64_t now = began;
    struct change_seen since = {r, seen};
    struct park park = {r, PLATFORM_CHANGE, &r->control->change.parked, changed,
                        &since};
    for (;;) {
        if (spin(r, seen, now)) /* or a new life has cleared it */
            return wshm_observe_any(r);
        if (atomic_load_explicit(&r->closing, memory_order_relaxed) != 0)
            return WINSHM_E_CLOSED;
        if (wshm_region_lost(r))
            return WINSHM_E_CORRUPT;
        if (wshm_observe_any(r) != WINSHM_OK)
            return WINSHM_E_NOT_FOUND;
        now = wshm_platform_now();
        if (now >= deadline)
            return unchanged(timeout_ms);
        uint64_t left = deadline - now < SLICE ? deadline - now : SLICE;
        if (r->slot == NULL)
            poll(began, now, left);
        else
            wshm_park(&park, 0, left);
        now = wshm_platform_now();
    }
}

winshm_status wshm_change_event(struct region *r, void **handle)
{
    winshm_status status = wshm_platform_event(&r->platform, r->me - 1, handle);
    if (status == WINSHM_OK) {
        atomic_store(&r->slot->event, 1);
        atomic_store(&r->control->change.events, 1);
    }
    return status;
}

/** A platform_watch of a region: it goes on across closes that are refused. */
static bool watch(void *subject, uint32_t *seen, bool *more)
{
    struct region *r = subject;
    for (;;) {
        winshm_status status = wshm_change_wait(r, *seen, WINSHM_FOREVER);
        *more = status == WINSHM_OK;
        if (status == WINSHM_OK)
            *seen = wshm_change_count(r);
        if (status != WINSHM_E_CLOSED)
            return true;
        if (atomic_load(&r->closing) == CLOSE_DONE)
            return false;
        wshm_platform_sleep(MILLISECOND);
    }
}

winshm_status wshm_change_descriptor(struct region *r, int32_t *fd)
{
    winshm_status life = wshm_observe_any(r);
    if (life != WINSHM_OK)
        return life;
    int cancellation = wshm_platform_uncancellable();
    winshm_status status = wshm_platform_descriptor(&r->platform, watch, r,
                                                    wshm_change_count(r), fd);
    wshm_platform_cancellable(cancellation);
    return status;
}
