/* Regions that grow: at the same address, zero at first, known to all, and
 * harmed by no death. */
#include "check.h"
#include "child.h"
#include "plain.h"

enum { KIB = 1024, MIB = 1 << 20, FIRST = 5000, CAPACITY = 4 * MIB };

static const char *region_name;

static winshm_options options_of(const char *name, uint32_t flags)
{
    return (winshm_options){.struct_size = sizeof(winshm_options),
                            .flags = flags,
                            .disposition = WINSHM_CREATE_NEW,
                            .size = FIRST,
                            .capacity = CAPACITY,
                            .name = name};
}

static winshm_region *created(uint32_t flags)
{
    winshm_options o = options_of(region_name, flags);
    winshm_region *h;
    CHECK_OK(winshm_open_with(&o, &h));
    return h;
}

static winshm_region *opened(uint32_t flags)
{
    winshm_region *h;
    CHECK_OK(winshm_open(region_name, flags, &h));
    return h;
}

static winshm_info info_of(winshm_region *h)
{
    winshm_info info = {.struct_size = sizeof info};
    CHECK_OK(winshm_get_info(h, &info));
    return info;
}

static uint32_t changes(winshm_region *h)
{
    uint32_t now;
    CHECK_OK(winshm_change_count(h, &now));
    return now;
}

static bool all_zero(const uint8_t *from, const uint8_t *to)
{
    while (from < to && *from == 0)
        from++;
    return from == to;
}

/** Grows step by step and does all that can be done with the new bytes. */
static void test_steps(uint32_t flags)
{
    static const uint32_t sizes[] = {FIRST + 1, 8 * KIB,     8 * KIB + 1,
                                     64 * KIB,  MIB + 12345, CAPACITY};
    winshm_region *h = created(flags);
    winshm_region *other = opened(0), *parts = opened(WINSHM_NO_MAP);
    uint8_t *data = winshm_data(h), *seen = winshm_data(other);
    uint32_t before = FIRST;
    memset(data, 0xA5, FIRST);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint32_t size = sizes[i], count = changes(other);
        winshm_view *view;
        uint8_t byte = (uint8_t)(i + 1), got;
        CHECK_STATUS(winshm_read(other, before, &got, 1, 0), WINSHM_E_RANGE);
        CHECK_STATUS(winshm_map(parts, size - 1, 1, 0, &view), WINSHM_E_RANGE);
        /* Whoever holds it may grow it, and so may others. */
        CHECK_OK(winshm_resize(i % 2 != 0 ? h : parts, size, 0));
        CHECK_EQ(changes(other), count + 1);
        CHECK(winshm_data(h) == data && winshm_data(other) == seen);
        CHECK_EQ(winshm_size(h), size);
        CHECK_EQ(winshm_size(other), size);
        CHECK_EQ(winshm_size(parts), size);
        CHECK_EQ(info_of(other).size, size);
        CHECK_EQ(info_of(other).capacity, CAPACITY);
        CHECK(all_zero(seen + before, seen + size));
        memset(data + before, byte, size - before);
        CHECK_EQ(seen[size - 1], byte);
        CHECK_OK(winshm_read(parts, before, &got, 1, 0));
        CHECK_EQ(got, byte);
        CHECK_OK(winshm_write(other, size - 1, "w", 1, 0));
        CHECK_OK(winshm_map(parts, size - 1, 1, 0, &view));
        CHECK_EQ(*(char *)winshm_view_data(view), 'w');
        CHECK_OK(winshm_unmap(view));
        CHECK_STATUS(winshm_read(other, size, &got, 1, 0), WINSHM_E_RANGE);
        CHECK_STATUS(winshm_write(h, size - 1, "ww", 2, 0), WINSHM_E_RANGE);
        /* Again: nothing happens. */
        CHECK_OK(winshm_resize(other, size, 0));
        CHECK_STATUS(winshm_resize(other, size - 1, 0), WINSHM_E_SIZE);
        winshm_region *late = opened(0);
        CHECK_EQ(winshm_size(late), size);
        CHECK_EQ(((uint8_t *)winshm_data(late))[size - 1], data[size - 1]);
        CHECK_OK(winshm_close(late));
        before = size;
    }
    for (int i = 0; i < FIRST; i++)
        CHECK_EQ(seen[i], 0xA5);
    CHECK_OK(winshm_close(parts));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
}

