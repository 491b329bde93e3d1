/* Loading regions from files: see saved.h for the bytes. */
#include "save.h"

#include "change.h"
#include "growth.h"
#include "lock.h"
#include "meaning.h"
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

/** Reads what stands before the data, and begins the sum. */
static winshm_status read_head(struct saved *s)
{
    struct saved_header bare = s->header;
    bare.crc = 0;
    wshm_saved_encode(&bare, s->piece);
    wshm_crc32_begin(&s->crc);
    wshm_crc32_add(&s->crc, s->piece, SAVED_HEADER);
    return read_piece(s, SAVED_HEADER, s->header.data - SAVED_HEADER);
}

/** Reads and checks what stands before the data. @param head [out] its sum. */
static winshm_status check_head(struct saved *s, uint64_t bytes, uint32_t *head)
{
    size_t got;
    winshm_status status =
        wshm_platform_file_read(&s->file, 0, s->piece, SAVED_HEADER, &got);
    if (status == WINSHM_OK)
        status = wshm_saved_decode(s, got, bytes);
    if (status == WINSHM_OK)
        status = read_head(s);
    *head = s->crc.state;
    return status;
}

/** Reads the data once, up to a close of the handle, and checks the sum. */
static winshm_status check_data(struct saved *s)
{
    winshm_status status = WINSHM_OK;
    uint64_t size = s->header.size;
    for (uint64_t at = 0; status == WINSHM_OK && at < size; at += SAVED_PIECE) {
        if (atomic_load_explicit(&s->r->closing, memory_order_relaxed) != 0)
            return WINSHM_E_CLOSED;
        status = read_piece(s, s->header.data + at, saved_piece(at, size));
    }
    return status == WINSHM_OK ? check_sum(s) : status;
}

/** Compares the layouts, where both have one. The file's was checked, and is
 * read again. @param head see check_head(). */
static winshm_status match_layout(struct saved *s, uint32_t head)
{
    char saved[SCHEMA_ROOM];
    char *text = (char *)s->piece;
    char difference[SCHEMA_DIFFERENCE];
    struct schema_fault fault;
    uint64_t bytes;
    if (s->header.layout == 0 || s->r->control == NULL)
        return WINSHM_OK;
    winshm_status status = read_head(s);
    if (status != WINSHM_OK)
        return status;
    text[s->header.data - SAVED_HEADER] = '\0';
    if (s->crc.state != head || strlen(text) != s->header.layout ||
        !wshm_schema_check(text, saved, &bytes, &fault) ||
        bytes > s->header.size)
        return wshm_error_because(
            WINSHM_E_FORMAT, "its layout is none that winshm has stored", NULL);
    status = wshm_meaning_fetch(s->r->control, s->r->capacity, text);
    if (status != WINSHM_OK || text[0] == '\0' ||
        wshm_schema_same(saved, text, difference))
        return status;
    wshm_error_text(difference);
    return wshm_error_because(WINSHM_E_TAG, "the file differs: {text}", NULL);
}

/** Whether what was saved can be this region's. */
static winshm_status match(struct saved *s, uint32_t head)
{
    const struct region *r = s->r;
    const struct saved_header *h = &s->header;
    /* Tag and layout first: where the size differs, too, they are the cause. */
    if (h->layout_tag != 0 && r->layout_tag != 0 &&
        h->layout_tag != r->layout_tag)
        return wshm_error_detail(WINSHM_E_TAG,
                                 "the region has the tag {xa}, the file {xb}",
                                 NULL, r->layout_tag, h->layout_tag, 0);
    winshm_status status = match_layout(s, head);
    if (status != WINSHM_OK)
        return status;
    /* The size at creation, which is what joiners ask for. */
    uint64_t least =
        r->control != NULL ? shared_load(&r->control->header.size) : 1;
    if (h->size > r->capacity || h->size < least)
        return wshm_error_detail(
            WINSHM_E_SIZE,
            "{c} bytes were saved, the region can have {a} to {b}",
            "Create a region of the size that was saved.", least, r->capacity,
            h->size);
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
    uint64_t size;
    winshm_status status = wshm_growth_size(s->r, &size);
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

/** Makes room for what was saved. */
static winshm_status make_room(const struct saved *s)
{
    uint64_t size;
    winshm_status status = wshm_growth_size(s->r, &size);
    return status == WINSHM_OK && size < s->header.size
               ? wshm_growth_resize(s->r, s->header.size, wshm_saved_left_ms(s))
               : status;
}

/** Copies under the lock. The data count as inconsistent until all is there. */
static winshm_status load_locked(struct saved *s, uint32_t head)
{
    bool taken;
    bool locks = s->r->lock_kind != WINSHM_LOCK_NONE;
    winshm_status status = take_lock(s, &taken);
    if (status != WINSHM_OK)
        return status;
    status = make_room(s);
    bool marked = status == WINSHM_OK && locks && wshm_lock_mark(s->r);
    if (status == WINSHM_OK)
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
    status = check_head(s, bytes, &head);
    /* What there is no room for is not read: a file of holes may seem to have
     * more bytes than anybody can read. */
    if (status == WINSHM_OK && s->header.size <= s->r->capacity)
        status = check_data(s);
    if (status == WINSHM_OK)
        status = match(s, head);
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
