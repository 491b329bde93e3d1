/* The bytes of the control block, the same for 32- and 64-bit programs.
 *
 * Only naturally aligned 32-bit words are used, since these are what every
 * processor here loads and stores in one piece; a 64-bit number is a pair of
 * them. Words that different participants write at high rate lie 128 bytes
 * apart, because processors fetch cache lines in pairs. Everything read from
 * here may have been written by a hostile program: fetch once, check the copy.
 */
#ifndef WINSHM_LAYOUT_H
#define WINSHM_LAYOUT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "winshm.h"

#define LAYOUT_MAGIC 0x4D485357u /* "WSHM" */
#define LAYOUT_VERSION 1u
#define LAYOUT_BYTES 65536u
#define LAYOUT_SLOTS WINSHM_PARTICIPANTS_MAX
#define LAYOUT_LINE 128

typedef _Atomic uint32_t shared_u32;

/** Not atomic as a whole: written under the life lock. */
struct shared_u64 {
    shared_u32 low;
    shared_u32 high;
};

/** Written under the life lock only. id[0] is stored last and cleared first:
 * while it is 0 nothing else in the block means anything, but for what magic,
 * adopted and data_file say of a file that was left. */
struct layout_header {
    shared_u32 magic; /* 0: never used */
    shared_u32 version;
    struct shared_u64 size;
    struct shared_u64 capacity;
    struct shared_u64 layout_tag;
    shared_u32 lock_kind;
    shared_u32 joins; /* odd while somebody joins */
    shared_u32 id[4];
    struct shared_u64 members; /* numbers given out so far */
    struct shared_u64 creator_member;
    struct shared_u64 creator_start;
    shared_u32 creator_pid;
    shared_u32 reserved;
    struct shared_u64 data_volume; /* Linux: which file is the data */
    struct shared_u64 data_file;
    shared_u32 adopted; /* the data belong to an outside program */
};

/** Lock word: owner's slot + 1, or 0, and whether an owner died. */
#define WORD_OWNER 0x00000FFFu
#define WORD_INCONSISTENT 0x40000000u

/** Seat: slot + 1, kind, ticket. */
#define SEAT_SLOT 0x00000FFFu
#define SEAT_EXCLUSIVE 0x00001000u
#define SEAT_TICKET_SHIFT 13
#define SEAT_TICKET_MASK 0x7FFFFu

struct layout_lock {
    shared_u32 word;
    shared_u32 version; /* odd: a section runs, or was cut off */
    shared_u32 seat;    /* a hint: who goes next */
    shared_u32 parked;  /* a hint: somebody may be parked */
    shared_u32 shown;   /* whose counts a writer looks at; only raised in a life:
                           bit b is of the slots b, b + 32, b + 64 and b + 96 */
};

struct layout_counts {
    shared_u32 tickets;
    shared_u32 slots_used; /* only raised within a life */
};

struct layout_change {
    shared_u32 count;
    shared_u32 parked; /* a hint: somebody may be parked */
    shared_u32 events; /* a hint: somebody has an event for wait loops */
};

/** How large the region is. Written under the life lock, read by everybody. */
struct layout_growth {
    shared_u32 turn; /* 0: as in the header; else size[turn & 1] */
    shared_u32 reserved;
    struct shared_u64 size[2];
};

/** One participant. Written by whoever has the slot's presence, but for
 * wakes, which anybody may raise. */
struct layout_slot {
    /* Shared locks held: only the sum means anything. */
    _Alignas(LAYOUT_LINE) shared_u32 own; /* by the handle's first thread */
    shared_u32 other;                     /* by all other threads */

    _Alignas(LAYOUT_LINE) shared_u32 parked[2]; /* threads, a channel each */
    shared_u32 wakes[2];
    shared_u32 event;

    _Alignas(LAYOUT_LINE) struct shared_u64 member;
    struct shared_u64 start;
    shared_u32 pid;
};

