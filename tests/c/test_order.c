/* Litmus tests of the library as it runs: two processes do one step each at the
 * same moment, over and over, and what the two have seen must be among the
 * results that the order of their loads and stores allows. Each test is one
 * place of the table "What relies on order" in src/PROTOCOLS.md.
 *
 * On a processor with a weak order this finds what a fence too few lets
 * through; x86, and QEMU on x86, reorder a store with a later load and nothing
 * else.
 *
 * Usage: test_order [SECONDS [SEED]] */
#include <stdatomic.h>

#include "check.h"
#include "child.h"

enum { SIDES = 2, WORDS = 8, LARGE = 1024, SPINS = 2000, GROWTH = 8 << 20 };

/* The region. Each line that both sides touch is apart from the others. */
struct board {
    _Alignas(128) atomic_uint at[SIDES][32]; /* rounds begun and ended */
    _Alignas(128) atomic_uint stop,
        last; /* the parent's wish; side 0's answer */
    _Alignas(128) atomic_uint held[SIDES]; /* the mode that a side has got */
    _Alignas(128) atomic_uint data;        /* relaxed, whoever touches it */
    _Alignas(128) uint64_t words[WORDS]; /* all the same outside of a section */
    _Alignas(128) uint64_t large[LARGE]; /* the same */
};

static winshm_region *region;
static struct board *board;
static uint32_t side;
static uint64_t dice;

static uint32_t draw(uint32_t limit)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(dice >> 33) % limit;
}

/** Both sides come out of here as close together as can be. */
static void meet(void)
{
    atomic_uint *mine = board->at[side], *other = board->at[!side];
    uint32_t turn = atomic_load_explicit(mine, memory_order_relaxed) + 1;
    atomic_store_explicit(mine, turn, memory_order_release);
    for (uint32_t spins = 0;
         (int32_t)(atomic_load_explicit(other, memory_order_acquire) - turn) <
         0;
         spins++)
        if (spins > SPINS)
            sleep_ms(0);
}

/** ... and then not always in the same step of each other. */
static void begin(void)
{
    meet();
    for (volatile uint32_t pause = draw(16); pause > 0; pause--)
        ;
}

static uint32_t changes(void)
{
    uint32_t count;
    CHECK_OK(winshm_change_count(region, &count));
    return count;
}

/** Two requests at once of which one at least is exclusive: one side is in at
 * most (store buffering). */
static void request(void)
{
    uint32_t mode =
        side == 0 || draw(2) == 0 ? WINSHM_EXCLUSIVE : WINSHM_SHARED;
    begin();
    winshm_status status = winshm_lock(region, mode, 0);
    CHECK(status == WINSHM_OK || status == WINSHM_E_TIMEOUT);
    atomic_store(&board->held[side], status == WINSHM_OK ? mode : 0);
    meet();
    uint32_t other = atomic_load(&board->held[!side]);
    CHECK(status != WINSHM_OK || other == 0);
    meet();
    if (status == WINSHM_OK)
        CHECK_OK(winshm_unlock(region, mode));
}

/** Data, then notification; count, then data (message passing). */
static void notification(void)
{
    uint32_t before = changes();
    uint32_t data = atomic_load_explicit(&board->data, memory_order_relaxed);
    begin();
    if (side == 0) {
        atomic_store_explicit(&board->data, data + 1, memory_order_relaxed);
        CHECK_OK(winshm_notify(region));
    } else {
        uint32_t now = changes();
        uint32_t seen =
            atomic_load_explicit(&board->data, memory_order_relaxed);
        CHECK(now == before || seen == data + 1);
    }
    meet();
    CHECK_EQ(changes(), before + 1);
    meet();
}

