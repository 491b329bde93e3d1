/* Unnamed regions, and tokens: what they open, and that nothing else does.
 *
 * Usage: test_handover [MUTATIONS [SEED]] */
#include "check.h"
#include "child.h"
#include "forge.h"
#include "plain.h"

enum { SIZE = 1000, BYTES = WINSHM_TOKEN_MAX + 20 };

static winshm_region *created(const char *name)
{
    winshm_region *h;
    CHECK_OK(winshm_create(name, SIZE, 0, &h));
    return h;
}

static void export_of(winshm_region *h, uint32_t access, char *token)
{
    uint32_t length = 0;
    CHECK_OK(winshm_export(h, access, token, WINSHM_TOKEN_MAX + 1, &length));
    CHECK_EQ(length, strlen(token));
}

/** Checks that nothing is opened, and that the output says so. */
#define REFUSED(token, status)                                                 \
    do {                                                                       \
        winshm_region *opened = (winshm_region *)&opened;                      \
        CHECK_STATUS(winshm_import(token, 0, 0, &opened), status);             \
        CHECK(opened == NULL);                                                 \
    } while (0)

/* Names. */

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void test_unnamed(void)
{
    static char names[1000][WINSHM_NAME_MAX + 1];
    winshm_region *h, *other;
    winshm_options o = {.struct_size = sizeof o, .size = SIZE};
    uint32_t length, count = child_slow() ? 200 : 1000;
    for (uint32_t i = 0; i < count; i++) {
        CHECK_OK(winshm_create(NULL, SIZE, WINSHM_NO_MAP, &h));
        CHECK_OK(winshm_get_name(h, names[i], sizeof names[i], &length));
        CHECK_EQ(length, strlen("winshm-") + 32);
        CHECK_EQ(strspn(names[i] + 7, "0123456789abcdef"), 32);
        CHECK(strncmp(names[i], "winshm-", 7) == 0);
        if (i == 0) {
            CHECK_OK(winshm_open(names[i], 0, &other));
            CHECK_OK(winshm_write(other, 0, "x", 1, 0));
            CHECK_OK(winshm_close(other));
        }
        CHECK_OK(winshm_close(h));
    }
    CHECK_STATUS(winshm_open(names[0], 0, &h), WINSHM_E_NOT_FOUND);
    qsort(names, count, sizeof names[0], by_text);
    for (uint32_t i = 1; i < count; i++)
        CHECK(strcmp(names[i - 1], names[i]) != 0);
    /* Of every other sort, but for those that nobody could join. */
    CHECK_OK(winshm_create(NULL, SIZE, WINSHM_RAW, &h));
    CHECK_OK(winshm_get_name(h, names[0], sizeof names[0], &length));
    CHECK_OK(winshm_open(names[0], WINSHM_RAW, &other));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_create(NULL, SIZE, WINSHM_CREATE_LOCKED, &h));
    CHECK_OK(winshm_make_consistent(h));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(h));
    o.disposition = WINSHM_CREATE_NEW;
    CHECK_OK(winshm_open_with(&o, &h));
    CHECK_OK(winshm_close(h));
    for (o.disposition = WINSHM_OPEN_EXISTING;
         o.disposition <= WINSHM_OPEN_OR_CREATE; o.disposition++) {
        h = (winshm_region *)&o;
        CHECK_STATUS(winshm_open_with(&o, &h), WINSHM_E_INVALID);
        CHECK(h == NULL);
    }
    CHECK_STATUS(winshm_open(NULL, 0, &h), WINSHM_E_INVALID);
    CHECK_STATUS(winshm_create(NULL, 0, 0, &h), WINSHM_E_INVALID);
    CHECK_STATUS(winshm_create(NULL, UINT64_MAX, 0, &h), WINSHM_E_SIZE);
    CHECK_STATUS(winshm_create(NULL, SIZE, WINSHM_READ, &h), WINSHM_E_INVALID);
}

