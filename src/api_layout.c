/* The exported functions for the text that says what a region's bytes are. */
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "meaning.h"
#include "observe.h"
#include "status.h"

static const char GRAMMAR[] = "See winshm_format_layout() in winshm.h.";

/** Reports a fault, which is in what has this name. */
static winshm_status faulty(const struct schema_fault *fault, const char *name)
{
    wshm_error_text(name);
    return wshm_error_detail(WINSHM_E_INVALID, fault->what, GRAMMAR, 0,
                             fault->b, fault->c);
}

winshm_status wshm_api_layout(const char *text, char *canonical, uint64_t *size)
{
    struct schema_fault fault;
    char place[32];
    if (wshm_schema_check(text, canonical, size, &fault))
        return WINSHM_OK;
    snprintf(place, sizeof place, "layout, byte %u", (unsigned)fault.at);
    return faulty(&fault, place);
}

winshm_status WINSHM_CALL winshm_get_layout(winshm_region *region, char *buffer,
                                            uint32_t capacity, uint32_t *length)
{
    static const char function[] = "winshm_get_layout";
    char text[SCHEMA_ROOM];
    winshm_status room = wshm_api_room(buffer, capacity, length);
    struct region *r = wshm_region_use(region);
    if (r == NULL)
        return wshm_api_refuse(function, region);
    winshm_status status = room;
    if (status == WINSHM_OK && r->control == NULL)
        status = wshm_api_raw();
    if (status == WINSHM_OK) {
        status = wshm_meaning_fetch(r->control, r->size, text);
        atomic_thread_fence(memory_order_acquire);
        /* Looked at last, since the next life's text is none of ours. */
        winshm_status life = wshm_observe_any(r);
        status = life != WINSHM_OK ? life : status;
    }
    if (status == WINSHM_OK && wshm_region_lost(r))
        status = WINSHM_E_CORRUPT;
    if (status == WINSHM_OK)
        status = wshm_api_hand_text(text, buffer, capacity, length);
    return finish(function, r, status);
}

/** Makes the text, and checks that it is one. */
static winshm_status format(const winshm_field *fields, uint32_t count,
                            uint64_t size, char *canonical)
{
    struct schema_fault fault;
    char text[SCHEMA_ROOM];
    char quoted[96];
    const char *name;
    uint64_t bytes;
    bool formed = wshm_schema_format(fields, count, size, text, &name, &fault);
    if (formed && wshm_schema_check(text, canonical, &bytes, &fault))
        return WINSHM_OK;
    if (formed)
        name = text + fault.at;
    if (name == NULL)
        return faulty(&fault, "the table");
    snprintf(quoted, sizeof quoted, "field '%.*s'",
             formed && strcspn(name, ":") < 64 ? (int)strcspn(name, ":") : 64,
             name);
    return faulty(&fault, quoted);
}

winshm_status WINSHM_CALL winshm_format_layout(const winshm_field *fields,
                                               uint32_t count, uint64_t size,
                                               char *buffer, uint32_t capacity,
                                               uint32_t *length)
{
    char text[SCHEMA_ROOM];
    winshm_status status = wshm_api_room(buffer, capacity, length);
    if (status == WINSHM_OK && fields == NULL && count != 0)
        status = wshm_error_because(WINSHM_E_INVALID,
                                    "fields is NULL, and count is not 0", "");
    if (status == WINSHM_OK)
        status = format(fields, count, size, text);
    if (status == WINSHM_OK)
        status = wshm_api_hand_text(text, buffer, capacity, length);
    return wshm_error_report("winshm_format_layout", NULL, status);
}
