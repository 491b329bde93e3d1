/* Entering a region, by creating, joining or observing it.
 *
 * A region exists if and only if somebody's presence exists. Entering happens
 * under the life lock: whoever holds it and finds nobody present may make the
 * region anew in place, whatever an earlier life has left in the control block.
 * So there is no half-made state to wait for, and nothing that a crash leaves
 * needs a person. */
#ifndef WINSHM_ENTER_H
#define WINSHM_ENTER_H

#include "handle.h"
#include "request.h"

/** Fill r. On failure nothing is left behind or held.
 * @return WINSHM_E_TIMEOUT if others were inside until deadline, among others.
 */
winshm_status wshm_enter(struct region *r, const struct request *request,
                         uint64_t deadline);

/** Map the whole view, if it is asked for, and take it back. */
winshm_status wshm_enter_map(struct region *r, const struct request *request);
void wshm_enter_unmap(struct region *r);

/** Remove what a life without participants has left. Life lock held.
 * @return true if nothing of it is left. */
bool wshm_enter_clean_up(struct region *r);

#endif
