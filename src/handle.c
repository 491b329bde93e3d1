/* Tables of regions and views. */
#include "handle.h"

#include <string.h>

struct region wshm_regions[HANDLE_REGIONS];
_Atomic(uintptr_t) wshm_markers[HANDLE_REGIONS];
static struct view views[HANDLE_VIEWS];

_Static_assert(HANDLE_REGIONS <= 1 << HANDLE_INDEX_BITS, "index fits");
_Static_assert(HANDLE_VIEWS <= 1 << HANDLE_INDEX_BITS, "index fits");

/* Places are taken round robin, so that a stale handle meets a new one of the
 * same place as late as can be. Held across fork(), so that a child never sees
 * a region half opened. */
static struct platform_mutex mutex;
static uint32_t region_cursor;
static uint32_t view_cursor;

enum { GENERATION_SHIFT = HANDLE_INDEX_SHIFT + HANDLE_INDEX_BITS };

static uintptr_t next_value(uintptr_t last, uintptr_t kind, uint32_t index)
{
    uintptr_t generation = (last >> GENERATION_SHIFT) + 1;
    uintptr_t value = generation << GENERATION_SHIFT |
                      (uintptr_t)index << HANDLE_INDEX_SHIFT | kind;
    return value >> GENERATION_SHIFT != 0
               ? value
               : value | (uintptr_t)1 << GENERATION_SHIFT;
}

/** How many places that others mark are passed over in favour of one that this
 * thread may. */
enum { PASSED_OVER = 32 };

/** Finds a free place. One that a handle of the parent had is used again only
 * where there is no other, so that this handle is told for what it is. */
static struct region *free_region(uint32_t forked)
{
    uintptr_t thread = wshm_platform_thread_number();
    uint32_t passed = 0, second = 0;
    for (uint32_t i = 0; i < HANDLE_REGIONS && passed < PASSED_OVER; i++) {
        struct region *r = &wshm_regions[region_cursor++ % HANDLE_REGIONS];
        if (atomic_load(&r->references) != 0 || r->forked != forked)
            continue;
        uintptr_t marker = atomic_load(&wshm_markers[r - wshm_regions]);
        if (marker == 0 || marker == thread)
            return r;
        if (passed++ == 0)
            second = region_cursor;
    }
    if (passed == 0)
        return NULL;
    region_cursor = second;
    return &wshm_regions[(second - 1) % HANDLE_REGIONS];
}

/** The thread that marks a place is nowhere late when it is here. */
static void let_others_mark(const struct region *r)
{
    _Atomic(uintptr_t) *marker = &wshm_markers[r - wshm_regions];
    if (atomic_load(marker) == wshm_platform_thread())
        atomic_store(marker, 0);
}

struct region *wshm_region_allocate(bool tasks)
{
    wshm_platform_mutex_lock(&mutex);
    struct region *found = free_region(0);
    if (found == NULL)
        found = free_region(1);
    if (found != NULL) {
        found->forked = 0;
        found->published = 0;
        atomic_store(&found->references, REGION_UNUSED + 1);
        atomic_store(&found->first, tasks ? HANDLE_NO_FIRST : 0);
        let_others_mark(found);
        atomic_store(&found->closing, CLOSE_DONE);
        atomic_store(&found->own, OWN_NEVER);
        atomic_store(&found->other, 0);
        atomic_store(&found->seen_alive, 0);
        atomic_store(&found->owner, 0);
        found->control = NULL;
        found->slot = NULL;
        found->me = 0;
        found->locks = 0;
        found->data = NULL;
        found->member = 0;
        wshm_platform_reset(&found->platform);
    }
    wshm_platform_mutex_unlock(&mutex);
    return found;
}

winshm_region *wshm_region_publish(struct region *r)
{
    uint32_t index = (uint32_t)(r - wshm_regions);
    wshm_platform_mutex_lock(&mutex);
    r->last = next_value(r->last, HANDLE_REGION, index);
    r->published = 1;
    atomic_store(&r->closing, CLOSE_NONE);
    atomic_store(&r->handle, r->last);
    wshm_platform_mutex_unlock(&mutex);
    return (winshm_region *)r->last;
}

