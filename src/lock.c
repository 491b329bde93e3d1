/* The robust reader/writer lock: see lock.h for the words. */
#include "lock.h"

#include "turn.h"

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
        wshm_word_wake(r);
    else
        wake_writer(r);
}

static void released(struct region *r, uint32_t mode)
{
    if (lock_awaited(&r->control->lock, mode))
        wshm_lock_wake_after(r, mode);
}

/* Who holds what through winshm_lock(). */

/** Find the bits that say whether this thread, not the handle's first, holds
 * the lock shared; which one it is tells shared_bit(). @return NULL if nothing
 * is kept for this thread. */
static uint32_t *shared_bits(const struct region *r)
{
    struct platform_thread *thread = wshm_platform_thread_block();
    return thread == NULL ? NULL : &thread->shared[(r - wshm_regions) / 32];
}

static uint32_t shared_bit(const struct region *r)
{
    return 1u << (r - wshm_regions) % 32;
}

bool wshm_lock_held_by_other(const struct region *r)
{
    if (handle_is_tasks(r))
        return false;
    const uint32_t *bits = shared_bits(r);
    return bits != NULL && (*bits & shared_bit(r)) != 0;
}

bool wshm_lock_held_by_handle(const struct region *r, bool exclusively)
{
    return atomic_load(&r->owner) != 0 ||
           (!exclusively &&
            (atomic_load(&r->own) == 1 || atomic_load(&r->other) != 0));
}

winshm_status wshm_lock_recordable(struct region *r, uint32_t mode)
{
    bool can = handle_is_tasks(r) || handle_used_first(r) ||
               (wshm_platform_thread() != PLATFORM_NOBODY &&
                (mode != WINSHM_SHARED || shared_bits(r) != NULL));
    return can ? WINSHM_OK : WINSHM_E_NO_MEMORY;
}

/** Who region.owner says it is if this thread may unlock. */
static uintptr_t as_owner(const struct region *r)
{
    return handle_is_tasks(r) ? LOCK_ANYBODYS : wshm_platform_thread();
}

void wshm_lock_record(struct region *r, uint32_t mode)
{
    /* With WINSHM_TASK another thread may unlock: what it reads here has to
     * bring the word along. */
    if (mode == WINSHM_EXCLUSIVE) {
        atomic_store_explicit(&r->owner, as_owner(r), memory_order_release);
    } else if (handle_used_first(r)) {
        atomic_store_explicit(&r->own, 1, memory_order_relaxed);
    } else {
        if (!handle_is_tasks(r))
            *shared_bits(r) |= shared_bit(r);
        atomic_fetch_add_explicit(&r->other, 1, memory_order_release);
    }
}

/** Take one from a count. @return false if it is 0. */
static bool take_one(_Atomic uint32_t *count)
{
    uint32_t seen = atomic_load(count);
    while (seen != 0 && !atomic_compare_exchange_strong(count, &seen, seen - 1))
        ;
    return seen != 0;
}

/** Forget a lock of this thread, or of a handle for tasks. @return false if
 * there is none. */
static bool forget(struct region *r, uint32_t mode)
{
    uintptr_t anybodys = LOCK_ANYBODYS;
    if (handle_is_tasks(r))
        return mode == WINSHM_SHARED
                   ? take_one(&r->other)
                   : atomic_compare_exchange_strong(&r->owner, &anybodys, 0);
    /* Nobody but this thread changes what it holds. */
    if (wshm_lock_held(r) != mode)
        return false;
    if (mode == WINSHM_EXCLUSIVE) {
        atomic_store_explicit(&r->owner, 0, memory_order_relaxed);
    } else if (handle_used_first(r)) {
        atomic_store_explicit(&r->own, 0, memory_order_relaxed);
    } else {
        *shared_bits(r) &= ~shared_bit(r);
        atomic_fetch_sub_explicit(&r->other, 1, memory_order_relaxed);
    }
    return true;
}

