/* UTF-8, as callers pass it and people read it. */
#include "text.h"

#include <stdio.h>
#include <string.h>

size_t wshm_text_sequence(const unsigned char *s, uint32_t *out)
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

bool wshm_text_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

void wshm_text_quote(char *text, size_t size, const char *from)
{
    size_t length = 0;
    while (*from != '\0') {
        char piece[5] = "";
        uint32_t code;
        size_t step = wshm_text_sequence((const unsigned char *)from, &code);
        if (step == 0 || wshm_text_control(code)) {
            step = 1;
            snprintf(piece, sizeof piece, "\\x%02X", (unsigned char)*from);
        } else {
            memcpy(piece, from, step);
        }
        if (length + strlen(piece) >= size)
            break;
        memcpy(text + length, piece, strlen(piece));
        length += strlen(piece);
        from += step;
    }
    text[length] = '\0';
}
