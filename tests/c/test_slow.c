/* Live but stopped: an exclusive owner, a reader and one that is only present
 * are stopped for a while, in many regions at a time. Nobody gets what they
 * have, nobody is told that they died, and then they go on.
 *
 * test_slow [SECONDS [REGIONS [ROUNDS]]] */
#include <stddef.h>

#include "check.h"
#include "child.h"

enum { REGIONS_MAX = 100 };

/** What the stopped one is, and how it is stopped: one of two ways each. */
enum kind { OWNER, READER, PRESENT, KINDS };

struct data {
    volatile uint32_t
        victim; /* its pid, written under its lock if it has one */
    volatile uint32_t linux_pid;
    volatile uint32_t refusals;
    volatile uint32_t successes;
    uint32_t spare;
};

struct run {
    enum kind kind;
    bool by_signal;
    winshm_region *h; /* of this process: it looks on */
    struct data *data;
    struct child victim;
    struct child rival;
};

static uint32_t mode_of(enum kind kind)
{
    return kind == READER ? WINSHM_SHARED : WINSHM_EXCLUSIVE;
}

static void role_victim(const char *name, uint32_t kind)
{
    winshm_region *h;
    winshm_info info = {.struct_size = sizeof info};
    uint32_t mode = mode_of((enum kind)kind);
    CHECK_OK(winshm_open(name, 0, &h));
    CHECK_OK(winshm_get_info(h, &info));
    uint64_t member = info.member;
    struct data *data = winshm_data(h);
    if (kind != PRESENT)
        CHECK_OK(winshm_lock(h, mode, PATIENCE_MS));
    data->linux_pid = child_linux_pid();
    data->victim = child_pid();
    parent_tell('l');
    /* Told while it is stopped: answering shows that it runs. */
    CHECK_EQ(parent_hear(), 'u');
    CHECK_EQ(data->victim, child_pid());
    if (kind == PRESENT)
        CHECK_OK(winshm_lock(h, mode, PATIENCE_MS));
    CHECK_OK(winshm_unlock(h, mode));
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_EQ(info.member, member);
    parent_tell('u');
    CHECK_EQ(parent_hear(), 'e');
    CHECK_OK(winshm_close(h));
}

/** Every answer must be one that a live participant makes. */
static void expect(struct data *data, winshm_status status, bool allowed)
{
    CHECK_STATUS(status, allowed ? WINSHM_OK : WINSHM_E_TIMEOUT);
    if (allowed)
        data->successes++;
    else
        data->refusals++;
}

static void try_lock(winshm_region *h, uint32_t mode, uint32_t timeout_ms,
                     bool allowed)
{
    winshm_status status = winshm_lock(h, mode, timeout_ms);
    expect(winshm_data(h), status, allowed);
    if (allowed)
        CHECK_OK(winshm_unlock(h, mode));
}

/** Three are there and stay there: the driver, the victim, the rival. */
static void see_all(winshm_region *h, enum kind kind)
{
    struct data *data = winshm_data(h);
    winshm_info info = {.struct_size = sizeof info};
    winshm_participant list[4] = {{.struct_size = sizeof list[0]}};
    uint32_t count, found = 0;
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_EQ(info.participants, 3);
    CHECK_EQ(info.owner_pid, kind == OWNER ? data->victim : 0);
    CHECK_EQ(info.lock_state, kind == OWNER    ? WINSHM_STATE_EXCLUSIVE
                              : kind == READER ? WINSHM_STATE_SHARED
                                               : 0);
    CHECK_OK(winshm_get_participants(h, list, 4, &count));
    CHECK_EQ(count, 3);
    for (int i = 0; i < 3; i++)
        found += list[i].pid == data->victim;
    CHECK_EQ(found, 1);
}

