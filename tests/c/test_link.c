/* Link files: what they lead to, what they replace, and when they go.
 *
 * Usage: test_link [ROUNDS [SEED]] */
#include "check.h"
#include "child.h"

enum { SIZE = 1000, BYTES = WINSHM_TOKEN_MAX + 20 };

static winshm_region *created(void)
{
    winshm_region *h;
    CHECK_OK(winshm_create(NULL, SIZE, 0, &h));
    return h;
}

/** What a file has; -1: there is none. */
static int file_read(const char *path, char *text, size_t room)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return -1;
    size_t length = fread(text, 1, room - 1, file);
    fclose(file);
    text[length] = '\0';
    return (int)length;
}

static void file_write(const char *path, const char *text, size_t length)
{
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(text, 1, length, file) == length);
    CHECK(fclose(file) == 0);
}

static void check_file(const char *path, const char *text)
{
    char there[BYTES];
    CHECK_EQ(file_read(path, there, sizeof there), strlen(text));
    CHECK(strcmp(there, text) == 0);
}

static bool exists(const char *path)
{
    char text[4];
    return file_read(path, text, sizeof text) >= 0;
}

/** Neither the link nor what it was made of is left. */
static void check_gone(const char *path)
{
    char part[100];
    snprintf(part, sizeof part, "%s.winshm-link", path);
    CHECK(!exists(path));
    CHECK(!exists(part));
}

static bool same_life(winshm_region *a, winshm_region *b)
{
    winshm_info first = {.struct_size = sizeof first};
    winshm_info second = {.struct_size = sizeof second};
    CHECK_OK(winshm_get_info(a, &first));
    CHECK_OK(winshm_get_info(b, &second));
    return memcmp(first.id, second.id, sizeof first.id) == 0;
}

static const char *name_for(winshm_region *h)
{
    static char name[WINSHM_NAME_MAX + 8];
    uint32_t length;
    CHECK_OK(winshm_get_name(h, name, sizeof name, &length));
    return name;
}

static void test_leads(void)
{
    char token[BYTES];
    const char *path = name_of("leads.link");
    const char *unusual = name_of("a \xC3\xA4.link");
    uint32_t length;
    winshm_region *h = created(), *other, *reader;
    CHECK_STATUS(winshm_open_link(path, 0, 0, &other), WINSHM_E_NOT_FOUND);
    CHECK_OK(winshm_link(h, path));
    CHECK_OK(winshm_export(h, 0, token, sizeof token, &length));
    CHECK_OK(winshm_open_link(path, 0, WINSHM_FOREVER, &other));
    CHECK(same_life(h, other));
    CHECK_OK(winshm_write(other, 0, "x", 1, 0));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_open_link(path, WINSHM_READ | WINSHM_NO_MAP, 0, &reader));
    CHECK(winshm_data(reader) == NULL);
    CHECK_STATUS(winshm_write(reader, 0, "x", 1, 0), WINSHM_E_ACCESS);
    /* The link of a read-only handle is one to read. */
    CHECK_OK(winshm_link(reader, name_of("reads.link")));
    CHECK_OK(winshm_open_link(name_of("reads.link"), 0, 0, &other));
    CHECK_STATUS(winshm_write(other, 0, "x", 1, 0), WINSHM_E_ACCESS);
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(reader));
    check_gone(name_of("reads.link"));
    CHECK_OK(winshm_open(name_for(h), 0, &other));
    CHECK_OK(winshm_link(other, unusual));
    CHECK_OK(winshm_open_link(unusual, 0, 0, &reader));
    CHECK(same_life(h, reader));
    CHECK_OK(winshm_close(reader));
    CHECK_OK(winshm_close(other));
    CHECK_STATUS(winshm_open_link(unusual, 0, 0, &other), WINSHM_E_NOT_FOUND);
    /* The file is nothing but the token. */
    CHECK_OK(winshm_open_link(path, 0, 0, &other));
    CHECK_OK(winshm_close(h));
    check_gone(path);
    h = other;
    CHECK_OK(winshm_link(h, path));
    char text[BYTES];
    CHECK_EQ(file_read(path, text, sizeof text), length + 1);
    CHECK(memcmp(text, token, length) == 0 && text[length] == '\n');
    CHECK_OK(winshm_close(h));
    check_gone(path);
}

