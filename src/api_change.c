/* The exported functions of the change counter. */
#include "api.h"
#include "change.h"
#include "observe.h"
#include "status.h"

winshm_status WINSHM_CALL winshm_notify(winshm_region *region)
{
    static const char function[] = "winshm_notify";
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = wshm_api_participates(r, false);
    if (status == WINSHM_OK)
        wshm_change_notify(r);
    return finish_on_block(function, r, status);
}

winshm_status WINSHM_CALL winshm_wait(winshm_region *region, uint32_t seen,
                                      uint32_t timeout_ms, uint32_t *now)
{
    static const char function[] = "winshm_wait";
    if (now != NULL)
        *now = 0;
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = WINSHM_OK;
    if (r->control == NULL) {
        status = wshm_api_raw();
    } else {
        status = wshm_change_wait(r, seen, timeout_ms);
        bool looked = status == WINSHM_OK || status == WINSHM_E_TIMEOUT;
        if (looked && !wshm_region_lost(r)) {
            uint32_t count = wshm_change_count(r);
            /* Who is told of a change and of no change at once may miss it. */
            if (count != seen)
                status = WINSHM_OK;
            if (now != NULL)
                *now = count;
        }
    }
    return finish_on_block(function, r, status);
}

winshm_status WINSHM_CALL winshm_change_count(winshm_region *region,
                                              uint32_t *now)
{
    static const char function[] = "winshm_change_count";
    if (now != NULL)
        *now = 0;
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = WINSHM_OK;
    if (now == NULL)
        status = wshm_error_because(WINSHM_E_INVALID, "now is NULL", "");
    else if (r->slot == NULL)
        status = r->control == NULL ? wshm_api_raw() : wshm_observe_life(r);
    if (status == WINSHM_OK && wshm_region_lost(r))
        status = WINSHM_E_CORRUPT;
    if (status != WINSHM_OK)
        return wshm_api_fail(function, r, status);
    *now = wshm_change_count(r);
    wshm_region_end(r);
    return WINSHM_OK;
}

winshm_status WINSHM_CALL winshm_wait_handle(winshm_region *region,
                                             void **handle)
{
    static const char function[] = "winshm_wait_handle";
    if (handle != NULL)
        *handle = NULL;
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    wshm_error_clear();
    winshm_status status = WINSHM_E_INVALID;
    if (handle == NULL) {
        wshm_error_because(status, "handle is NULL", "");
    } else {
        status = wshm_api_participates(r, false);
    }
    if (status == WINSHM_OK)
        status = wshm_change_event(r, handle);
    return finish_on_block(function, r, status);
}

winshm_status WINSHM_CALL winshm_wait_fd(winshm_region *region, int32_t *fd)
{
    static const char function[] = "winshm_wait_fd";
    if (fd != NULL)
        *fd = -1;
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    wshm_error_clear();
    winshm_status status = WINSHM_E_INVALID;
    if (fd == NULL)
        wshm_error_because(status, "fd is NULL", "");
    else
        status =
            r->control == NULL ? wshm_api_raw() : wshm_change_descriptor(r, fd);
    return finish_on_block(function, r, status);
}
