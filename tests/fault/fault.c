/* Refuses every call of every scenario, and judges what comes of it.
 *
 * test_fault [SCENARIO [CALL [CODE]]]     the names and numbers are those that
 *                                         a complaint begins with
 * test_fault --brief [SEED]               of each call two faults, drawn */
#include "run.h"
#include "sweep.h"

struct child fault_neighbour;

static uint32_t site_count;
static bool brief;
static uint32_t seed;
static uint64_t runs, faults;

static winshm_status call(struct stage *stage)
{
    const struct scenario *scenario = run.scenario;
    fault_deny(scenario->always, scenario->always_times, scenario->always_code);
    fault_forget();
    if (scenario->prepare != NULL)
        scenario->prepare(stage);
    fault_count(&run.before);
    fault_here(true);
    winshm_status status = scenario->call(stage);
    fault_here(false);
    return status;
}

/* Other processes. A child makes the calls with the fault that it is told of
 * in one number, and tells which site it came to. */

uint32_t fault_number(void)
{
    return run.fault.call | run.fault.code << 16 |
           (uint32_t)run.fault.mode << 24;
}

void fault_begin_child(const struct scenario *scenario, uint32_t number)
{
    run.scenario = scenario;
    run.fault.call = number & 0xFFFF;
    run.fault.code = number >> 16 & 0xFF;
    run.fault.mode = (enum mode)(number >> 24);
    run.began_ms = clock_ms();
    fault_forget();
    fault_complaints = 0;
    instrument_set_hook(fault_hook);
}

void fault_end_child(void)
{
    uint32_t index = run.site != NULL ? run.site->index + 1 : 0;
    parent_tell((char)(index & 0xFF));
    parent_tell((char)(index >> 8));
    fflush(NULL);
    instrument_exit(fault_complaints != 0);
}

bool fault_hear_child(struct child *child)
{
    uint32_t count;
    struct instrument_site *const *sites = instrument_sites(&count);
    int low = child_hear(child, PATIENCE_S * 1000);
    int high = child_hear(child, PATIENCE_S * 1000);
    uint32_t index = (uint32_t)(high << 8 | low);
    run.elsewhere = true;
    if (low < 0 || high < 0 || index > count)
        child_kill(child);
    else if (index > 0) {
        run.site = sites[index - 1];
        run.codes[0] = run.site->codes[run.fault.code];
        fault_hits[index - 1]++;
    }
    return low >= 0 && high >= 0 && child_wait(child, PATIENCE_MS) == 0;
}

static void nothing(struct stage *stage, winshm_status status)
{
    (void)stage;
    (void)status;
}

static void play(const struct scenario *scenario, const struct fault *fault)
{
    static uint32_t number;
    char name[32];
    struct stage stage;
    struct fault_holdings before;
    void (*settle)(struct stage *, winshm_status) =
        scenario->settle != NULL ? scenario->settle : nothing;
    memset(&stage, 0, sizeof stage);
    snprintf(name, sizeof name, "%u", (unsigned)number++);
    stage.name = name_of(name);
    run.scenario = scenario;
    run.fault = *fault;
    run.number = fault->call;
    run.began_ms = clock_ms();
    runs++;
    fault_count(&before);
    if (scenario->set_up != NULL)
        scenario->set_up(&stage);
    winshm_status status = call(&stage);
    if (!run.elsewhere)
        fault_judge(status);
    if (status != scenario->expected && stage.handle == NULL)
        fault_judge_holdings(&run.before, true);
    settle(&stage, status);
    fault_judge_other(&stage);
    /* Again, with what it saw kept for complaints. */
    struct instrument_site *site = run.site;
    int32_t code = run.codes[0];
    run.fault.call = 0;
    run.shown = site;
    status = call(&stage);
    run.codes[0] = code;
    fault_expect(status == scenario->expected, "again gave %s: %s",
                 winshm_status_name(status), winshm_last_message());
    settle(&stage, status);
    fault_judge_other(&stage);
    if (scenario->tear_down != NULL)
        scenario->tear_down(&stage);
    fault_judge_holdings(&before, false);
    run.site = site;
    run.shown = NULL;
}

/** How often the present scenario's faults have begun at each site. */
static uint32_t *visits;

/* Of a loop the first rounds will do. */
enum { VISITS_ENOUGH = 4, ROUNDS_ENOUGH = 8 };

/** Draws about one more fault beside the first one of a call. */
static bool drawn(void)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % 6 == 0;
}

/** All faults that begin with this call. @return false if there is none. */
static bool play_call(const struct scenario *scenario, uint32_t number,
                      long only)
{
    uint32_t codes = 1; /* until the first fault tells whose they are */
    for (uint32_t code = 0; code < codes; code++) {
        for (int mode = ONCE; mode < MODES; mode++) {
            struct fault fault = {number, code, (enum mode)mode};
            bool first = code == 0 && mode == ONCE;
            if (!first &&
                ((only >= 0 && code != (uint32_t)only) || (brief && !drawn())))
                continue;
            play(scenario, &fault);
            if (first && run.site == NULL)
                return false;
            faults += run.site != NULL;
            if (first) {
                codes = fault_codes(run.site);
                if (++visits[run.site->index] > VISITS_ENOUGH && only < 0)
                    return true;
            }
        }
    }
    return true;
}

