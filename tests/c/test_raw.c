/* Raw blocks, and managed regions as a program without winshm sees them. */
#include "check.h"
#include "child.h"
#include "plain.h"

static const char *region_name;

/** A program that never heard of winshm. */
static void role_plain(const char *name, uint32_t size)
{
    struct plain plain;
    CHECK(plain_open(&plain, name, size));
    unsigned char *data = plain.data;
    for (uint32_t i = 0; i < size; i++)
        CHECK_EQ(data[i], i % 256);
    memset(data, 0x33, size);
    plain_close(&plain);
}

/** Opens raw and holds it. */
static void role_hold(const char *name, uint32_t size)
{
    winshm_region *h;
    winshm_status status = size == 0
                               ? winshm_open(name, WINSHM_RAW, &h)
                               : winshm_create(name, size, WINSHM_RAW, &h);
    CHECK_OK(status);
    parent_tell('h');
    parent_hear();
}

static const struct role roles[] = {
    {"plain", role_plain}, {"hold", role_hold}, {NULL, NULL}};

static winshm_info info_of(winshm_region *h)
{
    winshm_info info = {.struct_size = sizeof info};
    CHECK_OK(winshm_get_info(h, &info));
    return info;
}

static void fill(winshm_region *h, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        ((unsigned char *)winshm_data(h))[i] = (unsigned char)i;
}

/** The bytes begin at 0 of the object with the plain name, for both kinds. */
static void test_seen_from_outside(void)
{
    static const uint32_t flags[] = {0, WINSHM_RAW, WINSHM_NO_LOCK};
    for (int i = 0; i < 3; i++) {
        winshm_region *h;
        CHECK_OK(winshm_create(region_name, 5000, flags[i], &h));
        fill(h, 5000);
        struct child child = child_start("plain", region_name, 5000);
        CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
        for (int k = 0; k < 5000; k++)
            CHECK_EQ(((unsigned char *)winshm_data(h))[k], 0x33);
        CHECK_OK(winshm_close(h));
    }
}

/** A block made by somebody else is opened and not touched. */
static void test_third_party(void)
{
    struct plain plain;
    winshm_region *h, *reader;
    unsigned char byte;
    CHECK(plain_create(&plain, region_name, 8192));
    unsigned char *data = plain.data;
    for (int i = 0; i < 8192; i++)
        data[i] = (unsigned char)(i % 255);
    CHECK_OK(winshm_open(region_name, WINSHM_RAW, &h));
    CHECK_OK(winshm_open(region_name, WINSHM_RAW | WINSHM_READ, &reader));
    winshm_info info = info_of(h);
    CHECK_EQ(info.kind, WINSHM_KIND_RAW);
    CHECK_EQ(info.size, 8192);
    CHECK_EQ(info.lock_kind, WINSHM_LOCK_NONE);
    CHECK_EQ(info.origin, WINSHM_ORIGIN_OPENED);
    CHECK_EQ(info.participants, 0);
    CHECK_EQ(info_of(reader).access, WINSHM_READ);
    CHECK_EQ(winshm_size(reader), 8192);
    CHECK_OK(winshm_read(reader, 8191, &byte, 1, 0));
    CHECK_EQ(byte, 8191 % 255);
    CHECK_STATUS(winshm_write(reader, 0, "x", 1, 0), WINSHM_E_ACCESS);
    CHECK_OK(winshm_close(reader));
    CHECK_OK(winshm_close(h));
    for (int i = 0; i < 8192; i++)
        CHECK_EQ(data[i], i % 255);
    /* Opening has not made anything beside it, closing not removed it. */
    int count = plain_count(region_name);
    CHECK(count == 1 || count == -1);
    CHECK_OK(winshm_open(region_name, WINSHM_RAW, &h));
    CHECK_OK(winshm_write(h, 1, "w", 1, 0));
    CHECK_EQ(data[0], 0);
    CHECK_EQ(data[1], 'w');
    CHECK_EQ(data[2], 2);
    CHECK_OK(winshm_close(h));
    plain_close(&plain);
    plain_remove(region_name);
    CHECK_STATUS(winshm_open(region_name, WINSHM_RAW, &h), WINSHM_E_NOT_FOUND);
    /* Nothing is nothing to share. */
    CHECK(plain_create(&plain, region_name, 8192));
    if (plain_truncate(region_name, 0))
        CHECK_STATUS(winshm_open(region_name, WINSHM_RAW, &h), WINSHM_E_SIZE);
    plain_close(&plain);
    plain_remove(region_name);
}