/** Section after section: each sees all of the one before it. */
static void sections(void)
{
    begin();
    uint32_t mode = draw(3) == 0 ? WINSHM_SHARED : WINSHM_EXCLUSIVE;
    CHECK_OK(winshm_lock(region, mode, PATIENCE_MS));
    uint64_t value = board->words[0];
    for (uint32_t i = WORDS; i-- > 0;) {
        CHECK_EQ(board->words[i], value);
        if (mode == WINSHM_EXCLUSIVE)
            board->words[i] = value + 1;
    }
    for (uint32_t i = 0; i < WORDS; i++)
        CHECK_EQ(board->words[i], value + (mode == WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_unlock(region, mode));
    meet();
}

/** Copies beside a section: never of two values. */
static void copies(void)
{
    static uint64_t copy[LARGE];
    bool large = draw(2) == 0;
    uint64_t *words = large ? board->large : board->words;
    uint32_t count = large ? LARGE : WORDS;
    uint64_t offset = (uint64_t)((char *)words - (char *)board);
    begin();
    if (side == 0) {
        CHECK_OK(winshm_lock(region, WINSHM_EXCLUSIVE, PATIENCE_MS));
        uint64_t value = words[0] + 1;
        for (uint32_t i = 0; i < count; i++)
            words[i] = value;
        CHECK_OK(winshm_unlock(region, WINSHM_EXCLUSIVE));
    } else {
        CHECK_OK(winshm_read(region, offset, copy, count * sizeof copy[0],
                             PATIENCE_MS));
        for (uint32_t i = 1; i < count; i++)
            CHECK_EQ(copy[i], copy[0]);
    }
    meet();
}

/** Growth: who is told of new bytes has them, and finds what was written there.
 */
static void growth(void)
{
    uint64_t size = winshm_size(region), more = size + sizeof size;
    uint32_t before = changes();
    if (more > sizeof *board + GROWTH)
        return;
    begin();
    if (side == 0) {
        CHECK_OK(winshm_resize(region, more, PATIENCE_MS));
        CHECK_OK(winshm_write(region, size, &more, sizeof more, PATIENCE_MS));
        CHECK_OK(winshm_notify(region));
    } else {
        uint32_t news = changes() - before;
        uint64_t seen;
        if (news >= 1)
            CHECK_EQ(winshm_size(region), more);
        if (news >= 2) {
            CHECK_OK(
                winshm_read(region, size, &seen, sizeof seen, PATIENCE_MS));
            CHECK_EQ(seen, more);
        }
    }
    meet();
}

static void play(const char *name, uint32_t number)
{
    static void (*const tests[])(void) = {request,  notification, request,
                                          sections, request,      copies,
                                          request,  growth};
    enum { TESTS = sizeof tests / sizeof tests[0] };
    uint32_t last = 0;
    side = number & 1;
    dice = number;
    CHECK_OK(winshm_open(name, 0, &region));
    board = winshm_data(region);
    for (uint32_t round = 0; last == 0; round++) {
        tests[round % TESTS]();
        if (side == 0)
            atomic_store(&board->last, atomic_load(&board->stop));
        meet();
        last = atomic_load(&board->last);
        meet();
    }
    parent_tell('e');
    CHECK_OK(winshm_close(region));
}

int main(int argc, char **argv)
{
    static const struct role roles[] = {{"play", play}, {NULL, NULL}};
    child_run_role(argc, argv, roles);
    uint64_t seconds = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint32_t seed =
        argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : (uint32_t)clock_us();
    const char *name = name_of("order");
    struct child players[SIDES];
    printf("seed %" PRIu32 "\n", seed);
    winshm_options options = {.struct_size = sizeof options,
                              .disposition = WINSHM_CREATE_NEW,
                              .size = sizeof *board,
                              .capacity = sizeof *board + GROWTH,
                              .name = name};
    CHECK_OK(winshm_open_with(&options, &region));
    board = winshm_data(region);
    for (uint32_t i = 0; i < SIDES; i++)
        players[i] = child_start("play", name, (seed & ~1u) | i);
    uint64_t end = clock_ms() + seconds * 1000;
    /* A player that fails ends before it is told to. */
    while (clock_ms() < end)
        for (uint32_t i = 0; i < SIDES; i++)
            CHECK_EQ(child_hear(&players[i], 50), -2);
    atomic_store(&board->stop, 1);
    for (uint32_t i = 0; i < SIDES; i++) {
        CHECK_EQ(child_hear(&players[i], PATIENCE_MS), 'e');
        CHECK_EQ(child_wait(&players[i], PATIENCE_MS), 0);
    }
    printf("%u meetings\n", atomic_load(&board->at[0][0]));
    CHECK_OK(winshm_close(region));
    return 0;
}
