/* The exported functions that tell of a region, and those for its bytes. */
#include <stddef.h>

#include "api.h"
#include "copy.h"
#include "growth.h"
#include "info.h"
#include "observe.h"
#include "status.h"
#include "view.h"

/** The bytes of each struct in its first release. */
enum {
    INFO_FIRST = offsetof(winshm_info, observer) + sizeof(uint32_t),
    PARTICIPANT_FIRST = offsetof(winshm_participant, slot) + sizeof(uint32_t)
};

static winshm_status is_null(const char *what)
{
    return wshm_error_because(WINSHM_E_INVALID, what, "");
}

void *WINSHM_CALL winshm_data(winshm_region *region)
{
    static const char function[] = "winshm_data";
    struct region *r = wshm_region_use(region);
    if (r == NULL) {
        wshm_api_refuse(function, region);
        return NULL;
    }
    void *data = r->data;
    finish(function, r,
           data != NULL
               ? WINSHM_OK
               : wshm_error_because(WINSHM_E_UNSUPPORTED,
                                    "the handle maps no whole view",
                                    "It was opened with WINSHM_NO_MAP: map "
                                    "parts with winshm_map()."));
    return data;
}

uint64_t WINSHM_CALL winshm_size(winshm_region *region)
{
    static const char function[] = "winshm_size";
    uint64_t size;
    struct region *r = wshm_region_use(region);
    if (r == NULL) {
        wshm_api_refuse(function, region);
        return 0;
    }
    winshm_status status = wshm_growth_size(r, &size);
    if (status == WINSHM_OK && r->capacity != r->size)
        status = wshm_observe_any(r);
    status = finish(function, r, status);
    return status == WINSHM_OK ? size : 0;
}

winshm_status WINSHM_CALL winshm_get_info(winshm_region *region,
                                          winshm_info *info)
{
    static const char function[] = "winshm_get_info";
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    uint32_t size = info == NULL ? 0 : info->struct_size;
    winshm_status status = info == NULL
                               ? is_null("info is NULL")
                               : wshm_api_struct_size(size, INFO_FIRST);
    if (status == WINSHM_OK)
        status = wshm_info_get(r, info, size);
    return finish_on_block(function, r, status);
}

winshm_status WINSHM_CALL winshm_get_participants(winshm_region *region,
                                                  winshm_participant *array,
                                                  uint32_t capacity,
                                                  uint32_t *count)
{
    static const char function[] = "winshm_get_participants";
    if (count != NULL)
        *count = 0;
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    uint32_t size = capacity != 0 && array != NULL ? array->struct_size : 0;
    winshm_status status = WINSHM_OK;
    if (count == NULL)
        status = is_null("count is NULL");
    else if (capacity != 0 && array == NULL)
        status = is_null("array is NULL, and capacity is not 0");
    else if (capacity != 0)
        status = wshm_api_struct_size(size, PARTICIPANT_FIRST);
    if (status == WINSHM_OK)
        status = r->control == NULL
                     ? wshm_api_raw()
                     : wshm_info_participants(r, array, size, capacity, count);
    return finish_on_block(function, r, status);
}

/* Growth. */

static winshm_status read_only(void)
{
    return wshm_error_because(WINSHM_E_ACCESS, "the handle is read-only",
                              "Open the region with WINSHM_WRITE.");
}

static winshm_status may_grow(const struct region *r)
{
    if (r->control == NULL)
        return wshm_api_raw();
    if ((r->access & WINSHM_WRITE) == 0)
        return read_only();
    if (r->adopted)
        return wshm_error_because(WINSHM_E_UNSUPPORTED,
                                  "the block was adopted",
                                  "It has the size that its maker has given "
                                  "it.");
    return wshm_api_participates(r, false);
}

winshm_status WINSHM_CALL winshm_resize(winshm_region *region, uint64_t size,
                                        uint32_t timeout_ms)
{
    static const char function[] = "winshm_resize";
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    wshm_error_clear();
    winshm_status status =
        size == 0 ? wshm_error_because(WINSHM_E_INVALID, "size is 0",
                                       "A region has at least 1 byte.")
                  : may_grow(r);
    if (status == WINSHM_OK)
        status = wshm_growth_resize(r, size, timeout_ms);
    return finish_on_block(function, r, status);
}

/* Parts and copies. */

static bool within(uint64_t size, uint64_t offset, uint64_t length)
{
    return offset <= size && length <= size - offset;
}

/** Looks whether the region has grown so far, where it was smaller when it was
 * opened. */
static PLATFORM_COLD winshm_status in_grown_range(struct region *r,
                                                  uint64_t offset,
                                                  uint64_t length)
{
    uint64_t size;
    winshm_status status = wshm_growth_size(r, &size);
    if (status != WINSHM_OK || within(size, offset, length))
        return status;
    return wshm_error_detail(WINSHM_E_RANGE,
                             "offset is {a} and length {b}, the region has {c} "
                             "bytes",
                             NULL, offset, length, size);
}

static winshm_status in_range(struct region *r, uint64_t offset,
                              uint64_t length)
{
    return within(r->size, offset, length) ? WINSHM_OK
                                           : in_grown_range(r, offset, length);
}

static winshm_status check_part(struct region *r, uint64_t offset,
                                uint64_t length, uint32_t flags)
{
    const uint32_t known = WINSHM_READ | WINSHM_WRITE;
    if (length == 0)
        return wshm_error_because(WINSHM_E_INVALID, "length is 0",
                                  "A part has at least 1 byte.");
    if ((flags & ~known) != 0)
        return wshm_error_detail(
            WINSHM_E_INVALID, "flags has {xa}, which means nothing here",
            "It is 0, WINSHM_READ or WINSHM_WRITE.", flags & ~known, 0, 0);
    if ((flags & WINSHM_WRITE) != 0 && (r->access & WINSHM_WRITE) == 0)
        return read_only();
    return in_range(r, offset, length);
}

