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

/** Wake the writer that waits for readers to leave. */
PLATFORM_COLD void wshm_lock_wake_writer(struct region *r, uint32_t slot);

/** True if word is one that the protocol can have written. */
bool wshm_lock_legal(uint32_t word);

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
 * @param taken [out] true: the word was taken, though readers may still be in.
 * @return true if the lock is held.
 */
static inline bool wshm_lock_try_exclusive(struct region *r, bool *taken)
{
    struct layout_control *control = r->control;
    uint32_t word = 0;
    *taken =
        atomic_load_explicit(&control->lock.seat, memory_order_relaxed) == 0 &&
        atomic_compare_exchange_strong(&control->lock.word, &word, r->me);
    if (!*taken)
        return false;
    /* The limit is read after the word was taken: a reader that claims its
     * slot later than this sees the word. */
    uint32_t slots = wshm_park_limit(control);
    for (uint32_t slot = 0; slot < slots; slot++)
        if (lock_readers(&control->slots[slot]) != 0)
            return false;
    lock_begin_section(r);
    return true;
}

/** Go on where wshm_lock_try_exclusive() has taken the word only. */
winshm_status wshm_lock_drain(struct region *r, uint32_t timeout_ms);

static inline bool lock_is_first(const struct region *r)
{
    return atomic_load_explicit(&r->first, memory_order_relaxed) ==
           wshm_platform_thread();
}

/** True if this thread surely holds the lock shared. */
static inline bool lock_holds_shared(const struct region *r)
{
    return lock_is_first(r) &&
           atomic_load_explicit(&r->crossed, memory_order_relaxed) == 0 &&
           atomic_load_explicit(&r->slot->own, memory_order_relaxed) != 0;
}

static inline void lock_count_in(struct region *r)
{
    struct layout_slot *slot = r->slot;
    if (lock_is_first(r)) {
        uint32_t own = atomic_load_explicit(&slot->own, memory_order_relaxed);
        atomic_exchange_explicit(&slot->own, own + 1, memory_order_seq_cst);
    } else {
        atomic_store_explicit(&r->crossed, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&slot->other, 1, memory_order_seq_cst);
    }
}

static inline void lock_count_out(struct region *r)
{
    struct layout_slot *slot = r->slot;
    if (lock_is_first(r)) {
        uint32_t own = atomic_load_explicit(&slot->own, memory_order_relaxed);
        atomic_store_explicit(&slot->own, own - 1, memory_order_release);
    } else {
        atomic_store_explicit(&r->crossed, 1, memory_order_relaxed);
        atomic_fetch_sub_explicit(&slot->other, 1, memory_order_release);
    }
    atomic_signal_fence(memory_order_seq_cst);
    uint32_t word =
        atomic_load_explicit(&r->control->lock.word, memory_order_relaxed);
    uint32_t owner = (word & WORD_OWNER) - 1;
    if (owner < LAYOUT_SLOTS)
        wshm_lock_wake_writer(r, owner);
}

/** Take the lock shared if nobody is in the way. */
static inline bool wshm_lock_try_shared(struct region *r)
{
    struct layout_lock *lock = &r->control->lock;
    if (lock_holds_shared(r) ||
        (atomic_load_explicit(&lock->seat, memory_order_relaxed) &
         SEAT_EXCLUSIVE) != 0)
        return false;
    /* Count first, then look: a writer takes the word, then counts. */
    lock_count_in(r);
    if (atomic_load_explicit(&lock->word, memory_order_seq_cst) == 0)
        return true;
    lock_count_out(r);
    return false;
}

/** After a plain store that released the word. The load of the flag may
 * overtake that store: the waiter pays, in turn.c. */
static inline void lock_wake_after_store(struct region *r)
{
    atomic_signal_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&r->control->lock.parked, memory_order_relaxed) !=
        0)
        wshm_lock_wake(r);
}

/** Release a shared lock. @return false if the handle holds none. */
static inline bool wshm_lock_release_shared(struct region *r)
{
    if (lock_readers(r->slot) == 0)
        return false;
    lock_count_out(r);
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
    lock_wake_after_store(r);
    return true;
}

#endif
