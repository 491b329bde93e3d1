/* What the exported functions share, and those of the library itself. */
#include "api.h"

#include "status.h"

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
