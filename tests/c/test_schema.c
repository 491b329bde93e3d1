/* Layout texts: every rule of the grammar, every limit, every malformed text
 * with the place that is told, the canonical form, comparison, and the text of
 * a table. */
#include <string.h>

#include "check.h"
#include "schema.h"

static char canonical[SCHEMA_ROOM];
static uint64_t size;

static struct schema_fault checked(const char *text)
{
    struct schema_fault fault;
    memset(canonical, 0x5A, sizeof canonical);
    bool right = wshm_schema_check(text, canonical, &size, &fault);
    CHECK_EQ(right, fault.what == NULL);
    return fault;
}

/** A text that is right, and its canonical form. */
static void right(int line, const char *text, const char *expected)
{
    char once[SCHEMA_ROOM];
    struct schema_fault fault = checked(text);
    if (fault.what != NULL)
        check_end(1, __FILE__, line, "%s: byte %u: %s", text,
                  (unsigned)fault.at, fault.what);
    if (strcmp(canonical, expected) != 0)
        check_end(1, __FILE__, line, "it is %s", canonical);
    /* What is canonical stays so. */
    strcpy(once, canonical);
    CHECK(checked(once).what == NULL && strcmp(canonical, once) == 0);
}
#define RIGHT(text, expected) right(__LINE__, text, expected)
#define STAYS(text) RIGHT(text, text)

static void test_right(void)
{
    STAYS("score:u32@0; lives:u8@4; boxes:{full:u32@0; length:u32@4; size "
          "8}[3]@8; size 32");
    CHECK_EQ(size, 32);
    STAYS("a:u8@0; b:i8@1; c:u16@2; d:i16@4; e:u32@8; f:i32@12; g:u64@16; "
          "h:i64@24; i:f32@32; j:f64@40; k:bool@48; l:char@49; m:char16@50; "
          "size 52");
    STAYS("size 1");
    STAYS("size 0");
    STAYS("empty:{size 0}@8; size 8");
    STAYS("empty:{size 0}[9223372036854775807]@8; size 8");
    STAYS("size 9223372036854775807");
    STAYS("last:u8@9223372036854775806; size 9223372036854775807");
    STAYS("all:u8[9223372036854775807]@0; size 9223372036854775807");
    /* Words of the grammar are names, too. */
    STAYS("size:u32@0; u8:u8@4; size 8");
    STAYS("size:{size:u8@0; size 1}@0; size 1");
    STAYS("_:u8@0; _1:u8@1; A_b9:u8@2; size 3");
    STAYS("Aa:u8@0; AAA:u8@0; aA1:u8@0; size 1");
    /* Overlaps, gaps, and any order. */
    STAYS("b:u32@4; a:u32@4; c:u8@7; d:u16[2]@0; size 100");
    /* The same name in different structs. */
    STAYS("a:{a:{a:u8@0; size 1}@0; size 1}@0; b:{a:u8@0; size 1}@1; size 2");
    RIGHT("a:u8@0;size 1", "a:u8@0; size 1");
    RIGHT(" \t\r\n a \t\r\n : \t\r\n u8 \t\r\n [ \t\r\n 3 \t\r\n ] \t\r\n @"
          " \t\r\n 0 \t\r\n ; \t\r\n size \t\r\n 3 \t\r\n ",
          "a:u8[3]@0; size 3");
    RIGHT("a : { b : u8 @ 0 ; size\n1 } @ 0 ; size\t1",
          "a:{b:u8@0; size 1}@0; size 1");
    RIGHT("size : u8 @ 0 ; size 1", "size:u8@0; size 1");
    RIGHT("a:{size 0}@0;b:{size 0}@0;size 0",
          "a:{size 0}@0; b:{size 0}@0; size 0");
}

/** A text that is wrong at a byte, and a piece of what is told. */
static void at(int line, const char *text, uint32_t byte, const char *piece)
{
    struct schema_fault fault = checked(text);
    if (fault.what == NULL)
        check_end(1, __FILE__, line, "it is right: %s", text);
    if (fault.at != byte || strstr(fault.what, piece) == NULL ||
        strncmp(fault.what, "{text}: ", 8) != 0)
        check_end(1, __FILE__, line, "%s: byte %u: %s", text,
                  (unsigned)fault.at, fault.what);
}
#define WRONG(text, byte, piece) at(__LINE__, text, byte, piece)