/** A function that hands out a text, in rooms of every size. */
static void check_rooms(winshm_region *h, bool token, const char *expected)
{
    char room[BYTES];
    uint32_t length;
    uint32_t full = (uint32_t)strlen(expected);
#define CALL(buffer, capacity, out)                                            \
    (token ? winshm_export(h, 0, buffer, capacity, out)                        \
           : winshm_get_name(h, buffer, capacity, out))
    for (uint32_t capacity = 0; capacity < full + 3; capacity++) {
        memset(room, '#', sizeof room);
        length = 12345;
        CHECK_STATUS(CALL(room, capacity, &length),
                     capacity > full ? WINSHM_OK : WINSHM_E_RANGE);
        CHECK_EQ(length, full);
        if (capacity > full)
            CHECK(memcmp(room, expected, full + 1) == 0);
        else
            CHECK(capacity == 0 ? room[0] == '#' : room[0] == '\0');
        CHECK_EQ(room[capacity], '#');
    }
    length = 12345;
    CHECK_STATUS(CALL(NULL, 0, &length), WINSHM_E_RANGE);
    CHECK_EQ(length, full);
    CHECK_STATUS(CALL(NULL, BYTES, &length), WINSHM_E_INVALID);
    CHECK_EQ(length, 0);
    CHECK_STATUS(CALL(room, BYTES, NULL), WINSHM_E_INVALID);
    CHECK_EQ(room[0], '\0');
#undef CALL
}

