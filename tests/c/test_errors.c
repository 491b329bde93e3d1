/* Every bad argument of every function: which status it gives, that outputs
 * are cleared, and that a refused call has changed nothing. */
#include "check.h"
#include "child.h"
#include "plain.h"

enum { SIZE = 1000 };

static const uint32_t UNKNOWN = 0x100;

/* Region handles that no function may take. */
static struct {
    const char *what;
    winshm_region *handle;
    winshm_status status;
} bad[12];
static unsigned bad_count;

static void add_bad(const char *what, void *handle, winshm_status status)
{
    bad[bad_count].what = what;
    bad[bad_count].handle = handle;
    bad[bad_count++].status = status;
}

static void check_bad_handle(const char *what, winshm_region *h,
                             winshm_status status)
{
    winshm_info info = {.struct_size = sizeof info};
    winshm_participant participant = {.struct_size = sizeof participant};
    winshm_view *view = (winshm_view *)&view;
    void *pointer = &view;
    uint32_t number = 99;
    char byte = 'b';
    char text[4] = "txt";
    fprintf(stderr, "handle: %s\n", what);
    if (h != NULL)
        CHECK_STATUS(winshm_close(h), status);
    CHECK(winshm_data(h) == NULL);
    CHECK_EQ(winshm_size(h), 0);
    CHECK(strstr(winshm_last_message(), winshm_status_name(status)) != NULL);
    CHECK_STATUS(winshm_get_info(h, &info), status);
    CHECK_STATUS(winshm_get_participants(h, &participant, 1, &number), status);
    CHECK_EQ(number, 0);
    CHECK_STATUS(winshm_resize(h, 1, 0), status);
    CHECK_STATUS(winshm_map(h, 0, 1, 0, &view), status);
    CHECK(view == NULL);
    CHECK_STATUS(winshm_read(h, 0, &byte, 1, 0), status);
    CHECK_EQ(byte, 'b');
    CHECK_STATUS(winshm_write(h, 0, &byte, 1, 0), status);
    CHECK_STATUS(winshm_copy_out(h, 0, &byte, 1), status);
    CHECK_EQ(byte, 'b');
    CHECK_STATUS(winshm_copy_in(h, 0, &byte, 1), status);
    CHECK_STATUS(winshm_lock(h, WINSHM_SHARED, 0), status);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), status);
    CHECK_STATUS(winshm_unlock(h, WINSHM_SHARED), status);
    CHECK_STATUS(winshm_unlock(h, WINSHM_EXCLUSIVE), status);
    CHECK_STATUS(winshm_make_consistent(h), status);
    CHECK_STATUS(winshm_notify(h), status);
    number = 99;
    CHECK_STATUS(winshm_wait(h, 0, 0, &number), status);
    CHECK_EQ(number, 0);
    number = 99;
    CHECK_STATUS(winshm_change_count(h, &number), status);
    CHECK_EQ(number, 0);
    CHECK_STATUS(winshm_wait_handle(h, &pointer), status);
    CHECK(pointer == NULL);
    number = 99;
    CHECK_STATUS(winshm_get_name(h, text, sizeof text, &number), status);
    CHECK_EQ(number, 0);
    CHECK_EQ(text[0], '\0');
    number = 99;
    CHECK_STATUS(winshm_export(h, 0, text, sizeof text, &number), status);
    CHECK_EQ(number, 0);
    CHECK_STATUS(winshm_link(h, "none.link"), status);
    /* The handle is looked at before the other arguments. */
    CHECK_STATUS(winshm_get_info(h, NULL), status);
    CHECK_STATUS(winshm_change_count(h, NULL), status);
}

static void check_bad_view(winshm_view *v, winshm_status status)
{
    if (v != NULL)
        CHECK_STATUS(winshm_unmap(v), status);
    CHECK(winshm_view_data(v) == NULL);
    CHECK_EQ(winshm_view_size(v), 0);
    CHECK(strstr(winshm_last_message(), winshm_status_name(status)) != NULL);
}

