/* Many regions at once, and many lives after each other: nothing that was
 * opened is mistaken for another, and nothing grows.
 *
 * test_many [REGIONS PAIRS]: so many open in each of two processes, and opened
 * and closed in each of four. */
#include "check.h"
#include "child.h"
#include "plain.h"
#include "self.h"

enum {
    PLACES = 1024, /* for regions in a process */
    SIZE = 5000,
    PROCESSES = 4,
    WARM = 16, /* pairs after which whatever is made once is there */
    SLACK = 64 /* KiB that an allocator may come to need */
};

/** What a region holds here: who it is, and how often somebody was in it. */
struct content {
    uint32_t number;
    uint32_t visits;
};

static winshm_region *all[PLACES];

static const char *part_of(const char *name, uint32_t number)
{
    static char parts[2][96];
    static unsigned next;
    char *part = parts[next++ % 2];
    snprintf(part, sizeof parts[0], "%s-%u", name, (unsigned)number);
    return part;
}

static void check_memory(uint32_t before)
{
    uint32_t after = self_memory();
    if (after > before + SLACK)
        CHECK_EQ(after, before);
}

/* Many at once. */

static void visit(winshm_region *h, uint32_t number)
{
    struct content *content = winshm_data(h);
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS));
    CHECK_EQ(content->number, number);
    content->visits++;
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
}

static void close_all(uint32_t count)
{
    /* Not in the order of opening. */
    for (uint32_t i = 0; i < count; i += 2)
        CHECK_OK(winshm_close(all[i]));
    for (uint32_t i = 1; i < count; i += 2)
        CHECK_OK(winshm_close(all[i]));
}

/** Has all of its parent's regions open, too. */
static void role_guest(const char *name, uint32_t count)
{
    child_descriptors();
    for (uint32_t i = 0; i < count; i++)
        CHECK_OK(winshm_open(part_of(name, i), 0, &all[i]));
    for (uint32_t i = count; i-- > 0;)
        visit(all[i], i);
    parent_tell('o');
    CHECK_EQ(parent_hear(), 'e');
    close_all(count);
}

/** @return how many handles or descriptors a region takes. */
static int open_many(const char *name, uint32_t count)
{
    struct holdings before = self_holdings();
    struct child guest;
    winshm_region *more;
    for (uint32_t i = 0; i < count; i++) {
        struct content content = {i, 0};
        CHECK_OK(winshm_create(part_of(name, i), SIZE, 0, &all[i]));
        CHECK_OK(winshm_write(all[i], 0, &content, sizeof content, 0));
    }
    struct holdings open = self_holdings();
    CHECK(open.mappings - before.mappings >= (int)count);
    if (count == PLACES)
        CHECK_STATUS(winshm_create(part_of(name, count), SIZE, 0, &more),
                     WINSHM_E_TOO_MANY);
    guest = child_start("guest", name, count);
    CHECK_EQ(child_hear(&guest, 10 * PATIENCE_MS), 'o');
    for (uint32_t i = 0; i < count; i++) {
        winshm_info info = {.struct_size = sizeof info};
        struct content content;
        CHECK_OK(winshm_get_info(all[i], &info));
        CHECK_EQ(info.participants, 2);
        visit(all[i], i);
        CHECK_OK(winshm_read(all[i], 0, &content, sizeof content, 0));
        CHECK_EQ(content.visits, 2);
    }
    child_tell(&guest, 'e');
    CHECK_EQ(child_wait(&guest, 10 * PATIENCE_MS), 0);
    close_all(count);
    CHECK(plain_count(name) <= 0);
    CHECK_STATUS(winshm_open(part_of(name, 0), 0, &more), WINSHM_E_NOT_FOUND);
    return (open.handles - before.handles) / (int)count;
}