static void test_names(void)
{
    char name[100], prefixed[110], long_name[WINSHM_NAME_MAX + 1];
    char room[8 + WINSHM_NAME_MAX], token[BYTES];
    uint32_t length;
    winshm_region *h;
    snprintf(name, sizeof name, "%s", name_of("na me%\xC3\xA4"));
    snprintf(prefixed, sizeof prefixed, "Local\\%s", name);
    h = created(prefixed);
    check_rooms(h, false, name);
    export_of(h, 0, token);
    check_rooms(h, true, token);
    CHECK(strstr(token, "na%20me%25%C3%A4:") != NULL);
    CHECK_OK(winshm_close(h));
    /* A handle that is none comes first, and outputs are cleared. */
    strcpy(room, "x");
    length = 7;
    CHECK_STATUS(winshm_get_name(h, room, sizeof room, &length),
                 WINSHM_E_CLOSED);
    CHECK_EQ(length, 0);
    CHECK_EQ(room[0], '\0');
    CHECK_STATUS(winshm_get_name(NULL, NULL, 5, NULL), WINSHM_E_HANDLE);
    CHECK_STATUS(winshm_export(h, 99, NULL, 5, NULL), WINSHM_E_CLOSED);
    /* The longest name, and what of it needs the most room in a token. */
    memset(long_name, '!', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    memcpy(long_name, name_of(""), strlen(name_of("")));
    h = created(long_name);
    CHECK_OK(winshm_get_name(h, room, sizeof room, &length));
    CHECK(strcmp(room, long_name) == 0);
    export_of(h, 0, token);
    winshm_region *again;
    CHECK_OK(winshm_import(token, 0, 0, &again));
    CHECK_OK(winshm_close(again));
    CHECK_OK(winshm_close(h));
    snprintf(prefixed, sizeof prefixed, "Global\\%s", name);
    winshm_status status = winshm_create(prefixed, SIZE, 0, &h);
    if (status == WINSHM_E_PRIVILEGE)
        return;
    CHECK_OK(status);
    check_rooms(h, false, prefixed);
    export_of(h, 0, token);
    CHECK(strstr(token, ":Global%5C") != NULL);
    CHECK_OK(winshm_import(token, 0, 0, &again));
    check_rooms(again, false, prefixed);
    CHECK_OK(winshm_close(again));
    CHECK_OK(winshm_close(h));
}

/* Tokens. */

static void test_import(void)
{
    char token[BYTES], read_token[BYTES], again[BYTES];
    char byte = 0;
    winshm_info a = {.struct_size = sizeof a}, b = {.struct_size = sizeof b};
    winshm_region *h = created(name_of("import")), *other;
    export_of(h, 0, token);
    export_of(h, WINSHM_READ | WINSHM_WRITE, again);
    CHECK(strcmp(token, again) == 0);
    export_of(h, WINSHM_WRITE, again);
    CHECK(strcmp(token, again) == 0);
    export_of(h, WINSHM_READ, read_token);
    CHECK(strcmp(token, read_token) != 0);

    CHECK_OK(winshm_import(token, 0, 0, &other));
    CHECK_OK(winshm_write(other, 5, "t", 1, 0));
    CHECK_OK(winshm_read(h, 5, &byte, 1, 0));
    CHECK_EQ(byte, 't');
    CHECK_OK(winshm_get_info(h, &a));
    CHECK_OK(winshm_get_info(other, &b));
    CHECK(memcmp(a.id, b.id, sizeof a.id) == 0);
    CHECK_EQ(b.access, WINSHM_READ | WINSHM_WRITE);
    CHECK_EQ(b.origin, WINSHM_ORIGIN_OPENED);
    /* What was imported can be passed on. */
    export_of(other, 0, again);
    CHECK(strcmp(token, again) == 0);
    CHECK_OK(winshm_close(other));

    CHECK_OK(winshm_import(read_token, 0, 0, &other));
    CHECK_STATUS(winshm_write(other, 0, "x", 1, 0), WINSHM_E_ACCESS);
    CHECK_OK(winshm_lock(other, WINSHM_SHARED, 0));
    CHECK_OK(winshm_unlock(other, WINSHM_SHARED));
    export_of(other, 0, again);
    CHECK(strcmp(read_token, again) == 0);
    uint32_t length;
    CHECK_STATUS(
        winshm_export(other, WINSHM_READ | WINSHM_WRITE, again, BYTES, &length),
        WINSHM_E_ACCESS);
    CHECK_EQ(length, 0);
    CHECK_EQ(again[0], '\0');
    CHECK_STATUS(winshm_export(other, WINSHM_WRITE, again, BYTES, &length),
                 WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_export(other, 4, again, BYTES, &length),
                 WINSHM_E_INVALID);
    CHECK_OK(winshm_close(other));

    CHECK_OK(winshm_import(token, WINSHM_READ | WINSHM_NO_MAP, 0, &other));
    CHECK(winshm_data(other) == NULL);
    CHECK_STATUS(winshm_write(other, 0, "x", 1, 0), WINSHM_E_ACCESS);
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_import(token, WINSHM_TASK, WINSHM_FOREVER, &other));
    CHECK_OK(winshm_lock(other, WINSHM_EXCLUSIVE, 0));
    CHECK_STATUS(winshm_lock(other, WINSHM_EXCLUSIVE, 1), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_unlock(other, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(other));

    static const uint32_t unknown[] = {WINSHM_WRITE, WINSHM_RAW, WINSHM_NO_LOCK,
                                       WINSHM_CREATE_LOCKED, 0x80000000u};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        other = (winshm_region *)&other;
        CHECK_STATUS(winshm_import(token, unknown[i], 0, &other),
                     WINSHM_E_INVALID);
        CHECK(other == NULL);
    }
    REFUSED(NULL, WINSHM_E_INVALID);
    CHECK_STATUS(winshm_import(token, 0, 0, NULL), WINSHM_E_INVALID);
    CHECK_STATUS(winshm_import("", 0, 0, NULL), WINSHM_E_INVALID);
    CHECK_OK(winshm_close(h));

    CHECK_OK(winshm_create(name_of("raw"), SIZE, WINSHM_RAW, &h));
    CHECK_STATUS(winshm_export(h, 0, again, BYTES, &length),
                 WINSHM_E_UNSUPPORTED);
    CHECK_EQ(length, 0);
    CHECK_OK(winshm_close(h));
}

