/* The checksum of what is passed on as text or kept in files. */
#include "crc.h"

uint32_t wshm_crc32(uint32_t crc, const void *bytes, uint64_t length)
{
    const uint8_t *at = bytes;
    crc = ~crc;
    for (; length > 0; length--) {
        crc ^= *at++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1)));
    }
    return ~crc;
}
