/* Regions in files: the format, and what saving and loading share.
 *
 * A file is 64 bytes of header, the text of the layout, zeros up to a multiple
 * of 4,096, then the region's bytes and nothing behind them. So the data can be
 * mapped where they are. All numbers are little-endian.
 *
 *   offset  bytes
 *        0      8  57 49 4E 53 48 4D 0D 0A: "WINSHM", carriage return, line
 *                  feed, so that whoever takes it for text ruins it visibly
 *        8      4  format, 1
 *       12      4  offset of the data: a multiple of 4,096
 *       16      8  size of the data in bytes, at least 1
 *       24      8  capacity, at least the size
 *       32      8  layout tag, 0: none
 *       40     16  id of the life that was saved, as winshm_info.id; zeros: a
 *                  raw region
 *       56      4  CRC-32 of the whole file with zeros in place of these four
 *                  bytes; the one of zip and PNG
 *       60      4  length of the layout text, which begins at offset 64 and has
 *                  no NUL; 0: none
 *
 * What a reader of this format must check is that the file has the size which
 * the header says, and the sum. A later format has another number. */
#ifndef WINSHM_SAVED_H
#define WINSHM_SAVED_H

#include "crc32.h"
#include "file.h"
#include "handle.h"

enum {
    SAVED_HEADER = 64,
    SAVED_CRC_AT = 56,
    SAVED_HEAD_MAX = 12288, /* most that may stand before the data */
    SAVED_PIECE = 16384     /* copied in one go */
};
_Static_assert(SAVED_HEADER + WINSHM_LAYOUT_MAX + 1 <= SAVED_HEAD_MAX,
               "any layout fits before the data");
_Static_assert((int)SAVED_HEAD_MAX <= (int)SAVED_PIECE,
               "what stands before the data is made in one go");

/** A header that was taken apart. */
struct saved_header {
    uint64_t size;
    uint64_t capacity;
    uint64_t layout_tag;
    uint8_t id[16];
    uint32_t data; /* its offset in the file */
    uint32_t crc;
    uint32_t layout; /* length of its text */
};

/** A copy under way, in either direction. On the stack: nothing is allocated,
 * and any number of threads can be at it. */
struct saved {
    struct region *r;
    struct platform_file file;
    uint64_t deadline;
    struct saved_header header;
    struct crc32 crc;
    uint8_t piece[SAVED_PIECE];
};

/** Where the data begin, behind a text of so many bytes. */
uint32_t wshm_saved_data(uint32_t layout);

void wshm_saved_encode(const struct saved_header *h, uint8_t *to);

/**
 * Take apart what has been read into the piece.
 *
 * @param got   how much that is.
 * @param bytes the size of the file.
 * @return WINSHM_E_FORMAT if it is no header, or not that of this file.
 */
winshm_status wshm_saved_decode(struct saved *s, size_t got, uint64_t bytes);

/** Tell that the file ends early. */
winshm_status wshm_saved_short(const struct saved *s, uint64_t bytes);

/** Wait a little for whoever has the file open. @return WINSHM_E_TIMEOUT or
 * WINSHM_E_CLOSED if that is not to be waited for any longer. */
winshm_status wshm_saved_wait(const struct saved *s);

/** What is left of the time-out. */
uint32_t wshm_saved_left_ms(const struct saved *s);

/** True if at least one byte is there, and none is other than 0. */
static inline bool saved_zeros(const uint8_t *bytes, size_t length)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

/** How many of the bytes from an offset to the end are in its piece. */
static inline size_t saved_piece(uint64_t offset, uint64_t end)
{
    return end - offset < SAVED_PIECE ? (size_t)(end - offset) : SAVED_PIECE;
}

#endif
