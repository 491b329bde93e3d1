/* The exported functions of a region's life: check the arguments, call down,
 * report failures. */
#include <string.h>

#include "api.h"
#include "name.h"
#include "region.h"
#include "status.h"

enum {
    FLAGS_OPEN =
        WINSHM_READ | WINSHM_WRITE | WINSHM_RAW | WINSHM_NO_MAP | WINSHM_TASK,
    FLAGS_CREATE = FLAGS_OPEN | WINSHM_NO_LOCK
};

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
