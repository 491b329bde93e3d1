/* Random kills. Four to eight workers open, lock, change, wait for and close
 * two regions and are killed at any moment. What must hold: under a lock taken
 * with OK the data are whole; what a worker was told to be done is not lost
 * while the region lives; nobody waits for the dead; nothing is left behind.
 *
 * test_kill [KILLS [SEED [PROGRAM]]]
 *
 * PROGRAM is run by every second worker: this program, built for another
 * architecture. */
#include <stddef.h>

#include "board.h"
#include "check.h"
#include "child.h"
#include "plain.h"

enum { HANG_MS = 5000, MORE_KILLS = 400 };

static const char *const state_names[] = {
#define STATE_TEXT(name, text) text,
    STATE_MAP(STATE_TEXT)
#undef STATE_TEXT
};

struct driver {
    const char *name;
    const char *program; /* of the other workers; NULL: this one */
    char brief_name[80];
    uint32_t seed;
    struct board *board;
    struct child children[WORKERS_MAX];
    int workers;                /* in this round */
    uint32_t seen[WORKERS_MAX]; /* progress, and since when it is so */
    uint64_t since[WORKERS_MAX];

    int wanted, kills, signals;
    int killed[STATES];
    struct line keeper; /* what this process has found out */
    int slots, names;   /* left behind */
    int hangs;
};

static uint32_t sum_of(const struct driver *d, size_t offset)
{
    uint32_t sum = 0;
    for (int i = 0; i < WORKERS_MAX; i++)
        sum += *(const volatile uint32_t *)((const char *)&d->board->lines[i] +
                                            offset);
    return sum +
           *(const volatile uint32_t *)((const char *)&d->keeper + offset);
}

#define SUM(d, member) ((unsigned long)sum_of(d, offsetof(struct line, member)))

static int compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static void report_samples(struct board *board)
{
    uint32_t count = atomic_load(&board->samples);
    uint32_t *us = (uint32_t *)(uintptr_t)board->sample_us;
    if (count > board->samples_max)
        count = board->samples_max;
    if (count == 0)
        return;
    qsort(us, count, sizeof *us, compare);
    printf("from the kill to the heir being told, of %lu, in us: min %lu, "
           "median %lu, p99 %lu, max %lu\n",
           (unsigned long)count, (unsigned long)us[0],
           (unsigned long)us[count / 2],
           (unsigned long)us[(uint32_t)((uint64_t)count * 99 / 100)],
           (unsigned long)us[count - 1]);
}

static int holders(const struct driver *d)
{
    return d->killed[WRITING] + d->killed[HALF];
}

static void report(const struct driver *d)
{
    printf("%d kills", d->kills);
    if (child_slow())
        printf(", %d of them by a signal of Linux", d->signals);
    printf(":\n");
    for (int state = 0; state < STATES; state++)
        printf("%8d %s\n", d->killed[state], state_names[state]);
    printf("%d hit the exclusive owner (%d%%), %d of them half done\n",
           holders(d), d->kills == 0 ? 0 : holders(d) * 100 / d->kills,
           d->killed[HALF]);
    printf("%lu sections, %lu shared, %lu openings, %lu of them creations\n",
           SUM(d, sections), SUM(d, reads), SUM(d, opened), SUM(d, created));
    printf("OWNER_DEAD %lu times, %lu repairs\n", SUM(d, told),
           SUM(d, repaired));
    report_samples(d->board);
    printf("lost acknowledged updates %lu, torn states without OWNER_DEAD "
           "%lu, hangs over 5 s %d, left behind: %d slots, %d names\n",
           SUM(d, lost), SUM(d, torn), d->hangs, d->slots, d->names);
    fflush(stdout);
}

/** Shows what there is to see, and ends with all children. */
static void give_up(const struct driver *d, const char *what, int who)
{
    report(d);
    for (int i = 0; i < d->workers; i++) {
        const struct line *line = &d->board->lines[i];
        printf("worker %d, killed %lu times, in its state for %lu ms: %s\n", i,
               (unsigned long)line->kills,
               (unsigned long)(clock_ms() - d->since[i]),
               line->state < STATES ? state_names[line->state] : "?");
    }
    winshm_region *h;
    winshm_info info = {.struct_size = sizeof info};
    if (winshm_open(d->name, 0, &h) == WINSHM_OK &&
        winshm_get_info(h, &info) == WINSHM_OK)
        printf("the region has %lu participants, lock state %lu, owner %lu\n",
               (unsigned long)info.participants, (unsigned long)info.lock_state,
               (unsigned long)info.owner_pid);
    fflush(stdout);
    check_end(1, __FILE__, __LINE__, "%s (worker %d)", what, who);
}

