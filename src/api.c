/* What the exported functions share, and those of the library itself. */
#include "api.h"

#include <string.h>

#include "status.h"
#include "text.h"

#define TEXT_OF(x) #x
#define DOTTED(a, b, c) TEXT_OF(a) "." TEXT_OF(b) "." TEXT_OF(c)

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

/** No header will ever have a larger one. */
enum { STRUCT_MAX = 4096 };

winshm_status wshm_api_struct_size(uint32_t size, uint32_t first)
{
    if (size > STRUCT_MAX)
        return wshm_error_detail(WINSHM_E_INVALID,
                                 "struct_size is {a}, and none has more than "
                                 "{b} bytes",
                                 "Set it to the struct's size.", size,
                                 STRUCT_MAX, 0);
    return size >= first
               ? WINSHM_OK
               : wshm_error_detail(WINSHM_E_INVALID,
                                   "struct_size is {a}, and at least {b} bytes "
                                   "are needed",
                                   "Set it to the struct's size.", size, first,
                                   0);
}

winshm_status wshm_api_room(char *buffer, uint32_t capacity, uint32_t *length)
{
    if (length != NULL)
        *length = 0;
    if (buffer != NULL && capacity != 0)
        buffer[0] = '\0';
    if (length == NULL)
        return wshm_error_because(WINSHM_E_INVALID, "length is NULL", "");
    if (buffer == NULL && capacity != 0)
        return wshm_error_because(WINSHM_E_INVALID,
                                  "buffer is NULL, and capacity is not 0", "");
    return WINSHM_OK;
}

winshm_status wshm_api_hand_text(const char *text, char *buffer,
                                 uint32_t capacity, uint32_t *length)
{
    size_t bytes = strlen(text);
    *length = (uint32_t)bytes;
    if (bytes >= capacity && bytes + capacity != 0)
        return wshm_error_detail(WINSHM_E_RANGE,
                                 "the text has {a} bytes and a NUL, capacity "
                                 "is {b}",
                                 "Make room for so many bytes.", bytes,
                                 capacity, 0);
    if (capacity != 0)
        memcpy(buffer, text, bytes + 1);
    return WINSHM_OK;
}

winshm_status wshm_api_path(const char *path)
{
    if (path == NULL)
        return wshm_error_because(WINSHM_E_INVALID, "path is NULL", "");
    size_t length = 0;
    while (path[length] != '\0') {
        uint32_t code;
        size_t step =
            wshm_text_sequence((const unsigned char *)path + length, &code);
        if (step == 0)
            return wshm_error_detail(
                WINSHM_E_INVALID,
                "byte {a} of path begins no character of UTF-8",
                "Paths are UTF-8, also on Windows.", length, 0, 0);
        length += step;
        if (length > PLATFORM_PATH_MAX)
            return wshm_error_detail(WINSHM_E_INVALID,
                                     "path has more than {a} bytes",
                                     "Use a relative path, or another folder.",
                                     PLATFORM_PATH_MAX, 0, 0);
    }
    wshm_error_text(path);
    return length != 0 ? WINSHM_OK
                       : wshm_error_because(WINSHM_E_INVALID, "path is empty",
                                            "It is the path of a file.");
}

winshm_status wshm_api_raw(void)
{
    return wshm_error_because(WINSHM_E_UNSUPPORTED,
                              "a raw region is a plain block",
                              "It has no lock, no change counter and no list "
                              "of participants: do without WINSHM_RAW.");
}

winshm_status wshm_api_outside(const struct region *r, bool locks)
{
    if (r->control == NULL)
        return wshm_api_raw();
    if (locks && r->lock_kind == WINSHM_LOCK_NONE)
        return wshm_error_because(WINSHM_E_UNSUPPORTED,
                                  "the region has no lock",
                                  "It was created with WINSHM_NO_LOCK.");
    if (wshm_region_lost(r))
        return WINSHM_E_CORRUPT;
    return wshm_error_because(
        WINSHM_E_ACCESS, "the handle is an observer",
        "This user may only read the region, so it can neither lock nor "
        "notify. Its creator can grant more with "
        "winshm_options.security.");
}