static void test_lives(void)
{
    char token[BYTES], newer[BYTES];
    const char *name = name_of("lives");
    struct plain plain;
    winshm_region *h = created(name);
    export_of(h, 0, token);
    CHECK_OK(winshm_close(h));
    /* Over for good, and not waited for. */
    uint64_t began = clock_ms();
    CHECK_STATUS(winshm_import(token, 0, PATIENCE_MS, &h), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_import(token, WINSHM_READ, WINSHM_FOREVER, &h),
                 WINSHM_E_NOT_FOUND);
    CHECK(clock_ms() - began < PATIENCE_MS / 2);
    CHECK(plain_count(name) <= 0);
    /* Neither a block of this name nor a new life is what the token is of. */
    CHECK(plain_create(&plain, name, SIZE));
    REFUSED(token, WINSHM_E_NOT_FOUND);
    plain_close(&plain);
    plain_remove(name);
    h = created(name);
    REFUSED(token, WINSHM_E_REPLACED);
    export_of(h, 0, newer);
    CHECK(strcmp(token, newer) != 0);
    winshm_region *other;
    CHECK_OK(winshm_import(newer, 0, 0, &other));
    CHECK_OK(winshm_close(h));
    /* The life goes on without its creator. */
    CHECK_OK(winshm_import(newer, 0, 0, &h));
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_close(other));
    REFUSED(newer, WINSHM_E_NOT_FOUND);
}

/** Puts the fields of a token together, seals it and imports it. */
static winshm_status forged(const char *before, const char *name,
                            const char *id, const char *after)
{
    char text[3 * BYTES];
    winshm_region *h = NULL;
    snprintf(text, sizeof text - 10, "%s%s:%s%s", before, name, id, after);
    forge_seal(text);
    winshm_status status = winshm_import(text, 0, 0, &h);
    CHECK((status == WINSHM_OK) == (h != NULL));
    CHECK_OK(winshm_close(h));
    return status;
}

