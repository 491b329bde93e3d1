/* What the files with exported functions share. A region that was begun is
 * ended on every path by finish(). */
#ifndef WINSHM_API_H
#define WINSHM_API_H

#include "handle.h"

/** Report why a handle is not valid. */
PLATFORM_COLD winshm_status wshm_api_refuse(const char *function,
                                            const winshm_region *handle);

/** Check the struct_size that a caller has set. @param first the bytes of the
 * struct in its first release. */
winshm_status wshm_api_struct_size(uint32_t size, uint32_t first);

/** Check where a text is to go, and make it empty. */
winshm_status wshm_api_room(char *buffer, uint32_t capacity, uint32_t *length);

/** Check the path of a file. What is told of a failure names it from then on. */
winshm_status wshm_api_path(const char *path);

/** Hand out a text, if there is room. */
winshm_status wshm_api_hand_text(const char *text, char *buffer,
                                 uint32_t capacity, uint32_t *length);

/** Check a layout text of a caller. @param canonical [out] room for
 * SCHEMA_ROOM bytes. @param size [out] bytes that it speaks of. */
winshm_status wshm_api_layout(const char *text, char *canonical,
                              uint64_t *size);

/** End a call that failed. */
PLATFORM_COLD winshm_status wshm_api_fail(const char *function,
                                          struct region *r,
                                          winshm_status status);

static inline winshm_status finish(const char *function, struct region *r,
                                   winshm_status status)
{
    if (status != WINSHM_OK)
        return wshm_api_fail(function, r, status);
    wshm_region_end(r);
    return WINSHM_OK;
}

/** End a call that goes by the control block. */
static inline winshm_status
finish_on_block(const char *function, struct region *r, winshm_status status)
{
    return finish(function, r, wshm_region_lost(r) ? WINSHM_E_CORRUPT : status);
}

/** Refuse what a raw region cannot do. */
winshm_status wshm_api_raw(void);

/** Tell why wshm_api_participates() is refused. */
PLATFORM_COLD winshm_status wshm_api_outside(const struct region *r,
                                             bool locks);

/** What calls on the lock and the counter need. */
static inline winshm_status wshm_api_participates(const struct region *r,
                                                  bool locks)
{
    bool may = r->slot != NULL && !wshm_region_lost(r) &&
               (!locks || r->lock_kind != WINSHM_LOCK_NONE);
    return PLATFORM_LIKELY(may) ? WINSHM_OK : wshm_api_outside(r, locks);
}

#endif
