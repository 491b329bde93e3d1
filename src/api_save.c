/* The exported functions that save a region in a file and load it. */
#include "api.h"
#include "save.h"
#include "status.h"

winshm_status WINSHM_CALL winshm_save(winshm_region *region, const char *path,
                                      uint32_t timeout_ms)
{
    static const char function[] = "winshm_save";
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    wshm_error_clear();
    winshm_status status = wshm_api_path(path);
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
    winshm_status status = wshm_api_path(path);
    if (status == WINSHM_OK && (r->access & WINSHM_WRITE) == 0)
        status = wshm_error_because(WINSHM_E_ACCESS, "the handle is read-only",
                                    "Open the region with WINSHM_WRITE.");
    if (status == WINSHM_OK)
        status = wshm_load(r, path, timeout_ms);
    return finish_on_block(function, r, status);
}
