/* What can be told about a region and its participants: snapshots for people
 * to read. Nothing here is decided upon. */
#include "info.h"

#include <string.h>

#include "growth.h"
#include "observe.h"
#include "park.h"
#include "participant.h"
#include "word.h"

static uint32_t flags_of(struct region *r, uint32_t index, uint32_t word)
{
    const struct layout_control *control = r->control;
    const struct layout_slot *slot = &control->slots[index];
    uint32_t flags = 0;
    if (index + 1 == r->me)
        flags |= WINSHM_PARTICIPANT_SELF;
    if (shared_load(&slot->member) ==
        shared_load(&control->header.creator_member))
        flags |= WINSHM_PARTICIPANT_CREATOR;
    if ((word & WORD_OWNER) == index + 1)
        flags |= WINSHM_PARTICIPANT_EXCLUSIVE;
    if (word_readers(slot) != 0)
        flags |= WINSHM_PARTICIPANT_SHARED;
    if (atomic_load(&slot->parked[PLATFORM_LOCK]) != 0 ||
        atomic_load(&slot->parked[PLATFORM_CHANGE]) != 0)
        flags |= WINSHM_PARTICIPANT_WAITING;
    return flags;
}

/** Give a struct to a caller who may have it longer or shorter: by its header.
 * Its first member is struct_size. */
static void hand_out(void *to, uint32_t size, const void *from, size_t known)
{
    memset(to, 0, size);
    memcpy(to, from, size < known ? size : known);
    memcpy(to, &size, sizeof size);
}

winshm_status wshm_info_participants(struct region *r,
                                     winshm_participant *array, uint32_t size,
                                     uint32_t capacity, uint32_t *count)
{
    uint32_t word = atomic_load(&r->control->lock.word);
    uint32_t limit = wshm_park_limit(r->control);
    uint32_t found = 0;
    winshm_status life = wshm_observe_any(r);
    if (life != WINSHM_OK)
        return life;
    if (!word_legal(word))
        return WINSHM_E_CORRUPT;
    for (uint32_t index = 0; index < limit; index++) {
        const struct layout_slot *slot = &r->control->slots[index];
        if (!wshm_participant_alive(r, index))
            continue;
        if (found < capacity) {
            winshm_participant p;
            memset(&p, 0, sizeof p);
            p.flags = flags_of(r, index, word);
            p.member = shared_load(&slot->member);
            p.start_us = (int64_t)shared_load(&slot->start);
            p.pid = atomic_load(&slot->pid);
            p.slot = index;
            hand_out((char *)array + (size_t)found * size, size, &p, sizeof p);
        }
        found++;
    }
    *count = found;
    return WINSHM_OK;
}

static winshm_status fill_managed(struct region *r, winshm_info *info)
{
    const struct layout_control *control = r->control;
    uint32_t word = atomic_load(&control->lock.word);
    uint32_t limit = wshm_park_limit(control);
    winshm_status life = wshm_observe_any(r);
    if (life != WINSHM_OK)
        return life;
    if (!word_legal(word))
        return WINSHM_E_CORRUPT;
    memcpy(info->id, r->platform.id, sizeof info->id);
    info->creator_start_us =
        (int64_t)shared_load(&control->header.creator_start);
    info->creator_pid = atomic_load(&control->header.creator_pid);
    info->change_count = atomic_load(&control->change.count);
    info->observer = r->slot == NULL;
    if ((word & WORD_INCONSISTENT) != 0)
        info->lock_state |= WINSHM_STATE_INCONSISTENT;
    for (uint32_t index = 0; index < limit; index++) {
        if (!wshm_participant_alive(r, index)) {
            /* A death that nobody has cleaned up yet. */
            if ((word & WORD_OWNER) == index + 1 &&
                (atomic_load(&control->lock.version) & 1) != 0 &&
                atomic_load(&control->lock.word) == word)
                info->lock_state |= WINSHM_STATE_INCONSISTENT;
            continue;
        }
        uint32_t flags = flags_of(r, index, word);
        info->participants++;
        if ((flags & WINSHM_PARTICIPANT_CREATOR) != 0)
            info->creator_present = 1;
        if ((flags & WINSHM_PARTICIPANT_SHARED) != 0)
            info->lock_state |= WINSHM_STATE_SHARED;
        if ((flags & WINSHM_PARTICIPANT_EXCLUSIVE) != 0) {
            info->lock_state |= WINSHM_STATE_EXCLUSIVE;
            info->owner_pid = atomic_load(&control->slots[index].pid);
        }
    }
    return WINSHM_OK;
}

winshm_status wshm_info_get(struct region *r, winshm_info *info, uint32_t size)
{
    winshm_info filled;
    memset(&filled, 0, sizeof filled);
    filled.kind = r->control != NULL ? WINSHM_KIND_MANAGED : WINSHM_KIND_RAW;
    filled.access = r->access;
    filled.lock_kind = r->lock_kind;
    filled.capacity = r->capacity;
    filled.layout_tag = r->layout_tag;
    filled.member = r->member;
    filled.origin = r->origin;
    winshm_status status =
        r->control != NULL ? fill_managed(r, &filled) : WINSHM_OK;
    if (status == WINSHM_OK)
        status = wshm_growth_size(r, &filled.size);
    if (status == WINSHM_OK)
        hand_out(info, size, &filled, sizeof filled);
    return status;
}
