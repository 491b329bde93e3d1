/* Regions in files: see saved.h for the bytes. */
#include "saved.h"

#include "park.h"
#include "status.h"

enum { FORMAT = 1, ALIGNMENT = 4096 };

static const uint8_t magic[8] = {'W', 'I', 'N', 'S', 'H', 'M', '\r', '\n'};

static void put(uint8_t *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *from, int bytes)
{
    uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; i--)
        value = value << 8 | from[i];
    return value;
}

uint32_t wshm_saved_data(uint32_t layout)
{
    return (SAVED_HEADER + layout + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

void wshm_saved_encode(const struct saved_header *h, uint8_t *to)
{
    memcpy(to, magic, sizeof magic);
    put(to + 8, FORMAT, 4);
    put(to + 12, h->data, 4);
    put(to + 16, h->size, 8);
    put(to + 24, h->capacity, 8);
    put(to + 32, h->layout_tag, 8);
    memcpy(to + 40, h->id, sizeof h->id);
    put(to + SAVED_CRC_AT, h->crc, 4);
    put(to + 60, h->layout, 4);
}

winshm_status wshm_saved_short(const struct saved *s, uint64_t bytes)
{
    return wshm_error_detail(WINSHM_E_FORMAT,
                             "the file has {a} bytes, of {b} that were saved",
                             NULL, bytes, s->header.data + s->header.size, 0);
}

/** Takes the numbers of a whole header apart. @return false if they contradict
 * each other. */
static bool take_apart(const uint8_t *from, struct saved_header *h)
{
    h->data = (uint32_t)get(from + 12, 4);
    h->size = get(from + 16, 8);
    h->capacity = get(from + 24, 8);
    h->layout_tag = get(from + 32, 8);
    memcpy(h->id, from + 40, sizeof h->id);
    h->crc = (uint32_t)get(from + SAVED_CRC_AT, 4);
    h->layout = (uint32_t)get(from + 60, 4);
    return h->layout <= SAVED_HEAD_MAX - SAVED_HEADER &&
           h->data == wshm_saved_data(h->layout) && h->size != 0 &&
           h->size <= INT64_MAX - SAVED_HEAD_MAX && h->capacity >= h->size;
}

winshm_status wshm_saved_decode(struct saved *s, size_t got, uint64_t bytes)
{
    size_t begun = got < sizeof magic ? got : sizeof magic;
    if (got == 0 || memcmp(s->piece, magic, begun) != 0)
        return wshm_error_because(
            WINSHM_E_FORMAT, "it does not begin as winshm_save() writes it",
            "Check the path.");
    if (got < SAVED_HEADER)
        return wshm_error_detail(WINSHM_E_FORMAT,
                                 "the file has {a} bytes, and {b} are the "
                                 "header alone",
                                 NULL, got, SAVED_HEADER, 0);
    uint64_t format = get(s->piece + 8, 4);
    if (format != FORMAT)
        return wshm_error_detail(
            WINSHM_E_FORMAT, "it has format {a}, and this library knows {b}",
            "Load it with the winshm that has saved it, or a newer one.",
            format, FORMAT, 0);
    if (!take_apart(s->piece, &s->header))
        return wshm_error_because(WINSHM_E_FORMAT,
                                  "its header contradicts itself", NULL);
    uint64_t all = s->header.data + s->header.size;
    if (bytes < all)
        return wshm_saved_short(s, bytes);
    return bytes == all ? WINSHM_OK
                        : wshm_error_detail(WINSHM_E_FORMAT,
                                            "the file has {a} bytes, and only "
                                            "{b} were saved",
                                            NULL, bytes, all, 0);
}

/** How long others are left alone between two looks. */
static const uint64_t PAUSE = 5 * MILLISECOND;

winshm_status wshm_saved_wait(const struct saved *s)
{
    if (atomic_load_explicit(&s->r->closing, memory_order_relaxed) != 0)
        return WINSHM_E_CLOSED;
    if (wshm_platform_now() >= s->deadline)
        return wshm_error_because(
            WINSHM_E_TIMEOUT, "somebody else had '{text}' open all the time",
            "Whoever it is saves there, too, or keeps others away from it.");
    wshm_platform_sleep(PAUSE);
    return WINSHM_OK;
}

uint32_t wshm_saved_left_ms(const struct saved *s)
{
    uint64_t now = wshm_platform_now();
    if (s->deadline == UINT64_MAX)
        return WINSHM_FOREVER;
    return now < s->deadline
               ? (uint32_t)((s->deadline - now + MILLISECOND - 1) / MILLISECOND)
               : 0;
}