static void test_arguments(void)
{
    static char endless[4100];
    char bad[] = "a\xFFz";
    const char *path = name_of("arguments.link");
    winshm_region *h = created(), *other;
    memset(endless, 'e', sizeof endless - 1);
    const char *const paths[] = {NULL, "", bad, endless};
    for (size_t i = 0; i < 4; i++) {
        CHECK_STATUS(winshm_link(h, paths[i]), WINSHM_E_INVALID);
        other = (winshm_region *)&other;
        CHECK_STATUS(winshm_open_link(paths[i], 0, 0, &other),
                     WINSHM_E_INVALID);
        CHECK(other == NULL);
    }
    static const uint32_t unknown[] = {WINSHM_WRITE, WINSHM_RAW, WINSHM_NO_LOCK,
                                       WINSHM_CREATE_LOCKED, 0x80000000u};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        CHECK_STATUS(winshm_open_link(path, unknown[i], 0, &other),
                     WINSHM_E_INVALID);
    CHECK_STATUS(winshm_open_link(path, 0, 0, NULL), WINSHM_E_INVALID);
    CHECK_STATUS(winshm_link(NULL, path), WINSHM_E_HANDLE);
    char deep[100];
    snprintf(deep, sizeof deep, "%s/x.link", name_of("no-folder"));
    CHECK_STATUS(winshm_link(h, deep), WINSHM_E_SYSTEM);
    CHECK_STATUS(winshm_open_link(deep, 0, 0, &other), WINSHM_E_NOT_FOUND);
    file_write(path, "x", 1);
    snprintf(deep, sizeof deep, "%s/x.link", path);
    CHECK_STATUS(winshm_link(h, deep), WINSHM_E_SYSTEM);
    CHECK_STATUS(winshm_open_link(deep, 0, 0, &other), WINSHM_E_NOT_FOUND);
    CHECK(remove(path) == 0);
    CHECK_OK(winshm_close(h));
    CHECK_STATUS(winshm_link(h, path), WINSHM_E_CLOSED);
    CHECK_OK(winshm_create(NULL, SIZE, WINSHM_RAW, &h));
    CHECK_STATUS(winshm_link(h, path), WINSHM_E_UNSUPPORTED);
    CHECK_OK(winshm_close(h));
    check_gone(path);
}

static void test_in_the_way(void)
{
    const char *path = name_of("way.link"), *second = name_of("second.link");
    char text[3 * BYTES];
    uint32_t length;
    winshm_region *h = created(), *other = created(), *found;
    CHECK_OK(winshm_link(h, path));
    /* Of a region that lives; and one is all that a handle can have. */
    CHECK_STATUS(winshm_link(other, path), WINSHM_E_EXISTS);
    CHECK_STATUS(winshm_link(h, path), WINSHM_E_EXISTS);
    CHECK_STATUS(winshm_link(h, second), WINSHM_E_EXISTS);
    check_gone(second);
    CHECK_OK(winshm_open_link(path, 0, 0, &found));
    CHECK(same_life(h, found));
    CHECK_OK(winshm_close(found));
    CHECK_OK(winshm_link(other, second));
    CHECK_OK(winshm_close(other));
    check_gone(second);
    /* What has come in its place stays, whether or not the link is found. */
    CHECK(rename(path, second) == 0);
    file_write(path, "mine", 4);
    CHECK_OK(winshm_close(h));
    check_file(path, "mine");
    remove(second);
    /* Files with anything else in them. */
    h = created();
    CHECK_OK(winshm_export(h, 0, text, BYTES, &length));
    text[length - 1] ^= 1;
    strcpy(text + length, "\n");
    const char *const others[] = {"",           "\n",          "mine",
                                  "winshm1:n:", "winshm2:n:x", text};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        file_write(path, others[i], strlen(others[i]));
        CHECK_STATUS(winshm_link(h, path), WINSHM_E_EXISTS);
        check_file(path, others[i]);
        CHECK_STATUS(winshm_open_link(path, 0, 0, &found),
                     strncmp(others[i], "winshm2", 7) == 0 ? WINSHM_E_LAYOUT
                                                           : WINSHM_E_TOKEN);
        CHECK(found == NULL);
    }
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    file_write(path, text, sizeof text - 1);
    CHECK_STATUS(winshm_link(h, path), WINSHM_E_EXISTS);
    CHECK_STATUS(winshm_open_link(path, 0, 0, &found), WINSHM_E_TOKEN);
    /* With more than a token: a second line, a NUL. */
    CHECK_OK(winshm_export(h, 0, text, BYTES, &length));
    file_write(path, text, length);
    CHECK_OK(winshm_open_link(path, 0, 0, &found));
    CHECK_OK(winshm_close(found));
    strcpy(text + length, "\n\n");
    file_write(path, text, length + 2);
    CHECK_STATUS(winshm_open_link(path, 0, 0, &found), WINSHM_E_TOKEN);
    memcpy(text + length, "\0\n", 2);
    file_write(path, text, length + 2);
    CHECK_STATUS(winshm_open_link(path, 0, 0, &found), WINSHM_E_TOKEN);
    CHECK(remove(path) == 0);
    check_gone(path);
    CHECK_OK(winshm_close(h));
}