static void test_wrong(void)
{
    WRONG("", 0, "a name or size");
    WRONG("  ", 2, "a name or size");
    WRONG("a:u8@0;", 7, "a name or size");
    WRONG("a:u8@0; ", 8, "a name or size");
    WRONG(";", 0, "a name or size");
    WRONG("1a:u8@0; size 1", 0, "a name or size");
    WRONG("a:u8@0; 9:u8@0; size 1", 8, "a name or size");
    WRONG("\xC3\xA4:u8@0; size 1", 0, "a name or size");
    WRONG("a\xC3\xA4:u8@0; size 1", 1, "should be :");
    WRONG("a b:u8@0; size 1", 2, "should be :");
    WRONG("a-b:u8@0; size 1", 1, "should be :");
    WRONG("a", 1, "should be :");
    WRONG("a u8@0; size 1", 2, "should be :");
    WRONG("a:", 2, "a kind");
    WRONG("a:@0; size 1", 2, "a kind");
    WRONG("a: U8@0; size 1", 3, "a kind");
    WRONG("a:u128@0; size 16", 2, "a kind");
    WRONG("a:struct@0; size 16", 2, "a kind");
    WRONG("a:u@0; size 16", 2, "a kind");
    WRONG("a:u8x@0; size 16", 2, "a kind");
    WRONG("a:u 8@0; size 16", 2, "a kind");
    WRONG("a:[2]@0; size 16", 2, "a kind");
    WRONG("a:u8; size 1", 4, "@ or [");
    WRONG("a:u8 0; size 1", 5, "@ or [");
    WRONG("a:u8[1][1]@0; size 1", 7, "@ or [");
    WRONG("a:u8[]@0; size 1", 5, "a number");
    WRONG("a:u8[x]@0; size 1", 5, "a number");
    WRONG("a:u8[0]@0; size 1", 5, "at least 1");
    WRONG("a:u8[-1]@0; size 1", 5, "a number");
    WRONG("a:u8[01]@0; size 1", 5, "begins with 0");
    WRONG("a:u8[1@0; size 1", 6, "should be ]");
    WRONG("a:u8[1 1]@0; size 11", 7, "should be ]");
    WRONG("a:u8[0x1]@0; size 1", 5, "at least 1");
    WRONG("a:u8[9223372036854775808]@0; size 1", 5, "less than 2^63");
    WRONG("a:u8[18446744073709551617]@0; size 1", 5, "less than 2^63");
    WRONG("a:u8@; size 1", 5, "a number");
    WRONG("a:u8@+1; size 2", 5, "a number");
    WRONG("a:u8@00; size 1", 5, "begins with 0");
    WRONG("a:u8@ 01; size 2", 6, "begins with 0");
    WRONG("a:u8@9223372036854775808; size 1", 5, "less than 2^63");
    WRONG("a:u8@0", 6, "should be ;");
    WRONG("a:u8@0 size 1", 7, "should be ;");
    WRONG("a:u8@0, size 1", 6, "should be ;");
    WRONG("size", 4, "a number");
    WRONG("size x", 5, "a number");
    WRONG("size1", 5, "should be :");
    WRONG("Size 1", 5, "should be :");
    WRONG("size 01", 5, "begins with 0");
    WRONG("size 9223372036854775808", 5, "less than 2^63");
    WRONG("size 1;", 6, "the end");
    WRONG("size 1 1", 7, "the end");
    WRONG("size 1 a:u8@0;", 7, "the end");
    WRONG("size 1}", 6, "the end");
    WRONG("a:{size 1@0; size 1", 9, "should be }");
    WRONG("a:{}@0; size 1", 3, "a name or size");
    WRONG("a:{b:u8@0;}@0; size 1", 10, "a name or size");
    WRONG("a:{size 1", 9, "should be }");
    WRONG("a:{size 1}; size 1", 10, "@ or [");
    WRONG("{size 1}", 0, "a name or size");
    /* Names that are the same: the later one is told. */
    WRONG("a:u8@0; a:u8@1; size 2", 8, "same name");
    WRONG("maxSpeed:u8@0; max_speed:u8@1; size 2", 15, "same name");
    WRONG("c:u8@0; b:u8@0; B_:u8@0; _C:u8@0; size 1", 16, "same name");
    WRONG("_:u8@0; __:u8@0; size 1", 8, "same name");
    WRONG("x:u8@0; s:{a:u8@0; A:u8@0; size 1}@0; X:u8@0; size 1", 19,
          "same name");
    /* Fields that reach further than their struct: the furthest is told. */
    WRONG("a:u8@1; size 1", 0, "the field ends at byte");
    WRONG("a:u8@0; b:u8@1; c:u8@1; size 1", 8, "the field ends at byte");
    WRONG("x:u8@0; a:u32@0; b:u64@0; size 2", 17, "the field ends at byte");
    CHECK_EQ(checked("x:u8@0; a:u32@0; b:u64@0; size 2").b, 8);
    CHECK_EQ(checked("x:u8@0; a:u32@0; b:u64@0; size 2").c, 2);
    WRONG("s:{a:u32@1; size 4}@0; size 100", 3, "the field ends at byte");
    WRONG("s:{size 4}[3]@1; size 12", 0, "the field ends at byte");
    WRONG("a:u64@9223372036854775800; size 9223372036854775807", 0,
          "before 2^63");
    WRONG("a:u16[4611686018427387904]@0; size 9223372036854775807", 0,
          "before 2^63");
    WRONG("a:{size 9223372036854775807}[2]@0; size 9223372036854775807", 0,
          "before 2^63");
    WRONG("a:u8@9223372036854775807; size 9223372036854775807", 0,
          "before 2^63");
}

