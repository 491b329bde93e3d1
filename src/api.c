/* The exported functions: check the arguments, call down, report failures. */
#include <string.h>

#include "change.h"
#include "copy.h"
#include "info.h"
#include "lock.h"
#include "name.h"
#include "park.h"
#include "region.h"
#include "status.h"
#include "view.h"

#define TEXT_OF(x) #x
#define DOTTED(a, b, c) TEXT_OF(a) "." TEXT_OF(b) "." TEXT_OF(c)

enum {
    FLAGS_CREATE = WINSHM_READ | WINSHM_WRITE | WINSHM_RAW | WINSHM_NO_LOCK |
                   WINSHM_NO_MAP,
    FLAGS_OPEN = WINSHM_READ | WINSHM_WRITE | WINSHM_RAW | WINSHM_NO_MAP
};

uint32_t WINSHM_CALL winshm_version(void)
{
    return WINSHM_VERSION_MAJOR << 16 | WINSHM_VERSION_MINOR << 8 |
           WINSHM_VERSION_PATCH;
}

const char *WINSHM_CALL winshm_version_string(void)
{
    return DOTTED(WINSHM_VERSION_MAJOR, WINSHM_VERSION_MINOR,
                  WINSHM_VERSION_PATCH);
}

const char *WINSHM_CALL winshm_status_name(winshm_status status)
{
    return wshm_status_name(status);
}

const char *WINSHM_CALL winshm_status_text(winshm_status status)
{
    return wshm_status_text(status);
}

const char *WINSHM_CALL winshm_last_message(void)
{
    return wshm_error_message();
}

int32_t WINSHM_CALL winshm_last_os_code(void)
{
    return wshm_error_os_code();
}

/* A region that was begun is ended on every path by finish(). */

static PLATFORM_COLD winshm_status refuse(const char *function, const winshm_region *handle)
{
    return wshm_error_report(function, NULL, wshm_region_refusal(handle));
}

static PLATFORM_COLD winshm_status fail(const char *function, struct region *r,
                          winshm_status status)
{
    wshm_error_report(function, r->platform.name, status);
    wshm_region_end(r);
    return status;
}

static inline winshm_status finish(const char *function, struct region *r,
                                   winshm_status status)
{
    if (status != WINSHM_OK)
        return fail(function, r, status);
    wshm_region_end(r);
    return WINSHM_OK;
}

/** What calls on the lock and the counter need. */
static inline winshm_status participates(const struct region *r, bool locks)
{
    if (r->control == NULL || (locks && r->lock_kind == WINSHM_LOCK_NONE))
        return WINSHM_E_UNSUPPORTED;
    return r->slot == NULL ? WINSHM_E_ACCESS : WINSHM_OK;
}

static winshm_status in_range(const struct region *r, uint64_t offset,
                              uint64_t length)
{
    return offset > r->size || length > r->size - offset ? WINSHM_E_RANGE
                                                         : WINSHM_OK;
}

/* Life. */

static winshm_status prepare(const winshm_options *options,
                             struct request *request)
{
    uint32_t flags = options->flags;
    bool creates = options->disposition != WINSHM_OPEN_EXISTING;
    uint32_t known = creates ? (uint32_t)FLAGS_CREATE : (uint32_t)FLAGS_OPEN;
    if (options->disposition < WINSHM_CREATE_NEW ||
        options->disposition > WINSHM_OPEN_OR_CREATE || (flags & ~known) != 0)
        return WINSHM_E_INVALID;
    memset(request, 0, sizeof *request);
    winshm_status status =
        wshm_name_parse(options->name, request->name, &request->global);
    if (status != WINSHM_OK)
        return status;
    request->writable =
        (flags & (WINSHM_READ | WINSHM_WRITE)) != WINSHM_READ;
    request->raw = (flags & WINSHM_RAW) != 0;
    request->mapped = (flags & WINSHM_NO_MAP) == 0;
    request->lock_kind = (flags & WINSHM_NO_LOCK) != 0 ? WINSHM_LOCK_NONE
                                                       : WINSHM_LOCK_ROBUST;
    request->disposition = options->disposition;
    request->timeout_ms = options->timeout_ms;
    request->size = options->size;
    request->capacity =
        options->capacity != 0 ? options->capacity : options->size;
    request->layout_tag = options->layout_tag;
    request->security = options->security;
    if (creates && !request->writable)
        return WINSHM_E_INVALID;
    if (options->disposition == WINSHM_CREATE_NEW && options->size == 0)
        return WINSHM_E_INVALID;
    if (!creates && options->security != NULL &&
        strcmp(options->security, "anyone") != 0)
        return WINSHM_E_INVALID;
    if (request->capacity < request->size)
        return WINSHM_E_INVALID;
    if (request->raw && options->capacity != 0)
        return WINSHM_E_UNSUPPORTED;
    if (request->raw && (flags & WINSHM_NO_LOCK) != 0)
        return WINSHM_E_INVALID;
    if (request->capacity > INT64_MAX)
        return WINSHM_E_SIZE;
    return WINSHM_OK;
}

