/* Copies out of and into a region. */
#include "copy.h"

#include "change.h"
#include "lock.h"
#include "observe.h"
#include "park.h"
#include "part.h"
#include "status.h"

winshm_status wshm_copy_read(struct region *r, uint64_t offset, void *buffer,
                             uint64_t length, uint32_t timeout_ms)
{
    winshm_status status;
    if (r->slot == NULL && r->control != NULL)
        return wshm_observe_read(r, offset, buffer, length, timeout_ms);
    if (length == 0)
        return WINSHM_OK;
    if (r->lock_kind == WINSHM_LOCK_NONE)
        return wshm_part_read(r, offset, buffer, length);
    if (length <= COPY_BRIEF &&
        wshm_copy_undisturbed(r, offset, buffer, length, &status))
        return status;
    if (wshm_region_lost(r))
        return WINSHM_E_CORRUPT;
    /* Nobody but this thread could release it. */
    if (wshm_lock_held(r) != 0)
        return wshm_part_read(r, offset, buffer, length);
    status = wshm_lock(r, WINSHM_SHARED, timeout_ms);
    if (status != WINSHM_OK)
        return status;
    status = wshm_part_read(r, offset, buffer, length);
    wshm_lock_release(r, WINSHM_SHARED);
    return wshm_region_lost(r) ? WINSHM_E_CORRUPT : status;
}

static winshm_status write_locked(struct region *r, uint64_t offset,
                                  const void *buffer, uint64_t length,
                                  uint32_t timeout_ms)
{
    uint32_t held =
        r->lock_kind == WINSHM_LOCK_NONE ? WINSHM_EXCLUSIVE : wshm_lock_held(r);
    if (held == WINSHM_EXCLUSIVE)
        return wshm_part_write(r, offset, buffer, length);
    if (held == WINSHM_SHARED)
        return wshm_error_because(WINSHM_E_DEADLOCK,
                                  "it holds it in shared mode", NULL);
    winshm_status status = wshm_lock(r, WINSHM_EXCLUSIVE, timeout_ms);
    if (status == WINSHM_OK)
        status = wshm_part_write(r, offset, buffer, length);
    else if (status != WINSHM_E_OWNER_DEAD)
        return status;
    wshm_lock_release(r, WINSHM_EXCLUSIVE);
    return status;
}

static winshm_status notified(struct region *r, winshm_status status)
{
    if (status == WINSHM_OK && r->slot != NULL)
        wshm_change_notify(r);
    return status;
}

winshm_status wshm_copy_write(struct region *r, uint64_t offset,
                              const void *buffer, uint64_t length,
                              uint32_t timeout_ms)
{
    winshm_status status = WINSHM_OK;
    if (wshm_region_lost(r))
        return WINSHM_E_CORRUPT;
    if (length != 0)
        status = write_locked(r, offset, buffer, length, timeout_ms);
    return notified(r, status);
}

/** Whether a copy may go without taking the lock. */
static winshm_status held(const struct region *r, bool exclusively)
{
    if (r->slot == NULL && r->control != NULL)
        return WINSHM_E_ACCESS;
    if (r->lock_kind == WINSHM_LOCK_NONE)
        return WINSHM_OK;
    if (wshm_region_lost(r))
        return WINSHM_E_CORRUPT;
    return wshm_lock_held_by_handle(r, exclusively) ? WINSHM_OK
                                                    : WINSHM_E_NOT_OWNER;
}

winshm_status wshm_copy_out(struct region *r, uint64_t offset, void *buffer,
                            uint64_t length)
{
    winshm_status status = held(r, false);
    return status == WINSHM_OK && length != 0
               ? wshm_part_read(r, offset, buffer, length)
               : status;
}

winshm_status wshm_copy_in(struct region *r, uint64_t offset,
                           const void *buffer, uint64_t length)
{
    winshm_status status = held(r, true);
    if (status == WINSHM_OK && length != 0)
        status = wshm_part_write(r, offset, buffer, length);
    return notified(r, status);
}