static void test_forged(void)
{
    static const char start[] = "winshm1:n:";
    char token[BYTES], id[33] = "", name[100], more[120], text[3 * BYTES];
    snprintf(name, sizeof name, "%s", name_of("forged"));
    winshm_region *h = created(name), *other;
    export_of(h, 0, token);
    const char *at = strstr(token, name) + strlen(name) + 1;
    memcpy(id, at, 32);
    CHECK(strncmp(token, start, strlen(start)) == 0);
    winshm_info info = {.struct_size = sizeof info};
    CHECK_OK(winshm_get_info(h, &info));
    for (int i = 0; i < 16; i++) {
        char two[3];
        snprintf(two, sizeof two, "%02x", info.id[i]);
        CHECK(memcmp(two, id + 2 * i, 2) == 0);
    }
    /* As winshm.h has it, and nothing else. */
    CHECK_OK(forged(start, name, id, ":1000:w"));
    CHECK_OK(forged(start, name, id, ":1000:r"));
    CHECK_STATUS(forged(start, name, id, ":1001:w"), WINSHM_E_TOKEN);
    CHECK_STATUS(forged(start, name, id, ":9223372036854775807:w"),
                 WINSHM_E_TOKEN);
    static const char *const tails[] = {":0:w",
                                        ":01000:w",
                                        ":+1000:w",
                                        ":1000:x",
                                        ":1000:W",
                                        ":1000:rw",
                                        ":1000:",
                                        ":1000",
                                        ":1000:w:",
                                        ":1000:w ",
                                        ":w",
                                        "",
                                        ":1000:w\n",
                                        ":9223372036854775808:w",
                                        ":18446744073709551617000:w"};
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++)
        CHECK_STATUS(forged(start, name, id, tails[i]), WINSHM_E_TOKEN);
    /* Names that are none, and other ways to write one. */
    static const char *const names[] = {
        "",      ".",   "a%2Fb", "x.winshm",  "a/b",       "%00",
        "a%0",   "a%",  "%FF",   "%4",        "a%zz",      "Local%5Ca",
        "a%5cb", "a b", "%5C",   "Global%5C", "a\xC3\xA4", "%61"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        CHECK_STATUS(forged(start, names[i], id, ":1000:w"), WINSHM_E_TOKEN);
    snprintf(more, sizeof more, "%%%02X%s", (unsigned char)name[0], name + 1);
    CHECK_STATUS(forged(start, more, id, ":1000:w"), WINSHM_E_TOKEN);
    snprintf(more, sizeof more, "Local%%5C%s", name);
    CHECK_STATUS(forged(start, more, id, ":1000:w"), WINSHM_E_TOKEN);
    memset(text, 'a', 300);
    text[300] = '\0';
    CHECK_STATUS(forged(start, text, id, ":1000:w"), WINSHM_E_TOKEN);
    memset(text, 'a', BYTES);
    text[BYTES] = '\0';
    CHECK_STATUS(forged(start, text, id, ":1000:w"), WINSHM_E_TOKEN);
    /* Another region, another life. */
    snprintf(more, sizeof more, "%s-2", name);
    CHECK_STATUS(forged(start, more, id, ":1000:w"), WINSHM_E_NOT_FOUND);
    snprintf(more, sizeof more, "%s", id);
    more[31] = more[31] == '0' ? '1' : '0';
    CHECK_STATUS(forged(start, name, more, ":1000:w"), WINSHM_E_REPLACED);
    CHECK_STATUS(
        forged(start, name, "00000000000000000000000000000000", ":1000:w"),
        WINSHM_E_REPLACED);
    more[30] = '\0';
    CHECK_STATUS(forged(start, name, more, ":1000:w"), WINSHM_E_TOKEN);
    CHECK_STATUS(
        forged(start, name, "ABCDEF00000000000000000000000000", ":1000:w"),
        WINSHM_E_TOKEN);
    /* Versions of the token. */
    CHECK_STATUS(forged("winshm2:n:", name, id, ":1000:w"), WINSHM_E_LAYOUT);
    CHECK_STATUS(forged("winshm10:", name, id, ""), WINSHM_E_LAYOUT);
    REFUSED("winshm2:", WINSHM_E_LAYOUT);
    static const char *const starts[] = {"winshm01:n:",
                                         "winshm0:n:",
                                         "winshm:n:",
                                         "winshm1:h:",
                                         "winshm1:",
                                         "Winshm1:n:",
                                         " winshm1:n:",
                                         "winshm-1:n:",
                                         "winshm1 :n:",
                                         "winshm12345678:",
                                         ""};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        CHECK_STATUS(forged(starts[i], name, id, ":1000:w"), WINSHM_E_TOKEN);
    REFUSED("", WINSHM_E_TOKEN);
    REFUSED("hello", WINSHM_E_TOKEN);
    REFUSED("winshm1:", WINSHM_E_TOKEN);
    REFUSED("winshm1:n:", WINSHM_E_TOKEN);
    /* Its checksum stands where the name should be. */
    strcpy(text, "winshm1:n");
    forge_seal(text);
    REFUSED(text, WINSHM_E_TOKEN);
    CHECK_OK(winshm_import(token, 0, 0, &other));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
}

/** A version that is not ours is told as that, whatever follows it. */
static bool other_version(const char *text)
{
    static const char word[] = "winshm";
    size_t length = strlen(word);
    if (strncmp(text, word, length) != 0 || text[length] == '0')
        return false;
    size_t digits = strspn(text + length, "0123456789");
    return digits > 0 && text[length + digits] == ':' &&
           (digits > 1 || text[length] != '1');
}

static void test_altered(void)
{
    char token[BYTES], text[BYTES];
    winshm_region *h = created(name_of("altered"));
    export_of(h, 0, token);
    size_t length = strlen(token);
    for (size_t cut = 0; cut < length; cut++) {
        memcpy(text, token, length + 1);
        text[cut] = '\0';
        REFUSED(text, WINSHM_E_TOKEN);
        REFUSED(token + cut + 1, WINSHM_E_TOKEN);
    }
    for (size_t at = 0; at < length; at++)
        for (unsigned change = 1; change < 256; change++) {
            memcpy(text, token, length + 1);
            text[at] = (char)((unsigned char)text[at] ^ change);
            REFUSED(text,
                    other_version(text) ? WINSHM_E_LAYOUT : WINSHM_E_TOKEN);
        }
    CHECK_OK(winshm_close(h));
}

