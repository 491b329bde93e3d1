/* winshm_read() and winshm_write(), which lock, check and copy, against the
 * bare copy of the same bytes between the same sort of memory. */
#include "stage.h"

struct buffers {
    winshm_region *region;
    void *allocated;
    unsigned char *mine;
    unsigned char *data;
};

/** Both buffers begin with a page and have been touched; they differ. */
static struct buffers prepare(struct bench_block *block)
{
    struct buffers b;
    b.region = bench_create(block, block->bytes);
    b.data = winshm_data(b.region);
    b.allocated = malloc((size_t)block->bytes + 4096);
    BENCH_REQUIRE(b.allocated != NULL);
    b.mine =
        (unsigned char *)(((uintptr_t)b.allocated + 4095) & ~(uintptr_t)4095);
    for (uint64_t i = 0; i < block->bytes; i++)
        b.mine[i] = (unsigned char)(i * 7 + (i >> 8) + 1);
    return b;
}

static void finish(struct bench_block *block, struct buffers *b)
{
    BENCH_REQUIRE(memcmp(b->mine, b->data, (size_t)block->bytes) == 0);
    BENCH_REQUIRE(winshm_close(b->region) == WINSHM_OK);
    free(b->allocated);
}

static uint32_t chunk(const struct bench_block *block)
{
    uint64_t count = (4u << 20) / block->bytes;
    return count == 0 ? 1 : (uint32_t)count;
}

/** The compiler must not leave out a copy of what it has copied before. */
static void barrier(void)
{
    atomic_signal_fence(memory_order_seq_cst);
#ifdef __GNUC__
    __asm__ volatile("" ::: "memory");
#endif
}

/** Moves the bytes to the region and spoils the copy. */
static void swap(struct bench_block *block, struct buffers *b)
{
    memcpy(b->data, b->mine, (size_t)block->bytes);
    memset(b->mine, 0, (size_t)block->bytes);
}

static void ours_read(struct bench_block *block)
{
    struct buffers b = prepare(block);
    winshm_status bad = 0;
    swap(block, &b);
    BENCH_LOOP(block, chunk(block),
               bad |=
               winshm_read(b.region, 0, b.mine, block->bytes, WINSHM_FOREVER));
    BENCH_REQUIRE(bad == 0);
    finish(block, &b);
}

static void peer_read(struct bench_block *block)
{
    struct buffers b = prepare(block);
    swap(block, &b);
    BENCH_LOOP(block, chunk(block), {
        memcpy(b.mine, b.data, (size_t)block->bytes);
        barrier();
    });
    finish(block, &b);
}

static void ours_write(struct bench_block *block)
{
    struct buffers b = prepare(block);
    winshm_status bad = 0;
    BENCH_LOOP(block, chunk(block),
               bad |=
               winshm_write(b.region, 0, b.mine, block->bytes, WINSHM_FOREVER));
    BENCH_REQUIRE(bad == 0);
    finish(block, &b);
}

static void peer_write(struct bench_block *block)
{
    struct buffers b = prepare(block);
    BENCH_LOOP(block, chunk(block), {
        memcpy(b.data, b.mine, (size_t)block->bytes);
        barrier();
    });
    finish(block, &b);
}

#define COPY(which, short_name, long_name, length)                             \
    {                                                                          \
        .name = #which "/" short_name,                                         \
        .title = "winshm_" #which ", " long_name, .peer_name = "memcpy",       \
        .waits = "neither waits", .aim = 0.98, .bytes = (length),              \
        .ours = ours_##which, .peer = peer_##which                             \
    }

const struct bench_case bench_copy[] = {COPY(read, "64k", "64 KiB", 64u << 10),
                                        COPY(read, "1m", "1 MiB", 1u << 20),
                                        COPY(read, "64m", "64 MiB", 64u << 20),
                                        COPY(write, "64k", "64 KiB", 64u << 10),
                                        COPY(write, "1m", "1 MiB", 1u << 20),
                                        COPY(write, "64m", "64 MiB", 64u << 20),
                                        {.name = NULL}};