static void test_dispositions(void)
{
    winshm_region *one, *two;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_OPEN_EXISTING,
                        .flags = WINSHM_RAW,
                        .name = region_name};
    CHECK_OK(winshm_create(region_name, 4096, WINSHM_RAW, &one));
    CHECK_EQ(info_of(one).origin, WINSHM_ORIGIN_CREATED);
    CHECK_EQ(winshm_size(one), 4096);
    for (int i = 0; i < 4096; i++)
        CHECK_EQ(((char *)winshm_data(one))[i], 0);
    CHECK_STATUS(winshm_create(region_name, 4096, WINSHM_RAW, &two),
                 WINSHM_E_EXISTS);
    CHECK_STATUS(winshm_open(region_name, 0, &two), WINSHM_E_NOT_MANAGED);
    CHECK_STATUS(winshm_open_or_create(region_name, 100000, WINSHM_RAW, &two),
                 WINSHM_E_SIZE);
    CHECK_OK(winshm_open_or_create(region_name, 4096, WINSHM_RAW, &two));
    CHECK_EQ(info_of(two).origin, WINSHM_ORIGIN_OPENED);
    CHECK_OK(winshm_write(two, 4095, "z", 1, 0));
    CHECK_EQ(((char *)winshm_data(one))[4095], 'z');
    CHECK_OK(winshm_close(two));
    CHECK_OK(winshm_open_or_create(region_name, 0, WINSHM_RAW, &two));
    CHECK_OK(winshm_close(two));
    o.timeout_ms = 20;
    CHECK_OK(winshm_open_with(&o, &two));
    CHECK_OK(winshm_close(two));
    CHECK_OK(winshm_close(one));
    CHECK(plain_count(region_name) <= 0);
    CHECK_STATUS(winshm_open_with(&o, &two), WINSHM_E_NOT_FOUND);
    CHECK_OK(winshm_open_or_create(region_name, 10, WINSHM_RAW, &two));
    CHECK_EQ(info_of(two).origin, WINSHM_ORIGIN_CREATED);
    CHECK_OK(winshm_close(two));
}

/** A raw handle on a managed region sees the data and disturbs nothing. */
static void test_managed(void)
{
    winshm_region *h, *raw, *other;
    uint32_t count;
    CHECK_OK(winshm_create(region_name, 4096, 0, &h));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_open(region_name, WINSHM_RAW, &raw));
    CHECK_STATUS(winshm_create(region_name, 4096, WINSHM_RAW, &other),
                 WINSHM_E_EXISTS);
    CHECK_OK(winshm_write(raw, 7, "r", 1, 0));
    CHECK_EQ(((char *)winshm_data(h))[7], 'r');
    CHECK_OK(winshm_get_participants(h, NULL, 0, &count));
    CHECK_EQ(count, 1);
    CHECK_EQ(info_of(h).change_count, 0);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    struct child child = child_start("hold", region_name, 0);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'h');
    child_kill(&child);
    CHECK_OK(winshm_close(raw));
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
    CHECK(plain_count(region_name) <= 0);
}

/** The plain block of another process is taken over, and left to it. */
static void test_holder(void)
{
    winshm_region *h;
    struct child child = child_start("hold", region_name, 8192);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'h');
    CHECK_STATUS(winshm_create(region_name, 100, 0, &h), WINSHM_E_HELD);
    CHECK_OK(winshm_open_or_create(region_name, 100, 0, &h));
    CHECK_EQ(info_of(h).origin, WINSHM_ORIGIN_ADOPTED);
    CHECK_OK(winshm_write(h, 0, "a", 1, 0));
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_open(region_name, WINSHM_RAW, &h));
    CHECK_EQ(*(char *)winshm_data(h), 'a');
    CHECK_OK(winshm_close(h));
    child_kill(&child);
    plain_remove(region_name);
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("raw");
    test_seen_from_outside();
    test_third_party();
    test_dispositions();
    test_managed();
    test_holder();
    return 0;
}
