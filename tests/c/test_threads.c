/* Many threads, many handles, and closing while others are inside a call. */
#include <stdatomic.h>

#include "check.h"
#include "child.h"
#include "plain.h"

enum { THREADS = 8 };

static winshm_region *regions[2];
static winshm_region *volatile victim;

static bool among(winshm_status status, winshm_status one, winshm_status two)
{
    return status == WINSHM_OK || status == one || status == two;
}

/** Moves units from one region's counter to the other's. */
static void move_thread(void *argument)
{
    uint32_t rounds = child_slow() ? 500 : 3000;
    int from = (int)(intptr_t)argument % 2;
    for (uint32_t i = 0; i < rounds; i++) {
        /* Always in the same order, so that nobody waits in a circle. */
        CHECK_OK(winshm_lock(regions[0], WINSHM_EXCLUSIVE, PATIENCE_MS));
        CHECK_OK(winshm_lock(regions[1], WINSHM_EXCLUSIVE, PATIENCE_MS));
        volatile int64_t *a = winshm_data(regions[from]);
        volatile int64_t *b = winshm_data(regions[1 - from]);
        CHECK_EQ(*a + *b, 1000);
        *a = *a - 1;
        *b = *b + 1;
        CHECK_OK(winshm_unlock(regions[1], WINSHM_EXCLUSIVE));
        CHECK_OK(winshm_notify(regions[from]));
        CHECK_OK(winshm_unlock(regions[0], WINSHM_EXCLUSIVE));
    }
}

static void test_two_regions(void)
{
    struct thread threads[THREADS];
    CHECK_OK(winshm_create(name_of("two-a"), 8, 0, &regions[0]));
    CHECK_OK(winshm_create(name_of("two-b"), 8, 0, &regions[1]));
    *(int64_t *)winshm_data(regions[0]) = 1000;
    for (int i = 0; i < THREADS; i++)
        threads[i] = thread_start(move_thread, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++)
        thread_join(threads[i]);
    CHECK_EQ(*(int64_t *)winshm_data(regions[0]), 1000);
    CHECK_OK(winshm_close(regions[0]));
    CHECK_OK(winshm_close(regions[1]));
}

/** Opens, works, closes: each thread its own handles of one region. */
static void visit_thread(void *argument)
{
    const char *name = argument;
    int rounds = child_slow() ? 20 : 100;
    for (int i = 0; i < rounds; i++) {
        winshm_region *h;
        CHECK_OK(winshm_open_or_create(name, 64, 0, &h));
        CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS));
        CHECK_OK(winshm_write(h, 0, "12345678", 8, 0));
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
        CHECK_OK(winshm_close(h));
        CHECK_STATUS(winshm_notify(h), WINSHM_E_CLOSED);
    }
}

static void test_visits(void)
{
    struct thread threads[THREADS];
    char name[64];
    snprintf(name, sizeof name, "%s", name_of("visit"));
    for (int i = 0; i < THREADS; i++)
        threads[i] = thread_start(visit_thread, name);
    for (int i = 0; i < THREADS; i++)
        thread_join(threads[i]);
    winshm_region *h;
    CHECK_STATUS(winshm_open(name, 0, &h), WINSHM_E_NOT_FOUND);
}

/** Calls everything until the handle is closed. A wait may end with CLOSED
 * although the close is then refused. */
static void call_thread(void *argument)
{
    uint32_t kind = (uint32_t)(intptr_t)argument;
    uint64_t offset = 8 * kind;
    winshm_region *h = victim;
    winshm_status status = WINSHM_OK;
    while (winshm_size(h) != 0) {
        winshm_info info = {.struct_size = sizeof info};
        uint32_t seen = 0;
        uint64_t word = 0;
        switch (kind++ % 6) {
        case 0:
            status = winshm_lock(h, WINSHM_EXCLUSIVE, 1);
            if (status == WINSHM_OK) {
                /* What is locked can be unlocked, whoever closes. */
                CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
            }
            break;
        case 1:
            status = winshm_lock(h, WINSHM_SHARED, 1);
            if (status == WINSHM_OK)
                CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
            break;
        case 2:
            status = winshm_wait(h, seen, 1, &seen);
            break;
        case 3:
            status = winshm_write(h, offset, &word, sizeof word, 1);
            break;
        case 4:
            status = winshm_read(h, offset, &word, sizeof word, 1);
            break;
        default:
            status = winshm_get_info(h, &info);
            break;
        }
        CHECK(among(status, WINSHM_E_CLOSED, WINSHM_E_TIMEOUT));
    }
}

static atomic_bool closed;

static void lock_until_closed(void *h)
{
    while (!atomic_load(&closed))
        if (winshm_lock(h, WINSHM_SHARED, 0) == WINSHM_OK)
            CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
}

