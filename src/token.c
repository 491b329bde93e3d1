/* Tokens: text that leads to one life of a region, and to no other.
 *
 *     winshm1:n:NAME:ID:SIZE:ACCESS:CHECKSUM
 *
 * NAME has its bytes in percent form, but for letters, digits and -._~; ID is
 * winshm_info.id in 32 digits; SIZE is that at creation; ACCESS is r or w; the
 * checksum, in 8 digits, is of all that stands before the last colon. Whatever
 * is changed on the way is thereby told, and "n" says that the region is found
 * by its name, which leaves room for other ways. */
#include "token.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "crc.h"
#include "name.h"
#include "status.h"

#define VERSION 1u
#define BEGINNING "winshm1:n:"

/** Bytes of the last colon and the checksum. */
enum { TAIL = 1 + 8 };

static const char digits[] = "0123456789abcdef";

uint32_t wshm_token_name(const char *bare, bool global, char *name)
{
    return (uint32_t)snprintf(name, TOKEN_NAME_BYTES, "%s%s",
                              global ? "Global\\" : "", bare);
}

static bool stands_for_itself(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

static char *write_name(char *at, const struct token *token)
{
    char name[TOKEN_NAME_BYTES];
    wshm_token_name(token->name, token->global, name);
    for (const char *from = name; *from != '\0'; from++) {
        if (stands_for_itself(*from))
            *at++ = *from;
        else
            at += snprintf(at, 4, "%%%02X", (unsigned char)*from);
    }
    return at;
}

static char *write_id(char *at, const struct token *token)
{
    uint8_t bytes[sizeof token->id];
    memcpy(bytes, token->id, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    return at;
}

uint32_t wshm_token_format(const struct token *token, char *text)
{
    char *at = text + sizeof BEGINNING - 1;
    memcpy(text, BEGINNING, sizeof BEGINNING);
    at = write_name(at, token);
    *at++ = ':';
    at = write_id(at, token);
    at += snprintf(at, 24, ":%" PRIu64 ":%c", token->size,
                   token->writable ? 'w' : 'r');
    uint32_t crc = wshm_crc32(0, text, (uint64_t)(at - text));
    at += snprintf(at, TAIL + 1, ":%08lx", (unsigned long)crc);
    return (uint32_t)(at - text);
}

/* Reading. Each step takes what it knows off the front, and may be generous:
 * what is not written as it would be by us is refused in the end. */

static bool skip(const char **at, char c)
{
    if (**at != c)
        return false;
    ++*at;
    return true;
}

/** The value of a hexadecimal digit, or -1. */
static int hexadecimal(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/** Two digits. @return -1: there are none. */
static int read_byte(const char **at)
{
    int high = hexadecimal((*at)[0]);
    int low = high < 0 ? -1 : hexadecimal((*at)[1]);
    if (low < 0)
        return -1;
    *at += 2;
    return high << 4 | low;
}

static bool read_name(const char **at, struct token *token)
{
    char name[TOKEN_NAME_BYTES];
    size_t length = 0;
    while (**at != ':') {
        int byte = (unsigned char)**at;
        if (skip(at, '%'))
            byte = read_byte(at);
        else if (byte != 0)
            ++*at;
        if (byte <= 0 || length == sizeof name - 1)
            return false;
        name[length++] = (char)byte;
    }
    name[length] = '\0';
    return wshm_name_parse(name, token->name, &token->global) == WINSHM_OK;
}

static bool read_id(const char **at, struct token *token)
{
    uint8_t bytes[sizeof token->id];
    for (size_t i = 0; i < sizeof bytes; i++) {
        int byte = read_byte(at);
        if (byte < 0)
            return false;
        bytes[i] = (uint8_t)byte;
    }
    memcpy(token->id, bytes, sizeof bytes);
    return true;
}

static bool read_size(const char **at, struct token *token)
{
    uint64_t size = 0;
    for (; **at >= '0' && **at <= '9'; ++*at) {
        unsigned digit = (unsigned)(**at - '0');
        if (size > ((uint64_t)INT64_MAX - digit) / 10)
            return false;
        size = size * 10 + digit;
    }
    token->size = size;
    return size != 0;
}

static bool read_access(const char **at, struct token *token)
{
    token->writable = **at == 'w';
    return skip(at, 'w') || skip(at, 'r');
}

static bool read_fields(const char *at, struct token *token)
{
    return read_name(&at, token) && skip(&at, ':') && read_id(&at, token) &&
           skip(&at, ':') && read_size(&at, token) && skip(&at, ':') &&
           read_access(&at, token);
}

/** The version in "winshm2:", or 0 if it does not begin like that. */
static uint32_t version_of(const char *text)
{
    static const char word[] = "winshm";
    uint32_t version = 0;
    if (strncmp(text, word, sizeof word - 1) != 0)
        return 0;
    text += sizeof word - 1;
    if (*text == '0')
        return 0;
    for (; *text >= '0' && *text <= '9' && version < 1000000; text++)
        version = version * 10 + (uint32_t)(*text - '0');
    return *text == ':' ? version : 0;
}

static winshm_status no_token(const char *what)
{
    return wshm_error_detail(WINSHM_E_TOKEN, what, NULL, WINSHM_TOKEN_MAX, 0,
                             0);
}

winshm_status wshm_token_parse(const char *text, struct token *token)
{
    char again[WINSHM_TOKEN_MAX + 1];
    size_t length = 0;
    while (text[length] != '\0')
        if (++length > WINSHM_TOKEN_MAX)
            return no_token("it has more than {a} bytes");
    uint32_t version = version_of(text);
    if (version == 0)
        return no_token("it does not begin like one");
    if (version != VERSION)
        return wshm_error_detail(WINSHM_E_LAYOUT,
                                 "the token is of version {a}, this library's "
                                 "are of {b}",
                                 NULL, version, VERSION, 0);
    /* What was altered on the way is told as that, wherever it is. */
    char tail[TAIL + 1];
    const char *end = text + length - (length < TAIL ? length : TAIL);
    snprintf(tail, sizeof tail, ":%08lx",
             (unsigned long)wshm_crc32(0, text, (uint64_t)(end - text)));
    if (strcmp(end, tail) != 0)
        return no_token("it was altered or cut short on its way");
    if (strncmp(text, BEGINNING, sizeof BEGINNING - 1) != 0 ||
        !read_fields(text + sizeof BEGINNING - 1, token) ||
        wshm_token_format(token, again) != length || strcmp(again, text) != 0)
        return no_token("it was not made by winshm_export()");
    return WINSHM_OK;
}