struct layout_control {
    _Alignas(LAYOUT_LINE) struct layout_header header;
    _Alignas(LAYOUT_LINE) struct layout_lock lock;
    _Alignas(LAYOUT_LINE) struct layout_counts counts;
    _Alignas(LAYOUT_LINE) struct layout_change change;
    _Alignas(LAYOUT_LINE) struct layout_growth growth;
    _Alignas(4096) struct layout_slot slots[LAYOUT_SLOTS];
    /* What the bytes are, in words, up to the first NUL: see meaning.h. Written
     * as the header is. */
    shared_u32 layout[(WINSHM_LAYOUT_MAX + 1) / sizeof(shared_u32)];
};

#define LAYOUT_AT(type, member, offset)                                        \
    _Static_assert(offsetof(struct type, member) == (offset),                  \
                   "offset of " #member " is part of the layout")

LAYOUT_AT(layout_header, magic, 0);
LAYOUT_AT(layout_header, version, 4);
LAYOUT_AT(layout_header, size, 8);
LAYOUT_AT(layout_header, capacity, 16);
LAYOUT_AT(layout_header, layout_tag, 24);
LAYOUT_AT(layout_header, lock_kind, 32);
LAYOUT_AT(layout_header, joins, 36);
LAYOUT_AT(layout_header, id, 40);
LAYOUT_AT(layout_header, members, 56);
LAYOUT_AT(layout_header, creator_member, 64);
LAYOUT_AT(layout_header, creator_start, 72);
LAYOUT_AT(layout_header, creator_pid, 80);
LAYOUT_AT(layout_header, data_volume, 88);
LAYOUT_AT(layout_header, data_file, 96);
LAYOUT_AT(layout_header, adopted, 104);
LAYOUT_AT(layout_lock, word, 0);
LAYOUT_AT(layout_lock, version, 4);
LAYOUT_AT(layout_lock, seat, 8);
LAYOUT_AT(layout_lock, parked, 12);
LAYOUT_AT(layout_lock, shown, 16);
LAYOUT_AT(layout_counts, tickets, 0);
LAYOUT_AT(layout_counts, slots_used, 4);
LAYOUT_AT(layout_change, count, 0);
LAYOUT_AT(layout_change, parked, 4);
LAYOUT_AT(layout_change, events, 8);
LAYOUT_AT(layout_growth, turn, 0);
LAYOUT_AT(layout_growth, size, 8);
LAYOUT_AT(layout_slot, own, 0);
LAYOUT_AT(layout_slot, other, 4);
LAYOUT_AT(layout_slot, parked, 128);
LAYOUT_AT(layout_slot, wakes, 136);
LAYOUT_AT(layout_slot, event, 144);
LAYOUT_AT(layout_slot, member, 256);
LAYOUT_AT(layout_slot, start, 264);
LAYOUT_AT(layout_slot, pid, 272);
LAYOUT_AT(layout_control, header, 0);
LAYOUT_AT(layout_control, lock, 128);
LAYOUT_AT(layout_control, counts, 256);
LAYOUT_AT(layout_control, change, 384);
LAYOUT_AT(layout_control, growth, 512);
LAYOUT_AT(layout_control, slots, 4096);
LAYOUT_AT(layout_control, layout, 53248);
_Static_assert(sizeof(struct layout_slot) == 384, "slots are 384 bytes apart");
_Static_assert(sizeof(struct layout_control) <= LAYOUT_BYTES,
               "the control block never changes its size");

static inline uint64_t shared_load(const struct shared_u64 *from)
{
    uint32_t low = atomic_load_explicit(&from->low, memory_order_relaxed);
    uint32_t high = atomic_load_explicit(&from->high, memory_order_relaxed);
    return (uint64_t)high << 32 | low;
}

static inline void shared_store(struct shared_u64 *to, uint64_t value)
{
    atomic_store_explicit(&to->low, (uint32_t)value, memory_order_relaxed);
    atomic_store_explicit(&to->high, (uint32_t)(value >> 32),
                          memory_order_relaxed);
}

#endif
