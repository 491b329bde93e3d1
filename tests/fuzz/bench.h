/* What the fuzz targets share: handles of one region as victims, a second
 * mapping of its control block as the attacker, and a clock that only the
 * bench moves.
 *
 * Nothing sleeps: what the library would wait for passes at once, so that a
 * long time-out costs no more than a short one, and a wait that goes on beyond
 * its time-out is seen as such. Whenever the library loads a word, looks at the
 * clock or sleeps, the attacker may strike, always at the same point for one
 * input. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"
#include "winshm.h"

enum {
    BENCH_BYTES = 5000, /* of data, no whole number of pages */
    BENCH_ROOM = 12000, /* the capacity */
    BENCH_FIRST = 0,    /* first used by the fuzzing thread */
    BENCH_OTHER,        /* first used by another thread */
    BENCH_READER,       /* read-only, nothing mapped */
    BENCH_OBSERVER,     /* may not write the control block */
    BENCH_VICTIMS,
    BENCH_HANDLES = BENCH_VICTIMS + 3 /* the rest is opened under attack */
};

/** What the victims say that the bytes are. */
#define BENCH_LAYOUT "a:u8@0; b:{c:u32@0; size 4}[2]@4; size 12"

/** An input, read from the front. Beyond its end everything is 0. */
struct input {
    const uint8_t *next;
    const uint8_t *end;
};

static inline uint32_t input_byte(struct input *in)
{
    return in->next < in->end ? *in->next++ : 0;
}

static inline uint32_t input_half(struct input *in)
{
    uint32_t low = input_byte(in);
    return low | input_byte(in) << 8;
}

/** One of the values that mean most, or any. */
uint32_t input_word(struct input *in);

/** A time-out, in milliseconds: mostly none, never without end. */
uint32_t input_timeout(struct input *in);

/** The handles; NULL where the attack has kept one from opening. */
extern winshm_region *bench_handles[BENCH_HANDLES];

/** The control block as the attacker sees it, and a whole one. */
extern uint8_t *bench_control;
extern uint8_t bench_whole[LAYOUT_BYTES];

/** The region's name, also the beginning of all other names used here. */
extern const char *bench_name;

/** True: the control file may not be opened for writing. */
extern bool bench_denies;

/** False: the system has no barrier. */
extern bool bench_barrier;

/** Opens the victims, once in a process. */
void bench_open(void);

/** Before and after each input. The end restores the control block, closes
 * what was opened, and checks that nothing was lost, leaked or stuck. */
void bench_begin(void);
void bench_end(void);

/** Ends in a report with the input kept. */
_Noreturn void bench_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/** Writes a word of the control block now, or after the library has looked at
 * it or at the clock so many times. Offsets beyond the block do nothing. */
void bench_write(uint32_t offset, uint32_t value);
void bench_write_later(uint32_t looks, uint32_t offset, uint32_t value);

/** The offset of a word that the library gives a meaning. */
uint32_t bench_hot_word(uint32_t index);

/** Where one call began. */
struct call {
    const char *text;
    uint64_t began;
    uint64_t allowed;
    uint64_t limit;
};

#define STATUS_BIT(status) (UINT64_C(1) << -(status))

struct call bench_call(const char *text, uint64_t allowed, uint64_t limit_ms);
winshm_status bench_done(const struct call *call, winshm_status status);

/** Each opening and closing, and one of the calls on a handle, with the
 * statuses that the header lists. */
winshm_status bench_try_open(uint32_t how, const char *name, uint64_t size,
                             uint32_t flags, winshm_region **out);
void bench_try_close(winshm_region *handle);
void bench_use(uint32_t index, uint32_t which, struct input *in);

/** Parses a name, with all that is promised of one that is accepted. */
void bench_check_name(const char *name);

/** The same for a token. */
void bench_check_token(const char *text);

/** Gives back what the handle has locked: what it has, nobody else can say. */
void bench_release(winshm_region *handle);

/** Everything, once, with one time-out. */
void bench_use_all(uint32_t index, uint32_t timeout_ms);

/** Which calls and attacks the bytes of an input stand for. */
void bench_run(struct input *in, bool opens);

/** The clock, and what waits to be written while it goes: see strike.h. */
uint64_t bench_now(void);
extern uint32_t bench_pending;
void bench_strike(const volatile void *from);

/** Called before each load while bench_pending is not 0; may be NULL. */
extern void (*bench_watch)(const volatile void *from);

/** Sets the clock of one input going; lets time pass; looks, which costs some
 * time as well. */
void bench_clock_begin(void);
void bench_pass(uint64_t nanoseconds);
uint64_t bench_look(void);

/* The world around the library, in two versions: world_linux.c has the real
 * backend on real files, world_memory.c has the contract of platform.h in
 * memory. */

/** A region's control block, for the attacker. */
uint8_t *world_control(const char *name);

/** What the names lead to: the data's number, or 0. */
uint64_t world_data(const char *name);
bool world_has_control(const char *name);

/** Makes what an outsider or an earlier life has left. @return the number of
 * the data, which are BENCH_BYTES. */
uint64_t world_make_data(const char *name, uint64_t *volume);
void world_make_control(const char *name, const uint8_t *from, uint32_t bytes);
void world_remove(const char *name);

/** Differ if a descriptor or a mapping was leaked in between. */
uint32_t world_descriptors(void);
uint32_t world_mappings(void);

/** The one file of the world in memory. The read of number change_at, if it is
 * not 0, finds a byte changed. */
enum { WORLD_FILE = 16384 };
extern struct world_file {
    uint32_t size; /* 0: there is none */
    uint32_t change_at;
    uint32_t change_of;
    uint8_t change_by;
    uint8_t bytes[WORLD_FILE];
} world_file;

/** Fails if a name is left over that begins with bench_name and a dot. */
void world_check_left_over(void);

#endif
