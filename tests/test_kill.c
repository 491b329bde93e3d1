/* A small campaign of random kills. Four workers open, lock, change and close
 * a region and are killed at any moment. What must hold: under a lock taken
 * with OK the two words are equal; what a worker was told to be done is never
 * lost while the region lives; nobody waits for the dead.
 *
 * test_kill [KILLS [SEED]] */
#include "check.h"
#include "child.h"

enum { WORKERS = 4 };

/** The region that is tested. */
struct data {
    volatile uint64_t first;
    volatile uint64_t second;
    volatile uint64_t done[WORKERS];
};

/** A worker's line on the board, which is a raw block that the parent keeps.
 * Only that worker writes it; the region's id tells which life it means. */
struct line {
    volatile uint8_t id[16];
    volatile uint64_t acknowledged;
    volatile uint32_t inside; /* 1: in an exclusive section, 2: half done */
    volatile uint32_t sections;
    volatile uint32_t told;     /* OWNER_DEAD was returned */
    volatile uint32_t repaired; /* and the words differed */
    volatile uint32_t opened;
    uint32_t unused[5];
};

static uint32_t seed_of(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/** Long against the rest of a section, and where a kill takes its time long
 * enough for it to arrive. */
static void linger(uint32_t *seed)
{
    uint32_t most = child_slow() && seed_of(seed) % 4 == 0 ? 2000 : 40;
    uint64_t end = clock_us() + seed_of(seed) % most;
    while (clock_us() < end)
        ;
}

static void write_section(winshm_region *h, struct line *line, int who,
                          uint32_t *seed)
{
    struct data *data = winshm_data(h);
    winshm_status status = winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS);
    line->inside = 1;
    if (status == WINSHM_E_OWNER_DEAD) {
        line->told++;
        if (data->first != data->second) {
            data->second = data->first;
            line->repaired++;
        }
        CHECK_OK(winshm_make_consistent(h));
    } else {
        CHECK_OK(status);
    }
    CHECK_EQ(data->first, data->second);
    CHECK(data->done[who] >= line->acknowledged);
    uint64_t value = data->first + 1, done = data->done[who] + 1;
    line->inside = 2;
    data->first = value;
    linger(seed);
    data->second = value;
    line->inside = 1;
    data->done[who] = done;
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    line->inside = 0;
    line->acknowledged = done;
    line->sections++;
}

static void read_section(winshm_region *h, uint32_t *seed)
{
    struct data *data = winshm_data(h);
    winshm_status status = winshm_lock(h, WINSHM_SHARED, PATIENCE_MS);
    if (status == WINSHM_E_OWNER_DEAD)
        return;
    CHECK_OK(status);
    uint64_t value = data->first;
    CHECK_EQ(data->second, value);
    linger(seed);
    CHECK_EQ(data->first, value);
    CHECK_EQ(data->second, value);
    CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
}

/** Acknowledgements count within one life of the region. */
static void begin_life(winshm_region *h, struct line *line)
{
    winshm_info info = {.struct_size = sizeof info};
    CHECK_OK(winshm_get_info(h, &info));
    if (memcmp((void *)(uintptr_t)line->id, info.id, 16) == 0)
        return;
    line->acknowledged = 0;
    memcpy((void *)(uintptr_t)line->id, info.id, 16);
}

static void role_work(const char *name, uint32_t number)
{
    char board_name[80];
    winshm_region *board, *h;
    int who = (int)(number % WORKERS);
    uint32_t seed = number;
    snprintf(board_name, sizeof board_name, "%s-board", name);
    CHECK_OK(winshm_open(board_name, WINSHM_RAW, &board));
    struct line *line = (struct line *)winshm_data(board) + who;
    parent_tell('w');
    for (;;) {
        CHECK_OK(winshm_open_or_create(name, sizeof(struct data), 0, &h));
        line->opened++;
        begin_life(h, line);
        for (uint32_t i = seed_of(&seed) % 40; i > 0; i--) {
            if (seed_of(&seed) % 4 == 0)
                read_section(h, &seed);
            else
                write_section(h, line, who, &seed);
            if (seed_of(&seed) % 8 == 0)
                CHECK_OK(winshm_notify(h));
        }
        CHECK_OK(winshm_close(h));
    }
}

