/* Fault injection: scenarios, in each of which every call to the operating
 * system is refused once, and from some call on for good, with each code that
 * it may be refused with. fault.c does that and judges what all of them have
 * in common; what is special is in the scenarios. */
#ifndef FAULT_H
#define FAULT_H

#include "child.h"
#include "instrument.h"
#include "winshm.h"

enum { FAULT_SIZE = 10000 };

struct stage {
    const char *name;
    winshm_region *handle; /* whose call is tested, or which it opens */
    winshm_region *other;  /* a participant that must notice nothing */
    winshm_view *view;
    uint32_t seen;
    struct thread thread;
    winshm_status heard; /* what the thread's call gave */
};

struct scenario {
    const char *name;
    const char *function;   /* whose documented statuses may come */
    winshm_status expected; /* when nothing is refused */
    /* Once: before the first call, and after the last. */
    void (*set_up)(struct stage *stage);
    void (*tear_down)(struct stage *stage);
    /* The call is made with faults, and again without. Each time: */
    void (*prepare)(struct stage *stage);
    winshm_status (*call)(struct stage *stage);
    void (*settle)(struct stage *stage, winshm_status status);
    /* So many calls of this one are refused anyway, to come to a way round. */
    const char *always;
    uint32_t always_times;
    int32_t always_code;
};

extern const struct scenario fault_hand[];
extern const struct scenario fault_life[];
extern const struct scenario fault_use[];
extern const struct scenario fault_lock[];
extern const struct scenario fault_process[];
extern const struct scenario fault_save[];
extern const struct role fault_roles[];

/** What a process holds of the system. */
struct fault_holdings {
    int handles;
    int mappings;
    int names;  /* that begin with this process's names; -1: cannot be told */
    int blocks; /* of memory; 0 where the library allocates none */
};

void fault_count(struct fault_holdings *holdings);

/** Complain, with the fault at hand, unless it is true. */
void fault_expect(bool condition, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Complain unless a call that nothing was refused to gave this. */
void fault_expect_status(const char *call, winshm_status actual,
                         winshm_status expected);

#define EXPECT_OK(call) fault_expect_status(#call, call, WINSHM_OK)

/** Faults are for the thread that asks for them. */
void fault_here(bool yes);

/** Refuse so many calls besides, whoever makes them. */
void fault_deny(const char *function, uint32_t times, int32_t code);

/** True if a call of this name was refused in the present run. */
bool fault_refused(const char *function);
/** True if nothing could be kept for this thread, such as a message. */
bool fault_no_room_for_thread(void);

/** Judge what a call gave; of those in the table that is done anyway. */
void fault_judge(winshm_status status);

/** The fault at hand as a number, for a child, which begins with it, and ends
 * with what its parent hears. @return false if the child complained. */
uint32_t fault_number(void);
void fault_begin_child(const struct scenario *scenario, uint32_t number);
void fault_end_child(void);
bool fault_hear_child(struct child *child);

/* Shared by scenarios. */

/** A process that does nothing and stays. */
extern struct child fault_neighbour;

void fault_write_text(winshm_region *h);
/** other is a participant; handle, too. */
void fault_set_up_region(struct stage *s);
void fault_set_up_pair(struct stage *s);
void fault_tear_down(struct stage *s);

/** Long enough to park. */
enum { FAULT_SHORT_MS = 10 };

struct region *fault_inside(winshm_region *h);

/** Wait until the handle's thread is parked, or has had the time. */
void fault_until_parked(winshm_region *h, int channel);

/* To prepare and settle calls. */
void fault_other_locks(struct stage *s);
void fault_other_unlocks(struct stage *s, winshm_status status);
/** What the death of an owner in its section leaves in the words. */
void fault_owner_dies(struct stage *s);
/** The one who is told repairs; if nobody was told yet, the other one is. */
void fault_repair(struct stage *s, winshm_status status);
/** The other handle's thread must have got what it waits for. */
void fault_settle_waiter(struct stage *s, winshm_status status);

/** Lets the names of a region that has ended stay, as a death does. @return
 * false where names end with their users. */
bool fault_leave_names(winshm_region *h, const char *name);

/** A scenario with two participants. */
#define FAULT_USES(text, what, act)                                            \
    .name = text, .function = what, .call = act, .set_up = fault_set_up_pair,  \
    .tear_down = fault_tear_down

#endif
