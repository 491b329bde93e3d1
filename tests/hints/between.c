/* Counts what goes between the library's portable part and its backend: see
 * hints.h. */
#include "hints.h"

#include <string.h>

static const uint64_t SLEEP = 5 * SECOND;

struct sleeper sleepers[LAYOUT_SLOTS];
struct tally tally;
_Thread_local bool observes;
static _Thread_local uint32_t wakes_sent;
static _Thread_local uint32_t asks_left; /* until it has looked once */

void until(_Atomic bool *what, bool value)
{
    while (atomic_load(what) != value)
        sleep_ms(1);
}

void forget_all(void)
{
    memset(sleepers, 0, sizeof sleepers);
    memset(&tally, 0, sizeof tally);
}

bool __real_wshm_platform_park(struct platform_region *p, uint32_t slot,
                               enum platform_channel channel,
                               _Atomic uint32_t *word, uint32_t seen,
                               uint32_t pid, uint64_t nanoseconds);
bool __wrap_wshm_platform_park(struct platform_region *p, uint32_t slot,
                               enum platform_channel channel,
                               _Atomic uint32_t *word, uint32_t seen,
                               uint32_t pid, uint64_t nanoseconds);
bool __wrap_wshm_platform_park(struct platform_region *p, uint32_t slot,
                               enum platform_channel channel,
                               _Atomic uint32_t *word, uint32_t seen,
                               uint32_t pid, uint64_t nanoseconds)
{
    struct sleeper *s = &sleepers[slot];
    bool natural = atomic_load(&s->natural);
    const struct layout_lock *lock =
        &((struct layout_control *)p->control_view)->lock;
    atomic_fetch_add(&s->slept, 1);
    atomic_fetch_add(&s->asleep, 1);
    atomic_fetch_add(&s->lasting, !natural);
    until(&s->held_before, false);
    bool over = __real_wshm_platform_park(p, slot, channel, word, seen, pid,
                                          natural ? nanoseconds : SLEEP);
    until(&s->held_after, false);
    atomic_fetch_sub(&s->lasting, !natural);
    atomic_fetch_sub(&s->asleep, 1);
    bool came = !natural || (atomic_load(&lock->word) & WORD_OWNER) == 0;
    if (over && came)
        atomic_fetch_add(&s->overslept, 1);
    return over;
}

winshm_status __real_wshm_platform_park_prepare(struct platform_region *p,
                                                uint32_t slot,
                                                enum platform_channel channel);
winshm_status __wrap_wshm_platform_park_prepare(struct platform_region *p,
                                                uint32_t slot,
                                                enum platform_channel channel);
winshm_status __wrap_wshm_platform_park_prepare(struct platform_region *p,
                                                uint32_t slot,
                                                enum platform_channel channel)
{
    void (*action)(void) = atomic_exchange(&tally.before_sleep, NULL);
    if (action != NULL)
        action();
    asks_left = 2;
    return __real_wshm_platform_park_prepare(p, slot, channel);
}

/** Who looks on asks for the time before its first look, and after each. */
uint64_t __real_wshm_platform_now(void);
uint64_t __wrap_wshm_platform_now(void);
uint64_t __wrap_wshm_platform_now(void)
{
    if (asks_left != 0 && --asks_left == 0) {
        void (*action)(void) = atomic_exchange(&tally.looking_on, NULL);
        if (action != NULL)
            action();
    }
    return __real_wshm_platform_now();
}

void __real_wshm_platform_wake(struct platform_region *p, uint32_t slot,
                               enum platform_channel channel,
                               _Atomic uint32_t *word);
void __wrap_wshm_platform_wake(struct platform_region *p, uint32_t slot,
                               enum platform_channel channel,
                               _Atomic uint32_t *word);
void __wrap_wshm_platform_wake(struct platform_region *p, uint32_t slot,
                               enum platform_channel channel,
                               _Atomic uint32_t *word)
{
    wakes_sent++;
    atomic_fetch_add(&sleepers[slot].woken, 1);
    __real_wshm_platform_wake(p, slot, channel, word);
}

void __real_wshm_park_wake_parked(struct region *r,
                                  enum platform_channel channel);
void __wrap_wshm_park_wake_parked(struct region *r,
                                  enum platform_channel channel);
void __wrap_wshm_park_wake_parked(struct region *r,
                                  enum platform_channel channel)
{
    uint32_t before = wakes_sent;
    __real_wshm_park_wake_parked(r, channel);
    atomic_fetch_add(&tally.scans, 1);
    if (wakes_sent == before)
        atomic_fetch_add(&tally.vain_scans, 1);
}

/** Whoever observes is denied the control block for writing. */
winshm_status __real_wshm_platform_enter(struct platform_region *p,
                                         enum platform_entry entry,
                                         uint64_t bytes, const char *security,
                                         uint64_t deadline_ns);
winshm_status __wrap_wshm_platform_enter(struct platform_region *p,
                                         enum platform_entry entry,
                                         uint64_t bytes, const char *security,
                                         uint64_t deadline_ns);
winshm_status __wrap_wshm_platform_enter(struct platform_region *p,
                                         enum platform_entry entry,
                                         uint64_t bytes, const char *security,
                                         uint64_t deadline_ns)
{
    return observes && entry != PLATFORM_OBSERVE
               ? WINSHM_E_ACCESS
               : __real_wshm_platform_enter(p, entry, bytes, security,
                                            deadline_ns);
}

/** An observer that has met a joiner waits for a moment. */
void __real_wshm_platform_sleep(uint64_t nanoseconds);
void __wrap_wshm_platform_sleep(uint64_t nanoseconds);
void __wrap_wshm_platform_sleep(uint64_t nanoseconds)
{
    if (observes && atomic_load(&tally.joiner_there) &&
        atomic_fetch_add(&tally.joiners_met, 1) == MET)
        atomic_store(&tally.joiner_held, false);
    __real_wshm_platform_sleep(nanoseconds);
}

/** Whoever creates takes its place last. */
winshm_status __real_wshm_platform_take(struct platform_region *p,
                                        uint32_t slot, platform_object *taken);
winshm_status __wrap_wshm_platform_take(struct platform_region *p,
                                        uint32_t slot, platform_object *taken);
winshm_status __wrap_wshm_platform_take(struct platform_region *p,
                                        uint32_t slot, platform_object *taken)
{
    if (atomic_load(&tally.joiner_held)) {
        atomic_store(&tally.joiner_there, true);
        until(&tally.joiner_held, false);
        atomic_store(&tally.joiner_there, false);
    }
    return __real_wshm_platform_take(p, slot, taken);
}
