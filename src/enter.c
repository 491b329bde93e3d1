/* Entering a region: what happens under the life lock, and what an observer
 * does without it. Step by step what the models in tests/model search. */
#include "enter.h"

#include <string.h>

#include "facts.h"
#include "growth.h"
#include "match.h"
#include "meaning.h"
#include "participant.h"
#include "status.h"

/** How long what is about to go away is waited for under the life lock. */
static const uint64_t VANISH_PATIENCE = 200 * MILLISECOND;

static void learn(struct region *r, const struct facts *facts)
{
    r->size = facts->size;
    r->capacity = facts->capacity;
    r->layout_tag = facts->layout_tag;
    r->lock_kind = facts->lock_kind;
    r->adopted = r->origin == WINSHM_ORIGIN_ADOPTED ||
                 (r->origin == WINSHM_ORIGIN_OPENED && facts->adopted != 0);
}

winshm_status wshm_enter_map(struct region *r, const struct request *request)
{
    void *address;
    /* From here on nothing looks at what the size was at creation. */
    winshm_status status = wshm_growth_size(r, &r->size);
    if (status != WINSHM_OK || !request->mapped)
        return status;
    status = wshm_platform_map(&r->platform, 0, r->capacity, request->writable,
                               &address);
    if (status == WINSHM_OK)
        r->data = address;
    if (status != WINSHM_E_NO_MEMORY || r->capacity == r->size)
        return status;
    return wshm_error_detail(status,
                             "its capacity of {a} bytes cannot be mapped",
                             "Open it with WINSHM_NO_MAP and map parts, or "
                             "create it with less winshm_options.capacity.",
                             r->capacity, 0, 0);
}

/* Creating, under the life lock, with nobody present. */

static void clear_words(struct layout_control *control)
{
    /* All that lock, notification and slots keep between two lives. */
    shared_u32 *word = (shared_u32 *)(void *)&control->lock;
    shared_u32 *end = control->layout;
    for (; word < end; word++)
        atomic_store_explicit(word, 0, memory_order_relaxed);
}

/** Forgets the data of an earlier life, and removes them if they were ours. */
static winshm_status forget_data(struct region *r, const struct facts *facts)
{
    struct layout_header *header = &r->control->header;
    winshm_status status = WINSHM_OK;
    if (facts->magic == LAYOUT_MAGIC && facts->adopted == 0)
        status = wshm_platform_data_remove(&r->platform, &facts->data);
    if (status != WINSHM_OK)
        return status;
    /* Before anything else is recorded: dying here must not make the next one
     * remove a file that is not ours. */
    shared_store(&header->data_file, 0);
    atomic_store(&header->adopted, 0);
    return WINSHM_OK;
}

static void record_data(struct layout_header *header,
                        const struct platform_identity *identity)
{
    shared_store(&header->data_volume, identity->volume);
    atomic_thread_fence(memory_order_seq_cst);
    shared_store(&header->data_file, identity->file);
    atomic_thread_fence(memory_order_seq_cst);
}

/** Takes over the block that an outside program holds under our name.
 * @return WINSHM_E_NOT_FOUND or WINSHM_E_REPLACED if it went away meanwhile. */
static winshm_status adopt(struct region *r, uint64_t size)
{
    struct layout_header *header = &r->control->header;
    struct platform_identity identity;
    uint64_t bytes;
    wshm_error_clear(); /* that it is there was no failure */
    winshm_status status = wshm_platform_data_open(&r->platform, NULL);
    if (status != WINSHM_OK)
        return status;
    status = wshm_platform_data_trusted(&r->platform);
    if (status == WINSHM_OK)
        status = wshm_platform_data_usable(&r->platform, &bytes);
    if (status == WINSHM_OK)
        status = wshm_match_bytes(bytes, size, WINSHM_E_SIZE);
    if (status == WINSHM_OK)
        status = wshm_platform_data_identity(&r->platform, &identity);
    if (status != WINSHM_OK)
        return status;
    atomic_store(&header->adopted, 1);
    record_data(header, &identity);
    /* Recorded; is it still what the name leads to? */
    return wshm_platform_data_named(&r->platform) ? WINSHM_OK
                                                  : WINSHM_E_REPLACED;
}

