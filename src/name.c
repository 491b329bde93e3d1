/* What a region may be called: the same on every system, so that a name that
 * works on one works on all. */
#include "name.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "status.h"
#include "text.h"

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

static winshm_status malformed(const char *what, uint64_t position,
                               uint64_t most)
{
    return wshm_error_detail(WINSHM_E_NAME, what, NULL, position, most, 0);
}

/** What is wrong with the character at a position, or NULL. */
static const char *objection(const char *bare, size_t position, size_t step,
                             uint32_t code)
{
    if (step == 0)
        return "byte {a} begins no character of UTF-8";
    if (wshm_text_control(code))
        return "byte {a} is a control character";
    if (code == '\\' || code == '/')
        return "byte {a} is a slash or backslash";
    if (reserved(bare + position))
        return "at byte {a} it says .winshm, which is reserved";
    if (position + step > WINSHM_NAME_MAX)
        return "it has more than {b} bytes";
    return NULL;
}

winshm_status wshm_name_parse(const char *name, char *bare, bool *global)
{
    if (name == NULL)
        return wshm_error_because(WINSHM_E_INVALID, "name is NULL",
                                  "Only what must not exist yet can go without "
                                  "a name.");
    *global = skip(&name, "Global\\");
    if (!*global)
        skip(&name, "Local\\");
    size_t length = 0;
    while (name[length] != '\0') {
        uint32_t code;
        size_t step =
            wshm_text_sequence((const unsigned char *)name + length, &code);
        const char *wrong = objection(name, length, step, code);
        if (wrong != NULL)
            return malformed(wrong, length, WINSHM_NAME_MAX);
        length += step;
    }
    if (length == 0)
        return malformed("it is empty", 0, 0);
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return malformed("it is a directory's", 0, 0);
    memcpy(bare, name, length + 1);
    return WINSHM_OK;
}
