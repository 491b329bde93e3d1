/* The link file of a handle. What is open for it is kept in a table of its own:
 * few handles have one, and a struct region has no room to spare. */
#include "link.h"

#include "status.h"

enum { LINK_NONE, LINK_RESERVED, LINK_OPENING, LINK_MADE };

static struct link {
    _Atomic uint32_t state;
    struct platform_link open; /* from LINK_OPENING on */
} links[HANDLE_REGIONS];

static struct link *link_of(const struct region *r)
{
    return &links[r - wshm_regions];
}

winshm_status wshm_link_begin(struct region *r)
{
    struct link *link = link_of(r);
    uint32_t none = LINK_NONE;
    if (!atomic_compare_exchange_strong(&link->state, &none, LINK_RESERVED))
        return wshm_error_because(WINSHM_E_EXISTS, "the handle has a link",
                                  "Open the region once more for another one.");
    link->open = (struct platform_link){PLATFORM_NONE, PLATFORM_NONE};
    /* From here on a child that is forked closes what it finds. */
    atomic_store(&link->state, LINK_OPENING);
    return WINSHM_OK;
}

void wshm_link_give_up(struct region *r)
{
    atomic_store(&link_of(r)->state, LINK_NONE);
}

winshm_status wshm_link_make(struct region *r, const char *path,
                             const char *text, uint32_t length,
                             uint64_t deadline)
{
    struct link *link = link_of(r);
    winshm_status status =
        wshm_platform_link_make(path, text, length, deadline, &link->open);
    if (status == WINSHM_OK)
        atomic_store(&link->state, LINK_MADE);
    return status;
}

winshm_status wshm_link_clear(struct region *r, const char *path,
                              const char *text, uint32_t length,
                              uint64_t deadline)
{
    return wshm_platform_link_clear(path, text, length, deadline,
                                    &link_of(r)->open);
}

void wshm_link_remove(struct region *r)
{
    struct link *link = link_of(r);
    uint32_t made = LINK_MADE;
    if (!atomic_compare_exchange_strong(&link->state, &made, LINK_OPENING))
        return;
    wshm_platform_link_remove(&link->open);
    atomic_store(&link->state, LINK_NONE);
}

void wshm_link_fork_child(void)
{
    for (uint32_t i = 0; i < HANDLE_REGIONS; i++) {
        uint32_t state = atomic_load(&links[i].state);
        if (state == LINK_NONE)
            continue;
        if (state != LINK_RESERVED)
            wshm_platform_link_abandon(&links[i].open);
        atomic_store(&links[i].state, LINK_NONE);
    }
}
