/* Mapped parts: exact addresses, own lifetime, own access. */
#include "check.h"
#include "child.h"
#include "plain.h"

enum { SIZE = 300001 };

static const char *region_name;

/** Maps one byte and writes it. */
static void role_poke(const char *name, uint32_t offset)
{
    winshm_region *h;
    winshm_view *view;
    CHECK_OK(winshm_open(name, WINSHM_NO_MAP, &h));
    CHECK(winshm_data(h) == NULL);
    CHECK_OK(winshm_map(h, offset, 1, WINSHM_WRITE, &view));
    *(unsigned char *)winshm_view_data(view) = 0x77;
    CHECK_OK(winshm_unmap(view));
    CHECK_OK(winshm_close(h));
}

/** Writes through something that was mapped read-only; must not survive. */
static void role_trespass(const char *name, uint32_t how)
{
    winshm_region *h;
    winshm_view *view;
    CHECK_OK(winshm_open(name, how == 0 ? WINSHM_READ : 0, &h));
    volatile char *data = winshm_data(h);
    if (how == 1) {
        CHECK_OK(winshm_map(h, 5, 1, WINSHM_READ, &view));
        data = winshm_view_data(view);
    }
    child_crashes();
    parent_tell((char)('0' + data[0]));
    data[0] = 9;
    parent_tell('!');
}

static const struct role roles[] = {
    {"poke", role_poke}, {"trespass", role_trespass}, {NULL, NULL}};

static uint32_t participants(winshm_region *h)
{
    uint32_t count;
    CHECK_OK(winshm_get_participants(h, NULL, 0, &count));
    return count;
}

static void test_addresses(uint32_t flags)
{
    static const uint32_t offsets[] = {
        0, 1, 4095, 4096, 4097, 65535, 65536, 65537, 131072, 200003, SIZE - 1};
    static const uint32_t lengths[] = {1, 2, 4096, 65536, 70001, SIZE};
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, SIZE, flags, &h));
    for (uint32_t i = 0; i < SIZE; i += 4096) {
        unsigned char page[4096];
        uint32_t length = SIZE - i < 4096 ? SIZE - i : 4096;
        for (uint32_t k = 0; k < length; k++)
            page[k] = (unsigned char)((i + k) % 251);
        CHECK_OK(winshm_write(h, i, page, length, 0));
    }
    for (int i = 0; i < 11; i++) {
        for (int k = 0; k < 6; k++) {
            winshm_view *view;
            uint32_t offset = offsets[i], length = lengths[k];
            winshm_status status = winshm_map(h, offset, length, 0, &view);
            if (offset + length > winshm_size(h)) {
                CHECK_STATUS(status, WINSHM_E_RANGE);
                continue;
            }
            CHECK_OK(status);
            CHECK_EQ(winshm_view_size(view), length);
            unsigned char *data = winshm_view_data(view);
            /* Raw blocks end where the system's page does. */
            uint32_t last = offset + length - 1;
            CHECK_EQ(data[0], offset % 251);
            CHECK_EQ(data[length - 1], last < SIZE ? last % 251 : 0);
            data[length - 1] ^= 0xFF;
            unsigned char byte;
            CHECK_OK(winshm_read(h, offset + length - 1, &byte, 1, 0));
            CHECK_EQ(byte, data[length - 1]);
            data[length - 1] ^= 0xFF;
            CHECK_OK(winshm_unmap(view));
        }
    }
    winshm_view *whole;
    CHECK_OK(winshm_map(h, 0, SIZE, 0, &whole));
    if (flags != WINSHM_RAW) {
        struct child poke = child_start("poke", region_name, 123457);
        CHECK_EQ(child_wait(&poke, PATIENCE_MS), 0);
        CHECK_EQ(((unsigned char *)winshm_view_data(whole))[123457], 0x77);
    }
    CHECK_OK(winshm_unmap(whole));
    CHECK_OK(winshm_close(h));
}

