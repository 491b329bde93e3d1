/* Copies: exact, never torn, and a fault is a status and no crash. */
#include "check.h"
#include "child.h"
#include "plain.h"

enum { PAGE = 4096, SIZE = 3 * PAGE + 100, FLIP = 65536 };

static const char *region_name;

/** Writes blocks of one value after another, until killed. */
static void role_flip(const char *name, uint32_t start)
{
    static unsigned char page[FLIP];
    winshm_region *h;
    CHECK_OK(winshm_open(name, 0, &h));
    parent_tell('f');
    for (unsigned value = start;; value++) {
        memset(page, (int)value, sizeof page);
        winshm_status status =
            winshm_write(h, 3, page, sizeof page, PATIENCE_MS);
        if (status == WINSHM_E_OWNER_DEAD)
            parent_hear();
        CHECK_OK(status);
    }
}

/** Holds the lock until told. */
static void role_hold(const char *name, uint32_t mode)
{
    winshm_region *h;
    CHECK_OK(winshm_open(name, 0, &h));
    CHECK_OK(winshm_lock(h, mode, PATIENCE_MS));
    parent_tell('l');
    parent_hear();
    CHECK_OK(winshm_unlock(h, mode));
    parent_tell('u');
    parent_hear();
}

static const struct role roles[] = {
    {"flip", role_flip}, {"hold", role_hold}, {NULL, NULL}};

static void test_ranges(uint32_t flags)
{
    /* Raw blocks end where the system's page does. */
    static unsigned char out[SIZE + 2], in[2 * SIZE];
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, SIZE, flags, &h));
    CHECK((winshm_data(h) == NULL) == ((flags & WINSHM_NO_MAP) != 0));
    memset(in, 0, sizeof in);
    for (int i = 0; i < SIZE; i++)
        in[i] = (unsigned char)(i * 7 + i / 256);
    CHECK_OK(winshm_write(h, 0, in, SIZE, 0));
    static const uint32_t offsets[] = {0, 1, 7, 4095, 4096, 4097, SIZE - 1};
    static const uint32_t lengths[] = {0, 1, 3, 8, 4096, 4097, 8193, SIZE};
    for (int i = 0; i < 7; i++) {
        for (int k = 0; k < 8; k++) {
            uint32_t offset = offsets[i], length = lengths[k];
            memset(out, 0xCC, sizeof out);
            winshm_status status =
                winshm_read(h, offset, out + 1, length, WINSHM_FOREVER);
            if (offset + length > winshm_size(h)) {
                CHECK_STATUS(status, WINSHM_E_RANGE);
                length = 0;
            } else {
                CHECK_OK(status);
            }
            CHECK(memcmp(out + 1, in + offset, length) == 0);
            CHECK_EQ(out[0], 0xCC);
            CHECK_EQ(out[1 + length], 0xCC);
        }
    }
    /* A write touches its bytes only. */
    CHECK_OK(winshm_write(h, 4090, "0123456789", 10, 0));
    memcpy(in + 4090, "0123456789", 10);
    CHECK_OK(winshm_read(h, 0, out, SIZE, 0));
    CHECK(memcmp(out, in, SIZE) == 0);
    CHECK_OK(winshm_close(h));
}

/** Copies of few bytes are exact, from and to any address. */
static void test_few(uint32_t flags)
{
    enum { FEW = 80 };
    static unsigned char out[2 * FEW], in[FEW], all[2 * FEW];
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, SIZE, flags, &h));
    for (uint32_t length = 0; length <= FEW; length++) {
        for (uint32_t at = 1; at < 18; at++) {
            for (uint32_t i = 0; i < FEW; i++)
                in[i] = (unsigned char)(length + at * 5 + i * 3 + 1);
            memset(all, 0xCC, sizeof all);
            CHECK_OK(winshm_write(h, 0, all, sizeof all, 0));
            CHECK_OK(winshm_write(h, at, in, length, 0));
            memcpy(all + at, in, length);
            CHECK_OK(winshm_read(h, 0, out, sizeof out, 0));
            CHECK(memcmp(out, all, sizeof out) == 0);
            memset(out, 0xEE, sizeof out);
            CHECK_OK(winshm_read(h, at, out + 19 - at, length, 0));
            CHECK(memcmp(out + 19 - at, in, length) == 0);
            CHECK_EQ(out[18 - at], 0xEE);
            CHECK_EQ(out[19 - at + length], 0xEE);
        }
    }
    CHECK_OK(winshm_close(h));
}

