/* The C side of what is compared between languages, and the idle waiters.
 *
 * A worker of any language reads lines OPERATION NAME BYTES NANOSECONDS,
 * repeats the operation for that long on new objects of that name, and answers
 * with the nanoseconds and the processor's nanoseconds of one operation. */
#include "spread.h"
#include "stage.h"

enum { REGION_BYTES = 4096 };

void bench_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: wrong: %s (%s)\n", file, line, condition,
            winshm_last_message());
    exit(1);
}

static void pairs(struct bench_block *block)
{
    winshm_region *region = bench_create(block, REGION_BYTES);
    winshm_status bad = 0;
    BENCH_LOOP(block, 2048, {
        bad |= winshm_lock(region, WINSHM_EXCLUSIVE, WINSHM_FOREVER);
        bad |= winshm_unlock(region, WINSHM_EXCLUSIVE);
    });
    BENCH_REQUIRE(bad == 0);
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

static void notify(struct bench_block *block)
{
    winshm_region *region = bench_create(block, REGION_BYTES);
    winshm_status bad = 0;
    BENCH_LOOP(block, 2048, bad |= winshm_notify(region));
    BENCH_REQUIRE(bad == 0);
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

static void open_close(struct bench_block *block)
{
    winshm_region *keeper = bench_create(block, REGION_BYTES);
    BENCH_LOOP(block, 8, {
        winshm_region *region = bench_join(block);
        BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
    });
    BENCH_REQUIRE(winshm_close(keeper) == WINSHM_OK);
}

/* An idle waiter waits for what does not come, so that its processor time over
 * the whole wait can be seen from outside. */

static winshm_region *held;

static void hold(struct bench_block *block)
{
    held = bench_create(block, REGION_BYTES);
    BENCH_REQUIRE(winshm_lock(held, WINSHM_EXCLUSIVE, 0) == WINSHM_OK);
    block->ops = 1;
}

static void let_go(struct bench_block *block)
{
    BENCH_REQUIRE(winshm_unlock(held, WINSHM_EXCLUSIVE) == WINSHM_OK);
    BENCH_REQUIRE(winshm_close(held) == WINSHM_OK);
    block->ops = 1;
}

static void await_lock(struct bench_block *block)
{
    winshm_region *region = bench_join(block);
    uint32_t ms = (uint32_t)(block->budget / 1000000);
    bench_begin(block);
    BENCH_REQUIRE(winshm_lock(region, WINSHM_EXCLUSIVE, ms) ==
                  WINSHM_E_TIMEOUT);
    bench_end(block);
    block->ops = 1;
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

static void await_change(struct bench_block *block)
{
    winshm_region *region = bench_join(block);
    uint32_t ms = (uint32_t)(block->budget / 1000000), now;
    bench_begin(block);
    BENCH_REQUIRE(winshm_wait(region, 0, ms, &now) == WINSHM_E_TIMEOUT);
    bench_end(block);
    block->ops = 1;
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

static const struct {
    const char *name;
    bench_function run;
} operations[] = {
    {"lock", pairs},
    {"notify", notify},
    {"open", open_close},
    {"hold", hold},
    {"let-go", let_go},
    {"await-lock", await_lock},
    {"await-change", await_change},
};

static void answer(const char *operation, struct bench_block *block)
{
    static double samples[BENCH_SAMPLES];
    block->samples = samples;
    for (uint32_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (strcmp(operations[i].name, operation) == 0)
            operations[i].run(block);
    BENCH_REQUIRE(block->ops != 0);
    double ns = (double)block->ns / (double)block->ops;
    if (block->count != 0)
        ns = spread_of(samples, block->count).median;
    printf("%.6g %.6g\n", ns, (double)block->cpu / (double)block->ops);
    fflush(stdout);
}

int main(void)
{
    char line[512], operation[64], name[64];
    unsigned long long bytes, budget;
    winshm_region *none;
    /* The library looks at the number of processors before it is pinned. */
    BENCH_REQUIRE(winshm_open("winshm-bench-none", 0, &none) ==
                  WINSHM_E_NOT_FOUND);
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        BENCH_REQUIRE(sscanf(line, "%63s %63s %llu %llu", operation, name,
                             &bytes, &budget) == 4);
        struct bench_block block = {
            .name = name, .budget = budget, .bytes = bytes};
        answer(operation, &block);
    }
    return 0;
}
