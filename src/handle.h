/* Handles: tables of regions and views, and who is inside a call.
 *
 * A handle is a number that encodes kind, index and generation. It is looked
 * up in a table that is never freed, so a stale or foreign one is told and
 * never followed. A call counts itself in before it trusts the handle; close
 * takes the handle out of the table and waits for the counts. As with the
 * shared lock the count has two halves, so that the thread that first used a
 * handle pays plain stores only: close pays for the missing fence with a
 * barrier across the process. A handle for tasks has no first thread. */
#ifndef WINSHM_HANDLE_H
#define WINSHM_HANDLE_H

#include "layout.h"
#include "platform.h"
#include "winshm.h"

enum { HANDLE_REGIONS = PLATFORM_REGIONS, HANDLE_VIEWS = 8192 };

/** An open handle to a region. Fields without comment are set while opening
 * and constant from then on. */
struct region {
    _Alignas(64) _Atomic(uintptr_t) handle; /* its value; 0: not open */
    _Atomic(uintptr_t) first; /* the thread that first used it, 0: none yet */
    _Atomic uint32_t inside_first;  /* 1: that thread is in a call */
    _Atomic uint32_t inside_other;  /* calls of all other threads */
    struct layout_control *control; /* NULL: raw */
    struct layout_slot *slot;       /* NULL: raw or observer */
    uint32_t me;                    /* slot + 1, as in the lock word */
    uint32_t lock_kind;
    uint32_t locks;           /* as me; 0: may not use the lock */
    _Atomic(uintptr_t) owner; /* who holds what: see lock.h */
    _Atomic uint32_t own;
    _Atomic uint32_t other;
    _Atomic uint32_t closing;    /* waits shall end */
    _Atomic uint32_t seen_alive; /* observer: when somebody was, in ms */

    uint8_t *data;     /* NULL: not mapped as a whole */
    uint64_t size;     /* when opened; never less since: see growth.h */
    uint64_t capacity; /* this is what is mapped */
    uint64_t layout_tag;
    uint64_t member;
    uint32_t pid; /* who opened it */
    uint32_t access;
    uint32_t origin;
    uint32_t adopted;              /* the data belong to an outside program */
    _Atomic uint32_t references;   /* 0: free place; see REGION_UNUSED */
    _Atomic uint32_t growing;      /* 1: a thread has the life lock again */
    struct platform_mutex reaping; /* one thread at a time cleans slots */
    struct platform_region platform;

    uint32_t published; /* table: there is or was a handle of this region */
    uint32_t forked;    /* table: the value below is the parent's; the place is
                           free, but the parent's mapping may still be there */
    uintptr_t last;     /* table: the value most recently given out */
};
_Static_assert(sizeof(struct region) <= 512,
               "more would cost each call instructions to find its place");

/** Pages around a part of a region. */
struct part {
    uint8_t *data; /* of the part's first byte */
    void *mapping; /* NULL: nothing to unmap */
    uint64_t mapped;
};

struct view {
    _Atomic(uintptr_t) handle;
    struct region *region;
    struct part part;
    uint64_t length; /* as asked for */

    uintptr_t last;
    uint32_t forked; /* as above */
};

/** Value of region.references when neither the handle nor a view is left, but
 * the place is not free yet. */
enum { REGION_UNUSED = 1 };

/** Value of region.own as long as it never was anything else. */
enum { OWN_NEVER = 2 };

/** Values of region.closing; CLOSE_DONE as long as there is no handle. */
enum { CLOSE_NONE, CLOSE_UNDECIDED, CLOSE_DONE };

/** True if the control block was cut short under this handle. All that it finds
 * there now is ones: no fast path gets anywhere with them, and no other call
 * may say that it did. */
static inline bool wshm_region_lost(const struct region *r)
{
    return atomic_load_explicit(&r->platform.control_lost,
                                memory_order_relaxed) != 0;
}

