/* Slots and presence. */
#include "participant.h"

#include "park.h"
#include "status.h"
#include "word.h"

/** Step by step repeatable, since a cleaner may die as well. The caller has
 * the slot's presence. */
static void clean(struct region *r, uint32_t index)
{
    struct layout_lock *lock = &r->control->lock;
    struct layout_slot *slot = &r->control->slots[index];
    bool freed = false;
    if ((atomic_load_explicit(&lock->word, memory_order_acquire) &
         WORD_OWNER) == index + 1) {
        /* The parity must be read after the presence was taken: before, the
         * owner may still have been in the middle of its unlock. */
        uint32_t version =
            atomic_load_explicit(&lock->version, memory_order_acquire);
        atomic_exchange_explicit(&lock->word,
                                 (version & 1) != 0 ? WORD_INCONSISTENT : 0,
                                 memory_order_seq_cst);
        freed = true;
    }
    atomic_store_explicit(&slot->own, 0, memory_order_release);
    atomic_store_explicit(&slot->other, 0, memory_order_release);
    for (int channel = 0; channel < PLATFORM_CHANNELS; channel++)
        atomic_store_explicit(&slot->parked[channel], 0, memory_order_relaxed);
    atomic_store_explicit(&slot->event, 0, memory_order_relaxed);
    uint32_t seat = atomic_load_explicit(&lock->seat, memory_order_relaxed);
    if ((seat & SEAT_SLOT) == index + 1)
        atomic_compare_exchange_strong(&lock->seat, &seat, 0);
    /* No store of ours may come after the presence is given back: it would
     * hit the slot's next user. */
    atomic_thread_fence(memory_order_seq_cst);
    if (freed)
        wshm_word_wake(r);
}

static winshm_status take(struct region *r, platform_object *taken,
                          uint32_t *index)
{
    /* A reaper may hold the only free slot for a moment. */
    uint64_t deadline = 0;
    for (;;) {
        for (*index = 0; *index < LAYOUT_SLOTS; ++*index) {
            winshm_status status =
                wshm_platform_take(&r->platform, *index, taken);
            if (status != WINSHM_E_BUSY)
                return status;
        }
        /* From the first look on, which itself may have taken long. */
        uint64_t now = wshm_platform_now();
        if (deadline == 0)
            deadline = now + 5 * MILLISECOND;
        if (now >= deadline)
            return wshm_error_detail(
                WINSHM_E_TOO_MANY, "all {a} places of the region are taken",
                "A place is an open handle: share one between threads, and "
                "close what is not needed.",
                LAYOUT_SLOTS, 0, 0);
        wshm_platform_sleep(MILLISECOND);
    }
}

winshm_status wshm_participant_claim(struct region *r, bool locked)
{
    struct layout_control *control = r->control;
    struct layout_header *header = &control->header;
    platform_object taken;
    uint32_t index;
    uint32_t joins = atomic_load(&header->joins) | 1;
    atomic_store(&header->joins, joins);
    /* Before anybody is present: observers do not ask for the life lock. */
    if (locked)
        atomic_store(&control->lock.version, 1);
    winshm_status status = take(r, &taken, &index);
    if (status == WINSHM_OK) {
        struct layout_slot *slot = &control->slots[index];
        r->platform.presence = taken;
        if (wshm_park_limit(control) < index + 1)
            atomic_store(&control->counts.slots_used, index + 1);
        clean(r, index);
        if (locked)
            atomic_store(&control->lock.word, (index + 1) | WORD_INCONSISTENT);
        r->slot = slot;
        r->me = index + 1;
        r->locks = r->lock_kind == WINSHM_LOCK_ROBUST ? r->me : 0;
        r->member = shared_load(&header->members) + 1;
        shared_store(&header->members, r->member);
        shared_store(&slot->member, r->member);
        shared_store(&slot->start, (uint64_t)wshm_platform_start_us());
        atomic_store(&slot->pid, r->pid);
    }
    atomic_store(&header->joins, joins + 1);
    return status;
}

bool wshm_participant_alone(struct region *r)
{
    bool anybody;
    return wshm_platform_anybody(&r->platform, LAYOUT_SLOTS, r->me - 1,
                                 &anybody) == WINSHM_OK &&
           !anybody;
}

bool wshm_participant_alive(struct region *r, uint32_t slot)
{
    return slot + 1 == r->me || wshm_platform_present(&r->platform, slot);
}

void wshm_participant_reap(struct region *r, uint32_t slot)
{
    platform_object taken;
    if (slot + 1 == r->me)
        return;
    /* On Linux the locks of one handle do not exclude each other. */
    wshm_platform_mutex_lock(&r->reaping);
    if (wshm_platform_take(&r->platform, slot, &taken) == WINSHM_OK) {
        clean(r, slot);
        wshm_platform_absent(&r->platform, slot, taken);
    } else {
        wshm_error_clear(); /* somebody tries again */
    }
    wshm_platform_mutex_unlock(&r->reaping);
}