static void check_handles(winshm_region *good)
{
    winshm_region *closed;
    winshm_view *view, *unmapped;
    CHECK_OK(winshm_map(good, 0, 1, 0, &view));
    CHECK_OK(winshm_map(good, 0, 1, 0, &unmapped));
    CHECK_OK(winshm_unmap(unmapped));
    CHECK_OK(winshm_create(name_of("closed"), 1, 0, &closed));
    CHECK_OK(winshm_close(closed));
    uintptr_t value = (uintptr_t)good;
    add_bad("NULL", NULL, WINSHM_E_HANDLE);
    add_bad("one", (void *)1, WINSHM_E_HANDLE);
    add_bad("minus one", (void *)UINTPTR_MAX, WINSHM_E_HANDLE);
    add_bad("a pointer", &value, WINSHM_E_HANDLE);
    add_bad("the data", winshm_data(good), WINSHM_E_HANDLE);
    add_bad("another kind", (void *)(value ^ 1), WINSHM_E_HANDLE);
    add_bad("a later generation", (void *)(value + (1u << 20)),
            WINSHM_E_HANDLE);
    add_bad("beyond the table", (void *)(((uintptr_t)1 << 15) + 4 * 5000 + 1),
            WINSHM_E_HANDLE);
    add_bad("a view", view, WINSHM_E_HANDLE);
    add_bad("closed", closed, WINSHM_E_CLOSED);
    for (unsigned i = 0; i < bad_count; i++)
        check_bad_handle(bad[i].what, bad[i].handle, bad[i].status);
    check_bad_view(NULL, WINSHM_E_HANDLE);
    check_bad_view((winshm_view *)2, WINSHM_E_HANDLE);
    check_bad_view((winshm_view *)good, WINSHM_E_HANDLE);
    check_bad_view((winshm_view *)&value, WINSHM_E_HANDLE);
    check_bad_view(unmapped, WINSHM_E_CLOSED);
    CHECK_OK(winshm_unmap(view));
    check_bad_view(view, WINSHM_E_CLOSED);
    CHECK_OK(winshm_close(NULL));
    CHECK_OK(winshm_unmap(NULL));
}

