/* Comparing two layout texts in their canonical form, which nobody can change
 * meanwhile: so nothing that is read here can be malformed. */
#include "schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** One field, as it stands in a text. */
struct field {
    const char *name;
    int name_length;
    uint32_t kind;
    const char *inside; /* of a struct: its first field, or size */
    const char *words;  /* of the kind, with its count */
    uint32_t count_length;
    uint64_t offset;
    const char *next; /* what follows it */
};

/** The end of a struct's inside: the brace. */
static const char *skip(const char *inside)
{
    for (uint32_t open = 0; *inside != '}' || open > 0; inside++)
        open = open + (*inside == '{') - (*inside == '}');
    return inside;
}

/** @return false: there is no field at the place, but "size". */
static bool parse(const char *at, struct field *f)
{
    f->name = at;
    f->name_length = (int)wshm_schema_name(at);
    at += f->name_length;
    if (*at != ':')
        return false;
    at++;
    f->inside = NULL;
    f->kind = WINSHM_FIELD_STRUCT;
    if (*at == '{') {
        f->inside = at + 1;
        at = skip(f->inside) + 1;
    } else {
        uint32_t length = wshm_schema_name(at);
        f->kind = wshm_schema_kind(at, length);
        at += length;
    }
    f->words = at;
    f->count_length = (uint32_t)strcspn(at, "@");
    char *end;
    f->offset = (uint64_t)strtoll(at + f->count_length + 1, &end, 10);
    f->next = end + 2;
    return true;
}

static uint64_t size_of(const char *inside)
{
    struct field f;
    while (parse(inside, &f))
        inside = f.next;
    return (uint64_t)strtoll(inside + sizeof "size", NULL, 10);
}

/** What is compared, how far it has come, and where it is. */
struct comparison {
    const char *text[2]; /* here, there */
    uint16_t fields[2][SCHEMA_FIELDS];
    uint32_t used[2];
    char path[128]; /* "boxes." */
    char *told;
};

static struct field field_at(const struct comparison *c, int side,
                             uint32_t index)
{
    struct field f;
    parse(c->text[side] + c->fields[side][index], &f);
    return f;
}

static bool before(const char *text, uint16_t a, uint16_t b)
{
    struct field one, other;
    parse(text + a, &one);
    parse(text + b, &other);
    if (one.offset != other.offset)
        return one.offset < other.offset;
    return wshm_schema_fold(one.name, other.name) < 0;
}

/** Lists the fields of a struct by offset. @return where the list begins. */
static uint32_t list(struct comparison *c, int side, const char *inside)
{
    uint32_t first = c->used[side];
    struct field f;
    for (; parse(inside, &f); inside = f.next)
        c->fields[side][c->used[side]++] = (uint16_t)(inside - c->text[side]);
    wshm_schema_sort(c->text[side], c->fields[side] + first,
                     c->used[side] - first, before);
    return first;
}

/** Finds a field by its name. */
static bool find(const struct comparison *c, int side, uint32_t first,
                 const char *name, struct field *found)
{
    for (uint32_t i = first; i < c->used[side]; i++) {
        *found = field_at(c, side, i);
        if (wshm_schema_fold(found->name, name) == 0)
            return true;
    }
    return false;
}

/** Kinds of which it does not matter which one a field is. */
static uint32_t likeness(uint32_t kind)
{
    switch (kind) {
    case WINSHM_FIELD_I8:
    case WINSHM_FIELD_BOOL:
    case WINSHM_FIELD_CHAR:
        return WINSHM_FIELD_U8;
    case WINSHM_FIELD_CHAR16:
        return WINSHM_FIELD_U16;
    default:
        return kind;
    }
}

/** True if two fields of the same name have one place and form. */
static bool alike(const struct field *a, const struct field *b)
{
    return a->offset == b->offset && likeness(a->kind) == likeness(b->kind) &&
           a->count_length == b->count_length &&
           memcmp(a->words, b->words, a->count_length) == 0;
}

/** Puts "u32[3] @8" into words. */
static const char *describe(char *room, size_t size, const struct field *f)
{
    snprintf(room, size, "%s%.*s @%" PRIu64,
             f->inside != NULL ? "struct" : wshm_schema_word(f->kind),
             (int)f->count_length, f->words, f->offset);
    return room;
}

/** Tells of a field that is not the same on both sides. @param side whose field
 * it is. @param beside what the other side has in its place, if anything. */
