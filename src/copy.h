/* winshm_read() and winshm_write(): copies that are never torn. */
#ifndef WINSHM_COPY_H
#define WINSHM_COPY_H

#include "handle.h"

winshm_status wshm_copy_out(struct region *r, uint64_t offset, void *buffer,
                            uint64_t length, uint32_t timeout_ms);
winshm_status wshm_copy_in(struct region *r, uint64_t offset,
                           const void *buffer, uint64_t length,
                           uint32_t timeout_ms);

#endif
