/* CRC-32, the one of zip, PNG and Ethernet: polynomial 0xEDB88320, reflected,
 * begun and ended with all ones. */
#ifndef WINSHM_CRC32_H
#define WINSHM_CRC32_H

#include <stddef.h>
#include <stdint.h>

/** A sum that grows. With its tables, which are made in microseconds, so that
 * no thread ever waits for another's. */
struct crc32 {
    uint32_t state;
    uint32_t tables[8][256];
};

void wshm_crc32_begin(struct crc32 *crc);
void wshm_crc32_add(struct crc32 *crc, const void *bytes, size_t length);

/** The sum of what was added so far; more may follow. */
static inline uint32_t wshm_crc32_value(const struct crc32 *crc)
{
    return ~crc->state;
}

#endif
