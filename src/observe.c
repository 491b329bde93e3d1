/* What an observer does. */
#include "observe.h"

#include "lock.h"
#include "park.h"
#include "part.h"
#include "status.h"

/** How old the knowledge may be that somebody is present, in milliseconds. */
enum { LIFE_MS = 100 };

/** So many looks at a writer's section are soon after one another. */
enum { HASTY_LOOKS = 20 };

/** Looks for a participant, and only then whether it is still the same life:
 * who was present before an id that is ours was in our life. */
static bool lives(struct region *r)
{
    bool anybody = true;
    winshm_status told = wshm_platform_anybody(
        &r->platform, wshm_park_limit(r->control), LAYOUT_SLOTS, &anybody);
    if (told != WINSHM_OK)
        wshm_error_clear(); /* whoever cannot be asked counts as alive */
    atomic_thread_fence(memory_order_seq_cst);
    return (told != WINSHM_OK || anybody) && observe_same_life(r);
}

winshm_status wshm_observe_life(struct region *r)
{
    if (!observe_same_life(r))
        return WINSHM_E_NOT_FOUND;
    uint32_t now = (uint32_t)(wshm_platform_now() / MILLISECOND);
    uint32_t seen = atomic_load_explicit(&r->seen_alive, memory_order_relaxed);
    if (now - seen < LIFE_MS)
        return WINSHM_OK;
    if (!lives(r))
        return WINSHM_E_NOT_FOUND;
    atomic_store_explicit(&r->seen_alive, now, memory_order_relaxed);
    return WINSHM_OK;
}

/** True if the section that version belongs to was cut off by a death. */
static bool cut_off(struct region *r, uint32_t version, uint32_t word)
{
    uint32_t owner = (word & WORD_OWNER) - 1;
    bool dead =
        (version & 1) != 0 && (word == WORD_INCONSISTENT ||
                               ((word & WORD_OWNER) != 0 &&
                                !wshm_platform_present(&r->platform, owner)));
    /* Absent and still odd: otherwise it has unlocked and left. */
    return dead && atomic_load_explicit(&r->control->lock.version,
                                        memory_order_acquire) == version;
}

winshm_status wshm_observe(struct region *r, observe_action *action,
                           void *subject, uint32_t timeout_ms)
{
    const struct layout_lock *lock = &r->control->lock;
    uint64_t deadline = wshm_park_deadline(timeout_ms);
    for (int looks = 0;; looks += looks < HASTY_LOOKS) {
        uint32_t version =
            atomic_load_explicit(&lock->version, memory_order_acquire);
        if ((version & 1) == 0) {
            winshm_status status = action(subject);
            atomic_thread_fence(memory_order_acquire);
            if (status != WINSHM_OK)
                return status;
            /* The life is looked at last, since a region that began anew has an
             * even version, too. */
            if (atomic_load_explicit(&lock->version, memory_order_relaxed) ==
                version)
                return wshm_observe_life(r);
        }
        if (atomic_load_explicit(&r->closing, memory_order_relaxed) != 0)
            return WINSHM_E_CLOSED;
        uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
        if (!word_legal(word))
            return WINSHM_E_CORRUPT;
        if (cut_off(r, version, word))
            return lives(r)
                       ? wshm_error_because(
                             WINSHM_E_OWNER_DEAD,
                             "the data may be half written",
                             "An observer has to wait until a participant has "
                             "repaired them.")
                       : WINSHM_E_NOT_FOUND;
        if (wshm_observe_life(r) != WINSHM_OK)
            return WINSHM_E_NOT_FOUND;
        if (wshm_platform_now() >= deadline)
            return WINSHM_E_TIMEOUT;
        wshm_platform_sleep(looks < HASTY_LOOKS ? MILLISECOND / 20
                                                : MILLISECOND);
    }
}

struct reading {
    struct region *r;
    uint64_t offset;
    void *buffer;
    uint64_t length;
};

static winshm_status read_part(void *reading)
{
    const struct reading *it = reading;
    return wshm_part_read(it->r, it->offset, it->buffer, it->length);
}

winshm_status wshm_observe_read(struct region *r, uint64_t offset, void *buffer,
                                uint64_t length, uint32_t timeout_ms)
{
    struct reading reading = {r, offset, buffer, length};
    return length == 0 ? wshm_observe_life(r)
                       : wshm_observe(r, read_part, &reading, timeout_ms);
}
