/* The robust reader/writer lock.
 *
 * word      0: free. Owner's slot + 1: held, or about to be. INCONSISTENT
 *           beside an owner: held by one that was told; alone: free, the last
 *           owner died in its section.
 * version   odd from "readers are out" to "data complete", so that its parity
 *           tells whether an owner's death has torn the data.
 * own+other a slot's shared locks, in two halves.
 * seat      a hint: the oldest waiter, before whom nobody takes a free word.
 * parked    a hint: somebody may be asleep.
 *
 * Exclusion rests on word, version, counts and presence alone. While word
 * names a slot only the holder of that slot's presence writes it, so a plain
 * store releases it. Releasing needs no read-modify-write: the store of word
 * may still be hidden when the releaser looks at the parked flag, and the one
 * who wants to sleep pays for that with a barrier and a bounded sleep. */
#ifndef WINSHM_LOCK_H
#define WINSHM_LOCK_H

#include "handle.h"
#include "park.h"

/**
 * Take the lock, or go on where wshm_lock_try_*() did not get it.
 *
 * @param mode WINSHM_SHARED or WINSHM_EXCLUSIVE.
 */
winshm_status wshm_lock(struct region *r, uint32_t mode, uint32_t timeout_ms);

/** Release it. @return WINSHM_E_NOT_OWNER if it is not held in this mode. */
winshm_status wshm_unlock(struct region *r, uint32_t mode);

winshm_status wshm_lock_make_consistent(struct region *r);

/** Which lock the handle holds: 0, WINSHM_SHARED or WINSHM_EXCLUSIVE. */
uint32_t wshm_lock_held(struct region *r);

/** Record that winshm_lock() has taken it, as opposed to a copy of ours. */
static inline void wshm_lock_taken_by_caller(struct region *r)
{
    atomic_store_explicit(&r->exclusive_thread, wshm_platform_thread(),
                          memory_order_relaxed);
}

/** True if the handle holds it exclusively through winshm_lock(). Asked in
 * this order: releasing clears the thread before the word. */
static inline bool wshm_lock_nests(struct region *r)
{
    return wshm_lock_held(r) == WINSHM_EXCLUSIVE &&
           atomic_load_explicit(&r->exclusive_thread, memory_order_relaxed) !=
               0;
}

/** Wake those who may go next, after the word was freed. */
PLATFORM_COLD void wshm_lock_wake(struct region *r);

/** Wake who waits for what was released, if lock_awaited() says so. */
PLATFORM_COLD void wshm_lock_wake_after(struct region *r, uint32_t mode);

/** True if word is one that the protocol can have written. */
static inline bool wshm_lock_legal(uint32_t word)
{
    return (word & ~(WORD_OWNER | WORD_INCONSISTENT)) == 0 &&
           (word & WORD_OWNER) <= LAYOUT_SLOTS;
}

/* The fast paths. They call nothing unless somebody waits, and write nothing
 * that they need not, since the one locked instruction has to wait until all
 * earlier stores are through. */

/** A slot's shared locks. */
static inline uint32_t lock_readers(const struct layout_slot *slot)
{
    return atomic_load_explicit(&slot->own, memory_order_seq_cst) +
           atomic_load_explicit(&slot->other, memory_order_seq_cst);
}

