/* The exported functions of the lock. There is a short path for the handle's
 * first thread where nobody is in the way. Whatever else there is goes on out
 * of line. */
#include "api.h"
#include "lock.h"
#include "status.h"

static winshm_status check_mode(uint32_t mode)
{
    return mode == WINSHM_EXCLUSIVE || mode == WINSHM_SHARED
               ? WINSHM_OK
               : wshm_error_detail(WINSHM_E_INVALID, "mode is {a}",
                                   "It is WINSHM_SHARED or WINSHM_EXCLUSIVE.",
                                   mode, 0, 0);
}

/** In which mode this thread holds the lock. */
static const char *how_held(const struct region *r)
{
    return wshm_lock_held(r) == WINSHM_SHARED ? "it holds it in shared mode"
                                              : "it holds it in exclusive mode";
}

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
    winshm_status status = wshm_api_participates(r, true);
    if (status == WINSHM_OK)
        status = check_mode(mode);
    if (status == WINSHM_OK && !half && wshm_lock_held(r) != 0)
        status = WINSHM_E_DEADLOCK;
    if (status == WINSHM_OK)
        status = wshm_lock_recordable(r, mode);
    if (status == WINSHM_OK)
        status = half ? wshm_lock_finish(r, mode, timeout_ms)
                      : wshm_lock(r, mode, timeout_ms);
    bool told = status == WINSHM_E_OWNER_DEAD && mode == WINSHM_EXCLUSIVE;
    if (told)
        wshm_error_because(status, "the data may be half written",
                           "This call has taken the lock all the same: repair "
                           "the data, call winshm_make_consistent(), unlock.");
    if (status == WINSHM_E_DEADLOCK)
        wshm_error_because(status, how_held(r), NULL);
    if (status == WINSHM_OK || told)
        wshm_lock_record(r, mode);
    return finish_on_block(function, r, status);
}

/** The rest of an exclusive lock whose word was taken, where readers have been
 * seen in this life. */
static PLATFORM_NOINLINE winshm_status lock_past_readers(winshm_region *region,
                                                         struct region *r,
                                                         uint32_t timeout_ms)
{
    struct layout_control *control = r->control;
    struct layout_lock *lock = &control->lock;
    if (!PLATFORM_LIKELY(lock_readers_out(control, lock_shown(lock))))
        return lock_slowly(region, r, WINSHM_EXCLUSIVE, timeout_ms, true);
    lock_begin_section(lock);
    atomic_store_explicit(&r->owner, wshm_platform_thread(),
                          memory_order_relaxed);
    wshm_region_end_first(r);
    return WINSHM_OK;
}

winshm_status WINSHM_CALL winshm_lock(winshm_region *region, uint32_t mode,
                                      uint32_t timeout_ms)
{
    struct region *r = wshm_region_begin_first(region);
    bool half = false;
    if (!PLATFORM_LIKELY(r != NULL))
        return lock_slowly(region, r, mode, timeout_ms, false);
    if (PLATFORM_LIKELY(mode == WINSHM_EXCLUSIVE)) {
        if (!PLATFORM_LIKELY(r->locks != 0))
            return lock_slowly(region, r, mode, timeout_ms, false);
        struct layout_lock *lock = &r->control->lock;
        if (!PLATFORM_LIKELY(lock_take_word(lock, r->locks)))
            return lock_slowly(region, r, mode, timeout_ms, false);
        if (!PLATFORM_LIKELY(lock_shown(lock) == 0))
            return lock_past_readers(region, r, timeout_ms);
        lock_begin_section(lock);
        atomic_store_explicit(&r->owner, wshm_platform_thread(),
                              memory_order_relaxed);
        wshm_region_end_first(r);
        return WINSHM_OK;
    }
    /* Whoever has held it shared before is one who may. */
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
    winshm_status status = wshm_api_participates(r, true);
    if (status == WINSHM_OK)
        status = check_mode(mode);
    if (status == WINSHM_OK)
        status = wshm_unlock(r, mode);
    if (status == WINSHM_E_NOT_OWNER && wshm_lock_held(r) != 0)
        wshm_error_because(status, how_held(r),
                           "Unlock in the mode that was locked.");
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
    /* What is held of a handle that has no lock is nothing. */
    if (!PLATFORM_LIKELY(r != NULL))
        return unlock_slowly(region, r, mode);
    const struct layout_lock *lock = NULL;
    if (PLATFORM_LIKELY(mode == WINSHM_EXCLUSIVE))
        lock = wshm_lock_release_exclusive(r);
    else if (PLATFORM_LIKELY(mode == WINSHM_SHARED))
        lock = wshm_lock_release_shared(r);
    if (!PLATFORM_LIKELY(lock != NULL))
        return unlock_slowly(region, r, mode);
    if (!PLATFORM_LIKELY(!lock_awaited(lock, mode)))
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
    winshm_status status = wshm_api_participates(r, true);
    if (status == WINSHM_OK)
        status = wshm_lock_make_consistent(r);
    if (status == WINSHM_E_NOT_OWNER && wshm_lock_held(r) == WINSHM_SHARED)
        wshm_error_because(status, how_held(r), "Lock exclusively for that.");
    return finish_on_block(function, r, status);
}
