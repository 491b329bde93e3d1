/* Saving and loading: what was there comes back, a copy is never torn, and what
 * is refused leaves everything as it was. */
#include "check.h"
#include "child.h"
#include "files.h"

enum { SIZE = 100000, WRITERS = 8, STATES = 12 };

static const char *region_name;

static void fill(unsigned char *bytes, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)((i + seed) * 2654435761u >> 13);
}

/* Other processes. */

/** Writes one value all over, and then the next, until killed. */
static void role_write(const char *name, uint32_t start)
{
    winshm_region *h;
    CHECK_OK(winshm_open(name, 0, &h));
    unsigned char *bytes = winshm_data(h);
    parent_tell('w');
    for (uint32_t value = start;; value++) {
        winshm_status status = winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS);
        if (status == WINSHM_E_OWNER_DEAD) /* another was killed */
            parent_hear();
        CHECK_OK(status);
        memset(bytes, (int)value, SIZE);
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    }
}

/** Dies in its section, with the data half written. */
static void role_die(const char *name, uint32_t mode)
{
    winshm_region *h;
    CHECK_OK(winshm_open(name, 0, &h));
    CHECK_OK(winshm_lock(h, mode, PATIENCE_MS));
    memset(winshm_data(h), 0xDD, SIZE / 2);
    parent_tell('d');
    parent_hear();
}

static const struct role roles[] = {
    {"write", role_write}, {"die", role_die}, {NULL, NULL}};

static void let_die(const char *name)
{
    struct child child = child_start("die", name, WINSHM_EXCLUSIVE);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'd');
    child_kill(&child);
}

/* Round trips. */

static void round_trip(uint64_t size, uint32_t flags)
{
    const char *path = file_of("trip");
    size_t saved;
    winshm_region *h;
    unsigned char *before = malloc((size_t)size);
    unsigned char *after = malloc((size_t)size);
    CHECK(before != NULL && after != NULL);
    fill(before, (size_t)size, (unsigned)size);
    CHECK_OK(winshm_create(region_name, size, flags, &h));
    CHECK_OK(winshm_write(h, 0, before, size, 0));
    CHECK_OK(winshm_save(h, path, 0));
    CHECK(!file_exists(part_of(path)));
    unsigned char *file = file_read(path, &saved);
    CHECK_EQ(saved, 4096 + winshm_size(h));
    CHECK(memcmp(file + 4096, before, (size_t)size) == 0);
    free(file);
    memset(after, 0xEE, (size_t)size);
    CHECK_OK(winshm_write(h, 0, after, size, 0));
    CHECK_OK(winshm_load(h, path, 0));
    CHECK_OK(winshm_read(h, 0, after, size, 0));
    CHECK(memcmp(before, after, (size_t)size) == 0);
    /* In another life, and over what was saved before. */
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_create(region_name, size, flags, &h));
    CHECK_OK(winshm_load(h, path, 0));
    CHECK_OK(winshm_save(h, path, 0));
    CHECK_OK(winshm_read(h, 0, after, size, 0));
    CHECK(memcmp(before, after, (size_t)size) == 0);
    CHECK_OK(winshm_close(h));
    CHECK_EQ(remove(path), 0);
    free(before);
    free(after);
}

static void test_round_trips(void)
{
    static const uint64_t sizes[] = {1, 4095, 4096, 4097, (1 << 20) + 3};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        round_trip(sizes[i], 0);
        round_trip(sizes[i], WINSHM_NO_LOCK);
        round_trip(sizes[i], WINSHM_NO_MAP);
        round_trip(sizes[i], WINSHM_RAW);
        round_trip(sizes[i], WINSHM_TASK);
    }
}

/** Zeros among the bytes come back as zeros, also where others were. */
static void test_zeros(void)
{
    static unsigned char bytes[SIZE], other[SIZE];
    const char *path = file_of("zeros");
    winshm_region *h;
    fill(bytes, SIZE, 5);
    memset(bytes, 0, 5000);
    memset(bytes + 20000, 0, 40000);
    memset(bytes + SIZE - 4200, 0, 4200);
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    CHECK_OK(winshm_write(h, 0, bytes, SIZE, 0));
    CHECK_OK(winshm_save(h, path, 0));
    fill(other, SIZE, 6);
    CHECK_OK(winshm_write(h, 0, other, SIZE, 0));
    CHECK_OK(winshm_load(h, path, 0));
    CHECK(memcmp(winshm_data(h), bytes, SIZE) == 0);
    /* What a file had before does not shine through. */
    CHECK_OK(winshm_write(h, 0, other, SIZE, 0));
    file_write(part_of(path), other, SIZE);
    CHECK_OK(winshm_load(h, path, 0));
    CHECK_OK(winshm_save(h, path, 0));
    CHECK_OK(winshm_write(h, 0, other, SIZE, 0));
    CHECK_OK(winshm_load(h, path, 0));
    CHECK(memcmp(winshm_data(h), bytes, SIZE) == 0);
    CHECK_OK(winshm_close(h));
    CHECK_EQ(remove(path), 0);
}