static void check_open(const char *name)
{
    winshm_region *out = (winshm_region *)&out;
    struct {
        const char *name;
        uint64_t size;
        uint32_t flags;
        winshm_status create, open, join;
    } cases[] = {
        {NULL, 0, 0, WINSHM_E_INVALID, WINSHM_E_INVALID, WINSHM_E_INVALID},
        {"", 1, 0, WINSHM_E_NAME, WINSHM_E_NAME, WINSHM_E_NAME},
        {"a/b", 1, 0, WINSHM_E_NAME, WINSHM_E_NAME, WINSHM_E_NAME},
        {name, 1, UNKNOWN, WINSHM_E_INVALID, WINSHM_E_INVALID,
         WINSHM_E_INVALID},
        {name, 1, 0x80000000u, WINSHM_E_INVALID, WINSHM_E_INVALID,
         WINSHM_E_INVALID},
        {name, 0, 0, WINSHM_E_INVALID, WINSHM_E_NOT_FOUND, WINSHM_E_NOT_FOUND},
        {name, 0, WINSHM_RAW, WINSHM_E_INVALID, WINSHM_E_NOT_FOUND,
         WINSHM_E_NOT_FOUND},
        {name, 1, WINSHM_READ, WINSHM_E_INVALID, WINSHM_E_NOT_FOUND,
         WINSHM_E_INVALID},
        {name, UINT64_MAX, 0, WINSHM_E_SIZE, WINSHM_E_NOT_FOUND, WINSHM_E_SIZE},
        {name, (uint64_t)1 << 63, 0, WINSHM_E_SIZE, WINSHM_E_NOT_FOUND,
         WINSHM_E_SIZE},
        {name, UINT64_MAX, WINSHM_RAW, WINSHM_E_SIZE, WINSHM_E_NOT_FOUND,
         WINSHM_E_SIZE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *n = cases[i].name;
        uint32_t flags = cases[i].flags;
        fprintf(stderr, "open: case %d\n", (int)i);
        out = (winshm_region *)&out;
        CHECK_STATUS(winshm_create(n, cases[i].size, flags, &out),
                     cases[i].create);
        CHECK(out == NULL);
        out = (winshm_region *)&out;
        CHECK_STATUS(winshm_open(n, flags, &out), cases[i].open);
        CHECK(out == NULL);
        out = (winshm_region *)&out;
        CHECK_STATUS(winshm_open_or_create(n, cases[i].size, flags, &out),
                     cases[i].join);
        CHECK(out == NULL);
    }
    CHECK_STATUS(winshm_open(name, WINSHM_NO_LOCK, &out), WINSHM_E_INVALID);
    CHECK_STATUS(winshm_create(name, 1, 0, NULL), WINSHM_E_INVALID);
    CHECK_STATUS(winshm_open(name, 0, NULL), WINSHM_E_INVALID);
    CHECK_STATUS(winshm_open_or_create(name, 1, 0, NULL), WINSHM_E_INVALID);
    /* More than there is: whoever says no, nothing is left behind. */
    winshm_status status = winshm_create(name, (uint64_t)1 << 62, 0, &out);
    CHECK(status == WINSHM_E_SIZE || status == WINSHM_E_NO_MEMORY);
    CHECK_STATUS(winshm_open(name, 0, &out), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_open(name, WINSHM_RAW, &out), WINSHM_E_NOT_FOUND);
}

static winshm_options good_options(const char *name)
{
    winshm_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.disposition = WINSHM_OPEN_OR_CREATE;
    options.size = 100;
    options.name = name;
    return options;
}

static void check_options(const char *name)
{
    winshm_region *out;
    winshm_options o = good_options(name);
    CHECK_STATUS(winshm_open_with(NULL, &out), WINSHM_E_INVALID);
    CHECK_STATUS(winshm_open_with(&o, NULL), WINSHM_E_INVALID);
    CHECK_STATUS(winshm_open_with(NULL, NULL), WINSHM_E_INVALID);
    for (o.struct_size = 0; o.struct_size < offsetof(winshm_options, layout);
         o.struct_size++)
        CHECK_STATUS(winshm_open_with(&o, &out), WINSHM_E_INVALID);
#define WITH(change, expected)                                                 \
    do {                                                                       \
        o = good_options(name);                                                \
        change;                                                                \
        out = (winshm_region *)&o;                                             \
        CHECK_STATUS(winshm_open_with(&o, &out), expected);                    \
        CHECK(out == NULL);                                                    \
    } while (0)
    WITH(o.disposition = 0, WINSHM_E_INVALID);
    WITH(o.disposition = 4, WINSHM_E_INVALID);
    WITH(o.flags = UNKNOWN, WINSHM_E_INVALID);
    WITH(o.flags = WINSHM_READ, WINSHM_E_INVALID);
    WITH(o.name = NULL, WINSHM_E_INVALID);
    WITH(o.name = "x.winshm", WINSHM_E_NAME);
    WITH(o.capacity = 99, WINSHM_E_INVALID);
    WITH((o.size = 0, o.capacity = 10), WINSHM_E_NOT_FOUND);
    WITH((o.size = 0, o.disposition = WINSHM_CREATE_NEW), WINSHM_E_INVALID);
    WITH((o.capacity = 200, o.flags = WINSHM_RAW), WINSHM_E_UNSUPPORTED);
    WITH(o.flags = WINSHM_RAW | WINSHM_NO_LOCK, WINSHM_E_INVALID);
    WITH((o.security = "owner", o.disposition = WINSHM_OPEN_EXISTING),
         WINSHM_E_INVALID);
    WITH(o.capacity = UINT64_MAX, WINSHM_E_SIZE);
    WITH(o.security = "", WINSHM_E_INVALID);
    WITH(o.security = "Everyone", WINSHM_E_INVALID);
    WITH(o.security = "owner ", WINSHM_E_INVALID);
    WITH((o.security = "nobody", o.flags = WINSHM_RAW), WINSHM_E_INVALID);
    WITH((o.flags = WINSHM_NO_LOCK, o.disposition = WINSHM_OPEN_EXISTING),
         WINSHM_E_INVALID);
    CHECK_STATUS(winshm_open(name, 0, &out), WINSHM_E_NOT_FOUND);
}

/** A region that is there, and what does not fit it. */
static void check_calls(winshm_region *h)
{
    winshm_info info;
    winshm_participant p[2];
    winshm_view *view;
    uint32_t count;
    char buffer[SIZE];
    memset(buffer, 'b', sizeof buffer);
    CHECK_STATUS(winshm_get_info(h, NULL), WINSHM_E_INVALID);
    for (uint32_t size = 0; size < sizeof info; size++) {
        memset(&info, 0x5A, sizeof info);
        info.struct_size = size;
        CHECK_STATUS(winshm_get_info(h, &info), WINSHM_E_INVALID);
        CHECK_EQ(info.kind, 0x5A5A5A5A);
    }
    CHECK_STATUS(winshm_get_participants(h, NULL, 1, &count), WINSHM_E_INVALID);
    CHECK_EQ(count, 0);
    p[0].struct_size = sizeof p[0] - 1;
    CHECK_STATUS(winshm_get_participants(h, p, 2, &count), WINSHM_E_INVALID);
    p[0].struct_size = sizeof p[0];
    CHECK_STATUS(winshm_get_participants(h, p, 2, NULL), WINSHM_E_INVALID);
    CHECK_OK(winshm_get_participants(h, NULL, 0, &count));
    CHECK_EQ(count, 1);

    static const struct {
        uint64_t offset, length;
    } outside[] = {
        {0, SIZE + 1},
        {SIZE, 1},
        {SIZE - 1, 2},
        {SIZE + 1, 1},
        {UINT64_MAX, 1},
        {1, UINT64_MAX},
        {UINT64_MAX, UINT64_MAX},
        {(uint64_t)1 << 32, 1},
        {0, (uint64_t)1 << 32},
        {(uint64_t)1 << 63, (uint64_t)1 << 63},
    };
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        uint64_t offset = outside[i].offset, length = outside[i].length;
        fprintf(stderr, "range: case %d\n", (int)i);
        CHECK_STATUS(winshm_map(h, offset, length, 0, &view), WINSHM_E_RANGE);
        CHECK(view == NULL);
        CHECK_STATUS(winshm_read(h, offset, buffer, length, 0), WINSHM_E_RANGE);
        CHECK_EQ(buffer[0], 'b');
        CHECK_STATUS(winshm_write(h, offset, buffer, length, 0),
                     WINSHM_E_RANGE);
        CHECK_STATUS(winshm_copy_out(h, offset, buffer, length),
                     WINSHM_E_RANGE);
        CHECK_EQ(buffer[0], 'b');
        CHECK_STATUS(winshm_copy_in(h, offset, buffer, length), WINSHM_E_RANGE);
    }
    CHECK_STATUS(winshm_read(h, SIZE + 1, NULL, 0, 0), WINSHM_E_RANGE);
    CHECK_OK(winshm_read(h, SIZE, NULL, 0, 0));
    CHECK_STATUS(winshm_map(h, 0, 0, 0, &view), WINSHM_E_INVALID);
    CHECK_STATUS(winshm_map(h, 0, 1, 4, &view), WINSHM_E_INVALID);
    CHECK_STATUS(winshm_map(h, 0, 1, UNKNOWN, &view), WINSHM_E_INVALID);
    CHECK(view == NULL);
    CHECK_STATUS(winshm_map(h, 0, 1, 0, NULL), WINSHM_E_INVALID);
    CHECK_STATUS(winshm_read(h, 0, NULL, 1, 0), WINSHM_E_INVALID);
    CHECK_STATUS(winshm_write(h, 0, NULL, 1, 0), WINSHM_E_INVALID);
    CHECK_STATUS(winshm_copy_out(h, 0, NULL, 1), WINSHM_E_INVALID);
    CHECK_STATUS(winshm_copy_in(h, 0, NULL, 1), WINSHM_E_INVALID);
    static const uint32_t modes[] = {0, 3, 4, 0xFFFFFFFFu};
    for (size_t i = 0; i < 4; i++) {
        CHECK_STATUS(winshm_lock(h, modes[i], 0), WINSHM_E_INVALID);
        CHECK_STATUS(winshm_unlock(h, modes[i]), WINSHM_E_INVALID);
    }
    CHECK_STATUS(winshm_unlock(h, WINSHM_SHARED), WINSHM_E_NOT_OWNER);
    CHECK_STATUS(winshm_unlock(h, WINSHM_EXCLUSIVE), WINSHM_E_NOT_OWNER);
    CHECK_STATUS(winshm_make_consistent(h), WINSHM_E_NOT_OWNER);
    CHECK_STATUS(winshm_change_count(h, NULL), WINSHM_E_INVALID);
    CHECK_STATUS(winshm_wait_handle(h, NULL), WINSHM_E_INVALID);
    CHECK_STATUS(winshm_wait(h, 0, 0, NULL), WINSHM_E_TIMEOUT);
}

