/* The exported functions that hand a region over: check the arguments, call
 * down, report failures. */
#include "api.h"
#include "hand.h"
#include "status.h"

static winshm_status invalid(const char *what, const char *cure, uint64_t a,
                             uint64_t b)
{
    return wshm_error_detail(WINSHM_E_INVALID, what, cure, a, b, 0);
}

winshm_status WINSHM_CALL winshm_get_name(winshm_region *region, char *buffer,
                                          uint32_t capacity, uint32_t *length)
{
    static const char function[] = "winshm_get_name";
    char name[TOKEN_NAME_BYTES];
    winshm_status status = wshm_api_room(buffer, capacity, length);
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    if (status == WINSHM_OK) {
        wshm_token_name(r->platform.name, r->platform.global, name);
        status = wshm_api_hand_text(name, buffer, capacity, length);
    }
    return finish(function, r, status);
}

/** What tokens are made of. */
static winshm_status check_managed(const struct region *r)
{
    return r->control != NULL
               ? WINSHM_OK
               : wshm_error_because(WINSHM_E_UNSUPPORTED,
                                    "nothing tells one life of a raw region "
                                    "from another",
                                    "Pass on its name, which winshm_get_name() "
                                    "tells.");
}

static winshm_status check_access(const struct region *r, uint32_t access)
{
    if ((access & ~(WINSHM_READ | WINSHM_WRITE)) != 0)
        return invalid("access is {xa}",
                       "It is 0, WINSHM_READ, or WINSHM_READ with "
                       "WINSHM_WRITE.",
                       access, 0);
    return (access & ~r->access) == 0
               ? WINSHM_OK
               : wshm_error_because(WINSHM_E_ACCESS, "the handle is read-only",
                                    "Ask for WINSHM_READ, or open the region "
                                    "with WINSHM_WRITE.");
}

winshm_status WINSHM_CALL winshm_export(winshm_region *region, uint32_t access,
                                        char *buffer, uint32_t capacity,
                                        uint32_t *length)
{
    static const char function[] = "winshm_export";
    struct token token;
    char text[WINSHM_TOKEN_MAX + 1];
    winshm_status status = wshm_api_room(buffer, capacity, length);
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    if (status == WINSHM_OK)
        status = check_managed(r);
    if (status == WINSHM_OK)
        status = check_access(r, access);
    if (status != WINSHM_OK)
        return finish(function, r, status);
    uint32_t granted = access != 0 ? access : r->access;
    status = wshm_hand_describe(r, (granted & WINSHM_WRITE) != 0, &token);
    if (status == WINSHM_OK && !wshm_region_lost(r)) {
        wshm_token_format(&token, text);
        status = wshm_api_hand_text(text, buffer, capacity, length);
    }
    return finish_on_block(function, r, status);
}

/** What import and its kind demand of the arguments that they share. */
static winshm_status check_opening(uint32_t flags, winshm_region **out)
{
    const uint32_t known = WINSHM_READ | WINSHM_NO_MAP | WINSHM_TASK;
    if (out == NULL)
        return invalid("out is NULL", "", 0, 0);
    *out = NULL;
    return (flags & ~known) == 0
               ? WINSHM_OK
               : invalid("flags has {xa}, which means nothing here",
                         "There are WINSHM_READ, WINSHM_NO_MAP and "
                         "WINSHM_TASK; what may be written, the token says.",
                         flags & ~known, 0);
}

winshm_status WINSHM_CALL winshm_import(const char *token, uint32_t flags,
                                        uint32_t timeout_ms,
                                        winshm_region **out)
{
    struct token parsed;
    const char *name = NULL;
    winshm_status status = check_opening(flags, out);
    if (status == WINSHM_OK && token == NULL)
        status = invalid("token is NULL", "", 0, 0);
    if (status == WINSHM_OK)
        status = wshm_token_parse(token, &parsed);
    if (status == WINSHM_OK) {
        name = parsed.name;
        status = wshm_hand_import(&parsed, flags, timeout_ms, out);
    }
    return wshm_error_report("winshm_import", name, status);
}

winshm_status WINSHM_CALL winshm_link(winshm_region *region, const char *path)
{
    static const char function[] = "winshm_link";
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    wshm_error_clear();
    winshm_status status = wshm_api_path(path);
    if (status == WINSHM_OK)
        status = check_managed(r);
    if (status == WINSHM_OK && r->slot == NULL)
        status =
            wshm_error_because(WINSHM_E_ACCESS, "the handle is an observer",
                               "It does not keep the region alive: let a "
                               "participant make the link.");
    if (status == WINSHM_OK) {
        int cancellation = wshm_platform_uncancellable();
        status = wshm_hand_link(r, path);
        wshm_platform_cancellable(cancellation);
    }
    return finish(function, r, status);
}

winshm_status WINSHM_CALL winshm_open_link(const char *path, uint32_t flags,
                                           uint32_t timeout_ms,
                                           winshm_region **out)
{
    winshm_status status = check_opening(flags, out);
    if (status == WINSHM_OK)
        status = wshm_api_path(path);
    if (status == WINSHM_OK)
        status = wshm_platform_init();
    if (status == WINSHM_OK) {
        int cancellation = wshm_platform_uncancellable();
        status = wshm_hand_open_link(path, flags, timeout_ms, out);
        wshm_platform_cancellable(cancellation);
    }
    return wshm_error_report("winshm_open_link", path, status);
}