static winshm_status open_with(const char *function,
                               const winshm_options *options,
                               winshm_region **out)
{
    struct request request;
    if (out == NULL)
        return wshm_error_report(function, NULL, WINSHM_E_INVALID);
    *out = NULL;
    wshm_error_clear();
    winshm_status status = WINSHM_E_INVALID;
    if (options != NULL && options->struct_size == sizeof *options)
        status = prepare(options, &request);
    else
        options = NULL;
    if (status == WINSHM_OK)
        status = wshm_region_open(&request, out);
    return wshm_error_report(function, options != NULL ? options->name : NULL,
                             status);
}

static winshm_options options_of(const char *name, uint64_t size,
                                 uint32_t flags, uint32_t disposition)
{
    winshm_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.flags = flags;
    options.disposition = disposition;
    options.name = name;
    options.size = size;
    return options;
}

winshm_status WINSHM_CALL winshm_create(const char *name, uint64_t size,
                                        uint32_t flags, winshm_region **out)
{
    winshm_options options = options_of(name, size, flags, WINSHM_CREATE_NEW);
    return open_with("winshm_create", &options, out);
}

winshm_status WINSHM_CALL winshm_open(const char *name, uint32_t flags,
                                      winshm_region **out)
{
    winshm_options options = options_of(name, 0, flags, WINSHM_OPEN_EXISTING);
    return open_with("winshm_open", &options, out);
}

winshm_status WINSHM_CALL winshm_open_or_create(const char *name, uint64_t size,
                                                uint32_t flags,
                                                winshm_region **out)
{
    winshm_options options =
        options_of(name, size, flags, WINSHM_OPEN_OR_CREATE);
    return open_with("winshm_open_or_create", &options, out);
}

winshm_status WINSHM_CALL winshm_open_with(const winshm_options *options,
                                           winshm_region **out)
{
    return open_with("winshm_open_with", options, out);
}

winshm_status WINSHM_CALL winshm_close(winshm_region *region)
{
    if (region == NULL)
        return WINSHM_OK;
    return wshm_error_report("winshm_close", NULL, wshm_region_close(region));
}

/* Look. */

void *WINSHM_CALL winshm_data(winshm_region *region)
{
    static const char function[] = "winshm_data";
    struct region *r = wshm_region_begin(region);
    if (r == NULL) {
        refuse(function, region);
        return NULL;
    }
    void *data = r->data;
    finish(function, r, data != NULL ? WINSHM_OK : WINSHM_E_UNSUPPORTED);
    return data;
}

uint64_t WINSHM_CALL winshm_size(winshm_region *region)
{
    struct region *r = wshm_region_begin(region);
    if (r == NULL) {
        refuse("winshm_size", region);
        return 0;
    }
    uint64_t size = r->size;
    wshm_region_end(r);
    return size;
}

winshm_status WINSHM_CALL winshm_get_info(winshm_region *region,
                                          winshm_info *info)
{
    static const char function[] = "winshm_get_info";
    struct region *r = wshm_region_begin(region);
    if (r == NULL)
        return refuse(function, region);
    winshm_status status = WINSHM_E_INVALID;
    if (info != NULL && info->struct_size == sizeof *info)
        status = wshm_info_get(r, info);
    return finish(function, r, status);
}

