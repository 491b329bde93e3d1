/* The file of a saved region: what is in it, that anybody can make one, that
 * every damage is told, and that none changes a byte. */
#ifdef _WIN32
#include <windows.h>
#endif

#include "check.h"
#include "child.h"
#include "files.h"

enum { BYTES = 9000, HEAD = 4096, ALL = HEAD + BYTES, CRC_AT = 56, FILES = 64 };

static const char *region_name;
static const char *path;
static unsigned char bytes[BYTES]; /* that the region has */
static unsigned char good[ALL];    /* a file of others */

static void told(int line, const char *const *pieces)
{
    const char *rest = winshm_last_message();
    for (; *pieces != NULL; pieces++) {
        const char *found = strstr(rest, *pieces);
        if (found == NULL)
            check_end(1, __FILE__, line, "\"%s\" is not said, or not there: %s",
                      *pieces, winshm_last_message());
        rest = found + strlen(*pieces);
    }
}

#define TOLD(call, status, ...)                                                \
    do {                                                                       \
        const char *const pieces[] = {__VA_ARGS__, NULL};                      \
        CHECK_STATUS(call, status);                                            \
        told(__LINE__, pieces);                                                \
    } while (0)

static uint64_t number(const unsigned char *at, int length)
{
    uint64_t value = 0;
    while (length-- > 0)
        value = value << 8 | at[length];
    return value;
}