static void test_refusals(void)
{
    winshm_region *h = created(0), *other;
    winshm_options o = options_of(region_name, 0);
    uint32_t count = changes(h);
    CHECK_STATUS(winshm_resize(h, 0, 0), WINSHM_E_INVALID);
    CHECK_STATUS(winshm_resize(h, FIRST - 1, 0), WINSHM_E_SIZE);
    CHECK_STATUS(winshm_resize(h, CAPACITY + 1, 0), WINSHM_E_SIZE);
    CHECK_STATUS(winshm_resize(h, UINT64_MAX, 0), WINSHM_E_SIZE);
    CHECK_OK(winshm_resize(h, FIRST, 0));
    winshm_region *reader = opened(WINSHM_READ);
    CHECK_STATUS(winshm_resize(reader, FIRST + 1, 0), WINSHM_E_ACCESS);
    CHECK_EQ(changes(h), count);
    CHECK_EQ(winshm_size(h), FIRST);
    CHECK_OK(winshm_resize(h, FIRST + 1, 0));
    CHECK_EQ(winshm_size(reader), FIRST + 1);
    CHECK_OK(winshm_close(reader));
    /* The size at creation is what programs agree upon, whatever became of it;
     * the capacity is the creator's. */
    o.disposition = WINSHM_OPEN_OR_CREATE;
    o.capacity = 2 * CAPACITY;
    CHECK_OK(winshm_open_with(&o, &other));
    CHECK_EQ(winshm_size(other), FIRST + 1);
    CHECK_EQ(info_of(other).capacity, CAPACITY);
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_open_or_create(region_name, FIRST, 0, &other));
    CHECK_OK(winshm_close(other));
    CHECK_STATUS(winshm_open_or_create(region_name, FIRST + 1, 0, &other),
                 WINSHM_E_SIZE);
    /* All of the capacity is there, or it is not mapped. */
    if (plain_truncate(region_name, CAPACITY - 1)) {
        CHECK_STATUS(winshm_open(region_name, 0, &other), WINSHM_E_CORRUPT);
        CHECK(plain_truncate(region_name, CAPACITY));
    }
    CHECK_OK(winshm_close(opened(0)));
    CHECK_OK(winshm_close(h));
    CHECK_STATUS(winshm_resize(h, FIRST + 1, 0), WINSHM_E_CLOSED);
    /* What was not made to grow does not. */
    CHECK_OK(winshm_create(region_name, FIRST, 0, &h));
    CHECK_STATUS(winshm_resize(h, FIRST + 1, 0), WINSHM_E_SIZE);
    CHECK_OK(winshm_resize(h, FIRST, 0));
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_create(region_name, FIRST, WINSHM_RAW, &h));
    CHECK_STATUS(winshm_resize(h, FIRST, 0), WINSHM_E_UNSUPPORTED);
    CHECK_OK(winshm_close(h));
}

/** Others have a plain view of it, and it may have been theirs before. */
static void test_outside(void)
{
    struct plain plain;
    winshm_region *h = created(0), *raw;
    CHECK_OK(winshm_write(h, 0, "plain", 5, 0));
    CHECK(plain_open(&plain, region_name, FIRST));
    CHECK(memcmp(plain.data, "plain", 5) == 0);
    CHECK_OK(winshm_resize(h, MIB, 0));
    CHECK_OK(winshm_write(h, MIB - 1, "!", 1, 0));
    plain_close(&plain);
    CHECK(plain_open(&plain, region_name, MIB));
    CHECK_EQ(((char *)plain.data)[MIB - 1], '!');
    plain_close(&plain);
    /* All of what a raw handle has can be touched. */
    CHECK_OK(winshm_open(region_name, WINSHM_RAW, &raw));
    CHECK(winshm_size(raw) >= MIB && winshm_size(raw) <= CAPACITY);
    CHECK_EQ(((char *)winshm_data(raw))[MIB - 1], '!');
    CHECK_EQ(((char *)winshm_data(raw))[winshm_size(raw) - 1],
             winshm_size(raw) == MIB ? '!' : 0);
    CHECK_OK(winshm_close(raw));
    CHECK_OK(winshm_close(h));
    CHECK(plain_create(&plain, region_name, FIRST));
    winshm_options o = options_of(region_name, 0);
    o.disposition = WINSHM_OPEN_OR_CREATE;
    CHECK_OK(winshm_open_with(&o, &h));
    CHECK_EQ(info_of(h).origin, WINSHM_ORIGIN_ADOPTED);
    CHECK_EQ(info_of(h).capacity, FIRST);
    CHECK_STATUS(winshm_resize(h, FIRST, 0), WINSHM_E_UNSUPPORTED);
    CHECK_STATUS(winshm_resize(h, FIRST + 1, 0), WINSHM_E_UNSUPPORTED);
    CHECK_OK(winshm_close(h));
    plain_close(&plain);
    plain_remove(region_name);
}