/** Marks the start of a section whose word was taken from free. */
static inline void lock_begin_section(struct region *r)
{
    struct layout_lock *lock = &r->control->lock;
    uint32_t version =
        atomic_load_explicit(&lock->version, memory_order_relaxed);
    /* Odd before any datum changes, for those who read without locking. */
    atomic_store_explicit(&lock->version, (version + 1) | 1,
                          memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

/**
 * Take a free lock exclusively.
 *
 * @param half [out] true: the word was taken, though readers are still in.
 * @return true if the lock is held.
 */
static inline bool wshm_lock_try_exclusive(struct region *r, bool *half)
{
    struct layout_control *control = r->control;
    uint32_t word = 0;
    *half =
        atomic_load_explicit(&control->lock.seat, memory_order_relaxed) == 0 &&
        atomic_compare_exchange_strong(&control->lock.word, &word, r->me);
    if (!*half)
        return false;
    /* The limit is read after the word was taken: a reader that claims its
     * slot later than this sees the word. */
    uint32_t slots = wshm_park_limit(control);
    for (uint32_t slot = 0; slot < slots; slot++)
        if (!PLATFORM_LIKELY(lock_readers(&control->slots[slot]) == 0))
            return false;
    lock_begin_section(r);
    return true;
}

/* Shared locks are counted apart for the handle's first thread, which then
 * needs no locked instruction to release one. `first` tells who calls. */

/** The shared locks that this handle holds. What it holds itself it need not
 * be told by a block that anybody may have written. */
static inline uint32_t lock_shares(const struct region *r)
{
    return atomic_load_explicit(&r->own, memory_order_relaxed) +
           atomic_load_explicit(&r->other, memory_order_relaxed);
}

/** True if this thread surely holds the lock shared. */
static inline bool lock_holds_shared(const struct region *r, bool first)
{
    return first && atomic_load_explicit(&r->own, memory_order_relaxed) != 0 &&
           atomic_load_explicit(&r->crossed, memory_order_relaxed) == 0;
}

static inline void lock_count_in(struct region *r, bool first)
{
    struct layout_slot *slot = r->slot;
    if (first) {
        uint32_t own = atomic_load_explicit(&r->own, memory_order_relaxed) + 1;
        atomic_store_explicit(&r->own, own, memory_order_relaxed);
        atomic_exchange_explicit(&slot->own, own, memory_order_seq_cst);
    } else {
        atomic_store_explicit(&r->crossed, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&r->other, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&slot->other, 1, memory_order_seq_cst);
    }
}

static inline void lock_count_out(struct region *r, bool first)
{
    struct layout_slot *slot = r->slot;
    if (first) {
        uint32_t own = atomic_load_explicit(&r->own, memory_order_relaxed) - 1;
        atomic_store_explicit(&r->own, own, memory_order_relaxed);
        atomic_store_explicit(&slot->own, own, memory_order_release);
    } else {
        atomic_store_explicit(&r->crossed, 1, memory_order_relaxed);
        atomic_fetch_sub_explicit(&r->other, 1, memory_order_relaxed);
        atomic_fetch_sub_explicit(&slot->other, 1, memory_order_release);
    }
}

/**
 * Take the lock shared if nobody is in the way.
 *
 * @param half [out] true: counted in, though somebody has the word.
 * @return true if the lock is held.
 */
static inline bool wshm_lock_try_shared(struct region *r, bool first,
                                        bool *half)
{
    struct layout_lock *lock = &r->control->lock;
    *half = false;
    if (lock_holds_shared(r, first) ||
        (atomic_load_explicit(&lock->seat, memory_order_relaxed) &
         SEAT_EXCLUSIVE) != 0)
        return false;
    /* Count first, then look: a writer takes the word, then counts. */
    lock_count_in(r, first);
    *half = atomic_load_explicit(&lock->word, memory_order_seq_cst) != 0;
    return !*half;
}

/** Go on where wshm_lock_try_*() came half way. */
winshm_status wshm_lock_finish(struct region *r, uint32_t mode,
                               uint32_t timeout_ms);

/** Release a shared lock. @return false if the handle holds none. */
static inline bool wshm_lock_release_shared(struct region *r, bool first)
{
    if (lock_shares(r) == 0)
        return false;
    lock_count_out(r, first);
    return true;
}

/** Release an exclusive lock that was not told of an owner's death. */
static inline bool wshm_lock_release_exclusive(struct region *r)
{
    struct layout_lock *lock = &r->control->lock;
    uint32_t version =
        atomic_load_explicit(&lock->version, memory_order_relaxed);
    if (atomic_load_explicit(&lock->word, memory_order_relaxed) != r->me ||
        (version & 1) == 0)
        return false;
    atomic_store_explicit(&r->exclusive_thread, 0, memory_order_relaxed);
    /* In this order: dying in between leaves complete data and a word that
     * names a dead owner, which is cleaned without a report. */
    atomic_store_explicit(&lock->version, version + 1, memory_order_release);
    atomic_store_explicit(&lock->word, 0, memory_order_release);
    return true;
}

/** True if somebody may wait for what was released with a plain store. These
 * loads may overtake that store: the waiter pays, in turn.c. */
static inline bool lock_awaited(const struct region *r, uint32_t mode)
{
    const struct layout_lock *lock = &r->control->lock;
    atomic_signal_fence(memory_order_seq_cst);
    return mode == WINSHM_EXCLUSIVE
               ? atomic_load_explicit(&lock->parked, memory_order_relaxed) != 0
               : (atomic_load_explicit(&lock->word, memory_order_relaxed) &
                  WORD_OWNER) != 0;
}

#endif