static void set(unsigned char *at, uint64_t value, int length)
{
    for (int i = 0; i < length; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

/** As the standard writes it, a bit at a time, with zeros at CRC_AT. */
static uint32_t crc_of(const unsigned char *file, size_t size)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; i++) {
        crc ^= i >= CRC_AT && i < CRC_AT + 4 ? 0 : file[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static void seal(unsigned char *file, size_t size)
{
    set(file + CRC_AT, crc_of(file, size), 4);
}

/** A file as the description says, by a program without winshm. */
static void make_good(void)
{
    memcpy(good, "WINSHM\r\n", 8);
    set(good + 8, 1, 4);
    set(good + 12, HEAD, 4);
    set(good + 16, BYTES, 8);
    set(good + 24, BYTES, 8);
    for (int i = 0; i < BYTES; i++)
        good[HEAD + i] = (unsigned char)(i * 31 >> 3);
    seal(good, ALL);
    CHECK_EQ(crc_of((const unsigned char *)"123456789", 9), 0xCBF43926u);
}

static void test_contents(winshm_region *h)
{
    size_t size;
    winshm_info info = {.struct_size = sizeof info};
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_OK(winshm_save(h, path, 0));
    unsigned char *file = file_read(path, &size);
    CHECK_EQ(size, ALL);
    CHECK(memcmp(file, "WINSHM\r\n", 8) == 0);
    CHECK_EQ(number(file + 8, 4), 1);
    CHECK_EQ(number(file + 12, 4), HEAD);
    CHECK_EQ(number(file + 16, 8), BYTES);
    CHECK_EQ(number(file + 24, 8), info.capacity);
    CHECK_EQ(number(file + 32, 8), 0x1122334455667788);
    CHECK(memcmp(file + 40, info.id, 16) == 0);
    CHECK_EQ(number(file + CRC_AT, 4), crc_of(file, size));
    CHECK_EQ(number(file + 60, 4), 0);
    for (int i = 64; i < HEAD; i++)
        CHECK_EQ(file[i], 0);
    CHECK(memcmp(file + HEAD, bytes, BYTES) == 0);
    free(file);
}

/** Loads a file that is not to be loaded. */
static void refuse(winshm_region *h, const unsigned char *file, size_t size,
                   winshm_status status, const char *because)
{
    uint32_t before, after;
    file_write(path, file, size);
    CHECK_OK(winshm_change_count(h, &before));
    TOLD(winshm_load(h, path, 0), status, "winshm_load '", "': ", because);
    CHECK_OK(winshm_change_count(h, &after));
    CHECK_EQ(before, after);
    CHECK(memcmp(winshm_data(h), bytes, BYTES) == 0);
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
}

static void test_changed_bytes(winshm_region *h)
{
    static unsigned char bad[ALL];
    memcpy(bad, good, ALL);
    for (size_t i = 0; i < ALL; i += i < 64 ? 1 : i < HEAD ? 331 : 97) {
        static const unsigned char changes[] = {0x01, 0x80, 0xFF};
        for (int k = 0; k < (i < 64 ? 3 : 1); k++) {
            bad[i] ^= changes[k];
            refuse(h, bad, ALL, WINSHM_E_FORMAT,
                   i < 8               ? "does not begin as"
                   : i < 12            ? "it has format "
                   : i < 16            ? "contradicts itself"
                   : i < 24            ? " "
                   : i >= 32 && i < 60 ? "checksum is 0x"
                                       : " ");
            bad[i] ^= changes[k];
        }
    }
}

static void test_lengths(winshm_region *h)
{
    static unsigned char longer[ALL + 1];
    memcpy(longer, good, ALL);
    refuse(h, good, 0, WINSHM_E_FORMAT, "does not begin as");
    for (size_t size = 1; size < 64; size++)
        refuse(h, good, size, WINSHM_E_FORMAT, "64 are the header alone");
    for (size_t size = 64; size < ALL; size += size < 128 ? 1 : 499)
        refuse(h, good, size, WINSHM_E_FORMAT, "of 13096 that were saved");
    refuse(h, good, ALL - 1, WINSHM_E_FORMAT, "has 13095 bytes, of 13096");
    refuse(h, longer, ALL + 1, WINSHM_E_FORMAT, "13097 bytes, and only 13096");
}

/** With a sum that is right, a header that is not. */
static void test_contradictions(winshm_region *h)
{
    static const struct {
        int at, length;
        uint64_t value;
        const char *because;
    } cases[] = {
        {8, 4, 2, "it has format 2, and this library knows 1"},
        {8, 4, 0, "it has format 0"},
        {12, 4, 0, "contradicts itself"},
        {12, 4, 64, "contradicts itself"},
        {12, 4, 8192, "contradicts itself"},
        {16, 8, 0, "contradicts itself"},
        {16, 8, UINT64_MAX, "contradicts itself"},
        {16, 8, INT64_MAX, "contradicts itself"},
        {24, 8, BYTES - 1, "contradicts itself"},
        {60, 4, 4033, "contradicts itself"},
        {60, 4, 0xFFFFFFFF, "contradicts itself"},
    };
    static unsigned char bad[ALL];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(bad, good, ALL);
        set(bad + cases[i].at, cases[i].value, cases[i].length);
        seal(bad, ALL);
        refuse(h, bad, ALL, WINSHM_E_FORMAT, cases[i].because);
    }
}

static void test_mismatches(winshm_region *h)
{
    static unsigned char bad[ALL + 5000];
    memcpy(bad, good, ALL);
    set(bad + 32, 0xABC, 8);
    seal(bad, ALL);
    refuse(h, bad, ALL, WINSHM_E_TAG,
           "the region has the tag 0x1122334455667788, the file 0xABC");
    for (int by = -1; by <= 1; by += 2) {
        memcpy(bad, good, ALL);
        set(bad + 16, (uint64_t)(BYTES + by), 8);
        set(bad + 24, (uint64_t)(BYTES + by), 8);
        seal(bad, (size_t)(ALL + by));
        refuse(h, bad, (size_t)(ALL + by), WINSHM_E_SIZE,
               by < 0
                   ? "8999 bytes were saved, the region can have 9000 to 9000"
                   : "9001 bytes were saved, the region can have 9000 to 9000");
    }
}

static void remove_utf8(const char *name)
{
#ifdef _WIN32
    wchar_t wide[512];
    MultiByteToWideChar(CP_UTF8, 0, name, -1, wide, 512);
    CHECK(DeleteFileW(wide));
#else
    CHECK_EQ(remove(name), 0);
#endif
}

static void test_paths(winshm_region *h)
{
    static char name[5000];
    TOLD(winshm_save(h, NULL, 0), WINSHM_E_INVALID, "path is NULL");
    TOLD(winshm_load(h, NULL, 0), WINSHM_E_INVALID, "path is NULL");
    TOLD(winshm_save(h, "", 0), WINSHM_E_INVALID, "path is empty");
    TOLD(winshm_load(h, "", 0), WINSHM_E_INVALID, "path is empty");
    TOLD(winshm_save(h, "ab\xFF", 0), WINSHM_E_INVALID, "byte 2 of path");
    TOLD(winshm_load(h, "\xC3", 0), WINSHM_E_INVALID, "byte 0 of path");
    memset(name, 'x', 4001);
    TOLD(winshm_save(h, name, 0), WINSHM_E_INVALID, "more than 4000 bytes");
    TOLD(winshm_load(h, name, 0), WINSHM_E_INVALID, "more than 4000 bytes");
    snprintf(name, sizeof name, "%s/none/x", path);
    remove(path);
    TOLD(winshm_save(h, name, 0), WINSHM_E_SYSTEM, "there is no folder for '",
         "failed with ", "Make the folder");
    TOLD(winshm_load(h, name, 0), WINSHM_E_NOT_FOUND, "there is no file '");
    TOLD(winshm_load(h, path, 0), WINSHM_E_NOT_FOUND, "there is no file '",
         "failed with 2", "save the region there first");
    TOLD(winshm_save(h, ".", 0), WINSHM_E_KIND, "'.' is no plain file");
    TOLD(winshm_save(h, "./", 0), WINSHM_E_KIND, "'./' is no plain file");
    TOLD(winshm_load(h, ".", 0), WINSHM_E_KIND, "'.' is no plain file");
    CHECK(!file_exists(".winshm-part") && !file_exists("..winshm-part"));
    /* The name is UTF-8 on Windows, too. */
    snprintf(name, sizeof name, "%s-\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
             path);
    CHECK_OK(winshm_save(h, name, 0));
    CHECK_OK(winshm_load(h, name, 0));
    remove_utf8(name);
    TOLD(winshm_load(h, name, 0), WINSHM_E_NOT_FOUND, "there is no file '");
}

/* The file changes between the look and the copy, for which the lock is waited
 * for. */

static winshm_region *loads;
static winshm_status loaded[FILES];

static void load_in_thread(void *place)
{
    winshm_status status;
    do /* others may have all places for a moment */
        status = winshm_load(loads, path, PATIENCE_MS);
    while (status == WINSHM_E_NO_MEMORY);
    *(winshm_status *)place = status;
}

static void until_waiting(winshm_region *h, uint32_t flags)
{
    for (uint64_t end = clock_ms() + PATIENCE_MS; clock_ms() < end;
         sleep_ms(1)) {
        winshm_participant list[4] = {{.struct_size = sizeof list[0]}};
        uint32_t count;
        CHECK_OK(winshm_get_participants(h, list, 4, &count));
        for (uint32_t i = 0; i < count; i++)
            if ((list[i].flags & flags) == flags)
                return;
    }
    CHECK(!"nobody waits");
}

static void change_while_loading(winshm_region *h, size_t at, size_t size)
{
    static unsigned char bad[ALL];
    winshm_region *other;
    memcpy(bad, good, ALL);
    if (at < ALL)
        bad[at] ^= 4;
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    file_write(path, good, ALL);
    loads = other;
    struct thread thread = thread_start(load_in_thread, loaded);
    until_waiting(h, WINSHM_PARTICIPANT_WAITING);
    file_write(path, bad, size);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    thread_join(thread);
    CHECK_STATUS(loaded[0], WINSHM_E_FORMAT);
    /* It is as if an owner had given up. */
    CHECK_STATUS(winshm_save(h, path, 0), WINSHM_E_OWNER_DEAD);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_OWNER_DEAD);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    file_write(path, good, ALL);
    CHECK_OK(winshm_load(h, path, 0));
    CHECK(memcmp(winshm_data(h), good + HEAD, BYTES) == 0);
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(other));
}

