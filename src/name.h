/* What a region may be called. */
#ifndef WINSHM_NAME_H
#define WINSHM_NAME_H

#include <stdbool.h>

#include "winshm.h"

/**
 * Check a name and take its prefix off.
 *
 * @param name   as the caller gave it; never read beyond the longest legal
 *               name. NULL is WINSHM_E_INVALID.
 * @param bare   [out] room for WINSHM_NAME_MAX + 1 bytes.
 * @param global [out] true for Global\.
 * @return WINSHM_OK, WINSHM_E_INVALID or WINSHM_E_NAME, and notes why.
 */
winshm_status wshm_name_parse(const char *name, char *bare, bool *global);

#endif