winshm_status WINSHM_CALL winshm_map(winshm_region *region, uint64_t offset,
                                     uint64_t length, uint32_t flags,
                                     winshm_view **out)
{
    static const char function[] = "winshm_map";
    if (out != NULL)
        *out = NULL;
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    bool writes = (r->access & WINSHM_WRITE) != 0;
    winshm_status status = out == NULL ? is_null("out is NULL")
                                       : check_part(r, offset, length, flags);
    if (status == WINSHM_OK)
        status = wshm_view_map(r, offset, length,
                               writes && flags != WINSHM_READ, out);
    return finish(function, r, status);
}

void *WINSHM_CALL winshm_view_data(winshm_view *view)
{
    struct view *v = wshm_view_find(view);
    if (v != NULL)
        return v->part.data;
    wshm_error_report("winshm_view_data", NULL, wshm_view_refusal(view));
    return NULL;
}

uint64_t WINSHM_CALL winshm_view_size(winshm_view *view)
{
    struct view *v = wshm_view_find(view);
    if (v != NULL)
        return v->length;
    wshm_error_report("winshm_view_size", NULL, wshm_view_refusal(view));
    return 0;
}

winshm_status WINSHM_CALL winshm_unmap(winshm_view *view)
{
    if (view == NULL)
        return WINSHM_OK;
    winshm_status status = wshm_view_unmap(view);
    if (status == WINSHM_OK)
        wshm_error_clear(); /* what could not be removed was no failure */
    return wshm_error_report("winshm_unmap", NULL, status);
}

static winshm_status readable(struct region *r, uint64_t offset,
                              const void *buffer, uint64_t length)
{
    return buffer == NULL && length != 0
               ? is_null("buffer is NULL, and length is not 0")
               : in_range(r, offset, length);
}

static winshm_status writable(struct region *r, uint64_t offset,
                              const void *buffer, uint64_t length)
{
    winshm_status status = readable(r, offset, buffer, length);
    return status == WINSHM_OK && (r->access & WINSHM_WRITE) == 0 ? read_only()
                                                                  : status;
}

/** @param r NULL: not begun. */
static PLATFORM_NOINLINE winshm_status
read_slowly(winshm_region *region, struct region *r, uint64_t offset,
            void *buffer, uint64_t length, uint32_t timeout_ms)
{
    static const char function[] = "winshm_read";
    if (r == NULL)
        r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = readable(r, offset, buffer, length);
    if (status == WINSHM_OK)
        status = wshm_copy_read(r, offset, buffer, length, timeout_ms);
    return finish(function, r, status);
}

struct read_call {
    winshm_region *region;
    uint64_t offset;
    void *buffer;
    uint64_t length;
    uint32_t timeout_ms;
};

static PLATFORM_NOINLINE winshm_status read_again(struct region *r,
                                                  const struct read_call *call)
{
    return read_slowly(call->region, r, call->offset, call->buffer,
                       call->length, call->timeout_ms);
}

winshm_status WINSHM_CALL winshm_read(winshm_region *region, uint64_t offset,
                                      void *buffer, uint64_t length,
                                      uint32_t timeout_ms)
{
    struct region *r = wshm_region_begin_first(region);
    if (!PLATFORM_LIKELY(r != NULL && r->locks != 0 && r->data != NULL &&
                         length - 1 < COPY_BRIEF && offset <= r->size &&
                         length <= r->size - offset && buffer != NULL))
        return read_slowly(region, r, offset, buffer, length, timeout_ms);
    /* At the first attempt; what is wrong with it is found out once more. Out
     * of registers: they would have to be saved and restored in any case. */
    struct read_call call = {region, offset, buffer, length, timeout_ms};
    PLATFORM_IN_MEMORY(call);
    winshm_status status;
    if (!PLATFORM_LIKELY(
            wshm_copy_undisturbed(r, offset, buffer, length, &status) &&
            status == WINSHM_OK))
        return read_again(r, &call);
    wshm_region_end_first(r);
    return WINSHM_OK;
}

winshm_status WINSHM_CALL winshm_write(winshm_region *region, uint64_t offset,
                                       const void *buffer, uint64_t length,
                                       uint32_t timeout_ms)
{
    static const char function[] = "winshm_write";
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = writable(r, offset, buffer, length);
    if (status == WINSHM_OK)
        status = wshm_copy_write(r, offset, buffer, length, timeout_ms);
    return finish_on_block(function, r, status);
}

winshm_status WINSHM_CALL winshm_copy_out(winshm_region *region,
                                          uint64_t offset, void *buffer,
                                          uint64_t length)
{
    static const char function[] = "winshm_copy_out";
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = readable(r, offset, buffer, length);
    if (status == WINSHM_OK)
        status = wshm_copy_out(r, offset, buffer, length);
    if (status == WINSHM_E_NOT_OWNER)
        wshm_error_because(status, "nobody holds it through this handle",
                           "Lock, or use winshm_read().");
    return finish_on_block(function, r, status);
}

winshm_status WINSHM_CALL winshm_copy_in(winshm_region *region, uint64_t offset,
                                         const void *buffer, uint64_t length)
{
    static const char function[] = "winshm_copy_in";
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = writable(r, offset, buffer, length);
    if (status == WINSHM_OK)
        status = wshm_copy_in(r, offset, buffer, length);
    if (status == WINSHM_E_NOT_OWNER)
        wshm_error_because(status,
                           "nobody holds it exclusively through this handle",
                           "Lock exclusively, or use winshm_write().");
    return finish_on_block(function, r, status);
}