static void check_read_only(const char *name)
{
    winshm_region *h;
    winshm_view *view;
    CHECK_OK(winshm_open(name, WINSHM_READ, &h));
    CHECK_STATUS(winshm_write(h, 0, "x", 1, 0), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_write(h, 0, NULL, 0, 0), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_copy_in(h, 0, NULL, 0), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_map(h, 0, 1, WINSHM_WRITE, &view), WINSHM_E_ACCESS);
    CHECK(view == NULL);
    CHECK_OK(winshm_close(h));
}

static void check_without_lock(uint32_t flags)
{
    winshm_region *h;
    winshm_participant p = {.struct_size = sizeof p};
    uint32_t count = 9;
    void *handle;
    bool raw = flags == WINSHM_RAW;
    winshm_status change = raw ? WINSHM_E_UNSUPPORTED : WINSHM_OK;
    CHECK_OK(winshm_create(name_of("nolock"), SIZE, flags, &h));
    CHECK_STATUS(winshm_lock(h, WINSHM_SHARED, 0), WINSHM_E_UNSUPPORTED);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_UNSUPPORTED);
    CHECK_STATUS(winshm_unlock(h, WINSHM_SHARED), WINSHM_E_UNSUPPORTED);
    CHECK_STATUS(winshm_unlock(h, WINSHM_EXCLUSIVE), WINSHM_E_UNSUPPORTED);
    CHECK_STATUS(winshm_make_consistent(h), WINSHM_E_UNSUPPORTED);
    CHECK_STATUS(winshm_notify(h), change);
    CHECK_STATUS(winshm_change_count(h, &count), change);
    CHECK_EQ(count, raw ? 0 : 1);
    CHECK_STATUS(winshm_wait(h, count, 0, &count),
                 raw ? WINSHM_E_UNSUPPORTED : WINSHM_E_TIMEOUT);
    CHECK_STATUS(winshm_get_participants(h, &p, 1, &count), change);
    if (raw)
        CHECK_STATUS(winshm_wait_handle(h, &handle), WINSHM_E_UNSUPPORTED);
    CHECK_OK(winshm_close(h));
}