static uint64_t seed;

static uint32_t draw(uint32_t limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % limit;
}

/** Changes, removes, inserts or doubles a piece. */
static void mutate(char *text, size_t room)
{
    static const char likely[] = "0123456789abcdefABCF:%wrn.\\/_-~ \n\xFF";
    size_t length = strlen(text);
    size_t at = draw((uint32_t)length + 1), piece = draw(4) + 1;
    switch (draw(4)) {
    case 0:
        if (at < length)
            text[at] = likely[draw(sizeof likely)];
        break;
    case 1:
        if (at + piece <= length)
            memmove(text + at, text + at + piece, length - at - piece + 1);
        break;
    case 2:
        if (length + 1 < room) {
            memmove(text + at + 1, text + at, length - at + 1);
            text[at] = likely[draw(sizeof likely)];
        }
        break;
    default:
        if (at + piece <= length && length + piece < room)
            memmove(text + at + piece, text + at, length - at + 1);
    }
}

/** Whatever comes of a token, no other region is opened by it. */
static void test_mutated(uint32_t count)
{
    char token[BYTES], text[BYTES], again[BYTES];
    uint32_t opened = 0;
    winshm_info a = {.struct_size = sizeof a};
    winshm_region *h = created(name_of("mutated")), *other;
    winshm_region *decoy = created(name_of("mutate"));
    CHECK_OK(winshm_get_info(h, &a));
    export_of(h, 0, token);
    printf("%lu mutations, seed %llu\n", (unsigned long)count,
           (unsigned long long)seed);
    for (uint32_t i = 0; i < count; i++) {
        winshm_info b = {.struct_size = sizeof b};
        bool sealed = draw(2) == 0;
        strcpy(text, token);
        if (sealed) /* as somebody would do it on purpose */
            text[strlen(text) - 9] = '\0';
        for (uint32_t changes = draw(3) + 1; changes > 0; changes--)
            mutate(text, sizeof text - 10);
        if (sealed)
            forge_seal(text);
        winshm_status status = winshm_import(text, 0, 0, &other);
        switch (status) {
        case WINSHM_OK:
            CHECK_OK(winshm_get_info(other, &b));
            CHECK(memcmp(a.id, b.id, sizeof a.id) == 0);
            export_of(other, 0, again);
            CHECK(strcmp(text, again) == 0);
            CHECK_OK(winshm_close(other));
            opened++;
            break;
        case WINSHM_E_LAYOUT:
            CHECK(other_version(text));
            break;
        default:
            CHECK(status == WINSHM_E_TOKEN ||
                  (sealed && (status == WINSHM_E_NOT_FOUND ||
                              status == WINSHM_E_REPLACED ||
                              status == WINSHM_E_PRIVILEGE)));
        }
    }
    printf("%lu of them still were tokens of it\n", (unsigned long)opened);
    CHECK_OK(winshm_close(decoy));
    CHECK_OK(winshm_close(h));
}

/* Other processes. */

static void role_import(const char *token, uint32_t number)
{
    winshm_region *h;
    char name[100], again[BYTES];
    uint32_t length;
    CHECK_OK(winshm_import(token, 0, 0, &h));
    CHECK_OK(winshm_write(h, number, "c", 1, PATIENCE_MS));
    CHECK_OK(winshm_get_name(h, name, sizeof name, &length));
    export_of(h, 0, again);
    CHECK(strcmp(token, again) == 0);
    CHECK_OK(winshm_close(h));
}

static void role_own(const char *unused, uint32_t number)
{
    char token[BYTES];
    winshm_region *h;
    (void)unused;
    (void)number;
    CHECK_OK(winshm_create(NULL, SIZE, 0, &h));
    export_of(h, 0, token);
    for (size_t i = 0; i <= strlen(token); i++)
        parent_tell(token[i]);
    parent_hear();
}

