/* The exported functions of the library, of a region's life, and those that
 * look: check the arguments, call down, report failures. */
#include "api.h"

#include <string.h>

#include "info.h"
#include "name.h"
#include "region.h"
#include "status.h"

#define TEXT_OF(x) #x
#define DOTTED(a, b, c) TEXT_OF(a) "." TEXT_OF(b) "." TEXT_OF(c)

enum {
    FLAGS_OPEN =
        WINSHM_READ | WINSHM_WRITE | WINSHM_RAW | WINSHM_NO_MAP | WINSHM_TASK,
    FLAGS_CREATE = FLAGS_OPEN | WINSHM_NO_LOCK
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

PLATFORM_COLD winshm_status wshm_api_refuse(const char *function,
                                            const winshm_region *handle)
{
    return wshm_error_report(function, NULL, wshm_region_refusal(handle));
}

PLATFORM_COLD winshm_status wshm_api_fail(const char *function,
                                          struct region *r,
                                          winshm_status status)
{
    wshm_error_report(function, r->platform.name, status);
    wshm_region_end(r);
    return status;
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
    request->writable = (flags & (WINSHM_READ | WINSHM_WRITE)) != WINSHM_READ;
    request->raw = (flags & WINSHM_RAW) != 0;
    request->tasks = (flags & WINSHM_TASK) != 0;
    request->mapped = (flags & WINSHM_NO_MAP) == 0;
    request->lock_kind =
        (flags & WINSHM_NO_LOCK) != 0 ? WINSHM_LOCK_NONE : WINSHM_LOCK_ROBUST;
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
    if (status == WINSHM_OK)
        wshm_error_clear(); /* what was refused on the way was no failure */
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
    winshm_status status = wshm_region_close(region);
    if (status == WINSHM_OK)
        wshm_error_clear(); /* what could not be removed was no failure */
    return wshm_error_report("winshm_close", NULL, status);
}

/* Look. */

void *WINSHM_CALL winshm_data(winshm_region *region)
{
    static const char function[] = "winshm_data";
    struct region *r = wshm_region_use(region);
    if (r == NULL) {
        wshm_api_refuse(function, region);
        return NULL;
    }
    void *data = r->data;
    finish(function, r, data != NULL ? WINSHM_OK : WINSHM_E_UNSUPPORTED);
    return data;
}

uint64_t WINSHM_CALL winshm_size(winshm_region *region)
{
    struct region *r = wshm_region_use(region);
    if (r == NULL) {
        wshm_api_refuse("winshm_size", region);
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
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = WINSHM_E_INVALID;
    if (info != NULL && info->struct_size == sizeof *info)
        status = wshm_info_get(r, info);
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
    winshm_status status = WINSHM_OK;
    if (count == NULL || (capacity != 0 && array == NULL) ||
        (capacity != 0 && array->struct_size != sizeof *array))
        status = WINSHM_E_INVALID;
    else if (r->control == NULL)
        status = WINSHM_E_UNSUPPORTED;
    else
        status = wshm_info_participants(r, array, capacity, count);
    return finish_on_block(function, r, status);
}