/** A worker that has found something wrong has ended by itself and said what;
 * one that makes no progress hangs. */
static void look(struct driver *d)
{
    for (int i = 0; i < d->workers; i++) {
        uint32_t progress = d->board->lines[i].progress;
        if (child_hear(&d->children[i], 0) != -2)
            give_up(d, "a worker has ended", i);
        if (progress != d->seen[i]) {
            d->seen[i] = progress;
            d->since[i] = clock_ms();
        } else if (clock_ms() - d->since[i] > HANG_MS) {
            d->hangs++;
            give_up(d, "a worker hangs", i);
        }
    }
}

/** Kills nobody until everybody has got on: a worker that hangs must not be
 * saved by its own death. */
static void let_go_on(struct driver *d)
{
    uint32_t before[WORKERS_MAX];
    for (int i = 0; i < d->workers; i++)
        before[i] = d->board->lines[i].progress;
    for (int i = 0; i < d->workers; i++) {
        while (d->board->lines[i].progress - before[i] < 2) {
            look(d);
            sleep_ms(1);
        }
    }
}

static void start(struct driver *d, int who)
{
    uint32_t number =
        dice(&d->seed) / WORKERS_MAX * WORKERS_MAX + (uint32_t)who;
    d->children[who] = child_start_program(who % 2 == 1 ? d->program : NULL,
                                           "work", d->name, number);
    d->since[who] = clock_ms();
    if (child_hear(&d->children[who], PATIENCE_MS) != 'w')
        give_up(d, "a worker does not start", who);
}

/** Half of the time any worker; else one that is seen in a state that was
 * drawn, so that rare states and machines with few processors are met too. */
static int choose(struct driver *d)
{
    int who = (int)(dice(&d->seed) % (uint32_t)d->workers);
    uint32_t state = dice(&d->seed) % STATES;
    uint64_t end = clock_us() + (child_slow() ? 20000 : 2000);
    if (dice(&d->seed) % 2 == 0)
        state = HALF;
    if (dice(&d->seed) % 2 == 0)
        return who;
    while (clock_us() < end)
        for (int i = 0; i < d->workers; i++)
            if (d->board->lines[i].state == state)
                return i;
    return who;
}

static void kill_one(struct driver *d, int who)
{
    struct line *line = &d->board->lines[who];
    struct child *child = &d->children[who];
    bool by_signal = dice(&d->seed) % 2 == 0;
    line->killed_at = (uint32_t)clock_us();
    line->kills++;
    if (by_signal && child_signal(line->linux_pid, CHILD_KILL)) {
        d->signals++;
        if (child_wait(child, PATIENCE_MS) == -2)
            give_up(d, "a killed worker lives on", who);
    } else {
        child_kill(child);
    }
    d->kills++;
    d->killed[line->state]++;
}

/** All others are dead: nothing of them may be in the way. */
static void settle(struct driver *d, winshm_region *h)
{
    struct data *data = winshm_data(h);
    winshm_info info = {.struct_size = sizeof info};
    winshm_status status = winshm_lock(h, WINSHM_EXCLUSIVE, HANG_MS);
    int who;
    if (status == WINSHM_E_TIMEOUT) {
        d->hangs++;
        give_up(d, "the dead hold the lock", -1);
    }
    if (status == WINSHM_E_OWNER_DEAD) {
        d->keeper.told++;
        data->told++;
        d->keeper.repaired += data->first != data->second;
        data->second = data->first;
        CHECK_OK(winshm_make_consistent(h));
    } else {
        CHECK_OK(status);
    }
    CHECK_OK(winshm_get_info(h, &info));
    const char *wrong = oracle_audit(data, d->board, info.id, &d->keeper, &who);
    if (wrong != NULL)
        give_up(d, wrong, who);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_get_info(h, &info));
    d->slots += (int)info.participants - 1;
    CHECK_EQ(info.lock_state, 0);
}

