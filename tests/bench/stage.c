/* The second process of a block. */
#include "stage.h"

void stage_start(struct bench_block *block)
{
    struct stage *stage = block->stage;
    uint32_t number = 0;
    while (bench_case_at(number) != block->what)
        number++;
    stage->budget = block->budget;
    stage->bytes = block->bytes;
    atomic_store(&stage->ready, 0);
    atomic_store(&stage->stop, 0);
    /* A child inherits the processors of its parent. */
    bench_unpin();
    block->process->child =
        child_start(block->process->role, block->name, number);
    bench_pin(stage->cpus[0]);
    uint64_t end = clock_ms() + PATIENCE_MS;
    while (atomic_load(&stage->ready) == 0) {
        BENCH_REQUIRE(clock_ms() < end);
        sleep_ms(1);
    }
}

void stage_finish(struct bench_block *block)
{
    struct stage *stage = block->stage;
    atomic_store(&stage->stop, 1);
    BENCH_REQUIRE(child_wait(&block->process->child, PATIENCE_MS) == 0);
    block->ops += stage->child_ops;
    block->cpu += stage->child_cpu;
}

void stage_ready(struct bench_block *block)
{
    atomic_store(&block->stage->ready, 1);
}

void stage_rest(struct bench_block *block)
{
    while (!stage_stops(block))
        sleep_ms(1);
}

void stage_together(struct bench_block *block, bool parent)
{
    struct stage *stage = block->stage;
    uint64_t start;
    if (parent)
        atomic_store(&stage->start, bench_now() + 2 * 1000 * 1000);
    while ((start = atomic_load(&stage->start)) == 0)
        bench_pause();
    while (bench_now() < start)
        bench_pause();
    bench_begin(block);
    block->began = start;
}

bool stage_goes_on(struct bench_block *block, int side, uint32_t done)
{
    uint64_t passed = bench_now() - block->began;
    uint64_t window = passed / STAGE_WINDOW_NS;
    block->ops += done;
    if (window < STAGE_WINDOWS)
        block->stage->windows[side][window] += done;
    if (passed < block->budget)
        return true;
    bench_end(block);
    return false;
}

double stage_share(const struct bench_block *block)
{
    const struct stage *stage = block->stage;
    double worst = 1;
    uint64_t whole = block->budget / STAGE_WINDOW_NS;
    for (uint64_t i = 0; i < whole && i < STAGE_WINDOWS; i++) {
        double a = (double)stage->windows[0][i];
        double b = (double)stage->windows[1][i];
        double share = a < b ? a / b : a == 0 ? 0 : b / a;
        if (share < worst)
            worst = share;
    }
    return worst;
}