/** Who holds the lock stays responsible. */
static void test_failure_of_the_owner(winshm_region *h)
{
    static unsigned char bad[ALL];
    memcpy(bad, good, ALL);
    bad[ALL - 1] ^= 1;
    file_write(path, bad, ALL);
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_STATUS(winshm_load(h, path, 0), WINSHM_E_FORMAT);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE)); /* nothing was changed */
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
}

static void test_many_at_once(winshm_region *h)
{
    struct thread threads[FILES];
    winshm_region *other;
    file_write(path, good, ALL);
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    loads = other;
    for (int i = 0; i < FILES; i++)
        threads[i] = thread_start(load_in_thread, &loaded[i]);
    winshm_status status;
    for (uint64_t end = clock_ms() + PATIENCE_MS; clock_ms() < end;) {
        status = winshm_load(h, path, 0);
        if (status != WINSHM_OK)
            break;
        sleep_ms(1);
    }
    CHECK_STATUS(status, WINSHM_E_NO_MEMORY);
    CHECK(strstr(winshm_last_message(), "64 threads") != NULL);
    CHECK_STATUS(winshm_save(h, path, 0), WINSHM_E_NO_MEMORY);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    for (int i = 0; i < FILES; i++) {
        thread_join(threads[i]);
        CHECK_OK(loaded[i]);
    }
    CHECK_OK(winshm_load(h, path, 0));
    CHECK_OK(winshm_close(other));
}

