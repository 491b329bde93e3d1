/* Copies out of and into a region. */
#ifndef WINSHM_COPY_H
#define WINSHM_COPY_H

#include "handle.h"

/** Copies that are never torn: they take the lock where this thread has not. */
winshm_status wshm_copy_read(struct region *r, uint64_t offset, void *buffer,
                             uint64_t length, uint32_t timeout_ms);
winshm_status wshm_copy_write(struct region *r, uint64_t offset,
                              const void *buffer, uint64_t length,
                              uint32_t timeout_ms);

/** Copies under a lock that somebody holds through this handle. */
winshm_status wshm_copy_out(struct region *r, uint64_t offset, void *buffer,
                            uint64_t length);
winshm_status wshm_copy_in(struct region *r, uint64_t offset,
                           const void *buffer, uint64_t length);

#endif
