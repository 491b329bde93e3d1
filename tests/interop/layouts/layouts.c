/* SPDX-License-Identifier: MIT
 *
 * Prints the layout texts of ten structs, which are the same in all languages.
 */
#include <stdbool.h>
#include <stdio.h>
#include <winshm.h>

struct box {
    uint32_t full, length;
};
struct inner {
    int16_t x, y;
};
struct outer {
    struct box box;
    uint8_t flags[3];
    struct inner inner[2];
};
struct s1 {
    uint32_t score;
    uint8_t lives;
    bool ready;
    double ratio;
};
struct s2 {
    uint8_t a;
    int8_t b;
    uint16_t c;
    int16_t d;
    uint32_t e;
    int32_t f;
    uint64_t g;
    int64_t h;
    float i;
    double j;
    bool k;
};
struct s3 {
    uint8_t tag;
    struct box box;
};
struct s4 {
    uint32_t score;
    struct box boxes[3];
};
struct s5 {
    uint16_t ids[5];
    double values[2];
};
struct s6 {
    char name[16];
    uint32_t id;
    char note[7];
};
/* Some 32-bit compilers would place what has 8 bytes at multiples of 4. */
struct s7 {
    uint32_t a;
    _Alignas(8) int64_t b;
    uint8_t c;
    _Alignas(8) double d;
};
#pragma pack(push, 1)
struct s8 {
    uint8_t a;
    uint32_t b;
    uint16_t c;
    uint64_t d;
};
#pragma pack(pop)
union s9 {
    uint32_t word;
    float real;
    uint16_t halves[2];
};
struct s10 {
    struct outer items[2];
    uint16_t title[8];
};

static const winshm_field box[] = {WINSHM_FIELD(struct box, full),
                                   WINSHM_FIELD(struct box, length)};
static const winshm_field inner[] = {WINSHM_FIELD(struct inner, x),
                                     WINSHM_FIELD(struct inner, y)};
static const winshm_field outer[] = {
    WINSHM_NESTED(struct outer, box, box), WINSHM_FIELD(struct outer, flags),
    WINSHM_NESTED_ARRAY(struct outer, inner, inner)};
static const winshm_field s1[] = {
    WINSHM_FIELD(struct s1, score), WINSHM_FIELD(struct s1, lives),
    WINSHM_FIELD(struct s1, ready), WINSHM_FIELD(struct s1, ratio)};
static const winshm_field s2[] = {
    WINSHM_FIELD(struct s2, a), WINSHM_FIELD(struct s2, b),
    WINSHM_FIELD(struct s2, c), WINSHM_FIELD(struct s2, d),
    WINSHM_FIELD(struct s2, e), WINSHM_FIELD(struct s2, f),
    WINSHM_FIELD(struct s2, g), WINSHM_FIELD(struct s2, h),
    WINSHM_FIELD(struct s2, i), WINSHM_FIELD(struct s2, j),
    WINSHM_FIELD(struct s2, k)};
static const winshm_field s3[] = {WINSHM_FIELD(struct s3, tag),
                                  WINSHM_NESTED(struct s3, box, box)};
static const winshm_field s4[] = {WINSHM_FIELD(struct s4, score),
                                  WINSHM_NESTED_ARRAY(struct s4, boxes, box)};
static const winshm_field s5[] = {WINSHM_FIELD(struct s5, ids),
                                  WINSHM_FIELD(struct s5, values)};
static const winshm_field s6[] = {WINSHM_FIELD(struct s6, name),
                                  WINSHM_FIELD(struct s6, id),
                                  WINSHM_FIELD(struct s6, note)};
static const winshm_field s7[] = {
    WINSHM_FIELD(struct s7, a), WINSHM_FIELD(struct s7, b),
    WINSHM_FIELD(struct s7, c), WINSHM_FIELD(struct s7, d)};
static const winshm_field s8[] = {
    WINSHM_FIELD(struct s8, a), WINSHM_FIELD(struct s8, b),
    WINSHM_FIELD(struct s8, c), WINSHM_FIELD(struct s8, d)};
static const winshm_field s9[] = {WINSHM_FIELD(union s9, word),
                                  WINSHM_FIELD(union s9, real),
                                  WINSHM_FIELD(union s9, halves)};
/* C has no type of its own for UTF-16, so this field says what it is. */
static const winshm_field s10[] = {
    WINSHM_NESTED_ARRAY(struct s10, items, outer),
    {"title", NULL, offsetof(struct s10, title), 8, 0, 0, WINSHM_FIELD_CHAR16}};

static int failures;

static void print(const char *name, const winshm_field *fields, uint32_t count,
                  uint64_t size)
{
    char text[WINSHM_LAYOUT_MAX + 1];
    uint32_t length;
    if (winshm_format_layout(fields, count, size, text, sizeof text, &length) !=
        WINSHM_OK) {
        puts(winshm_last_message());
        failures++;
    }
    printf("%s: %s\n", name, text);
}

#define PRINT(name, table, type)                                               \
    print(name, table, sizeof(table) / sizeof((table)[0]), sizeof(type))

int main(void)
{
    PRINT("S1", s1, struct s1);
    PRINT("S2", s2, struct s2);
    PRINT("S3", s3, struct s3);
    PRINT("S4", s4, struct s4);
    PRINT("S5", s5, struct s5);
    PRINT("S6", s6, struct s6);
    PRINT("S7", s7, struct s7);
    PRINT("S8", s8, struct s8);
    PRINT("S9", s9, union s9);
    PRINT("S10", s10, struct s10);
    return failures != 0;
}
