/* Copies out of and into a region. */
#include "copy.h"

#include "change.h"
#include "lock.h"
#include "park.h"
#include "view.h"

/* Where there is no whole view, a copy maps the part that it needs. */

static winshm_status copy_out(struct region *r, uint64_t offset, void *buffer,
                              uint64_t length)
{
    if (r->data != NULL)
        return wshm_platform_copy(buffer, r->data + offset, length,
                                  r->data + offset, length);
    struct part part;
    winshm_status status = wshm_part_map(r, offset, length, false, &part);
    if (status != WINSHM_OK)
        return status;
    status = wshm_platform_copy(buffer, part.data, length, part.data, length);
    wshm_part_unmap(&part);
    return status;
}

static winshm_status copy_in(struct region *r, uint64_t offset,
                             const void *buffer, uint64_t length)
{
    if (r->data != NULL)
        return wshm_platform_copy(r->data + offset, buffer, length,
                                  r->data + offset, length);
    struct part part;
    winshm_status status = wshm_part_map(r, offset, length, true, &part);
    if (status != WINSHM_OK)
        return status;
    status = wshm_platform_copy(part.data, buffer, length, part.data, length);
    wshm_part_unmap(&part);
    return status;
}

static bool same_life(const struct region *r)
{
    for (int i = 0; i < 4; i++)
        if (atomic_load_explicit(&r->control->header.id[i],
                                 memory_order_relaxed) != r->platform.id[i])
            return false;
    return true;
}

static const uint64_t MICROSECOND = 1000;

/** Looks that an observer takes in quick succession, which are about a
 * millisecond. Then it sleeps: where short sleeps are none, looking on would
 * keep a processor busy for as long as a writer takes. */
enum { OBSERVER_HASTE = 20 };

/** Without a lock: good if no section ran meanwhile. The instance is compared
 * last, since a region that began anew has an even version, too. */
static winshm_status observe(struct region *r, uint64_t offset, void *buffer,
                             uint64_t length, uint32_t timeout_ms)
{
    const struct layout_lock *lock = &r->control->lock;
    uint64_t deadline = wshm_park_deadline(timeout_ms);
    for (uint32_t looks = 0;; looks += looks < OBSERVER_HASTE) {
        uint32_t version =
            atomic_load_explicit(&lock->version, memory_order_acquire);
        if ((version & 1) == 0) {
            winshm_status status = copy_out(r, offset, buffer, length);
            atomic_thread_fence(memory_order_acquire);
            if (status != WINSHM_OK)
                return status;
            if (atomic_load_explicit(&lock->version, memory_order_relaxed) ==
                version)
                return same_life(r) ? WINSHM_OK : WINSHM_E_NOT_FOUND;
        }
        if (atomic_load_explicit(&r->closing, memory_order_relaxed) != 0)
            return WINSHM_E_CLOSED;
        uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
        uint32_t owner = (word & WORD_OWNER) - 1;
        if (!wshm_lock_legal(word))
            return WINSHM_E_CORRUPT;
        bool dead = (version & 1) != 0 &&
                    (word == WORD_INCONSISTENT ||
                     ((word & WORD_OWNER) != 0 &&
                      !wshm_platform_present(&r->platform, owner)));
        /* Absent and still odd: otherwise it has unlocked and left. */
        if (dead && atomic_load_explicit(&lock->version,
                                         memory_order_acquire) == version) {
            atomic_thread_fence(memory_order_acquire);
            return same_life(r) ? WINSHM_E_OWNER_DEAD : WINSHM_E_NOT_FOUND;
        }
        uint64_t now = wshm_platform_now();
        if (now >= deadline)
            return WINSHM_E_TIMEOUT;
        uint64_t pause = (looks < OBSERVER_HASTE ? 50 : 1000) * MICROSECOND;
        wshm_platform_sleep(pause < deadline - now ? pause : deadline - now);
    }
}

/** Longer copies are made under the lock, as a section that runs meanwhile
 * would make them worthless. */
enum { BRIEF = 4096 };

/** Copy without taking the lock. @return true if no section ran meanwhile. */
static bool undisturbed(struct region *r, uint64_t offset, void *buffer,
                        uint64_t length, winshm_status *status)
{
    const struct layout_lock *lock = &r->control->lock;
    uint32_t version =
        atomic_load_explicit(&lock->version, memory_order_acquire);
    if ((version & 1) != 0 || !wshm_lock_legal(atomic_load_explicit(
                                  &lock->word, memory_order_relaxed)))
        return false;
    *status = copy_out(r, offset, buffer, length);
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&lock->version, memory_order_relaxed) ==
           version;
}

winshm_status wshm_copy_read(struct region *r, uint64_t offset, void *buffer,
                             uint64_t length, uint32_t timeout_ms)
{
    winshm_status status;
    if (length == 0)
        return WINSHM_OK;
    if (r->lock_kind == WINSHM_LOCK_NONE)
        return copy_out(r, offset, buffer, length);
    if (r->slot == NULL)
        return observe(r, offset, buffer, length, timeout_ms);
    if (length <= BRIEF && undisturbed(r, offset, buffer, length, &status))
        return status;
    if (wshm_region_lost(r))
        return WINSHM_E_CORRUPT;
    /* Nobody but this thread could release it. */
    if (wshm_lock_held(r) != 0)
        return copy_out(r, offset, buffer, length);
    status = wshm_lock(r, WINSHM_SHARED, timeout_ms);
    if (status != WINSHM_OK)
        return status;
    status = copy_out(r, offset, buffer, length);
    wshm_lock_release(r, WINSHM_SHARED);
    return wshm_region_lost(r) ? WINSHM_E_CORRUPT : status;
}

static winshm_status write_locked(struct region *r, uint64_t offset,
                                  const void *buffer, uint64_t length,
                                  uint32_t timeout_ms)
{
    if (r->lock_kind == WINSHM_LOCK_NONE ||
        wshm_lock_held(r) == WINSHM_EXCLUSIVE)
        return copy_in(r, offset, buffer, length);
    winshm_status status = wshm_lock(r, WINSHM_EXCLUSIVE, timeout_ms);
    if (status == WINSHM_OK)
        status = copy_in(r, offset, buffer, length);
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
    if (r->lock_kind == WINSHM_LOCK_NONE)
        return WINSHM_OK;
    if (r->slot == NULL)
        return WINSHM_E_ACCESS;
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
               ? copy_out(r, offset, buffer, length)
               : status;
}

winshm_status wshm_copy_in(struct region *r, uint64_t offset,
                           const void *buffer, uint64_t length)
{
    winshm_status status = held(r, true);
    if (status == WINSHM_OK && length != 0)
        status = copy_in(r, offset, buffer, length);
    return notified(r, status);
}
