/* Slots and presence. Whoever has a slot's presence acts for it: as its user,
 * or, after the user's death, as the one who cleans up. Nothing but presence
 * tells life from death; time never does. */
#ifndef WINSHM_PARTICIPANT_H
#define WINSHM_PARTICIPANT_H

#include "handle.h"

/**
 * Take a slot and its presence, clean it and describe this process in it.
 * Life lock held, header complete. From here on the region exists.
 *
 * @param locked with the lock held exclusively, by one who was told that the
 *               data are not whole; nobody sees the region without.
 */
winshm_status wshm_participant_claim(struct region *r, bool locked);

/** True unless the slot's participant is known to be dead. A handle's own slot
 * is alive. A look and no more: the answer may be old when it arrives. */
bool wshm_participant_alive(struct region *r, uint32_t slot);

/** True if nobody else is known or feared to be present. */
bool wshm_participant_alone(struct region *r);

/** Clean a dead participant's slot. Does nothing if it lives, or if somebody
 * else is at it. */
void wshm_participant_reap(struct region *r, uint32_t slot);

#endif
