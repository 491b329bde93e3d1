/* The life of a region as one handle sees it. */
#include "region.h"

#include <string.h>

#include "enter.h"
#include "growth.h"
#include "link.h"
#include "lock.h"
#include "park.h"
#include "participant.h"
#include "status.h"
#include "sweep.h"

/** How often a block is found unmanaged, 31 ms in all, before that is said.
 * Nobody holds still the two names that are looked at: a region may begin
 * between the looks, and the handles of one that ends go in any order. */
enum { UNMANAGED_LOOKS = 6 };

/** How long close waits for the calls of other threads to return. */
static const uint64_t CLOSE_PATIENCE = 10 * SECOND;

/** The process that has opened any, so that a child made without our fork hooks
 * does not speak for its parent, nor wait for threads that it does not have. */
static _Atomic uint32_t opened_by;

static bool appears_later(winshm_status status)
{
    return status == WINSHM_E_NOT_FOUND || status == WINSHM_E_NOT_MANAGED;
}

/** Opens or makes a plain block. On failure nothing is left behind or held. */
static winshm_status open_block(struct region *r, const struct request *request,
                                bool create)
{
    struct platform_region *p = &r->platform;
    winshm_status status =
        wshm_platform_raw(p, create, request->size, request->security);
    if (status == WINSHM_OK)
        status = wshm_platform_data_usable(p, &r->size);
    r->capacity = r->size;
    if (status == WINSHM_OK && r->size == 0)
        status = wshm_error_because(WINSHM_E_SIZE, "the block is empty",
                                    "Whoever has made it has to give it a "
                                    "size.");
    if (status == WINSHM_OK && r->size < request->size)
        status = wshm_error_detail(
            WINSHM_E_SIZE, "the block has {a} bytes, {b} were asked for",
            "Ask for no more, or for 0: any size.", r->size, request->size, 0);
    if (status == WINSHM_OK)
        status = wshm_enter_map(r, request);
    /* Last, so that what fails leaves no name. */
    if (status == WINSHM_OK && create)
        status = wshm_platform_data_publish(p);
    if (status != WINSHM_OK) {
        wshm_error_keep();
        wshm_enter_unmap(r);
        wshm_platform_leave(p);
    }
    if (status != WINSHM_E_HELD)
        return status;
    wshm_error_clear();
    return wshm_error_because(
        WINSHM_E_EXISTS, "a block has this name",
        "Open it with WINSHM_RAW; on Linux, where a crash "
        "leaves it, its file can be removed.");
}

static winshm_status open_raw(struct region *r, const struct request *request)
{
    bool create = request->disposition == WINSHM_CREATE_NEW;
    winshm_status status = WINSHM_E_NOT_FOUND;
    for (int tries = 0; tries < 20; tries++) {
        wshm_error_clear();
        status = open_block(r, request, create);
        if (request->disposition != WINSHM_OPEN_OR_CREATE)
            break;
        if (status == WINSHM_E_NOT_FOUND && request->size != 0)
            create = true;
        else if (status == WINSHM_E_EXISTS)
            create = false;
        else
            break;
    }
    r->layout_tag = 0;
    r->lock_kind = WINSHM_LOCK_NONE;
    r->origin = create ? WINSHM_ORIGIN_CREATED : WINSHM_ORIGIN_OPENED;
    return status;
}

/** How long others may be inside create, open or resize before a call without a
 * time-out gives up. Who is there for longer is stopped, or makes a very large
 * block. */
static const uint64_t LIFE_PATIENCE = 5 * SECOND;

static winshm_status enter(struct region *r, const struct request *request,
                           uint64_t deadline)
{
    if (request->raw)
        return open_raw(r, request);
    if (request->timeout_ms == 0)
        deadline = wshm_platform_now() + LIFE_PATIENCE;
    return wshm_enter(r, request, deadline);
}

/** True if the call has created the region, and its caller holds the lock. */
static bool holds_new(const struct region *r, const struct request *request)
{
    return request->locked && r->origin != WINSHM_ORIGIN_OPENED;
}