/** A raw block may have more bytes, and has no tag. */
static void test_raw(void)
{
    static unsigned char all[20000], zeros[20000];
    winshm_region *h;
    file_write(path, good, ALL);
    CHECK_OK(winshm_create(name_of("raw"), sizeof all, WINSHM_RAW, &h));
    memset(winshm_data(h), 9, sizeof all);
    CHECK_OK(winshm_load(h, path, 0));
    CHECK_OK(winshm_read(h, 0, all, sizeof all, 0));
    CHECK(memcmp(all, good + HEAD, BYTES) == 0);
    CHECK(memcmp(all + BYTES, zeros, sizeof all - BYTES) == 0);
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_create(name_of("raw"), 1, WINSHM_RAW, &h));
    CHECK_STATUS(winshm_load(h, path, 0), WINSHM_E_SIZE);
    CHECK_OK(winshm_close(h));
}

/** The text of the layout goes with the data, and is compared. */
static void test_layout(void)
{
    static const char here[] = "a:u8@0; b:u32[3]@4; size 16";
    static unsigned char bad[ALL];
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = 100,
                        .layout = here,
                        .name = name_of("says")};
    winshm_region *h;
    size_t size;
    CHECK_OK(winshm_open_with(&o, &h));
    memset(winshm_data(h), 5, 100);
    CHECK_OK(winshm_save(h, path, 0));
    unsigned char *file = file_read(path, &size);
    CHECK_EQ(number(file + 60, 4), strlen(here));
    CHECK_EQ(number(file + 12, 4), HEAD);
    CHECK(memcmp(file + 64, here, sizeof here) == 0);
    CHECK_EQ(number(file + CRC_AT, 4), crc_of(file, size));
    CHECK_OK(winshm_load(h, path, 0));
    for (size_t i = 64; i < 64 + strlen(here); i++) {
        memcpy(bad, file, size);
        bad[i] ^= 1;
        file_write(path, bad, size);
        CHECK_STATUS(winshm_load(h, path, 0), WINSHM_E_FORMAT);
        bad[i] = i % 2 == 0 ? 0 : '@'; /* no text, though the sum is right */
        seal(bad, size);
        file_write(path, bad, size);
        TOLD(winshm_load(h, path, 0), WINSHM_E_FORMAT, "its layout is none");
    }
    memcpy(bad, file, size);
    memcpy(bad + 64, "a:u8@0; b:i32[3]@4; size 16", strlen(here));
    seal(bad, size);
    file_write(path, bad, size);
    TOLD(winshm_load(h, path, 0), WINSHM_E_TAG, "the file differs: field 'b'");
    /* More than there is, as a text of another length. */
    memset(bad + 64, 0, strlen(here));
    set(bad + 60, (uint64_t)sprintf((char *)bad + 64, "a:u8@0; size 101"), 4);
    seal(bad, size);
    file_write(path, bad, size);
    TOLD(winshm_load(h, path, 0), WINSHM_E_FORMAT, "its layout is none");
    CHECK_OK(winshm_close(h));
    /* Where one side has none nothing is compared. */
    file_write(path, file, size);
    CHECK_OK(winshm_create(o.name, 100, WINSHM_RAW, &h));
    CHECK_OK(winshm_load(h, path, 0));
    CHECK_OK(winshm_close(h));
    o.layout = NULL;
    CHECK_OK(winshm_open_with(&o, &h));
    CHECK_OK(winshm_load(h, path, 0));
    CHECK_OK(winshm_save(h, path, 0));
    CHECK_OK(winshm_close(h));
    o.layout = here;
    CHECK_OK(winshm_open_with(&o, &h));
    CHECK_OK(winshm_load(h, path, 0));
    CHECK_OK(winshm_close(h));
    free(file);
}

