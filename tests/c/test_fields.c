/* The text for a table of fields, and the macros that make the table. */
#include <stddef.h>
#include <string.h>

#include "check.h"

enum { ROOM = WINSHM_LAYOUT_MAX + 1 };

struct point {
    float x;
    float y;
};

enum colour { RED, GREEN };

struct everything {
    unsigned char u8;
    signed char i8;
    unsigned short u16;
    short i16;
    unsigned u32;
    int i32;
    unsigned long long u64;
    long long i64;
    float f32;
    double f64;
    _Bool truth;
    char letter;
    char text[5];
    volatile unsigned shared;
    volatile short shared_many[3];
    enum colour colour;
    struct point one;
    struct point many[2];
    unsigned char large[1000];
};

static const winshm_field point[] = {WINSHM_FIELD(struct point, x),
                                     WINSHM_FIELD(struct point, y)};
static const winshm_field everything[] = {
    WINSHM_FIELD(struct everything, u8),
    WINSHM_FIELD(struct everything, i8),
    WINSHM_FIELD(struct everything, u16),
    WINSHM_FIELD(struct everything, i16),
    WINSHM_FIELD(struct everything, u32),
    WINSHM_FIELD(struct everything, i32),
    WINSHM_FIELD(struct everything, u64),
    WINSHM_FIELD(struct everything, i64),
    WINSHM_FIELD(struct everything, f32),
    WINSHM_FIELD(struct everything, f64),
    WINSHM_FIELD(struct everything, truth),
    WINSHM_FIELD(struct everything, letter),
    WINSHM_FIELD(struct everything, text),
    WINSHM_FIELD(struct everything, shared),
    WINSHM_FIELD(struct everything, shared_many),
    WINSHM_NESTED(struct everything, one, point),
    WINSHM_NESTED_ARRAY(struct everything, many, point),
    WINSHM_FIELD(struct everything, large),
};

enum { EVERYTHING = sizeof everything / sizeof everything[0] };

static void test_table(void)
{
    char expected[1024], text[ROOM];
    uint32_t length;
    size_t u64 = offsetof(struct everything, u64);
    size_t f64 = offsetof(struct everything, f64);
    size_t rest = f64 + 8;
    snprintf(expected, sizeof expected,
             "u8:u8@0; i8:i8@1; u16:u16@2; i16:i16@4; u32:u32@8; i32:i32@12; "
             "u64:u64@%zu; i64:i64@%zu; f32:f32@%zu; f64:f64@%zu; "
             "truth:bool@%zu; letter:char@%zu; text:char[5]@%zu; "
             "shared:u32@%zu; shared_many:i16[3]@%zu; "
             "one:{x:f32@0; y:f32@4; size 8}@%zu; "
             "many:{x:f32@0; y:f32@4; size 8}[2]@%zu; large:u8[1000]@%zu; size "
             "%zu",
             u64, u64 + 8, u64 + 16, f64, rest, rest + 1, rest + 2, rest + 8,
             rest + 12, rest + 24, rest + 32, rest + 48,
             sizeof(struct everything));
    CHECK_OK(winshm_format_layout(everything, EVERYTHING,
                                  sizeof(struct everything), text, sizeof text,
                                  &length));
    if (strcmp(text, expected) != 0)
        check_end(1, __FILE__, __LINE__, "it is %s", text);
    CHECK_EQ(length, strlen(text));
    CHECK_OK(winshm_format_layout(NULL, 0, 7, text, 7, &length));
    CHECK(strcmp(text, "size 7") == 0 && length == 6);
    /* An enumeration's sign is the compiler's choice. */
    winshm_field colour = WINSHM_FIELD(struct everything, colour);
    CHECK(colour.kind == WINSHM_FIELD_U32 || colour.kind == WINSHM_FIELD_I32);
    CHECK_EQ(colour.offset, rest + 20);
    /* What is told apart by its width only. */
    struct words {
        long l;
        unsigned long u;
    };
    winshm_field words[] = {WINSHM_FIELD(struct words, l),
                            WINSHM_FIELD(struct words, u)};
    CHECK_EQ(words[0].kind,
             sizeof(long) == 8 ? WINSHM_FIELD_I64 : WINSHM_FIELD_I32);
    CHECK_EQ(words[1].kind,
             sizeof(long) == 8 ? WINSHM_FIELD_U64 : WINSHM_FIELD_U32);
    CHECK_EQ(words[1].offset, sizeof(long));
#if !defined(__STDC_NO_ATOMICS__)
    struct atomics {
        _Atomic uint32_t one;
        _Atomic(uint64_t) many[3];
    };
    winshm_field atomics[] = {WINSHM_FIELD(struct atomics, one),
                              WINSHM_FIELD(struct atomics, many)};
    CHECK_OK(winshm_format_layout(atomics, 2, sizeof(struct atomics), text,
                                  sizeof text, &length));
    CHECK(strcmp(text, "one:u32@0; many:u64[3]@8; size 32") == 0);
#endif
}

/** The text is as long as it is, and the room is respected to the byte. */
static void test_room(void)
{
    char text[64];
    uint32_t length;
    for (uint32_t room = 0; room < 32; room++) {
        memset(text, 0x5A, sizeof text);
        length = 99;
        winshm_status status = winshm_format_layout(
            point, 2, 8, room == 0 ? NULL : text, room, &length);
        CHECK_EQ(length, 24);
        CHECK_EQ(status, room > 24 ? WINSHM_OK : WINSHM_E_RANGE);
        if (room > 0)
            CHECK(strcmp(text, room > 24 ? "x:f32@0; y:f32@4; size 8" : "") ==
                  0);
        for (uint32_t i = room; i < sizeof text; i++)
            CHECK_EQ(text[i], 0x5A);
    }
    CHECK_STATUS(winshm_format_layout(point, 2, 8, text, 10, &length),
                 WINSHM_E_RANGE);
    CHECK(strstr(winshm_last_message(), "24 bytes and a NUL, capacity is 10") !=
          NULL);
}

