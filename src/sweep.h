/* What crashes have left of other regions: files in memory, which stay until
 * somebody uses their name again. Whoever creates removes some of them. */
#ifndef WINSHM_SWEEP_H
#define WINSHM_SWEEP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** When this process may next have a look, on the monotonic clock. */
extern _Atomic uint64_t wshm_sweep_next;

/**
 * Remove some of this user's regions that nobody is in, at most once a second.
 * Nothing is waited for, and what is refused is left as it is.
 *
 * @return true if any was removed.
 */
bool wshm_sweep(void);

#endif
