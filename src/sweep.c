/* What crashes have left of other regions. */
#include "sweep.h"

#include <string.h>

#include "enter.h"
#include "name.h"
#include "participant.h"
#include "status.h"

/** How many names are dealt with at a time. */
enum { NAMES = 16 };

_Atomic uint64_t wshm_sweep_next;

/** True if nothing has ever been written to the control block. */
static bool blank(const struct layout_control *control)
{
    const shared_u32 *word = (const void *)control;
    for (uint32_t i = 0; i < LAYOUT_BYTES / sizeof *word; i++)
        if (atomic_load_explicit(&word[i], memory_order_relaxed) != 0)
            return false;
    return true;
}

/** True if the life lock's holder may remove the region as a failed open would,
 * and knows what its control block says: a file of this name may be anything.
 */
static bool removable(struct region *r)
{
    struct layout_header *header = &r->control->header;
    bool known = (atomic_load(&header->magic) == LAYOUT_MAGIC &&
                  atomic_load(&header->version) == LAYOUT_VERSION) ||
                 blank(r->control);
    return known && wshm_participant_alone(r) &&
           wshm_platform_control_own(&r->platform, NULL) == WINSHM_OK;
}

static bool remove_one(struct region *r, const char *name)
{
    struct platform_region *p = &r->platform;
    bool removed = false;
    if (wshm_name_parse(name, p->name, &p->global) != WINSHM_OK ||
        strcmp(name, p->name) != 0)
        return false; /* no name of ours */
    p->writable = true;
    if (wshm_platform_enter(p, PLATFORM_JOIN, LAYOUT_BYTES, NULL, 0) !=
        WINSHM_OK)
        return false;
    r->control = p->control_view;
    if (removable(r) && !wshm_region_lost(r))
        removed = wshm_enter_clean_up(r);
    r->control = NULL;
    wshm_platform_leave(p);
    return removed;
}

bool wshm_sweep(void)
{
    char names[NAMES][WINSHM_NAME_MAX + 1];
    uint64_t now = wshm_platform_now();
    uint64_t next = atomic_load(&wshm_sweep_next);
    bool removed = false;
    if (now < next ||
        !atomic_compare_exchange_strong(&wshm_sweep_next, &next, now + SECOND))
        return false;
    /* In the table, so that a child that is forked meanwhile lets go of what is
     * open here. */
    struct region *r = wshm_region_allocate(false);
    if (r == NULL)
        return false;
    wshm_error_keep();
    uint32_t count = wshm_platform_leftovers(names, NAMES, LAYOUT_BYTES);
    for (uint32_t i = 0; i < count; i++)
        removed = remove_one(r, names[i]) || removed;
    wshm_region_free(r);
    return removed;
}