/** A table that breaks a rule, and what is told. */
static void bad_table(int line, const winshm_field *fields, uint32_t count,
                      uint64_t bytes, const char *piece)
{
    char text[ROOM] = "before";
    uint32_t length = 99;
    CHECK_STATUS(
        winshm_format_layout(fields, count, bytes, text, sizeof text, &length),
        WINSHM_E_INVALID);
    CHECK(text[0] == '\0' && length == 0);
    if (strstr(winshm_last_message(), piece) == NULL)
        check_end(1, __FILE__, line, "%s", winshm_last_message());
}
#define BAD_TABLE(fields, count, bytes, piece)                                 \
    bad_table(__LINE__, fields, count, bytes, piece)

static void test_bad_tables(void)
{
    char text[8];
    uint32_t length;
    CHECK_STATUS(winshm_format_layout(point, 2, 8, text, sizeof text, NULL),
                 WINSHM_E_INVALID);
    CHECK_STATUS(winshm_format_layout(point, 2, 8, NULL, 1, &length),
                 WINSHM_E_INVALID);
    BAD_TABLE(NULL, 1, 8, "fields is NULL, and count is not 0");
    const winshm_field good = {"lives", NULL, 4, 0, 0, 0, WINSHM_FIELD_U8};
    winshm_field two[2] = {good, good};
    BAD_TABLE(two, 2, 8, "field 'lives': a field before it has the same name");
    BAD_TABLE(&good, 1, 4,
              "field 'lives': the field ends at byte 5, and its "
              "struct at 4");
#define WITH(change, piece)                                                    \
    do {                                                                       \
        winshm_field f = good;                                                 \
        change;                                                                \
        BAD_TABLE(&f, 1, 100, piece);                                          \
    } while (0)
    WITH(f.name = NULL, "the table: a field's name is NULL");
    WITH(f.name = "", "field '': that is no name");
    WITH(f.name = "a.b", "field 'a.b': that is no name");
    WITH(f.name = "9", "field '9': that is no name");
    WITH(f.name = "a b", "field 'a b': that is no name");
    WITH(f.name = "a;", "field 'a;': that is no name");
    WITH(f.name = "n234567890123456789012345678901234567890123456789012345678"
                  "9012345",
         "the name has more than 63 bytes");
    char endless[121] = "";
    memset(endless, 'n', 120);
    WITH(f.name = endless, "nn': the name has more than 63 bytes");
    WITH(f.kind = 0, "field 'lives': kind is 0");
    WITH(f.kind = 15, "field 'lives': kind is 15");
    WITH(f.kind = UINT32_MAX, "field 'lives': kind is 4294967295");
    WITH(f.offset = (uint64_t)1 << 63, "field 'lives': a number is not less");
    WITH(f.count = UINT64_MAX, "field 'lives': a number is not less");
    WITH(f.count = INT64_MAX, "field 'lives': the field does not end before");
    winshm_field nested = {"boxes", NULL, 0, 0, 8, 0, WINSHM_FIELD_STRUCT};
    char whole[64];
    CHECK_OK(winshm_format_layout(&nested, 1, 8, whole, sizeof whole, &length));
    CHECK(strcmp(whole, "boxes:{size 8}@0; size 8") == 0);
    nested.element = UINT64_MAX;
    BAD_TABLE(&nested, 1, 100, "field 'boxes': a number is not less");
    nested.element = 4;
    nested.field_count = 1;
    BAD_TABLE(&nested, 1, 100, "field 'boxes': fields is NULL");
    nested.fields = &good;
    BAD_TABLE(&nested, 1, 100, "field 'lives': the field ends at byte 5");
    BAD_TABLE(&good, 1, UINT64_MAX, "the table: a number is not less");
    /* A table inside itself has an end all the same. */
    winshm_field round = {"round", &round, 0, 0, 8, 1, WINSHM_FIELD_STRUCT};
    BAD_TABLE(&round, 1, 8, "field 'round': a struct lies more than 8 deep");
    static winshm_field many[200];
    for (int i = 0; i < 200; i++)
        many[i] =
            (winshm_field){"round", many, 0, 0, 8, 200, WINSHM_FIELD_STRUCT};
    BAD_TABLE(many, 200, 8, "a struct lies more than 8 deep");
    for (int i = 0; i < 200; i++)
        many[i] = (winshm_field){
            "n23456789012345678901234567890123456789012345678901234567890",
            NULL,
            0,
            0,
            0,
            0,
            WINSHM_FIELD_U8};
    BAD_TABLE(many, 200, 8, "the text gets longer than 8191 bytes");
    /* Wherever in it that is. */
    const char *long_name = many[1].name;
    char shorter[64];
    const uint32_t plain = 8191 / (uint32_t)(strlen(long_name) + 7) - 1;
    for (uint32_t i = plain; i < 200; i++)
        many[i] =
            (winshm_field){"boxes", &good, 0, 2, 8, 1, WINSHM_FIELD_STRUCT};
    for (uint32_t less = 0; less < 50; less++) {
        snprintf(shorter, sizeof shorter, "n%s", long_name + 1 + less);
        many[0].name = shorter;
        BAD_TABLE(many, plain + 8, 8, "the text gets longer than 8191 bytes");
    }
}

int main(void)
{
    test_table();
    test_room();
    test_bad_tables();
    return 0;
}
