/* Parts of a region: mapping them, and copying as things are. */
#ifndef WINSHM_PART_H
#define WINSHM_PART_H

#include "handle.h"

/** Map a part at any offset, and take it back. */
winshm_status wshm_part_map(struct region *r, uint64_t offset, uint64_t length,
                            bool write, struct part *part);
void wshm_part_unmap(struct part *part);

/** Copy by way of a mapping that is made for it. */
winshm_status wshm_part_read_apart(struct region *r, uint64_t offset,
                                   void *buffer, uint64_t length);
winshm_status wshm_part_write_apart(struct region *r, uint64_t offset,
                                    const void *buffer, uint64_t length);

/* Copies with no regard to the lock. */

static inline winshm_status wshm_part_read(struct region *r, uint64_t offset,
                                           void *buffer, uint64_t length)
{
    if (r->data == NULL)
        return wshm_part_read_apart(r, offset, buffer, length);
    return wshm_platform_copy(buffer, r->data + offset, length,
                              r->data + offset, length);
}

static inline winshm_status wshm_part_write(struct region *r, uint64_t offset,
                                            const void *buffer, uint64_t length)
{
    if (r->data == NULL)
        return wshm_part_write_apart(r, offset, buffer, length);
    return wshm_platform_copy(r->data + offset, buffer, length,
                              r->data + offset, length);
}

#endif