/** A region grows for what was saved, and what is behind it becomes zero. */
static void test_growth(void)
{
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = BYTES - 10,
                        .capacity = BYTES + 50,
                        .name = name_of("grows")};
    winshm_region *h, *other;
    size_t size;
    CHECK_OK(winshm_open_with(&o, &h));
    CHECK_OK(winshm_open(o.name, 0, &other));
    file_write(path, good, ALL);
    CHECK_OK(winshm_load(h, path, 1000));
    CHECK_EQ(winshm_size(other), BYTES);
    CHECK(memcmp(winshm_data(other), good + HEAD, BYTES) == 0);
    CHECK_OK(winshm_resize(other, BYTES + 20, 1000));
    /* One that has joined later knows the size at creation, too. */
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_open(o.name, 0, &other));
    memset(winshm_data(other), 7, BYTES + 20);
    CHECK_OK(winshm_save(h, path, 1000));
    unsigned char *file = file_read(path, &size);
    CHECK_EQ(size, ALL + 20);
    CHECK_EQ(number(file + 16, 8), BYTES + 20);
    CHECK_EQ(number(file + 24, 8), BYTES + 50);
    free(file);
    file_write(path, good, ALL);
    CHECK_OK(winshm_load(other, path, 1000));
    CHECK_EQ(winshm_size(h), BYTES + 20);
    CHECK(memcmp(winshm_data(h), good + HEAD, BYTES) == 0);
    for (int i = 0; i < 20; i++)
        CHECK_EQ(((char *)winshm_data(h))[BYTES + i], 0);
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_close(other));
    /* No more than the capacity, and no less than there was at first. */
    for (int by = -1; by <= 1; by += 2) {
        o.size = by < 0 ? BYTES - 2 : BYTES + 1;
        o.capacity = by < 0 ? BYTES - 1 : BYTES + 2;
        CHECK_OK(winshm_open_with(&o, &h));
        TOLD(winshm_load(h, path, 0), WINSHM_E_SIZE, "9000 bytes were saved",
             by < 0 ? "8998 to 8999" : "9001 to 9002");
        CHECK_EQ(winshm_size(h), o.size);
        CHECK_OK(winshm_close(h));
    }
}

/** One half of a pair of systems: saves or loads what the other one has not. */
static void exchange(const char *what, const char *file)
{
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = BYTES,
                        .layout_tag = 77,
                        .layout = "a:u8@0; b:u32[3]@4; size 16",
                        .name = name_of("exchange")};
    winshm_region *h;
    CHECK_OK(winshm_open_with(&o, &h));
    if (strcmp(what, "save") == 0) {
        memcpy(winshm_data(h), good + HEAD, BYTES);
        CHECK_OK(winshm_save(h, file, 0));
    } else {
        CHECK_OK(winshm_load(h, file, 0));
        CHECK(memcmp(winshm_data(h), good + HEAD, BYTES) == 0);
    }
    CHECK_OK(winshm_close(h));
    printf("ok\n");
}

/** test_saved [save|load FILE] */
int main(int argc, char **argv)
{
    winshm_region *h;
    region_name = name_of("saved");
    path = file_of("saved");
    make_good();
    if (argc == 3) {
        exchange(argv[1], argv[2]);
        return 0;
    }
    for (int i = 0; i < BYTES; i++)
        bytes[i] = (unsigned char)(i * 7 >> 2);
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = BYTES,
                        .layout_tag = 0x1122334455667788,
                        .name = region_name};
    CHECK_OK(winshm_open_with(&o, &h));
    CHECK_OK(winshm_write(h, 0, bytes, BYTES, 0));
    test_contents(h);
    test_changed_bytes(h);
    test_lengths(h);
    test_contradictions(h);
    test_mismatches(h);
    test_paths(h);
    change_while_loading(h, ALL - 1, ALL);
    change_while_loading(h, HEAD, ALL);
    change_while_loading(h, ALL, ALL - 5);
    test_failure_of_the_owner(h);
    test_many_at_once(h);
    test_raw();
    test_growth();
    test_layout();
    CHECK_OK(winshm_close(h));
    remove(path);
    printf("ok\n");
    return 0;
}
