/* How large a region is, and making it larger: what the model growth.pml in
 * tests/model searches. */
#include "growth.h"

#include "change.h"
#include "observe.h"
#include "park.h"
#include "status.h"

/** How often a reader looks again. Each time the region has grown meanwhile,
 * which takes longer than the look: more is nobody's work but an attacker's. */
enum { LOOKS = 100 };

/** A close is heard this soon by who waits for the life lock. */
static const uint64_t SLICE = 50 * MILLISECOND;

/** What turn makes of the size that was known when r was opened. */
static uint64_t size_at(const struct region *r, uint32_t turn)
{
    return turn == 0 ? r->size
                     : shared_load(&r->control->growth.size[turn & 1]);
}

/** Fetches the size whole. @return false: it did not stand still. */
static bool look(const struct region *r, uint64_t *size)
{
    const struct layout_growth *growth = &r->control->growth;
    for (int looks = 0; looks < LOOKS; looks++) {
        uint32_t turn =
            atomic_load_explicit(&growth->turn, memory_order_acquire);
        *size = size_at(r, turn);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&growth->turn, memory_order_relaxed) == turn)
            return true;
    }
    return false;
}

winshm_status wshm_growth_published(struct region *r, uint64_t *size)
{
    uint64_t seen;
    bool whole = look(r, &seen);
    *size = r->size;
    /* Afterwards: the id goes before anything else changes. */
    if (r->slot == NULL && !observe_same_life(r))
        return WINSHM_E_NOT_FOUND;
    if (!whole || seen < r->size || seen > r->capacity)
        return WINSHM_E_CORRUPT;
    *size = seen;
    return WINSHM_OK;
}

winshm_status wshm_growth_keep_out(struct region *r, uint64_t deadline)
{
    uint64_t pause = 20 * MICROSECOND;
    for (;;) {
        uint32_t none = 0;
        /* At the end of the process whoever had it is dead. */
        if (atomic_compare_exchange_strong(&r->growing, &none, 1) ||
            wshm_platform_ending())
            return WINSHM_OK;
        if (atomic_load(&r->closing) != CLOSE_NONE)
            return WINSHM_E_CLOSED;
        if (wshm_platform_now() >= deadline)
            return wshm_error_because(
                WINSHM_E_TIMEOUT,
                "another thread was inside resize of it all the time", NULL);
        wshm_platform_sleep(pause);
        pause = pause < MILLISECOND ? pause * 2 : pause;
    }
}

void wshm_growth_let_in(struct region *r)
{
    atomic_store(&r->growing, 0);
}

/** Takes the life lock, and gives up when the handle is being closed. */
static winshm_status reenter(struct region *r, uint64_t deadline)
{
    for (;;) {
        uint64_t now = wshm_platform_now();
        bool last = now >= deadline || deadline - now <= SLICE;
        winshm_status status =
            wshm_platform_reenter(&r->platform, last ? deadline : now + SLICE);
        if (status != WINSHM_E_TIMEOUT || last)
            return status;
        if (atomic_load(&r->closing) != CLOSE_NONE)
            return WINSHM_E_CLOSED;
        wshm_error_clear();
    }
}

static void publish(struct layout_growth *growth, uint64_t size)
{
    uint32_t turn = atomic_load_explicit(&growth->turn, memory_order_acquire);
    /* 0 is for what has never grown. */
    uint32_t next = turn + 1 != 0 ? turn + 1 : 2;
    /* Who still reads what is filled now shall see that turn has moved on. */
    atomic_thread_fence(memory_order_release);
    shared_store(&growth->size[next & 1], size);
    atomic_store_explicit(&growth->turn, next, memory_order_release);
}

static winshm_status less(uint64_t size, uint64_t now)
{
    return wshm_error_detail(WINSHM_E_SIZE,
                             "size is {a}, and the region has {b} bytes",
                             "A region never gets smaller.", size, now, 0);
}

/** Under the life lock. @param grown [out] whether there is news. */
static winshm_status grow(struct region *r, uint64_t size, bool *grown)
{
    uint64_t now;
    winshm_status status = wshm_growth_size(r, &now);
    if (status != WINSHM_OK || size == now)
        return status;
    if (size < now)
        return less(size, now);
    status = wshm_platform_data_grow(&r->platform, now, size);
    *grown = status == WINSHM_OK;
    if (*grown)
        publish(&r->control->growth, size);
    return status;
}

winshm_status wshm_growth_resize(struct region *r, uint64_t size,
                                 uint32_t timeout_ms)
{
    uint64_t now;
    winshm_status status = wshm_growth_size(r, &now);
    if (status != WINSHM_OK || size == now)
        return status;
    if (size < now)
        return less(size, now);
    if (size > r->capacity)
        return wshm_error_detail(
            WINSHM_E_SIZE, "size is {a}, and the region's capacity {b}",
            "Its creator can give it more with winshm_options.capacity.", size,
            r->capacity, 0);
    bool grown = false;
    uint64_t deadline = wshm_park_deadline(timeout_ms);
    int cancellation = wshm_platform_uncancellable();
    status = wshm_growth_keep_out(r, deadline);
    if (status == WINSHM_OK) {
        status = reenter(r, deadline);
        if (status == WINSHM_OK) {
            status = grow(r, size, &grown);
            wshm_platform_entered(&r->platform);
        }
        wshm_growth_let_in(r);
    }
    if (grown)
        wshm_change_notify(r);
    wshm_platform_cancellable(cancellation);
    return status;
}
