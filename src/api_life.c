/* The exported functions of a region's life: check the arguments, call down,
 * report failures. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "name.h"
#include "region.h"
#include "schema.h"
#include "status.h"

enum {
    FLAGS_OPEN =
        WINSHM_READ | WINSHM_WRITE | WINSHM_RAW | WINSHM_NO_MAP | WINSHM_TASK,
    FLAGS_CREATE = FLAGS_OPEN | WINSHM_NO_LOCK | WINSHM_CREATE_LOCKED
};

/** The bytes of winshm_options in its first release. */
enum { OPTIONS_FIRST = offsetof(winshm_options, security) + sizeof(char *) };

/** The bytes with what came later. */
enum { OPTIONS_LAYOUT = offsetof(winshm_options, layout) + sizeof(char *) };

static winshm_status invalid(const char *what, const char *cure, uint64_t a,
                             uint64_t b)
{
    return wshm_error_detail(WINSHM_E_INVALID, what, cure, a, b, 0);
}

/** Takes over options that an older or a newer header has laid out. */
static winshm_status fetch(const winshm_options *from, winshm_options *options)
{
    memset(options, 0, sizeof *options);
    if (from == NULL)
        return invalid("options is NULL", "", 0, 0);
    uint32_t size = from->struct_size;
    winshm_status status = wshm_api_struct_size(size, OPTIONS_FIRST);
    if (status != WINSHM_OK)
        return status;
    const unsigned char *bytes = (const unsigned char *)from;
    for (uint32_t i = sizeof *options; i < size; i++)
        if (bytes[i] != 0)
            return invalid("options ask for something that came after this "
                           "library's version",
                           "Load a library as new as the header that the "
                           "program was built with.",
                           0, 0);
    memcpy(options, from, size < sizeof *options ? size : sizeof *options);
    if (size < OPTIONS_LAYOUT)
        options->layout = NULL; /* not even a part of it */
    return WINSHM_OK;
}

static winshm_status check_flags(const winshm_options *options)
{
    uint32_t flags = options->flags;
    bool creates = options->disposition != WINSHM_OPEN_EXISTING;
    uint32_t locks = WINSHM_NO_LOCK | WINSHM_CREATE_LOCKED;
    if (options->disposition < WINSHM_CREATE_NEW ||
        options->disposition > WINSHM_OPEN_OR_CREATE)
        return invalid("disposition is {a}",
                       "It is WINSHM_CREATE_NEW, WINSHM_OPEN_EXISTING or "
                       "WINSHM_OPEN_OR_CREATE.",
                       options->disposition, 0);
    if ((flags & ~(uint32_t)FLAGS_CREATE) != 0)
        return invalid("flags has {xa}, which means nothing here",
                       "See the flags of create and open in winshm.h.",
                       flags & ~(uint32_t)FLAGS_CREATE, 0);
    if (!creates && (flags & locks) != 0)
        return invalid("flags has {xa}, which is for creating",
                       "WINSHM_NO_LOCK and WINSHM_CREATE_LOCKED are for "
                       "winshm_create() and winshm_open_or_create().",
                       flags & locks, 0);
    if ((flags & WINSHM_RAW) != 0 && (flags & WINSHM_NO_LOCK) != 0)
        return invalid("WINSHM_RAW and WINSHM_NO_LOCK exclude each other",
                       "A raw region has no lock anyway.", 0, 0);
    if ((flags & WINSHM_RAW) != 0 && (flags & WINSHM_CREATE_LOCKED) != 0)
        return invalid("WINSHM_RAW and WINSHM_CREATE_LOCKED exclude each other",
                       "A raw region has no lock that could be held.", 0, 0);
    if ((flags & locks) == locks)
        return invalid("WINSHM_NO_LOCK and WINSHM_CREATE_LOCKED exclude each "
                       "other",
                       "There is no lock that could be held.", 0, 0);
    if (creates && (flags & (WINSHM_READ | WINSHM_WRITE)) == WINSHM_READ)
        return invalid("WINSHM_READ alone cannot create",
                       "Add WINSHM_WRITE, or open the region.", 0, 0);
    return WINSHM_OK;
}

