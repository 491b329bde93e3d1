/* Opening and closing what another process has made. */
#define _GNU_SOURCE /* locks of open file descriptions */
#include "../harness/plain.h"
#include "peers.h"
#include "stage.h"

enum { BLOCK_BYTES = 4096 };

/* The second process keeps the objects. */

static void ours(struct bench_block *block)
{
    uint64_t first;
    stage_start(block);
    BENCH_LOOP(block, 8, {
        winshm_region *region = bench_join(block);
        BENCH_REQUIRE(winshm_data(region) != NULL);
        BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
    });
    winshm_region *region = bench_join(block);
    BENCH_REQUIRE(winshm_read(region, 0, &first, 8, WINSHM_FOREVER) ==
                  WINSHM_OK);
    BENCH_REQUIRE(first == block->stage->budget);
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
    stage_finish(block);
}

static void ours_child(struct bench_block *block)
{
    winshm_region *region = bench_create(block, BLOCK_BYTES);
    BENCH_REQUIRE(winshm_write(region, 0, &block->stage->budget, 8,
                               WINSHM_FOREVER) == WINSHM_OK);
    stage_ready(block);
    stage_rest(block);
    BENCH_REQUIRE(winshm_close(region) == WINSHM_OK);
}

static void plain_child(struct bench_block *block)
{
    struct plain plain;
    BENCH_REQUIRE(plain_create(&plain, block->name, BLOCK_BYTES));
    memset(plain.data, 0, BLOCK_BYTES);
#ifdef _WIN32
    HANDLE mutex = peer_mutex(block);
#endif
    stage_ready(block);
    stage_rest(block);
#ifdef _WIN32
    CloseHandle(mutex);
#endif
    plain_close(&plain);
    plain_remove(block->name);
}

#ifdef _WIN32
static void open_close(struct bench_block *block, bool with_mutex)
{
    char name[80];
    snprintf(name, sizeof name, "%s-mutex", block->name);
    stage_start(block);
    BENCH_LOOP(block, 8, {
        HANDLE mutex = NULL;
        HANDLE section = OpenFileMappingA(FILE_MAP_READ | FILE_MAP_WRITE, FALSE,
                                          block->name);
        BENCH_REQUIRE(section != NULL);
        if (with_mutex) {
            mutex = OpenMutexA(SYNCHRONIZE | MUTEX_MODIFY_STATE, FALSE, name);
            BENCH_REQUIRE(mutex != NULL);
        }
        void *data =
            MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0);
        BENCH_REQUIRE(data != NULL);
        UnmapViewOfFile(data);
        if (with_mutex)
            CloseHandle(mutex);
        CloseHandle(section);
    });
    stage_finish(block);
}

static void mapping(struct bench_block *block)
{
    open_close(block, false);
}

static void mapping_mutex(struct bench_block *block)
{
    open_close(block, true);
}

const struct bench_case bench_open[] = {{.name = "open/mapping-mutex",
                                         .title = "open + close, 4 KiB",
                                         .peer_name = "OpenFileMapping, mutex",
                                         .waits = "neither waits",
                                         .ours = ours,
                                         .peer = mapping_mutex,
                                         .ours_child = ours_child,
                                         .peer_child = plain_child},
                                        {.name = "open/mapping",
                                         .title = "open + close, 4 KiB",
                                         .peer_name = "OpenFileMapping",
                                         .waits = "neither waits",
                                         .ours = ours,
                                         .peer = mapping,
                                         .ours_child = ours_child,
                                         .peer_child = plain_child},
                                        {.name = NULL}};
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void shm_open_mmap(struct bench_block *block)
{
    stage_start(block);
    BENCH_LOOP(block, 8, {
        struct stat state;
        int file = shm_open(block->name, O_RDWR, 0);
        BENCH_REQUIRE(file >= 0 && fstat(file, &state) == 0);
        size_t size = (size_t)state.st_size;
        void *data =
            mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        BENCH_REQUIRE(data != MAP_FAILED);
        BENCH_REQUIRE(munmap(data, size) == 0);
        BENCH_REQUIRE(close(file) == 0);
    });
    stage_finish(block);
}

/** The calls of the system that opening and closing need, and nothing else; see
 * system_calls.py for what each is good for. */
static bool lock_bytes(int file, int command, short type, off_t first,
                       off_t count)
{
    struct flock lock = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = first, .l_len = count};
    return fcntl(file, command, &lock) == 0;
}

static void bare(struct bench_block *block)
{
    const int flags = O_RDWR | O_NONBLOCK;
    char control_name[80];
    snprintf(control_name, sizeof control_name, "%s.winshm", block->name);
    stage_start(block);
    BENCH_LOOP(block, 8, {
        struct stat state;
        int control = shm_open(control_name, flags, 0);
        bool good = lock_bytes(control, F_OFD_SETLK, F_WRLCK, 0, 1);
        int second = shm_open(control_name, flags, 0);
        good &= fstat(control, &state) == 0 && fstat(second, &state) == 0;
        size_t size = (size_t)state.st_size;
        void *words =
            mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, second, 0);
        good &= words != MAP_FAILED && close(second) == 0;
        int file = shm_open(block->name, flags, 0);
        good &= fstat(file, &state) == 0 && fstat(file, &state) == 0;
        good &= lock_bytes(control, F_OFD_GETLK, F_RDLCK, 1, 128);
        good &= fstat(file, &state) == 0;
        void *data = mmap(NULL, (size_t)state.st_size, PROT_READ | PROT_WRITE,
                          MAP_SHARED, file, 0);
        good &= data != MAP_FAILED;
        good &= !lock_bytes(control, F_OFD_SETLK, F_WRLCK, 1, 1);
        good &= lock_bytes(control, F_OFD_SETLK, F_WRLCK, 2, 1);
        good &= lock_bytes(control, F_OFD_SETLK, F_UNLCK, 0, 1);
        good &= lock_bytes(control, F_OFD_SETLK, F_WRLCK, 0, 1);
        good &= lock_bytes(control, F_OFD_GETLK, F_RDLCK, 1, 128);
        good &= munmap(data, (size_t)state.st_size) == 0;
        good &= munmap(words, size) == 0;
        good &= lock_bytes(control, F_OFD_SETLK, F_UNLCK, 0, 129);
        good &= close(control) == 0 && close(file) == 0;
        BENCH_REQUIRE(good);
    });
    stage_finish(block);
}

static void boost(struct bench_block *block)
{
    stage_start(block);
    BENCH_LOOP(block, 8, boost_managed_use(block->name));
    stage_finish(block);
}

static void boost_child(struct bench_block *block)
{
    boost_managed_make(block->name);
    stage_ready(block);
    stage_rest(block);
    boost_managed_remove(block->name);
}

const struct bench_case bench_open[] = {
    {.name = "open/shm-open",
     .title = "open + close, 4 KiB",
     .peer_name = "shm_open + mmap (no lock)",
     .waits = "neither waits",
     .ours = ours,
     .peer = shm_open_mmap,
     .ours_child = ours_child,
     .peer_child = plain_child},
    {.name = "open/boost-managed",
     .title = "open + close, 4 KiB",
     .peer_name = "Boost managed memory + mutex",
     .waits = "neither waits",
     .ours = ours,
     .peer = boost,
     .ours_child = ours_child,
     .peer_child = boost_child},
    {.name = "open/bare",
     .title = "open + close, 4 KiB",
     .peer_name = "the same system calls alone",
     .waits = "neither waits",
     .ours = ours,
     .peer = bare,
     .ours_child = ours_child,
     .peer_child = ours_child},
    {.name = NULL}};
#endif
