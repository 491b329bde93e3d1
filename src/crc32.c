/* CRC-32, eight bytes a step. */
#include "crc32.h"

void wshm_crc32_begin(struct crc32 *crc)
{
    crc->state = 0xFFFFFFFFu;
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t sum = byte;
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ ((sum & 1) != 0 ? 0xEDB88320u : 0);
        crc->tables[0][byte] = sum;
    }
    /* Of the same byte with one more zero behind it. */
    for (uint32_t byte = 0; byte < 256; byte++)
        for (int zeros = 1; zeros < 8; zeros++) {
            uint32_t before = crc->tables[zeros - 1][byte];
            crc->tables[zeros][byte] =
                before >> 8 ^ crc->tables[0][before & 0xFF];
        }
}

static uint32_t little_endian(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

void wshm_crc32_add(struct crc32 *crc, const void *bytes, size_t length)
{
    const uint32_t(*t)[256] = (const uint32_t(*)[256])crc->tables;
    const uint8_t *at = bytes;
    uint32_t sum = crc->state;
    for (; length >= 8; at += 8, length -= 8) {
        uint32_t low = sum ^ little_endian(at);
        uint32_t high = little_endian(at + 4);
        sum = t[7][low & 0xFF] ^ t[6][low >> 8 & 0xFF] ^
              t[5][low >> 16 & 0xFF] ^ t[4][low >> 24] ^ t[3][high & 0xFF] ^
              t[2][high >> 8 & 0xFF] ^ t[1][high >> 16 & 0xFF] ^
              t[0][high >> 24];
    }
    for (; length > 0; at++, length--)
        sum = sum >> 8 ^ t[0][(sum ^ *at) & 0xFF];
    crc->state = sum;
}
