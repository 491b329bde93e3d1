/* The life of a region: entering it, by creating or joining, and leaving it. */
#ifndef WINSHM_REGION_H
#define WINSHM_REGION_H

#include "handle.h"

/** What create, open and their kind ask for, checked and taken apart. */
struct request {
    char name[WINSHM_NAME_MAX + 1];
    bool global;
    bool writable;
    bool mapped;
    bool raw;
    bool tasks;
    uint32_t disposition; /* WINSHM_CREATE_NEW, ... */
    uint32_t lock_kind;
    uint32_t timeout_ms;
    uint64_t size;
    uint64_t capacity;
    uint64_t layout_tag;
    const char *security;
};

winshm_status wshm_region_open(const struct request *request,
                               winshm_region **out);

winshm_status wshm_region_close(winshm_region *handle);

/** Drop one reference; the last one leaves the region. */
void wshm_region_release(struct region *r);

#endif