static winshm_status make_data(struct region *r, const struct request *request)
{
    struct layout_header *header = &r->control->header;
    struct platform_region *p = &r->platform;
    winshm_status status = WINSHM_E_HELD;
    for (int tries = 0; tries < 20; tries++) {
        struct platform_identity identity;
        status = wshm_platform_data_make(p, request->size, request->capacity,
                                         request->security, &identity);
        if (status == WINSHM_OK) {
            record_data(header, &identity);
            status = wshm_platform_data_publish(p);
            if (status == WINSHM_OK) {
                r->origin = WINSHM_ORIGIN_CREATED;
                return WINSHM_OK;
            }
            wshm_platform_data_close(p);
            shared_store(&header->data_file, 0);
        }
        if (status != WINSHM_E_HELD ||
            request->disposition == WINSHM_CREATE_NEW)
            return status;
        status = adopt(r, request->size);
        if (status == WINSHM_OK) {
            r->origin = WINSHM_ORIGIN_ADOPTED;
            return WINSHM_OK;
        }
        wshm_platform_data_close(p);
        shared_store(&header->data_file, 0);
        atomic_store(&header->adopted, 0);
        if (status != WINSHM_E_NOT_FOUND && status != WINSHM_E_REPLACED)
            return status;
        status = WINSHM_E_HELD;
    }
    return status;
}

static winshm_status create(struct region *r, const struct request *request,
                            struct facts *facts)
{
    struct layout_header *header = &r->control->header;
    uint32_t id[4];
    winshm_status status =
        wshm_platform_control_own(&r->platform, request->security);
    if (status == WINSHM_OK)
        status = wshm_platform_random(id, sizeof id);
    if (status != WINSHM_OK)
        return status;
    id[0] |= 1;
    /* An observer must not see anything change under the old id. */
    atomic_store(&header->id[0], 0);
    atomic_thread_fence(memory_order_seq_cst);
    status = forget_data(r, facts);
    if (status != WINSHM_OK)
        return status;
    atomic_store(&header->magic, LAYOUT_MAGIC);
    atomic_store(&header->version, LAYOUT_VERSION);
    clear_words(r->control);
    status = make_data(r, request);
    if (status != WINSHM_OK)
        return status;
    facts->size = request->size;
    facts->capacity =
        r->origin == WINSHM_ORIGIN_ADOPTED ? request->size : request->capacity;
    facts->layout_tag = request->layout_tag;
    facts->lock_kind = request->lock_kind;
    shared_store(&header->size, facts->size);
    shared_store(&header->capacity, facts->capacity);
    shared_store(&header->layout_tag, facts->layout_tag);
    atomic_store(&header->lock_kind, facts->lock_kind);
    shared_store(&header->members, 0);
    shared_store(&header->creator_member, 0);
    wshm_meaning_store(r->control, request->layout);
    memcpy(r->platform.id, id, sizeof id);
    for (int i = 3; i >= 0; i--)
        atomic_store(&header->id[i], id[i]);
    return WINSHM_OK;
}

static void sign(struct region *r)
{
    struct layout_header *header = &r->control->header;
    shared_store(&header->creator_member, r->member);
    shared_store(&header->creator_start, (uint64_t)wshm_platform_start_us());
    atomic_store(&header->creator_pid, wshm_platform_pid());
}

bool wshm_enter_clean_up(struct region *r)
{
    struct facts facts;
    fetch(&r->control->header, &facts);
    /* Whoever was inside has the data open, and need not ask a header that may
     * have been damaged since whose and which they are. */
    if (r->me != 0 &&
        wshm_platform_data_identity(&r->platform, &facts.data) == WINSHM_OK) {
        facts.magic = LAYOUT_MAGIC;
        facts.adopted = r->adopted;
    }
    if (facts.magic == LAYOUT_MAGIC && facts.adopted == 0 &&
        wshm_platform_data_remove(&r->platform, &facts.data) != WINSHM_OK)
        return false;
    /* The data first: while the control block is there, whoever comes next
     * knows which file may be removed. */
    wshm_platform_control_remove(&r->platform);
    return true;
}

/* Joining, under the life lock. */

/**
 * Tell whether the region exists, with its data opened if so.
 *
 * The data are opened before somebody's presence is looked for: seeing a
 * participant, who holds the data too, then proves that these are its data and
 * not a block that an outsider has made since.
 */
