/* What the engine's files share: the present fault, and what it came to. */
#ifndef RUN_H
#define RUN_H

#include "fault.h"

enum { CODES_MAX = 16, COMPLAINTS_MAX = 40, PATIENCE_S = 20 };

/** Which calls are refused after the first one. */
enum mode {
    ONCE,     /* none */
    ITS_KIND, /* those of the same function: something has run out */
    FOR_GOOD, /* all */
    MODES
};

/** A fault: the call-th call that can be refused, with which of its codes. */
struct fault {
    uint32_t call; /* 0: none */
    uint32_t code;
    enum mode mode;
};

struct fault_run {
    const struct scenario *scenario;
    struct fault fault;
    struct instrument_site *site;  /* the first one that was refused */
    struct instrument_site *shown; /* that, while the call is made again */
    uint32_t number; /* of the call that was refused, for complaints */
    uint32_t calls;
    const char *denied; /* besides, so many calls of this */
    uint32_t denied_times;
    int32_t denied_code;
    int32_t codes[CODES_MAX]; /* that were given */
    uint32_t codes_given;
    const char *refused[CODES_MAX]; /* the functions, as far as there is room */
    uint32_t functions;
    bool elsewhere; /* a child has judged */
    struct fault_holdings before;
    bool settled; /* the process has all that it gets once */
    volatile uint64_t began_ms;
};

extern struct fault_run run;
extern uint32_t fault_complaints;
extern uint32_t *fault_hits; /* of each site */
extern uint64_t fault_survived;

/** Say which fault is at hand. */
void fault_describe(void);

/** Forget what the last call came to. */
void fault_forget(void);

uint32_t fault_codes(const struct instrument_site *site);

/** What the process holds must be as before; midway names may stay if what
 * removes them was refused, too. */
void fault_judge_holdings(const struct fault_holdings *before, bool midway);

/** The participant that nothing was refused to goes on as if nothing was. */
void fault_judge_other(const struct stage *stage);

instrument_hook fault_hook;

#endif