static void role_rival(const char *name, uint32_t number)
{
    enum kind kind = (enum kind)(number % KINDS);
    uint64_t milliseconds = number / KINDS, began;
    bool reads = kind != OWNER, writes = kind == PRESENT;
    uint32_t word = 0;
    winshm_region *h, *other;
    CHECK_OK(winshm_open(name, 0, &h));
    struct data *data = winshm_data(h);
    parent_tell('o');
    CHECK_EQ(parent_hear(), 'g');
    began = clock_ms();
    /* Half of the time in short attempts of all sorts. */
    while (clock_ms() - began < milliseconds / 2) {
        see_all(h, kind);
        try_lock(h, WINSHM_EXCLUSIVE, 0, writes);
        try_lock(h, WINSHM_SHARED, 0, reads);
        try_lock(h, WINSHM_EXCLUSIVE, 30, writes);
        try_lock(h, WINSHM_SHARED, 30, reads);
        expect(data, winshm_read(h, 0, &word, sizeof word, 10), reads);
        expect(data,
               winshm_write(h, offsetof(struct data, spare), &word, sizeof word,
                            10),
               writes);
        CHECK_STATUS(winshm_create(name, sizeof *data, 0, &other),
                     WINSHM_E_EXISTS);
        sleep_ms(50);
    }
    /* The rest in one. */
    uint64_t left = milliseconds - milliseconds / 2;
    try_lock(h, WINSHM_EXCLUSIVE, (uint32_t)left, writes);
    if (kind == PRESENT)
        sleep_ms((uint32_t)left);
    parent_tell('s');
    CHECK_EQ(parent_hear(), 'u');
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(h));
}

static const struct role roles[] = {
    {"victim", role_victim}, {"rival", role_rival}, {NULL, NULL}};

static void begin(struct run *run, int number, uint32_t seconds)
{
    char part[32];
    snprintf(part, sizeof part, "slow%d", number);
    const char *name = name_of(part);
    run->kind = (enum kind)(number % KINDS);
    run->by_signal = number / KINDS % 2 == 1;
    CHECK_OK(winshm_create(name, sizeof(struct data), 0, &run->h));
    run->data = winshm_data(run->h);
    run->victim = child_start("victim", name, (uint32_t)run->kind);
    run->rival = child_start("rival", name,
                             seconds * 1000 * KINDS + (uint32_t)run->kind);
    CHECK_EQ(child_hear(&run->victim, PATIENCE_MS), 'l');
    CHECK_EQ(child_hear(&run->rival, PATIENCE_MS), 'o');
}

static void stop(struct run *run, bool stops)
{
    enum child_signal which = stops ? CHILD_STOP : CHILD_CONTINUE;
    if (!run->by_signal || !child_signal(run->data->linux_pid, which))
        CHECK(child_stop(&run->victim, stops));
}

static void end(struct run *run, uint32_t seconds, uint64_t *refusals,
                uint64_t *successes)
{
    CHECK_EQ(child_hear(&run->rival, seconds * 1000 + PATIENCE_MS), 's');
    CHECK_EQ(child_hear(&run->victim, 0), -2);
    stop(run, false);
    CHECK_EQ(child_hear(&run->victim, PATIENCE_MS), 'u');
    child_tell(&run->rival, 'u');
    CHECK_EQ(child_wait(&run->rival, PATIENCE_MS), 0);
    child_tell(&run->victim, 'e');
    CHECK_EQ(child_wait(&run->victim, PATIENCE_MS), 0);
    *refusals += run->data->refusals;
    *successes += run->data->successes;
    CHECK_OK(winshm_close(run->h));
}

int main(int argc, char **argv)
{
    static struct run runs[REGIONS_MAX];
    uint64_t refusals = 0, successes = 0;
    child_run_role(argc, argv, roles);
    uint32_t seconds = argc > 1 ? (uint32_t)atoi(argv[1]) : 1;
    int regions = argc > 2 ? atoi(argv[2]) : 2 * KINDS;
    int rounds = argc > 3 ? atoi(argv[3]) : 1;
    CHECK(seconds > 0 && regions >= KINDS && regions <= REGIONS_MAX);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < regions; i++)
            begin(&runs[i], i, seconds);
        for (int i = 0; i < regions; i++) {
            stop(&runs[i], true);
            child_tell(&runs[i].victim, 'u');
            child_tell(&runs[i].rival, 'g');
        }
        for (int i = 0; i < regions; i++)
            end(&runs[i], seconds, &refusals, &successes);
    }
    printf("%d runs of %lu s: %llu time-outs, %llu locks and copies beside the "
           "stopped, 0 robbed\n",
           regions * rounds, (unsigned long)seconds,
           (unsigned long long)refusals, (unsigned long long)successes);
    CHECK(refusals != 0 && successes != 0);
    return 0;
}