static char *repeat(char *to, const char *piece, int times)
{
    for (int i = 0; i < times; i++) {
        strcpy(to, piece);
        to += strlen(piece);
    }
    return to;
}

/** Writes fields with the shortest names, and a last one whose name makes it as
 * many bytes as wanted. @return how many fields. */
static int fill(char *text, uint32_t bytes)
{
    uint32_t left = bytes - (uint32_t)strlen("size 1");
    int fields = 0;
    for (; left >= 24; fields++) {
        char name[8] = "";
        int length = 0;
        for (int n = fields + 1; n > 0; n = (n - 1) / 26)
            name[length++] = (char)('a' + (n - 1) % 26);
        int wrote = sprintf(text, "%s:u8@0; ", name);
        text += wrote;
        left -= (uint32_t)wrote;
    }
    for (; left > strlen(":u8@0; "); left--)
        *text++ = 'Z';
    strcpy(text, ":u8@0; size 1");
    return fields + 1;
}

static void test_limits(void)
{
    static char text[3 * SCHEMA_ROOM];
    char name[65];
    memset(name, 'n', 64);
    name[64] = '\0';
    snprintf(text, sizeof text, "%s:u8@0; size 1", name + 1);
    STAYS(text);
    snprintf(text, sizeof text, "a:u8@0; %s:u8@0; size 1", name);
    WRONG(text, 8, "the name has more than");
    CHECK_EQ(checked(text).b, 63);
    /* Structs in structs. */
    strcpy(repeat(repeat(text, "s:{", 8), "size 0}@0; ", 8), "size 0");
    STAYS(text);
    strcpy(repeat(repeat(text, "s:{", 9), "size 0}@0; ", 9), "size 0");
    WRONG(text, 8 * 3 + 2, "deep");
    CHECK_EQ(checked(text).b, 8);
    /* However many: what is not closed costs nothing. */
    strcpy(repeat(text, "s:{", 2700), "size 0");
    WRONG(text, 8 * 3 + 2, "deep");
    /* Bytes, as given. */
    memset(text, ' ', SCHEMA_ROOM + 1);
    memcpy(text, "size 1", 6);
    text[WINSHM_LAYOUT_MAX] = '\0';
    RIGHT(text, "size 1");
    text[WINSHM_LAYOUT_MAX] = ' ';
    text[WINSHM_LAYOUT_MAX + 1] = '\0';
    WRONG(text, WINSHM_LAYOUT_MAX, "more than {b} bytes");
    CHECK_EQ(checked(text).b, WINSHM_LAYOUT_MAX);
    /* Bytes, as they are written. */
    CHECK(fill(text, WINSHM_LAYOUT_MAX) > 800);
    CHECK_EQ(strlen(text), WINSHM_LAYOUT_MAX);
    STAYS(text);
    fill(text, WINSHM_LAYOUT_MAX + 1);
    /* Without a space it is short enough as given. */
    char *last = strstr(text, " size");
    memmove(last, last + 1, strlen(last));
    CHECK_EQ(strlen(text), WINSHM_LAYOUT_MAX);
    WRONG(text, WINSHM_LAYOUT_MAX, "in its canonical form");
    CHECK_EQ(checked(text).b, WINSHM_LAYOUT_MAX);
    /* Wherever in it the room ends. */
    static const char tail[] = "s9:{t:u8[2]@0; size 2}[3]@0; size 6";
    for (uint32_t room = 0; room <= sizeof tail; room++) {
        fill(text, WINSHM_LAYOUT_MAX - room + (uint32_t)strlen("size 1"));
        strcpy(strstr(text, "size 1"), tail);
        size_t bytes = strlen(text);
        char *to = text;
        for (const char *at = text; *at != '\0'; at++)
            if (at[0] != ' ' || at[-1] != ';')
                *to++ = *at;
        *to = '\0';
        const char *what = checked(text).what;
        if (bytes <= WINSHM_LAYOUT_MAX)
            CHECK(what == NULL && strlen(canonical) == bytes);
        else
            CHECK(what != NULL && strstr(what, "canonical form") != NULL);
    }
}

