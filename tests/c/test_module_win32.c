/* A DLL that uses the library, which may be part of it: it is unloaded while a
 * thread runs that has called it, and it closes in its destructor while other
 * threads were stopped by the process's end wherever they were.
 *
 * test_module_win32 DLL... */
#include <windows.h>

#include "check.h"
#include "child.h"

enum { SLACK_MS = 3000 };

/* What the other threads do: XX(name, what the destructor's close gives). */
#define CASE_MAP(XX)                                                           \
    XX(NOTHING, WINSHM_OK)                                                     \
    XX(WAITS, WINSHM_OK)                                                       \
    XX(WAITS_FOR_LOCK, WINSHM_OK)                                              \
    XX(LOCKS, WINSHM_OK)                                                       \
    XX(HOLDS, WINSHM_E_BUSY)                                                   \
    XX(CLOSES, WINSHM_E_CLOSED)

enum {
#define CASE_VALUE(name, status) name,
    CASE_MAP(CASE_VALUE)
#undef CASE_VALUE
        CASES
};

static const winshm_status expected[] = {
#define CASE_STATUS(name, status) status,
    CASE_MAP(CASE_STATUS)
#undef CASE_STATUS
};

static const char *const names[] = {
#define CASE_NAME(name, status) #name,
    CASE_MAP(CASE_NAME)
#undef CASE_NAME
};

typedef winshm_status host_function(void);

static HMODULE host;
static _Atomic uint32_t reached, go_on;

static HMODULE host_load(void)
{
    char path[MAX_PATH];
    CHECK(GetEnvironmentVariableA("WINSHM_TEST_HOST", path, sizeof path) != 0);
    HMODULE module = LoadLibraryA(path);
    CHECK(module != NULL);
    return module;
}

static winshm_status call(const char *name)
{
    host_function *function =
        (host_function *)(void (*)(void))GetProcAddress(host, name);
    CHECK(function != NULL);
    return function();
}

static void wait_until(_Atomic uint32_t *word)
{
    while (!*word)
        sleep_ms(1);
}

/* Unloaded too early. */

static void fail_and_outlive(void *unused)
{
    (void)unused;
    CHECK_STATUS(call("host_fail"), WINSHM_E_HANDLE);
    reached = 1;
    wait_until(&go_on);
}

static void role_unloads(const char *unused, uint32_t unused2)
{
    (void)unused;
    (void)unused2;
    host = host_load();
    struct thread thread = thread_start(fail_and_outlive, NULL);
    wait_until(&reached);
    FreeLibrary(host);
    go_on = 1;
    thread_join(thread);
    parent_tell('e');
}

/* Closed late. */

static void call_for_good(void *name)
{
    reached = 1;
    call(name);
    reached = 2;
    sleep_ms(PATIENCE_MS);
}

static void lock_and_unlock(void *unused)
{
    (void)unused;
    reached = 1;
    for (;;) {
        CHECK_OK(call("host_lock"));
        CHECK_OK(call("host_unlock"));
    }
}

static void role_closes(const char *name, uint32_t number)
{
    host = host_load();
    FARPROC opens = GetProcAddress(host, "host_open");
    CHECK(opens != NULL);
    CHECK_OK(((winshm_status(*)(const char *))(void (*)(void))opens)(name));
    struct thread waits = {0};
    switch (number) {
    case NOTHING:
        break;
    case WAITS:
    case CLOSES:
        for (int i = 0; i < 3; i++)
            waits = thread_start(call_for_good, "host_wait");
        break;
    case LOCKS:
        thread_start(lock_and_unlock, NULL);
        thread_start(lock_and_unlock, NULL);
        break;
    default:
        thread_start(call_for_good, "host_lock");
    }
    if (number != NOTHING)
        wait_until(&reached);
    if (number == HOLDS)
        while (reached != 2)
            sleep_ms(1);
    sleep_ms(50);
    parent_tell('r');
    CHECK_EQ(parent_hear(), 'e');
    /* The handle is being closed, and one of its calls does not return. */
    if (number == CLOSES) {
        CHECK(SuspendThread((HANDLE)waits.opaque) != (DWORD)-1);
        thread_start(call_for_good, "host_close");
        sleep_ms(200);
    }
}

static const struct role roles[] = {
    {"unloads", role_unloads}, {"closes", role_closes}, {NULL, NULL}};

static void test_unload(void)
{
    struct child child = child_start("unloads", "-", 0);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'e');
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
}

static void test_close(uint32_t number)
{
    const char *name = name_of("module");
    winshm_region *h;
    winshm_info info = {.struct_size = sizeof info};
    CHECK_OK(winshm_create(name, 100, 0, &h));
    if (number == WAITS_FOR_LOCK)
        CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    struct child child = child_start("closes", name, number);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'r');
    uint64_t began = clock_ms();
    child_tell(&child, 'e');
    int code = child_wait(&child, PATIENCE_MS);
    uint64_t took = clock_ms() - began;
    fprintf(stderr, "%s: code %d after %lu ms\n", names[number], code,
            (unsigned long)took);
    /* A thread that takes the lock again and again may have had it. */
    if (number != LOCKS || code != -WINSHM_E_BUSY)
        CHECK_EQ(code, -expected[number]);
    CHECK(took < SLACK_MS);
    if (number == WAITS_FOR_LOCK)
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    winshm_status status = winshm_lock(h, WINSHM_EXCLUSIVE, SLACK_MS);
    if (number != LOCKS)
        CHECK_STATUS(status, number == HOLDS ? WINSHM_E_OWNER_DEAD : WINSHM_OK);
    CHECK(status == WINSHM_OK || status == WINSHM_E_OWNER_DEAD);
    CHECK_OK(winshm_make_consistent(h));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_EQ(info.participants, 1);
    CHECK_OK(winshm_close(h));
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    CHECK(argc > 1);
    for (int i = 1; i < argc; i++) {
        fprintf(stderr, "%s\n", argv[i]);
        SetEnvironmentVariableA("WINSHM_TEST_HOST", argv[i]);
        test_unload();
        for (uint32_t number = 0; number < CASES; number++)
            test_close(number);
    }
    return 0;
}
