/* Loading regions from files: see saved.h for the bytes. */
#include "save.h"

#include "change.h"
#include "lock.h"
#include "park.h"
#include "part.h"
#include "saved.h"
#include "status.h"

/** Reads bytes of the file that there must be, and adds them to the sum. */
static winshm_status read_piece(struct saved *s, uint64_t at, size_t length)
{
    size_t got;
    winshm_status status =
        wshm_platform_file_read(&s->file, at, s->piece, length, &got);
    if (status == WINSHM_OK && got < length)
        status = wshm_saved_short(s, at + got);
    if (status == WINSHM_OK)
        wshm_crc32_add(&s->crc, s->piece, length);
    return status;
}

static winshm_status check_sum(const struct saved *s)
{
    uint32_t sum = wshm_crc32_value(&s->crc);
    return sum == s->header.crc
               ? WINSHM_OK
               : wshm_error_detail(WINSHM_E_FORMAT,
                                   "its checksum is {xa}, and {xb} was saved",
                                   NULL, sum, s->header.crc, 0);
}

/** Reads the file once. @param head [out] the sum of what stands before the
 * data. */
static winshm_status check_file(struct saved *s, uint64_t bytes, uint32_t *head)
{
    size_t got;
    winshm_status status =
        wshm_platform_file_read(&s->file, 0, s->piece, SAVED_HEADER, &got);
    if (status == WINSHM_OK)
        status = wshm_saved_decode(s, got, bytes);
    if (status != WINSHM_OK)
        return status;
    /* Added as it was read when it was judged. */
    wshm_crc32_begin(&s->crc);
    memset(s->piece + SAVED_CRC_AT, 0, 4);
    wshm_crc32_add(&s->crc, s->piece, SAVED_HEADER);
    status = read_piece(s, SAVED_HEADER, s->header.data - SAVED_HEADER);
    *head = s->crc.state;
    uint64_t size = s->header.size;
    for (uint64_t at = 0; status == WINSHM_OK && at < size; at += SAVED_PIECE)
        status = read_piece(s, s->header.data + at, saved_piece(at, size));
    return status == WINSHM_OK ? check_sum(s) : status;
}

/** Whether what was saved can be this region's. */
static winshm_status match(const struct saved *s)
{
    const struct region *r = s->r;
    const struct saved_header *h = &s->header;
    /* The tag first: where both differ it is the cause. */
    if (h->layout_tag != 0 && r->layout_tag != 0 &&
        h->layout_tag != r->layout_tag)
        return wshm_error_detail(WINSHM_E_TAG,
                                 "the region has {xa}, the file {xb}", NULL,
                                 r->layout_tag, h->layout_tag, 0);
    if (h->size > r->size || (r->control != NULL && h->size < r->size))
        return wshm_error_detail(
            WINSHM_E_SIZE, "the region has {a} bytes, {b} were saved",
            "Create a region of the size that was saved.", r->size, h->size, 0);
    return WINSHM_OK;
}

/** Puts the piece into the region, unless it is zeros and so is what is there:
 * memory that nobody has touched shall stay so. */
static winshm_status place(struct saved *s, uint64_t at, size_t length)
{
    if (saved_zeros(s->piece, length)) {
        winshm_status status = wshm_part_read(s->r, at, s->piece, length);
        if (status != WINSHM_OK || saved_zeros(s->piece, length))
            return status;
        memset(s->piece, 0, length);
    }
    return wshm_part_write(s->r, at, s->piece, length);
}

/** Copies the file into the region, whose lock is held. It is summed up again,
 * since nobody keeps others from changing it meanwhile. @param head the sum of
 * what stands before the data. */
static winshm_status load_all(struct saved *s, uint32_t head)
{
    uint64_t saved = s->header.size;
    uint64_t size = s->r->size;
    winshm_status status = WINSHM_OK;
    s->crc.state = head;
    for (uint64_t at = 0; status == WINSHM_OK && at < size; at += SAVED_PIECE) {
        size_t length = saved_piece(at, size);
        size_t there = at < saved ? saved_piece(at, saved) : 0;
        if (there > 0)
            status = read_piece(s, s->header.data + at, there);
        memset(s->piece + there, 0, SAVED_PIECE - there);
        if (status == WINSHM_OK)
            status = place(s, at, length);
    }
    return status == WINSHM_OK ? check_sum(s) : status;
}

/** Takes the lock, unless this thread has it or there is none. @param taken
 * [out] whether it has to be released. */
static winshm_status take_lock(struct saved *s, bool *taken)
{
    struct region *r = s->r;
    uint32_t held =
        r->lock_kind == WINSHM_LOCK_NONE ? WINSHM_EXCLUSIVE : wshm_lock_held(r);
    *taken = false;
    if (held == WINSHM_EXCLUSIVE)
        return WINSHM_OK;
    if (held == WINSHM_SHARED)
        return wshm_error_because(WINSHM_E_DEADLOCK,
                                  "it holds it in shared mode", NULL);
    winshm_status status =
        wshm_lock(r, WINSHM_EXCLUSIVE, wshm_saved_left_ms(s));
    *taken = status == WINSHM_OK || status == WINSHM_E_OWNER_DEAD;
    return *taken ? WINSHM_OK : status;
}

/** Copies under the lock. The data count as inconsistent until all is there. */
static winshm_status load_locked(struct saved *s, uint32_t head)
{
    bool taken;
    bool locks = s->r->lock_kind != WINSHM_LOCK_NONE;
    winshm_status status = take_lock(s, &taken);
    if (status != WINSHM_OK)
        return status;
    bool marked = locks && wshm_lock_mark(s->r);
    status = load_all(s, head);
    /* What an owner's death has torn is whole again; a caller who holds the
     * lock, and was told of it, decides. */
    if (status == WINSHM_OK && locks && (taken || marked))
        wshm_lock_unmark(s->r);
    if (taken)
        wshm_lock_release(s->r, WINSHM_EXCLUSIVE);
    return wshm_region_lost(s->r) ? WINSHM_E_CORRUPT : status;
}

static winshm_status load(struct saved *s, const char *path)
{
    uint64_t bytes;
    uint32_t head;
    winshm_status status;
    while ((status = wshm_platform_file_open(&s->file, path, &bytes)) ==
           WINSHM_E_BUSY)
        if ((status = wshm_saved_wait(s)) != WINSHM_OK)
            break;
    if (status != WINSHM_OK)
        return status;
    status = check_file(s, bytes, &head);
    if (status == WINSHM_OK)
        status = match(s);
    if (status == WINSHM_OK)
        status = load_locked(s, head);
    wshm_platform_file_close(&s->file);
    if (status == WINSHM_OK && s->r->slot != NULL)
        wshm_change_notify(s->r);
    return status;
}

winshm_status wshm_load(struct region *r, const char *path, uint32_t timeout_ms)
{
    struct saved s = {.r = r, .deadline = wshm_park_deadline(timeout_ms)};
    if (wshm_region_lost(r))
        return WINSHM_E_CORRUPT;
    int cancellation = wshm_platform_uncancellable();
    winshm_status status = load(&s, path);
    wshm_platform_cancellable(cancellation);
    return status;
}