/* Comparison. */

static void same(int line, const char *here, const char *there)
{
    char one[SCHEMA_ROOM], told[SCHEMA_DIFFERENCE];
    CHECK(checked(here).what == NULL);
    memcpy(one, canonical, sizeof one);
    CHECK(checked(there).what == NULL);
    if (!wshm_schema_same(one, canonical, told) ||
        !wshm_schema_same(canonical, one, told))
        check_end(1, __FILE__, line, "%s", told);
}
#define SAME(here, there) same(__LINE__, here, there)

static void differ(int line, const char *here, const char *there,
                   const char *expected)
{
    char one[SCHEMA_ROOM], told[SCHEMA_DIFFERENCE];
    CHECK(checked(here).what == NULL);
    memcpy(one, canonical, sizeof one);
    CHECK(checked(there).what == NULL);
    if (wshm_schema_same(one, canonical, told))
        check_end(1, __FILE__, line, "no difference is seen");
    if (strcmp(told, expected) != 0)
        check_end(1, __FILE__, line, "it is told: %s", told);
    CHECK(!wshm_schema_same(canonical, one, told));
}
#define DIFFER(here, there, expected) differ(__LINE__, here, there, expected)

static void test_same(void)
{
    SAME("size 0", "size 0");
    SAME("a:u32@0; b:u8@4; size 8", "a:u32@0; b:u8@4; size 8");
    /* The order in which fields are told, also where they overlap. */
    SAME("a:u32@0; b:u8@4; size 8", "b:u8@4; a:u32@0; size 8");
    SAME("a:u32@0; b:f32@0; c:u8[4]@0; size 4",
         "c:u8[4]@0; b:f32@0; a:u32@0; size 4");
    SAME("a:u8@10; b:u8@9; size 11", "b:u8@9; a:u8@10; size 11");
    /* Names in the manner of each language. */
    SAME("MaxSpeed:f32@0; X1:u8@4; size 8",
         "max_speed:f32@0; x_1:u8@4; size 8");
    SAME("maxSpeed:f32@0; size 4", "_MAX__SPEED_:f32@0; size 4");
    SAME("_:u8@0; size 1", "__:u8@0; size 1");
    /* Small kinds. */
    const char *const bytes[] = {"u8", "i8", "bool", "char"};
    for (int i = 0; i < 16; i++) {
        char here[64], there[64];
        snprintf(here, sizeof here, "a:%s[3]@0; b:%s@3; size 4", bytes[i / 4],
                 bytes[i / 4]);
        snprintf(there, sizeof there, "a:%s[3]@0; b:%s@3; size 4", bytes[i % 4],
                 bytes[i % 4]);
        SAME(here, there);
    }
    SAME("a:u16[3]@0; size 6", "a:char16[3]@0; size 6");
    /* Nested. */
    SAME("s:{b:u8@1; a:u8@0; size 2}[3]@0; size 6",
         "S:{A:char@0; B:bool@1; size 2}[3]@0; size 6");
}

