/* The control section: opening, creating and using a region whose block lies,
 * either beside participants that live or as what an earlier life has left. */
#include <stdio.h>
#include <string.h>

#include "bench.h"

static char name[64];

/** Nobody is present: the bytes are the only thing that opening finds. */
static void run_left_over(struct input *in)
{
    static const uint32_t lengths[] = {
        LAYOUT_BYTES, LAYOUT_BYTES,     LAYOUT_BYTES,    0,
        512,          LAYOUT_BYTES - 1, LAYOUT_BYTES + 1};
    struct layout_header *header = (void *)bench_control;
    uint32_t how = input_byte(in);
    uint64_t data = 0, volume;
    if ((how & 1) != 0) {
        data = world_make_data(name, &volume);
        shared_store(&header->data_volume, volume);
    }
    bool recorded = (how & 2) != 0;
    shared_store(&header->data_file, recorded ? data : 0);
    uint32_t bytes = lengths[(how >> 2) % 7];
    while (in->next < in->end - 2) {
        uint32_t offset = input_byte(in);
        bench_write((offset & 0x80) != 0 ? (offset & 0x7F) * 4
                                         : bench_hot_word(offset),
                    input_word(in));
    }
    /* What names the file by chance would be as good as recorded. */
    if (data != 0 && shared_load(&header->data_file) == data)
        recorded = true;
    world_make_control(name, bench_control, bytes);
    memcpy(bench_control, bench_whole, sizeof(struct layout_control));

    winshm_region **place = &bench_handles[BENCH_VICTIMS];
    uint32_t disposition = input_byte(in);
    uint32_t size = disposition % 3 == 0 ? 0 : BENCH_BYTES;
    bench_try_open(disposition, name, size, 0, place);
    if (*place != NULL) {
        bench_use_all(BENCH_VICTIMS, 10);
        bench_try_close(*place);
        *place = NULL;
    }
    if (data != 0 && !recorded && world_data(name) != data)
        bench_fail("a file that was never recorded is gone");
    if (data == 0 && world_data(name) != 0)
        bench_fail("data are left over");
    world_remove(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input in = {bytes, bytes + size};
    bench_begin();
    if (name[0] == '\0')
        snprintf(name, sizeof name, "%s-left", bench_name);
    if ((input_byte(&in) & 3) == 0)
        run_left_over(&in);
    else
        bench_run(&in, true);
    bench_end();
    return 0;
}
