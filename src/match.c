/* Whether what there is fits what is asked for. */
#include "match.h"

#include "meaning.h"
#include "status.h"

winshm_status wshm_match_layout(const struct facts *facts)
{
    return wshm_error_detail(
        WINSHM_E_LAYOUT,
        "its bookkeeping is of version {a}, this library's "
        "of {b}",
        NULL, facts->version, LAYOUT_VERSION, 0);
}

winshm_status wshm_match_facts(const struct region *r,
                               const struct facts *facts,
                               const struct request *request)
{
    if (facts->size == 0 || facts->capacity < facts->size ||
        facts->lock_kind > WINSHM_LOCK_ROBUST)
        return WINSHM_E_CORRUPT;
    /* Tag and layout first: where the size differs, too, they are the cause. */
    if (request->layout_tag != 0 && facts->layout_tag != 0 &&
        request->layout_tag != facts->layout_tag)
        return wshm_error_detail(WINSHM_E_TAG,
                                 "the region has the tag {xa}, this program "
                                 "{xb}",
                                 NULL, facts->layout_tag, request->layout_tag,
                                 0);
    winshm_status status = request->layout != NULL
                               ? wshm_meaning_match(r->control, facts, request)
                               : WINSHM_OK;
    if (status != WINSHM_OK)
        return status;
    if (request->size != 0 && request->size != facts->size)
        return wshm_error_detail(
            WINSHM_E_SIZE, "the region has {a} bytes, {b} were asked for",
            "Size 0 opens any size.", facts->size, request->size, 0);
    return WINSHM_OK;
}

winshm_status wshm_match_bytes(uint64_t bytes, uint64_t needed,
                               winshm_status less)
{
    return bytes < needed
               ? wshm_error_detail(
                     less, "the block has {a} bytes, {b} are needed",
                     less == WINSHM_E_SIZE ? "Ask for no more." : NULL, bytes,
                     needed, 0)
               : WINSHM_OK;
}