struct call {
    winshm_region *h;
    bool write;
    winshm_status status;
};

static void call_thread(void *argument)
{
    struct call *call = argument;
    char byte = 't';
    call->status = call->write ? winshm_write(call->h, 0, &byte, 1, 20)
                               : winshm_read(call->h, 0, &byte, 1, 20);
}

/** Under the handle's own lock a copy does not wait for itself. */
static void test_nesting(void)
{
    char byte = 0;
    winshm_region *h, *other;
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_write(h, 0, "e", 1, 0));
    CHECK_OK(winshm_read(h, 0, &byte, 1, 0));
    CHECK_EQ(byte, 'e');
    CHECK_STATUS(winshm_read(other, 0, &byte, 1, 10), WINSHM_E_TIMEOUT);
    CHECK_STATUS(winshm_write(other, 0, "o", 1, 10), WINSHM_E_TIMEOUT);
    /* The lock is still there afterwards. */
    CHECK_STATUS(winshm_lock(other, WINSHM_SHARED, 0), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_lock(h, WINSHM_SHARED, 0));
    CHECK_OK(winshm_read(h, 0, &byte, 1, 0));
    CHECK_EQ(byte, 'e');
    CHECK_STATUS(winshm_write(h, 0, "x", 1, 0), WINSHM_E_DEADLOCK);
    CHECK_OK(winshm_read(other, 0, &byte, 1, 0));
    CHECK_STATUS(winshm_write(other, 0, "x", 1, 0), WINSHM_E_TIMEOUT);
    struct call call = {h, false, 1};
    thread_join(thread_start(call_thread, &call));
    CHECK_OK(call.status);
    call.write = true;
    thread_join(thread_start(call_thread, &call));
    CHECK_STATUS(call.status, WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
    CHECK_STATUS(winshm_unlock(h, WINSHM_SHARED), WINSHM_E_NOT_OWNER);
    CHECK_OK(winshm_write(other, 0, "y", 1, 0));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
}

static void test_other_process(void)
{
    char byte;
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    for (uint32_t mode = WINSHM_SHARED; mode <= WINSHM_EXCLUSIVE; mode++) {
        bool readable = mode == WINSHM_SHARED;
        struct child child = child_start("hold", region_name, mode);
        CHECK_EQ(child_hear(&child, PATIENCE_MS), 'l');
        CHECK_STATUS(winshm_read(h, 0, &byte, 1, 0),
                     readable ? WINSHM_OK : WINSHM_E_TIMEOUT);
        CHECK_STATUS(winshm_write(h, 0, "x", 1, 20), WINSHM_E_TIMEOUT);
        child_tell(&child, 'u');
        CHECK_OK(winshm_write(h, 0, "x", 1, PATIENCE_MS));
        child_kill(&child);
    }
    CHECK_OK(winshm_close(h));
}

