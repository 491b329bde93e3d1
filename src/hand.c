/* Handing a region over: tokens and link files. */
#include "hand.h"

#include <string.h>

#include "link.h"
#include "observe.h"
#include "park.h"
#include "region.h"
#include "status.h"

/** How long others may be making a link at the same path. */
static const uint64_t LINK_PATIENCE = 5 * SECOND;

/** How often what is in the way of a link is looked at: another one may come
 * between clearing a stale one and making ours. */
enum { LINK_TRIES = 20 };

/** Room for what a link file has, and a byte more. */
enum { LINK_BYTES = WINSHM_TOKEN_MAX + 2 };
_Static_assert((int)LINK_BYTES <= (int)PLATFORM_PATH_MAX,
               "all that is read can be compared");

winshm_status wshm_hand_describe(struct region *r, bool writable,
                                 struct token *token)
{
    memcpy(token->name, r->platform.name, sizeof token->name);
    memcpy(token->id, r->platform.id, sizeof token->id);
    token->global = r->platform.global;
    token->writable = writable;
    /* As whoever imports it will find it: the size at creation, which the
     * handle need not have. */
    token->size = shared_load(&r->control->header.size);
    if (wshm_observe_any(r) != WINSHM_OK)
        return WINSHM_E_NOT_FOUND;
    return token->size != 0 && token->size <= INT64_MAX ? WINSHM_OK
                                                        : WINSHM_E_CORRUPT;
}

winshm_status wshm_hand_import(const struct token *token, uint32_t flags,
                               uint32_t timeout_ms, winshm_region **out)
{
    struct request request;
    memset(&request, 0, sizeof request);
    memcpy(request.name, token->name, sizeof request.name);
    request.global = token->global;
    request.writable = token->writable && (flags & WINSHM_READ) == 0;
    request.mapped = (flags & WINSHM_NO_MAP) == 0;
    request.tasks = (flags & WINSHM_TASK) != 0;
    request.disposition = WINSHM_OPEN_EXISTING;
    request.timeout_ms = timeout_ms;
    request.size = token->size;
    request.life = token->id;
    return wshm_region_open(&request, out);
}

/* Link files. */

/** Reads the token out of a link file. @param text [out] room for LINK_BYTES,
 * what the file has; *length is 0 if it was not read. */
static winshm_status read_link(const char *path, char *text, uint32_t *length,
                               struct token *token)
{
    *length = 0;
    winshm_status status =
        wshm_platform_link_read(path, text, LINK_BYTES, length);
    if (status == WINSHM_E_NOT_FOUND)
        return wshm_error_because(
            status, "there is no link file",
            "Whoever makes it has not done so yet, or has "
            "closed the region.");
    if (status == WINSHM_E_KIND)
        return wshm_error_because(status, "it is no plain file",
                                  "Symbolic links are not followed: give the "
                                  "path of the link file itself.");
    if (status != WINSHM_OK)
        return status;
    char line[LINK_BYTES + 1];
    memcpy(line, text, *length);
    line[*length] = '\0';
    if (*length > 0 && line[*length - 1] == '\n')
        line[*length - 1] = '\0';
    /* What stands behind a NUL would not be looked at. */
    if (memchr(text, '\0', *length) != NULL)
        return wshm_error_because(WINSHM_E_TOKEN, "it has a NUL", NULL);
    return wshm_token_parse(line, token);
}

/** Looks at what is at the path of a link that is to be made. @return WINSHM_OK
 * if it is a stale link, or gone. */
static winshm_status judge_link(const char *path, char *text, uint32_t *length)
{
    struct token token;
    winshm_region *other;
    winshm_status status = read_link(path, text, length, &token);
    switch (status) {
    case WINSHM_OK:
        break;
    case WINSHM_E_NOT_FOUND:
        return WINSHM_OK;
    case WINSHM_E_NO_MEMORY:
    case WINSHM_E_SYSTEM:
        return status;
    default:
        return wshm_error_because(WINSHM_E_EXISTS,
                                  "something else than a link has this path",
                                  "Choose another path, or remove what is "
                                  "there.");
    }
    status = wshm_hand_import(&token, WINSHM_READ | WINSHM_NO_MAP, 0, &other);
    switch (status) {
    case WINSHM_E_NOT_FOUND:
    case WINSHM_E_REPLACED:
        return WINSHM_OK;
    case WINSHM_E_NO_MEMORY:
    case WINSHM_E_TOO_MANY:
    case WINSHM_E_TIMEOUT:
    case WINSHM_E_SYSTEM:
        return status;
    case WINSHM_OK:
        wshm_region_close(other);
        wshm_error_clear(); /* nothing has failed */
    }
    return wshm_error_because(WINSHM_E_EXISTS,
                              "a link to a region that lives has this path",
                              "Choose another path, or open the region by its "
                              "link.");
}

static winshm_status make_link(struct region *r, const char *path,
                               const char *text, uint32_t length)
{
    uint64_t deadline = wshm_platform_now() + LINK_PATIENCE;
    for (int tries = 0; tries < LINK_TRIES; tries++) {
        char there[LINK_BYTES];
        uint32_t bytes;
        winshm_status status = wshm_link_make(r, path, text, length, deadline);
        if (status != WINSHM_E_EXISTS)
            return status;
        wshm_error_clear();
        status = judge_link(path, there, &bytes);
        if (status != WINSHM_OK)
            return status;
        wshm_error_clear(); /* that nothing is there was no failure */
        if (bytes != 0)
            status = wshm_link_clear(r, path, there, bytes, deadline);
        if (status != WINSHM_OK)
            return status;
        wshm_error_clear();
    }
    return wshm_error_because(WINSHM_E_EXISTS,
                              "others make and remove links at this path",
                              "Choose another path.");
}

winshm_status wshm_hand_link(struct region *r, const char *path)
{
    struct token token;
    char text[LINK_BYTES];
    winshm_status status =
        wshm_hand_describe(r, (r->access & WINSHM_WRITE) != 0, &token);
    if (status == WINSHM_OK)
        status = wshm_link_begin(r);
    if (status != WINSHM_OK)
        return status;
    uint32_t length = wshm_token_format(&token, text);
    text[length++] = '\n';
    status = make_link(r, path, text, length);
    if (status != WINSHM_OK)
        wshm_link_give_up(r);
    return status;
}

/** What is left for one try of a call. */
static uint32_t left_ms(uint32_t timeout_ms, uint64_t deadline)
{
    uint64_t now = wshm_platform_now();
    if (timeout_ms == 0 || timeout_ms == WINSHM_FOREVER)
        return timeout_ms;
    return now < deadline ? (uint32_t)((deadline - now) / MILLISECOND) + 1 : 1;
}

winshm_status wshm_hand_open_link(const char *path, uint32_t flags,
                                  uint32_t timeout_ms, winshm_region **out)
{
    uint64_t deadline = wshm_park_deadline(timeout_ms);
    uint64_t pause = MILLISECOND;
    for (;;) {
        struct token token;
        char text[LINK_BYTES];
        uint32_t length;
        wshm_error_clear();
        winshm_status status = read_link(path, text, &length, &token);
        if (status == WINSHM_OK)
            status = wshm_hand_import(&token, flags,
                                      left_ms(timeout_ms, deadline), out);
        uint64_t now = wshm_platform_now();
        if ((status != WINSHM_E_NOT_FOUND && status != WINSHM_E_REPLACED) ||
            now >= deadline)
            return status;
        if (pause > deadline - now)
            pause = deadline - now;
        wshm_platform_sleep(pause);
        pause = pause < 16 * MILLISECOND ? pause * 2 : pause;
    }
}