static winshm_status check_sizes(const winshm_options *options)
{
    uint64_t size = options->size;
    uint64_t capacity = options->capacity;
    bool raw = (options->flags & WINSHM_RAW) != 0;
    if (options->disposition == WINSHM_CREATE_NEW && size == 0)
        return invalid("size is 0", "A region has at least 1 byte.", 0, 0);
    if (capacity != 0 && capacity < size)
        return invalid("capacity is {a}, less than size, which is {b}",
                       "Leave it 0, or make it larger.", capacity, size);
    if (raw && capacity != 0)
        return wshm_error_because(WINSHM_E_UNSUPPORTED,
                                  "a raw region has no capacity",
                                  "Leave it 0, or do without WINSHM_RAW.");
    if ((capacity != 0 ? capacity : size) > INT64_MAX)
        return wshm_error_detail(
            WINSHM_E_SIZE, "{a} bytes are more than any system can share",
            "Ask for less.", capacity != 0 ? capacity : size, 0, 0);
    return WINSHM_OK;
}

static winshm_status check_security(const winshm_options *options)
{
    const char *security = options->security;
    if (security == NULL || options->disposition != WINSHM_OPEN_EXISTING ||
        strcmp(security, "anyone") == 0)
        return WINSHM_OK;
    wshm_error_text(security);
    return invalid("security is '{text}'",
                   "When opening there is only \"anyone\".", 0, 0);
}

/** Makes up a name that no other region has. */
static winshm_status draw_name(char *name)
{
    uint32_t random[4];
    winshm_status status = wshm_platform_random(random, sizeof random);
    if (status == WINSHM_OK)
        snprintf(name, WINSHM_NAME_MAX + 1, "winshm-%08lx%08lx%08lx%08lx",
                 (unsigned long)random[0], (unsigned long)random[1],
                 (unsigned long)random[2], (unsigned long)random[3]);
    return status;
}

static winshm_status prepare(const winshm_options *options,
                             struct request *request)
{
    uint32_t flags = options->flags;
    bool unnamed =
        options->name == NULL && options->disposition == WINSHM_CREATE_NEW;
    memset(request, 0, sizeof *request);
    winshm_status status = check_flags(options);
    if (status == WINSHM_OK && !unnamed)
        status =
            wshm_name_parse(options->name, request->name, &request->global);
    if (status == WINSHM_OK)
        status = check_sizes(options);
    if (status == WINSHM_OK)
        status = check_security(options);
    if (status == WINSHM_OK && unnamed)
        status = draw_name(request->name);
    request->writable = (flags & (WINSHM_READ | WINSHM_WRITE)) != WINSHM_READ;
    request->raw = (flags & WINSHM_RAW) != 0;
    request->tasks = (flags & WINSHM_TASK) != 0;
    request->mapped = (flags & WINSHM_NO_MAP) == 0;
    request->locked = (flags & WINSHM_CREATE_LOCKED) != 0;
    request->lock_kind =
        (flags & WINSHM_NO_LOCK) != 0 ? WINSHM_LOCK_NONE : WINSHM_LOCK_ROBUST;
    request->disposition = options->disposition;
    request->timeout_ms = options->timeout_ms;
    request->size = options->size;
    request->capacity =
        options->capacity != 0 ? options->capacity : options->size;
    request->layout_tag = options->layout_tag;
    request->security = options->security;
    return status;
}

/** Opens with a layout, for which only those need the room who give one. */
static PLATFORM_NOINLINE winshm_status
open_with_layout(const winshm_options *options, struct request *request,
                 winshm_region **out)
{
    char canonical[SCHEMA_ROOM];
    if (request->raw)
        return wshm_error_because(WINSHM_E_UNSUPPORTED,
                                  "a raw region has no layout",
                                  "Leave it NULL, or do without WINSHM_RAW.");
    winshm_status status =
        wshm_api_layout(options->layout, canonical, &request->layout_size);
    if (status != WINSHM_OK)
        return status;
    if (request->size != 0 && request->layout_size > request->size)
        return invalid("the layout has {a} bytes, size is {b}",
                       "Give the region the size of its layout, or a larger "
                       "one.",
                       request->layout_size, request->size);
    request->layout = canonical;
    return wshm_region_open(request, out);
}

static winshm_status open_with(const char *function, const winshm_options *from,
                               winshm_region **out)
{
    struct request request;
    winshm_options options;
    wshm_error_clear();
    if (out == NULL)
        return wshm_error_report(function, NULL,
                                 invalid("out is NULL", "", 0, 0));
    *out = NULL;
    winshm_status status = fetch(from, &options);
    if (status == WINSHM_OK)
        status = prepare(&options, &request);
    if (status == WINSHM_OK)
        status = options.layout != NULL
                     ? open_with_layout(&options, &request, out)
                     : wshm_region_open(&request, out);
    if (status == WINSHM_OK)
        wshm_error_clear(); /* what was refused on the way was no failure */
    return wshm_error_report(function, options.name, status);
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