static void play_calls(const struct scenario *scenario)
{
    uint32_t rounds = 0;
    for (uint32_t i = 1; play_call(scenario, i, -1); i++) {
        bool again =
            run.site != NULL && visits[run.site->index] > VISITS_ENOUGH;
        rounds = again ? rounds + 1 : 0;
        if (rounds == ROUNDS_ENOUGH)
            return;
    }
}

static void play_scenario(const struct scenario *scenario, long number,
                          long code)
{
    struct fault none = {0, 0, ONCE};
    uint64_t faults_before = faults, began = clock_ms();
    memset(visits, 0, site_count * sizeof *visits);
    play(scenario, &none);
    if (number > 0)
        play_call(scenario, (uint32_t)number, code);
    else
        play_calls(scenario);
    printf("%-40s %6lu faults %6lu ms\n", scenario->name,
           (unsigned long)(faults - faults_before),
           (unsigned long)(clock_ms() - began));
    fflush(stdout);
}

static bool play_table(const struct scenario *scenario, int argc, char **argv)
{
    bool found = false;
    for (; scenario->name != NULL; scenario++) {
        if (argc > 1 && strcmp(argv[1], scenario->name) != 0)
            continue;
        play_scenario(scenario, argc > 2 ? strtol(argv[2], NULL, 10) : 0,
                      argc > 3 ? strtol(argv[3], NULL, 10) : -1);
        found = true;
    }
    return found;
}

static void watch(void *unused)
{
    (void)unused;
    for (;;) {
        sleep_ms(500);
        if (clock_ms() - run.began_ms > PATIENCE_S * 1000) {
            fault_describe();
            fprintf(stderr, "no end in sight\n");
            fflush(NULL);
            _Exit(1);
        }
    }
}

/** Sites that no scenario comes to, and how many of each there are. */
static const struct {
    const char *file;
    const char *name;
    uint32_t sites;
} excuses[] = {
    /* Files of a user without a number here: tests/c/test_namespaces_posix.c. */
    {"posix/security.c", "fcntl", 3},
    /* A file that shuts its owner out, who is not the super-user. */
    {"posix/base.c", "chmod", 1},
    /* Called when the library is loaded, and again only if that fails. */
    {"posix/library.c", "pthread_atfork", 1},
    /* A thread that ends with the lock: tests/c/test_process_posix.c. */
    {"posix/thread.c", "pthread_setspecific", 1},
};

static bool excused(const struct instrument_site *site)
{
    static uint32_t used[sizeof excuses / sizeof excuses[0]];
    for (size_t i = 0; i < sizeof excuses / sizeof excuses[0]; i++)
        if (strcmp(site->file, excuses[i].file) == 0 &&
            strcmp(site->name, excuses[i].name) == 0)
            return ++used[i] <= excuses[i].sites;
    return false;
}

static int judge_sites(void)
{
    uint32_t count, missed = 0, possible = 0;
    struct instrument_site *const *sites = instrument_sites(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (sites[i]->codes[0] == 0)
            continue;
        possible++;
        if (fault_hits[i] == 0 && !excused(sites[i])) {
            missed++;
            fprintf(stderr, "%s:%d: no scenario comes to this %s\n",
                    sites[i]->file, sites[i]->line, sites[i]->name);
        }
    }
    printf("%u of %u sites refused\n", (unsigned)(possible - missed),
           (unsigned)possible);
    return missed == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    /* No call is another one than the last for having looked around. */
    wshm_sweep_next = UINT64_MAX;
    instrument_sites(&site_count);
    fault_hits = calloc(site_count, sizeof *fault_hits);
    visits = calloc(site_count, sizeof *visits);
    if (fault_hits == NULL || visits == NULL)
        return 1;
    child_run_role(argc, argv, fault_roles);
    run.began_ms = clock_ms();
    thread_start(watch, NULL);
    sleep_ms(100); /* until it has what a thread has */
    fault_neighbour = child_start("stay", "", 0);
    /* Without faults, so that all is set up that is set up once. */
    struct fault none = {0, 0, ONCE};
    play(&fault_life[0], &none);
    winshm_notify(NULL); /* the thread's first failure */
    run.settled = true;
    instrument_set_hook(fault_hook);
    brief = argc > 1 && strcmp(argv[1], "--brief") == 0;
    if (brief) {
        seed = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10)
                        : (uint32_t)clock_us();
        printf("seed %lu\n", (unsigned long)seed);
        argc = 1;
    }
    bool found = play_table(fault_life, argc, argv);
    found = play_table(fault_hand, argc, argv) || found;
    found = play_table(fault_lock, argc, argv) || found;
    found = play_table(fault_use, argc, argv) || found;
    found = play_table(fault_process, argc, argv) || found;
    found = play_table(fault_save, argc, argv) || found;
    if (!found) {
        fprintf(stderr, "no such scenario\n");
        return 2;
    }
    printf("%lu runs with %lu faults, of which %lu were survived\n",
           (unsigned long)runs, (unsigned long)faults,
           (unsigned long)fault_survived);
    instrument_set_hook(NULL);
    int result = argc > 1 ? 0 : judge_sites();
    return fault_complaints != 0 ? 1 : result;
}
