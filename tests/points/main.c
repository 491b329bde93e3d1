/* Kill points: every place where the library stores to shared memory or calls
 * the operating system, in every role that comes there, is where a process
 * dies; the others have to go on as if nothing had happened.
 *
 *   test_points [--runs N] [--roles each|one] [--seed SEED] [--jobs N]
 *               [--point TEXT] [--role NAME] [--run N] [--list]
 *
 * Each point is met in each role that comes there, at each passing if these are
 * few, and at least N times; or once, in a role that the seed has chosen.
 * --point, --role and --run repeat what has failed: a point's text may be cut
 * short, as in lock.c:123. --list shows who passes what and how often. Whether
 * a victim dies by itself, or stops and is killed or goes on, the seed
 * decides. */
#include "points.h"

enum { SCRIPTS_MAX = 48, JOBS_MAX = 16, TRACES = 2, TRIES = 12, FEW = 16 };

/** A role at a point. */
struct pair {
    uint32_t passes; /* the least that was seen in a trace, and the most */
    uint32_t most;
    uint32_t asked; /* runs */
    uint32_t fired;
};

/** What the parent and the processes that do its work share. */
struct ledger {
    uint32_t seed, runs, jobs, each, only_run;
    _Atomic uint32_t traced; /* workers that have traced their share */
    char point[64];
    char role[32];
    struct now {
        uint32_t victims; /* so far */
        uint32_t script, point, run, passing, fate;
    } now[JOBS_MAX];
    uint32_t hidden[POINTS_MAX]; /* 1: stores where nobody else can see it */
    struct pair pairs[SCRIPTS_MAX][POINTS_MAX];
};

static struct ledger *ledger;
static char ledger_name[NAME_BYTES + 8];

static uint32_t mix(uint32_t a, uint32_t b)
{
    uint32_t x = (a ^ 0x9E3779B9u) * 0x85EBCA6Bu + b;
    x = (x ^ x >> 15) * 0xC2B2AE35u;
    x = (x ^ x >> 13) * 0x27D4EB2Fu;
    return x ^ x >> 16;
}

static bool played_here(const struct script *script)
{
    uint32_t not_here = child_slow() ? LINUX_ONLY : WINDOWS_ONLY;
    return (script->traits & not_here) == 0 &&
           (ledger->role[0] == '\0' || strcmp(script->name, ledger->role) == 0);
}

static bool meant(uint32_t point)
{
    return strncmp(point_text(point), ledger->point, strlen(ledger->point)) ==
           0;
}

/** One victim's life and death. @return true if it died at its point. */
static bool play(const char *name, struct now *now, struct board *board)
{
    struct scene scene;
    memset(&scene, 0, sizeof scene);
    memset(board, 0, sizeof *board);
    board->target = now->point;
    board->passing = now->passing;
    board->fate = now->fate;
    now->victims++;
    scene.name = name;
    scene.script = &scripts[now->script];
    scene.board = board;
    int code = scene_play(&scene);
    CHECK_EQ(code, board->fired && now->fate != RESUMES ? -1 : 0);
    oracle(&scene);
    return board->fired != 0;
}

static void trace(const char *name, uint32_t number, uint32_t job,
                  struct board *board)
{
    struct now *now = &ledger->now[job];
    now->script = number;
    now->point = 0;
    for (now->run = 0; now->run < TRACES; now->run++) {
        play(name, now, board);
        for (uint32_t i = 0; i < points_count(); i++) {
            struct pair *pair = &ledger->pairs[number][i];
            uint32_t passed = board->passed[i];
            if (now->run == 0 || passed < pair->passes)
                pair->passes = passed;
            if (passed > pair->most)
                pair->most = passed;
            if (board->hidden[i])
                ledger->hidden[i] = 1;
        }
    }
}

static uint32_t fates_of(uint32_t traits)
{
    if ((traits & FORKS) != 0)
        return DIES + 1;
    return (traits & MEMBER) != 0 ? FATES : STOPS + 1;
}

static void strike(const char *name, uint32_t number, uint32_t point,
                   uint32_t job, struct board *board)
{
    struct pair *pair = &ledger->pairs[number][point];
    struct now *now = &ledger->now[job];
    uint32_t dice = mix(mix(ledger->seed, number), point);
    uint32_t fates = fates_of(scripts[number].traits);
    uint32_t most = pair->passes != 0 ? pair->passes : 1;
    uint32_t runs = ledger->runs;
    if (ledger->each && most <= FEW && runs < most)
        runs = most;
    if (ledger->each && fates == FATES && runs < FATES)
        runs = FATES;
    now->script = number;
    now->point = point + 1;
    for (now->run = 0; now->run < runs; now->run++) {
        bool fired = false;
        if (ledger->only_run != UINT32_MAX && now->run != ledger->only_run)
            continue;
        /* Each passing, and from one turn to the next another fate. */
        uint32_t passing = most <= FEW ? dice + now->run : mix(dice, now->run);
        now->passing = 1 + passing % most;
        now->fate = ((dice >> 8) + now->run + now->run / most) % fates;
        for (int tries = 0; tries < TRIES && !fired; tries++) {
            fired = play(name, now, board);
            now->passing = 1;
        }
        pair->asked++;
        pair->fired += fired;
    }
}

