/* The ledger. A worker counts an update as acknowledged once unlock has
 * returned, so a kill in between leaves one that is done and not acknowledged.
 * The opposite must never be: done is what survives in the region. */
#include <string.h>

#include "board.h"

const char *oracle_audit(const struct data *data, const struct board *board,
                         const uint8_t id[16], struct line *finder, int *who)
{
    uint32_t sum = 0;
    *who = -1;
    if (data->first != data->second) {
        finder->torn++;
        return "the data are torn, and nobody was told";
    }
    for (int i = 0; i < WORKERS_MAX; i++) {
        const struct line *line = &board->lines[i];
        uint32_t done = data->done[i], least = 0, most = 0;
        sum += done;
        /* One is killed, at most, between an update and its acknowledgement,
         * and a living one may be there now. A worker that is about to join
         * this life has not written its id or done anything. */
        if (memcmp((const void *)(uintptr_t)line->id, id, 16) == 0) {
            least = line->acknowledged;
            most = least + line->kills - line->kills_before + 1;
        }
        if (done < least || done > most) {
            finder->lost++;
            *who = i;
            return done < least ? "acknowledged updates are lost"
                                : "there are updates that nobody has made";
        }
    }
    /* Two writers at a time would have counted twice and stored once; a writer
     * that was cut off has stored and not counted. */
    if (data->first < sum || data->first - sum > data->told) {
        finder->lost++;
        return "the sum of all updates is wrong";
    }
    return NULL;
}
