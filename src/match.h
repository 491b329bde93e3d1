/* Whether what there is fits what is asked for. Who is refused is told both
 * sides' numbers. */
#ifndef WINSHM_MATCH_H
#define WINSHM_MATCH_H

#include "facts.h"
#include "handle.h"
#include "request.h"

/** Refuse bookkeeping of another version. */
winshm_status wshm_match_layout(const struct facts *facts);

/** Compare life, tag, layout and size, and refuse a header that contradicts itself. */
winshm_status wshm_match_facts(const struct region *r,
                               const struct facts *facts,
                               const struct request *request);

/** Make sure that the data have as many bytes as are needed, of which the
 * kernel's word goes before the header's. @param less the status if not. */
winshm_status wshm_match_bytes(uint64_t bytes, uint64_t needed,
                               winshm_status less);

#endif
