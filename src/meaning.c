/* What a region's bytes are, as its creator has said. */
#include "meaning.h"

#include <string.h>

#include "status.h"

_Static_assert(sizeof((struct layout_control *)0)->layout == SCHEMA_ROOM,
               "there is room for any text");

void wshm_meaning_store(struct layout_control *control, const char *canonical)
{
    size_t left = canonical != NULL ? strlen(canonical) : 0;
    /* The last word has a NUL at least. What is behind it means nothing. */
    for (size_t i = 0;; i++, left -= sizeof(uint32_t)) {
        uint32_t word = 0;
        bool last = left < sizeof word;
        if (canonical != NULL)
            memcpy(&word, canonical + i * sizeof word,
                   last ? left : sizeof word);
        atomic_store_explicit(&control->layout[i], word, memory_order_relaxed);
        if (last)
            return;
    }
}

static winshm_status damaged(void)
{
    return wshm_error_because(
        WINSHM_E_CORRUPT, "the layout is none that winshm has stored", NULL);
}

winshm_status wshm_meaning_fetch(struct layout_control *control, uint64_t size,
                                 char *canonical)
{
    char text[SCHEMA_ROOM];
    struct schema_fault fault;
    uint64_t bytes;
    for (size_t i = 0; i < SCHEMA_ROOM / sizeof(uint32_t); i++) {
        uint32_t word =
            atomic_load_explicit(&control->layout[i], memory_order_relaxed);
        memcpy(text + i * sizeof word, &word, sizeof word);
        if (memchr(text + i * sizeof word, '\0', sizeof word) != NULL)
            break;
    }
    canonical[0] = '\0';
    if (text[0] == '\0')
        return WINSHM_OK;
    /* It looks no further than the text may be long. */
    if (!wshm_schema_check(text, canonical, &bytes, &fault) || bytes > size)
        return damaged();
    return WINSHM_OK;
}

winshm_status wshm_meaning_match(struct layout_control *control,
                                 const struct facts *facts,
                                 const struct request *request)
{
    char there[SCHEMA_ROOM];
    char difference[SCHEMA_DIFFERENCE];
    winshm_status status = wshm_meaning_fetch(control, facts->size, there);
    if (status != WINSHM_OK)
        return status;
    if (there[0] != '\0' &&
        !wshm_schema_same(request->layout, there, difference)) {
        wshm_error_text(difference);
        return wshm_error_because(WINSHM_E_TAG, "{text}", NULL);
    }
    if (request->layout_size > facts->size)
        return wshm_error_detail(
            WINSHM_E_SIZE, "the region has {a} bytes, the layout {b}",
            "Let its creator give it the size of the layout.", facts->size,
            request->layout_size, 0);
    return WINSHM_OK;
}