/** Take the word. @param taken [out] what it was before. */
static winshm_status take_word(struct region *r, uint64_t deadline,
                               uint32_t *taken)
{
    struct layout_lock *lock = &r->control->lock;
    struct turn turn;
    winshm_status status;
    wshm_turn_begin(&turn, r, true, deadline);
    for (;;) {
        status = wshm_turn_wait(&turn);
        if (status != WINSHM_OK && status != WINSHM_E_TIMEOUT)
            break;
        uint32_t word = atomic_load_explicit(&lock->word, memory_order_seq_cst);
        if (!word_legal(word)) {
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

/** Give the word back that was taken, and no section begun with. */
static void give_back(struct region *r, uint32_t taken)
{
    atomic_store_explicit(&r->control->lock.word, taken, memory_order_release);
    released(r, WINSHM_EXCLUSIVE);
}

/** Wait until all readers are out. Gives the word back if they do not go. */
static winshm_status drain(struct region *r, uint32_t taken, uint64_t deadline)
{
    uint32_t shown = lock_shown(&r->control->lock);
    uint32_t slots = wshm_park_limit(r->control);
    for (uint32_t slot = 0; slot < slots; slot++) {
        if ((shown >> slot % 32 & 1) == 0 ||
            word_readers(&r->control->slots[slot]) == 0)
            continue;
        winshm_status status = wshm_turn_drain(r, slot, deadline);
        if (status != WINSHM_OK && wshm_region_lost(r))
            return WINSHM_E_CORRUPT;
        if (status != WINSHM_OK) {
            give_back(r, taken);
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
    winshm_status status = take_word(r, deadline, &taken);
    if (status == WINSHM_OK)
        status = drain(r, taken, deadline);
    if (status != WINSHM_OK)
        return status;
    if ((taken & WORD_INCONSISTENT) == 0) {
        lock_begin_section(lock);
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
    wshm_turn_begin(&turn, r, false, wshm_park_deadline(timeout_ms));
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
        if (!word_legal(word))
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
    /* Before anybody is waited for: it might be this thread. */
    bool held = wshm_lock_held(r) != 0;
    if (mode == WINSHM_SHARED) {
        lock_count_out(r, handle_used_first(r));
        released(r, mode);
        return held ? WINSHM_E_DEADLOCK : lock_shared(r, timeout_ms);
    }
    if (held) {
        give_back(r, 0);
        return WINSHM_E_DEADLOCK;
    }
    winshm_status status = drain(r, 0, wshm_park_deadline(timeout_ms));
    if (status == WINSHM_OK)
        lock_begin_section(&r->control->lock);
    return status;
}

winshm_status wshm_lock(struct region *r, uint32_t mode, uint32_t timeout_ms)
{
    bool half;
    if (mode == WINSHM_SHARED)
        lock_show(r);
    if (mode == WINSHM_SHARED
            ? wshm_lock_try_shared(r, handle_used_first(r), &half)
            : wshm_lock_try_exclusive(r, &half))
        return WINSHM_OK;
    if (half)
        return wshm_lock_finish(r, mode, timeout_ms);
    return mode == WINSHM_SHARED ? lock_shared(r, timeout_ms)
                                 : lock_exclusive(r, timeout_ms);
}

void wshm_lock_release(struct region *r, uint32_t mode)
{
    struct layout_lock *lock = &r->control->lock;
    uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
    if (mode == WINSHM_SHARED)
        lock_count_out(r, handle_used_first(r));
    else if (word == r->me)
        lock_end_section(lock);
    else if (word == (r->me | WORD_INCONSISTENT)) /* not declared consistent */
        atomic_store_explicit(&lock->word, WORD_INCONSISTENT,
                              memory_order_release);
    released(r, mode);
}

winshm_status wshm_unlock(struct region *r, uint32_t mode)
{
    if (!forget(r, mode))
        return WINSHM_E_NOT_OWNER;
    uint32_t word =
        atomic_load_explicit(&r->control->lock.word, memory_order_relaxed);
    wshm_lock_release(r, mode);
    /* Somebody has written over it. */
    return mode == WINSHM_EXCLUSIVE && (word & WORD_OWNER) != r->me
               ? WINSHM_E_CORRUPT
               : WINSHM_OK;
}

/** Change the word of a lock that this handle holds. By a swap: with
 * WINSHM_TASK somebody may unlock meanwhile, and the word be another's. @return
 * what it was. */
static uint32_t change_word(struct region *r, uint32_t from, uint32_t to)
{
    atomic_compare_exchange_strong(&r->control->lock.word, &from, to);
    return from;
}

winshm_status wshm_lock_make_consistent(struct region *r)
{
    if (atomic_load_explicit(&r->owner, memory_order_relaxed) != as_owner(r))
        return WINSHM_E_NOT_OWNER;
    /* The version stays odd until unlock: dying before is told again. */
    uint32_t word = change_word(r, r->me | WORD_INCONSISTENT, r->me);
    return (word & ~WORD_INCONSISTENT) == r->me ? WINSHM_OK : WINSHM_E_CORRUPT;
}

bool wshm_lock_mark(struct region *r)
{
    return change_word(r, r->me, r->me | WORD_INCONSISTENT) == r->me;
}

void wshm_lock_unmark(struct region *r)
{
    change_word(r, r->me | WORD_INCONSISTENT, r->me);
}
