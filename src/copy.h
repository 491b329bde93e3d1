/* Copies out of and into a region. */
#ifndef WINSHM_COPY_H
#define WINSHM_COPY_H

#include "part.h"
#include "word.h"

/** Longer copies are made under the lock, as a section that runs meanwhile
 * would make them worthless. */
enum { COPY_BRIEF = 4096 };

/** Copy without taking the lock. @param status [out] how the copy ended.
 * @return true if no section ran meanwhile, so that this is what counts. */
static inline bool wshm_copy_undisturbed(struct region *r, uint64_t offset,
                                         void *buffer, uint64_t length,
                                         winshm_status *status)
{
    const struct layout_lock *lock = &r->control->lock;
    uint32_t version =
        atomic_load_explicit(&lock->version, memory_order_acquire);
    if ((version & 1) != 0 ||
        !word_legal(atomic_load_explicit(&lock->word, memory_order_relaxed)))
        return false;
    *status = wshm_part_read(r, offset, buffer, length);
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&lock->version, memory_order_relaxed) ==
           version;
}

/** Copies that are never torn: they take the lock where this thread has not. */
winshm_status wshm_copy_read(struct region *r, uint64_t offset, void *buffer,
                             uint64_t length, uint32_t timeout_ms);
winshm_status wshm_copy_write(struct region *r, uint64_t offset,
                              const void *buffer, uint64_t length,
                              uint32_t timeout_ms);

/** Copies under a lock that somebody holds through this handle. */
winshm_status wshm_copy_out(struct region *r, uint64_t offset, void *buffer,
                            uint64_t length);
winshm_status wshm_copy_in(struct region *r, uint64_t offset,
                           const void *buffer, uint64_t length);

#endif