static void check_texts(void)
{
#define CHECK_TEXT(name, value, text, cure)                                    \
    CHECK_EQ(name, value);                                                     \
    CHECK(strcmp(winshm_status_name(name), #name) == 0);                       \
    CHECK(strcmp(winshm_status_text(name), text) == 0);
    WINSHM_STATUS_MAP(CHECK_TEXT)
    static const winshm_status unknown[] = {1, -99, 77, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < 5; i++) {
        CHECK(strcmp(winshm_status_name(unknown[i]), "WINSHM_E_UNKNOWN") == 0);
        CHECK(winshm_status_text(unknown[i])[0] != '\0');
    }
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", WINSHM_VERSION_MAJOR,
             WINSHM_VERSION_MINOR, WINSHM_VERSION_PATCH);
    CHECK(strcmp(winshm_version_string(), version) == 0);
    CHECK_EQ(winshm_version(), WINSHM_VERSION_MAJOR << 16 |
                                   WINSHM_VERSION_MINOR << 8 |
                                   WINSHM_VERSION_PATCH);
}

/** Every failure is explained, and by what failed itself. */
static void check_messages(winshm_region *h)
{
    const char *name = name_of("adopted");
    winshm_region *other;
    struct plain plain;
    CHECK_STATUS(winshm_open(name, 0, &other), WINSHM_E_NOT_FOUND);
    const char *message = winshm_last_message();
    CHECK(strstr(message, "winshm_open") != NULL);
    CHECK(strstr(message, name) != NULL);
    CHECK(strstr(message, "WINSHM_E_NOT_FOUND") != NULL);
    CHECK(strstr(message, "Start the creator first") != NULL);
    CHECK(winshm_last_os_code() != 0);
    CHECK_EQ(winshm_size(h), SIZE);
    CHECK(strstr(winshm_last_message(), "winshm_open") != NULL);
    CHECK_STATUS(winshm_unlock(h, WINSHM_SHARED), WINSHM_E_NOT_OWNER);
    CHECK_EQ(winshm_last_os_code(), 0);
    /* Adopting a block means that a system call has said "exists": that must
     * not be told of a later failure. */
    CHECK(plain_create(&plain, name, 4096));
    CHECK_OK(winshm_open_or_create(name, 4096, 0, &other));
    CHECK_STATUS(winshm_unlock(other, WINSHM_SHARED), WINSHM_E_NOT_OWNER);
    CHECK_EQ(winshm_last_os_code(), 0);
    CHECK_OK(winshm_close(other));
    plain_close(&plain);
    plain_remove(name);
}

static void first_message(void *unused)
{
    (void)unused;
    CHECK(strcmp(winshm_last_message(), "") == 0);
    CHECK_EQ(winshm_last_os_code(), 0);
}

int main(void)
{
    const char *name = name_of("errors");
    winshm_region *h;
    winshm_info before = {.struct_size = sizeof before};
    winshm_info after = before;
    child_limit_files((uint64_t)1 << 30);
    first_message(NULL);
    check_texts();
    check_open(name);
    check_options(name);
    CHECK_OK(winshm_create(name, SIZE, 0, &h));
    thread_join(thread_start(first_message, NULL));
    memset(winshm_data(h), 7, SIZE);
    CHECK_OK(winshm_get_info(h, &before));
    check_handles(h);
    check_calls(h);
    check_read_only(name);
    check_messages(h);
    CHECK_OK(winshm_get_info(h, &after));
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    for (int i = 0; i < SIZE; i++)
        CHECK_EQ(((char *)winshm_data(h))[i], 7);
    CHECK_OK(winshm_close(h));
    check_without_lock(WINSHM_RAW);
    check_without_lock(WINSHM_NO_LOCK);
    return 0;
}
