/* The robust reader/writer lock: see lock.h for the words. */
#include "lock.h"

#include "turn.h"

void wshm_lock_wake(struct region *r)
{
    struct layout_lock *lock = &r->control->lock;
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&lock->parked, memory_order_seq_cst) == 0)
        return;
    uint32_t seat = atomic_load_explicit(&lock->seat, memory_order_seq_cst);
    uint32_t slot = (seat & SEAT_SLOT) - 1;
    if ((seat & SEAT_EXCLUSIVE) != 0 && slot < LAYOUT_SLOTS) {
        wshm_park_wake(r, slot, PLATFORM_LOCK);
        return;
    }
    /* The flag first: a waiter that announces itself from here on sets it
     * again, one that did so before is in the counts. */
    atomic_exchange_explicit(&lock->parked, 0, memory_order_seq_cst);
    wshm_park_wake_parked(r, PLATFORM_LOCK);
}

/** A reader wakes the writer that it sees waiting for readers to leave. */
static void wake_writer(struct region *r)
{
    struct layout_control *control = r->control;
    uint32_t slot =
        (atomic_load_explicit(&control->lock.word, memory_order_relaxed) &
         WORD_OWNER) -
        1;
    if (slot >= LAYOUT_SLOTS)
        return;
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&control->slots[slot].parked[PLATFORM_LOCK],
                             memory_order_seq_cst) != 0)
        wshm_park_wake(r, slot, PLATFORM_LOCK);
}

void wshm_lock_wake_after(struct region *r, uint32_t mode)
{
    if (mode == WINSHM_EXCLUSIVE)
        wshm_lock_wake(r);
    else
        wake_writer(r);
}

static void released(struct region *r, uint32_t mode)
{
    if (lock_awaited(r, mode))
        wshm_lock_wake_after(r, mode);
}

/** True if this thread holds the lock exclusively. */
static bool holds_exclusive(const struct region *r)
{
    uint32_t word =
        atomic_load_explicit(&r->control->lock.word, memory_order_relaxed);
    return (word & WORD_OWNER) == r->me &&
           atomic_load_explicit(&r->exclusive_thread, memory_order_relaxed) ==
               wshm_platform_thread();
}

uint32_t wshm_lock_held(struct region *r)
{
    const struct layout_lock *lock = &r->control->lock;
    uint32_t word = atomic_load_explicit(&lock->word, memory_order_acquire);
    if ((word & WORD_OWNER) == r->me &&
        (atomic_load_explicit(&lock->version, memory_order_relaxed) & 1) != 0)
        return WINSHM_EXCLUSIVE;
    return lock_shares(r) != 0 ? WINSHM_SHARED : 0;
}

/** Take the word. @param taken [out] what it was before. */
static winshm_status take_word(struct region *r, uint32_t timeout_ms,
                               uint32_t *taken)
{
    struct layout_lock *lock = &r->control->lock;
    struct turn turn;
    winshm_status status;
    if (holds_exclusive(r) || lock_holds_shared(r, handle_used_first(r)))
        return WINSHM_E_DEADLOCK;
    wshm_turn_begin(&turn, r, true, timeout_ms);
    for (;;) {
        status = wshm_turn_wait(&turn);
        if (status != WINSHM_OK && status != WINSHM_E_TIMEOUT)
            break;
        uint32_t word = atomic_load_explicit(&lock->word, memory_order_seq_cst);
        if (!wshm_lock_legal(word)) {
            status = WINSHM_E_CORRUPT;
            break;
        }
        *taken = word;
        if ((word & WORD_OWNER) == 0 &&
            atomic_compare_exchange_strong(&lock->word, &word, word | r->me)) {
            wshm_turn_end(&turn, true);
            return WINSHM_OK;
        }
        if (status == WINSHM_E_TIMEOUT)
            break;
    }
    wshm_turn_end(&turn, false);
    return status;
}

/** Wait until all readers are out. Gives the word back if they do not go. */
static winshm_status drain(struct region *r, uint32_t taken, uint64_t deadline)
{
    struct layout_lock *lock = &r->control->lock;
    uint32_t slots = wshm_park_limit(r->control);
    for (uint32_t slot = 0; slot < slots; slot++) {
        winshm_status status = WINSHM_OK;
        if (lock_readers(&r->control->slots[slot]) == 0)
            continue;
        if (slot + 1 == r->me && lock_holds_shared(r, handle_used_first(r)))
            status = WINSHM_E_DEADLOCK;
        else
            status = wshm_turn_drain(r, slot, deadline);
        if (status != WINSHM_OK && wshm_region_lost(r))
            return WINSHM_E_CORRUPT;
        if (status != WINSHM_OK) {
            atomic_store_explicit(&lock->word, taken, memory_order_release);
            released(r, WINSHM_EXCLUSIVE);
            return status;
        }
    }
    return WINSHM_OK;
}

