/* Somebody writes nonsense into the control block: every call still ends, in
 * time, with a status, and nothing crashes. */
#include "check.h"
#include "child.h"
#include "files.h"
#include "plain.h"

enum {
    CONTROL = 65536,
    MAGIC = 0,
    VERSION = 4,
    SIZE_LOW = 8,
    SIZE_HIGH = 12,
    CAPACITY = 16,
    LOCK_KIND = 32,
    JOINS = 36,
    ID = 40,
    DATA_FILE = 96,
    ADOPTED = 104,
    WORD = 128,
    LOCK_VERSION = 132,
    SEAT = 136,
    PARKED = 140,
    SHOWN = 144,
    SLOTS_USED = 260,
    CHANGE_PARKED = 388,
    CHANGE_EVENTS = 392,
    GROWTH_TURN = 512,
    GROWTH_SIZE = 520,
    SLOT = 4096,
    SLOT_BYTES = 384
};

static const char *region_name;
static char control_name[80];
static winshm_region *h;
static struct plain control;

static volatile uint32_t *word_at(uint32_t offset)
{
    return (volatile uint32_t *)(void *)((char *)control.data + offset);
}

static void begin(void)
{
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = 5000,
                        .capacity = 100000,
                        .name = region_name};
    CHECK_OK(winshm_open_with(&o, &h));
    CHECK(plain_open(&control, control_name, CONTROL));
}

static void end(void)
{
    CHECK_OK(winshm_close(h));
    plain_close(&control);
    plain_remove(control_name);
    plain_remove(region_name);
}

/** True for what a damaged block may lead to. */
static bool expected(winshm_status status)
{
    switch (status) {
    case WINSHM_OK:
    case WINSHM_E_CORRUPT:
    case WINSHM_E_FOREIGN:
    case WINSHM_E_LAYOUT:
    case WINSHM_E_TIMEOUT:
    case WINSHM_E_OWNER_DEAD:
    case WINSHM_E_NOT_OWNER:
    case WINSHM_E_DEADLOCK:
    /* Of calls that open, when there seems to be nothing or something else. */
    case WINSHM_E_NOT_FOUND:
    case WINSHM_E_NOT_MANAGED:
    case WINSHM_E_SIZE:
    case WINSHM_E_RANGE:
    case WINSHM_E_UNSUPPORTED:
    case WINSHM_E_EXISTS:
    case WINSHM_E_HELD:
    case WINSHM_E_REPLACED:
    case WINSHM_E_TOO_MANY:
    case WINSHM_E_NO_MEMORY:
        return true;
    default:
        return false;
    }
}

#define TRY(call)                                                              \
    do {                                                                       \
        uint64_t began_ms = clock_ms();                                        \
        winshm_status got = call;                                              \
        if (!expected(got))                                                    \
            CHECK_STATUS(got, WINSHM_E_CORRUPT);                               \
        CHECK(clock_ms() - began_ms < 3000);                                   \
    } while (0)

/** Everything that may be called, once. */
static void use(winshm_region *r)
{
    winshm_info info = {.struct_size = sizeof info};
    winshm_participant list[4] = {{.struct_size = sizeof list[0]}};
    uint32_t count;
    char bytes[16] = {0};
    TRY(winshm_get_info(r, &info));
    TRY(winshm_get_participants(r, list, 4, &count));
    TRY(winshm_lock(r, WINSHM_SHARED, 5));
    TRY(winshm_unlock(r, WINSHM_SHARED));
    TRY(winshm_lock(r, WINSHM_EXCLUSIVE, 5));
    TRY(winshm_make_consistent(r));
    TRY(winshm_unlock(r, WINSHM_EXCLUSIVE));
    TRY(winshm_read(r, 0, bytes, sizeof bytes, 5));
    TRY(winshm_write(r, 0, bytes, sizeof bytes, 5));
    TRY(winshm_resize(r, winshm_size(r) + 1, 5));
    TRY(winshm_notify(r));
    TRY(winshm_change_count(r, &count));
    TRY(winshm_wait(r, count, 5, &count));
}