/** Of the roles that come to a point, the one that the seed chooses; those
 * that come there each time go first. */
static uint32_t chosen(uint32_t point)
{
    uint32_t best = SCRIPTS_MAX, best_dice = 0;
    for (uint32_t i = 0; scripts[i].name != NULL; i++) {
        const struct pair *pair = &ledger->pairs[i][point];
        uint32_t dice = mix(mix(ledger->seed, point), i) >> 1;
        if (pair->most == 0)
            continue;
        if (pair->passes != 0)
            dice |= 0x80000000u;
        if (best == SCRIPTS_MAX || dice > best_dice) {
            best = i;
            best_dice = dice;
        }
    }
    return best;
}

static void role_work(const char *name, uint32_t job)
{
    struct plain shared, plain;
    char other[NAME_BYTES + 8], own[NAME_BYTES];
    snprintf(other, sizeof other, "%s-ledger", name);
    CHECK(plain_open(&shared, other, sizeof(struct ledger)));
    ledger = shared.data;
    snprintf(own, sizeof own, "%s-%lu", name, (unsigned long)job);
    snprintf(other, sizeof other, "board-%s", own);
    CHECK(plain_create(&plain, other, sizeof(struct board)));
    struct board *board = plain.data;
    for (uint32_t i = 0; scripts[i].name != NULL; i++)
        if (i % ledger->jobs == job && played_here(&scripts[i]))
            trace(own, i, job, board);
    for (ledger->traced++; ledger->traced < ledger->jobs;)
        sleep_ms(1);
    for (uint32_t point = job; point < points_count(); point += ledger->jobs)
        for (uint32_t i = 0; scripts[i].name != NULL; i++)
            if (ledger->pairs[i][point].most != 0 && meant(point) &&
                (ledger->each || chosen(point) == i))
                strike(own, i, point, job, board);
    plain_close(&plain);
    plain_remove(other);
}

static const struct role roles[] = {
    {"work", role_work}, {"part", role_part}, {NULL, NULL}};

/* The parent. */

static void show_now(const struct now *now)
{
    static const char *const fates[FATES] = {"dies", "stops and is killed",
                                             "stops and goes on"};
    const char *role = scripts[now->script].name;
    if (now->point == 0)
        printf("role %s, nobody to be killed\n", role);
    else
        printf("again: test_points --seed %lu --runs %lu --roles each "
               "--point '%s' --role %s --run %lu  (passing %lu, %s)\n",
               (unsigned long)ledger->seed, (unsigned long)ledger->runs,
               point_text(now->point - 1), role, (unsigned long)now->run,
               (unsigned long)now->passing, fates[now->fate]);
}

/** Waits for the workers. @return false if one has failed or hangs. */
static bool wait_for(struct child *workers)
{
    uint32_t seen[JOBS_MAX] = {0}, left = ledger->jobs;
    uint64_t since[JOBS_MAX];
    bool ended[JOBS_MAX] = {false};
    for (uint32_t i = 0; i < left; i++)
        since[i] = clock_ms();
    for (; left > 0; sleep_ms(5))
        for (uint32_t i = 0; i < ledger->jobs; i++) {
            const struct now *now = &ledger->now[i];
            int code = ended[i] ? -2 : child_wait(&workers[i], 0);
            if (seen[i] != now->victims) {
                seen[i] = now->victims;
                since[i] = clock_ms();
            }
            if (code == 0) {
                ended[i] = true;
                left--;
            } else if (code != -2 ||
                       (!ended[i] && clock_ms() - since[i] > 3 * PATIENCE_MS)) {
                printf("%s\n", code == -2 ? "hangs" : "failed");
                show_now(now);
                return false;
            }
        }
    return true;
}

static void list(uint32_t point)
{
    for (uint32_t i = 0; scripts[i].name != NULL; i++) {
        const struct pair *pair = &ledger->pairs[i][point];
        if (pair->most != 0)
            printf("  %s %lu..%lu", scripts[i].name,
                   (unsigned long)pair->passes, (unsigned long)pair->most);
    }
    printf("\n");
}

