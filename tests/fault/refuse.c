/* Refuses calls as the present fault says. */
#include "run.h"

struct fault_run run;
uint32_t *fault_hits;

static _Thread_local bool here;

void fault_here(bool yes)
{
    here = yes;
}

void fault_deny(const char *function, uint32_t times, int32_t code)
{
    run.denied = function;
    run.denied_times = times;
    run.denied_code = code;
}

bool fault_refused(const char *function)
{
    for (uint32_t i = 0; i < run.functions; i++)
        if (strcmp(run.refused[i], function) == 0)
            return true;
    return false;
}

uint32_t fault_codes(const struct instrument_site *site)
{
    uint32_t count = 0;
    while (site->codes[count] != 0)
        count++;
    return count;
}

static int32_t refuse(struct instrument_site *site, int32_t code)
{
    if (run.site == NULL)
        run.site = site;
    fault_hits[site->index]++;
    if (run.codes_given < CODES_MAX)
        run.codes[run.codes_given++] = code;
    if (run.functions < CODES_MAX && !fault_refused(site->name))
        run.refused[run.functions++] = site->name;
    return code;
}

/** The same code as the first one, where this call may be refused so. */
static int32_t later_code(const struct instrument_site *site)
{
    for (uint32_t i = 0; site->codes[i] != 0; i++)
        if (site->codes[i] == run.codes[0])
            return run.codes[0];
    return site->codes[0];
}

int32_t fault_hook(struct instrument_site *site, const volatile void *address)
{
    if (address != NULL || site->codes[0] == 0 ||
        (!here && run.denied_times == 0))
        return 0;
    if (run.denied_times > 0 && strcmp(run.denied, site->name) == 0) {
        run.denied_times--;
        return run.denied_code;
    }
    if (!here)
        return 0;
    run.calls++;
    if (run.fault.call == 0 || run.calls < run.fault.call)
        return 0;
    if (run.calls > run.fault.call) {
        bool too =
            run.site != NULL && (run.fault.mode == FOR_GOOD ||
                                 (run.fault.mode == ITS_KIND &&
                                  strcmp(site->name, run.site->name) == 0));
        return too ? refuse(site, later_code(site)) : 0;
    }
    if (run.fault.code >= fault_codes(site))
        return 0;
    int32_t code = site->codes[run.fault.code];
    if (code < 0 && run.fault.mode != ONCE) /* it passes */
        return 0;
    return refuse(site, code < 0 ? -code : code);
}

void fault_forget(void)
{
    run.calls = 0;
    run.site = NULL;
    run.codes_given = run.functions = 0;
    run.elsewhere = false;
}
