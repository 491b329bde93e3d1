/* Whether what there is fits what is asked for. */
#include "match.h"

#include <string.h>

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

/** A token of this very life, which tells another size, was not made by us. */
static winshm_status match_life(const struct facts *facts,
                                const struct request *request)
{
    if (memcmp(request->life, facts->id, sizeof facts->id) != 0)
        return wshm_error_because(WINSHM_E_REPLACED,
                                  "the one that the token is of has ended, and "
                                  "another one has its name",
                                  "Get a token of the new one, or open it by "
                                  "its name.");
    return request->size == facts->size
               ? WINSHM_OK
               : wshm_error_detail(WINSHM_E_TOKEN,
                                   "it tells of {a} bytes, and the region was "
                                   "created with {b}",
                                   NULL, request->size, facts->size, 0);
}

winshm_status wshm_match_facts(const struct region *r,
                               const struct facts *facts,
                               const struct request *request)
{
    if (request->life != NULL) {
        winshm_status status = match_life(facts, request);
        if (status != WINSHM_OK)
            return status;
    }
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