static winshm_status witness(struct region *r, const struct facts *facts,
                             uint64_t deadline, bool *exists)
{
    struct platform_region *p = &r->platform;
    *exists = false;
    memcpy(p->id, facts->id, sizeof p->id);
    uint64_t patience = wshm_platform_now() + VANISH_PATIENCE;
    deadline = deadline < patience ? deadline : patience;
    for (;;) {
        winshm_status status = WINSHM_E_NOT_FOUND;
        if (facts->id[0] != 0)
            status = wshm_platform_data_open(p, &facts->data);
        winshm_status told =
            wshm_platform_anybody(p, LAYOUT_SLOTS, LAYOUT_SLOTS, exists);
        if (told != WINSHM_OK) {
            *exists = false;
            return told;
        }
        if (!*exists) {
            wshm_platform_data_close(p);
            return WINSHM_OK;
        }
        if (facts->magic != LAYOUT_MAGIC || facts->id[0] == 0)
            return WINSHM_E_CORRUPT;
        if (status != WINSHM_E_NOT_FOUND)
            return status;
        if (wshm_platform_now() >= deadline)
            return WINSHM_E_HELD;
        /* A last participant is being torn down: wait for the rest. */
        wshm_platform_sleep(MILLISECOND);
    }
}

static winshm_status join(struct region *r, const struct request *request,
                          const struct facts *facts)
{
    bool anybodys = request->disposition == WINSHM_OPEN_EXISTING &&
                    request->security != NULL;
    uint64_t bytes;
    winshm_status status =
        anybodys ? WINSHM_OK : wshm_platform_data_trusted(&r->platform);
    if (status == WINSHM_OK)
        status = wshm_match_facts(r, facts, request);
    if (status == WINSHM_OK)
        status = wshm_platform_data_bytes(&r->platform, &bytes);
    if (status == WINSHM_OK)
        status = wshm_match_bytes(bytes, facts->capacity, WINSHM_E_CORRUPT);
    r->origin = WINSHM_ORIGIN_OPENED;
    return status;
}

/** What nobody has open may be there without winshm. */
static winshm_status not_found(const struct region *r,
                               const struct request *request)
{
    if (request->disposition != WINSHM_OPEN_EXISTING) {
        wshm_error_clear();
        return wshm_error_because(WINSHM_E_NOT_FOUND,
                                  "size is 0, which cannot create it",
                                  "Give the size that it shall have.");
    }
    winshm_status status = wshm_platform_data_look(&r->platform);
    if (status == WINSHM_OK)
        wshm_error_clear(); /* no call has failed */
    return status == WINSHM_OK ? WINSHM_E_NOT_MANAGED : status;
}

static winshm_status under_life_lock(struct region *r,
                                     const struct request *request,
                                     uint64_t deadline)
{
    struct facts facts;
    bool exists;
    bool may_create =
        request->disposition != WINSHM_OPEN_EXISTING && request->size != 0;
    r->control = r->platform.control_view;
    fetch(&r->control->header, &facts);
    if (facts.magic != 0 && facts.magic != LAYOUT_MAGIC)
        return WINSHM_E_FOREIGN;
    winshm_status status = witness(r, &facts, deadline, &exists);
    if (exists && facts.version != LAYOUT_VERSION)
        return wshm_match_layout(&facts);
    if (exists && request->disposition == WINSHM_CREATE_NEW)
        return wshm_error_detail(
            WINSHM_E_EXISTS, "{process} has created it", NULL,
            atomic_load(&r->control->header.creator_pid), 0, 0);
    if (status == WINSHM_OK && exists)
        status = join(r, request, &facts);
    else if (status == WINSHM_OK)
        status = may_create ? create(r, request, &facts) : WINSHM_E_NOT_FOUND;
    learn(r, &facts);
    /* Mapped before the region can exist: what fails here leaves nothing. */
    if (status == WINSHM_OK)
        status = wshm_enter_map(r, request);
    if (status == WINSHM_OK)
        status = wshm_participant_claim(r, request->locked && !exists);
    if (status == WINSHM_OK && !exists)
        sign(r);
    if (status != WINSHM_OK)
        wshm_error_keep();
    bool clean = status != WINSHM_OK && !exists && wshm_participant_alone(r) &&
                 wshm_enter_clean_up(r);
    return status == WINSHM_E_NOT_FOUND && clean ? not_found(r, request)
                                                 : status;
}

/** True if the life that the facts tell of has not ended for another one. */
static bool still(struct layout_header *header, const struct facts *facts)
{
    for (int i = 0; i < 4; i++)
        if (atomic_load(&header->id[i]) != facts->id[i])
            return false;
    return true;
}