winshm_status WINSHM_CALL winshm_get_participants(winshm_region *region,
                                                  winshm_participant *array,
                                                  uint32_t capacity,
                                                  uint32_t *count)
{
    static const char function[] = "winshm_get_participants";
    if (count != NULL)
        *count = 0;
    struct region *r = wshm_region_begin(region);
    if (r == NULL)
        return refuse(function, region);
    winshm_status status = WINSHM_OK;
    if (count == NULL || (capacity != 0 && array == NULL) ||
        (capacity != 0 && array->struct_size != sizeof *array))
        status = WINSHM_E_INVALID;
    else if (r->control == NULL)
        status = WINSHM_E_UNSUPPORTED;
    else
        status = wshm_info_participants(r, array, capacity, count);
    return finish(function, r, status);
}

/* Parts and copies. */

winshm_status WINSHM_CALL winshm_map(winshm_region *region, uint64_t offset,
                                     uint64_t length, uint32_t flags,
                                     winshm_view **out)
{
    static const char function[] = "winshm_map";
    if (out != NULL)
        *out = NULL;
    struct region *r = wshm_region_begin(region);
    if (r == NULL)
        return refuse(function, region);
    bool writable = (r->access & WINSHM_WRITE) != 0;
    winshm_status status = in_range(r, offset, length);
    if (out == NULL || length == 0 ||
        (flags & ~(WINSHM_READ | WINSHM_WRITE)) != 0)
        status = WINSHM_E_INVALID;
    else if ((flags & WINSHM_WRITE) != 0 && !writable)
        status = WINSHM_E_ACCESS;
    if (status == WINSHM_OK)
        status = wshm_view_map(r, offset, length,
                               writable && flags != WINSHM_READ, out);
    return finish(function, r, status);
}

void *WINSHM_CALL winshm_view_data(winshm_view *view)
{
    struct view *v = wshm_view_find(view);
    if (v != NULL)
        return v->data;
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
    return wshm_error_report("winshm_unmap", NULL, wshm_view_unmap(view));
}

winshm_status WINSHM_CALL winshm_read(winshm_region *region, uint64_t offset,
                                      void *buffer, uint64_t length,
                                      uint32_t timeout_ms)
{
    static const char function[] = "winshm_read";
    struct region *r = wshm_region_begin(region);
    if (r == NULL)
        return refuse(function, region);
    winshm_status status = in_range(r, offset, length);
    if (buffer == NULL && length != 0)
        status = WINSHM_E_INVALID;
    if (status == WINSHM_OK)
        status = wshm_copy_out(r, offset, buffer, length, timeout_ms);
    return finish(function, r, status);
}

winshm_status WINSHM_CALL winshm_write(winshm_region *region, uint64_t offset,
                                       const void *buffer, uint64_t length,
                                       uint32_t timeout_ms)
{
    static const char function[] = "winshm_write";
    struct region *r = wshm_region_begin(region);
    if (r == NULL)
        return refuse(function, region);
    winshm_status status = in_range(r, offset, length);
    if (buffer == NULL && length != 0)
        status = WINSHM_E_INVALID;
    else if ((r->access & WINSHM_WRITE) == 0)
        status = WINSHM_E_ACCESS;
    if (status == WINSHM_OK)
        status = wshm_copy_in(r, offset, buffer, length, timeout_ms);
    return finish(function, r, status);
}

/* Lock. */

/** Everything that is not one of the two fast paths. The region was begun. */
static PLATFORM_COLD winshm_status lock_slowly(struct region *r, uint32_t mode,
                                               uint32_t timeout_ms, bool taken)
{
    winshm_status status = participates(r, true);
    if (mode != WINSHM_EXCLUSIVE && mode != WINSHM_SHARED)
        status = WINSHM_E_INVALID;
    if (status == WINSHM_OK)
        status = taken ? wshm_lock_drain(r, timeout_ms)
                       : wshm_lock(r, mode, timeout_ms);
    return finish("winshm_lock", r, status);
}

