/* The exported functions that use a region: parts, copies, lock, change. */
#include "api.h"
#include "change.h"
#include "copy.h"
#include "lock.h"
#include "observe.h"
#include "status.h"
#include "view.h"

/** What calls on the lock and the counter need. */
static inline winshm_status participates(const struct region *r, bool locks)
{
    if (r->control == NULL || (locks && r->lock_kind == WINSHM_LOCK_NONE))
        return WINSHM_E_UNSUPPORTED;
    if (wshm_region_lost(r))
        return WINSHM_E_CORRUPT;
    return r->slot == NULL ? WINSHM_E_ACCESS : WINSHM_OK;
}

static winshm_status in_range(const struct region *r, uint64_t offset,
                              uint64_t length)
{
    return offset > r->size || length > r->size - offset ? WINSHM_E_RANGE
                                                         : WINSHM_OK;
}

/* Parts and copies. */

winshm_status WINSHM_CALL winshm_map(winshm_region *region, uint64_t offset,
                                     uint64_t length, uint32_t flags,
                                     winshm_view **out)
{
    static const char function[] = "winshm_map";
    if (out != NULL)
        *out = NULL;
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    bool writes = (r->access & WINSHM_WRITE) != 0;
    winshm_status status = in_range(r, offset, length);
    if (out == NULL || length == 0 ||
        (flags & ~(WINSHM_READ | WINSHM_WRITE)) != 0)
        status = WINSHM_E_INVALID;
    else if ((flags & WINSHM_WRITE) != 0 && !writes)
        status = WINSHM_E_ACCESS;
    if (status == WINSHM_OK)
        status = wshm_view_map(r, offset, length,
                               writes && flags != WINSHM_READ, out);
    return finish(function, r, status);
}

void *WINSHM_CALL winshm_view_data(winshm_view *view)
{
    struct view *v = wshm_view_find(view);
    if (v != NULL)
        return v->part.data;
    wshm_error_report("winshm_view_data", NULL, wshm_view_refusal(view));
    return NULL;
}

uint64_t WINSHM_CALL winshm_view_size(winshm_view *view)
{
    struct view *v = wshm_view_find(view);
    if (v != NULL)
        return v->length;
    wshm_error_report("winshm_view_size", NULL, wshm_view_refusal(view));
    return 0;
}

winshm_status WINSHM_CALL winshm_unmap(winshm_view *view)
{
    if (view == NULL)
        return WINSHM_OK;
    winshm_status status = wshm_view_unmap(view);
    if (status == WINSHM_OK)
        wshm_error_clear(); /* what could not be removed was no failure */
    return wshm_error_report("winshm_unmap", NULL, status);
}

static winshm_status readable(const struct region *r, uint64_t offset,
                              const void *buffer, uint64_t length)
{
    return buffer == NULL && length != 0 ? WINSHM_E_INVALID
                                         : in_range(r, offset, length);
}

static winshm_status writable(const struct region *r, uint64_t offset,
                              const void *buffer, uint64_t length)
{
    winshm_status status = readable(r, offset, buffer, length);
    return status == WINSHM_OK && (r->access & WINSHM_WRITE) == 0
               ? WINSHM_E_ACCESS
               : status;
}

winshm_status WINSHM_CALL winshm_read(winshm_region *region, uint64_t offset,
                                      void *buffer, uint64_t length,
                                      uint32_t timeout_ms)
{
    static const char function[] = "winshm_read";
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = readable(r, offset, buffer, length);
    if (status == WINSHM_OK)
        status = wshm_copy_read(r, offset, buffer, length, timeout_ms);
    return finish(function, r, status);
}

winshm_status WINSHM_CALL winshm_write(winshm_region *region, uint64_t offset,
                                       const void *buffer, uint64_t length,
                                       uint32_t timeout_ms)
{
    static const char function[] = "winshm_write";
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = writable(r, offset, buffer, length);
    if (status == WINSHM_OK)
        status = wshm_copy_write(r, offset, buffer, length, timeout_ms);
    return finish_on_block(function, r, status);
}

winshm_status WINSHM_CALL winshm_copy_out(winshm_region *region,
                                          uint64_t offset, void *buffer,
                                          uint64_t length)
{
    static const char function[] = "winshm_copy_out";
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = readable(r, offset, buffer, length);
    if (status == WINSHM_OK)
        status = wshm_copy_out(r, offset, buffer, length);
    return finish_on_block(function, r, status);
}

winshm_status WINSHM_CALL winshm_copy_in(winshm_region *region, uint64_t offset,
                                         const void *buffer, uint64_t length)
{
    static const char function[] = "winshm_copy_in";
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = writable(r, offset, buffer, length);
    if (status == WINSHM_OK)
        status = wshm_copy_in(r, offset, buffer, length);
    return finish_on_block(function, r, status);
}

/* Lock. */

/* There is a short path for the handle's first thread where nobody is in the
 * way. Whatever else there is goes on out of line. */

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

/* Change. */

winshm_status WINSHM_CALL winshm_notify(winshm_region *region)
{
    static const char function[] = "winshm_notify";
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = participates(r, false);
    if (status == WINSHM_OK)
        wshm_change_notify(r);
    return finish_on_block(function, r, status);
}

winshm_status WINSHM_CALL winshm_wait(winshm_region *region, uint32_t seen,
                                      uint32_t timeout_ms, uint32_t *now)
{
    static const char function[] = "winshm_wait";
    if (now != NULL)
        *now = 0;
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = WINSHM_E_UNSUPPORTED;
    if (r->control != NULL) {
        status = wshm_change_wait(r, seen, timeout_ms);
        bool looked = status == WINSHM_OK || status == WINSHM_E_TIMEOUT;
        if (now != NULL && looked && !wshm_region_lost(r))
            *now = wshm_change_count(r);
    }
    return finish_on_block(function, r, status);
}

winshm_status WINSHM_CALL winshm_change_count(winshm_region *region,
                                              uint32_t *now)
{
    static const char function[] = "winshm_change_count";
    if (now != NULL)
        *now = 0;
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = WINSHM_OK;
    if (now == NULL)
        status = WINSHM_E_INVALID;
    else if (r->slot == NULL)
        status =
            r->control == NULL ? WINSHM_E_UNSUPPORTED : wshm_observe_life(r);
    if (status == WINSHM_OK && wshm_region_lost(r))
        status = WINSHM_E_CORRUPT;
    if (status != WINSHM_OK)
        return wshm_api_fail(function, r, status);
    *now = wshm_change_count(r);
    wshm_region_end(r);
    return WINSHM_OK;
}

winshm_status WINSHM_CALL winshm_wait_handle(winshm_region *region,
                                             void **handle)
{
    static const char function[] = "winshm_wait_handle";
    if (handle != NULL)
        *handle = NULL;
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = WINSHM_E_INVALID;
    if (handle != NULL) {
        wshm_error_clear();
        status = participates(r, false);
    }
    if (status == WINSHM_OK)
        status = wshm_change_event(r, handle);
    return finish_on_block(function, r, status);
}
