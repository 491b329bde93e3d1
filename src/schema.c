/* Reading a layout text, and writing it in its canonical form. */
#include "schema.h"

#include <string.h>

static const struct {
    const char *word;
    uint32_t bytes;
} kinds[] = {
    [WINSHM_FIELD_U8] = {"u8", 1},         [WINSHM_FIELD_I8] = {"i8", 1},
    [WINSHM_FIELD_U16] = {"u16", 2},       [WINSHM_FIELD_I16] = {"i16", 2},
    [WINSHM_FIELD_U32] = {"u32", 4},       [WINSHM_FIELD_I32] = {"i32", 4},
    [WINSHM_FIELD_U64] = {"u64", 8},       [WINSHM_FIELD_I64] = {"i64", 8},
    [WINSHM_FIELD_F32] = {"f32", 4},       [WINSHM_FIELD_F64] = {"f64", 8},
    [WINSHM_FIELD_BOOL] = {"bool", 1},     [WINSHM_FIELD_CHAR] = {"char", 1},
    [WINSHM_FIELD_CHAR16] = {"char16", 2},
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

const char *wshm_schema_word(uint32_t kind)
{
    return kind < KINDS ? kinds[kind].word : NULL;
}

uint32_t wshm_schema_bytes(uint32_t kind)
{
    return kinds[kind].bytes;
}

uint32_t wshm_schema_kind(const char *word, uint32_t length)
{
    for (uint32_t kind = 0; kind < KINDS; kind++)
        if (kinds[kind].word != NULL && strlen(kinds[kind].word) == length &&
            memcmp(kinds[kind].word, word, length) == 0)
            return kind;
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

uint32_t wshm_schema_name(const char *text)
{
    uint32_t length = 0;
    if (is_letter(text[0]))
        while (is_letter(text[length]) || is_digit(text[length]))
            length++;
    return length;
}

/** The next byte of a name that counts, in lower case; 0 behind the last. */
static int folded(const char **at)
{
    while (**at == '_')
        ++*at;
    char c = **at;
    if (!is_letter(c) && !is_digit(c))
        return 0;
    ++*at;
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

int wshm_schema_fold(const char *a, const char *b)
{
    for (;;) {
        int one = folded(&a);
        int other = folded(&b);
        if (one != other || one == 0)
            return one - other;
    }
}

void wshm_schema_sort(const char *text, uint16_t *at, uint32_t count,
                      wshm_schema_before *before)
{
    /* Shell's: fields mostly are in order already, and nobody can make it take
     * long by seeing to it that they are not. */
    for (uint32_t gap = 364; gap > 0; gap /= 3)
        for (uint32_t i = gap; i < count; i++) {
            uint16_t moved = at[i];
            uint32_t to = i;
            for (; to >= gap && before(text, moved, at[to - gap]); to -= gap)
                at[to] = at[to - gap];
            at[to] = moved;
        }
}

/** A text that is being read. Functions that read return false after a fault,
 * and leave the rest as it is. */
struct reading {
    const char *text;
    uint32_t at; /* the next byte */
    char *out;
    uint32_t written;
    struct schema_fault *fault;
    /* Where the names begin of the structs that are not complete. */
    uint16_t names[SCHEMA_FIELDS];
    uint32_t named;
};

static bool wrong_by(struct reading *r, uint32_t at, const char *what,
                     uint64_t b, uint64_t c)
{
    *r->fault = (struct schema_fault){what, at, b, c};
    return false;
}

static bool wrong(struct reading *r, uint32_t at, const char *what)
{
    return wrong_by(r, at, what, 0, 0);
}

static bool put(struct reading *r, const char *bytes, uint32_t length)
{
    if (length > WINSHM_LAYOUT_MAX - r->written)
        return wrong_by(r, r->at,
                        "{text}: in its canonical form it has more than {b} "
                        "bytes",
                        WINSHM_LAYOUT_MAX, 0);
    memcpy(r->out + r->written, bytes, length);
    r->written += length;
    return true;
}

/** The next byte that is no space. */
static char peek(struct reading *r)
{
    while (r->text[r->at] != '\0' && strchr(" \t\r\n", r->text[r->at]) != NULL)
        r->at++;
    return r->text[r->at];
}

/** Reads a sign, and writes what stands for it. */
static bool sign(struct reading *r, char expected, const char *canonical,
                 const char *what)
{
    if (peek(r) != expected)
        return wrong(r, r->at, what);
    r->at++;
    return put(r, canonical, (uint32_t)strlen(canonical));
}

static bool number(struct reading *r, uint64_t *value)
{
    peek(r);
    uint32_t start = r->at;
    *value = 0;
    if (!is_digit(r->text[start]))
        return wrong(r, start, "{text}: here should be a number");
    for (; is_digit(r->text[r->at]); r->at++) {
        uint32_t digit = (uint32_t)(r->text[r->at] - '0');
        if (*value > (SCHEMA_NUMBER_MAX - digit) / 10)
            return wrong(r, start, "{text}: the number is not less than 2^63");
        *value = *value * 10 + digit;
    }
    if (r->text[start] == '0' && r->at - start > 1)
        return wrong(r, start, "{text}: the number begins with 0");
    return put(r, r->text + start, r->at - start);
}

/** Reads "[count]" if it is there. @param count [out] 1 if not. */
static bool elements(struct reading *r, uint64_t *count)
{
    *count = 1;
    if (peek(r) != '[')
        return true;
    if (!sign(r, '[', "[", "") || !number(r, count))
        return false;
    if (*count == 0)
        return wrong(r, r->at - 1, "{text}: an array has at least 1 element");
    return sign(r, ']', "]", "{text}: here should be ]");
}

static bool structure(struct reading *r, uint32_t depth, uint64_t *size);

/** Reads a kind. @param element [out] bytes of one. */
static bool kind(struct reading *r, uint32_t depth, uint64_t *element)
{
    if (peek(r) == '{') {
        if (depth == SCHEMA_DEPTH)
            return wrong_by(r, r->at,
                            "{text}: a struct lies more than {b} deep",
                            SCHEMA_DEPTH, 0);
        return sign(r, '{', "{", "") && structure(r, depth + 1, element) &&
               sign(r, '}', "}", "{text}: here should be }");
    }
    const char *word = r->text + r->at;
    uint32_t length = wshm_schema_name(word);
    uint32_t found = wshm_schema_kind(word, length);
    if (found == 0)
        return wrong(r, r->at, "{text}: here should be a kind");
    r->at += length;
    *element = wshm_schema_bytes(found);
    return put(r, word, length);
}

/** Reads a field whose name is at a place. @param end [out] the byte behind it,
 * counted from the start of its struct. */
static bool field(struct reading *r, uint32_t name, uint32_t length,
                  uint32_t depth, uint64_t *end)
{
    uint64_t element, count, offset;
    if (length > SCHEMA_NAME_MAX)
        return wrong_by(r, name, "{text}: the name has more than {b} bytes",
                        SCHEMA_NAME_MAX, 0);
    if (!put(r, r->text + name, length) ||
        !sign(r, ':', ":", "{text}: here should be :") ||
        !kind(r, depth, &element) || !elements(r, &count) ||
        !sign(r, '@', "@", "{text}: here should be @ or [") ||
        !number(r, &offset) || !sign(r, ';', "; ", "{text}: here should be ;"))
        return false;
    if (element != 0 && count > (SCHEMA_NUMBER_MAX - offset) / element)
        return wrong(r, name, "{text}: the field does not end before 2^63");
    *end = offset + count * element;
    /* What is written has room for no more fields than this. */
    r->names[r->named++] = (uint16_t)name;
    return true;
}

static bool before(const char *text, uint16_t a, uint16_t b)
{
    int order = wshm_schema_fold(text + a, text + b);
    return order != 0 ? order < 0 : a < b;
}

/** Looks for two names that are the same. */
static bool names_differ(struct reading *r, uint32_t first)
{
    uint16_t *names = r->names + first;
    uint32_t again = UINT32_MAX;
    wshm_schema_sort(r->text, names, r->named - first, before);
    for (uint32_t i = 1; i < r->named - first; i++)
        if (names[i] < again &&
            wshm_schema_fold(r->text + names[i - 1], r->text + names[i]) == 0)
            again = names[i];
    r->named = first;
    return again == UINT32_MAX ||
           wrong(r, again,
                 "{text}: a field before it has the same name, "
                 "without regard to case and underscores");
}

/** Reads the inside of a struct, or the whole. */
static bool structure(struct reading *r, uint32_t depth, uint64_t *size)
{
    uint32_t first = r->named;
    uint64_t end = 0; /* of the field that reaches furthest */
    uint32_t furthest = 0;
    for (;;) {
        peek(r);
        uint32_t name = r->at;
        uint32_t length = wshm_schema_name(r->text + name);
        uint64_t reaches;
        if (length == 0)
            return wrong(r, name, "{text}: here should be a name or size");
        r->at += length;
        if (length == 4 && memcmp(r->text + name, "size", 4) == 0 &&
            peek(r) != ':')
            break;
        if (!field(r, name, length, depth, &reaches))
            return false;
        if (reaches > end) {
            end = reaches;
            furthest = name;
        }
    }
    if (!put(r, "size ", 5) || !number(r, size))
        return false;
    if (end > *size)
        return wrong_by(
            r, furthest,
            "{text}: the field ends at byte {b}, and its struct at {c}", end,
            *size);
    return names_differ(r, first);
}

bool wshm_schema_check(const char *text, char *canonical, uint64_t *size,
                       struct schema_fault *fault)
{
    struct reading r;
    r.text = text;
    r.at = 0;
    r.out = canonical;
    r.written = 0;
    r.fault = fault;
    r.named = 0;
    *fault = (struct schema_fault){NULL, 0, 0, 0};
    if (memchr(text, '\0', SCHEMA_ROOM) == NULL)
        return wrong_by(&r, WINSHM_LAYOUT_MAX,
                        "{text}: it has more than {b} bytes", WINSHM_LAYOUT_MAX,
                        0);
    if (!structure(&r, 0, size))
        return false;
    if (peek(&r) != '\0')
        return wrong(&r, r.at, "{text}: here should be the end");
    canonical[r.written] = '\0';
    return true;
}
