/* The robust reader/writer lock.
 *
 * word      0: free. Owner's slot + 1: held, or about to be. INCONSISTENT
 *           beside an owner: held by one that was told; alone: free, the last
 *           owner died in its section.
 * version   odd from "readers are out" to "data complete", so that its parity
 *           tells whether an owner's death has torn the data.
 * own+other a slot's shared locks: 1 while the handle's first thread is in, and
 *           the number of its other threads that are.
 * shown     a bit for each slot that has locked shared in this life, raised
 *           before its first count: a writer looks at no other slots.
 * seat      a hint: the oldest waiter, before whom nobody takes a free word.
 * parked    a hint: somebody may be asleep.
 *
 * Exclusion rests on word, version, counts, shown and presence alone. While word
 * names a slot only the holder of that slot's presence writes it, so a plain
 * store releases it. Releasing needs no read-modify-write: the store of word
 * may still be hidden when the releaser looks at the parked flag, and the one
 * who wants to sleep pays for that with looking on and a bounded sleep.
 *
 * Who holds what through winshm_lock() is not in shared memory, where anybody
 * could change it, but in the handle:
 *
 * owner     the number of the thread that holds it exclusively, 0: none does.
 * own       1: the first thread holds it shared; OWN_NEVER: it never has, and
 *           its slot may not be shown. Written by that thread alone.
 * other     how many other threads hold it shared.
 *
 * and each other thread has a bit for each handle that it holds so. A thread
 * never holds one handle's lock twice, so whether it holds it is never a
 * matter of counting, and only the thread itself changes the answer. With
 * WINSHM_TASK owner is LOCK_ANYBODYS, and other counts the shared locks. What a
 * copy holds for itself is recorded nowhere, so that nobody can release it. */
#ifndef WINSHM_LOCK_H
#define WINSHM_LOCK_H

#include "handle.h"
#include "word.h"

/**
 * Take the lock, which this thread does not hold.
 *
 * @param mode WINSHM_SHARED or WINSHM_EXCLUSIVE.
 */
winshm_status wshm_lock(struct region *r, uint32_t mode, uint32_t timeout_ms);

/** Release what winshm_lock() has taken, where wshm_lock_release_*() did not.
 * @return WINSHM_E_NOT_OWNER if this thread, or with WINSHM_TASK the handle,
 * does not hold it in this mode. */
winshm_status wshm_unlock(struct region *r, uint32_t mode);

/** Release what wshm_lock() has taken for a copy of ours. */
void wshm_lock_release(struct region *r, uint32_t mode);

winshm_status wshm_lock_make_consistent(struct region *r);

/** Mark the data as inconsistent for as long as they are being replaced: as if
 * an earlier owner had died, whatever comes to this one. This thread holds the
 * lock exclusively. @return false if they are marked already. */
bool wshm_lock_mark(struct region *r);

/** Take the mark back. */
void wshm_lock_unmark(struct region *r);

/** Value of region.owner, and of no thread: whoever unlocks. */
#define LOCK_ANYBODYS ((uintptr_t)2)

/** Make sure that this thread can record a lock that winshm_lock() takes. */
winshm_status wshm_lock_recordable(struct region *r, uint32_t mode);

/** Record that winshm_lock() has taken it, as opposed to a copy of ours. */
void wshm_lock_record(struct region *r, uint32_t mode);

/** True if this thread, not the handle's first, holds the lock shared. */
bool wshm_lock_held_by_other(const struct region *r);

/** What this thread holds through winshm_lock(): 0, WINSHM_SHARED or
 * WINSHM_EXCLUSIVE. Always 0 with WINSHM_TASK. */
static inline uint32_t wshm_lock_held(const struct region *r)
{
    if (atomic_load_explicit(&r->owner, memory_order_relaxed) ==
        wshm_platform_thread())
        return WINSHM_EXCLUSIVE;
    bool shared = handle_used_first(r)
                      ? atomic_load_explicit(&r->own, memory_order_relaxed) == 1
                      : wshm_lock_held_by_other(r);
    return shared ? WINSHM_SHARED : 0;
}

/** True if somebody holds the lock through this handle and winshm_lock(): in
 * any mode, or exclusively. */
bool wshm_lock_held_by_handle(const struct region *r, bool exclusively);

/** Wake who waits for what was released, if lock_awaited() says so. */
PLATFORM_COLD void wshm_lock_wake_after(struct region *r, uint32_t mode);

/* The fast paths. They call nothing unless somebody waits, and write nothing
 * that they need not, since the one locked instruction has to wait until all
 * earlier stores are through. */

/** Take the word if it is free, whether readers are in or not.
 * @return true if it was taken. */
static inline bool lock_take_word(struct layout_lock *lock, uint32_t me)
{
    uint32_t word = 0;
    return atomic_load_explicit(&lock->seat, memory_order_relaxed) == 0 &&
           atomic_compare_exchange_strong(&lock->word, &word, me);
}

/** Which slots may count readers, after the word was taken: a reader that is
 * shown later than this sees the word. */
