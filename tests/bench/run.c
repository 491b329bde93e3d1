/* The runner: blocks in turn, and their statistics. */
#include "../harness/plain.h"
#include "run.h"

enum { PEER_KILLS = 25 };

void bench_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: wrong: %s (%s)\n", file, line, condition,
            winshm_last_message());
    exit(1);
}

/** What the blocks of one side have given. */
struct side {
    double ns[RUN_BLOCKS];
    double cpu[RUN_BLOCKS];
    double extra[RUN_BLOCKS];
    double *samples;
    uint32_t count;
    uint32_t hangs;
};

/* The floor: two processes hand a number back and forth through two cache
 * lines, and do nothing else. No message between two processors is faster. */

static void floor_parent(struct bench_block *block)
{
    struct stage *stage = block->stage;
    uint32_t turn = 0;
    stage_start(block);
    BENCH_LOOP(block, 64, {
        turn++;
        atomic_store_explicit(&stage->ping, turn, memory_order_release);
        while (atomic_load_explicit(&stage->pong, memory_order_acquire) != turn)
            bench_pause();
    });
    stage_finish(block);
}

static void floor_child(struct bench_block *block)
{
    struct stage *stage = block->stage;
    uint32_t seen = 0;
    stage_ready(block);
    while (!stage_stops(block)) {
        uint32_t turn =
            atomic_load_explicit(&stage->ping, memory_order_acquire);
        if (turn == seen) {
            bench_pause();
            continue;
        }
        seen = turn;
        atomic_store_explicit(&stage->pong, turn, memory_order_release);
    }
}

/** The stage's name, which must not outlive a run that fails. */
static char stage_name[80];

static void remove_stage(void)
{
    if (stage_name[0] != '\0')
        plain_remove(stage_name);
}

/** One block. @return nanoseconds per operation. */
static double run_block(const struct bench_case *what,
                        const struct run_options *options, const char *role,
                        bench_function function, struct side *side,
                        uint32_t number)
{
    static uint32_t blocks;
    uint32_t kills = (options->kills + options->blocks - 1) / options->blocks;
    /* How late winshm may be is asked of many deaths, the peer's of few. */
    if (function == what->peer && kills > PEER_KILLS)
        kills = PEER_KILLS;
    char name[64];
    struct plain plain;
    struct bench_process process = {.role = role};
    struct bench_block block = {.what = what,
                                .name = name,
                                .budget = options->budget,
                                .bytes = what->bytes,
                                .kills = kills,
                                .process = &process};
    snprintf(name, sizeof name, "winshm-bench-%u-%u", child_pid(), ++blocks);
    if (blocks == 1)
        atexit(remove_stage);
    snprintf(stage_name, sizeof stage_name, "%s-stage", name);
    BENCH_REQUIRE(plain_create(&plain, stage_name, sizeof(struct stage)));
    memset(plain.data, 0, sizeof(struct stage));
    block.stage = plain.data;
    block.space = block.stage->space;
    memcpy(block.stage->cpus, options->cpus, sizeof options->cpus);
    block.samples = calloc(BENCH_SAMPLES, sizeof *block.samples);
    BENCH_REQUIRE(block.samples != NULL);
    /* The floor needs no long look. */
    if (side == NULL)
        block.budget = 5 * 1000 * 1000;

    bench_pin(options->cpus[0]);
    function(&block);
    bench_unpin();
    BENCH_REQUIRE(block.ops != 0);

    double ops = (double)block.ops;
    double ns = (double)block.ns / ops;
    if (block.count != 0)
        ns = spread_of(block.samples, block.count).median;
    if (side != NULL) {
        if (!block.chunks) {
            memcpy(side->samples + side->count, block.samples,
                   block.count * sizeof *block.samples);
            side->count += block.count;
        }
        side->hangs += block.hangs;
        side->ns[number] = ns;
        side->cpu[number] = (double)block.cpu / ops;
        side->extra[number] = block.extra;
    }
    free(block.samples);
    plain_close(&plain);
    remove_stage();
    stage_name[0] = '\0';
    return ns;
}

static struct side_result result_of(struct side *side, uint32_t blocks)
{
    struct side_result result;
    result.ns = spread_of(side->ns, blocks);
    result.cpu = spread_of(side->cpu, blocks);
    result.extra = spread_of(side->extra, blocks);
    result.samples = side->count;
    result.hangs = side->hangs;
    result.p99 = result.most = 0;
    if (side->count != 0) {
        result.most = spread_of(side->samples, side->count).most;
        result.p99 = side->samples[(side->count - 1) * 99 / 100];
    }
    return result;
}

void run_case(const struct bench_case *what, const struct run_options *options,
              struct case_result *result)
{
    static struct side ours, peer;
    static double samples[2][(size_t)RUN_BLOCKS * BENCH_SAMPLES];
    double floors[RUN_BLOCKS], sorted[RUN_BLOCKS];
    uint32_t with_floor = what->talks ? options->blocks : 0;
    ours.samples = samples[0];
    peer.samples = samples[1];
    ours.count = peer.count = ours.hangs = peer.hangs = 0;

    result->what = what;
    result->blocks = options->blocks;
    for (uint32_t i = 0; i < options->blocks; i++) {
        if (with_floor != 0)
            floors[i] =
                run_block(what, options, "floor", floor_parent, NULL, i);
        double a = run_block(what, options, "ours", what->ours, &ours, i);
        double b = run_block(what, options, "peer", what->peer, &peer, i);
        result->ratios[i] = b / a;
    }
    memcpy(sorted, result->ratios, sizeof sorted);
    result->ratio = spread_of(sorted, options->blocks);
    result->floor = spread_of(floors, with_floor);
    result->ours = result_of(&ours, options->blocks);
    result->peer = result_of(&peer, options->blocks);
}

static void child(const char *name, uint32_t number, bench_function function)
{
    char its_name[80];
    struct plain plain;
    struct bench_block block = {.what = bench_case_at(number), .name = name};
    snprintf(its_name, sizeof its_name, "%s-stage", name);
    BENCH_REQUIRE(plain_open(&plain, its_name, sizeof(struct stage)));
    block.stage = plain.data;
    block.space = block.stage->space;
    block.budget = block.stage->budget;
    block.bytes = block.stage->bytes;
    bench_pin(block.stage->cpus[1]);
    bench_begin(&block);
    function(&block);
    /* Some functions time a part of themselves. */
    if (block.ns == 0)
        bench_end(&block);
    block.stage->child_ops = block.ops;
    block.stage->child_cpu = block.cpu;
    plain_close(&plain);
}

void run_child_ours(const char *name, uint32_t number)
{
    child(name, number, bench_case_at(number)->ours_child);
}

void run_child_peer(const char *name, uint32_t number)
{
    child(name, number, bench_case_at(number)->peer_child);
}

void run_child_floor(const char *name, uint32_t number)
{
    child(name, number, floor_child);
}
