/* Processes that end while another of their threads holds the lock, waits or
 * is in the middle of a call: they end soon, and the next one can go on.
 *
 * test_exit [ROUNDS] */
#include "check.h"
#include "child.h"
#include "plain.h"

enum { SOON_MS = 5000 };

/** What the other thread is doing: XX(name, text). */
#define KIND_MAP(XX)                                                           \
    XX(HOLDS_EXCLUSIVE, "holds the lock exclusively")                          \
    XX(HOLDS_SHARED, "holds the lock shared")                                  \
    XX(WAITS_FOR_LOCK, "waits for the lock")                                   \
    XX(WAITS_FOR_CHANGE, "waits for a change")                                 \
    XX(WAITS_FOR_REGION, "waits for a region to appear")                       \
    XX(LOCKS, "locks and unlocks")                                             \
    XX(OPENS, "opens and closes")

enum kind {
#define KIND_VALUE(name, text) name,
    KIND_MAP(KIND_VALUE)
#undef KIND_VALUE
        KINDS
};

static const char *const kind_names[] = {
#define KIND_TEXT(name, text) text,
    KIND_MAP(KIND_TEXT)
#undef KIND_TEXT
};

/* The number that a child gets: kind, and how it ends. */
enum { ABRUPTLY = 16 };

static const char *name;
static winshm_region *handle;
static _Atomic uint32_t ready, ending;

static void open_and_close(void)
{
    winshm_region *h, *other;
    char part[80];
    snprintf(part, sizeof part, "%s-own", name);
    ready = 1;
    for (;;) {
        CHECK_OK(winshm_open_or_create(part, 100, 0, &h));
        /* The end takes the name away while this thread still runs. */
        winshm_status status = winshm_open(name, 0, &other);
        if (status == WINSHM_OK)
            CHECK_OK(winshm_close(other));
        else
            CHECK(ending);
        CHECK_OK(winshm_close(h));
    }
}

static void other_thread(void *argument)
{
    enum kind kind = *(enum kind *)argument;
    winshm_region *h;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_OPEN_EXISTING,
                        .timeout_ms = WINSHM_FOREVER};
    char part[80];
    uint32_t now;
    switch (kind) {
    case HOLDS_EXCLUSIVE:
        CHECK_OK(winshm_lock(handle, WINSHM_EXCLUSIVE, PATIENCE_MS));
        break;
    case HOLDS_SHARED:
        CHECK_OK(winshm_lock(handle, WINSHM_SHARED, PATIENCE_MS));
        break;
    case WAITS_FOR_LOCK:
        ready = 1;
        CHECK(winshm_lock(handle, WINSHM_EXCLUSIVE, WINSHM_FOREVER) !=
              WINSHM_OK);
        break;
    case WAITS_FOR_CHANGE:
        CHECK_OK(winshm_change_count(handle, &now));
        ready = 1;
        winshm_wait(handle, now, WINSHM_FOREVER, NULL);
        break;
    case WAITS_FOR_REGION:
        snprintf(part, sizeof part, "%s-never", name);
        o.name = part;
        ready = 1;
        CHECK(winshm_open_with(&o, &h) != WINSHM_OK);
        break;
    case LOCKS:
        ready = 1;
        for (;;) {
            CHECK_OK(winshm_lock(handle, WINSHM_EXCLUSIVE, PATIENCE_MS));
            CHECK_OK(winshm_unlock(handle, WINSHM_EXCLUSIVE));
        }
    default:
        open_and_close();
    }
    ready = 1;
    for (;;)
        sleep_ms(1000);
}

static void role_ends(const char *region, uint32_t number)
{
    enum kind kind = (enum kind)(number % ABRUPTLY);
    name = region;
    CHECK_OK(winshm_open_or_create(name, 100, 0, &handle));
    /* Somebody must be in the way; where the parent is not, this process. */
    if (kind == WAITS_FOR_LOCK)
        CHECK(winshm_lock(handle, WINSHM_EXCLUSIVE, 0) != WINSHM_E_OWNER_DEAD);
    thread_start(other_thread, &kind);
    while (!ready)
        sleep_ms(1);
    parent_tell('r');
    CHECK_EQ(parent_hear(), 'e');
    ending = 1;
    if (number & ABRUPTLY)
        _Exit(0);
}