static winshm_status never_appeared(const struct request *request)
{
    return wshm_error_detail(
        WINSHM_E_NOT_FOUND, "none has appeared within {a} ms",
        "Start its creator, or wait for longer.", request->timeout_ms, 0, 0);
}

/** What comes of an opening that has found nothing. */
static winshm_status nothing_there(const struct request *request,
                                   winshm_status status)
{
    if (request->life != NULL) {
        wshm_error_clear(); /* what has its name by now is another matter */
        return wshm_error_because(WINSHM_E_NOT_FOUND,
                                  "the one that the token is of has ended",
                                  "Start its creator, and get a new token.");
    }
    return status == WINSHM_E_NOT_FOUND && request->timeout_ms != 0 &&
                   request->disposition == WINSHM_OPEN_EXISTING
               ? never_appeared(request)
               : status;
}

static winshm_status open_in(struct region *r, const struct request *request)
{
    struct platform_region *p = &r->platform;
    /* A life that has ended does not come back. */
    bool waits =
        request->disposition == WINSHM_OPEN_EXISTING && request->life == NULL;
    uint64_t deadline = wshm_park_deadline(request->timeout_ms);
    uint64_t pause = MILLISECOND;
    int unmanaged = 0;
    memcpy(p->name, request->name, sizeof p->name);
    p->global = request->global;
    p->writable = request->writable;
    r->pid = wshm_platform_pid();
    atomic_store(&opened_by, r->pid);
    r->access = WINSHM_READ | (request->writable ? WINSHM_WRITE : 0);
    for (;;) {
        winshm_status status = enter(r, request, deadline);
        bool unsettled =
            status == WINSHM_E_NOT_MANAGED && ++unmanaged < UNMANAGED_LOOKS;
        uint64_t now = wshm_platform_now();
        if (!unsettled && (!waits || !appears_later(status) || now >= deadline))
            return appears_later(status) ? nothing_there(request, status)
                                         : status;
        /* What is unsettled is looked at once more however late it is. */
        if (!unsettled && pause > deadline - now)
            pause = deadline - now;
        wshm_platform_sleep(pause);
        pause = pause < 16 * MILLISECOND ? pause * 2 : pause;
    }
}

static winshm_status no_place(void)
{
    return wshm_error_detail(WINSHM_E_TOO_MANY,
                             "this process has {a} regions open",
                             "Close what is not needed, or share a handle "
                             "between threads.",
                             HANDLE_REGIONS, 0, 0);
}

/** True if the call looks for what crashes have left: it has created a managed
 * region, or has not found the room for one. */
static bool tidies(const struct region *r, const struct request *request,
                   winshm_status status)
{
    if (request->raw || request->disposition == WINSHM_OPEN_EXISTING)
        return false;
    return status == WINSHM_E_NO_MEMORY ||
           (status == WINSHM_OK && r->origin != WINSHM_ORIGIN_OPENED);
}

winshm_status wshm_region_open(const struct request *request,
                               winshm_region **out)
{
    int cancellation = wshm_platform_uncancellable();
    winshm_status status = wshm_platform_init();
    /* The thread is going to be recorded as the holder. */
    if (status == WINSHM_OK && request->locked &&
        wshm_platform_thread_number() == PLATFORM_NOBODY)
        status = WINSHM_E_NO_MEMORY;
    struct region *r =
        status == WINSHM_OK ? wshm_region_allocate(request->tasks) : NULL;
    if (status == WINSHM_OK)
        status = r != NULL ? open_in(r, request) : no_place();
    if (r != NULL && tidies(r, request, status) && wshm_sweep() &&
        status == WINSHM_E_NO_MEMORY)
        status = open_in(r, request);
    if (status == WINSHM_OK && holds_new(r, request))
        wshm_lock_record(r, WINSHM_EXCLUSIVE);
    if (status == WINSHM_OK)
        *out = wshm_region_publish(r);
    else if (r != NULL)
        wshm_region_free(r);
    wshm_platform_cancellable(cancellation);
    return status;
}

/* Leaving. Nothing is stored in the control block: it may be somebody else's
 * life already. */

