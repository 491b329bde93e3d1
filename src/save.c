/* Saving regions in files: see saved.h for the bytes. */
#include "save.h"

#include "growth.h"
#include "lock.h"
#include "meaning.h"
#include "observe.h"
#include "park.h"
#include "part.h"
#include "saved.h"

/** Zeros of this length become a hole. */
enum { PAGE = 4096 };

/** Writes the pages of the piece that have anything but zeros. */
static winshm_status write_piece(const struct saved *s, uint64_t at,
                                 size_t length)
{
    winshm_status status = WINSHM_OK;
    size_t begin = 0; /* of what has to be written */
    for (size_t page = 0; page < length && status == WINSHM_OK;) {
        size_t bytes = length - page < PAGE ? length - page : PAGE;
        bool empty = saved_zeros(s->piece + page, bytes);
        if (!empty)
            page += bytes;
        if ((empty || page == length) && begin < page)
            status = wshm_platform_file_write(&s->file, at + begin,
                                              s->piece + begin, page - begin);
        if (empty)
            begin = page += bytes;
    }
    return status;
}

/** Puts into the piece what stands before the data. */
static winshm_status make_head(struct saved *s)
{
    struct region *r = s->r;
    s->header = (struct saved_header){.capacity = r->capacity,
                                      .layout_tag = r->layout_tag};
    char *text = (char *)s->piece + SAVED_HEADER;
    winshm_status status = wshm_growth_size(r, &s->header.size);
    text[0] = '\0';
    if (status == WINSHM_OK && r->control != NULL)
        status = wshm_meaning_fetch(r->control, s->header.size, text);
    if (status != WINSHM_OK)
        return status;
    memcpy(s->header.id, r->platform.id, sizeof s->header.id);
    s->header.layout = (uint32_t)strlen(text);
    s->header.data = wshm_saved_data(s->header.layout);
    memset(text + s->header.layout, 0,
           SAVED_PIECE - SAVED_HEADER - s->header.layout);
    wshm_saved_encode(&s->header, s->piece);
    return WINSHM_OK;
}

/** Copies the region into the file; nobody changes it meanwhile, or what was
 * copied does not count. */
static winshm_status save_all(void *saved)
{
    struct saved *s = saved;
    winshm_status status = make_head(s);
    if (status != WINSHM_OK)
        return status;
    uint64_t data = s->header.data;
    uint64_t size = s->header.size;
    status = wshm_platform_file_empty(&s->file, data + size);
    wshm_crc32_begin(&s->crc);
    wshm_crc32_add(&s->crc, s->piece, (size_t)data);
    if (status == WINSHM_OK)
        status = write_piece(s, 0, (size_t)data);
    for (uint64_t at = 0; status == WINSHM_OK && at < size; at += SAVED_PIECE) {
        size_t length = saved_piece(at, size);
        if (atomic_load_explicit(&s->r->closing, memory_order_relaxed) != 0)
            return WINSHM_E_CLOSED;
        status = wshm_part_read(s->r, at, s->piece, length);
        if (status != WINSHM_OK)
            break;
        wshm_crc32_add(&s->crc, s->piece, length);
        status = write_piece(s, data + at, length);
    }
    if (status != WINSHM_OK)
        return status;
    s->header.crc = wshm_crc32_value(&s->crc);
    wshm_saved_encode(&s->header, s->piece);
    return wshm_platform_file_write(&s->file, 0, s->piece, SAVED_HEADER);
}

/** Opens the part file. */
static winshm_status make(struct saved *s, const char *path)
{
    winshm_status status;
    while ((status = wshm_platform_file_make(&s->file, path)) == WINSHM_E_BUSY)
        if ((status = wshm_saved_wait(s)) != WINSHM_OK)
            break;
    return status;
}

/** Copies without a lock, as an observer or because there is none to take. */
static winshm_status save_freely(struct saved *s, const char *path)
{
    bool observes = s->r->control != NULL && s->r->slot == NULL;
    winshm_status status = make(s, path);
    if (status == WINSHM_OK) {
        status = observes
                     ? wshm_observe(s->r, save_all, s, wshm_saved_left_ms(s))
                     : save_all(s);
        if (status == WINSHM_OK)
            status = wshm_platform_file_publish(&s->file, s->deadline);
        wshm_platform_file_close(&s->file);
    }
    return status;
}

/** Copies under the lock, which this takes. It is never kept while others have
 * the file: one of them may be waiting for it. Nobody who has the file waits
 * for a lock. */
static winshm_status save_locked(struct saved *s, const char *path)
{
    winshm_status status;
    for (;;) {
        status = wshm_lock(s->r, WINSHM_SHARED, wshm_saved_left_ms(s));
        if (status != WINSHM_OK)
            return status;
        status = wshm_platform_file_make(&s->file, path);
        bool made = status == WINSHM_OK;
        if (made)
            status = save_all(s);
        wshm_lock_release(s->r, WINSHM_SHARED);
        if (wshm_region_lost(s->r))
            status = WINSHM_E_CORRUPT;
        if (made && status == WINSHM_OK)
            status = wshm_platform_file_publish(&s->file, s->deadline);
        if (made)
            wshm_platform_file_close(&s->file);
        if (status != WINSHM_E_BUSY)
            return status;
        status = wshm_saved_wait(s);
        if (status != WINSHM_OK)
            return status;
    }
}

winshm_status wshm_save(struct region *r, const char *path, uint32_t timeout_ms)
{
    struct saved s = {.r = r, .deadline = wshm_park_deadline(timeout_ms)};
    if (wshm_region_lost(r))
        return WINSHM_E_CORRUPT;
    bool free = r->slot == NULL || r->lock_kind == WINSHM_LOCK_NONE ||
                wshm_lock_held(r) != 0;
    int cancellation = wshm_platform_uncancellable();
    winshm_status status = free ? save_freely(&s, path) : save_locked(&s, path);
    wshm_platform_cancellable(cancellation);
    return status;
}
