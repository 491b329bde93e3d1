/* Processes are killed while they save and while they load: the file is always
 * the old one or the new one, whole, with one other beside it at most; and a
 * region that is half loaded is told for what it is.
 *
 * test_save_kill [KILLS [SEED]] */
#include "check.h"
#include "child.h"
#include "files.h"
#include "plain.h"

enum { SIZE = 1 << 20, NUMBERS = SIZE / 4 };

static uint32_t seed;

static uint32_t dice(uint32_t sides)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % sides;
}

static void fill(winshm_region *h, uint32_t value)
{
    uint32_t *numbers = winshm_data(h);
    for (int i = 0; i < NUMBERS; i++)
        numbers[i] = value;
}

static bool uniform(winshm_region *h)
{
    const uint32_t *numbers = winshm_data(h);
    return memcmp(numbers, numbers + 1, SIZE - 4) == 0;
}

/** Takes the lock; what another has torn counts as whole. */
static void take(winshm_region *h)
{
    winshm_status status = winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS);
    if (status == WINSHM_E_OWNER_DEAD)
        CHECK_OK(winshm_make_consistent(h));
    else
        CHECK_OK(status);
}

/** Counts on from what was saved last, and saves each number. */
static void role_save(const char *name, uint32_t unused)
{
    winshm_region *h;
    (void)unused;
    CHECK_OK(winshm_open(name, 0, &h));
    CHECK_OK(winshm_load(h, file_named(name), PATIENCE_MS));
    uint32_t value = *(uint32_t *)winshm_data(h);
    for (parent_tell('s');; value++) {
        take(h);
        fill(h, value + 1);
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
        CHECK_OK(winshm_save(h, file_named(name), PATIENCE_MS));
    }
}

/** Loads one of two files after the other. */
static void role_load(const char *name, uint32_t unused)
{
    winshm_region *h;
    char other[80];
    (void)unused;
    CHECK_OK(winshm_open(name, 0, &h));
    snprintf(other, sizeof other, "%s-other", name);
    for (parent_tell('l');;) {
        CHECK_OK(winshm_load(h, file_named(other), PATIENCE_MS));
        CHECK_OK(winshm_load(h, file_named(name), PATIENCE_MS));
    }
}

static const struct role roles[] = {
    {"save", role_save}, {"load", role_load}, {NULL, NULL}};

static void kill_in(const char *role, const char *name)
{
    struct child child = child_start(role, name, 0);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), role[0]);
    for (uint64_t end = clock_us() + dice(6000); clock_us() < end;)
        ;
    child_kill(&child);
}

struct tally {
    uint32_t savers, loaders, parts, torn;
};

/** @param h a region of its own, to look at the file. */
static void kill_saver(winshm_region *h, const char *name, struct tally *tally)
{
    const char *path = file_named(name);
    uint32_t before = *(uint32_t *)winshm_data(h);
    kill_in("save", name);
    CHECK_OK(winshm_load(h, path, PATIENCE_MS));
    CHECK(uniform(h));
    uint32_t now = *(uint32_t *)winshm_data(h);
    CHECK(now >= before);
    CHECK(plain_count(strrchr(path, '/') + 1) <= 2);
    tally->savers++;
    tally->parts += file_exists(part_of(path));
}

static void kill_loader(winshm_region *h, const char *name, struct tally *tally)
{
    kill_in("load", name);
    winshm_status status = winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS);
    if (status == WINSHM_E_OWNER_DEAD) {
        tally->torn++;
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
        CHECK_OK(winshm_load(h, file_named(name), PATIENCE_MS));
        status = winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS);
    }
    CHECK_OK(status);
    CHECK(uniform(h));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    tally->loaders++;
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    const char *name = name_of("killed");
    const char *other = name_of("killed-other");
    struct tally tally = {0, 0, 0, 0};
    winshm_region *h, *look;
    uint32_t kills = child_slow() ? 8 : 40;
    if (argc > 1)
        kills = (uint32_t)strtoul(argv[1], NULL, 10);
    seed =
        argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : (uint32_t)clock_us();
    printf("test_save_kill %lu %lu\n", (unsigned long)kills,
           (unsigned long)seed);
    fflush(stdout);
    CHECK_OK(winshm_create(name, SIZE, 0, &h));
    CHECK_OK(winshm_create(name_of("look"), SIZE, 0, &look));
    fill(h, 1u << 31);
    CHECK_OK(winshm_save(h, file_named(other), 0));
    fill(h, 1);
    CHECK_OK(winshm_save(h, file_named(name), 0));
    for (uint32_t i = 0; i < kills; i++) {
        if (i % 2 == 0)
            kill_saver(look, name, &tally);
        else
            kill_loader(h, name, &tally);
    }
    /* What was left is used up, and nothing else is there. */
    take(h);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_save(h, file_named(name), PATIENCE_MS));
    CHECK(!file_exists(part_of(file_named(name))));
    CHECK_EQ(remove(file_named(name)), 0);
    CHECK_EQ(remove(file_named(other)), 0);
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_close(look));
    printf("%lu savers killed, of which %lu left a part file; %lu loaders, of "
           "which %lu left torn data\n",
           (unsigned long)tally.savers, (unsigned long)tally.parts,
           (unsigned long)tally.loaders, (unsigned long)tally.torn);
    CHECK(kills < 200 || (tally.parts > 0 && tally.torn > 0));
    return 0;
}
