/* Frames in shared memory: winshm as its example has it, winshm as one would begin,
 * and a ring that knows nothing but two numbers. */
#include "frames.h"

#include <stdatomic.h>
#include <string.h>

#include "../../../bindings/c/examples/frames.h"
#include "../../harness/plain.h"
#include "../stage.h"

/** The producer waits for those who have come late. */
static void meet_nobody(struct job *job)
{
    (void)job;
}

static void taken_already(struct job *job)
{
    (void)job;
}

/* ---- Boxes: the example itself ---- */

static void boxes_make(struct job *job)
{
    job->state = job_new(sizeof(struct frames));
    frames_create(job->state, job->name, job->bytes, job->boxes);
}

static void boxes_meet(struct job *job)
{
    struct frames *frames = job->state;
    const struct frames_head *head = winshm_data(frames->region);
    for (uint32_t here = 0; here < job->consumers; sleep_ms(1)) {
        here = 0;
        frames_check(winshm_lock(frames->region, WINSHM_SHARED, WINSHM_FOREVER));
        for (uint32_t i = 0; i < FRAMES_TAKERS; i++)
            here += head->takers[i].member != 0;
        frames_check(winshm_unlock(frames->region, WINSHM_SHARED));
    }
}

static void boxes_give(struct job *job)
{
    memcpy(frames_room(job->state), job->frame, job->bytes);
    frames_give(job->state);
}

static void boxes_end(struct job *job)
{
    frames_end(job->state);
}

static void boxes_join(struct job *job)
{
    job->state = job_new(sizeof(struct frames));
    frames_open(job->state, job->name);
}

static const uint64_t *boxes_take(struct job *job)
{
    return frames_next(job->state);
}

static void boxes_taken(struct job *job)
{
    frames_done(job->state);
}

static void boxes_leave(struct job *job)
{
    frames_leave(job->state);
}

const struct way way_boxes = {"boxes",     boxes_make, boxes_meet,
                              boxes_give,  boxes_end,  boxes_join,
                              boxes_take,  boxes_taken, boxes_leave};

/* ---- Locked: one frame, which all copy under the lock ---- */

/** Its numbers; the frame begins with the next page. */
struct locked_head {
    uint64_t given;
    uint64_t taken[JOB_CONSUMERS];
};

struct locked {
    winshm_region *region;
    uint64_t count;
};

static void locked_make(struct job *job)
{
    struct locked *locked = job->state = job_new(sizeof *locked);
    frames_check(winshm_create(job->name, JOB_PAGE + job->bytes, 0,
                               &locked->region));
}

static void locked_await(struct job *job)
{
    struct locked *locked = job->state;
    for (;;) {
        struct locked_head head;
        uint32_t seen;
        bool all = true;
        frames_check(winshm_change_count(locked->region, &seen));
        frames_check(winshm_read(locked->region, 0, &head, sizeof head,
                                 WINSHM_FOREVER));
        for (uint32_t i = 0; i < job->consumers; i++)
            all = all && head.taken[i] == locked->count;
        if (all)
            return;
        frames_check(winshm_wait(locked->region, seen, WINSHM_FOREVER, NULL));
    }
}

static void locked_give(struct job *job)
{
    struct locked *locked = job->state;
    locked_await(job);
    frames_check(winshm_lock(locked->region, WINSHM_EXCLUSIVE, WINSHM_FOREVER));
    struct locked_head *head = winshm_data(locked->region);
    memcpy((unsigned char *)head + JOB_PAGE, job->frame, job->bytes);
    head->given = ++locked->count;
    frames_check(winshm_unlock(locked->region, WINSHM_EXCLUSIVE));
    frames_check(winshm_notify(locked->region));
}

static void locked_end(struct job *job)
{
    struct locked *locked = job->state;
    locked_await(job);
    frames_check(winshm_close(locked->region));
}

static void locked_join(struct job *job)
{
    struct locked *locked = job->state = job_new(sizeof *locked);
    frames_check(winshm_open(job->name, 0, &locked->region));
}