/** @return false if there is a point at which nobody has died. */
static bool account(bool lists)
{
    uint32_t points = 0, met = 0, pairs = 0, steady = 0, asked = 0, fired = 0;
    uint32_t excused = 0, missed = 0, victims = 0;
    for (uint32_t i = 0; i < ledger->jobs; i++)
        victims += ledger->now[i].victims;
    for (uint32_t point = 0; point < points_count(); point++) {
        bool passed = false, hit = false, complete = true;
        for (uint32_t i = 0; scripts[i].name != NULL; i++) {
            const struct pair *pair = &ledger->pairs[i][point];
            passed = passed || pair->most != 0;
            hit = hit || pair->fired != 0;
            pairs += pair->most != 0;
            steady += pair->passes != 0;
            asked += pair->asked;
            fired += pair->fired;
            complete =
                complete && (pair->passes == 0 || pair->fired == pair->asked);
        }
        if (lists && passed) {
            printf("%s", point_text(point));
            list(point);
        }
        if ((!passed && (ledger->hidden[point] || ledger->role[0] != '\0')) ||
            !meant(point))
            continue;
        points++;
        met += hit;
        if (!hit && point_excused(point)) {
            excused++;
        } else if (!hit || !complete) {
            missed++;
            printf("%s: %s\n", hit ? "missed at times" : "never fired",
                   point_text(point));
        }
    }
    printf("%lu of %lu points have fired, %lu are excused; %lu pairs of point "
           "and role, %lu of them each time; %lu of %lu runs fired, with %lu "
           "victims\n",
           (unsigned long)met, (unsigned long)points, (unsigned long)excused,
           (unsigned long)pairs, (unsigned long)steady, (unsigned long)fired,
           (unsigned long)asked, (unsigned long)victims);
    return missed == 0 && fired > 0;
}

static void usage(void)
{
    plain_remove(ledger_name);
    fprintf(stderr,
            "usage: test_points [--runs N] [--roles each|one] [--seed SEED] "
            "[--jobs N]\n       [--point TEXT] [--role NAME] [--run N] "
            "[--list]\n");
    exit(2);
}

static bool options(int argc, char **argv)
{
    bool lists = false;
    for (int i = 1; i < argc; i++) {
        const char *option = argv[i];
        if (strcmp(option, "--list") == 0) {
            lists = true;
            continue;
        }
        if (++i == argc)
            usage();
        uint32_t number = (uint32_t)strtoul(argv[i], NULL, 10);
        if (strcmp(option, "--runs") == 0 && number != 0)
            ledger->runs = number;
        else if (strcmp(option, "--roles") == 0 &&
                 (strcmp(argv[i], "each") == 0 || strcmp(argv[i], "one") == 0))
            ledger->each = argv[i][0] == 'e';
        else if (strcmp(option, "--seed") == 0)
            ledger->seed = number;
        else if (strcmp(option, "--jobs") == 0 && number - 1 < JOBS_MAX)
            ledger->jobs = number;
        else if (strcmp(option, "--point") == 0)
            snprintf(ledger->point, sizeof ledger->point, "%s", argv[i]);
        else if (strcmp(option, "--role") == 0)
            snprintf(ledger->role, sizeof ledger->role, "%s", argv[i]);
        else if (strcmp(option, "--run") == 0)
            ledger->only_run = number;
        else
            usage();
    }
    return lists;
}

int main(int argc, char **argv)
{
    struct plain shared;
    struct child workers[JOBS_MAX];
    char name[NAME_BYTES];
    child_run_role(argc, argv, roles);
    snprintf(name, sizeof name, "%s", name_of("points"));
    snprintf(ledger_name, sizeof ledger_name, "%s-ledger", name);
    CHECK(plain_create(&shared, ledger_name, sizeof(struct ledger)));
    ledger = shared.data;
    ledger->seed = (uint32_t)clock_us() ^ child_pid() << 12;
    ledger->runs = 1;
    ledger->jobs = 2;
    ledger->each = !child_slow();
    ledger->only_run = UINT32_MAX;
    bool lists = options(argc, argv);
    printf("test_points --seed %lu --runs %lu --roles %s\n",
           (unsigned long)ledger->seed, (unsigned long)ledger->runs,
           ledger->each ? "each" : "one");
    fflush(stdout);
    for (uint32_t i = 0; i < ledger->jobs; i++)
        workers[i] = child_start("work", name, i);
    bool passed = wait_for(workers) && account(lists);
    plain_close(&shared);
    plain_remove(ledger_name);
    return passed ? 0 : 1;
}
