/* Waking those who wait for the lock. */
#include "word.h"

void wshm_word_wake(struct region *r)
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