bool wshm_region_hold(struct region *r)
{
    bool held = false;
    /* No place is taken meanwhile, so that what is seen is of one region. */
    wshm_platform_mutex_lock(&mutex);
    uint32_t references = atomic_load(&r->references);
    while (!held && r->published && references > REGION_UNUSED &&
           (atomic_load(&r->handle) != 0 ||
            atomic_load(&r->closing) == CLOSE_DONE))
        held = atomic_compare_exchange_strong(&r->references, &references,
                                              references + 1);
    wshm_platform_mutex_unlock(&mutex);
    return held;
}

void wshm_region_free(struct region *r)
{
    atomic_store(&r->references, 0);
}

static struct view *free_view(uint32_t forked)
{
    for (uint32_t i = 0; i < HANDLE_VIEWS; i++) {
        struct view *v = &views[view_cursor++ % HANDLE_VIEWS];
        if (v->region == NULL && v->forked == forked)
            return v;
    }
    return NULL;
}

struct view *wshm_view_allocate(struct region *r)
{
    wshm_platform_mutex_lock(&mutex);
    struct view *found = free_view(0);
    if (found == NULL)
        found = free_view(1);
    if (found != NULL) {
        found->region = r;
        found->forked = 0;
    }
    wshm_platform_mutex_unlock(&mutex);
    return found;
}

winshm_view *wshm_view_publish(struct view *v)
{
    wshm_platform_mutex_lock(&mutex);
    v->last = next_value(v->last, HANDLE_VIEW, (uint32_t)(v - views));
    atomic_store(&v->handle, v->last);
    wshm_platform_mutex_unlock(&mutex);
    return (winshm_view *)v->last;
}

void wshm_view_free(struct view *v)
{
    wshm_platform_mutex_lock(&mutex);
    v->region = NULL;
    wshm_platform_mutex_unlock(&mutex);
}

/** Ends what a child has of the parent's handle. Under the mutex. */
static bool disinherit(uintptr_t value, uintptr_t last, uint32_t *forked)
{
    bool inherited = *forked != 0 && value == last;
    if (inherited)
        *forked = 0;
    return inherited;
}

bool wshm_region_disinherit(const winshm_region *handle)
{
    uintptr_t value = (uintptr_t)handle;
    size_t index;
    uint8_t *data = NULL;
    if (!handle_index(value, HANDLE_REGION, HANDLE_REGIONS, &index))
        return false;
    struct region *r = &wshm_regions[index];
    wshm_platform_mutex_lock(&mutex);
    bool inherited = disinherit(value, r->last, &r->forked);
    uint64_t mapped = r->capacity;
    if (inherited)
        data = r->data;
    wshm_platform_mutex_unlock(&mutex);
    if (data != NULL)
        wshm_platform_unmap(data, mapped);
    return inherited;
}

bool wshm_view_disinherit(const winshm_view *handle)
{
    uintptr_t value = (uintptr_t)handle;
    size_t index;
    if (!handle_index(value, HANDLE_VIEW, HANDLE_VIEWS, &index))
        return false;
    struct view *v = &views[index];
    wshm_platform_mutex_lock(&mutex);
    bool inherited = disinherit(value, v->last, &v->forked);
    struct part part = v->part;
    wshm_platform_mutex_unlock(&mutex);
    if (inherited)
        wshm_platform_unmap(part.mapping, part.mapped);
    return inherited;
}

static winshm_status refusal(uintptr_t value, uintptr_t last, uint32_t forked)
{
    if (value >> GENERATION_SHIFT == 0 || value > last)
        return WINSHM_E_HANDLE;
    return forked != 0 && value == last ? WINSHM_E_FORKED : WINSHM_E_CLOSED;
}

winshm_status wshm_region_refusal(const winshm_region *handle)
{
    uintptr_t value = (uintptr_t)handle;
    size_t index;
    if (!handle_index(value, HANDLE_REGION, HANDLE_REGIONS, &index))
        return WINSHM_E_HANDLE;
    const struct region *r = &wshm_regions[index];
    wshm_platform_mutex_lock(&mutex);
    winshm_status status = refusal(value, r->last, r->forked);
    wshm_platform_mutex_unlock(&mutex);
    return status;
}

/** True unless the handle is closed for good; after a short sleep if that is
 * not decided yet. What close has decided is asked and not the handle, which
 * another close may have taken out of use again since it was restored. */
