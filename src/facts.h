/* What the header of a control block says, fetched once: another program may
 * write to it at any time. */
#ifndef WINSHM_FACTS_H
#define WINSHM_FACTS_H

#include "layout.h"
#include "platform.h"

struct facts {
    uint32_t magic;
    uint32_t version;
    uint32_t lock_kind;
    uint32_t joins;
    uint32_t id[4];
    uint64_t size;
    uint64_t capacity;
    uint64_t layout_tag;
    uint32_t adopted;
    struct platform_identity data;
};

static inline void fetch(struct layout_header *header, struct facts *facts)
{
    facts->joins = atomic_load(&header->joins);
    facts->magic = atomic_load(&header->magic);
    facts->version = atomic_load(&header->version);
    for (int i = 0; i < 4; i++)
        facts->id[i] = atomic_load(&header->id[i]);
    facts->lock_kind = atomic_load(&header->lock_kind);
    facts->size = shared_load(&header->size);
    facts->capacity = shared_load(&header->capacity);
    facts->layout_tag = shared_load(&header->layout_tag);
    facts->adopted = atomic_load(&header->adopted);
    facts->data.volume = shared_load(&header->data_volume);
    facts->data.file = shared_load(&header->data_file);
}

#endif
