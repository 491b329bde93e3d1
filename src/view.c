/* Mapped parts of a region. */
#include "view.h"

#include "region.h"

winshm_status wshm_view_map(struct region *r, uint64_t offset, uint64_t length,
                            bool write, winshm_view **out)
{
    struct view *v = wshm_view_allocate(r);
    if (v == NULL)
        return WINSHM_E_TOO_MANY;
    /* The system maps from multiples of its granularity only. */
    uint64_t lead = offset & (wshm_platform_granularity() - 1);
    void *address;
    winshm_status status = wshm_platform_map(&r->platform, offset - lead,
                                             length + lead, write, &address);
    if (status != WINSHM_OK) {
        wshm_view_free(v);
        return status;
    }
    atomic_fetch_add(&r->references, 1);
    v->mapping = address;
    v->mapped = length + lead;
    v->data = (uint8_t *)address + lead;
    v->length = length;
    *out = wshm_view_publish(v);
    return WINSHM_OK;
}

winshm_status wshm_view_unmap(winshm_view *handle)
{
    struct view *v = wshm_view_retire(handle);
    if (v == NULL)
        return wshm_view_refusal(handle);
    struct region *r = v->region;
    wshm_platform_unmap(v->mapping, v->mapped);
    wshm_view_free(v);
    wshm_region_release(r);
    return WINSHM_OK;
}
