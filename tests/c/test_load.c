/* The library is loaded, used and unloaded again and again by a program that
 * is not linked with it. Windows: it goes entirely, also while a thread that
 * has used it still runs. Linux: it stays by design, so what is open stays
 * valid, and nothing is loaded or opened twice.
 *
 * test_load LIBRARY [TIMES] */
#include "check.h"
#include "child.h"
#include "plain.h"
#include "self.h"

#define API_MAP(XX)                                                            \
    XX(winshm_status, winshm_create,                                           \
       (const char *, uint64_t, uint32_t, winshm_region **))                   \
    XX(winshm_status, winshm_close, (winshm_region *))                         \
    XX(winshm_status, winshm_lock, (winshm_region *, uint32_t, uint32_t))      \
    XX(winshm_status, winshm_unlock, (winshm_region *, uint32_t))              \
    XX(winshm_status, winshm_write,                                            \
       (winshm_region *, uint64_t, const void *, uint64_t, uint32_t))          \
    XX(const char *, winshm_last_message, (void))

static struct {
#define API_MEMBER(type, function, parameters)                                 \
    type(WINSHM_CALL *function) parameters;
    API_MAP(API_MEMBER)
#undef API_MEMBER
} api;

static const char *file;

static void resolve(void *library, const char *function, void *pointer)
{
    void *address = library_symbol(library, function);
    CHECK(address != NULL);
    memcpy(pointer, &address, sizeof address);
}

static void *load(void)
{
    void *library = library_load(file);
    CHECK(library != NULL);
#define API_RESOLVE(type, function, parameters)                                \
    resolve(library, #function, &api.function);
    API_MAP(API_RESOLVE)
#undef API_RESOLVE
    return library;
}

static void use(winshm_region *h, uint32_t value)
{
    CHECK_EQ(api.winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_OK);
    CHECK_EQ(api.winshm_write(h, 0, &value, sizeof value, 0), WINSHM_OK);
    CHECK_EQ(api.winshm_unlock(h, WINSHM_EXCLUSIVE), WINSHM_OK);
    CHECK_EQ(api.winshm_unlock(h, WINSHM_EXCLUSIVE), WINSHM_E_NOT_OWNER);
    CHECK(strlen(api.winshm_last_message()) != 0);
}

static _Atomic uint32_t used, unloaded;

/** Has something of its own in the library, and outlives it. */
static void other_thread(void *argument)
{
    use(argument, 2);
    used = 1;
    while (!unloaded)
        sleep_ms(1);
}

static void cycle(const char *name, int number)
{
    winshm_region *h;
    struct thread thread;
    bool threaded = number % 16 == 0;
    void *library = load();
    CHECK_EQ(api.winshm_create(name, 100, 0, &h), WINSHM_OK);
    use(h, 1);
    used = unloaded = 0;
    if (threaded) {
        thread = thread_start(other_thread, h);
        while (!used)
            sleep_ms(1);
    }
    CHECK_EQ(api.winshm_close(h), WINSHM_OK);
    library_unload(library);
    unloaded = 1;
    if (threaded)
        thread_join(thread);
}

int main(int argc, char **argv)
{
    winshm_region *kept = NULL;
    CHECK(argc > 1);
    /* As it would if something were left behind that is called later. */
    child_crashes();
    file = argv[1];
    int times = argc > 2 ? atoi(argv[2]) : child_slow() ? 50 : 200;
    CHECK(!library_present(file));
    library_unload(load());
    CHECK_EQ(library_present(file), !child_slow());
    for (int i = 0; i < 32; i++)
        cycle(name_of("load"), i);
    bool stays = library_present(file);
    CHECK_EQ(stays, !child_slow());
    if (stays) {
        void *library = load();
        CHECK_EQ(api.winshm_create(name_of("kept"), 100, 0, &kept), WINSHM_OK);
        library_unload(library);
    }
    self_holdings();
    struct holdings before = self_holdings();
    uint64_t began = clock_ms();
    for (int i = 0; i < times; i++) {
        cycle(name_of("load"), i);
        CHECK_EQ(library_present(file), stays);
        if (stays)
            use(kept, 3);
    }
    struct holdings after = self_holdings();
    CHECK_EQ(after.handles, before.handles);
    CHECK_EQ(after.mappings, before.mappings);
    printf("loaded and unloaded %d times in %lu ms, after which it is %s; %d "
           "handles and %d mappings, as before\n",
           times, (unsigned long)(clock_ms() - began), stays ? "there" : "gone",
           after.handles, after.mappings);
    if (stays)
        CHECK_EQ(api.winshm_close(kept), WINSHM_OK);
    CHECK(plain_count(name_of("")) <= 0);
    return 0;
}