/** A link that a crash has left, of a region that has ended or began anew. */
static void test_stale(void)
{
    const char *path = name_of("stale.link"), *name = name_of("stale");
    char token[BYTES];
    uint32_t length;
    winshm_region *h, *other, *found;
    CHECK_OK(winshm_create(name, SIZE, 0, &h));
    CHECK_OK(winshm_export(h, 0, token, sizeof token, &length));
    CHECK_OK(winshm_close(h));
    file_write(path, token, length);
    CHECK_STATUS(winshm_open_link(path, 0, 0, &found), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_open_link(path, 0, 30, &found), WINSHM_E_NOT_FOUND);
    h = created();
    CHECK_OK(winshm_link(h, path));
    CHECK_OK(winshm_open_link(path, 0, 0, &found));
    CHECK(same_life(h, found));
    CHECK_OK(winshm_close(found));
    CHECK_OK(winshm_close(h));
    check_gone(path);
    CHECK_OK(winshm_create(name, SIZE, 0, &h));
    other = created();
    file_write(path, token, length);
    CHECK_STATUS(winshm_open_link(path, 0, 0, &found), WINSHM_E_REPLACED);
    CHECK_OK(winshm_link(other, path));
    CHECK_OK(winshm_open_link(path, 0, 0, &found));
    CHECK(same_life(other, found));
    CHECK_OK(winshm_close(found));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
    check_gone(path);
    /* What a process has left that was killed while it made a link. */
    char part[100];
    snprintf(part, sizeof part, "%s.winshm-link", path);
    memset(token, 'p', sizeof token);
    file_write(part, token, sizeof token);
    h = created();
    CHECK_OK(winshm_link(h, path));
    CHECK_OK(winshm_open_link(path, 0, 0, &found));
    CHECK_OK(winshm_close(found));
    CHECK(!exists(part));
    CHECK_OK(winshm_close(h));
    check_gone(path);
}

/* Processes. */

static void role_links(const char *path, uint32_t ends)
{
    winshm_region *h = created();
    CHECK_OK(winshm_link(h, path));
    parent_tell('l');
    parent_hear();
    if (ends == 1)
        return; /* exit() */
    child_die();
}

static void role_late(const char *path, uint32_t unused)
{
    winshm_region *h;
    (void)unused;
    sleep_ms(100);
    h = created();
    CHECK_OK(winshm_link(h, path));
    parent_hear();
    CHECK_OK(winshm_close(h));
}

static void test_processes(void)
{
    char token[BYTES];
    uint32_t length;
    const char *path = name_of("other.link");
    winshm_region *h, *found;
    struct child child = child_start("links", path, 0);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'l');
    h = created();
    CHECK_STATUS(winshm_link(h, path), WINSHM_E_EXISTS);
    CHECK_OK(winshm_open_link(path, 0, 0, &found));
    CHECK(!same_life(h, found));
    CHECK_OK(winshm_close(found));
    child_kill(&child);
    CHECK(exists(path));
    CHECK_STATUS(winshm_open_link(path, 0, 0, &found), WINSHM_E_NOT_FOUND);
    CHECK_OK(winshm_link(h, path));
    CHECK_OK(winshm_open_link(path, 0, 0, &found));
    CHECK(same_life(h, found));
    CHECK_OK(winshm_close(found));
    CHECK_OK(winshm_close(h));
    check_gone(path);
    /* An end without close. */
    child = child_start("links", path, 1);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'l');
    child_tell(&child, 'e');
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
#ifdef _WIN32
    CHECK_STATUS(winshm_open_link(path, 0, 0, &found), WINSHM_E_NOT_FOUND);
    CHECK(remove(path) == 0);
#endif
    check_gone(path);
    /* One that comes later, where there is none or a stale one. */
    for (int stale = 0; stale < 2; stale++) {
        h = created();
        CHECK_OK(winshm_export(h, 0, token, sizeof token, &length));
        CHECK_OK(winshm_close(h));
        if (stale)
            file_write(path, token, length);
        child = child_start("late", path, 0);
        CHECK_OK(winshm_open_link(path, 0, PATIENCE_MS, &found));
        child_tell(&child, 'c');
        CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
        CHECK_OK(winshm_close(found));
        check_gone(path);
    }
    uint64_t began = clock_ms();
    CHECK_STATUS(winshm_open_link(path, 0, 100, &found), WINSHM_E_NOT_FOUND);
    CHECK(clock_ms() - began >= 100);
}

/* Many that want one path: whoever has it has it for as long as it likes, and
 * those who die with it do not keep the others from it. */

static uint64_t seed;

static uint32_t draw(uint32_t limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % limit;
}