/** Take a free place. @param tasks see WINSHM_TASK. @return NULL: none. */
struct region *wshm_region_allocate(bool tasks);
struct view *wshm_view_allocate(struct region *r);

/** Make the place's new handle valid. */
winshm_region *wshm_region_publish(struct region *r);
winshm_view *wshm_view_publish(struct view *v);

/** Add a reference to a region that its handle or views are still there of.
 * @return false if there is none, or if it is just being opened or closed. */
bool wshm_region_hold(struct region *r);

/** Give a place back whose handle is not valid (any more). */
void wshm_region_free(struct region *r);
void wshm_view_free(struct view *v);

/** Free what a child of fork() has of the parent's handle or view, which may
 * still be mapped. @return false if it is not such a one, or was freed before.
 */
bool wshm_region_disinherit(const winshm_region *handle);
bool wshm_view_disinherit(const winshm_view *handle);

/** True if this thread is not in a signal handler that has interrupted work at
 * the tables. */
bool wshm_handle_tables_free(void);

/** Around fork(): the tables stay as they are, and the child lets go of what is
 * the parent's. */
void wshm_handle_fork_prepare(void);
void wshm_handle_fork_parent(void);
void wshm_handle_fork_child(void);

/** Why a handle is not valid: HANDLE, CLOSED or FORKED. */
winshm_status wshm_region_refusal(const winshm_region *handle);
winshm_status wshm_view_refusal(const winshm_view *handle);

/**
 * Begin a call on a handle that was not valid a moment ago. A close that may
 * yet be refused is waited for, so that it costs no other call anything.
 */
PLATFORM_COLD struct region *
wshm_region_begin_again(const winshm_region *handle);

/** The view of a valid handle, or NULL. */
struct view *wshm_view_find(const winshm_view *handle);

/** Nobody but the caller can free the view after this. @return NULL: refused */
struct view *wshm_view_retire(const winshm_view *handle);

/** Value of region.first, and of no thread: there never will be a first. */
#define HANDLE_NO_FIRST ((uintptr_t)2)

/** True if the lock belongs to the handle and not to threads: WINSHM_TASK. */
static inline bool handle_is_tasks(const struct region *r)
{
    return atomic_load_explicit(&r->first, memory_order_relaxed) ==
           HANDLE_NO_FIRST;
}

/** True if this thread was the first to use the handle. */
static inline bool handle_used_first(const struct region *r)
{
    return atomic_load_explicit(&r->first, memory_order_relaxed) ==
           wshm_platform_thread();
}

/** A pointer-sized value: kind in the 2 low bits, then index, then
 * generation. */
enum { HANDLE_REGION = 1, HANDLE_VIEW = 2, HANDLE_INDEX_SHIFT = 2 };
#define HANDLE_INDEX_BITS 13

extern struct region wshm_regions[HANDLE_REGIONS];
_Static_assert((HANDLE_REGIONS & (HANDLE_REGIONS - 1)) == 0,
               "part of a value can be used as an index");

/** For each place the thread that marks it, 0: none.
 *
 * A thread may be late: it has found itself the first of a handle that has been
 * closed since, and marks the place when that is another handle's. So the mark
 * is one thread's only, whatever handles the place has, and all others are
 * counted, until that thread opens one there itself and so is not late. */
extern _Atomic(uintptr_t) wshm_markers[HANDLE_REGIONS];

/** True if thread marks the place, which it does from now on if none has. */
static inline bool handle_is_marker(const struct region *r, uintptr_t thread)
{
    _Atomic(uintptr_t) *place = &wshm_markers[r - wshm_regions];
    uintptr_t marker = atomic_load_explicit(place, memory_order_relaxed);
    return marker == thread ||
           (marker == 0 && thread != PLATFORM_NOBODY &&
            atomic_compare_exchange_strong(place, &marker, thread));
}

/** True if thread is the handle's first, which it becomes if none is and if it
 * marks the place. */
