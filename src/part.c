/* Parts of a region. */
#include "part.h"

winshm_status wshm_part_map(struct region *r, uint64_t offset, uint64_t length,
                            bool write, struct part *part)
{
    /* The system maps from multiples of its granularity only. */
    uint64_t lead = offset & (wshm_platform_granularity() - 1);
    part->mapping = NULL;
    part->mapped = length + lead;
    winshm_status status = wshm_platform_map(
        &r->platform, offset - lead, part->mapped, write, &part->mapping);
    part->data = (uint8_t *)part->mapping + lead;
    return status;
}

void wshm_part_unmap(struct part *part)
{
    wshm_platform_unmap(part->mapping, part->mapped);
}

winshm_status wshm_part_read_apart(struct region *r, uint64_t offset,
                                   void *buffer, uint64_t length)
{
    struct part part;
    winshm_status status = wshm_part_map(r, offset, length, false, &part);
    if (status != WINSHM_OK)
        return status;
    status = wshm_platform_copy(buffer, part.data, length, part.data, length);
    wshm_part_unmap(&part);
    return status;
}

winshm_status wshm_part_write_apart(struct region *r, uint64_t offset,
                                    const void *buffer, uint64_t length)
{
    struct part part;
    winshm_status status = wshm_part_map(r, offset, length, true, &part);
    if (status != WINSHM_OK)
        return status;
    status = wshm_platform_copy(part.data, buffer, length, part.data, length);
    wshm_part_unmap(&part);
    return status;
}