/** Two writers and this reader; one writer is killed again and again. */
static void test_never_torn(void)
{
    static unsigned char page[FLIP];
    winshm_region *h;
    int rounds = child_slow() ? 400 : 4000;
    unsigned changes = 0, last = 0, deaths = 0;
    CHECK_OK(winshm_create(region_name, FLIP + 3, 0, &h));
    struct child one = child_start("flip", region_name, 0);
    struct child two = child_start("flip", region_name, 128);
    CHECK_EQ(child_hear(&one, PATIENCE_MS), 'f');
    CHECK_EQ(child_hear(&two, PATIENCE_MS), 'f');
    /* On a busy machine a writer may rest for many of them. */
    for (int i = 0; i < rounds || (changes <= 5 && i < 20 * rounds); i++) {
        if (i % 100 == 50) {
            /* Just after a read nobody is inside a write. */
            sleep_ms(1);
            child_kill(&two);
            two = child_start("flip", region_name, 128);
            CHECK_EQ(child_hear(&two, PATIENCE_MS), 'f');
        }
        winshm_status status = winshm_read(h, 3, page, FLIP, PATIENCE_MS);
        if (status == WINSHM_E_OWNER_DEAD) {
            deaths++;
            CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS),
                         WINSHM_E_OWNER_DEAD);
            memset((char *)winshm_data(h) + 3, 0, FLIP);
            CHECK_OK(winshm_make_consistent(h));
            CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
            /* A writer that was told of the death has stopped writing. */
            child_kill(&one);
            child_kill(&two);
            one = child_start("flip", region_name, 0);
            two = child_start("flip", region_name, 128);
            continue;
        }
        CHECK_OK(status);
        for (int k = 1; k < FLIP; k++)
            CHECK_EQ(page[k], page[0]);
        changes += page[0] != last;
        last = page[0];
    }
    printf("%u changes seen, %u deaths inside a write\n", changes, deaths);
    CHECK(changes > 5);
    CHECK(deaths > 0 || child_slow());
    child_kill(&one);
    child_kill(&two);
    CHECK_OK(winshm_close(h));
}

/** The file is cut short from outside: copies fail, nothing crashes. */
static void test_faults(void)
{
    static char page[2 * PAGE];
    static const uint32_t flags[] = {0, WINSHM_NO_LOCK, WINSHM_NO_MAP};
    for (int i = 0; i < 3; i++) {
        winshm_region *h;
        CHECK_OK(winshm_create(region_name, SIZE, flags[i], &h));
        if (!plain_truncate(region_name, PAGE)) {
            CHECK_OK(winshm_close(h));
            return;
        }
        for (int round = 0; round < 3; round++) {
            CHECK_OK(winshm_read(h, 0, page, PAGE, 0));
            CHECK_STATUS(winshm_read(h, PAGE, page, 1, 0), WINSHM_E_FAULT);
            CHECK_STATUS(winshm_read(h, 100, page, PAGE, 0), WINSHM_E_FAULT);
            CHECK_STATUS(winshm_write(h, SIZE - 1, page, 1, 0), WINSHM_E_FAULT);
            CHECK_OK(winshm_write(h, 0, page, PAGE, 0));
            CHECK_OK(winshm_notify(h));
        }
        if (i != 1) {
            /* The lock was given back each time. */
            CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
            CHECK_STATUS(winshm_read(h, PAGE, page, 1, 0), WINSHM_E_FAULT);
            CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
        }
        winshm_region *other;
        CHECK_STATUS(winshm_open(region_name, 0, &other), WINSHM_E_CORRUPT);
        CHECK(plain_truncate(region_name, SIZE));
        CHECK_OK(winshm_read(h, PAGE, page, 1, 0));
        CHECK_OK(winshm_close(h));
        CHECK_OK(winshm_create(region_name, 1, 0, &h));
        CHECK_OK(winshm_close(h));
    }
    winshm_region *raw;
    CHECK_OK(winshm_create(region_name, SIZE, WINSHM_RAW, &raw));
    CHECK(plain_truncate(region_name, 0));
    CHECK_STATUS(winshm_read(raw, 0, page, 1, 0), WINSHM_E_FAULT);
    CHECK_STATUS(winshm_write(raw, 0, page, 1, 0), WINSHM_E_FAULT);
    CHECK_OK(winshm_close(raw));
}