static inline uint32_t lock_shown(const struct layout_lock *lock)
{
    return atomic_load_explicit(&lock->shown, memory_order_seq_cst);
}

/** True if none of the slots that are shown counts a reader. */
static inline bool lock_readers_out(const struct layout_control *control,
                                    uint32_t shown)
{
    /* As what is shown: whoever claims a slot later sees the word. */
    uint32_t slots = wshm_park_limit(control);
    for (; shown != 0; shown &= shown - 1)
        for (uint32_t slot = wshm_platform_lowest_bit(shown); slot < slots;
             slot += 32)
            if (!PLATFORM_LIKELY(word_readers(&control->slots[slot]) == 0))
                return false;
    return true;
}

/** Mark the start of a section whose word was taken from free. */
static inline void lock_begin_section(struct layout_lock *lock)
{
    uint32_t version =
        atomic_load_explicit(&lock->version, memory_order_relaxed);
    /* A release, so that whoever sees it odd finds no owner in the word who was
     * there before this one. Odd before any datum changes, for those who read
     * without locking: that takes the fence. */
    atomic_store_explicit(&lock->version, (version + 1) | 1,
                          memory_order_release);
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
    struct layout_lock *lock = &control->lock;
    *half = lock_take_word(lock, r->me);
    if (!*half || !lock_readers_out(control, lock_shown(lock)))
        return false;
    lock_begin_section(lock);
    return true;
}

/* Shared locks are counted apart for the handle's first thread, which then
 * needs no locked instruction to release one. `first` tells who calls. */

/** Have writers look at this slot from now on. */
static inline void lock_show(struct region *r)
{
    shared_u32 *shown = &r->control->lock.shown;
    uint32_t bit = 1u << (r->me - 1) % 32;
    if ((atomic_load_explicit(shown, memory_order_seq_cst) & bit) == 0)
        atomic_fetch_or_explicit(shown, bit, memory_order_seq_cst);
}

/** Count in, in a slot that is shown. */
static inline void lock_count_in(struct region *r, bool first)
{
    struct layout_slot *slot = r->slot;
    if (first)
        atomic_exchange_explicit(&slot->own, 1, memory_order_seq_cst);
    else
        atomic_fetch_add_explicit(&slot->other, 1, memory_order_seq_cst);
}

static inline void lock_count_out(struct region *r, bool first)
{
    struct layout_slot *slot = r->slot;
    if (first)
        atomic_store_explicit(&slot->own, 0, memory_order_release);
    else
        atomic_fetch_sub_explicit(&slot->other, 1, memory_order_release);
}

/**
 * Take the lock shared if nobody is in the way. This thread does not hold it.
 *
 * @param half [out] true: counted in, though somebody has the word.
 * @return true if the lock is held.
 */
static inline bool wshm_lock_try_shared(struct region *r, bool first,
                                        bool *half)
{
    struct layout_lock *lock = &r->control->lock;
    *half = false;
    if ((atomic_load_explicit(&lock->seat, memory_order_relaxed) &
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

/** Release the first thread's shared lock. @return the lock, or NULL: it has
 * none. */
static inline const struct layout_lock *
wshm_lock_release_shared(struct region *r)
{
    if (atomic_load_explicit(&r->own, memory_order_relaxed) != 1)
        return NULL;
    atomic_store_explicit(&r->own, 0, memory_order_relaxed);
    lock_count_out(r, true);
    return &r->control->lock;
}

/** Release the word after a section that was not told of an owner's death. */
static inline void lock_end_section(struct layout_lock *lock)
{
    uint32_t version =
        atomic_load_explicit(&lock->version, memory_order_relaxed);
    /* In this order: dying in between leaves complete data and a word that
     * names a dead owner, which is cleaned without a report. The version is
     * odd, unless somebody has written over it. */
    atomic_store_explicit(&lock->version, (version | 1) + 1,
                          memory_order_release);
    atomic_store_explicit(&lock->word, 0, memory_order_release);
}

/** Release this thread's exclusive lock. @return the lock, or NULL: it has none,
 * or was told of an owner's death. */
static inline const struct layout_lock *
wshm_lock_release_exclusive(struct region *r)
{
    if (atomic_load_explicit(&r->owner, memory_order_relaxed) !=
        wshm_platform_thread())
        return NULL;
    struct layout_lock *lock = &r->control->lock;
    if (atomic_load_explicit(&lock->word, memory_order_relaxed) != r->me)
        return NULL;
    atomic_store_explicit(&r->owner, 0, memory_order_relaxed);
    lock_end_section(lock);
    return lock;
}

/** True if somebody may wait for what was released with a plain store. These
 * loads may overtake that store: the waiter pays, in turn.c. */
static inline bool lock_awaited(const struct layout_lock *lock, uint32_t mode)
{
    atomic_signal_fence(memory_order_seq_cst);
    return mode == WINSHM_EXCLUSIVE
               ? atomic_load_explicit(&lock->parked, memory_order_relaxed) != 0
               : (atomic_load_explicit(&lock->word, memory_order_relaxed) &
                  WORD_OWNER) != 0;
}

#endif