/** A region is nothing any more once its last participant has left. */
static int names_left(const char *name)
{
    char control[100];
    struct plain plain;
    int count = 0;
    snprintf(control, sizeof control, "%s.winshm", name);
    for (int i = 0; i < 2; i++) {
        if (plain_open(&plain, i == 0 ? name : control, 0)) {
            count++;
            plain_close(&plain);
        }
    }
    return count;
}

static void round_of(struct driver *d, int kills)
{
    winshm_region *h = NULL;
    d->workers =
        WORKERS_MIN + (int)(dice(&d->seed) % (WORKERS_MAX - WORKERS_MIN + 1));
    /* With a participant that stays one life goes on; without, lives end. */
    bool keeps = dice(&d->seed) % 2 == 0;
    if (keeps)
        CHECK_OK(winshm_open_or_create(d->name, sizeof(struct data), 0, &h));
    for (int i = 0; i < d->workers; i++)
        start(d, i);
    for (; kills > 0; kills--) {
        if (dice(&d->seed) % 2 == 0)
            sleep_ms(dice(&d->seed) % 4);
        int who = choose(d);
        look(d);
        kill_one(d, who);
        start(d, who);
        if (kills % 20 == 0)
            let_go_on(d);
    }
    let_go_on(d);
    if (!keeps)
        CHECK_OK(winshm_open_or_create(d->name, sizeof(struct data), 0, &h));
    for (; d->workers > 0; d->workers--) {
        look(d);
        kill_one(d, d->workers - 1);
    }
    settle(d, h);
    CHECK_OK(winshm_close(h));
    d->names += names_left(d->name);
    /* All of these are dead, and the next one comes with another size. */
    CHECK_OK(winshm_create(d->brief_name, 8, 0, &h));
    CHECK_EQ(*(uint64_t *)winshm_data(h), 0);
    CHECK_OK(winshm_close(h));
    d->names += names_left(d->brief_name);
}

/** A campaign whose kills have met too little shows nothing.
 * @return what they did not meet often enough, or NULL. */
static const char *met_too_little(const struct driver *d)
{
    const char *missed = NULL;
    for (int state = 0; state < STATES && d->kills >= 100 * STATES; state++)
        if (d->killed[state] == 0 && (state != WAITING_EVENT || child_slow()))
            missed = state_names[state];
    if (holders(d) * 10 < d->kills || SUM(d, repaired) == 0)
        missed = "holding it exclusively, often enough";
    if (child_linux_pid() != 0 && d->signals * 4 < d->kills)
        missed = "by a signal, often enough";
    return missed;
}

static const struct role roles[] = {{"work", worker_run}, {NULL, NULL}};

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    struct driver d = {.name = name_of("kill")};
    char board_name[80];
    winshm_region *board;
    d.wanted = argc > 1 ? atoi(argv[1]) : child_slow() ? 30 : 200;
    d.seed = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10)
                      : (uint32_t)clock_us() ^ child_pid() << 12;
    d.program = argc > 3 ? argv[3] : NULL;
    printf("test_kill %d %lu %s\n", d.wanted, (unsigned long)d.seed,
           d.program != NULL ? d.program : "");
    fflush(stdout);
    snprintf(board_name, sizeof board_name, "%s-board", d.name);
    snprintf(d.brief_name, sizeof d.brief_name, "%s-brief", d.name);
    CHECK_OK(winshm_create(board_name,
                           sizeof(struct board) + 4 * (uint64_t)d.wanted,
                           WINSHM_RAW, &board));
    d.board = winshm_data(board);
    d.board->samples_max = (uint32_t)d.wanted;
    int most = child_slow() ? 100 : 500;
    if (most > d.wanted / 2)
        most = d.wanted / 2;
    uint64_t told = clock_ms();
    /* A few kills may miss the owner by chance, so then there are more. */
    while (d.kills < d.wanted ||
           (d.kills < d.wanted + MORE_KILLS && met_too_little(&d) != NULL)) {
        round_of(&d, most);
        if (clock_ms() - told < 20000)
            continue;
        told = clock_ms();
        printf("%d of %d kills\n", d.kills, d.wanted);
        fflush(stdout);
    }
    report(&d);
    const char *missed = met_too_little(&d);
    if (missed != NULL)
        check_end(1, __FILE__, __LINE__, "nobody was killed %s", missed);
    CHECK_OK(winshm_close(board));
    CHECK(plain_count(d.name) <= 0);
    CHECK(d.slots == 0 && d.names == 0);
    return 0;
}
