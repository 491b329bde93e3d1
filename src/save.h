/* Saving regions in files, and loading them: saved.h has the format. */
#ifndef WINSHM_SAVE_H
#define WINSHM_SAVE_H

#include "handle.h"

winshm_status wshm_save(struct region *r, const char *path,
                        uint32_t timeout_ms);

/** The handle may write. */
winshm_status wshm_load(struct region *r, const char *path,
                        uint32_t timeout_ms);

#endif
