/* What a region's bytes are, as its creator has said: the layout text in the
 * control block. */
#ifndef WINSHM_MEANING_H
#define WINSHM_MEANING_H

#include "facts.h"
#include "request.h"
#include "schema.h"

/** Store a text. Under the life lock, while the region has no life.
 * @param canonical NULL: none. */
void wshm_meaning_store(struct layout_control *control, const char *canonical);

/**
 * Fetch the text, once. Without the life lock or a presence it may be that of
 * another life: whoever has neither looks at the life afterwards.
 *
 * @param size      bytes of the region.
 * @param canonical [out] room for SCHEMA_ROOM bytes; "": none.
 * @return WINSHM_OK or WINSHM_E_CORRUPT.
 */
winshm_status wshm_meaning_fetch(struct layout_control *control, uint64_t size,
                                 char *canonical);

/** Compare the text with that of a request which has one. @return WINSHM_OK,
 * WINSHM_E_TAG, WINSHM_E_SIZE or WINSHM_E_CORRUPT. */
PLATFORM_COLD winshm_status wshm_meaning_match(struct layout_control *control,
                                               const struct facts *facts,
                                               const struct request *request);

#endif
