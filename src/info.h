/* What can be told about a region and its participants. */
#ifndef WINSHM_INFO_H
#define WINSHM_INFO_H

#include "handle.h"

/* size is the struct_size that was checked: the caller's struct may lie in
 * memory that others write. */

winshm_status wshm_info_get(struct region *r, winshm_info *info, uint32_t size);
winshm_status wshm_info_participants(struct region *r,
                                     winshm_participant *array, uint32_t size,
                                     uint32_t capacity, uint32_t *count);

#endif