static bool differs(struct comparison *c, int side, const uint32_t first[2],
                    const struct field *f, const struct field *beside)
{
    static const char *const sides[2] = {"here", "in the region"};
    struct field other;
    char words[2][64];
    bool both = find(c, !side, first[!side], f->name, &other);
    bool renamed = !both && beside != NULL && beside->offset == f->offset &&
                   !find(c, side, first[side], beside->name, &other);
    if (renamed)
        other = *beside;
    describe(words[side], sizeof words[0], f);
    if (both || renamed)
        describe(words[!side], sizeof words[0], &other);
    const struct field *here = side == 0 ? f : &other;
    const struct field *there = side == 0 ? &other : f;
    if (both)
        snprintf(c->told, SCHEMA_DIFFERENCE,
                 "field '%s%.*s' is %s here, %s in the region", c->path,
                 here->name_length, here->name, words[0], words[1]);
    else if (renamed)
        snprintf(c->told, SCHEMA_DIFFERENCE,
                 "field '%s%.*s' is %s here, '%.*s' is %s in the region",
                 c->path, here->name_length, here->name, words[0],
                 there->name_length, there->name, words[1]);
    else
        snprintf(c->told, SCHEMA_DIFFERENCE,
                 "field '%s%.*s' is %s %s, and missing %s", c->path,
                 f->name_length, f->name, words[side], sides[side],
                 sides[!side]);
    return false;
}

static bool same(struct comparison *c, const char *here, const char *there);

/** Compares what two structs have inside. */
static bool same_inside(struct comparison *c, const struct field *a,
                        const struct field *b)
{
    size_t length = strlen(c->path);
    char path[sizeof c->path];
    memcpy(path, c->path, sizeof path);
    /* Where there is no room for the whole way, its end says the most. */
    if (length + (size_t)a->name_length + sizeof "." > sizeof path)
        length = (size_t)snprintf(c->path, sizeof c->path, "...");
    snprintf(c->path + length, sizeof c->path - length, "%.*s.", a->name_length,
             a->name);
    bool equal = same(c, a->inside, b->inside);
    memcpy(c->path, path, sizeof path);
    return equal;
}

static bool same_fields(struct comparison *c, const uint32_t first[2])
{
    uint32_t count[2] = {c->used[0] - first[0], c->used[1] - first[1]};
    struct field f[2];
    for (uint32_t i = 0; i < count[0] || i < count[1]; i++) {
        for (int side = 0; side < 2; side++)
            if (i < count[side])
                f[side] = field_at(c, side, first[side] + i);
        if (i >= count[0] || i >= count[1]) {
            int longer = i >= count[0];
            return differs(c, longer, first, &f[longer], NULL);
        }
        int order = wshm_schema_fold(f[0].name, f[1].name);
        /* What comes first on either side is the first difference. */
        int side =
            f[0].offset != f[1].offset ? f[0].offset > f[1].offset : order > 0;
        if (order != 0 || !alike(&f[0], &f[1]))
            return differs(c, side, first, &f[side], &f[!side]);
        if (f[0].inside != NULL && !same_inside(c, &f[0], &f[1]))
            return false;
    }
    return true;
}

static bool same(struct comparison *c, const char *here, const char *there)
{
    uint64_t size[2] = {size_of(here), size_of(there)};
    const uint32_t first[2] = {list(c, 0, here), list(c, 1, there)};
    bool equal = same_fields(c, first);
    c->used[0] = first[0];
    c->used[1] = first[1];
    if (!equal || size[0] == size[1])
        return equal;
    int path = (int)strlen(c->path);
    if (path == 0)
        snprintf(c->told, SCHEMA_DIFFERENCE,
                 "the layout has %" PRIu64 " bytes here, %" PRIu64
                 " in the region",
                 size[0], size[1]);
    else
        snprintf(c->told, SCHEMA_DIFFERENCE,
                 "struct '%.*s' has %" PRIu64 " bytes here, %" PRIu64
                 " in the region",
                 path - 1, c->path, size[0], size[1]);
    return false;
}

bool wshm_schema_same(const char *here, const char *there, char *told)
{
    struct comparison c;
    c.text[0] = here;
    c.text[1] = there;
    c.used[0] = 0;
    c.used[1] = 0;
    c.path[0] = '\0';
    c.told = told;
    return same(&c, here, there);
}
