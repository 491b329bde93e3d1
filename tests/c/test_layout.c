/* The bytes that programs of other builds and versions rely on, written here
 * as numbers on purpose: whoever changes the layout must change these, too,
 * and raise its version. */
#include <stddef.h>

#include "check.h"
#include "child.h"
#include "plain.h"

enum { CONTROL = 65536 };

static const uint8_t *control;

static uint32_t word_at(uint32_t offset)
{
    return (uint32_t)control[offset] | (uint32_t)control[offset + 1] << 8 |
           (uint32_t)control[offset + 2] << 16 |
           (uint32_t)control[offset + 3] << 24;
}

static uint64_t number_at(uint32_t offset)
{
    return word_at(offset) | (uint64_t)word_at(offset + 4) << 32;
}

/** Only what is listed may be other than zero. */
static void check_zeros(const uint32_t (*ranges)[2], int count)
{
    for (uint32_t at = 0; at < CONTROL; at++) {
        bool listed = false;
        for (int i = 0; i < count; i++)
            listed = listed || (at >= ranges[i][0] && at < ranges[i][1]);
        if (!listed && control[at] != 0)
            fprintf(stderr, "at byte %" PRIu32 ":\n", at);
        CHECK(listed || control[at] == 0);
    }
}

static void test_control(void)
{
    const char *name = name_of("layout");
    char control_name[80];
    struct plain plain;
    winshm_region *h;
    winshm_info info = {.struct_size = sizeof info};
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = 0x12345,
                        .capacity = 0x23456,
                        .layout_tag = 0xFEDCBA9876543210,
                        .name = name,
                        .layout = "one : u8 @ 7 ; size 74565"};
    CHECK_OK(winshm_open_with(&o, &h));
    CHECK_OK(winshm_get_info(h, &info));
    snprintf(control_name, sizeof control_name, "%s.winshm", name);
    CHECK(plain_open(&plain, control_name, 0));
    CHECK_EQ(plain.size, CONTROL);
    control = plain.data;
    CHECK(memcmp(control, "WSHM\1\0\0\0", 8) == 0);
    CHECK_EQ(number_at(8), 0x12345);
    CHECK_EQ(number_at(16), 0x23456);
    CHECK_EQ(number_at(24), 0xFEDCBA9876543210);
    CHECK_EQ(word_at(32), WINSHM_LOCK_ROBUST);
    CHECK_EQ(word_at(36) % 2, 0);
    CHECK(memcmp(control + 40, info.id, 16) == 0);
    CHECK(word_at(40) != 0);
    CHECK_EQ(number_at(56), 1);
    CHECK_EQ(number_at(64), 1);
    CHECK_EQ(number_at(72), info.creator_start_us);
    CHECK_EQ(word_at(80), child_pid());
    CHECK_EQ(word_at(84), 0);
    CHECK_EQ(word_at(104), 0);
    /* The lock's line, the counters, the change counter. */
    CHECK_EQ(word_at(260), 1);
    CHECK_EQ(word_at(384), 0);
    /* The first slot. */
    CHECK_EQ(number_at(4096 + 256), 1);
    CHECK_EQ(number_at(4096 + 264), info.creator_start_us);
    CHECK_EQ(word_at(4096 + 272), child_pid());
    CHECK(memcmp(control + 53248, "one:u8@7; size 74565", 21) == 0);
    static const uint32_t used[][2] = {{0, 108},
                                       {260, 264},
                                       {4096 + 256, 4096 + 276},
                                       {53248, 53248 + 21}};
    check_zeros(used, 4);

    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_EQ(word_at(128), 1);
    CHECK_EQ(word_at(132), 1);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_EQ(word_at(128), 0);
    CHECK_EQ(word_at(132), 2);
    CHECK_OK(winshm_notify(h));
    CHECK_EQ(word_at(384), 1);
    CHECK_EQ(word_at(512), 0);
    CHECK_OK(winshm_resize(h, 0x12346, 0));
    CHECK_OK(winshm_resize(h, 0x12347, 0));
    CHECK_EQ(number_at(8), 0x12345);
    CHECK_EQ(word_at(512), 2);
    CHECK_EQ(word_at(516), 0);
    CHECK_EQ(number_at(520), 0x12347);
    CHECK_EQ(number_at(528), 0x12346);
    winshm_region *second;
    CHECK_OK(winshm_open(name, 0, &second));
    CHECK_EQ(word_at(260), 2);
    CHECK_EQ(number_at(4096 + 384 + 256), 2);
    CHECK_OK(winshm_lock(second, WINSHM_SHARED, 0));
    CHECK_EQ(word_at(4096 + 384) + word_at(4096 + 384 + 4), 1);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_unlock(second, WINSHM_SHARED));
    CHECK_OK(winshm_lock(second, WINSHM_EXCLUSIVE, 0));
    CHECK_EQ(word_at(128), 2);
    CHECK_OK(winshm_unlock(second, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(second));
    CHECK_OK(winshm_close(h));
    plain_close(&plain);
}