static void close_thread(void *h)
{
    winshm_status status = winshm_close(h);
    /* Who is told so can rely on it: nobody has to close it again. */
    if (status == WINSHM_E_CLOSED)
        CHECK_EQ(winshm_size(h), 0);
    else
        CHECK(status == WINSHM_OK || status == WINSHM_E_BUSY);
}

/** Two threads close at once while a third one is now in the way, now not. */
static void test_two_closers(void)
{
    winshm_region *keeper;
    const char *name = name_of("closers");
    int rounds = child_slow() ? 100 : 1000;
    CHECK_OK(winshm_create(name, 64, 0, &keeper));
    for (int round = 0; round < rounds; round++) {
        winshm_region *h;
        CHECK_OK(winshm_open(name, 0, &h));
        atomic_store(&closed, false);
        struct thread locker = thread_start(lock_until_closed, h);
        struct thread one = thread_start(close_thread, h);
        struct thread two = thread_start(close_thread, h);
        thread_join(one);
        thread_join(two);
        atomic_store(&closed, true);
        thread_join(locker);
        winshm_status status = winshm_close(h);
        CHECK(status == WINSHM_OK || status == WINSHM_E_CLOSED);
    }
    CHECK_OK(winshm_close(keeper));
}

static void test_close_while_called(void)
{
    winshm_region *other;
    const char *name = name_of("close");
    int rounds = child_slow() ? 15 : 100;
    CHECK_OK(winshm_create(name, 64, 0, &other));
    for (int round = 0; round < rounds; round++) {
        struct thread threads[THREADS];
        CHECK_OK(winshm_open(name, 0, (winshm_region **)&victim));
        for (int i = 0; i < THREADS; i++)
            threads[i] = thread_start(call_thread, (void *)(intptr_t)i);
        sleep_ms((uint32_t)round % 4);
        winshm_status status;
        uint64_t end = clock_ms() + PATIENCE_MS;
        /* BUSY while one of them holds the lock, and that ends. */
        while ((status = winshm_close(victim)) == WINSHM_E_BUSY)
            CHECK(clock_ms() < end);
        CHECK_OK(status);
        for (int i = 0; i < THREADS; i++)
            thread_join(threads[i]);
        CHECK_STATUS(winshm_close(victim), WINSHM_E_CLOSED);
        CHECK_OK(winshm_lock(other, WINSHM_EXCLUSIVE, 0));
        CHECK_OK(winshm_unlock(other, WINSHM_EXCLUSIVE));
    }
    CHECK_OK(winshm_close(other));
}

static void read_thread(void *argument)
{
    static char buffers[THREADS][1 << 20];
    winshm_status status = WINSHM_OK;
    while (status == WINSHM_OK)
        status = winshm_read(victim, 0, buffers[(intptr_t)argument],
                             sizeof buffers[0], 0);
    CHECK_STATUS(status, WINSHM_E_CLOSED);
}

/** Without participants there is nobody to wake: close only waits. */
static void test_close_raw(void)
{
    const char *name = name_of("close-raw");
    for (int round = 0; round < 5; round++) {
        struct thread threads[THREADS];
        CHECK_OK(winshm_create(name, 1 << 20, WINSHM_RAW,
                               (winshm_region **)&victim));
        for (int i = 0; i < THREADS; i++)
            threads[i] = thread_start(read_thread, (void *)(intptr_t)i);
        sleep_ms(5);
        CHECK_OK(winshm_close(victim));
        for (int i = 0; i < THREADS; i++)
            thread_join(threads[i]);
    }
}

/** Threads that wait for a lock that does not come leave when it is closed. */
static void blocked_thread(void *argument)
{
    uint32_t mode = (uint32_t)(intptr_t)argument;
    CHECK_STATUS(winshm_lock(victim, mode, WINSHM_FOREVER), WINSHM_E_CLOSED);
}

static void test_close_while_blocked(void)
{
    winshm_region *other;
    const char *name = name_of("blocked");
    CHECK_OK(winshm_create(name, 64, 0, &other));
    for (uint32_t held = WINSHM_SHARED; held <= WINSHM_EXCLUSIVE; held++) {
        struct thread threads[4];
        CHECK_OK(winshm_lock(other, held, 0));
        CHECK_OK(winshm_open(name, 0, (winshm_region **)&victim));
        for (intptr_t i = 0; i < 4; i++) {
            uint32_t mode = held == WINSHM_SHARED || i % 2 == 0
                                ? WINSHM_EXCLUSIVE
                                : WINSHM_SHARED;
            threads[i] = thread_start(blocked_thread, (void *)(intptr_t)mode);
        }
        sleep_ms(20);
        uint64_t began = clock_ms();
        CHECK_OK(winshm_close(victim));
        CHECK(clock_ms() - began < 5000);
        for (int i = 0; i < 4; i++)
            thread_join(threads[i]);
        CHECK_OK(winshm_unlock(other, held));
        CHECK_OK(winshm_lock(other, WINSHM_EXCLUSIVE, 0));
        CHECK_OK(winshm_unlock(other, WINSHM_EXCLUSIVE));
    }
    CHECK_OK(winshm_close(other));
}