static void use_all(void)
{
    winshm_region *other;
    use(h);
    winshm_status status = winshm_open(region_name, 0, &other);
    CHECK(expected(status));
    if (status == WINSHM_OK) {
        use(other);
        CHECK_OK(winshm_close(other));
    }
    TRY(winshm_create(region_name, 5000, 0, &other));
    if (other != NULL)
        CHECK_OK(winshm_close(other));
}

/** One word at a time, with values that mean most. */
static void test_words(void)
{
    static const uint32_t offsets[] = {MAGIC,
                                       VERSION,
                                       SIZE_LOW,
                                       SIZE_HIGH,
                                       CAPACITY,
                                       LOCK_KIND,
                                       JOINS,
                                       ID,
                                       ID + 12,
                                       DATA_FILE,
                                       WORD,
                                       LOCK_VERSION,
                                       SEAT,
                                       PARKED,
                                       SHOWN,
                                       SLOTS_USED,
                                       CHANGE_PARKED,
                                       CHANGE_EVENTS,
                                       GROWTH_TURN,
                                       GROWTH_SIZE,
                                       SLOT,
                                       SLOT + 4,
                                       SLOT + 128,
                                       SLOT + 144,
                                       SLOT + SLOT_BYTES,
                                       SLOT + SLOT_BYTES * 127,
                                       SLOT + SLOT_BYTES + 128,
                                       SLOT + SLOT_BYTES + 272};
    static const uint32_t values[] = {
        0,          1,          2,          129,        0xFFF,
        0x1001,     0x40000000, 0x40000001, 0x40000002, 0x80000000,
        0x80000001, 0x7FFFFFFF, 0xFFFFFFFF};
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
            begin();
            *word_at(offsets[i]) = values[k];
            use_all();
            end();
        }
    }
}

/** What is promised exactly. */
static void test_verdicts(void)
{
    winshm_region *other;
    begin();
    static const uint32_t illegal[] = {0x80000000, 0x80000001, 0x1000,
                                       0x20000000, 200,        0xFFFFFFFF};
    for (int i = 0; i < 6; i++) {
        winshm_info info = {.struct_size = sizeof info};
        char byte;
        *word_at(WORD) = illegal[i];
        CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 20), WINSHM_E_CORRUPT);
        CHECK_STATUS(winshm_lock(h, WINSHM_SHARED, 20), WINSHM_E_CORRUPT);
        CHECK_STATUS(winshm_read(h, 0, &byte, 1, 20), WINSHM_E_CORRUPT);
        CHECK_STATUS(winshm_write(h, 0, "x", 1, 20), WINSHM_E_CORRUPT);
        CHECK_STATUS(winshm_get_info(h, &info), WINSHM_E_CORRUPT);
    }
    *word_at(WORD) = 0;
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    /* A seat for one that is not there costs time and no more. */
    *word_at(SEAT) = 0x00001000 | 77;
    CHECK_OK(winshm_lock(h, WINSHM_SHARED, 1000));
    CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
    *word_at(SEAT) = 0xFFFFFFFF;
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 1000));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    /* An owner that is not there is dead; its section is cut off or not. */
    *word_at(WORD) = 100;
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    *word_at(WORD) = 100;
    *word_at(LOCK_VERSION) |= 1;
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_OWNER_DEAD);
    CHECK_OK(winshm_make_consistent(h));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    /* Readers of a slot that nobody has are dead, of a live one alive. */
    *word_at(SLOTS_USED) = 50;
    *word_at(SHOWN) = 1u << 49 % 32;
    *word_at(SLOT + SLOT_BYTES * 49) = 5;
    *word_at(SLOT + SLOT_BYTES * 20) = 5;
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 100));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_EQ(*word_at(SLOT + SLOT_BYTES * 49), 0);
    /* Of a slot that does not show any, nobody looks. */
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_EQ(*word_at(SLOT + SLOT_BYTES * 20), 5);
    *word_at(SHOWN) = *word_at(SLOTS_USED) = 0xFFFFFFFF;
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 100));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_EQ(*word_at(SLOT + SLOT_BYTES * 20), 0);
    /* Readers who are hidden spoil what the lock guards, and nothing else. */
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_OK(winshm_lock(other, WINSHM_SHARED, 0));
    *word_at(SHOWN) = 0;
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_unlock(other, WINSHM_SHARED));
    CHECK_OK(winshm_close(other));
    *word_at(MAGIC) = 0x12345678;
    CHECK_STATUS(winshm_open(region_name, 0, &other), WINSHM_E_FOREIGN);
    CHECK_STATUS(winshm_create(region_name, 1, 0, &other), WINSHM_E_FOREIGN);
    *word_at(MAGIC) = 0x4D485357;
    *word_at(VERSION) = 2;
    CHECK_STATUS(winshm_open(region_name, 0, &other), WINSHM_E_LAYOUT);
    CHECK_STATUS(winshm_create(region_name, 1, 0, &other), WINSHM_E_LAYOUT);
    *word_at(VERSION) = 1;
    /* More than the block really has is never believed. */
    *word_at(SIZE_LOW) = *word_at(CAPACITY) = 1 << 24;
    CHECK_STATUS(winshm_open(region_name, 0, &other), WINSHM_E_CORRUPT);
    *word_at(SIZE_HIGH) = *word_at(CAPACITY + 4) = 0x7FFFFFFF;
    CHECK_STATUS(winshm_open(region_name, 0, &other), WINSHM_E_CORRUPT);
    *word_at(SIZE_HIGH) = *word_at(CAPACITY + 4) = 0xFFFFFFFF;
    CHECK_STATUS(winshm_open(region_name, 0, &other), WINSHM_E_CORRUPT);
    *word_at(SIZE_LOW) = *word_at(SIZE_HIGH) = 0;
    CHECK_STATUS(winshm_open(region_name, 0, &other), WINSHM_E_CORRUPT);
    *word_at(SIZE_LOW) = *word_at(CAPACITY) = 5000;
    *word_at(CAPACITY + 4) = 0;
    *word_at(LOCK_KIND) = 2;
    CHECK_STATUS(winshm_open(region_name, 0, &other), WINSHM_E_CORRUPT);
    *word_at(LOCK_KIND) = 1;
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_OK(winshm_close(other));
    end();
}