static const uint64_t *locked_take(struct job *job)
{
    struct locked *locked = job->state;
    for (;;) {
        uint64_t given;
        uint32_t seen;
        frames_check(winshm_change_count(locked->region, &seen));
        frames_check(winshm_read(locked->region, 0, &given, sizeof given,
                                 WINSHM_FOREVER));
        if (given != locked->count)
            break;
        frames_check(winshm_wait(locked->region, seen, WINSHM_FOREVER, NULL));
    }
    frames_check(winshm_read(locked->region, JOB_PAGE, job->frame, job->bytes,
                             WINSHM_FOREVER));
    locked->count++;
    frames_check(winshm_write(
        locked->region, 8 + job->number * sizeof(uint64_t), &locked->count,
        sizeof locked->count, WINSHM_FOREVER));
    return job->frame;
}

static void locked_leave(struct job *job)
{
    struct locked *locked = job->state;
    frames_check(winshm_close(locked->region));
}

const struct way way_locked = {"locked",    locked_make, meet_nobody,
                               locked_give, locked_end,  locked_join,
                               locked_take, taken_already, locked_leave};

/* ---- Bare: who waits spins, and nobody may die ---- */

struct bare_head {
    _Alignas(STAGE_LINE) _Atomic uint64_t given;
    struct {
        _Alignas(STAGE_LINE) _Atomic uint64_t taken;
    } consumers[JOB_CONSUMERS];
    _Atomic uint32_t here;
};

/** Once round a loop that waits. It spins while the other side is at work, and lets
 * others run where that side has no processor. */
static void bare_wait(uint32_t *times)
{
    if (++*times % 4096 == 0)
        sleep_ms(0);
    else
        bench_pause();
}

struct bare {
    struct plain plain;
    struct bare_head *head;
    uint64_t count;
};

static void bare_open(struct job *job, bool make)
{
    struct bare *bare = job->state = job_new(sizeof *bare);
    uint64_t size = JOB_PAGE + job->boxes * job->bytes;
    BENCH_REQUIRE(make ? plain_create(&bare->plain, job->name, size)
                       : plain_open(&bare->plain, job->name, size));
    bare->head = bare->plain.data;
}

static void bare_make(struct job *job)
{
    bare_open(job, true);
}

static void bare_meet(struct job *job)
{
    struct bare *bare = job->state;
    while (atomic_load(&bare->head->here) != job->consumers)
        sleep_ms(1);
}

/** Waits until each consumer has no more than this many before it. */
static void bare_await(struct job *job, uint64_t left)
{
    struct bare *bare = job->state;
    uint32_t times = 0;
    for (uint32_t i = 0; i < job->consumers; i++)
        while (bare->count -
                   atomic_load_explicit(&bare->head->consumers[i].taken,
                                        memory_order_acquire) >
               left)
            bare_wait(&times);
}

static void *bare_box(struct job *job)
{
    struct bare *bare = job->state;
    return (unsigned char *)bare->head + JOB_PAGE +
           bare->count % job->boxes * job->bytes;
}

static void bare_give(struct job *job)
{
    struct bare *bare = job->state;
    bare_await(job, job->boxes - 1);
    memcpy(bare_box(job), job->frame, job->bytes);
    atomic_store_explicit(&bare->head->given, ++bare->count,
                          memory_order_release);
}

static void bare_end(struct job *job)
{
    struct bare *bare = job->state;
    bare_await(job, 0);
    plain_close(&bare->plain);
    plain_remove(job->name);
}

static void bare_join(struct job *job)
{
    bare_open(job, false);
    struct bare *bare = job->state;
    atomic_fetch_add(&bare->head->here, 1);
}

static const uint64_t *bare_take(struct job *job)
{
    struct bare *bare = job->state;
    uint32_t times = 0;
    while (atomic_load_explicit(&bare->head->given, memory_order_acquire) ==
           bare->count)
        bare_wait(&times);
    return bare_box(job);
}

static void bare_taken(struct job *job)
{
    struct bare *bare = job->state;
    atomic_store_explicit(&bare->head->consumers[job->number].taken,
                          ++bare->count, memory_order_release);
}

static void bare_leave(struct job *job)
{
    struct bare *bare = job->state;
    plain_close(&bare->plain);
}

const struct way way_bare = {"bare",    bare_make, bare_meet,  bare_give, bare_end,
                             bare_join, bare_take, bare_taken, bare_leave};
