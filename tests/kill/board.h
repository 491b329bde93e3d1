/* What the kill campaign's driver and workers share besides the region that
 * is tested: a board, which is a raw block that the driver keeps. What stands
 * there outlives every worker, so it is where a worker's acknowledged updates
 * are counted and where its state at the moment of its death can be read. */
#ifndef BOARD_H
#define BOARD_H

#include <stdatomic.h>
#include <stdint.h>

#include "winshm.h"

enum { WORKERS_MIN = 4, WORKERS_MAX = 8, CAPACITY = 1 << 18 };

/** What a worker is doing: XX(name, text). */
#define STATE_MAP(XX)                                                          \
    XX(BETWEEN, "between calls")                                               \
    XX(JOINING, "joining or creating")                                         \
    XX(CREATING, "creating, in a short life")                                  \
    XX(OPENING, "opening, in a short life")                                    \
    XX(LOCKING_EXCLUSIVE, "waiting for the lock, exclusive")                   \
    XX(LOCKING_SHARED, "waiting for the lock, shared")                         \
    XX(WRITING, "holding it exclusively")                                      \
    XX(HALF, "holding it, half written")                                       \
    XX(READING, "holding it shared")                                           \
    XX(COPYING, "in winshm_read")                                              \
    XX(UNLOCKING, "unlocking")                                                 \
    XX(NOTIFYING, "notifying")                                                 \
    XX(GROWING, "in winshm_resize")                                            \
    XX(WAITING_CHANGE, "in winshm_wait")                                       \
    XX(WAITING_EVENT, "on the wait handle")                                    \
    XX(CLOSING, "closing")

enum state {
#define STATE_VALUE(name, text) name,
    STATE_MAP(STATE_VALUE)
#undef STATE_VALUE
        STATES
};

/** What whoever makes the region larger stores at a new offset, which was 0. */
static inline uint8_t grown_byte(uint64_t offset)
{
    return (uint8_t)(offset * 7 | 1);
}

/** The region that is tested, in which the two first words are equal but in
 * the middle of a section. Words of 32 bits: programs of both widths use it. */
struct data {
    volatile uint32_t first;
    volatile uint32_t second;
    volatile uint32_t told;      /* heirs, so that halves are known */
    volatile uint32_t owner;     /* worker + 1 of the latest section, */
    volatile uint32_t owner_run; /* and its line's kills when it began */
    volatile uint32_t done[WORKERS_MAX];
};

/** The region of short lives. */
struct brief {
    volatile uint32_t stamp; /* from the id of its life, or 0 */
};

/** A worker's line. Only that worker writes it, but for the driver's part. */
struct line {
    /* Of the driver. */
    volatile uint32_t kills;
    volatile uint32_t killed_at; /* microseconds */

    /* The life of the region that the two next words count in. */
    volatile uint8_t id[16];
    volatile uint32_t acknowledged;
    volatile uint32_t kills_before;

    volatile uint32_t state;
    volatile uint32_t progress; /* raised with each state */
    volatile uint32_t linux_pid;

    volatile uint32_t sections;
    volatile uint32_t reads;
    volatile uint32_t opened;
    volatile uint32_t created;
    volatile uint32_t told;     /* OWNER_DEAD was returned */
    volatile uint32_t repaired; /* and the words differed */
    volatile uint32_t torn;     /* a lie was found: there must be none */
    volatile uint32_t lost;
    volatile uint32_t grown; /* the size that it has seen in this life */
    uint32_t unused[8];
};

struct board {
    _Atomic uint32_t samples; /* from a kill until the heir was told */
    uint32_t samples_max;
    uint32_t unused[30];
    struct line lines[WORKERS_MAX];
    volatile uint32_t sample_us[1]; /* samples_max of them */
};

static inline uint32_t dice(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/**
 * Look for what must not be, with the lock held.
 *
 * @param finder where it is counted.
 * @return NULL, or what is wrong; *who tells with whose updates.
 */
const char *oracle_audit(const struct data *data, const struct board *board,
                         const uint8_t id[16], struct line *finder, int *who);

/** The role that is killed. number: seed and place on the board. */
void worker_run(const char *name, uint32_t number);

#endif
