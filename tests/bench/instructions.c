/* Goes through the fast paths under callgrind, which counts instructions:
 * instructions.sh starts it, and compares. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>

#include "winshm.h"

enum { TIMES = 1000 };

static void require(winshm_status status)
{
    if (status == WINSHM_OK)
        return;
    fprintf(stderr, "%s\n", winshm_last_message());
    exit(1);
}

/** Counts a statement after what is done only once, such as binding names. */
#define COUNT(name, statement)                                                 \
    do {                                                                       \
        require(statement);                                                    \
        CALLGRIND_ZERO_STATS;                                                  \
        CALLGRIND_START_INSTRUMENTATION;                                       \
        for (int i_ = 0; i_ < TIMES; i_++)                                     \
            require(statement);                                                \
        CALLGRIND_STOP_INSTRUMENTATION;                                        \
        CALLGRIND_DUMP_STATS_AT(name);                                         \
    } while (0)

static winshm_status pair(winshm_region *region, uint32_t mode)
{
    winshm_status status = winshm_lock(region, mode, WINSHM_FOREVER);
    return status != WINSHM_OK ? status : winshm_unlock(region, mode);
}

int main(void)
{
    winshm_region *region;
    unsigned char bytes[64];
    uint32_t count;
    memset(bytes, 1, sizeof bytes);
    require(winshm_create("winshm-instructions", 4096, 0, &region));
    COUNT("exclusive pair", pair(region, WINSHM_EXCLUSIVE));
    COUNT("shared pair", pair(region, WINSHM_SHARED));
    COUNT("notify", winshm_notify(region));
    COUNT("change_count", winshm_change_count(region, &count));
    COUNT("read of 64 bytes",
          winshm_read(region, 0, bytes, sizeof bytes, WINSHM_FOREVER));
    COUNT("write of 64 bytes",
          winshm_write(region, 0, bytes, sizeof bytes, WINSHM_FOREVER));
    require(winshm_close(region));
    return 0;
}
