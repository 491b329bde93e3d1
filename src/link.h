/* The link file of a handle: at most one, which goes with it. */
#ifndef WINSHM_LINK_H
#define WINSHM_LINK_H

#include "handle.h"

/** Reserve the handle's link for this call, until it is given up or made.
 * @return WINSHM_E_EXISTS if it has one. */
winshm_status wshm_link_begin(struct region *r);
void wshm_link_give_up(struct region *r);

/** Make the file that is the handle's link from then on, where nothing is.
 * @return WINSHM_E_EXISTS, among others; it is still reserved then. */
winshm_status wshm_link_make(struct region *r, const char *path,
                             const char *text, uint32_t length,
                             uint64_t deadline);

/** Remove somebody else's link, if this is what it says. Ours is reserved. */
winshm_status wshm_link_clear(struct region *r, const char *path,
                              const char *text, uint32_t length,
                              uint64_t deadline);

/** Remove the handle's link, if it has one. */
void wshm_link_remove(struct region *r);

/** In a child of fork(): links are the parent's. */
void wshm_link_fork_child(void);

#endif
