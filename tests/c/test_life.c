/* A region exists exactly as long as somebody has it open. */
#include "check.h"
#include "child.h"
#include "plain.h"

static winshm_info info_of(winshm_region *h)
{
    winshm_info info = {.struct_size = sizeof info};
    CHECK_OK(winshm_get_info(h, &info));
    return info;
}

/** Opens or creates, says so, and holds it until told to close or killed. */
static void role_hold(const char *name, uint32_t size)
{
    winshm_region *h;
    CHECK_OK(winshm_open_or_create(name, size, 0, &h));
    parent_tell('h');
    while (parent_hear() != 'c')
        ;
    CHECK_OK(winshm_close(h));
    parent_tell('c');
    parent_hear();
}

/** Creates after a while. */
static void role_late(const char *name, uint32_t ms)
{
    winshm_region *h;
    sleep_ms(ms);
    CHECK_OK(winshm_create(name, 64, 0, &h));
    parent_hear();
}

/** Opens what a 64-bit or 32-bit parent has made, and looks at it. */
static void role_look(const char *name, uint32_t size)
{
    winshm_region *h;
    CHECK_OK(winshm_open(name, WINSHM_READ, &h));
    CHECK_EQ(winshm_size(h), size);
    CHECK_EQ(((unsigned char *)winshm_data(h))[size - 1], 0xA5);
    winshm_info info = info_of(h);
    CHECK_EQ(info.access, WINSHM_READ);
    CHECK_EQ(info.member, 2);
    CHECK_EQ(info.participants, 2);
    CHECK(info.creator_pid != child_pid());
    CHECK_OK(winshm_close(h));
}

static const struct role roles[] = {{"hold", role_hold},
                                    {"late", role_late},
                                    {"look", role_look},
                                    {NULL, NULL}};

static void check_gone(const char *name)
{
    winshm_region *h;
    CHECK_STATUS(winshm_open(name, 0, &h), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_open(name, WINSHM_RAW, &h), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_open_or_create(name, 0, 0, &h), WINSHM_E_NOT_FOUND);
    CHECK(plain_count(name) <= 0);
}

static void test_sizes(void)
{
    static const uint32_t sizes[] = {1,    2,     7,     8,     4095,  4096,
                                     4097, 65535, 65536, 65537, 100000};
    const char *name = name_of("sizes");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        winshm_region *h;
        uint32_t size = sizes[i];
        CHECK_OK(winshm_create(name, size, 0, &h));
        CHECK_EQ(winshm_size(h), size);
        unsigned char *data = winshm_data(h);
        CHECK_EQ((uintptr_t)data % 4096, 0);
        for (uint32_t at = 0; at < size; at++)
            CHECK_EQ(data[at], 0);
        memset(data, 0xA5, size);
        struct child child = child_start("look", name, size);
        CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
        CHECK_OK(winshm_close(h));
        check_gone(name);
    }
}

