/* The exported functions that save a region in a file and load it. */
#include <string.h>

#include "api.h"
#include "file.h"
#include "save.h"
#include "status.h"
#include "text.h"

static winshm_status check_path(const char *path)
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
        if (length > FILE_PATH_MAX)
            return wshm_error_detail(WINSHM_E_INVALID,
                                     "path has more than {a} bytes",
                                     "Use a relative path, or another folder.",
                                     FILE_PATH_MAX, 0, 0);
    }
    wshm_error_text(path);
    return length != 0 ? WINSHM_OK
                       : wshm_error_because(WINSHM_E_INVALID, "path is empty",
                                            "It is the path of a file.");
}

winshm_status WINSHM_CALL winshm_save(winshm_region *region, const char *path,
                                      uint32_t timeout_ms)
{
    static const char function[] = "winshm_save";
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    wshm_error_clear();
    winshm_status status = check_path(path);
    if (status == WINSHM_OK)
        status = wshm_save(r, path, timeout_ms);
    return finish_on_block(function, r, status);
}

winshm_status WINSHM_CALL winshm_load(winshm_region *region, const char *path,
                                      uint32_t timeout_ms)
{
    static const char function[] = "winshm_load";
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    wshm_error_clear();
    winshm_status status = check_path(path);
    if (status == WINSHM_OK && (r->access & WINSHM_WRITE) == 0)
        status = wshm_error_because(WINSHM_E_ACCESS, "the handle is read-only",
                                    "Open the region with WINSHM_WRITE.");
    if (status == WINSHM_OK)
        status = wshm_load(r, path, timeout_ms);
    return finish_on_block(function, r, status);
}