/** How long the life lock is waited for, by a close and by all that is left
 * open at the end of a process. Whoever may read the control file can hold it;
 * what is not removed for that is left as by a crash. */
static const uint64_t LEAVE_PATIENCE = SECOND;
static const uint64_t EXIT_PATIENCE = 300 * MILLISECOND;

static void leave(struct region *r, uint64_t deadline)
{
    struct platform_region *p = &r->platform;
    if (r->me != 0 && wshm_platform_leaving(p, deadline) &&
        wshm_participant_alone(r))
        wshm_enter_clean_up(r);
    wshm_enter_unmap(r);
    wshm_platform_leave(p);
    r->control = NULL;
    r->slot = NULL;
}

static void release(struct region *r, uint64_t deadline)
{
    if (atomic_fetch_sub(&r->references, 1) != REGION_UNUSED + 1)
        return;
    int cancellation = wshm_platform_uncancellable();
    /* A thread that holds a lock which is lost with the control block would be
     * taken for a holder of the next region in this place. */
    bool held = wshm_lock_held_by_handle(r, false);
    /* In a child that was made without our hooks all of it is the parent's. */
    if (r->pid == wshm_platform_pid())
        leave(r, deadline);
    else
        wshm_platform_abandon(&r->platform);
    if (!held)
        wshm_region_free(r);
    wshm_platform_cancellable(cancellation);
}

void wshm_region_release(struct region *r)
{
    release(r, wshm_platform_now() + LEAVE_PATIENCE);
}

/* The end of the process. A region may be left by its handle, and by views that
 * have outlived it. */

/** True if a present participant is not of this process. */
static bool shared_with_others(struct region *r, uint64_t deadline)
{
    bool own[LAYOUT_SLOTS] = {false};
    for (int i = 0; i < HANDLE_REGIONS; i++) {
        struct region *other = &wshm_regions[i];
        /* Another thread may give it up, and the place be taken again. */
        if (!wshm_region_hold(other))
            continue;
        if (other->me != 0 && memcmp(other->platform.id, r->platform.id,
                                     sizeof r->platform.id) == 0)
            own[other->me - 1] = true;
        release(other, deadline);
    }
    for (uint32_t slot = 0; slot < LAYOUT_SLOTS; slot++)
        if (!own[slot] && wshm_platform_present(&r->platform, slot))
            return true;
    return false;
}

static void remove_names(struct region *r, uint64_t deadline)
{
    if (!wshm_platform_leaving(&r->platform, deadline))
        return;
    if (!shared_with_others(r, deadline))
        wshm_enter_clean_up(r);
    wshm_platform_entered(&r->platform);
}

void wshm_region_exit(void)
{
    uint64_t deadline = wshm_platform_now() + EXIT_PATIENCE;
    if (atomic_load(&opened_by) != wshm_platform_pid() ||
        !wshm_handle_tables_free())
        return;
    for (int i = 0; i < HANDLE_REGIONS; i++) {
        struct region *r = &wshm_regions[i];
        if (!wshm_region_hold(r))
            continue;
        bool mine = r->pid == wshm_platform_pid();
        if (mine) {
            wshm_link_remove(r);
            wshm_platform_unname(&r->platform);
        }
        if (mine && r->me != 0 &&
            wshm_growth_keep_out(r, deadline) == WINSHM_OK) {
            remove_names(r, deadline);
            wshm_growth_let_in(r);
        }
        release(r, deadline);
    }
}

/** Wakes this handle's own waiters, so that they see that it closes. Who
 * announces itself from here on sees it before it sleeps. */
static void wake_own(struct region *r)
{
    if (r->slot == NULL)
        return;
    for (int channel = 0; channel < PLATFORM_CHANNELS; channel++)
        if (atomic_load(&r->slot->parked[channel]) != 0)
            wshm_park_wake(r, r->me - 1, (enum platform_channel)channel);
}

/** Wait for the calls inside to end, for no longer than a call that has met an
 * undecided close should be kept waiting. */
