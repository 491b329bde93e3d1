/* The life of a region: entering it, by creating or joining, and leaving it. */
#ifndef WINSHM_REGION_H
#define WINSHM_REGION_H

#include "enter.h"

winshm_status wshm_region_open(const struct request *request,
                               winshm_region **out);

winshm_status wshm_region_close(winshm_region *handle);

/** Remove the names of what ends with the process. */
void wshm_region_exit(void);

/** Drop one reference; the last one leaves the region. */
void wshm_region_release(struct region *r);

#endif