/** Random words everywhere, also while calls run. */
static _Atomic int stop;

static void scribble(void *argument)
{
    uint32_t seed = *(uint32_t *)argument;
    while (!stop) {
        seed = seed * 1664525 + 1013904223;
        uint32_t offset = seed >> 8 & 0x1FC;
        if (seed % 4 == 0)
            offset = SLOT + (seed >> 8) % (SLOT_BYTES * 3 / 4) * 4;
        *word_at(offset) = seed >> 31 != 0 ? seed : (seed >> 20 & 3);
    }
}

static void test_random(void)
{
    uint32_t seed = 42;
    int rounds = child_slow() ? 5 : 20;
    for (int i = 0; i < rounds; i++) {
        begin();
        stop = 0;
        struct thread thread = thread_start(scribble, &seed);
        winshm_region *others[5];
        for (int k = 0; k < 5; k++) {
            use(h);
            TRY(winshm_open(region_name, 0, &others[k]));
            if (others[k] != NULL)
                use(others[k]);
        }
        stop = 1;
        thread_join(thread);
        for (int k = 0; k < 5; k++)
            CHECK_OK(winshm_close(others[k]));
        end();
        seed += 1000;
    }
}

/** Whether a handle holds the lock is not for the block to say. */
static void test_close(void)
{
    static const uint32_t offsets[] = {WORD, SLOT, SLOT + 4};
    for (int i = 0; i < 3; i++) {
        begin();
        *word_at(LOCK_VERSION) = 1;
        *word_at(offsets[i]) = 1;
        end();
        begin();
        CHECK_OK(winshm_lock(h, WINSHM_SHARED, 0));
        *word_at(offsets[i]) = 1;
        *word_at(SLOT) = 0;
        CHECK_STATUS(winshm_close(h), WINSHM_E_BUSY);
        CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
        CHECK_STATUS(winshm_unlock(h, WINSHM_SHARED), WINSHM_E_NOT_OWNER);
        end();
    }
    begin();
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_STATUS(winshm_close(h), WINSHM_E_BUSY);
    *word_at(WORD) = 0;
    CHECK_STATUS(winshm_make_consistent(h), WINSHM_E_CORRUPT);
    CHECK_STATUS(winshm_unlock(h, WINSHM_EXCLUSIVE), WINSHM_E_CORRUPT);
    CHECK_STATUS(winshm_unlock(h, WINSHM_EXCLUSIVE), WINSHM_E_NOT_OWNER);
    *word_at(WORD) = 1;
    end();
}