static void test_notifies(void)
{
    const char *path = file_of("notify");
    uint32_t before, after;
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    CHECK_OK(winshm_change_count(h, &before));
    CHECK_OK(winshm_save(h, path, 0));
    CHECK_OK(winshm_change_count(h, &after));
    CHECK_EQ(after, before);
    CHECK_OK(winshm_load(h, path, 0));
    CHECK_OK(winshm_change_count(h, &after));
    CHECK_EQ(after, before + 1);
    CHECK_OK(winshm_close(h));
    CHECK_EQ(remove(path), 0);
}

/* Locks. */

/** Never torn: each copy has one value only. */
static void test_writers(void)
{
    const char *path = file_of("writers");
    struct child writers[WRITERS];
    winshm_region *h;
    uint32_t kinds = 0;
    int last = -1;
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i] = child_start("write", region_name, i * 30);
        CHECK_EQ(child_hear(&writers[i], PATIENCE_MS), 'w');
    }
    uint64_t end = clock_ms() + PATIENCE_MS;
    for (int i = 0; i < STATES || (kinds < STATES && clock_ms() < end); i++) {
        size_t size;
        CHECK_OK(winshm_save(h, path, PATIENCE_MS));
        unsigned char *file = file_read(path, &size);
        CHECK_EQ(size, 4096 + SIZE);
        CHECK(memcmp(file + 4096, file + 4097, SIZE - 1) == 0);
        kinds += file[4096] != last;
        last = file[4096];
        free(file);
    }
    CHECK(kinds >= STATES); /* they wrote meanwhile */
    for (int i = 0; i < WRITERS; i++)
        child_kill(&writers[i]);
    CHECK_OK(winshm_close(h));
    CHECK_EQ(remove(path), 0);
}

static void test_own_lock(void)
{
    static unsigned char bytes[SIZE];
    const char *path = file_of("own");
    winshm_region *h, *other;
    fill(bytes, SIZE, 1);
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_OK(winshm_write(h, 0, bytes, SIZE, 0));
    /* Whoever holds it need not give it up. */
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_save(h, path, 0));
    memset(winshm_data(h), 7, SIZE);
    CHECK_OK(winshm_load(h, path, 0));
    CHECK_STATUS(winshm_save(other, path, 0), WINSHM_E_TIMEOUT);
    CHECK_STATUS(winshm_load(other, path, 20), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK(memcmp(winshm_data(h), bytes, SIZE) == 0);
    CHECK_OK(winshm_lock(h, WINSHM_SHARED, 0));
    CHECK_OK(winshm_save(h, path, 0));
    CHECK_OK(winshm_save(other, path, 0));
    CHECK_STATUS(winshm_load(h, path, 0), WINSHM_E_DEADLOCK);
    CHECK(strstr(winshm_last_message(), "shared mode") != NULL);
    CHECK_STATUS(winshm_load(other, path, 0), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
    CHECK_OK(winshm_load(other, path, 0));
    CHECK(memcmp(winshm_data(h), bytes, SIZE) == 0);
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_close(other));
    CHECK_EQ(remove(path), 0);
}

static uint32_t state_of(winshm_region *h)
{
    winshm_info info = {.struct_size = sizeof info};
    CHECK_OK(winshm_get_info(h, &info));
    return info.lock_state;
}