static const struct role roles[] = {{"ends", role_ends}, {NULL, NULL}};

static bool name_exists(const char *region)
{
    struct plain plain;
    char control[80];
    snprintf(control, sizeof control, "%s.winshm", region);
    for (int i = 0; i < 2; i++) {
        if (plain_open(&plain, i == 0 ? region : control, 0)) {
            plain_close(&plain);
            return true;
        }
    }
    return false;
}

/** @return how long the end took. */
static uint64_t run(uint32_t number)
{
    struct child child = child_start("ends", name, number);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'r');
    /* Waiting threads have time to fall asleep. */
    sleep_ms(number % ABRUPTLY < LOCKS ? 10 : (uint32_t)(clock_us() % 4));
    uint64_t began = clock_ms();
    child_tell(&child, 'e');
    int code = child_wait(&child, PATIENCE_MS);
    uint64_t took = clock_ms() - began;
    if (code != 0 || took > SOON_MS)
        check_end(1, __FILE__, __LINE__,
                  "code %d after %lu ms of one whose thread %s", code,
                  (unsigned long)took, kind_names[number % ABRUPTLY]);
    return took;
}

static void test_with_others(enum kind kind, uint32_t abruptly, uint64_t *worst)
{
    winshm_region *h;
    winshm_info info = {.struct_size = sizeof info};
    CHECK_OK(winshm_open_or_create(name, 100, 0, &h));
    if (kind == WAITS_FOR_LOCK)
        CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    uint64_t took = run((uint32_t)kind | abruptly);
    *worst = took > *worst ? took : *worst;
    if (kind == WAITS_FOR_LOCK)
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    winshm_status status = winshm_lock(h, WINSHM_EXCLUSIVE, SOON_MS);
    if (kind == HOLDS_EXCLUSIVE ||
        (kind == LOCKS && status == WINSHM_E_OWNER_DEAD)) {
        CHECK_EQ(status, WINSHM_E_OWNER_DEAD);
        CHECK_OK(winshm_make_consistent(h));
    } else {
        CHECK_EQ(status, WINSHM_OK);
    }
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_EQ(info.participants, 1);
    CHECK_EQ(info.lock_state, 0);
    CHECK_OK(winshm_close(h));
    CHECK(!name_exists(name));
}

static void test_alone(enum kind kind, uint32_t abruptly, uint64_t *worst)
{
    winshm_region *h;
    uint64_t took = run((uint32_t)kind | abruptly);
    *worst = took > *worst ? took : *worst;
    /* Where a name outlives its users, an orderly end removes it, unless some
     * call was cut off that was at work on it. */
    if (abruptly == 0 && kind != OPENS)
        CHECK(!name_exists(name));
    CHECK_OK(winshm_create(name, 4, 0, &h));
    CHECK_EQ(*(uint32_t *)winshm_data(h), 0);
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(h));
    CHECK(!name_exists(name));
}

/** The names that a thread was at work on when it was cut off. */
static void clean_up(void)
{
    char part[80];
    winshm_region *h;
    snprintf(part, sizeof part, "%s-own", name);
    CHECK_OK(winshm_open_or_create(part, 8, 0, &h));
    CHECK_OK(winshm_close(h));
    CHECK(plain_count(name) <= 0);
}

int main(int argc, char **argv)
{
    uint64_t worst[KINDS] = {0};
    child_run_role(argc, argv, roles);
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    name = name_of("exit");
    for (int round = 0; round < rounds; round++) {
        for (int kind = 0; kind < KINDS; kind++) {
            for (uint32_t abruptly = 0; abruptly <= ABRUPTLY;
                 abruptly += ABRUPTLY) {
                test_with_others((enum kind)kind, abruptly, &worst[kind]);
                test_alone((enum kind)kind, abruptly, &worst[kind]);
            }
        }
        clean_up();
    }
    for (int kind = 0; kind < KINDS; kind++)
        printf("ended %d times while a thread %s, within %lu ms\n", rounds * 4,
               kind_names[kind], (unsigned long)worst[kind]);
    return 0;
}
