/* Handing a region over: tokens and link files. */
#ifndef WINSHM_HAND_H
#define WINSHM_HAND_H

#include "handle.h"
#include "token.h"

/** Describe the life that a managed region's handle is in. */
winshm_status wshm_hand_describe(struct region *r, bool writable,
                                 struct token *token);

/** Open what a token is of. @param flags those of winshm_import(). */
winshm_status wshm_hand_import(const struct token *token, uint32_t flags,
                               uint32_t timeout_ms, winshm_region **out);

/** Make the handle's link file. The path is UTF-8 and not too long. */
winshm_status wshm_hand_link(struct region *r, const char *path);

/** Open what a link file leads to. */
winshm_status wshm_hand_open_link(const char *path, uint32_t flags,
                                  uint32_t timeout_ms, winshm_region **out);

#endif
