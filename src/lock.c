/* The robust reader/writer lock: see lock.h for the words. */
#include "lock.h"

#include "park.h"
#include "turn.h"

bool wshm_lock_legal(uint32_t word)
{
    return (word & ~(WORD_OWNER | WORD_INCONSISTENT)) == 0 &&
           (word & WORD_OWNER) <= LAYOUT_SLOTS;
}

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

/** After a plain store that released the word. The load of the flag may
 * overtake that store: the waiter pays, in settle(). */
static void wake_after_store(struct region *r)
{
    atomic_signal_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&r->control->lock.parked, memory_order_relaxed) !=
        0)
        wshm_lock_wake(r);
}

static bool is_first(const struct region *r)
{
    return atomic_load_explicit(&r->first, memory_order_relaxed) ==
           wshm_platform_thread();
}

/** True if this thread surely holds the lock shared. */
static bool holds_shared(const struct region *r)
{
    return is_first(r) &&
           atomic_load_explicit(&r->crossed, memory_order_relaxed) == 0 &&
           atomic_load_explicit(&r->slot->own, memory_order_relaxed) != 0;
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
    uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
    if ((word & WORD_OWNER) == r->me &&
        (atomic_load_explicit(&lock->version, memory_order_relaxed) & 1) != 0)
        return WINSHM_EXCLUSIVE;
    return turn_readers(r->slot) != 0 ? WINSHM_SHARED : 0;
}

static winshm_status acquire_slowly(struct region *r, uint32_t timeout_ms,
                                    uint32_t *taken)
{
    struct layout_lock *lock = &r->control->lock;
    struct turn turn;
    winshm_status status;
    if (holds_exclusive(r) || holds_shared(r))
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

/** Readers are still in. @return WINSHM_OK when they are out. */
static winshm_status drain_slowly(struct region *r, uint32_t slot,
                                  uint32_t timeout_ms, uint64_t *deadline)
{
    if (slot + 1 == r->me && holds_shared(r))
        return WINSHM_E_DEADLOCK;
    if (*deadline == 0)
        *deadline = wshm_park_deadline(timeout_ms);
    return wshm_turn_drain(r, slot, *deadline);
}

winshm_status wshm_lock_exclusive(struct region *r, uint32_t timeout_ms)
{
    struct layout_control *control = r->control;
    struct layout_lock *lock = &control->lock;
    uint32_t taken = 0;
    uint64_t deadline = 0;
    if (atomic_load_explicit(&lock->seat, memory_order_relaxed) != 0 ||
        !atomic_compare_exchange_strong(&lock->word, &taken, r->me)) {
        deadline = wshm_park_deadline(timeout_ms);
        winshm_status status = acquire_slowly(r, timeout_ms, &taken);
        if (status != WINSHM_OK)
            return status;
    }
    /* The limit is read after the word was taken: a reader that claims its
     * slot later than this sees the word. */
    uint32_t limit = wshm_park_limit(control);
    for (uint32_t slot = 0; slot < limit; slot++) {
        if (turn_readers(&control->slots[slot]) == 0)
            continue;
        winshm_status status = drain_slowly(r, slot, timeout_ms, &deadline);
        if (status != WINSHM_OK) {
            atomic_store_explicit(&lock->word, taken, memory_order_release);
            wake_after_store(r);
            return status;
        }
    }
    atomic_store_explicit(&r->exclusive_thread, wshm_platform_thread(),
                          memory_order_relaxed);
    uint32_t version =
        atomic_load_explicit(&lock->version, memory_order_relaxed);
    if ((taken & WORD_INCONSISTENT) != 0) {
        atomic_store_explicit(&lock->version, version | 1,
                              memory_order_relaxed);
        return WINSHM_E_OWNER_DEAD;
    }
    /* Odd before any datum changes, for those who read without locking. */
    atomic_store_explicit(&lock->version, (version + 1) | 1,
                          memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    return WINSHM_OK;
}

winshm_status wshm_unlock_exclusive(struct region *r)
{
    struct layout_lock *lock = &r->control->lock;
    uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
    uint32_t version =
        atomic_load_explicit(&lock->version, memory_order_relaxed);
    /* Even: a thread of this handle is on its way in, nobody is inside. */
    if ((word & WORD_OWNER) != r->me || (version & 1) == 0)
        return WINSHM_E_NOT_OWNER;
    atomic_store_explicit(&r->exclusive_thread, 0, memory_order_relaxed);
    if ((word & WORD_INCONSISTENT) != 0) {
        atomic_store_explicit(&lock->word, WORD_INCONSISTENT,
                              memory_order_release);
    } else {
        /* In this order: dying in between leaves complete data and a word
         * that names a dead owner, which is cleaned without a report. */
        atomic_store_explicit(&lock->version, version + 1,
                              memory_order_release);
        atomic_store_explicit(&lock->word, 0, memory_order_release);
    }
    wake_after_store(r);
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

static void count_in(struct region *r)
{
    struct layout_slot *slot = r->slot;
    if (is_first(r)) {
        uint32_t own = atomic_load_explicit(&slot->own, memory_order_relaxed);
        atomic_exchange_explicit(&slot->own, own + 1, memory_order_seq_cst);
    } else {
        atomic_store_explicit(&r->crossed, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&slot->other, 1, memory_order_seq_cst);
    }
}

static void count_out(struct region *r)
{
    struct layout_slot *slot = r->slot;
    if (is_first(r)) {
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
    if (owner >= LAYOUT_SLOTS)
        return;
    /* Somebody waits for the readers to leave, perhaps asleep. */
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(
            &r->control->slots[owner].parked[PLATFORM_LOCK],
            memory_order_seq_cst) != 0)
        wshm_park_wake(r, owner, PLATFORM_LOCK);
}

static winshm_status share_slowly(struct region *r, uint32_t timeout_ms)
{
    struct layout_lock *lock = &r->control->lock;
    struct turn turn;
    winshm_status status;
    if (holds_exclusive(r))
        return WINSHM_E_DEADLOCK;
    wshm_turn_begin(&turn, r, false, timeout_ms);
    for (;;) {
        status = wshm_turn_wait(&turn);
        if (status != WINSHM_OK && status != WINSHM_E_TIMEOUT)
            break;
        count_in(r);
        uint32_t word = atomic_load_explicit(&lock->word, memory_order_seq_cst);
        if (word == 0) {
            wshm_turn_end(&turn, true);
            return WINSHM_OK;
        }
        count_out(r);
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

winshm_status wshm_lock_shared(struct region *r, uint32_t timeout_ms)
{
    struct layout_lock *lock = &r->control->lock;
    if (holds_shared(r))
        return WINSHM_E_DEADLOCK;
    uint32_t seat = atomic_load_explicit(&lock->seat, memory_order_relaxed);
    if ((seat & SEAT_EXCLUSIVE) == 0) {
        /* Count first, then look: a writer takes the word, then counts. */
        count_in(r);
        if (atomic_load_explicit(&lock->word, memory_order_seq_cst) == 0)
            return WINSHM_OK;
        count_out(r);
    }
    return share_slowly(r, timeout_ms);
}

winshm_status wshm_unlock_shared(struct region *r)
{
    if (turn_readers(r->slot) == 0)
        return WINSHM_E_NOT_OWNER;
    count_out(r);
    return WINSHM_OK;
}