winshm_status WINSHM_CALL winshm_lock(winshm_region *region, uint32_t mode,
                                      uint32_t timeout_ms)
{
    struct region *r = wshm_region_begin(region);
    bool taken = false;
    if (r == NULL)
        return refuse("winshm_lock", region);
    if (r->locks == 0 ||
        !(mode == WINSHM_EXCLUSIVE ? wshm_lock_try_exclusive(r, &taken)
                                   : mode == WINSHM_SHARED &&
                                         wshm_lock_try_shared(r)))
        return lock_slowly(r, mode, timeout_ms, taken);
    wshm_region_end(r);
    return WINSHM_OK;
}

static PLATFORM_COLD winshm_status unlock_slowly(struct region *r,
                                                 uint32_t mode)
{
    winshm_status status = participates(r, true);
    if (mode != WINSHM_EXCLUSIVE && mode != WINSHM_SHARED)
        status = WINSHM_E_INVALID;
    if (status == WINSHM_OK)
        status = wshm_unlock(r, mode);
    return finish("winshm_unlock", r, status);
}

winshm_status WINSHM_CALL winshm_unlock(winshm_region *region, uint32_t mode)
{
    struct region *r = wshm_region_begin(region);
    if (r == NULL)
        return refuse("winshm_unlock", region);
    if (r->locks == 0 ||
        !(mode == WINSHM_EXCLUSIVE ? wshm_lock_release_exclusive(r)
                                   : mode == WINSHM_SHARED &&
                                         wshm_lock_release_shared(r)))
        return unlock_slowly(r, mode);
    wshm_region_end(r);
    return WINSHM_OK;
}

winshm_status WINSHM_CALL winshm_make_consistent(winshm_region *region)
{
    static const char function[] = "winshm_make_consistent";
    struct region *r = wshm_region_begin(region);
    if (r == NULL)
        return refuse(function, region);
    winshm_status status = participates(r, true);
    if (status == WINSHM_OK)
        status = wshm_lock_make_consistent(r);
    return finish(function, r, status);
}

/* Change. */

winshm_status WINSHM_CALL winshm_notify(winshm_region *region)
{
    static const char function[] = "winshm_notify";
    struct region *r = wshm_region_begin(region);
    if (r == NULL)
        return refuse(function, region);
    winshm_status status = participates(r, false);
    if (status == WINSHM_OK)
        wshm_change_notify(r);
    return finish(function, r, status);
}

winshm_status WINSHM_CALL winshm_wait(winshm_region *region, uint32_t seen,
                                      uint32_t timeout_ms, uint32_t *now)
{
    static const char function[] = "winshm_wait";
    if (now != NULL)
        *now = 0;
    struct region *r = wshm_region_begin(region);
    if (r == NULL)
        return refuse(function, region);
    winshm_status status = WINSHM_E_UNSUPPORTED;
    if (r->control != NULL) {
        status = wshm_change_wait(r, seen, timeout_ms);
        if (now != NULL)
            *now = wshm_change_count(r);
    }
    return finish(function, r, status);
}

winshm_status WINSHM_CALL winshm_change_count(winshm_region *region,
                                              uint32_t *now)
{
    static const char function[] = "winshm_change_count";
    if (now != NULL)
        *now = 0;
    struct region *r = wshm_region_begin(region);
    if (r == NULL)
        return refuse(function, region);
    winshm_status status = WINSHM_OK;
    if (now == NULL)
        status = WINSHM_E_INVALID;
    else if (r->control == NULL)
        status = WINSHM_E_UNSUPPORTED;
    else
        *now = wshm_change_count(r);
    return finish(function, r, status);
}

winshm_status WINSHM_CALL winshm_wait_handle(winshm_region *region,
                                             void **handle)
{
    static const char function[] = "winshm_wait_handle";
    if (handle != NULL)
        *handle = NULL;
    struct region *r = wshm_region_begin(region);
    if (r == NULL)
        return refuse(function, region);
    winshm_status status = WINSHM_E_INVALID;
    if (handle != NULL) {
        wshm_error_clear();
        status = participates(r, false);
    }
    if (status == WINSHM_OK)
        status = wshm_change_event(r, handle);
    return finish(function, r, status);
}