/** Bytes [PAGE, SIZE) of a region that shares data cannot be touched. */
static void expect_fault(winshm_region *h, bool locks)
{
    static char page[2 * PAGE];
    CHECK_OK(winshm_read(h, 0, page, PAGE, 0));
    CHECK_OK(winshm_write(h, 0, page, PAGE, 0));
    /* The last byte that is left and the first one that is gone. */
    for (uint32_t length = 2; length < 80; length++) {
        uint32_t at = PAGE - length / 2;
        CHECK_STATUS(winshm_read(h, at, page, length, 0), WINSHM_E_FAULT);
        CHECK_STATUS(winshm_write(h, at, page, length, 0), WINSHM_E_FAULT);
        CHECK_OK(winshm_read(h, PAGE - length, page, length, 0));
        CHECK_OK(winshm_write(h, PAGE - length, page, length, 0));
    }
    for (int round = 0; round < 3; round++) {
        CHECK_STATUS(winshm_read(h, PAGE, page, 1, 0), WINSHM_E_FAULT);
        CHECK_STATUS(winshm_read(h, 100, page, PAGE, 0), WINSHM_E_FAULT);
        CHECK_STATUS(winshm_write(h, PAGE, page, 1, 0), WINSHM_E_FAULT);
        CHECK_STATUS(winshm_write(h, 100, page, PAGE, 0), WINSHM_E_FAULT);
    }
    if (!locks)
        return;
    /* The lock was given back each time, and nobody seems to have died. */
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_STATUS(winshm_write(h, PAGE, page, 1, 0), WINSHM_E_FAULT);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
}

/** An outsider's block lies on a disk, and somebody cuts that file short. */
static void test_outsiders_file(void)
{
    struct plain outside;
    winshm_region *raw, *adopter, *parts;
    char byte;
    CHECK(plain_create_on_disk(&outside, region_name, SIZE));
    CHECK_OK(winshm_open(region_name, WINSHM_RAW, &raw));
    CHECK_OK(winshm_open_or_create(region_name, SIZE, 0, &adopter));
    CHECK_OK(winshm_open(region_name, WINSHM_NO_MAP, &parts));
    CHECK_OK(winshm_write(raw, SIZE - 1, "a", 1, 0));
    CHECK_OK(winshm_read(adopter, SIZE - 1, &byte, 1, 0));
    CHECK_EQ(byte, 'a');
    if (plain_truncate(region_name, PAGE)) {
        expect_fault(raw, false);
        expect_fault(adopter, true);
        /* Mapping what is not there may be refused before it is touched. */
        winshm_status status = winshm_read(parts, PAGE, &byte, 1, 0);
        CHECK(status != WINSHM_OK);
        CHECK_OK(winshm_lock(parts, WINSHM_EXCLUSIVE, 0));
        CHECK_OK(winshm_unlock(parts, WINSHM_EXCLUSIVE));
        CHECK(plain_truncate(region_name, SIZE));
        CHECK_OK(winshm_read(adopter, PAGE, &byte, 1, 0));
    } else {
        puts("no file can be cut here that is mapped");
    }
    CHECK_OK(winshm_close(parts));
    CHECK_OK(winshm_close(adopter));
    CHECK_OK(winshm_close(raw));
    plain_close(&outside);
    plain_remove(region_name);
}

/** This process's own view of a page may not be touched any more. */
static void test_protected(void)
{
    static const uint32_t flags[] = {0, WINSHM_NO_LOCK, WINSHM_RAW};
    for (int i = 0; i < 3; i++) {
        winshm_region *h;
        CHECK_OK(winshm_create(region_name, 2 * PAGE, flags[i], &h));
        char *page = (char *)winshm_data(h) + PAGE;
        if (plain_protect(page, true)) {
            expect_fault(h, flags[i] == 0);
            CHECK(plain_protect(page, false));
        }
        CHECK_OK(winshm_write(h, PAGE, "x", 1, 0));
        CHECK_OK(winshm_close(h));
    }
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    child_crashes(); /* rather than a debugger that ends it with 0 */
    region_name = name_of("copy");
    static const uint32_t flags[] = {0, WINSHM_NO_LOCK, WINSHM_NO_MAP,
                                     WINSHM_RAW, WINSHM_RAW | WINSHM_NO_MAP};
    for (int i = 0; i < 5; i++)
        test_ranges(flags[i]);
    for (int i = 0; i < 5; i++)
        test_few(flags[i]);
    test_nesting();
    test_other_process();
    test_never_torn();
    test_faults();
    test_outsiders_file();
    test_protected();
    return 0;
}
