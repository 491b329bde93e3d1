/* What can be told about a region and its participants. */
#ifndef WINSHM_INFO_H
#define WINSHM_INFO_H

#include "handle.h"

winshm_status wshm_info_get(struct region *r, winshm_info *info);
winshm_status wshm_info_participants(struct region *r,
                                     winshm_participant *array,
                                     uint32_t capacity, uint32_t *count);

#endif
