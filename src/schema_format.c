/* Making a layout text of a table of fields. */
#include "schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/** A text that grows. Functions return false after a fault. */
struct writing {
    char *text;
    uint32_t length;
    const char **name;
    struct schema_fault *fault;
};

static bool wrong(struct writing *w, const char *what, uint64_t b)
{
    *w->fault = (struct schema_fault){what, 0, b, 0};
    return false;
}

static bool say(struct writing *w, const char *piece)
{
    size_t length = strlen(piece);
    if (length > WINSHM_LAYOUT_MAX - w->length)
        return wrong(w, "{text}: the text gets longer than {b} bytes",
                     WINSHM_LAYOUT_MAX);
    memcpy(w->text + w->length, piece, length + 1);
    w->length += (uint32_t)length;
    return true;
}

static bool say_number(struct writing *w, const char *before, uint64_t number,
                       const char *behind)
{
    char piece[48];
    if (number > SCHEMA_NUMBER_MAX)
        return wrong(w, "{text}: a number is not less than 2^63", 0);
    snprintf(piece, sizeof piece, "%s%" PRIu64 "%s", before, number, behind);
    return say(w, piece);
}

static bool say_table(struct writing *w, const winshm_field *fields,
                      uint32_t count, uint64_t size, uint32_t depth);

static bool say_struct(struct writing *w, const winshm_field *f, uint32_t depth)
{
    const char *name = f->name;
    if (depth == SCHEMA_DEPTH)
        return wrong(w, "{text}: a struct lies more than {b} deep",
                     SCHEMA_DEPTH);
    if (f->fields == NULL && f->field_count != 0)
        return wrong(w, "{text}: fields is NULL, and field_count is not 0", 0);
    if (!say(w, "{") ||
        !say_table(w, f->fields, f->field_count, f->element, depth + 1))
        return false;
    *w->name = name;
    return say(w, "}");
}

static bool say_field(struct writing *w, const winshm_field *f, uint32_t depth)
{
    const char *word = wshm_schema_word(f->kind);
    *w->name = f->name;
    if (f->name == NULL)
        return wrong(w, "{text}: a field's name is NULL", 0);
    uint32_t length = wshm_schema_name(f->name);
    if (length == 0 || f->name[length] != '\0')
        return wrong(w, "{text}: that is no name", 0);
    if (word == NULL && f->kind != WINSHM_FIELD_STRUCT)
        return wrong(w, "{text}: kind is {b}", f->kind);
    if (!say(w, f->name) || !say(w, ":"))
        return false;
    if (word != NULL ? !say(w, word) : !say_struct(w, f, depth))
        return false;
    return (f->count == 0 || say_number(w, "[", f->count, "]")) &&
           say_number(w, "@", f->offset, "; ");
}

static bool say_table(struct writing *w, const winshm_field *fields,
                      uint32_t count, uint64_t size, uint32_t depth)
{
    /* The name of the struct, or NULL, which its size belongs to. */
    const char *name = *w->name;
    /* However large count is: the text ends it soon. */
    for (uint32_t i = 0; i < count; i++)
        if (!say_field(w, &fields[i], depth))
            return false;
    *w->name = name;
    return say_number(w, "size ", size, "");
}

bool wshm_schema_format(const winshm_field *fields, uint32_t count,
                        uint64_t size, char *text, const char **name,
                        struct schema_fault *fault)
{
    struct writing w = {text, 0, name, fault};
    *name = NULL;
    *fault = (struct schema_fault){NULL, 0, 0, 0};
    return say_table(&w, fields, count, size, 0);
}
