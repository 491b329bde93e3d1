/* What a caller asks for when a region is created or opened. */
#ifndef WINSHM_REQUEST_H
#define WINSHM_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "winshm.h"

/** What create, open and their kind ask for, checked and taken apart. */
struct request {
    char name[WINSHM_NAME_MAX + 1];
    bool global;
    bool writable;
    bool mapped;
    bool raw;
    bool tasks;
    bool locked;          /* who creates holds the lock: WINSHM_CREATE_LOCKED */
    uint32_t disposition; /* WINSHM_CREATE_NEW, ... */
    uint32_t lock_kind;
    uint32_t timeout_ms;
    uint64_t size;
    uint64_t capacity;
    uint64_t layout_tag;
    const char *security;
    const uint32_t *life; /* NULL: any; else the only one that will do */
    const char *layout; /* in its canonical form; NULL: none */
    uint64_t layout_size;
};

#endif