/** The public structures, which programs of every language spell out. */
static void test_structures(void)
{
    size_t pointer = sizeof(void *);
    CHECK(pointer == 4 || pointer == 8);
    CHECK_EQ(sizeof(winshm_status), 4);
    CHECK_EQ(offsetof(winshm_options, flags), 4);
    CHECK_EQ(offsetof(winshm_options, disposition), 8);
    CHECK_EQ(offsetof(winshm_options, timeout_ms), 12);
    CHECK_EQ(offsetof(winshm_options, size), 16);
    CHECK_EQ(offsetof(winshm_options, capacity), 24);
    CHECK_EQ(offsetof(winshm_options, layout_tag), 32);
    CHECK_EQ(offsetof(winshm_options, name), 40);
    CHECK_EQ(offsetof(winshm_options, security), 40 + pointer);
    CHECK_EQ(offsetof(winshm_options, layout), 40 + 2 * pointer);
    CHECK_EQ(offsetof(winshm_field, fields), pointer);
    CHECK_EQ(offsetof(winshm_field, offset), 2 * pointer);
    CHECK_EQ(offsetof(winshm_field, count), 2 * pointer + 8);
    CHECK_EQ(offsetof(winshm_field, element), 2 * pointer + 16);
    CHECK_EQ(offsetof(winshm_field, field_count), 2 * pointer + 24);
    CHECK_EQ(offsetof(winshm_field, kind), 2 * pointer + 28);
    CHECK_EQ(sizeof(winshm_field), 2 * pointer + 32);
    CHECK_EQ(offsetof(winshm_info, lock_kind), 12);
    CHECK_EQ(offsetof(winshm_info, size), 16);
    CHECK_EQ(offsetof(winshm_info, id), 32);
    CHECK_EQ(offsetof(winshm_info, layout_tag), 48);
    CHECK_EQ(offsetof(winshm_info, member), 56);
    CHECK_EQ(offsetof(winshm_info, creator_start_us), 64);
    CHECK_EQ(offsetof(winshm_info, creator_pid), 72);
    CHECK_EQ(offsetof(winshm_info, participants), 80);
    CHECK_EQ(offsetof(winshm_info, owner_pid), 88);
    CHECK_EQ(offsetof(winshm_info, origin), 96);
    CHECK_EQ(offsetof(winshm_info, observer), 100);
    CHECK_EQ(sizeof(winshm_info), 104);
    CHECK_EQ(offsetof(winshm_participant, flags), 4);
    CHECK_EQ(offsetof(winshm_participant, member), 8);
    CHECK_EQ(offsetof(winshm_participant, start_us), 16);
    CHECK_EQ(offsetof(winshm_participant, pid), 24);
    CHECK_EQ(offsetof(winshm_participant, slot), 28);
    CHECK_EQ(sizeof(winshm_participant), 32);
}

/** Constants that are never given another value. */
static void test_constants(void)
{
    CHECK_EQ(WINSHM_READ, 1);
    CHECK_EQ(WINSHM_WRITE, 2);
    CHECK_EQ(WINSHM_RAW, 4);
    CHECK_EQ(WINSHM_NO_LOCK, 8);
    CHECK_EQ(WINSHM_NO_MAP, 16);
    CHECK_EQ(WINSHM_CREATE_NEW, 1);
    CHECK_EQ(WINSHM_OPEN_EXISTING, 2);
    CHECK_EQ(WINSHM_OPEN_OR_CREATE, 3);
    CHECK_EQ(WINSHM_SHARED, 1);
    CHECK_EQ(WINSHM_EXCLUSIVE, 2);
    CHECK_EQ(WINSHM_FOREVER, 4294967295u);
    CHECK_EQ(WINSHM_NAME_MAX, 200);
    CHECK_EQ(WINSHM_PARTICIPANTS_MAX, 128);
    CHECK_EQ(WINSHM_LAYOUT_MAX, 8191);
    CHECK_EQ(WINSHM_FIELD_STRUCT, 1);
    CHECK_EQ(WINSHM_FIELD_U8, 2);
    CHECK_EQ(WINSHM_FIELD_I8, 3);
    CHECK_EQ(WINSHM_FIELD_U16, 4);
    CHECK_EQ(WINSHM_FIELD_I16, 5);
    CHECK_EQ(WINSHM_FIELD_U32, 6);
    CHECK_EQ(WINSHM_FIELD_I32, 7);
    CHECK_EQ(WINSHM_FIELD_U64, 8);
    CHECK_EQ(WINSHM_FIELD_I64, 9);
    CHECK_EQ(WINSHM_FIELD_F32, 10);
    CHECK_EQ(WINSHM_FIELD_F64, 11);
    CHECK_EQ(WINSHM_FIELD_BOOL, 12);
    CHECK_EQ(WINSHM_FIELD_CHAR, 13);
    CHECK_EQ(WINSHM_FIELD_CHAR16, 14);
    static const winshm_status pinned[] = {
        WINSHM_OK,          WINSHM_E_INVALID,     WINSHM_E_NAME,
        WINSHM_E_NOT_FOUND, WINSHM_E_EXISTS,      WINSHM_E_ACCESS,
        WINSHM_E_PRIVILEGE, WINSHM_E_KIND,        WINSHM_E_NOT_MANAGED,
        WINSHM_E_SIZE,      WINSHM_E_RANGE,       WINSHM_E_FOREIGN,
        WINSHM_E_LAYOUT,    WINSHM_E_TAG,         WINSHM_E_HELD,
        WINSHM_E_REPLACED,  WINSHM_E_NO_MEMORY,   WINSHM_E_TOO_MANY,
        WINSHM_E_TIMEOUT,   WINSHM_E_OWNER_DEAD,  WINSHM_E_NOT_OWNER,
        WINSHM_E_DEADLOCK,  WINSHM_E_BUSY,        WINSHM_E_HANDLE,
        WINSHM_E_CLOSED,    WINSHM_E_FORKED,      WINSHM_E_FAULT,
        WINSHM_E_CORRUPT,   WINSHM_E_UNSUPPORTED, WINSHM_E_SYSTEM};
    for (int i = 0; i < 30; i++)
        CHECK_EQ(pinned[i], -i);
}

int main(void)
{
    test_structures();
    test_constants();
    test_control();
    return 0;
}
