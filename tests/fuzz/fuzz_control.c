/* The control section: opening, creating and using a region whose block lies,
 * either beside participants that live or as what an earlier life has left. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

static char name[64], control_path[96], data_path[96];

/** Makes the file of an outsider or of an earlier life. @return its number. */
static uint64_t make_data(void)
{
    struct stat here;
    int fd = open(data_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, BENCH_BYTES) != 0 || fstat(fd, &here) != 0)
        bench_fail("cannot make %s", data_path);
    close(fd);
    struct layout_header *header = (void *)bench_control;
    shared_store(&header->data_volume, (uint64_t)here.st_dev);
    return (uint64_t)here.st_ino;
}

static void make_control(uint32_t bytes)
{
    int fd = open(control_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bench_control, 512) != 512 ||
        ftruncate(fd, bytes) != 0)
        bench_fail("cannot make %s", control_path);
    close(fd);
}

static bool is_file(uint64_t number)
{
    struct stat there;
    return lstat(data_path, &there) == 0 && (uint64_t)there.st_ino == number;
}

/** Nobody is present: the bytes are the only thing that opening finds. */
static void run_left_over(struct input *in)
{
    static const uint32_t lengths[] = {
        LAYOUT_BYTES, LAYOUT_BYTES,     LAYOUT_BYTES,    0,
        512,          LAYOUT_BYTES - 1, LAYOUT_BYTES + 1};
    struct layout_header *header = (void *)bench_control;
    uint32_t how = input_byte(in);
    uint64_t data = (how & 1) != 0 ? make_data() : 0;
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
    make_control(bytes);
    memcpy(bench_control, bench_whole, LAYOUT_BYTES);

    winshm_region **place = &bench_handles[BENCH_VICTIMS];
    uint32_t disposition = input_byte(in);
    uint32_t size = disposition % 3 == 0 ? 0 : BENCH_BYTES;
    bench_try_open(disposition, name, size, 0, place);
    if (*place != NULL) {
        bench_use_all(BENCH_VICTIMS, 10);
        bench_try_close(*place, false);
        *place = NULL;
    }
    if (data != 0 && !recorded && !is_file(data))
        bench_fail("a file that was never recorded is gone");
    if (data == 0 && access(data_path, F_OK) == 0)
        bench_fail("data are left over");
    unlink(data_path);
    unlink(control_path);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input in = {bytes, bytes + size};
    bench_begin();
    if (name[0] == '\0') {
        snprintf(name, sizeof name, "%s-left", bench_name);
        snprintf(control_path, sizeof control_path, "/dev/shm/%s.winshm", name);
        snprintf(data_path, sizeof data_path, "/dev/shm/%s", name);
    }
    if ((input_byte(&in) & 3) == 0)
        run_left_over(&in);
    else
        bench_run(&in, true);
    bench_end();
    return 0;
}
