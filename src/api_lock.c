/* The exported functions of the lock. There is a short path for the handle's
 * first thread where nobody is in the way. Whatever else there is goes on out
 * of line. */
#include "api.h"
#include "lock.h"

/** @param r NULL: not begun. @param half what wshm_lock_try_*() said. */
static PLATFORM_NOINLINE winshm_status lock_slowly(winshm_region *region,
                                                   struct region *r,
                                                   uint32_t mode,
                                                   uint32_t timeout_ms,
                                                   bool half)
{
    static const char function[] = "winshm_lock";
    if (r == NULL)
        r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = participates(r, true);
    if (mode != WINSHM_EXCLUSIVE && mode != WINSHM_SHARED)
        status = WINSHM_E_INVALID;
    if (status == WINSHM_OK && !half && wshm_lock_held(r) != 0)
        status = WINSHM_E_DEADLOCK;
    if (status == WINSHM_OK)
        status = wshm_lock_recordable(r, mode);
    if (status == WINSHM_OK)
        status = half ? wshm_lock_finish(r, mode, timeout_ms)
                      : wshm_lock(r, mode, timeout_ms);
    if (status == WINSHM_OK ||
        (status == WINSHM_E_OWNER_DEAD && mode == WINSHM_EXCLUSIVE))
        wshm_lock_record(r, mode);
    return finish_on_block(function, r, status);
}

winshm_status WINSHM_CALL winshm_lock(winshm_region *region, uint32_t mode,
                                      uint32_t timeout_ms)
{
    struct region *r = wshm_region_begin_first(region);
    bool half = false;
    if (!PLATFORM_LIKELY(r != NULL && r->locks != 0))
        return lock_slowly(region, r, mode, timeout_ms, false);
    if (PLATFORM_LIKELY(mode == WINSHM_EXCLUSIVE)) {
        if (!PLATFORM_LIKELY(wshm_lock_try_exclusive(r, &half)))
            return lock_slowly(region, r, mode, timeout_ms, half);
        atomic_store_explicit(&r->owner, wshm_platform_thread(),
                              memory_order_relaxed);
        wshm_region_end_first(r);
        return WINSHM_OK;
    }
    if (!PLATFORM_LIKELY(mode == WINSHM_SHARED &&
                         atomic_load_explicit(&r->own, memory_order_relaxed) ==
                             0 &&
                         wshm_lock_try_shared(r, true, &half)))
        return lock_slowly(region, r, mode, timeout_ms, half);
    atomic_store_explicit(&r->own, 1, memory_order_relaxed);
    wshm_region_end_first(r);
    return WINSHM_OK;
}

/** @param r NULL: not begun. */
static PLATFORM_NOINLINE winshm_status unlock_slowly(winshm_region *region,
                                                     struct region *r,
                                                     uint32_t mode)
{
    static const char function[] = "winshm_unlock";
    if (r == NULL)
        r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = participates(r, true);
    if (mode != WINSHM_EXCLUSIVE && mode != WINSHM_SHARED)
        status = WINSHM_E_INVALID;
    if (status == WINSHM_OK)
        status = wshm_unlock(r, mode);
    return finish_on_block(function, r, status);
}

/** The rest of an unlock that somebody may be waiting for. */
static PLATFORM_NOINLINE winshm_status wake_and_end(struct region *r,
                                                    uint32_t mode)
{
    wshm_lock_wake_after(r, mode);
    wshm_region_end_first(r);
    return WINSHM_OK;
}

winshm_status WINSHM_CALL winshm_unlock(winshm_region *region, uint32_t mode)
{
    struct region *r = wshm_region_begin_first(region);
    if (!PLATFORM_LIKELY(r != NULL && r->locks != 0))
        return unlock_slowly(region, r, mode);
    if (PLATFORM_LIKELY(mode == WINSHM_EXCLUSIVE)) {
        if (!PLATFORM_LIKELY(wshm_lock_release_exclusive(r)))
            return unlock_slowly(region, r, mode);
    } else if (!PLATFORM_LIKELY(mode == WINSHM_SHARED &&
                                wshm_lock_release_shared(r))) {
        return unlock_slowly(region, r, mode);
    }
    if (!PLATFORM_LIKELY(!lock_awaited(r, mode)))
        return wake_and_end(r, mode);
    wshm_region_end_first(r);
    return WINSHM_OK;
}

winshm_status WINSHM_CALL winshm_make_consistent(winshm_region *region)
{
    static const char function[] = "winshm_make_consistent";
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = participates(r, true);
    if (status == WINSHM_OK)
        status = wshm_lock_make_consistent(r);
    return finish_on_block(function, r, status);
}
