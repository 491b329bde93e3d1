/* Tokens as the text of winshm.h has them, made without the library. */
#ifndef FORGE_H
#define FORGE_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/** CRC-32, by a table that is made of the polynomial read the other way. */
static inline uint32_t forge_crc(const char *text, size_t length)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < length; i++) {
        uint32_t entry = (crc ^ (unsigned char)text[i]) & 0xFF;
        for (int bit = 0; bit < 8; bit++)
            entry = entry & 1 ? entry >> 1 ^ 0xEDB88320u : entry >> 1;
        crc = entry ^ crc >> 8;
    }
    return crc ^ 0xFFFFFFFFu;
}

/** Gives a text the checksum that a token with this beginning has. */
static inline void forge_seal(char *text)
{
    size_t length = strlen(text);
    snprintf(text + length, 10, ":%08lx",
             (unsigned long)forge_crc(text, length));
}

#endif