/** The lock has nothing to do with it. */
static void test_sections(void)
{
    winshm_region *h = created(0), *other = opened(0);
    winshm_info info;
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_resize(h, FIRST + 1, 0));
    CHECK_OK(winshm_resize(other, FIRST + 2, 0));
    info = info_of(h);
    CHECK_EQ(info.lock_state, WINSHM_STATE_EXCLUSIVE);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_lock(h, WINSHM_SHARED, 0));
    CHECK_OK(winshm_resize(h, FIRST + 3, 0));
    CHECK_OK(winshm_resize(other, FIRST + 4, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
    CHECK_OK(winshm_lock(other, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_copy_in(other, FIRST + 3, "x", 1));
    CHECK_OK(winshm_unlock(other, WINSHM_EXCLUSIVE));
    CHECK_EQ(winshm_size(h), FIRST + 4);
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
}

/** A capacity that costs nothing until it is used. */
static void test_vast(void)
{
    const uint64_t vast = vast_capacity();
    winshm_options o = options_of(region_name, 0);
    winshm_region *h;
    winshm_view *view;
    o.capacity = vast;
    winshm_status status = winshm_open_with(&o, &h);
    if (sizeof(void *) == 4) {
        CHECK_STATUS(status, WINSHM_E_NO_MEMORY);
        CHECK(strstr(winshm_last_message(), "68719476736") != NULL);
        CHECK(strstr(winshm_last_message(), "WINSHM_NO_MAP") != NULL);
        o.flags = WINSHM_NO_MAP;
        status = winshm_open_with(&o, &h);
    }
    CHECK_OK(status);
    CHECK_OK(winshm_resize(h, MIB, 0));
    CHECK_EQ(info_of(h).capacity, vast);
    CHECK_OK(winshm_write(h, MIB - 2, "v", 1, 0));
    CHECK_OK(winshm_map(h, MIB - 3, 3, 0, &view));
    CHECK(memcmp(winshm_view_data(view), "\0v\0", 3) == 0);
    CHECK_OK(winshm_unmap(view));
    CHECK_OK(winshm_close(h));
}

/* Somebody else writes to the control block. */

/** No size is believed that the region cannot have. */
static void test_sizes(void)
{
    static const uint64_t sizes[] = {
        0,        1,          FIRST - 1,         CAPACITY + 1,
        1u << 31, UINT32_MAX, (uint64_t)1 << 32, UINT64_MAX};
    winshm_region *h = created(0), *other;
    winshm_info info = {.struct_size = sizeof info};
    struct plain control;
    char bytes[2], control_name[80];
    snprintf(control_name, sizeof control_name, "%s.winshm", region_name);
    CHECK(plain_open(&control, control_name, 65536));
    uint32_t *turn_word = (uint32_t *)(void *)((char *)control.data + 512);
    uint64_t *values = (uint64_t *)(void *)((char *)control.data + 520);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (uint32_t turn = 1; turn <= 2; turn++) {
            values[turn % 2] = sizes[i];
            *turn_word = turn;
            CHECK_EQ(winshm_size(h), 0);
            CHECK(strstr(winshm_last_message(), "WINSHM_E_CORRUPT") != NULL);
            CHECK_STATUS(winshm_get_info(h, &info), WINSHM_E_CORRUPT);
            CHECK_STATUS(winshm_resize(h, 6000, 0), WINSHM_E_CORRUPT);
            CHECK_STATUS(winshm_read(h, FIRST, bytes, 1, 0), WINSHM_E_CORRUPT);
            CHECK_STATUS(winshm_write(h, FIRST - 1, bytes, 2, 0),
                         WINSHM_E_CORRUPT);
            CHECK_OK(winshm_read(h, FIRST - 2, bytes, 2, 0));
            CHECK_STATUS(winshm_open(region_name, 0, &other), WINSHM_E_CORRUPT);
        }
    }
    /* One that it can have is a lie at most. */
    values[0] = 90000;
    *turn_word = UINT32_MAX - 1;
    CHECK_EQ(winshm_size(h), 90000);
    winshm_status status = winshm_write(h, 89999, "x", 1, 0);
    CHECK(status == WINSHM_OK || status == WINSHM_E_FAULT);
    /* The last turn is not followed by the one that means "never". */
    CHECK_OK(winshm_resize(h, 90001, 0));
    CHECK_EQ(*turn_word, UINT32_MAX);
    CHECK_OK(winshm_resize(h, 90002, 0));
    CHECK_EQ(*turn_word, 2);
    CHECK_EQ(winshm_size(h), 90002);
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_EQ(winshm_size(other), 90002);
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
    plain_close(&control);
}

/* Several processes. */

/** As many steps as the system can make in no time. */
static uint32_t by(uint32_t step)
{
    return child_slow() ? 8 * step : step;
}

/** Grows by and by until there is no more, whoever else does. What is new was
 * seen by nobody: it is zero until its owner has written it. */
static void grow_on(winshm_region *h, uint32_t step, uint32_t *mine)
{
    for (;;) {
        uint64_t now = winshm_size(h), size = now + step;
        if (size > CAPACITY)
            return;
        winshm_status status = winshm_resize(h, size, PATIENCE_MS);
        CHECK(status == WINSHM_OK || status == WINSHM_E_SIZE);
        *mine += status == WINSHM_OK;
        CHECK(winshm_size(h) > now);
    }
}

static void role_grow(const char *name, uint32_t step)
{
    winshm_region *h;
    uint32_t mine = 0;
    CHECK_OK(winshm_open(name, 0, &h));
    parent_tell('r');
    parent_hear();
    grow_on(h, step, &mine);
    CHECK_OK(winshm_close(h));
}

/** Looks on, with eyes of its own. */
static void role_watch(const char *name, uint32_t flags)
{
    winshm_region *h;
    uint64_t last = 0;
    uint32_t now = 0;
    CHECK_OK(winshm_open(name, flags, &h));
    const volatile uint8_t *data = winshm_data(h);
    parent_tell('r');
    for (;;) {
        uint64_t size = winshm_size(h);
        CHECK(size >= last);
        CHECK_EQ(data[size - 1], 0);
        last = size;
        if (size > CAPACITY - 16 * KIB)
            break;
        CHECK_OK(winshm_wait(h, now, PATIENCE_MS, &now));
    }
    CHECK_OK(winshm_close(h));
}

static void test_together(void)
{
    winshm_region *h = created(0);
    struct child children[4] = {child_start("grow", region_name, by(1000)),
                                child_start("grow", region_name, by(1500)),
                                child_start("watch", region_name, 0),
                                child_start("watch", region_name, WINSHM_READ)};
    for (int i = 0; i < 4; i++)
        CHECK_EQ(child_hear(&children[i], PATIENCE_MS), 'r');
    CHECK_OK(winshm_notify(h));
    child_tell(&children[0], 'g');
    child_tell(&children[1], 'g');
    for (int i = 0; i < 4; i++)
        CHECK_EQ(child_wait(&children[i], 2 * PATIENCE_MS), 0);
    CHECK(winshm_size(h) > CAPACITY - by(1000));
    CHECK(all_zero(winshm_data(h), (uint8_t *)winshm_data(h) + winshm_size(h)));
    CHECK_OK(winshm_resize(h, CAPACITY, 0));
    CHECK_OK(winshm_close(h));
}

/** Whoever is killed anywhere leaves a region that grows on. */
static void test_killed(void)
{
    winshm_region *h = created(0);
    uint64_t last = FIRST;
    for (uint32_t i = 0; i < 10; i++) {
        struct child child = child_start("grow", region_name, 16);
        CHECK_EQ(child_hear(&child, PATIENCE_MS), 'r');
        child_tell(&child, 'g');
        sleep_ms(i % 5);
        child_kill(&child);
        uint64_t size = winshm_size(h);
        CHECK(size >= last && size < CAPACITY - 16);
        CHECK(all_zero(winshm_data(h), (uint8_t *)winshm_data(h) + size));
        CHECK_OK(winshm_resize(h, size + 1, 0));
        CHECK_EQ(info_of(h).lock_state, 0);
        last = size + 1;
    }
    CHECK_OK(winshm_close(h));
}

/* Threads of one handle, which the life lock does not keep apart on Linux. */

static winshm_region *common;

static void thread_grow(void *argument)
{
    grow_on(common, by(4 * KIB + 1), argument);
}

static void test_threads(void)
{
    struct thread threads[4];
    uint32_t mine[4] = {0}, all = 0;
    common = created(0);
    uint32_t before = changes(common);
    for (int i = 0; i < 4; i++)
        threads[i] = thread_start(thread_grow, &mine[i]);
    for (int i = 0; i < 4; i++) {
        thread_join(threads[i]);
        all += mine[i];
    }
    /* Each size was one thread's work; another may have asked for the same. */
    uint32_t grown = changes(common) - before;
    CHECK(grown != 0 && grown <= all);
    CHECK_EQ(winshm_size(common), FIRST + (uint64_t)grown * by(4 * KIB + 1));
    CHECK_OK(winshm_close(common));
}

static const struct role roles[] = {
    {"grow", role_grow}, {"watch", role_watch}, {NULL, NULL}};

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("growth");
    test_steps(0);
    test_steps(WINSHM_NO_LOCK);
    test_steps(WINSHM_TASK);
    test_refusals();
    test_outside();
    test_sections();
    test_vast();
    test_sizes();
    test_threads();
    test_together();
    test_killed();
    return 0;
}