static void test_info(void)
{
    const char *name = name_of("info");
    winshm_region *one, *two;
    winshm_participant p[3] = {{.struct_size = sizeof p[0]}};
    uint32_t count;
    CHECK_OK(winshm_create(name, 5000, 0, &one));
    winshm_info info = info_of(one);
    CHECK_EQ(info.kind, WINSHM_KIND_MANAGED);
    CHECK_EQ(info.access, WINSHM_READ | WINSHM_WRITE);
    CHECK_EQ(info.lock_kind, WINSHM_LOCK_ROBUST);
    CHECK_EQ(info.size, 5000);
    CHECK_EQ(info.capacity, 5000);
    CHECK_EQ(info.layout_tag, 0);
    CHECK_EQ(info.member, 1);
    CHECK_EQ(info.creator_pid, child_pid());
    CHECK_EQ(info.creator_present, 1);
    CHECK_EQ(info.participants, 1);
    CHECK_EQ(info.lock_state, 0);
    CHECK_EQ(info.owner_pid, 0);
    CHECK_EQ(info.change_count, 0);
    CHECK_EQ(info.origin, WINSHM_ORIGIN_CREATED);
    CHECK_EQ(info.observer, 0);
    /* Between 2020 and 2100. */
    CHECK(info.creator_start_us > 1577836800000000);
    CHECK(info.creator_start_us < 4102444800000000);
    CHECK_STATUS(winshm_create(name, 5000, 0, &two), WINSHM_E_EXISTS);
    CHECK_STATUS(winshm_open_or_create(name, 4999, 0, &two), WINSHM_E_SIZE);
    CHECK_STATUS(winshm_open_or_create(name, 5001, 0, &two), WINSHM_E_SIZE);
    CHECK_OK(winshm_open_or_create(name, 0, 0, &two));
    CHECK_OK(winshm_close(two));
    CHECK_OK(winshm_open_or_create(name, 5000, 0, &two));
    CHECK_OK(winshm_lock(two, WINSHM_EXCLUSIVE, 0));
    winshm_info other = info_of(two);
    CHECK_EQ(other.origin, WINSHM_ORIGIN_OPENED);
    CHECK_EQ(other.member, 3);
    CHECK_EQ(other.participants, 2);
    CHECK_EQ(other.lock_state, WINSHM_STATE_EXCLUSIVE);
    CHECK_EQ(other.owner_pid, child_pid());
    CHECK(memcmp(info.id, other.id, 16) == 0);
    CHECK_OK(winshm_get_participants(one, p, 3, &count));
    CHECK_EQ(count, 2);
    uint32_t self = (p[0].flags & WINSHM_PARTICIPANT_SELF) != 0 ? 0 : 1;
    CHECK_EQ(p[self].flags,
             WINSHM_PARTICIPANT_SELF | WINSHM_PARTICIPANT_CREATOR);
    CHECK_EQ(p[self].member, 1);
    CHECK_EQ(p[1 - self].flags, WINSHM_PARTICIPANT_EXCLUSIVE);
    CHECK_EQ(p[1 - self].member, 3);
    CHECK_EQ(p[1 - self].pid, child_pid());
    CHECK_EQ(p[1 - self].start_us, info.creator_start_us);
    CHECK(p[0].slot != p[1].slot);
    p[0].struct_size = sizeof p[0];
    CHECK_OK(winshm_get_participants(one, p, 1, &count));
    CHECK_EQ(count, 2);
    CHECK_OK(winshm_unlock(two, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_lock(two, WINSHM_SHARED, 0));
    CHECK_EQ(info_of(one).lock_state, WINSHM_STATE_SHARED);
    CHECK_OK(winshm_unlock(two, WINSHM_SHARED));
    CHECK_OK(winshm_close(two));
    CHECK_EQ(info_of(one).participants, 1);
    CHECK_OK(winshm_close(one));
    check_gone(name);
}

/** After the last one has closed, and after all were killed. */
static void test_lives(void)
{
    const char *name = name_of("lives");
    winshm_region *h;
    uint8_t id[16] = {0};
    for (int round = 0; round < 10; round++) {
        struct child a = child_start("hold", name, 3000);
        CHECK_EQ(child_hear(&a, PATIENCE_MS), 'h');
        struct child b = child_start("hold", name, 3000);
        CHECK_EQ(child_hear(&b, PATIENCE_MS), 'h');
        CHECK_OK(winshm_open(name, 0, &h));
        winshm_info info = info_of(h);
        CHECK_EQ(info.participants, 3);
        CHECK_EQ(info.creator_pid, a.pid);
        CHECK(memcmp(info.id, id, 16) != 0);
        memcpy(id, info.id, 16);
        unsigned char *data = winshm_data(h);
        for (int i = 0; i < 3000; i++)
            CHECK_EQ(data[i], 0);
        memset(data, 0xEE, 3000);
        if (round % 2 == 0) {
            child_kill(&a);
            CHECK_EQ(info_of(h).creator_present, 0);
            CHECK_EQ(info_of(h).participants, 2);
            CHECK_OK(winshm_close(h));
            child_kill(&b);
        } else {
            CHECK_OK(winshm_close(h));
            child_tell(&a, 'c');
            CHECK_EQ(child_hear(&a, PATIENCE_MS), 'c');
            child_tell(&b, 'c');
            CHECK_EQ(child_hear(&b, PATIENCE_MS), 'c');
        }
        if (round < 5)
            check_gone(name);
        if (round % 2 == 1) {
            child_kill(&a);
            child_kill(&b);
        }
    }
    check_gone(name);
}

/** The region is the same while the reader stays, the producer another. */
static void test_restart(void)
{
    const char *name = name_of("restart");
    winshm_region *reader;
    struct child producer = child_start("hold", name, 100);
    CHECK_EQ(child_hear(&producer, PATIENCE_MS), 'h');
    CHECK_OK(winshm_open(name, 0, &reader));
    winshm_info first = info_of(reader);
    CHECK_EQ(first.creator_present, 1);
    memset(winshm_data(reader), 3, 100);
    for (unsigned i = 0; i < 3; i++) {
        child_kill(&producer);
        CHECK_EQ(info_of(reader).creator_present, 0);
        CHECK_EQ(info_of(reader).participants, 1);
        producer = child_start("hold", name, 100);
        CHECK_EQ(child_hear(&producer, PATIENCE_MS), 'h');
        winshm_info info = info_of(reader);
        winshm_participant p[2] = {{.struct_size = sizeof p[0]}};
        uint32_t count;
        CHECK(memcmp(info.id, first.id, 16) == 0);
        CHECK_EQ(info.creator_present, 0);
        CHECK_EQ(info.creator_pid, first.creator_pid);
        CHECK_EQ(info.member, 2);
        CHECK_OK(winshm_get_participants(reader, p, 2, &count));
        CHECK_EQ(count, 2);
        CHECK_EQ(p[0].member + p[1].member, 2 + 3 + i);
        CHECK_EQ(((char *)winshm_data(reader))[99], 3);
    }
    CHECK_OK(winshm_close(reader));
    child_kill(&producer);
    check_gone(name);
}

static void test_outsiders(void)
{
    const char *name = name_of("outside");
    struct plain plain;
    winshm_region *h, *two;
    CHECK(plain_create(&plain, name, 8192));
    memset(plain.data, 'p', 8192);
    CHECK_STATUS(winshm_open(name, 0, &h), WINSHM_E_NOT_MANAGED);
    CHECK_STATUS(winshm_open(name, WINSHM_READ, &h), WINSHM_E_NOT_MANAGED);
    CHECK_STATUS(winshm_create(name, 100, 0, &h), WINSHM_E_HELD);
    CHECK_STATUS(winshm_open_or_create(name, 100000, 0, &h), WINSHM_E_SIZE);
    CHECK_STATUS(winshm_open_or_create(name, 0, 0, &h), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_open(name, 0, &h), WINSHM_E_NOT_MANAGED);
    CHECK_OK(winshm_open_or_create(name, 100, 0, &h));
    winshm_info info = info_of(h);
    CHECK_EQ(info.origin, WINSHM_ORIGIN_ADOPTED);
    CHECK_EQ(info.size, 100);
    CHECK_EQ(((char *)winshm_data(h))[99], 'p');
    CHECK_OK(winshm_open(name, 0, &two));
    CHECK_EQ(info_of(two).origin, WINSHM_ORIGIN_OPENED);
    CHECK_OK(winshm_write(two, 0, "w", 1, 0));
    CHECK_EQ(*(char *)plain.data, 'w');
    CHECK_OK(winshm_close(two));
    CHECK_OK(winshm_close(h));
    /* Whoever comes after a death knows that the block is not ours. */
    struct child child = child_start("hold", name, 100);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'h');
    child_kill(&child);
    CHECK_STATUS(winshm_open(name, 0, &h), WINSHM_E_NOT_MANAGED);
    child = child_start("hold", name, 100);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'h');
    child_kill(&child);
    CHECK_OK(winshm_open_or_create(name, 100, 0, &h));
    CHECK_EQ(info_of(h).origin, WINSHM_ORIGIN_ADOPTED);
    CHECK_EQ(((char *)winshm_data(h))[99], 'p');
    CHECK_OK(winshm_close(h));
    /* The block is its owner's: it stays as it was. */
    CHECK_STATUS(winshm_open(name, 0, &h), WINSHM_E_NOT_MANAGED);
    CHECK_EQ(((char *)plain.data)[1], 'p');
    plain_close(&plain);
    plain_remove(name);
    check_gone(name);
}