static winshm_status lock_exclusive(struct region *r, uint32_t timeout_ms)
{
    struct layout_lock *lock = &r->control->lock;
    uint64_t deadline = wshm_park_deadline(timeout_ms);
    uint32_t taken;
    winshm_status status = take_word(r, timeout_ms, &taken);
    if (status == WINSHM_OK)
        status = drain(r, taken, deadline);
    if (status != WINSHM_OK)
        return status;
    if ((taken & WORD_INCONSISTENT) == 0) {
        lock_begin_section(r);
        return WINSHM_OK;
    }
    /* The dead owner's section goes on: the version is odd already, or ought
     * to be. */
    atomic_fetch_or_explicit(&lock->version, 1, memory_order_relaxed);
    return WINSHM_E_OWNER_DEAD;
}

static winshm_status lock_shared(struct region *r, uint32_t timeout_ms)
{
    struct layout_lock *lock = &r->control->lock;
    struct turn turn;
    winshm_status status;
    bool first = handle_used_first(r);
    if (holds_exclusive(r) || lock_holds_shared(r, first))
        return WINSHM_E_DEADLOCK;
    wshm_turn_begin(&turn, r, false, timeout_ms);
    for (;;) {
        status = wshm_turn_wait(&turn);
        if (status != WINSHM_OK && status != WINSHM_E_TIMEOUT)
            break;
        lock_count_in(r, first);
        uint32_t word = atomic_load_explicit(&lock->word, memory_order_seq_cst);
        if (word == 0) {
            wshm_turn_end(&turn, true);
            return WINSHM_OK;
        }
        lock_count_out(r, first);
        released(r, WINSHM_SHARED);
        if (!wshm_lock_legal(word))
            status = WINSHM_E_CORRUPT;
        else if (word == WORD_INCONSISTENT)
            status = WINSHM_E_OWNER_DEAD;
        if (status != WINSHM_OK)
            break;
    }
    wshm_turn_end(&turn, false);
    return status;
}

winshm_status wshm_lock_finish(struct region *r, uint32_t mode,
                               uint32_t timeout_ms)
{
    if (mode == WINSHM_SHARED) {
        lock_count_out(r, handle_used_first(r));
        released(r, mode);
        return lock_shared(r, timeout_ms);
    }
    winshm_status status = drain(r, 0, wshm_park_deadline(timeout_ms));
    if (status == WINSHM_OK)
        lock_begin_section(r);
    return status;
}

winshm_status wshm_lock(struct region *r, uint32_t mode, uint32_t timeout_ms)
{
    bool half;
    if (mode == WINSHM_SHARED
            ? wshm_lock_try_shared(r, handle_used_first(r), &half)
            : wshm_lock_try_exclusive(r, &half))
        return WINSHM_OK;
    if (half)
        return wshm_lock_finish(r, mode, timeout_ms);
    return mode == WINSHM_SHARED ? lock_shared(r, timeout_ms)
                                 : lock_exclusive(r, timeout_ms);
}

winshm_status wshm_unlock(struct region *r, uint32_t mode)
{
    struct layout_lock *lock = &r->control->lock;
    if (mode == WINSHM_SHARED
            ? wshm_lock_release_shared(r, handle_used_first(r))
            : wshm_lock_release_exclusive(r)) {
        released(r, mode);
        return WINSHM_OK;
    }
    if (mode == WINSHM_SHARED)
        return WINSHM_E_NOT_OWNER;
    /* Either not ours (an even version: a thread of this handle is on its way
     * in, nobody is inside), or the data were not declared consistent. */
    if (atomic_load_explicit(&lock->word, memory_order_relaxed) !=
            (r->me | WORD_INCONSISTENT) ||
        (atomic_load_explicit(&lock->version, memory_order_relaxed) & 1) == 0) {
        /* This thread has locked, and somebody has written over the words. */
        if (atomic_load_explicit(&r->exclusive_thread, memory_order_relaxed) ==
            wshm_platform_thread())
            atomic_store_explicit(&r->exclusive_thread, 0,
                                  memory_order_relaxed);
        return WINSHM_E_NOT_OWNER;
    }
    atomic_store_explicit(&r->exclusive_thread, 0, memory_order_relaxed);
    atomic_store_explicit(&lock->word, WORD_INCONSISTENT, memory_order_release);
    released(r, WINSHM_EXCLUSIVE);
    return WINSHM_OK;
}

winshm_status wshm_lock_make_consistent(struct region *r)
{
    struct layout_lock *lock = &r->control->lock;
    uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
    if ((word & WORD_OWNER) != r->me ||
        (atomic_load_explicit(&lock->version, memory_order_relaxed) & 1) == 0)
        return WINSHM_E_NOT_OWNER;
    /* The version stays odd until unlock: dying before is told again. */
    atomic_store_explicit(&lock->word, r->me, memory_order_relaxed);
    return WINSHM_OK;
}
