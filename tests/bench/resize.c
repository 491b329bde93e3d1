/* winshm_resize() by so many bytes, which sets them aside, zero, for everybody:
 * against zeroing as many bytes that are there already, and against what is
 * done where nothing can grow, which is to close and to create anew. */
#include "stage.h"

enum { FIRST = 4096 };

static winshm_region *create(struct bench_block *block, uint64_t size,
                             uint64_t capacity)
{
    winshm_region *region;
    winshm_options options = {.struct_size = sizeof options,
                              .disposition = WINSHM_CREATE_NEW,
                              .size = size,
                              .capacity = capacity,
                              .name = block->name};
    BENCH_REQUIRE(winshm_open_with(&options, &region) == WINSHM_OK);
    return region;
}

/** Repeats an operation, of which only the call is counted. */
static void repeat(struct bench_block *block,
                   void (*prepare)(struct bench_block *block),
                   void (*call)(struct bench_block *block))
{
    bench_begin(block);
    block->count = 0;
    do {
        prepare(block);
        uint64_t began = bench_now();
        call(block);
        bench_sample(block, (double)(bench_now() - began));
        block->ops++;
    } while (bench_goes_on(block));
}

static winshm_region *region;

static void prepare_small(struct bench_block *block)
{
    if (region != NULL)
        BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
    region = create(block, FIRST, FIRST + block->bytes);
}

static void grow(struct bench_block *block)
{
    BENCH_REQUIRE(winshm_resize(region, FIRST + block->bytes, 0) == WINSHM_OK);
}

static void create_again(struct bench_block *block)
{
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
    region = create(block, FIRST + block->bytes, 0);
}

/** The new bytes are there, and zero. */
static void finish(struct bench_block *block)
{
    const unsigned char *data = winshm_data(region);
    BENCH_REQUIRE(winshm_size(region) == FIRST + block->bytes);
    for (uint64_t i = 0; i < block->bytes; i += 4096)
        BENCH_REQUIRE(data[FIRST + i] == 0);
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
    region = NULL;
}

static void ours(struct bench_block *block)
{
    repeat(block, prepare_small, grow);
    finish(block);
}

static void peer_again(struct bench_block *block)
{
    repeat(block, prepare_small, create_again);
    finish(block);
}

static void prepare_nothing(struct bench_block *block)
{
    (void)block;
}

static void zero(struct bench_block *block)
{
    memset(winshm_data(region), 0, (size_t)block->bytes);
}

static void peer_memset(struct bench_block *block)
{
    region = create(block, FIRST + block->bytes, 0);
    zero(block);
    repeat(block, prepare_nothing, zero);
    finish(block);
}

#define RESIZE(short_name, long_name, length)                                  \
    {.name = "resize/" short_name,                                             \
     .title = "winshm_resize, " long_name " more",                             \
     .peer_name = "memset",                                                    \
     .waits = "neither waits",                                                 \
     .bytes = (length),                                                        \
     .ours = ours,                                                             \
     .peer = peer_memset},                                                     \
    {                                                                          \
        .name = "resize/again-" short_name,                                    \
        .title = "winshm_resize, " long_name " more",                          \
        .peer_name = "close, create anew", .waits = "neither waits",           \
        .bytes = (length), .ours = ours, .peer = peer_again                    \
    }

const struct bench_case bench_resize[] = {
    RESIZE("4k", "4 KiB", 4u << 10), RESIZE("64k", "64 KiB", 64u << 10),
    RESIZE("1m", "1 MiB", 1u << 20), RESIZE("64m", "64 MiB", 64u << 20),
    RESIZE("1g", "1 GiB", 1u << 30), {.name = NULL}};
