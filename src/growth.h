/* How large a region is, and making it larger.
 *
 * The size only rises, from what the header says up to the capacity, all of
 * which every handle has mapped. It is published in two values and a word that
 * says which of them counts: growers, who exclude each other by the life lock,
 * fill the other one and then raise the word. So a reader needs no lock, and a
 * death anywhere leaves the old size or the new one. */
#ifndef WINSHM_GROWTH_H
#define WINSHM_GROWTH_H

#include "handle.h"

/**
 * Tell the present size of a region that can grow.
 *
 * @param size [out] where it cannot be told: the size when it was opened.
 * @return WINSHM_E_CORRUPT, or WINSHM_E_NOT_FOUND if an observer's region has
 *         ended.
 */
PLATFORM_COLD winshm_status wshm_growth_published(struct region *r,
                                                  uint64_t *size);

/** The same of any region. */
static inline winshm_status wshm_growth_size(struct region *r, uint64_t *size)
{
    *size = r->size;
    return PLATFORM_LIKELY(r->capacity == r->size)
               ? WINSHM_OK
               : wshm_growth_published(r, size);
}

/** Make a region larger, of a handle that participates and may write. */
winshm_status wshm_growth_resize(struct region *r, uint64_t size,
                                 uint32_t timeout_ms);

/**
 * Keep the handle's other threads from taking the life lock, which would not
 * exclude this one.
 *
 * @return WINSHM_E_TIMEOUT if one of them had it until deadline, or
 *         WINSHM_E_CLOSED.
 */
winshm_status wshm_growth_keep_out(struct region *r, uint64_t deadline);
void wshm_growth_let_in(struct region *r);

#endif
