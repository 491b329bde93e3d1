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
}

int main(void)
{
    test_right();
    test_wrong();
    test_limits();
    return 0;
}
