/* Mapped parts of a region. A view keeps its region's participant present. */
#ifndef WINSHM_VIEW_H
#define WINSHM_VIEW_H

#include "handle.h"

winshm_status wshm_view_map(struct region *r, uint64_t offset, uint64_t length,
                            bool write, winshm_view **out);
winshm_status wshm_view_unmap(winshm_view *handle);

#endif
