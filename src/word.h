/* The words of the lock, as waiters, cleaners and those who look read them: see
 * lock.h for what they mean. */
#ifndef WINSHM_WORD_H
#define WINSHM_WORD_H

#include "park.h"

/** True if word is one that the protocol can have written. */
static inline bool word_legal(uint32_t word)
{
    return (word & ~WORD_INCONSISTENT) <= LAYOUT_SLOTS;
}

/** A slot's shared locks. */
static inline uint32_t word_readers(const struct layout_slot *slot)
{
    return atomic_load_explicit(&slot->own, memory_order_seq_cst) +
           atomic_load_explicit(&slot->other, memory_order_seq_cst);
}

/** Wake those who may go next, after the word was freed. */
PLATFORM_COLD void wshm_word_wake(struct region *r);

#endif