static void test_other_sorts(void)
{
    const char *name = name_of("sorts");
    char control[80];
    winshm_region *h;
    snprintf(control, sizeof control, "%s.winshm", name);
    for (int sort = 0; sort < 3; sort++) {
        intptr_t obstacle = plain_obstruct(name, sort);
        CHECK_STATUS(winshm_open(name, WINSHM_RAW, &h), WINSHM_E_KIND);
        CHECK_STATUS(winshm_open(name, 0, &h), WINSHM_E_KIND);
        winshm_status status = winshm_open_or_create(name, 10, 0, &h);
        if (status != WINSHM_E_KIND)
            CHECK_STATUS(status, WINSHM_E_KIND);
        status = winshm_create(name, 10, 0, &h);
        CHECK(status == WINSHM_E_KIND || status == WINSHM_E_HELD);
        plain_clear(name, obstacle);
        obstacle = plain_obstruct(control, sort);
        CHECK_STATUS(winshm_open(name, 0, &h), WINSHM_E_KIND);
        CHECK_STATUS(winshm_create(name, 10, 0, &h), WINSHM_E_KIND);
        CHECK_STATUS(winshm_open_or_create(name, 10, 0, &h), WINSHM_E_KIND);
        plain_clear(control, obstacle);
        check_gone(name);
    }
    /* Somebody else's block under the derived name is left alone. */
    struct plain plain;
    CHECK(plain_create(&plain, control, 4096));
    memset(plain.data, 'f', 4096);
    CHECK_STATUS(winshm_create(name, 10, 0, &h), WINSHM_E_FOREIGN);
    CHECK_STATUS(winshm_open_or_create(name, 10, 0, &h), WINSHM_E_FOREIGN);
    CHECK_STATUS(winshm_open(name, 0, &h), WINSHM_E_FOREIGN);
    for (int i = 0; i < 4096; i++)
        CHECK_EQ(((char *)plain.data)[i], 'f');
    plain_close(&plain);
    plain_remove(control);
    CHECK_OK(winshm_create(name, 10, 0, &h));
    CHECK_OK(winshm_close(h));
    check_gone(name);
}