static void role_observe(const char *token, uint32_t unused)
{
    winshm_region *h, *other;
    char again[BYTES];
    uint32_t length;
    (void)unused;
    if (!child_become_nobody())
        exit(CHECK_SKIPPED);
    winshm_info info = {.struct_size = sizeof info};
    CHECK_STATUS(winshm_import(token, 0, 0, &h), WINSHM_E_ACCESS);
    CHECK_OK(winshm_import(token, WINSHM_READ, 0, &h));
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_EQ(info.observer, 1);
    CHECK_STATUS(
        winshm_export(h, WINSHM_READ | WINSHM_WRITE, again, BYTES, &length),
        WINSHM_E_ACCESS);
    export_of(h, 0, again);
    CHECK(strstr(again, ":r:") != NULL);
    CHECK_OK(winshm_import(again, 0, 0, &other));
    CHECK_OK(winshm_close(other));
    CHECK_STATUS(winshm_link(h, "nobodys.link"), WINSHM_E_ACCESS);
    parent_tell('o');
    CHECK_EQ(parent_hear(), 'e'); /* it has ended */
    sleep_ms(200);
    CHECK_STATUS(winshm_export(h, 0, again, BYTES, &length),
                 WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_import(token, WINSHM_READ, 0, &other),
                 WINSHM_E_NOT_FOUND);
    CHECK_OK(winshm_get_name(h, again, BYTES, &length));
    parent_tell('o');
    CHECK_EQ(parent_hear(), 'b'); /* and begun anew */
    CHECK_STATUS(winshm_export(h, 0, again, BYTES, &length),
                 WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_import(token, WINSHM_READ, 0, &other),
                 WINSHM_E_REPLACED);
    CHECK_OK(winshm_close(h));
}

static void test_processes(void)
{
    char token[BYTES], byte = 0;
    size_t length = 0;
    winshm_region *h;
    CHECK_OK(winshm_create(NULL, SIZE, 0, &h));
    export_of(h, 0, token);
    struct child child = child_start("import", token, 7);
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    CHECK_OK(winshm_read(h, 7, &byte, 1, 0));
    CHECK_EQ(byte, 'c');
    CHECK_OK(winshm_close(h));
    /* A killed creator's token is of nothing. */
    child = child_start("own", "", 0);
    do {
        int heard = child_hear(&child, PATIENCE_MS);
        CHECK(heard >= 0 && length < sizeof token);
        token[length] = (char)heard;
    } while (token[length++] != '\0');
    CHECK_OK(winshm_import(token, 0, 0, &h));
    CHECK_OK(winshm_close(h));
    child_kill(&child);
    REFUSED(token, WINSHM_E_NOT_FOUND);
}

static void test_observer(void)
{
    char token[BYTES];
    winshm_region *h;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = SIZE,
                        .name = name_of("observed"),
                        .security = "everyone-read"};
    CHECK_OK(winshm_open_with(&o, &h));
    export_of(h, 0, token);
    struct child child = child_start("observe", token, 0);
    int heard = child_hear(&child, PATIENCE_MS);
    CHECK_OK(winshm_close(h));
    if (heard < 0) {
        CHECK_EQ(child_wait(&child, PATIENCE_MS), CHECK_SKIPPED);
        fprintf(stderr, "skipped: nobody to be an observer\n");
        return;
    }
    CHECK_EQ(heard, 'o');
    child_tell(&child, 'e');
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'o');
    CHECK_OK(winshm_open_with(&o, &h));
    child_tell(&child, 'b');
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    CHECK_OK(winshm_close(h));
}

static const struct role roles[] = {{"import", role_import},
                                    {"own", role_own},
                                    {"observe", role_observe},
                                    {NULL, NULL}};

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    seed = argc > 2 ? strtoull(argv[2], NULL, 10) : clock_us();
    test_unnamed();
    test_names();
    test_import();
    test_lives();
    test_forged();
    test_altered();
    test_mutated(argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 5000);
    test_processes();
    test_observer();
    return 0;
}
