/* What can be tried without leaving anything out: each value of each byte of
 * the header and of the words behind it, each length of the control file, and
 * each length of the data file while handles are open. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

static uint64_t tried;

/** A loop that never looks at the clock is ended by the real one. */
enum { STUCK_SECONDS = 60 };

static void use_everything(void)
{
    winshm_region **place = &bench_handles[BENCH_VICTIMS];
    for (uint32_t how = 0; how < 3; how++) {
        bench_denies = how == 1;
        bench_try_open(how == 1 ? 0 : how, bench_name, how == 2 ? 1 : 0,
                       bench_denies ? WINSHM_READ : 0, place);
        bench_denies = false;
        if (*place != NULL) {
            bench_use_all(BENCH_VICTIMS, 1);
            bench_try_close(*place);
            *place = NULL;
        }
    }
    bench_use_all(BENCH_FIRST, 1);
    bench_use_all(BENCH_OBSERVER, 1);
}

/** All bytes below the end, each with all values. */
static void sweep_bytes(uint32_t end)
{
    for (uint32_t offset = 0; offset < end; offset++) {
        for (uint32_t value = 0; value < 256; value++) {
            alarm(STUCK_SECONDS);
            bench_begin();
            bench_control[offset] = (uint8_t)value;
            use_everything();
            bench_end();
            tried++;
        }
    }
}

static int open_file(const char *suffix)
{
    char path[96];
    snprintf(path, sizeof path, "/dev/shm/%s%s", bench_name, suffix);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        bench_fail("cannot open %s", path);
    return fd;
}

static void resize(int fd, uint32_t length)
{
    if (ftruncate(fd, length) != 0)
        bench_fail("ftruncate");
}

/** Whoever comes while the control file has another length is refused. No
 * handle that is open is used meanwhile. */
static void sweep_control_lengths(void)
{
    bench_begin();
    int fd = open_file(".winshm");
    winshm_region *out;
    for (uint32_t length = 0; length <= LAYOUT_BYTES + 4096; length++) {
        if (length == LAYOUT_BYTES)
            continue;
        alarm(STUCK_SECONDS);
        for (uint32_t how = 0; how < 3; how++) {
            resize(fd, length);
            bench_clock_begin();
            winshm_status status = bench_try_open(how, bench_name, 1, 0, &out);
            /* An empty file is what a creator that died has left: it is filled
             * with zeros, and no version has participants in such a block. */
            winshm_status expected =
                length == 0 ? WINSHM_E_LAYOUT : WINSHM_E_FOREIGN;
            if (status != expected)
                bench_fail("length %u, way %u: %s", length, how,
                           winshm_last_message());
        }
        bench_denies = true;
        resize(fd, length);
        winshm_status status =
            bench_try_open(0, bench_name, 0, WINSHM_READ, &out);
        bench_denies = false;
        if (status != WINSHM_E_FOREIGN &&
            (length != 0 || status != WINSHM_E_NOT_MANAGED))
            bench_fail("length %u, an observer: %s", length,
                       winshm_last_message());
        tried++;
    }
    resize(fd, LAYOUT_BYTES);
    if (pwrite(fd, bench_whole, LAYOUT_BYTES, 0) != LAYOUT_BYTES)
        bench_fail("pwrite");
    close(fd);
    bench_end();
}

/** A copy out of pages that are gone is told, and the others are not harmed. */
static void sweep_data_lengths(void)
{
    bench_begin();
    int fd = open_file("");
    char bytes[BENCH_BYTES];
    /* One by one as far as all victims read. */
    for (uint32_t length = 0; length <= BENCH_ROOM;
         length += length < BENCH_BYTES ? 1 : 100) {
        alarm(STUCK_SECONDS);
        resize(fd, length);
        bench_clock_begin();
        /* The kernel takes whole pages away. */
        uint32_t there = (length + 4095) / 4096 * 4096;
        for (uint32_t i = 0; i < BENCH_VICTIMS; i++) {
            winshm_region *h = bench_handles[i];
            bool whole = there >= BENCH_BYTES;
            winshm_status expected = whole ? WINSHM_OK : WINSHM_E_FAULT;
            if (winshm_read(h, 0, bytes, BENCH_BYTES, 0) != expected ||
                (there >= 16 && winshm_read(h, 0, bytes, 16, 0) != WINSHM_OK))
                bench_fail("length %u, victim %u: %s", length, i,
                           winshm_last_message());
            if (i < BENCH_READER &&
                winshm_write(h, 0, bytes, BENCH_BYTES, 0) != expected)
                bench_fail("length %u, victim %u, writing: %s", length, i,
                           winshm_last_message());
        }
        winshm_region *out;
        winshm_status status = bench_try_open(0, bench_name, 0, 0, &out);
        if (status != (length == BENCH_ROOM ? WINSHM_OK : WINSHM_E_CORRUPT))
            bench_fail("length %u, opening: %s", length, winshm_last_message());
        if (out != NULL)
            bench_try_close(out);
        tried++;
    }
    close(fd);
    bench_end();
}

/** Usage: sweep bytes END | control | data */
int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "bytes") == 0 && argc == 3) {
        sweep_bytes((uint32_t)strtoul(argv[2], NULL, 10));
    } else if (strcmp(what, "control") == 0) {
        sweep_control_lengths();
    } else if (strcmp(what, "data") == 0) {
        sweep_data_lengths();
    } else {
        fputs("usage: sweep bytes END | control | data\n", stderr);
        return 2;
    }
    printf("Done %llu runs\n", (unsigned long long)tried);
    for (uint32_t i = BENCH_VICTIMS; i-- > 0;)
        winshm_close(bench_handles[i]);
    return 0;
}