static void test_options(void)
{
    const char *name = name_of("options");
    winshm_region *one, *two;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = 4097,
                        .capacity = ((uint64_t)1 << 32) + 1,
                        .layout_tag = 0x1122334455667788,
                        .name = name};
    if (sizeof(void *) == 4)
        o.capacity = 1 << 20;
    CHECK_OK(winshm_open_with(&o, &one));
    CHECK_EQ(winshm_size(one), 4097);
    CHECK_EQ(info_of(one).capacity, o.capacity);
    CHECK_EQ(info_of(one).layout_tag, 0x1122334455667788);
    CHECK_STATUS(winshm_open_with(&o, &two), WINSHM_E_EXISTS);
    o.disposition = WINSHM_OPEN_EXISTING;
    o.capacity = 0;
    CHECK_OK(winshm_open_with(&o, &two));
    CHECK_OK(winshm_close(two));
    o.size = 4096;
    CHECK_STATUS(winshm_open_with(&o, &two), WINSHM_E_SIZE);
    o.size = 0;
    o.layout_tag = 0x1122334455667789;
    CHECK_STATUS(winshm_open_with(&o, &two), WINSHM_E_TAG);
    o.layout_tag = 0x2122334455667788;
    CHECK_STATUS(winshm_open_with(&o, &two), WINSHM_E_TAG);
    o.layout_tag = 0;
    CHECK_OK(winshm_open_with(&o, &two));
    CHECK_EQ(info_of(two).layout_tag, 0x1122334455667788);
    CHECK_OK(winshm_close(two));
    CHECK_OK(winshm_close(one));
    static const char *const security[] = {"owner", "session",
                                           "interactive-read", "everyone-read"};
    for (int i = 0; i < 4; i++) {
        o.disposition = WINSHM_CREATE_NEW;
        o.size = 10;
        o.security = security[i];
        CHECK_OK(winshm_open_with(&o, &one));
        CHECK_OK(winshm_open(name, 0, &two));
        CHECK_OK(winshm_close(two));
        /* A tag is compared only if both sides have one. */
        o.disposition = WINSHM_OPEN_EXISTING;
        o.security = NULL;
        o.layout_tag = 5;
        CHECK_OK(winshm_open_with(&o, &two));
        CHECK_OK(winshm_close(two));
        CHECK_OK(winshm_close(one));
        o.layout_tag = 0;
    }
}