static void test_at_once(uint32_t count)
{
    const char *name = name_of("many");
    /* What is made once, also by the system when it starts a child. */
    open_many(name, 1);
    struct holdings before = self_holdings();
    uint64_t began = clock_ms();
    int each = open_many(name, count);
    uint32_t memory = self_memory();
    /* Every place once more. */
    CHECK_EQ(open_many(name, count), each);
    check_memory(memory);
    struct holdings after = self_holdings();
    CHECK_EQ(after.handles, before.handles);
    CHECK_EQ(after.mappings, before.mappings);
    printf("twice %u regions in two processes in %llu ms, %d handles each, %u "
           "KiB\n",
           (unsigned)count, (unsigned long long)(clock_ms() - began), each,
           (unsigned)memory);
}

/* Many after each other. */

/** One region that somebody else keeps, and one that ends with whoever is the
 * last to close it. */
static void pair(const char *kept, const char *ends)
{
    winshm_region *one, *two;
    CHECK_OK(winshm_open_or_create(ends, SIZE, 0, &one));
    visit(one, 0);
    CHECK_OK(winshm_open(kept, 0, &two));
    visit(two, 0);
    CHECK_OK(winshm_close(one));
    CHECK_OK(winshm_close(two));
}

static void role_pairs(const char *name, uint32_t count)
{
    char kept[96], ends[96];
    winshm_region *raw;
    snprintf(kept, sizeof kept, "%s", part_of(name, 0));
    snprintf(ends, sizeof ends, "%s", part_of(name, 1));
    /* The table of the handles is touched for the first time. */
    for (int i = 0; i < PLACES; i++) {
        CHECK_OK(winshm_create(name_of("raw"), SIZE, WINSHM_RAW, &raw));
        CHECK_OK(winshm_close(raw));
    }
    for (int i = 0; i < WARM; i++)
        pair(kept, ends);
    self_holdings();
    struct holdings before = self_holdings();
    uint32_t memory = self_memory();
    for (uint32_t i = 0; i < count; i++)
        pair(kept, ends);
    struct holdings after = self_holdings();
    CHECK_EQ(after.handles, before.handles);
    CHECK_EQ(after.mappings, before.mappings);
    check_memory(memory);
}

static void test_pairs(uint32_t count)
{
    const char *name = name_of("pairs");
    struct child children[PROCESSES];
    winshm_region *h;
    winshm_info info = {.struct_size = sizeof info};
    uint64_t began = clock_ms();
    CHECK_OK(winshm_create(part_of(name, 0), SIZE, 0, &h));
    for (int i = 0; i < PROCESSES; i++)
        children[i] = child_start("pairs", name, count);
    for (int i = 0; i < PROCESSES; i++)
        CHECK_EQ(child_wait(&children[i], 60 * PATIENCE_MS), 0);
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_EQ(info.participants, 1);
    CHECK_EQ(info.lock_state, 0);
    struct content *content = winshm_data(h);
    CHECK_EQ(content->visits, PROCESSES * (WARM + count));
    CHECK_OK(winshm_close(h));
    CHECK(plain_count(name) <= 0);
    CHECK_STATUS(winshm_open(part_of(name, 1), 0, &h), WINSHM_E_NOT_FOUND);
    printf("%u openings and closings of two regions in each of %d processes "
           "in %llu ms\n",
           (unsigned)count, PROCESSES,
           (unsigned long long)(clock_ms() - began));
}

static const struct role roles[] = {
    {"guest", role_guest}, {"pairs", role_pairs}, {NULL, NULL}};

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    bool slow = child_slow();
    uint32_t regions = argc > 2 ? (uint32_t)atoi(argv[1]) : slow ? 64 : PLACES;
    uint32_t pairs = argc > 2 ? (uint32_t)atoi(argv[2]) : slow ? 50 : 500;
    CHECK(regions >= 1 && regions <= PLACES && pairs >= 1);
    /* Three for each region at most, and what a program has anyway. */
    if (child_descriptors() < 3 * regions + 64)
        SKIP("this process may not have so many descriptors");
    test_at_once(regions);
    test_pairs(pairs);
    return 0;
}
