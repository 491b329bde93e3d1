/* Mapped parts of a region. */
#include "view.h"

#include "part.h"
#include "region.h"
#include "status.h"

winshm_status wshm_view_map(struct region *r, uint64_t offset, uint64_t length,
                            bool write, winshm_view **out)
{
    struct view *v = wshm_view_allocate(r);
    if (v == NULL)
        return wshm_error_detail(
            WINSHM_E_TOO_MANY, "this process has {a} views mapped",
            "Unmap what is not needed.", HANDLE_VIEWS, 0, 0);
    winshm_status status = wshm_part_map(r, offset, length, write, &v->part);
    if (status != WINSHM_OK) {
        wshm_view_free(v);
        return status;
    }
    atomic_fetch_add(&r->references, 1);
    v->length = length;
    *out = wshm_view_publish(v);
    return WINSHM_OK;
}

winshm_status wshm_view_unmap(winshm_view *handle)
{
    struct view *v = wshm_view_retire(handle);
    if (v == NULL)
        return wshm_view_disinherit(handle) ? WINSHM_OK
                                            : wshm_view_refusal(handle);
    struct region *r = v->region;
    wshm_part_unmap(&v->part);
    wshm_view_free(v);
    wshm_region_release(r);
    return WINSHM_OK;
}
