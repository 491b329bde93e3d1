/* What only costs time: seat, flags, counts and wake-ups are hints, and every
 * sleep ends by itself, so a fault in them would break no other test. Here
 * sleeps last five seconds, in which all that they wait for comes: a sleep that
 * goes to its end was not woken. No clock is asked. The program stands between
 * the library's portable part and its backend (--wrap of the linker), and
 * counts. */
#ifndef HINTS_H
#define HINTS_H

#include <stdatomic.h>

#include "check.h"
#include "child.h"
#include "handle.h"
#include "park.h"

/** So many looks of an observer meet a joiner before it goes on. */
enum { MET = 3 };

/** So often something is done while nobody waits. */
enum { QUIET = 10 };

/** What the threads of one slot do. */
struct sleeper {
    _Atomic uint32_t asleep;  /* now */
    _Atomic uint32_t lasting; /* of those: in sleeps that are not natural */
    _Atomic uint32_t slept;   /* so far */
    /* To the end, although what they waited for had come: always, or, where
     * sleeps are natural, if the lock was free then. */
    _Atomic uint32_t overslept;
    _Atomic uint32_t woken;   /* how often somebody wanted to wake them */
    _Atomic bool natural;     /* sleeps are as long as the library says */
    _Atomic bool held_before; /* they are kept from going to sleep */
    _Atomic bool held_after;  /* they are kept from going on after it */
};

extern struct sleeper sleepers[LAYOUT_SLOTS];

struct tally {
    _Atomic uint32_t scans, vain_scans; /* for sleepers; found nobody */
    _Atomic uint32_t joiners_met;       /* by an observer's looks */
    _Atomic bool joiner_held, joiner_there;
    /* Called once, by a thread that is about to announce that it sleeps. */
    void (*_Atomic before_sleep)(void);
    /* The same, by one that has announced itself and looked once. */
    void (*_Atomic looking_on)(void);
};

extern struct tally tally;

/** This thread is denied the control block for writing. */
extern _Thread_local bool observes;

void until(_Atomic bool *what, bool value);
void forget_all(void);

/* The stage. */

/** Handles of one region. They have the slots 0 to 3. Any thread may unlock
 * what a has locked. */
extern winshm_region *a, *b, *c, *d;

void open_all(void);

/** Nobody has overslept, and nobody counts as parked any more. */
void close_all(void);

struct region *inside(const winshm_region *h);
struct sleeper *of(const winshm_region *h);
struct layout_lock *the_lock(void);

/** A call that waits, in a thread. */
struct request {
    winshm_region *h;
    uint32_t mode; /* 0: waits for a change */
    uint32_t timeout_ms;
    winshm_status wanted;
    struct thread thread;
};

struct request wanting(winshm_region *h, uint32_t mode);
void start(struct request *request);
void start_asleep(struct request *request);

/** Wait until so many threads of a handle sleep and do so until they are woken,
 * in the kernel, too. Who was woken counts until it runs. */
void see_asleep(const winshm_region *h, uint32_t threads);

void wait_for_word(const winshm_region *h);
void wait_for_seat(const winshm_region *h);
void take_a(uint32_t mode);
void free_a(uint32_t mode);

/* The scenes. */

void role_hold(const char *name, uint32_t unused);
void test_lock(void);

#endif