/** A size that no region has is neither handed over nor saved. */
static void test_sizes(void)
{
    static const uint32_t highs[] = {0, 0x80000000};
    const char *path = file_of("sizes");
    char token[WINSHM_TOKEN_MAX + 1];
    uint32_t length;
    begin();
    CHECK_OK(winshm_save(h, path, 0));
    for (int i = 0; i < 2; i++) {
        *word_at(SIZE_LOW) = 0;
        *word_at(SIZE_HIGH) = highs[i];
        CHECK_STATUS(winshm_export(h, 0, token, sizeof token, &length),
                     WINSHM_E_CORRUPT);
        CHECK_STATUS(winshm_link(h, part_of(path)), WINSHM_E_CORRUPT);
        CHECK(!file_exists(part_of(path)));
    }
    *word_at(SIZE_LOW) = 5000;
    *word_at(SIZE_HIGH) = 0;
    *word_at(GROWTH_SIZE + 8) = 4999;
    *word_at(GROWTH_TURN) = 1;
    CHECK_STATUS(winshm_save(h, path, 0), WINSHM_E_CORRUPT);
    CHECK_STATUS(winshm_load(h, path, 0), WINSHM_E_CORRUPT);
    CHECK(!file_exists(part_of(path)));
    *word_at(GROWTH_TURN) = 0;
    CHECK_OK(winshm_load(h, path, 0));
    end();
    CHECK_EQ(remove(path), 0);
}

/** A handle whose control file was cut short. */
static void expect_lost(winshm_region *r)
{
    winshm_info info = {.struct_size = sizeof info};
    const char *path = file_of("lost");
    char text[WINSHM_LAYOUT_MAX + 1];
    uint32_t count;
    char byte = 'x';
    for (uint32_t mode = WINSHM_SHARED; mode <= WINSHM_EXCLUSIVE; mode++) {
        CHECK_STATUS(winshm_lock(r, mode, WINSHM_FOREVER), WINSHM_E_CORRUPT);
        CHECK_STATUS(winshm_unlock(r, mode), WINSHM_E_CORRUPT);
    }
    CHECK_STATUS(winshm_make_consistent(r), WINSHM_E_CORRUPT);
    CHECK_STATUS(winshm_read(r, 0, &byte, 1, 100), WINSHM_E_CORRUPT);
    CHECK_STATUS(winshm_write(r, 0, &byte, 1, 100), WINSHM_E_CORRUPT);
    CHECK_STATUS(winshm_notify(r), WINSHM_E_CORRUPT);
    CHECK_STATUS(winshm_change_count(r, &count), WINSHM_E_CORRUPT);
    CHECK_STATUS(winshm_wait(r, 0, 100, &count), WINSHM_E_CORRUPT);
    CHECK_STATUS(winshm_wait(r, UINT32_MAX, WINSHM_FOREVER, NULL),
                 WINSHM_E_CORRUPT);
    CHECK_STATUS(winshm_get_info(r, &info), WINSHM_E_CORRUPT);
    CHECK_STATUS(winshm_get_participants(r, NULL, 0, &count), WINSHM_E_CORRUPT);
    CHECK_STATUS(winshm_get_layout(r, text, sizeof text, &count),
                 WINSHM_E_CORRUPT);
    CHECK_STATUS(winshm_export(r, 0, text, sizeof text, &count),
                 WINSHM_E_CORRUPT);
    CHECK_STATUS(winshm_link(r, path), WINSHM_E_CORRUPT);
    CHECK_STATUS(winshm_save(r, path, 100), WINSHM_E_CORRUPT);
    CHECK_STATUS(winshm_load(r, path, 100), WINSHM_E_CORRUPT);
    CHECK(!file_exists(path));
    CHECK_EQ(winshm_size(r), 5000);
    CHECK(winshm_data(r) != NULL);
}

