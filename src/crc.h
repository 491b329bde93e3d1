/* The checksum of what is passed on as text or kept in files. */
#ifndef WINSHM_CRC_H
#define WINSHM_CRC_H

#include <stdint.h>

/**
 * CRC-32 as ISO-HDLC, zip and PNG have it.
 *
 * @param crc 0, or that of the bytes before.
 */
uint32_t wshm_crc32(uint32_t crc, const void *bytes, uint64_t length);

#endif