static void test_owner_dead(void)
{
    static unsigned char bytes[SIZE];
    const char *path = file_of("dead");
    size_t size;
    winshm_region *h;
    fill(bytes, SIZE, 2);
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    CHECK_OK(winshm_write(h, 0, bytes, SIZE, 0));
    CHECK_OK(winshm_save(h, path, 0));
    let_die(region_name);
    CHECK_STATUS(winshm_save(h, path, 1000), WINSHM_E_OWNER_DEAD);
    CHECK(!file_exists(part_of(path)));
    unsigned char *file = file_read(path, &size);
    CHECK(memcmp(file + 4096, bytes, SIZE) == 0);
    free(file);
    /* A load repairs. */
    CHECK_OK(winshm_load(h, path, 1000));
    CHECK_EQ(state_of(h), 0);
    CHECK_OK(winshm_save(h, path, 0));
    CHECK(memcmp(winshm_data(h), bytes, SIZE) == 0);
    /* But where the caller was told, it is the caller who decides. */
    let_die(region_name);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 1000), WINSHM_E_OWNER_DEAD);
    CHECK_OK(winshm_load(h, path, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_EQ(state_of(h), WINSHM_STATE_INCONSISTENT);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_OWNER_DEAD);
    CHECK_OK(winshm_make_consistent(h));
    CHECK_OK(winshm_load(h, path, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_EQ(state_of(h), 0);
    CHECK_OK(winshm_close(h));
    CHECK_EQ(remove(path), 0);
}

static void test_tasks(void)
{
    const char *path = file_of("tasks");
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, SIZE, WINSHM_TASK, &h));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_STATUS(winshm_save(h, path, 0), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_save(h, path, 0));
    CHECK_OK(winshm_lock(h, WINSHM_SHARED, 0));
    CHECK_OK(winshm_save(h, path, 0));
    CHECK_STATUS(winshm_load(h, path, 0), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
    CHECK_OK(winshm_load(h, path, 0));
    CHECK_OK(winshm_close(h));
    CHECK_EQ(remove(path), 0);
}

static void test_read_only(void)
{
    const char *path = file_of("read-only");
    winshm_region *h, *reader;
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    CHECK_OK(winshm_open(region_name, WINSHM_READ, &reader));
    CHECK_OK(winshm_save(reader, path, 0));
    CHECK_STATUS(winshm_load(reader, path, 0), WINSHM_E_ACCESS);
    CHECK(strstr(winshm_last_message(), "read-only") != NULL);
    CHECK_OK(winshm_load(h, path, 0));
    CHECK_OK(winshm_close(reader));
    CHECK_OK(winshm_close(h));
    CHECK_EQ(remove(path), 0);
}

/* Several at once. */

static const char *shared_path;

static void save_again_and_again(void *region)
{
    for (int i = 0; i < 40; i++)
        CHECK_OK(winshm_save(region, shared_path, PATIENCE_MS));
}

static void test_savers(void)
{
    struct thread threads[4];
    winshm_region *h, *other;
    shared_path = file_of("savers");
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    CHECK_OK(winshm_open(region_name, 0, &other));
    for (int i = 0; i < 4; i++)
        threads[i] = thread_start(save_again_and_again, i % 2 ? h : other);
    /* There is always a whole one. */
    for (int i = 0; i < 40; i++) {
        winshm_status status = winshm_load(h, shared_path, PATIENCE_MS);
        if (i > 0 || status != WINSHM_E_NOT_FOUND)
            CHECK_OK(status);
        while (i == 0 && !file_exists(shared_path))
            sleep_ms(1);
    }
    for (int i = 0; i < 4; i++)
        thread_join(threads[i]);
    CHECK(!file_exists(part_of(shared_path)));
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_close(other));
    CHECK_EQ(remove(shared_path), 0);
}

static winshm_status told;

static void save_closed(void *region)
{
    told = winshm_save(region, shared_path, WINSHM_FOREVER);
}

static void save_until_closed(void *region)
{
    do
        told = winshm_save(region, shared_path, 0);
    while (told == WINSHM_OK);
}

static void test_closed_in_the_middle(void)
{
    winshm_region *large, *again;
    shared_path = file_of("middle");
    CHECK_OK(winshm_create(region_name, 16 << 20, WINSHM_NO_LOCK, &large));
    memset(winshm_data(large), 3, 16 << 20);
    CHECK_OK(winshm_save(large, shared_path, 0));
    struct thread thread = thread_start(save_until_closed, large);
    sleep_ms(50);
    CHECK_OK(winshm_close(large));
    thread_join(thread);
    CHECK_STATUS(told, WINSHM_E_CLOSED);
    CHECK(!file_exists(part_of(shared_path)));
    /* The file is the last one that was whole. */
    CHECK_OK(winshm_create(region_name, 16 << 20, WINSHM_NO_LOCK, &again));
    CHECK_OK(winshm_load(again, shared_path, 0));
    CHECK_OK(winshm_close(again));
    CHECK_EQ(remove(shared_path), 0);
}

static void test_closed_meanwhile(void)
{
    winshm_region *h, *other;
    shared_path = file_of("closed");
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_OK(winshm_lock(other, WINSHM_EXCLUSIVE, 0));
    struct thread thread = thread_start(save_closed, h);
    sleep_ms(50);
    CHECK_OK(winshm_close(h));
    thread_join(thread);
    CHECK_STATUS(told, WINSHM_E_CLOSED);
    CHECK(!file_exists(shared_path) && !file_exists(part_of(shared_path)));
    CHECK_OK(winshm_unlock(other, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(other));
    CHECK_STATUS(winshm_save(h, shared_path, 0), WINSHM_E_CLOSED);
    CHECK_STATUS(winshm_load(h, shared_path, 0), WINSHM_E_CLOSED);
    CHECK_STATUS(winshm_save(NULL, shared_path, 0), WINSHM_E_HANDLE);
    CHECK_STATUS(winshm_load(NULL, shared_path, 0), WINSHM_E_HANDLE);
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("save");
    test_round_trips();
    test_zeros();
    test_notifies();
    test_writers();
    test_own_lock();
    test_owner_dead();
    test_tasks();
    test_read_only();
    test_savers();
    test_closed_in_the_middle();
    test_closed_meanwhile();
    printf("ok\n");
    return 0;
}