/** Opening read-only where the control block may not be written. */
static winshm_status observe(struct region *r, const struct request *request,
                             uint64_t deadline)
{
    struct platform_region *p = &r->platform;
    struct facts facts;
    uint64_t patience = wshm_platform_now() + VANISH_PATIENCE;
    uint64_t gone_since = 0;
    uint32_t gone_in = 0;
    wshm_error_clear(); /* that writing was refused is no failure any more */
    deadline = deadline < patience ? deadline : patience;
    winshm_status status = wshm_platform_enter(
        p, PLATFORM_OBSERVE, LAYOUT_BYTES, request->security, deadline);
    if (status != WINSHM_OK)
        return status == WINSHM_E_NOT_FOUND ? not_found(r, request) : status;
    r->control = p->control_view;
    struct layout_header *header = &r->control->header;
    for (;;) {
        fetch(header, &facts);
        if (facts.magic != LAYOUT_MAGIC && facts.magic != 0)
            return WINSHM_E_FOREIGN;
        memcpy(p->id, facts.id, sizeof p->id);
        status = WINSHM_E_NOT_FOUND;
        if (facts.id[0] != 0)
            status = wshm_platform_data_open(p, &facts.data);
        bool exists = false;
        winshm_status told = WINSHM_OK;
        if (facts.id[0] != 0)
            told =
                wshm_platform_anybody(p, LAYOUT_SLOTS, LAYOUT_SLOTS, &exists);
        if (told != WINSHM_OK)
            return told;
        /* Nothing is held that keeps the region as it is, so look again. */
        bool same =
            atomic_load(&header->joins) == facts.joins && still(header, &facts);
        bool settled = same && (facts.joins & 1) == 0;
        if (exists && status == WINSHM_OK && same) {
            status = facts.version == LAYOUT_VERSION
                         ? join(r, request, &facts)
                         : wshm_match_layout(&facts);
            /* What was compared is this life's if it goes on. */
            if (status == WINSHM_OK || still(header, &facts))
                break;
            wshm_error_clear();
            status = WINSHM_E_NOT_FOUND;
        }
        wshm_platform_data_close(p);
        uint64_t now = wshm_platform_now();
        /* Whoever leaves last removes the data while it is still present: what
         * is gone in this life has to be gone for a while. */
        bool gone = settled && exists && status == WINSHM_E_REPLACED;
        if (!gone || facts.id[0] != gone_in) {
            gone_in = gone ? facts.id[0] : 0;
            gone_since = now;
        }
        if (settled && exists && status != WINSHM_E_NOT_FOUND &&
            (!gone || now - gone_since >= VANISH_PATIENCE / 2))
            return status;
        if ((settled && !exists) || now >= deadline)
            return facts.magic == 0 ? not_found(r, request)
                                    : WINSHM_E_NOT_FOUND;
        wshm_platform_sleep(MILLISECOND);
    }
    learn(r, &facts);
    return status == WINSHM_OK ? wshm_enter_map(r, request) : status;
}

void wshm_enter_unmap(struct region *r)
{
    uint8_t *data = r->data;
    /* First, so that a child forked meanwhile does not unmap it again. */
    r->data = NULL;
    if (data != NULL)
        wshm_platform_unmap(data, r->capacity);
}

winshm_status wshm_enter(struct region *r, const struct request *request,
                         uint64_t deadline)
{
    struct platform_region *p = &r->platform;
    bool opens = request->disposition == WINSHM_OPEN_EXISTING;
    wshm_error_clear();
    /* Where nothing can be created nothing is made, not even for a moment. */
    winshm_status status = wshm_platform_enter(
        p, request->size == 0 || opens ? PLATFORM_JOIN : PLATFORM_CREATE,
        LAYOUT_BYTES, opens || request->size != 0 ? request->security : NULL,
        deadline);
    if (status == WINSHM_OK) {
        status = under_life_lock(r, request, deadline);
        wshm_platform_entered(p);
    } else if (status == WINSHM_E_ACCESS && opens && !request->writable) {
        status = observe(r, request, deadline);
    } else if (status == WINSHM_E_NOT_FOUND) {
        status = not_found(r, request);
    }
    if (status == WINSHM_OK && wshm_region_lost(r))
        status = WINSHM_E_CORRUPT;
    if (status != WINSHM_OK) {
        wshm_enter_unmap(r);
        wshm_platform_leave(p);
    }
    return status;
}