static void test_difference(void)
{
    DIFFER("score:u32@0; lives:u8@4; size 8",
           "score:u32@0; lives:u32@4; size 8",
           "field 'lives' is u8 @4 here, u32 @4 in the region");
    DIFFER("a:u8@0; size 8", "a:u8@4; size 8",
           "field 'a' is u8 @0 here, u8 @4 in the region");
    DIFFER("a:u8[3]@0; size 8", "a:u8[4]@0; size 8",
           "field 'a' is u8[3] @0 here, u8[4] @0 in the region");
    DIFFER("a:u8[1]@0; size 8", "a:u8@0; size 8",
           "field 'a' is u8[1] @0 here, u8 @0 in the region");
    /* All other kinds of the same width. */
    static const char *const pairs[][2] = {
        {"u16", "i16"}, {"i16", "char16"}, {"u32", "i32"}, {"u32", "f32"},
        {"i32", "f32"}, {"u64", "i64"},    {"u64", "f64"}, {"i64", "f64"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char here[64], there[64], told[96];
        snprintf(here, sizeof here, "a:%s@0; size 8", pairs[i][0]);
        snprintf(there, sizeof there, "a:%s@0; size 8", pairs[i][1]);
        snprintf(told, sizeof told,
                 "field 'a' is %s @0 here, %s @0 in the region", pairs[i][0],
                 pairs[i][1]);
        DIFFER(here, there, told);
    }
    DIFFER("a:u32@0; size 8", "a:{size 4}@0; size 8",
           "field 'a' is u32 @0 here, struct @0 in the region");
    DIFFER("a:{size 4}[2]@0; size 8", "a:u32[2]@0; size 8",
           "field 'a' is struct[2] @0 here, u32[2] @0 in the region");
    /* Renamed, added, removed, moved. */
    DIFFER("a:u32@0; b:u8@4; size 8", "a:u32@0; c:u8@4; size 8",
           "field 'b' is u8 @4 here, 'c' is u8 @4 in the region");
    DIFFER("ab:u32@0; size 4", "a:u32@0; size 4",
           "field 'ab' is u32 @0 here, 'a' is u32 @0 in the region");
    DIFFER("a:u32@0; size 8", "a:u32@0; b:u8@4; size 8",
           "field 'b' is u8 @4 in the region, and missing here");
    DIFFER("a:u32@0; b:u8@4; size 8", "a:u32@0; size 8",
           "field 'b' is u8 @4 here, and missing in the region");
    DIFFER("a:u32@0; b:u32@4; size 8", "a:u32@0; c:u32@4; b:u32@8; size 12",
           "field 'b' is u32 @4 here, u32 @8 in the region");
    DIFFER("x:u32@0; a:u32@4; size 8", "a:u32@4; size 8",
           "field 'x' is u32 @0 here, and missing in the region");
    DIFFER("a:u32@4; size 8", "x:u32@0; a:u32@4; size 8",
           "field 'x' is u32 @0 in the region, and missing here");
    DIFFER("a:u32@0; b:f32@0; size 8", "b:f32@0; size 8",
           "field 'a' is u32 @0 here, and missing in the region");
    DIFFER("a:u8@9; b:u8@10; size 11", "b:u8@9; a:u8@10; size 11",
           "field 'a' is u8 @9 here, u8 @10 in the region");
    /* Sizes come last. */
    DIFFER("a:u32@0; size 8", "a:u32@0; size 4",
           "the layout has 8 bytes here, 4 in the region");
    DIFFER("s:{a:u8@0; size 4}[2]@0; size 8", "s:{a:u8@0; size 2}[2]@0; size 8",
           "struct 's' has 4 bytes here, 2 in the region");
    /* Inside. */
    DIFFER("s:{t:{a:u8@0; size 8}@0; size 8}@0; size 8",
           "s:{t:{a:u8@1; size 8}@0; size 8}@0; size 8",
           "field 's.t.a' is u8 @0 here, u8 @1 in the region");
    DIFFER("s:{t:{size 8}@0; size 8}@0; size 8",
           "s:{t:{size 4}@0; size 8}@0; size 8",
           "struct 's.t' has 8 bytes here, 4 in the region");
    DIFFER("s:{a:u8@0; size 8}@0; b:u8@8; size 9",
           "s:{a:u8@0; size 8}@0; b:u16@8; size 10",
           "field 'b' is u8 @8 here, u16 @8 in the region");
    DIFFER("size:{size:u8@0; size 1}@0; size 1",
           "size:{size:u16@0; size 2}@0; size 2",
           "field 'size.size' is u8 @0 here, u16 @0 in the region");
}

/** The longest names and numbers there are, and as many structs. */
static void test_longest(void)
{
    static char here[SCHEMA_ROOM], there[SCHEMA_ROOM];
    static const char number[] = "9223372036854775806";
    char name[64], told[SCHEMA_DIFFERENCE];
    char expected[2 * SCHEMA_DIFFERENCE];
    char *h = here, *t = there;
    memset(name, 'n', 63);
    name[63] = '\0';
    for (int i = 0; i < 8; i++) {
        name[0] = (char)('a' + i);
        h += sprintf(h, "%s:{", name);
        t += sprintf(t, "%s:{", name);
    }
    h += sprintf(h, "x%s:bool@%s; size 9223372036854775807", name + 1, number);
    t += sprintf(t, "y%s:bool@%s; size 9223372036854775807", name + 1, number);
    for (int i = 0; i < 8; i++) {
        h += sprintf(h, "}@0; size 9223372036854775807");
        t += sprintf(t, "}@0; size 9223372036854775807");
    }
    CHECK(checked(here).what == NULL && checked(there).what == NULL);
    CHECK(!wshm_schema_same(here, there, told));
    snprintf(expected, sizeof expected,
             "field '...%s.x%s' is bool @%s here, 'y%s' is bool @%s in the "
             "region",
             name, name + 1, number, name + 1, number);
    if (strcmp(told, expected) != 0)
        check_end(1, __FILE__, __LINE__, "%s", told);
    /* However the fields are mixed up, all of them are looked at. */
    int fields = fill(here, WINSHM_LAYOUT_MAX);
    const char *at = here + strlen(here) - strlen("size 1");
    t = there;
    for (int i = 0; i < fields; i++) {
        const char *from = at - 2;
        while (from > here && from[-1] != ' ')
            from--;
        memcpy(t, from, (size_t)(at - from));
        t += at - from;
        at = from;
    }
    strcpy(t, "size 1");
    SAME(here, there);
    /* Whichever is another one is found. */
    memcpy(strstr(here, "size 1"), "size 2", 6);
    memcpy(strstr(there, "size 1"), "size 2", 6);
    for (int i = 0; i < 10; i++) {
        char *offset = strstr(there + i * 800, "@0") + 1;
        *offset = '1';
        CHECK(checked(there).what == NULL);
        CHECK(!wshm_schema_same(here, there, told));
        CHECK(strstr(told, "u8 @0 here, u8 @1 in the region") != NULL);
        *offset = '0';
    }
}

int main(void)
{
    test_right();
    test_wrong();
    test_limits();
    test_same();
    test_difference();
    test_longest();
    return 0;
}
