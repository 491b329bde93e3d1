/* Files that lie: whatever is in one, a load changes nothing or puts exactly
 * its bytes into the region, and says so. */
#include <string.h>

#include "bench.h"
#include "crc32.h"

enum { CRC_AT = 56, HEAD = 4096 };

static struct world_file whole; /* as it was saved */
static uint8_t before[BENCH_BYTES];

static void put(uint32_t at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        world_file.bytes[(at + (uint32_t)i) % WORLD_FILE] =
            (uint8_t)(value >> 8 * i);
}

/** Makes the sum right, so that what is behind it is reached. */
static void seal(void)
{
    static struct crc32 crc;
    put(CRC_AT, 0);
    wshm_crc32_begin(&crc);
    wshm_crc32_add(&crc, world_file.bytes, world_file.size);
    put(CRC_AT, wshm_crc32_value(&crc));
}

static void change(struct input *in)
{
    uint32_t step = input_byte(in);
    switch (step & 3) {
    case 0: /* in the header */
        put((step >> 2) % 64, input_word(in));
        break;
    case 1:
        world_file.bytes[input_half(in) % WORLD_FILE] = (uint8_t)step;
        break;
    case 2:
        world_file.size = input_half(in) % (WORLD_FILE + 1);
        break;
    default:
        world_file.bytes[(step >> 2) % 64] ^= (uint8_t)input_byte(in);
    }
}

static void check(winshm_region *h, winshm_status status, bool changes)
{
    const uint8_t *data = winshm_data(h);
    if (status == WINSHM_OK &&
        memcmp(data, world_file.bytes + HEAD, BENCH_BYTES) != 0)
        bench_fail("other bytes than the file's");
    if (status != WINSHM_OK && !changes &&
        memcmp(data, before, BENCH_BYTES) != 0)
        bench_fail("%s has changed the region", winshm_status_name(status));
    /* What was begun and not finished is told, and a whole file mends it. */
    winshm_status told = winshm_lock(h, WINSHM_EXCLUSIVE, 0);
    bool torn = memcmp(data, before, BENCH_BYTES) != 0 && status != WINSHM_OK;
    if (told != WINSHM_OK && (told != WINSHM_E_OWNER_DEAD || !changes))
        bench_fail("%s after %s", winshm_status_name(told),
                   winshm_status_name(status));
    if (torn && told == WINSHM_OK)
        bench_fail("half a file is taken for whole");
    if (winshm_unlock(h, WINSHM_EXCLUSIVE) != WINSHM_OK)
        bench_fail("%s", winshm_last_message());
    world_file = whole;
    if (winshm_load(h, bench_name, 0) != WINSHM_OK ||
        memcmp(data, whole.bytes + HEAD, BENCH_BYTES) != 0)
        bench_fail("%s", winshm_last_message());
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const uint64_t allowed =
        STATUS_BIT(WINSHM_OK) | STATUS_BIT(WINSHM_E_FORMAT) |
        STATUS_BIT(WINSHM_E_SIZE) | STATUS_BIT(WINSHM_E_TAG) |
        STATUS_BIT(WINSHM_E_NOT_FOUND);
    struct input in = {bytes, bytes + size};
    bench_begin();
    winshm_region *h = bench_handles[BENCH_FIRST];
    if (whole.size == 0) {
        for (int i = 0; i < BENCH_BYTES; i++)
            ((uint8_t *)winshm_data(h))[i] = (uint8_t)(i * 7 >> 3);
        if (winshm_save(h, bench_name, 0) != WINSHM_OK)
            bench_fail("%s", winshm_last_message());
        whole = world_file;
    }
    memcpy(before, winshm_data(h), BENCH_BYTES);
    world_file = whole;
    /* The file differs from the region, whether it is good or not. */
    world_file.bytes[HEAD + 1]++;
    uint32_t how = input_byte(&in);
    if ((how & 2) != 0) {
        world_file.change_at = input_byte(&in) % 8;
        world_file.change_of = input_half(&in);
        world_file.change_by = (uint8_t)(how >> 2);
    }
    bool changes = world_file.change_at != 0 && world_file.change_by != 0;
    while (in.next < in.end)
        change(&in);
    if ((how & 1) != 0)
        seal();
    struct call call = bench_call("winshm_load", allowed, 0);
    check(h, bench_done(&call, winshm_load(h, bench_name, 0)), changes);
    bench_end();
    return 0;
}
