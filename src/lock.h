/* The robust reader/writer lock.
 *
 * word      0: free. Owner's slot + 1: held, or about to be. INCONSISTENT
 *           beside an owner: held by one that was told; alone: free, the last
 *           owner died in its section.
 * version   odd from "readers are out" to "data complete", so that its parity
 *           tells whether an owner's death has torn the data.
 * own+other a slot's shared locks, in two halves.
 * seat      a hint: the oldest waiter, before whom nobody takes a free word.
 * parked    a hint: somebody may be asleep.
 *
 * Exclusion rests on word, version, counts and presence alone. While word
 * names a slot only the holder of that slot's presence writes it, so a plain
 * store releases it. Releasing needs no read-modify-write: the store of word
 * may still be hidden when the releaser looks at the parked flag, and the one
 * who wants to sleep pays for that with a barrier and a bounded sleep. */
#ifndef WINSHM_LOCK_H
#define WINSHM_LOCK_H

#include "handle.h"

winshm_status wshm_lock_exclusive(struct region *r, uint32_t timeout_ms);
winshm_status wshm_lock_shared(struct region *r, uint32_t timeout_ms);
winshm_status wshm_unlock_exclusive(struct region *r);
winshm_status wshm_unlock_shared(struct region *r);
winshm_status wshm_lock_make_consistent(struct region *r);

/** Which lock the handle holds: 0, WINSHM_SHARED or WINSHM_EXCLUSIVE. */
uint32_t wshm_lock_held(struct region *r);

/** Wake those who may go next, after the word was freed. */
void wshm_lock_wake(struct region *r);

/** True if word is one that the protocol can have written. */
bool wshm_lock_legal(uint32_t word);

#endif