/** A view keeps the region alive after its handle is closed. */
static void test_lifetime(void)
{
    winshm_region *h, *other;
    winshm_view *one, *two;
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    CHECK_OK(winshm_map(h, 70000, 10, 0, &one));
    CHECK_OK(winshm_map(h, 0, SIZE, WINSHM_READ, &two));
    memcpy(winshm_view_data(one), "0123456789", 10);
    CHECK_OK(winshm_close(h));
    CHECK_STATUS(winshm_close(h), WINSHM_E_CLOSED);
    CHECK_STATUS(winshm_create(region_name, SIZE, 0, &h), WINSHM_E_EXISTS);
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_EQ(participants(other), 2);
    CHECK(memcmp((char *)winshm_data(other) + 70000, "0123456789", 10) == 0);
    CHECK(memcmp((char *)winshm_view_data(two) + 70000, "0123456789", 10) == 0);
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_unmap(two));
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_EQ(participants(other), 2);
    CHECK_OK(winshm_unmap(one));
    CHECK_EQ(participants(other), 1);
    CHECK_OK(winshm_close(other));
    CHECK_STATUS(winshm_open(region_name, 0, &other), WINSHM_E_NOT_FOUND);
    CHECK(plain_count(region_name) <= 0);
    /* Of a raw block, too. */
    CHECK_OK(winshm_create(region_name, 100, WINSHM_RAW, &h));
    CHECK_OK(winshm_map(h, 99, 1, 0, &one));
    CHECK_OK(winshm_close(h));
    *(char *)winshm_view_data(one) = 1;
    CHECK_OK(winshm_unmap(one));
    CHECK_STATUS(winshm_open(region_name, WINSHM_RAW, &h), WINSHM_E_NOT_FOUND);
}

static void test_read_only(void)
{
    winshm_region *h, *reader;
    winshm_view *view;
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    CHECK_OK(winshm_open(region_name, WINSHM_READ, &reader));
    CHECK_STATUS(winshm_map(reader, 0, 1, WINSHM_WRITE, &view),
                 WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_map(reader, 0, 1, WINSHM_READ | WINSHM_WRITE, &view),
                 WINSHM_E_ACCESS);
    CHECK_OK(winshm_map(reader, 0, 1, 0, &view));
    CHECK_OK(winshm_unmap(view));
    CHECK_OK(winshm_map(h, 0, 1, WINSHM_READ | WINSHM_WRITE, &view));
    *(char *)winshm_view_data(view) = 5;
    CHECK_EQ(*(char *)winshm_data(reader), 5);
    CHECK_OK(winshm_unmap(view));
    ((char *)winshm_data(h))[5] = 5;
    for (uint32_t how = 0; how < 2; how++) {
        struct child child = child_start("trespass", region_name, how);
        CHECK_EQ(child_hear(&child, PATIENCE_MS), '5');
        CHECK_EQ(child_hear(&child, PATIENCE_MS), -1);
        CHECK(child_wait(&child, PATIENCE_MS) != 0);
        CHECK_EQ(*(char *)winshm_data(h), 5);
    }
    CHECK_OK(winshm_close(reader));
    CHECK_OK(winshm_close(h));
}

/** As many as there are, and then as many again. */
static void test_many(void)
{
    enum { MOST = 20000 };
    static winshm_view *views[MOST];
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    for (int round = 0; round < 2; round++) {
        int count = 0;
        winshm_status status = WINSHM_OK;
        while (count < MOST && status == WINSHM_OK)
            if ((status = winshm_map(h, (uint64_t)count, 1, 0,
                                     &views[count])) == WINSHM_OK)
                count++;
        CHECK(status == WINSHM_E_TOO_MANY || status == WINSHM_E_NO_MEMORY);
        CHECK(views[count] == NULL);
        CHECK(count >= 1000);
        while (count-- > 0)
            CHECK_OK(winshm_unmap(views[count]));
    }
    CHECK_OK(winshm_close(h));
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("view");
    test_addresses(0);
    test_addresses(WINSHM_NO_MAP);
    test_addresses(WINSHM_RAW);
    test_lifetime();
    test_read_only();
    test_many();
    return 0;
}
