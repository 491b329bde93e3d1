/* A region that others may look at, and a participant without the right to
 * write its control block. */
#ifndef OBSERVER_H
#define OBSERVER_H

#include "check.h"
#include "child.h"

enum { SIZE = 65536 };

/** Creates it, for everybody to read. */
static inline winshm_region *shown_as(const char *name, uint32_t flags)
{
    winshm_region *h;
    winshm_options o = {.struct_size = sizeof o,
                        .flags = flags,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = SIZE,
                        .name = name,
                        .security = "everyone-read"};
    CHECK_OK(winshm_open_with(&o, &h));
    return h;
}

static inline winshm_region *shown(const char *name)
{
    return shown_as(name, 0);
}

/** In a child, which ends here if it has no rights to give up. */
static inline winshm_region *observed(const char *name)
{
    winshm_region *h;
    if (!child_become_nobody())
        exit(CHECK_SKIPPED);
    CHECK_OK(winshm_open(name, WINSHM_READ, &h));
    winshm_info info = {.struct_size = sizeof info};
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_EQ(info.observer, 1);
    CHECK_EQ(info.access, WINSHM_READ);
    CHECK_EQ(info.size, SIZE);
    CHECK_EQ(info.participants, 1);
    return h;
}

#endif