static inline bool handle_is_first(struct region *r, uintptr_t thread)
{
    uintptr_t first = atomic_load_explicit(&r->first, memory_order_relaxed);
    return first == thread ||
           (first == 0 && handle_is_marker(r, thread) &&
            atomic_compare_exchange_strong(&r->first, &first, thread));
}

/** Find the index that a value of this kind encodes. @return false: none. */
static inline bool handle_index(uintptr_t value, uintptr_t kind, size_t limit,
                                size_t *index)
{
    *index =
        value >> HANDLE_INDEX_SHIFT & (((uintptr_t)1 << HANDLE_INDEX_BITS) - 1);
    return (value & 3) == kind && *index < limit;
}

/** Mark that the handle's first thread is in a call. */
static inline void handle_mark_first(struct region *r)
{
    atomic_store_explicit(&r->inside_first, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}

/** End a call of the handle's first thread. */
static inline void wshm_region_end_first(struct region *r)
{
    atomic_store_explicit(&r->inside_first, 0, memory_order_release);
}

/**
 * Begin a call of the handle's first thread, at the least possible cost.
 *
 * The handle is compared after the mark only. Should the place be another
 * handle's by now, the mark is still this thread's own, and this thread is in
 * no other call.
 *
 * @return NULL: another thread, or not a valid handle. wshm_region_begin()
 *         knows.
 */
static inline struct region *
wshm_region_begin_first(const winshm_region *handle)
{
    uintptr_t value = (uintptr_t)handle;
    struct region *r =
        &wshm_regions[value >> HANDLE_INDEX_SHIFT & (HANDLE_REGIONS - 1)];
    PLATFORM_OPAQUE(r);
    if (!PLATFORM_LIKELY((value & HANDLE_REGION) != 0 && handle_used_first(r)))
        return NULL;
    handle_mark_first(r);
    if (PLATFORM_LIKELY(
            atomic_load_explicit(&r->handle, memory_order_acquire) == value))
        return r;
    wshm_region_end_first(r);
    return NULL;
}

/**
 * Begin a call on a handle: the region stays whole until wshm_region_end().
 *
 * @return NULL if the handle is not valid; wshm_region_refusal() tells why.
 */
static inline struct region *wshm_region_begin(const winshm_region *handle)
{
    uintptr_t value = (uintptr_t)handle;
    size_t index;
    if (!handle_index(value, HANDLE_REGION, HANDLE_REGIONS, &index))
        return NULL;
    struct region *r = &wshm_regions[index];
    /* A stale handle must not touch the marks of the place's next user. */
    if (atomic_load_explicit(&r->handle, memory_order_relaxed) != value)
        return NULL;
    uintptr_t thread = wshm_platform_thread();
    if (!PLATFORM_LIKELY(thread != PLATFORM_NOBODY))
        thread = wshm_platform_thread_number();
    bool first = handle_is_first(r, thread);
    if (first)
        handle_mark_first(r);
    else
        atomic_fetch_add_explicit(&r->inside_other, 1, memory_order_seq_cst);
    /* In one order with the addition: close writes the handle, then looks at
     * the counts. */
    if (atomic_load_explicit(&r->handle, memory_order_seq_cst) == value)
        return r;
    if (first)
        wshm_region_end_first(r);
    else
        atomic_fetch_sub_explicit(&r->inside_other, 1, memory_order_release);
    return NULL;
}

/** End a call. */
static inline void wshm_region_end(struct region *r)
{
    if (handle_used_first(r))
        wshm_region_end_first(r);
    else
        atomic_fetch_sub_explicit(&r->inside_other, 1, memory_order_release);
}

/** As wshm_region_begin(), for calls where a few instructions do not count. */
static inline struct region *wshm_region_use(const winshm_region *handle)
{
    struct region *r = wshm_region_begin_first(handle);
    if (r == NULL)
        r = wshm_region_begin(handle);
    return r != NULL ? r : wshm_region_begin_again(handle);
}

#endif
