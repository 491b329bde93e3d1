/* Layout texts, which say what the bytes of a region are: winshm.h has the
 * grammar. Pure functions without a heap, which never look further than a text
 * may be long. "Layout" alone is the control block's here: see layout.h. */
#ifndef WINSHM_SCHEMA_H
#define WINSHM_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "winshm.h"

enum {
    SCHEMA_ROOM = WINSHM_LAYOUT_MAX + 1, /* for any text and its NUL */
    SCHEMA_NAME_MAX = 63,                /* bytes of a field's name */
    SCHEMA_DEPTH = 8,                    /* structs around a field, but for the
                                            outermost */
    SCHEMA_FIELDS = WINSHM_LAYOUT_MAX / 8, /* none is shorter than "a:u8@0; " */
    SCHEMA_DIFFERENCE = 400                /* room for any difference */
};

/** Numbers are less than 2^63. */
#define SCHEMA_NUMBER_MAX ((uint64_t)INT64_MAX)

/** What is wrong with a text. */
struct schema_fault {
    /** A literal: NULL: nothing. {text} is the text or the field, {b} and {c}
     * are the numbers. */
    const char *what;
    uint32_t at; /* the byte that it is about; a field's name if it is one */
    uint64_t b;
    uint64_t c;
};

/**
 * Check a text, and write it down in its one canonical form.
 *
 * @param text      of any length; no more than WINSHM_LAYOUT_MAX + 1 bytes are
 *                  looked at.
 * @param canonical [out] room for SCHEMA_ROOM bytes; undefined after a fault.
 * @param size      [out] the bytes of the outermost struct.
 * @return false: see fault.
 */
bool wshm_schema_check(const char *text, char *canonical, uint64_t *size,
                       struct schema_fault *fault);

/**
 * Write down the text for a table of fields. Whether the whole keeps the rules
 * is for wshm_schema_check() to tell.
 *
 * @param text [out] room for SCHEMA_ROOM bytes; undefined after a fault.
 * @param name [out] of the field at fault, as it is given, or NULL: the table's
 *             own.
 * @return false: see fault, whose at means nothing.
 */
bool wshm_schema_format(const winshm_field *fields, uint32_t count,
                        uint64_t size, char *text, const char **name,
                        struct schema_fault *fault);

/**
 * Compare two canonical texts.
 *
 * @param told [out] room for SCHEMA_DIFFERENCE bytes: the first difference, for
 *             people to read.
 * @return true if they mean the same.
 */
bool wshm_schema_same(const char *here, const char *there, char *told);

/* What the parts of this module share. */

/** The word for a kind. @return NULL: there is no such kind, or it is a struct,
 * which has no word. */
const char *wshm_schema_word(uint32_t kind);

/** The bytes of one of a kind that is no struct. */
uint32_t wshm_schema_bytes(uint32_t kind);

/** The kind whose word has these bytes. @return 0: none. */
uint32_t wshm_schema_kind(const char *word, uint32_t length);

/** How many bytes at text could be a name or a word of the grammar; 0: none. */
uint32_t wshm_schema_name(const char *text);

/** Compare two names without regard to case and underscores. @return < 0, 0 or
 * > 0, as memcmp(). */
int wshm_schema_fold(const char *a, const char *b);

/** Puts positions in a text in order. */
typedef bool wshm_schema_before(const char *text, uint16_t a, uint16_t b);
void wshm_schema_sort(const char *text, uint16_t *at, uint32_t count,
                      wshm_schema_before *before);

#endif