/** Every handle of the process, and then every one again. */
static void test_many_regions(void)
{
    enum { MOST = 5000 };
    static winshm_region *many[MOST];
    int first = 0;
    child_descriptors();
    for (int round = 0; round < 2; round++) {
        winshm_status status = WINSHM_OK;
        int count = 0;
        while (count < MOST) {
            char name[80];
            snprintf(name, sizeof name, "wt%lu-many-%d",
                     (unsigned long)child_pid(), count);
            status = winshm_create(name, 8, 0, &many[count]);
            if (status != WINSHM_OK)
                break;
            *(int *)winshm_data(many[count]) = count;
            count++;
        }
        CHECK(status == WINSHM_E_TOO_MANY || status == WINSHM_E_NO_MEMORY);
        CHECK(many[count] == NULL);
        CHECK(count >= 400);
        first = round == 0 ? count : first;
        CHECK_EQ(count, first);
        for (int i = 0; i < count; i++) {
            CHECK_EQ(*(int *)winshm_data(many[i]), i);
            CHECK_OK(winshm_close(many[i]));
        }
    }
    char prefix[40];
    snprintf(prefix, sizeof prefix, "wt%lu-many", (unsigned long)child_pid());
    CHECK(plain_count(prefix) <= 0);
}

/** As often as not with something that another thread has left. */
static void brief_thread(void *argument)
{
    uint32_t mode =
        (intptr_t)argument % 2 == 0 ? WINSHM_EXCLUSIVE : WINSHM_SHARED;
    CHECK_STATUS(winshm_unlock(victim, WINSHM_EXCLUSIVE), WINSHM_E_NOT_OWNER);
    CHECK_STATUS(winshm_unlock(victim, WINSHM_SHARED), WINSHM_E_NOT_OWNER);
    CHECK_OK(winshm_lock(victim, mode, PATIENCE_MS));
    CHECK_STATUS(winshm_lock(victim, mode, 0), WINSHM_E_DEADLOCK);
    CHECK_OK(winshm_unlock(victim, mode));
    CHECK_STATUS(winshm_unlock(victim, mode), WINSHM_E_NOT_OWNER);
}

/** Ends with the lock. */
static void lasting_thread(void *argument)
{
    CHECK_OK(winshm_lock(victim, (uint32_t)(intptr_t)argument, PATIENCE_MS));
}

/** Is not taken for the one that has ended, whose place in the system it may
 * have got. */
static void later_thread(void *argument)
{
    uint32_t held = (uint32_t)(intptr_t)argument;
    CHECK_STATUS(winshm_unlock(victim, WINSHM_EXCLUSIVE), WINSHM_E_NOT_OWNER);
    CHECK_STATUS(winshm_unlock(victim, WINSHM_SHARED), WINSHM_E_NOT_OWNER);
    CHECK_STATUS(winshm_lock(victim, WINSHM_EXCLUSIVE, 0), WINSHM_E_TIMEOUT);
    if (held == WINSHM_EXCLUSIVE) {
        CHECK_STATUS(winshm_lock(victim, WINSHM_SHARED, 0), WINSHM_E_TIMEOUT);
        return;
    }
    CHECK_OK(winshm_lock(victim, WINSHM_SHARED, 0));
    CHECK_OK(winshm_unlock(victim, WINSHM_SHARED));
}

static void test_one_after_another(void)
{
    int rounds = child_emulated() ? 200 : child_slow() ? 1000 : 2000;
    CHECK_OK(winshm_create(name_of("brief"), 64, 0, (winshm_region **)&victim));
    for (int i = 0; i < rounds; i++) {
        struct thread two[2];
        for (int k = 0; k < 2; k++)
            two[k] = thread_start(brief_thread, (void *)(intptr_t)(i + k));
        for (int k = 0; k < 2; k++)
            thread_join(two[k]);
    }
    CHECK_OK(winshm_close(victim));
    for (uint32_t held = WINSHM_SHARED; held <= WINSHM_EXCLUSIVE; held++) {
        void *mode = (void *)(intptr_t)held;
        CHECK_OK(
            winshm_create(name_of(held == WINSHM_SHARED ? "last-s" : "last-x"),
                          64, 0, (winshm_region **)&victim));
        thread_join(thread_start(lasting_thread, mode));
        for (int i = 0; i < 300; i++)
            thread_join(thread_start(later_thread, mode));
        CHECK_STATUS(winshm_close(victim), WINSHM_E_BUSY);
    }
}

int main(void)
{
    test_two_regions();
    test_visits();
    test_close_while_blocked();
    test_many_regions();
    test_two_closers();
    test_close_while_called();
    test_close_raw();
    test_one_after_another();
    return 0;
}