static bool quiet(struct region *r, uint64_t pause)
{
    uint64_t deadline = wshm_platform_now() + MILLISECOND;
    /* Only the first thread's mark may still be hidden from us. */
    if (!handle_used_first(r) && !handle_is_tasks(r))
        wshm_platform_barrier_process();
    while (atomic_load(&r->inside_first) != 0 ||
           atomic_load(&r->inside_other) != 0) {
        if (wshm_platform_now() >= deadline)
            return false;
        wake_own(r);
        wshm_platform_sleep(pause);
    }
    return true;
}

/** True if somebody has to unlock first. The words in shared memory are not
 * asked: what somebody has written there might never be set right. */
static bool holds_lock(struct region *r)
{
    return r->locks != 0 && !wshm_region_lost(r) &&
           wshm_lock_held_by_handle(r, false);
}

/** Take the handle out of use, if no call is inside and no lock is held. When
 * the process ends, those who were inside are dead. */
static bool retire(struct region *r, uintptr_t value, uint64_t pause)
{
    atomic_store(&r->handle, 0);
    if ((wshm_platform_ending() || quiet(r, pause)) && !holds_lock(r))
        return true;
    atomic_store(&r->handle, value);
    return false;
}

static winshm_status held_here(void)
{
    return wshm_error_because(
        WINSHM_E_BUSY, "the lock is held through this handle", "Unlock first.");
}

/** Become the one who closes the handle. @param status [out] why not, or
 * WINSHM_OK for what there was nothing more to do for. */
static struct region *begin_close(winshm_region *handle, winshm_status *status)
{
    for (;;) {
        struct region *r = wshm_region_use(handle);
        if (r == NULL) {
            *status = wshm_region_disinherit(handle)
                          ? WINSHM_OK
                          : wshm_region_refusal(handle);
            return NULL;
        }
        /* A child that was made without our hooks has the parent's locks, and
         * would give them back. */
        if (r->pid != wshm_platform_pid()) {
            wshm_region_end(r);
            *status = WINSHM_E_FORKED;
            return NULL;
        }
        uint32_t none = CLOSE_NONE;
        bool busy = holds_lock(r);
        /* Undecided before the handle goes: no unlock is turned away. */
        bool mine = !busy && atomic_compare_exchange_strong(&r->closing, &none,
                                                            CLOSE_UNDECIDED);
        wshm_region_end(r);
        if (mine)
            return r;
        *status = busy ? held_here() : WINSHM_E_CLOSED;
        if (busy || wshm_platform_ending())
            return NULL;
        /* Another thread closes it, and may yet be refused. */
        wshm_platform_sleep(MILLISECOND);
    }
}

winshm_status wshm_region_close(winshm_region *handle)
{
    winshm_status status;
    struct region *r = begin_close(handle, &status);
    if (r == NULL)
        return status;
    int cancellation = wshm_platform_uncancellable();
    uint64_t deadline = wshm_platform_now() + CLOSE_PATIENCE;
    uint64_t pause = MILLISECOND / 20; /* which is not slept on Windows */
    bool retired;
    /* Again and again, so that calls that come while a long copy runs find the
     * handle in use for half of the time. */
    while (!(retired = retire(r, (uintptr_t)handle, pause)) && !holds_lock(r) &&
           wshm_platform_now() < deadline) {
        wshm_platform_sleep(MILLISECOND);
        pause = MILLISECOND;
    }
    bool holds = !retired && holds_lock(r);
    atomic_store(&r->closing, retired ? CLOSE_DONE : CLOSE_NONE);
    if (retired) {
        wake_own(r);
        wshm_platform_descriptor_close(&r->platform);
        wshm_link_remove(r);
        wshm_platform_unname(&r->platform); /* whatever views are left */
        wshm_region_release(r);
    }
    wshm_platform_cancellable(cancellation);
    if (retired)
        return WINSHM_OK;
    return holds ? held_here()
                 : wshm_error_because(WINSHM_E_BUSY,
                                      "a call of another thread goes on",
                                      "Let the threads that use the handle "
                                      "return, then close.");
}