static const struct role roles[] = {{"work", role_work}, {NULL, NULL}};

struct tally {
    int kills, holders, halves;
};

static struct child start(const char *name, int who, uint32_t *seed)
{
    struct child child = child_start(
        "work", name, seed_of(seed) / WORKERS * WORKERS + (uint32_t)who);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'w');
    return child;
}

/** Usually any worker; now and then, so that a machine with few processors
 * meets holders often enough, one that is seen inside. */
static int choose(const struct line *lines, uint32_t *seed)
{
    int who = (int)(seed_of(seed) % WORKERS);
    uint64_t end = clock_us() + 3000;
    if (seed_of(seed) % 3 != 0)
        return who;
    while (clock_us() < end)
        for (int i = 0; i < WORKERS; i++)
            if (lines[i].inside == 2)
                return i;
    return who;
}

static void kill_some(const char *name, struct child *children,
                      struct line *lines, int kills, uint32_t *seed,
                      struct tally *tally)
{
    for (int i = 0; i < kills; i++) {
        if (seed_of(seed) % 2 == 0)
            sleep_ms(seed_of(seed) % 4);
        int who = choose(lines, seed);
        /* A worker that failed a check has ended by itself and has said why. */
        for (int k = 0; k < WORKERS; k++)
            CHECK_EQ(child_hear(&children[k], 0), -2);
        child_kill(&children[who]);
        tally->kills++;
        tally->holders += lines[who].inside != 0;
        tally->halves += lines[who].inside == 2;
        lines[who].inside = 0;
        children[who] = start(name, who, seed);
    }
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    int kills = argc > 1 ? atoi(argv[1]) : child_slow() ? 30 : 300;
    uint32_t seed = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10)
                             : (uint32_t)clock_us() ^ child_pid() << 12;
    const char *name = name_of("kill");
    char board_name[80];
    struct child children[WORKERS];
    struct tally tally = {0, 0, 0};
    winshm_region *board, *keeper;
    printf("test_kill %d %lu\n", kills, (unsigned long)seed);
    fflush(stdout);
    snprintf(board_name, sizeof board_name, "%s-board", name);
    CHECK_OK(winshm_create(board_name, WORKERS * sizeof(struct line),
                           WINSHM_RAW, &board));
    struct line *lines = winshm_data(board);
    for (int i = 0; i < WORKERS; i++)
        children[i] = start(name, i, &seed);
    /* First with a participant that stays, so that one life goes on. */
    CHECK_OK(winshm_open_or_create(name, sizeof(struct data), 0, &keeper));
    kill_some(name, children, lines, kills / 2, &seed, &tally);
    uint64_t began = clock_ms();
    read_section(keeper, &seed);
    CHECK(clock_ms() - began < 10000);
    CHECK_OK(winshm_close(keeper));
    /* Then without: lives end by close and by kill. */
    kill_some(name, children, lines, kills - kills / 2, &seed, &tally);
    uint32_t told = 0, repaired = 0, sections = 0, opened = 0;
    for (int i = 0; i < WORKERS; i++) {
        CHECK_EQ(child_hear(&children[i], 0), -2);
        child_kill(&children[i]);
        told += lines[i].told;
        repaired += lines[i].repaired;
        sections += lines[i].sections;
        opened += lines[i].opened;
    }
    printf("%d kills, %d of holders, %d of those half done; %lu sections, %lu "
           "openings, OWNER_DEAD %lu times, %lu repairs\n",
           tally.kills, tally.holders, tally.halves, (unsigned long)sections,
           (unsigned long)opened, (unsigned long)told, (unsigned long)repaired);
    /* All are dead: nothing is in the way of a new life. */
    CHECK_OK(winshm_create(name, 8, 0, &keeper));
    CHECK_EQ(*(uint64_t *)winshm_data(keeper), 0);
    CHECK_OK(winshm_close(keeper));
    CHECK_OK(winshm_close(board));
    CHECK(plain_count(name) <= 0);
    if (tally.holders * 10 < tally.kills || repaired == 0)
        check_end(1, __FILE__, __LINE__, "the kills have met too little");
    return 0;
}