/** Goes on until it dies with a link in its hands, or has had it often. */
static void role_wants(const char *path, uint32_t number)
{
    uint32_t had = 0;
    winshm_region *found;
    seed = number;
    for (int tries = 0; had < 20 && tries < 20000; tries++) {
        winshm_region *h = created();
        winshm_status status = winshm_link(h, path);
        if (status == WINSHM_OK) {
            had++;
            if (draw(8) == 0)
                sleep_ms(draw(3));
            CHECK_OK(winshm_open_link(path, 0, PATIENCE_MS, &found));
            CHECK(same_life(h, found));
            CHECK_OK(winshm_close(found));
            if (draw(10) == 0)
                child_die();
        } else {
            CHECK_EQ(status, WINSHM_E_EXISTS);
        }
        CHECK_OK(winshm_close(h));
    }
    CHECK(had > 0);
}

static void test_race(uint32_t rounds)
{
    enum { RIVALS = 3 };
    const char *path = name_of("race.link");
    printf("%lu rounds, seed %llu\n", (unsigned long)rounds,
           (unsigned long long)seed);
    for (uint32_t round = 0; round < rounds; round++) {
        struct child rivals[RIVALS];
        for (int i = 0; i < RIVALS; i++)
            rivals[i] = child_start("wants", path, draw(1u << 30));
        for (int i = 0; i < RIVALS; i++) {
            int code = child_wait(&rivals[i], PATIENCE_MS);
            CHECK(code == 0 || code == -1);
        }
    }
    winshm_region *h = created(), *found;
    CHECK_OK(winshm_link(h, path));
    CHECK_OK(winshm_open_link(path, 0, 0, &found));
    CHECK(same_life(h, found));
    CHECK_OK(winshm_close(found));
    CHECK_OK(winshm_close(h));
    check_gone(path);
}

static winshm_region *shared_by_threads;
static _Atomic uint32_t made_by_threads;

static void link_it(void *path)
{
    winshm_status status = winshm_link(shared_by_threads, path);
    CHECK(status == WINSHM_OK || status == WINSHM_E_EXISTS);
    made_by_threads += status == WINSHM_OK;
}

static void test_threads(void)
{
    char a[60], b[60];
    struct thread threads[2];
    snprintf(a, sizeof a, "%s", name_of("a.link"));
    snprintf(b, sizeof b, "%s", name_of("b.link"));
    for (int i = 0; i < 30; i++) {
        shared_by_threads = created();
        made_by_threads = 0;
        threads[0] = thread_start(link_it, a);
        threads[1] = thread_start(link_it, b);
        thread_join(threads[0]);
        thread_join(threads[1]);
        CHECK_EQ(made_by_threads, 1);
        CHECK(exists(a) != exists(b));
        CHECK_OK(winshm_close(shared_by_threads));
        check_gone(a);
        check_gone(b);
    }
}

static _Atomic uint32_t reading;

static void read_for_a_while(void *path)
{
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    reading = 1;
    sleep_ms(30);
    fclose(file);
}

/** Whoever just reads a link does not keep it from being removed. */
static void test_reader(void)
{
    char path[60];
    winshm_region *h = created();
    snprintf(path, sizeof path, "%s", name_of("read.link"));
    CHECK_OK(winshm_link(h, path));
    struct thread reader = thread_start(read_for_a_while, path);
    while (!reading)
        sleep_ms(1);
    CHECK_OK(winshm_close(h));
    thread_join(reader);
    check_gone(path);
}

static void leave_alone(void *handle)
{
    winshm_region *h;
    CHECK_STATUS(winshm_link(handle, name_of("child.link")), WINSHM_E_FORKED);
    CHECK_OK(winshm_close(handle));
    /* Also when the parent's place has another handle. */
    for (int i = 0; i < 1100; i++) {
        h = created();
        CHECK_OK(winshm_close(h));
    }
    h = created();
    CHECK_OK(winshm_link(h, name_of("child.link")));
    exit(0);
}

static void test_fork(void)
{
    const char *path = name_of("fork.link");
    struct child child;
    winshm_region *h = created(), *found;
    CHECK_OK(winshm_link(h, path));
    if (!child_fork(&child, leave_alone, h)) {
        CHECK_OK(winshm_close(h));
        return;
    }
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    CHECK_OK(winshm_open_link(path, 0, 0, &found));
    CHECK(same_life(h, found));
    CHECK_OK(winshm_close(found));
    CHECK_OK(winshm_close(h));
    check_gone(path);
}

static const struct role roles[] = {{"links", role_links},
                                    {"late", role_late},
                                    {"wants", role_wants},
                                    {NULL, NULL}};

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    seed = argc > 2 ? strtoull(argv[2], NULL, 10) : clock_us();
    test_leads();
    test_arguments();
    test_in_the_way();
    test_stale();
    test_processes();
    test_race(argc > 1       ? (uint32_t)strtoul(argv[1], NULL, 10)
              : child_slow() ? 2
                             : 10);
    test_threads();
    test_reader();
    test_fork();
    return 0;
}
