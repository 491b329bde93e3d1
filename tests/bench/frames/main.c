/* The C side of what is measured with frames on the move.
 *
 * A worker of any language reads lines
 *
 *     ROLE WAY NAME BYTES BOXES CONSUMERS NANOSECONDS
 *
 * A producer answers with what its consumers need as NAME, then with frames,
 * nanoseconds and the processor's nanoseconds. A consumer, whose CONSUMERS is its
 * number, answers with frames, lost ones, nanoseconds, the processor's nanoseconds,
 * and the latency in nanoseconds that half, 99 of 100 and all of the frames had: from
 * before the producer's copy until the check is over.
 * A "fill" and a "check" alone answer with frames and nanoseconds: nothing that
 * copies, or looks at all, can be faster. */
#include "frame.h"
#include "frames.h"

#include <string.h>

#include "../spread.h"
#include "../stage.h"

enum { SAMPLES = 1 << 20 };

static const struct way *const ways[] = {&way_boxes, &way_locked, &way_bare,
                                         &way_tcp,   &way_local,
#ifndef _WIN32
                                         &way_zmq,   &way_boost,
#endif
};

void bench_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: wrong: %s (%s)\n", file, line, condition,
            winshm_last_message());
    exit(1);
}

void *job_new(size_t bytes)
{
    void *memory = calloc(1, bytes);
    BENCH_REQUIRE(memory != NULL);
    return memory;
}

/* ---- Roles ---- */

static void produce(const struct way *way, struct job *job, uint64_t budget)
{
    uint64_t frames = 0, began, cpu;
    job->frame = job_new(job->bytes);
    frame_paint(job->frame, job->bytes);
    way->make(job);
    printf("%s\n", job->name);
    fflush(stdout);
    way->meet(job);
    /* The first frame waits for connections, and is not counted. */
    frame_stamp(job->frame, job->bytes, 0, bench_now());
    way->give(job);
    began = bench_now();
    cpu = bench_cpu();
    do {
        frame_stamp(job->frame, job->bytes, ++frames, bench_now());
        way->give(job);
    } while (bench_now() - began < budget);
    frame_stamp(job->frame, job->bytes, JOB_END, bench_now());
    way->give(job);
    way->end(job);
    printf("%llu %llu %llu\n", (unsigned long long)frames,
           (unsigned long long)(bench_now() - began),
           (unsigned long long)(bench_cpu() - cpu));
}

static void consume(const struct way *way, struct job *job)
{
    static double samples[SAMPLES];
    uint64_t frames = 0, lost = 0, began = 0, ended = 0, cpu = 0;
    uint32_t count = 0;
    job->frame = job_new(job->bytes);
    way->join(job);
    for (;;) {
        const uint64_t *frame = way->take(job);
        uint64_t number = frame[0], time = frame[1];
        BENCH_REQUIRE(frame_sum(frame, job->bytes) ==
                      frame_right_sum(job->bytes, number, time));
        way->taken(job);
        if (number == JOB_END)
            break;
        ended = bench_now();
        if (began == 0) {
            began = ended;
            cpu = bench_cpu();
            BENCH_REQUIRE(number == 0);
            continue;
        }
        frames++;
        BENCH_REQUIRE(number >= frames + lost);
        lost = number - frames;
        if (count < SAMPLES)
            samples[count++] = (double)(ended - time);
    }
    cpu = bench_cpu() - cpu;
    way->leave(job);
    double median = spread_of(samples, count).median;
    printf("%llu %llu %llu %llu %.0f %.0f %.0f\n", (unsigned long long)frames,
           (unsigned long long)lost, (unsigned long long)(ended - began),
           (unsigned long long)cpu, median, samples[(count - 1) * 99ull / 100],
           samples[count - 1]);
}

/** The limits: copies into boxes that nobody looks at, or looks without copies. */
static void alone(struct job *job, uint64_t budget, bool copies)
{
    uint64_t frames = 0, began, passed;
    unsigned char *boxes = job_new(job->bytes * job->boxes);
    job->frame = job_new(job->bytes);
    frame_paint(job->frame, job->bytes);
    for (uint32_t i = 0; i < job->boxes; i++) {
        frame_stamp(job->frame, job->bytes, i, bench_now());
        memcpy(boxes + i * job->bytes, job->frame, job->bytes);
    }
    began = bench_now();
    do {
        void *box = boxes + frames % job->boxes * job->bytes;
        if (copies) {
            frame_stamp(job->frame, job->bytes, frames, bench_now());
            memcpy(box, job->frame, job->bytes);
        } else {
            uint64_t *frame = box;
            BENCH_REQUIRE(frame_sum(frame, job->bytes) ==
                          frame_right_sum(job->bytes, frame[0], frame[1]));
        }
        frames++;
    } while ((passed = bench_now() - began) < budget);
    printf("%llu %llu\n", (unsigned long long)frames,
           (unsigned long long)passed);
    free(boxes);
}

static const struct way *way_of(const char *name)
{
    for (uint32_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (strcmp(ways[i]->name, name) == 0)
            return ways[i];
    fprintf(stderr, "no such way: %s\n", name);
    exit(2);
}

int main(void)
{
    char line[512], role[32], way[32];
    unsigned long long bytes, budget;
    unsigned boxes, consumers;
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct job job = {.bytes = 0};
        BENCH_REQUIRE(sscanf(line, "%31s %31s %127s %llu %u %u %llu", role, way,
                             job.name, &bytes, &boxes, &consumers,
                             &budget) == 7);
        job.bytes = bytes;
        job.boxes = boxes;
        job.consumers = job.number = consumers;
        if (strcmp(role, "produce") == 0)
            produce(way_of(way), &job, budget);
        else if (strcmp(role, "consume") == 0)
            consume(way_of(way), &job);
        else
            alone(&job, budget, strcmp(role, "fill") == 0);
        fflush(stdout);
        free(job.frame);
        free(job.state);
    }
    return 0;
}
