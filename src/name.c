/* What a region may be called: the same on every system, so that a name that
 * works on one works on all. */
#include "name.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/** Length of the UTF-8 sequence at s, or 0 if it is malformed: overlong,
 * a surrogate, beyond U+10FFFF, or cut off by the end. @param out [out] the
 * code point. */
static size_t sequence(const unsigned char *s, uint32_t *out)
{
    size_t length;
    uint32_t code;
    *out = s[0];
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xC2 && s[0] <= 0xDF) {
        length = 2;
        code = s[0] & 0x1Fu;
    } else if ((s[0] & 0xF0) == 0xE0) {
        length = 3;
        code = s[0] & 0x0Fu;
    } else if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        length = 4;
        code = s[0] & 0x07u;
    } else {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3Fu);
    }
    if ((length == 3 && code < 0x800) || (length == 4 && code < 0x10000))
        return 0;
    if ((code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF)
        return 0;
    *out = code;
    return length;
}

static bool control_character(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

static bool skip(const char **s, const char *prefix)
{
    size_t length = strlen(prefix);
    if (strncmp(*s, prefix, length) != 0)
        return false;
    *s += length;
    return true;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/** True where ".winshm" stands at s in any case, followed by a dot or the end:
 * such names are those of our own objects. */
static bool reserved(const char *s)
{
    static const char own[] = ".winshm";
    for (size_t i = 0; i < sizeof own - 1; i++)
        if (lower(s[i]) != own[i])
            return false;
    return s[sizeof own - 1] == '.' || s[sizeof own - 1] == '\0';
}

void wshm_name_quote(char *text, size_t size, const char *name)
{
    size_t length = 0;
    while (*name != '\0') {
        char piece[5] = "";
        uint32_t code;
        size_t step = sequence((const unsigned char *)name, &code);
        if (step == 0 || control_character(code)) {
            step = 1;
            snprintf(piece, sizeof piece, "\\x%02X", (unsigned char)*name);
        } else {
            memcpy(piece, name, step);
        }
        if (length + strlen(piece) >= size)
            break;
        memcpy(text + length, piece, strlen(piece));
        length += strlen(piece);
        name += step;
    }
    text[length] = '\0';
}

winshm_status wshm_name_parse(const char *name, char *bare, bool *global)
{
    if (name == NULL)
        return WINSHM_E_INVALID;
    *global = skip(&name, "Global\\");
    if (!*global)
        skip(&name, "Local\\");
    size_t length = 0;
    while (name[length] != '\0') {
        uint32_t code;
        size_t step = sequence((const unsigned char *)name + length, &code);
        if (step == 0 || control_character(code) || code == '\\' ||
            code == '/' || reserved(name + length) ||
            length + step > WINSHM_NAME_MAX)
            return WINSHM_E_NAME;
        length += step;
    }
    if (length == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return WINSHM_E_NAME;
    memcpy(bare, name, length + 1);
    return WINSHM_OK;
}