static void test_waiting(void)
{
    const char *name = name_of("late");
    winshm_region *h;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_OPEN_EXISTING,
                        .name = name};
    uint64_t began = clock_ms();
    CHECK_STATUS(winshm_open_with(&o, &h), WINSHM_E_NOT_FOUND);
    o.timeout_ms = 100;
    CHECK_STATUS(winshm_open_with(&o, &h), WINSHM_E_NOT_FOUND);
    CHECK(clock_ms() - began >= 99);
    CHECK(clock_ms() - began < 3000);
    CHECK(plain_count(name) <= 0);
    for (int forever = 0; forever < 2; forever++) {
        struct child child = child_start("late", name, 100);
        o.timeout_ms = forever ? WINSHM_FOREVER : PATIENCE_MS;
        CHECK_OK(winshm_open_with(&o, &h));
        child_tell(&child, 'x');
        CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
        CHECK_OK(winshm_close(h));
    }
    /* Also behind a block that is not managed yet. */
    struct plain plain;
    CHECK(plain_create(&plain, name, 64));
    o.timeout_ms = 50;
    CHECK_STATUS(winshm_open_with(&o, &h), WINSHM_E_NOT_MANAGED);
    plain_close(&plain);
    plain_remove(name);
}

static void test_full(void)
{
    const char *name = name_of("full");
    winshm_region *all[WINSHM_PARTICIPANTS_MAX], *more;
    uint32_t count;
    CHECK_OK(winshm_create(name, 10, 0, &all[0]));
    for (unsigned i = 1; i < WINSHM_PARTICIPANTS_MAX; i++)
        CHECK_OK(winshm_open(name, 0, &all[i]));
    CHECK_STATUS(winshm_open(name, 0, &more), WINSHM_E_TOO_MANY);
    CHECK_OK(winshm_get_participants(all[0], NULL, 0, &count));
    CHECK_EQ(count, WINSHM_PARTICIPANTS_MAX);
    CHECK_OK(winshm_lock(all[127], WINSHM_EXCLUSIVE, 0));
    CHECK_STATUS(winshm_lock(all[3], WINSHM_SHARED, 0), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_unlock(all[127], WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(all[64]));
    CHECK_OK(winshm_open(name, 0, &all[64]));
    for (unsigned i = 0; i < WINSHM_PARTICIPANTS_MAX; i++)
        CHECK_OK(winshm_close(all[i]));
    check_gone(name);
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    test_sizes();
    test_info();
    test_lives();
    test_restart();
    test_outsiders();
    test_other_sorts();
    test_options();
    test_waiting();
    test_full();
    return 0;
}