static bool undecided(const winshm_region *handle)
{
    uintptr_t value = (uintptr_t)handle;
    size_t index;
    /* At the end of the process nobody is left who would decide. */
    if (wshm_platform_ending() ||
        !handle_index(value, HANDLE_REGION, HANDLE_REGIONS, &index))
        return false;
    struct region *r = &wshm_regions[index];
    wshm_platform_mutex_lock(&mutex);
    bool mine = r->last == value && r->forked == 0;
    wshm_platform_mutex_unlock(&mutex);
    uint32_t closing = atomic_load(&r->closing);
    if (mine && closing == CLOSE_UNDECIDED)
        wshm_platform_sleep(20 * 1000);
    return mine && closing != CLOSE_DONE;
}

struct region *wshm_region_begin_again(const winshm_region *handle)
{
    while (undecided(handle)) {
        struct region *r = wshm_region_begin(handle);
        if (r != NULL)
            return r;
    }
    return NULL;
}

winshm_status wshm_view_refusal(const winshm_view *handle)
{
    uintptr_t value = (uintptr_t)handle;
    size_t index;
    if (!handle_index(value, HANDLE_VIEW, HANDLE_VIEWS, &index))
        return WINSHM_E_HANDLE;
    wshm_platform_mutex_lock(&mutex);
    winshm_status status =
        refusal(value, views[index].last, views[index].forked);
    wshm_platform_mutex_unlock(&mutex);
    return status;
}

struct view *wshm_view_find(const winshm_view *handle)
{
    uintptr_t value = (uintptr_t)handle;
    size_t index;
    if (!handle_index(value, HANDLE_VIEW, HANDLE_VIEWS, &index) ||
        atomic_load(&views[index].handle) != value)
        return NULL;
    return &views[index];
}

struct view *wshm_view_retire(const winshm_view *handle)
{
    struct view *v = wshm_view_find(handle);
    uintptr_t value = (uintptr_t)handle;
    if (v == NULL || !atomic_compare_exchange_strong(&v->handle, &value, 0))
        return NULL;
    return v;
}

bool wshm_handle_tables_free(void)
{
    return wshm_platform_mutex_free(&mutex);
}

void wshm_handle_fork_prepare(void)
{
    wshm_platform_mutex_lock(&mutex);
}

void wshm_handle_fork_parent(void)
{
    wshm_platform_mutex_unlock(&mutex);
}

/** The child has no thread but this one and must not touch the regions: their
 * presences are the parent's. Their places are free, whatever the parent was
 * doing with them; of those that were open the mappings of the data stay. */
static void abandon(struct region *r)
{
    bool open = atomic_load(&r->handle) != 0 ||
                atomic_load(&r->closing) == CLOSE_UNDECIDED;
    atomic_store(&r->handle, 0);
    atomic_store(&r->closing, CLOSE_DONE);
    r->forked = open;
    r->control = NULL;
    r->slot = NULL;
    if (!open && r->data != NULL)
        wshm_platform_unmap(r->data, r->capacity);
    wshm_platform_abandon(&r->platform);
    /* A thread may have had these. */
    memset(&r->reaping, 0, sizeof r->reaping);
    atomic_store(&r->growing, 0);
    atomic_store(&r->references, 0);
}

void wshm_handle_fork_child(void)
{
    uintptr_t thread = wshm_platform_thread();
    /* Nothing is stored that is so already: that would copy the pages. */
    for (uint32_t i = 0; i < HANDLE_REGIONS; i++) {
        struct region *r = &wshm_regions[i];
        uintptr_t marker = atomic_load(&wshm_markers[i]);
        /* Other threads, some of which were in a call, do not exist here. */
        if (marker != 0 && marker != thread)
            atomic_store(&wshm_markers[i], 0);
        if (atomic_load(&r->inside_first) != 0)
            atomic_store(&r->inside_first, 0);
        if (atomic_load(&r->inside_other) != 0)
            atomic_store(&r->inside_other, 0);
        if (atomic_load(&r->references) != 0)
            abandon(r);
    }
    for (uint32_t i = 0; i < HANDLE_VIEWS; i++) {
        struct view *v = &views[i];
        if (v->region == NULL)
            continue;
        v->region = NULL;
        v->forked = atomic_load(&v->handle) != 0;
        atomic_store(&v->handle, 0);
    }
    wshm_platform_mutex_unlock(&mutex);
}