struct waiter {
    winshm_region *region;
    uint32_t mode; /* 0: for a change */
    winshm_status status;
};

static void wait_without_end(void *argument)
{
    struct waiter *w = argument;
    w->status = w->mode == 0 ? winshm_wait(w->region, 0, WINSHM_FOREVER, NULL)
                             : winshm_lock(w->region, w->mode, WINSHM_FOREVER);
}

/** The control file is cut short under handles that are at rest, that wait and
 * that hold the lock. Each is told, and none gets a lock out of what is not
 * there; the region's end is as orderly as ever. */
static void test_cut(uint32_t bytes, uint32_t held)
{
    enum { HANDLES = 30, HOLDER = HANDLES - 1, WAITERS = 3 };
    winshm_region *handles[HANDLES], *other;
    struct waiter waiters[WAITERS];
    struct thread threads[WAITERS];
    CHECK_OK(winshm_create(region_name, 5000, 0, &handles[0]));
    /* Nothing to do where a block has no file. */
    if (!plain_truncate(control_name, CONTROL)) {
        CHECK_OK(winshm_close(handles[0]));
        return;
    }
    for (int i = 1; i < HANDLES; i++)
        CHECK_OK(winshm_open(region_name, 0, &handles[i]));
    CHECK_OK(winshm_lock(handles[HOLDER], held, 0));
    for (int i = 0; i < WAITERS; i++) {
        bool shared = i == 1 && held == WINSHM_EXCLUSIVE;
        waiters[i].region = handles[i + 1];
        waiters[i].mode = i == 0   ? 0
                          : shared ? WINSHM_SHARED
                                   : WINSHM_EXCLUSIVE;
        threads[i] = thread_start(wait_without_end, &waiters[i]);
    }
    sleep_ms(30);
    CHECK(plain_truncate(control_name, bytes));
    for (int i = 0; i < WAITERS; i++) {
        thread_join(threads[i]);
        CHECK_STATUS(waiters[i].status, WINSHM_E_CORRUPT);
    }
    /* What it has locked itself it may give back, or close. */
    if (bytes != 0 || held == WINSHM_SHARED)
        CHECK_OK(winshm_unlock(handles[HOLDER], held));
    for (int i = 0; i < HANDLES; i++)
        CHECK_STATUS(winshm_write(handles[i], 0, "x", 1, 1000),
                     WINSHM_E_CORRUPT);
    /* Zeros where the block has been are no free lock to them. */
    CHECK(plain_truncate(control_name, CONTROL));
    for (int i = 0; i < HANDLES; i++) {
        expect_lost(handles[i]);
        CHECK_OK(winshm_close(handles[i]));
    }
    CHECK_EQ(plain_count(region_name), 0);
    CHECK_OK(winshm_create(region_name, 5000, 0, &other));
    CHECK_OK(winshm_lock(other, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(other, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(other));
}

/** What the last participant removes is told by what it has open, and not by
 * a header that has been damaged meanwhile. */
static void test_last_one(void)
{
    struct plain outside, again;
    CHECK(plain_create(&outside, region_name, 5000));
    CHECK_OK(winshm_open_or_create(region_name, 5000, 0, &h));
    CHECK(plain_open(&control, control_name, CONTROL));
    *word_at(ADOPTED) = 0;
    plain_close(&control);
    CHECK_OK(winshm_close(h));
    CHECK(plain_open(&again, region_name, 5000));
    plain_close(&again);
    plain_close(&outside);
    plain_remove(region_name);

    begin();
    *word_at(DATA_FILE) = 1;
    plain_close(&control);
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_create(region_name, 5000, 0, &h));
    CHECK_OK(winshm_close(h));
}

int main(void)
{
    region_name = name_of("hostile");
    snprintf(control_name, sizeof control_name, "%s.winshm", region_name);
    test_close();
    /* All of it, and all but the page with header and lock. */
    for (uint32_t held = WINSHM_SHARED; held <= WINSHM_EXCLUSIVE; held++) {
        test_cut(0, held);
        test_cut(4096, held);
    }
    test_last_one();
    test_verdicts();
    test_sizes();
    test_words();
    test_random();
    return 0;
}
