/* What a region may be called. Pure functions. */
#ifndef WINSHM_NAME_H
#define WINSHM_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "winshm.h"

/**
 * Check a name and take its prefix off.
 *
 * @param name   as the caller gave it; never read beyond the longest legal
 *               name. NULL is WINSHM_E_INVALID.
 * @param bare   [out] room for WINSHM_NAME_MAX + 1 bytes.
 * @param global [out] true for Global\.
 * @return WINSHM_OK, WINSHM_E_INVALID or WINSHM_E_NAME.
 */
winshm_status wshm_name_parse(const char *name, char *bare, bool *global);

/**
 * Put a name that may break every rule into UTF-8 that can be shown: what is no
 * text becomes \x and two digits, and what does not fit is left out.
 *
 * @param text [out] room for size bytes.
 */
void wshm_name_quote(char *text, size_t size, const char *name);

#endif
