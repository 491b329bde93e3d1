/* What people are told: the argument, both values, and the way out. */
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#endif

#include "check.h"
#include "child.h"

enum { BYTES = 100 };

static const char *region_name;

/** Checks that the last message has each of the pieces, and in this order. */
static void told(int line, const char *const *pieces)
{
    const char *message = winshm_last_message();
    const char *rest = message;
    for (; *pieces != NULL; pieces++) {
        const char *found = strstr(rest, *pieces);
        if (found == NULL)
            check_end(1, __FILE__, line, "\"%s\" is not said, or not there: %s",
                      *pieces, message);
        rest = found + strlen(*pieces);
    }
    /* No sentence is cut off, and none is empty. */
    size_t length = strlen(message);
    if (strchr("]. ", message[length - 1]) == NULL ||
        strstr(message, ". .") != NULL || strchr(message, '{') != NULL)
        check_end(1, __FILE__, line, "not well said: %s", message);
}

#define TOLD(call, status, ...)                                                \
    do {                                                                       \
        const char *const pieces[] = {__VA_ARGS__, NULL};                      \
        CHECK_STATUS(call, status);                                            \
        told(__LINE__, pieces);                                                \
    } while (0)

static void role_hold(const char *name, uint32_t mode)
{
    winshm_region *h;
    CHECK_OK(winshm_open(name, 0, &h));
    CHECK_OK(winshm_lock(h, mode, 0));
    parent_tell('h');
    parent_hear();
}


static void role_wait(const char *name, uint32_t unused);

static const struct role roles[] = {
    {"hold", role_hold}, {"wait", role_wait}, {NULL, NULL}};

static winshm_status open_with(uint32_t disposition,
                               void (*change)(winshm_options *))
{
    winshm_region *h;
    winshm_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.disposition = disposition;
    options.name = region_name;
    options.size = BYTES;
    change(&options);
    winshm_status status = winshm_open_with(&options, &h);
    if (status == WINSHM_OK)
        CHECK_OK(winshm_close(h));
    return status;
}

static void no_size(winshm_options *o)
{
    o->struct_size = 3;
}

static void bad_disposition(winshm_options *o)
{
    o->disposition = 9;
}

static void less_capacity(winshm_options *o)
{
    o->capacity = 7;
}

static void raw_capacity(winshm_options *o)
{
    o->capacity = 200;
    o->flags = WINSHM_RAW;
}

static void misspelt(winshm_options *o)
{
    o->security = "evrybody";
}

static void other_size(winshm_options *o)
{
    o->size = 4096;
}

static void other_tag(winshm_options *o)
{
    o->size = 4096;
    o->layout_tag = 0xAB;
}

static void raw_layout(winshm_options *o)
{
    o->layout = "size 1";
    o->flags = WINSHM_RAW;
}

static void malformed(winshm_options *o)
{
    o->layout = "lives:u8 4; size 8";
}

static void large_layout(winshm_options *o)
{
    o->layout = "size 101";
}

static void other_layout(winshm_options *o)
{
    o->layout = "lives:u32@4; size 8";
}

static void tagged(winshm_options *o)
{
    o->layout = "lives:u8@4; size 8";
    o->layout_tag = 0x1F;
}

static void test_arguments(void)
{
    winshm_region *h;
    const uint32_t create = WINSHM_CREATE_NEW;
    TOLD(winshm_create(region_name, 0, 0, &h), WINSHM_E_INVALID,
         "winshm_create '", "size is 0", "at least 1 byte");
    TOLD(winshm_create(region_name, 1, 0, NULL), WINSHM_E_INVALID,
         "out is NULL");
    TOLD(winshm_open(NULL, 0, &h), WINSHM_E_INVALID, "name is NULL",
         "must not exist yet");
    TOLD(winshm_create(region_name, 1, 0x8000, &h), WINSHM_E_INVALID,
         "flags has 0x8000");
    TOLD(winshm_create(region_name, 1, WINSHM_READ, &h), WINSHM_E_INVALID,
         "WINSHM_READ alone cannot create", "WINSHM_WRITE");
    TOLD(winshm_open(region_name, WINSHM_NO_LOCK, &h), WINSHM_E_INVALID,
         "flags has 0x8", "for creating");
    TOLD(winshm_open_with(NULL, &h), WINSHM_E_INVALID, "options is NULL");
    TOLD(open_with(create, no_size), WINSHM_E_INVALID, "struct_size is 3");
    TOLD(open_with(create, bad_disposition), WINSHM_E_INVALID,
         "disposition is 9");
    TOLD(open_with(create, less_capacity), WINSHM_E_INVALID, "capacity is 7",
         "size, which is 100");
    TOLD(open_with(create, raw_capacity), WINSHM_E_UNSUPPORTED, "raw region",
         "Leave it 0");
    TOLD(open_with(create, raw_layout), WINSHM_E_UNSUPPORTED, "no layout",
         "Leave it NULL");
    TOLD(open_with(create, malformed), WINSHM_E_INVALID, "layout, byte 9",
         "should be @ or [", "winshm_format_layout()");
    TOLD(open_with(create, large_layout), WINSHM_E_INVALID,
         "layout has 101 bytes", "size is 100", "the size of its layout");
    TOLD(open_with(create, misspelt), WINSHM_E_INVALID,
         "security is 'evrybody'", "\"owner\"");
    TOLD(winshm_create("a/b", 1, 0, &h), WINSHM_E_NAME, "'a/b'", "byte 1",
         "slash");
    TOLD(winshm_create("", 1, 0, &h), WINSHM_E_NAME, "it is empty");
    TOLD(winshm_create("..", 1, 0, &h), WINSHM_E_NAME, "directory");
    TOLD(winshm_create("x.winshm", 1, 0, &h), WINSHM_E_NAME, "byte 1",
         "reserved");
    TOLD(winshm_create("a\x01", 1, 0, &h), WINSHM_E_NAME, "byte 1",
         "control character");
    TOLD(winshm_create("ab\xFF", 1, 0, &h), WINSHM_E_NAME, "byte 2", "UTF-8");
}

static void test_mismatches(void)
{
    winshm_region *h, *none;
    winshm_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.disposition = WINSHM_CREATE_NEW;
    options.name = region_name;
    options.size = BYTES;
    tagged(&options);
    CHECK_OK(winshm_open_with(&options, &h));
    TOLD(open_with(WINSHM_OPEN_EXISTING, other_size), WINSHM_E_SIZE,
         "100 bytes", "4096 were asked for", "Size 0");
    TOLD(open_with(WINSHM_OPEN_EXISTING, other_tag), WINSHM_E_TAG,
         "another layout", "tag 0x1F", "0xAB");
    TOLD(open_with(WINSHM_OPEN_EXISTING, other_layout), WINSHM_E_TAG,
         "another layout", "'lives' is u32 @4 here, u8 @4", "rebuild");
    char text[8];
    uint32_t length;
    TOLD(winshm_get_layout(h, text, sizeof text, &length), WINSHM_E_RANGE,
         "out of range", "the text has 18 bytes", "capacity is 8",
         "Make room");
    TOLD(winshm_create(region_name, BYTES, 0, &none), WINSHM_E_EXISTS,
         "has created it");
    char byte;
    TOLD(winshm_read(h, 90, &byte, 20, 0), WINSHM_E_RANGE, "offset is 90",
         "length 20", "100 bytes");
    TOLD(winshm_read(h, 0, NULL, 20, 0), WINSHM_E_INVALID, "buffer is NULL");
    winshm_view *view;
    TOLD(winshm_map(h, 0, 0, 0, &view), WINSHM_E_INVALID, "length is 0");
    TOLD(winshm_resize(h, 0, 0), WINSHM_E_INVALID, "size is 0", "1 byte");
    TOLD(winshm_resize(h, 7, 0), WINSHM_E_SIZE, "size is 7", "has 100 bytes",
         "never gets smaller");
    TOLD(winshm_resize(h, 101, 0), WINSHM_E_SIZE, "size is 101",
         "capacity 100", "winshm_options.capacity");
    TOLD(winshm_lock(h, 7, 0), WINSHM_E_INVALID, "mode is 7",
         "WINSHM_EXCLUSIVE");
    TOLD(winshm_get_info(h, NULL), WINSHM_E_INVALID, "info is NULL");
    CHECK_OK(winshm_close(h));
}

static void test_handles(void)
{
    winshm_region *h, *reader;
    char byte = 0;
    uint32_t now;
    int32_t fd;
    void *event;
    CHECK_OK(winshm_create(region_name, BYTES, 0, &h));
    CHECK_OK(winshm_open(region_name, WINSHM_READ, &reader));
    TOLD(winshm_write(reader, 0, &byte, 1, 0), WINSHM_E_ACCESS, "read-only",
         "WINSHM_WRITE");
    CHECK_OK(winshm_close(reader));
    CHECK_OK(winshm_lock(h, WINSHM_SHARED, 0));
    TOLD(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_DEADLOCK,
         "holds it in shared mode", "unlock first");
    TOLD(winshm_unlock(h, WINSHM_EXCLUSIVE), WINSHM_E_NOT_OWNER,
         "in shared mode");
    TOLD(winshm_close(h), WINSHM_E_BUSY, "the lock is held", "Unlock first");
    CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
    TOLD(winshm_wait(h, 0, 20, &now), WINSHM_E_TIMEOUT, region_name,
         "no change within 20 ms", "winshm_notify()");
    if (winshm_wait_fd(h, &fd) == WINSHM_E_UNSUPPORTED)
        TOLD(winshm_wait_fd(h, &fd), WINSHM_E_UNSUPPORTED, "no descriptors",
             "winshm_wait_handle()");
    else
        TOLD(winshm_wait_handle(h, &event), WINSHM_E_UNSUPPORTED, "no events",
             "winshm_wait_fd()");
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_create(region_name, BYTES, WINSHM_RAW, &h));
    TOLD(winshm_lock(h, WINSHM_SHARED, 0), WINSHM_E_UNSUPPORTED, "plain block",
         "WINSHM_RAW");
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_create(region_name, BYTES, WINSHM_NO_MAP | WINSHM_NO_LOCK,
                           &h));
    TOLD(winshm_lock(h, WINSHM_SHARED, 0), WINSHM_E_UNSUPPORTED, "no lock",
         "WINSHM_NO_LOCK");
    CHECK(winshm_data(h) == NULL);
    const char *const parts[] = {"no whole view", "winshm_map()", NULL};
    told(__LINE__, parts);
    CHECK_OK(winshm_close(h));
}

/** Who is in the way has a number and a name. */
static void test_owner(uint32_t mode)
{
    winshm_region *h;
    char owner[32];
    CHECK_OK(winshm_create(region_name, BYTES, 0, &h));
    struct child holder = child_start("hold", region_name, mode);
    CHECK_EQ(child_hear(&holder, PATIENCE_MS), 'h');
    winshm_participant list[2];
    uint32_t count;
    list[0].struct_size = sizeof list[0];
    CHECK_OK(winshm_get_participants(h, list, 2, &count));
    CHECK_EQ(count, 2);
    snprintf(owner, sizeof owner, "process %lu (", (unsigned long)list[1].pid);
    TOLD(winshm_lock(h, WINSHM_EXCLUSIVE, 30), WINSHM_E_TIMEOUT, owner,
         ") holds the lock");
    child_kill(&holder);
    CHECK_EQ(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS),
             mode == WINSHM_EXCLUSIVE ? WINSHM_E_OWNER_DEAD : WINSHM_OK);
    if (mode == WINSHM_EXCLUSIVE) {
        const char *const pieces[] = {
            "half written", "has taken the lock",
            "winshm_make_consistent(), unlock", NULL};
        told(__LINE__, pieces);
    }
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    if (mode == WINSHM_EXCLUSIVE)
        TOLD(winshm_lock(h, WINSHM_SHARED, 0), WINSHM_E_OWNER_DEAD,
             "Lock exclusively", "winshm_make_consistent()");
    CHECK_OK(winshm_close(h));
}

/** Waits for the lock, which readers have. */
static void role_wait(const char *name, uint32_t unused)
{
    winshm_region *h;
    (void)unused;
    CHECK_OK(winshm_open(name, 0, &h));
    parent_tell('w');
    (void)!winshm_lock(h, WINSHM_EXCLUSIVE, WINSHM_FOREVER);
}

static uint32_t owner_pid(winshm_region *h)
{
    winshm_info info;
    info.struct_size = sizeof info;
    CHECK_OK(winshm_get_info(h, &info));
    return info.owner_pid;
}

/** Who waits for a reader is not to blame, nor told of. */
static void test_queue(void)
{
    winshm_region *h;
    char reader[32];
    CHECK_OK(winshm_create(region_name, BYTES, 0, &h));
    struct child holder = child_start("hold", region_name, WINSHM_SHARED);
    CHECK_EQ(child_hear(&holder, PATIENCE_MS), 'h');
    winshm_participant list[2];
    uint32_t count;
    list[0].struct_size = sizeof list[0];
    CHECK_OK(winshm_get_participants(h, list, 2, &count));
    struct child waiter = child_start("wait", region_name, 0);
    CHECK_EQ(child_hear(&waiter, PATIENCE_MS), 'w');
    for (int i = 0; owner_pid(h) == 0 && i < 1000; i++)
        sleep_ms(1);
    snprintf(reader, sizeof reader, "process %lu (", (unsigned long)list[1].pid);
    TOLD(winshm_lock(h, WINSHM_EXCLUSIVE, 30), WINSHM_E_TIMEOUT, reader);
    child_kill(&waiter);
    child_kill(&holder);
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(h));
}

static void lock_beside(void *h)
{
    TOLD(winshm_lock(h, WINSHM_EXCLUSIVE, 10), WINSHM_E_TIMEOUT,
         "this process holds the lock itself");
}

static void test_neighbour(void)
{
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, BYTES, 0, &h));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    thread_join(thread_start(lock_beside, h));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(h));
    TOLD(winshm_open_or_create(region_name, 0, 0, &h), WINSHM_E_NOT_FOUND,
         "size is 0", "Give the size");
    CHECK(strstr(winshm_last_message(), "failed with") == NULL);
    /* Not that none has appeared: it would be made. */
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_OPEN_OR_CREATE,
                        .timeout_ms = 30,
                        .name = region_name};
    TOLD(winshm_open_with(&o, &h), WINSHM_E_NOT_FOUND, "size is 0",
         "Give the size");
}

static void test_limits(void)
{
    static winshm_region *all[1024];
    winshm_region *one;
    CHECK_OK(winshm_create(region_name, BYTES, WINSHM_RAW, &all[0]));
    for (int i = 1; i < 1024; i++)
        CHECK_OK(winshm_open(region_name, WINSHM_RAW, &all[i]));
    TOLD(winshm_open(region_name, WINSHM_RAW, &one), WINSHM_E_TOO_MANY,
         "1024 regions open", "share a handle");
    for (int i = 0; i < 1024; i++)
        CHECK_OK(winshm_close(all[i]));
}

/** What the system said is told in its words, and asking changes nothing. */
static void test_system(void)
{
    winshm_region *h;
    TOLD(winshm_open(region_name, 0, &h), WINSHM_E_NOT_FOUND, "no such region",
         "failed with 2: ", "Start the creator first");
    CHECK_EQ(winshm_last_os_code(), 2);
#ifdef _WIN32
    SetLastError(77);
    winshm_last_message();
    winshm_last_os_code();
    CHECK_EQ(GetLastError(), 77);
#endif
}

static void test_hand(void)
{
    char token[WINSHM_TOKEN_MAX + 1], path[64];
    uint32_t length;
    winshm_region *h, *other, *reader;
    snprintf(path, sizeof path, "%s", name_of("messages.link"));
    CHECK_OK(winshm_create(region_name, BYTES, 0, &h));
    TOLD(winshm_get_name(h, token, 3, &length), WINSHM_E_RANGE,
         "the text has", "capacity is 3", "room for so many");
    TOLD(winshm_get_name(h, NULL, 3, &length), WINSHM_E_INVALID,
         "buffer is NULL", "capacity is not 0");
    TOLD(winshm_get_name(h, token, 3, NULL), WINSHM_E_INVALID,
         "length is NULL");
    TOLD(winshm_export(h, 0x80, token, 3, &length), WINSHM_E_INVALID,
         "access is 0x80", "WINSHM_READ");
    CHECK_OK(winshm_export(h, 0, token, sizeof token, &length));
    CHECK_OK(winshm_open(region_name, WINSHM_READ, &reader));
    char text[WINSHM_TOKEN_MAX + 1];
    TOLD(winshm_export(reader, WINSHM_WRITE, text, sizeof text, &length),
         WINSHM_E_ACCESS, "read-only", "WINSHM_READ");
    CHECK_OK(winshm_close(reader));
    TOLD(winshm_import(NULL, 0, 0, &other), WINSHM_E_INVALID, "token is NULL");
    TOLD(winshm_import(token, WINSHM_WRITE, 0, &other), WINSHM_E_INVALID,
         "flags has 0x2", "the token says");
    TOLD(winshm_import("x", 0, 0, &other), WINSHM_E_TOKEN,
         "winshm_import: not a token: it does not begin like one",
         "winshm_export()");
    TOLD(winshm_import("winshm3:x", 0, 0, &other), WINSHM_E_LAYOUT,
         "version 3", "of 1");
    strcpy(text, token);
    text[strlen(text) - 10] = 'r';
    TOLD(winshm_import(text, 0, 0, &other), WINSHM_E_TOKEN, "altered");
    /* Links. */
    TOLD(winshm_link(h, NULL), WINSHM_E_INVALID, "path is NULL");
    TOLD(winshm_link(h, ""), WINSHM_E_INVALID, "path is empty");
    TOLD(winshm_link(h, "ab\xFF"), WINSHM_E_INVALID, "byte 2", "UTF-8");
    TOLD(winshm_link(h, "no-such-folder/x"), WINSHM_E_SYSTEM,
         "no such folder", "Make the folder");
    TOLD(winshm_open_link(path, 0, 0, &other), WINSHM_E_NOT_FOUND,
         "winshm_open_link '", "no link file");
    CHECK_OK(winshm_link(h, path));
    TOLD(winshm_link(h, path), WINSHM_E_EXISTS, "the handle has a link");
    CHECK_OK(winshm_create(NULL, BYTES, 0, &other));
    TOLD(winshm_link(other, path), WINSHM_E_EXISTS, "a region that lives",
         "Choose another path");
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
    TOLD(winshm_import(token, 0, 0, &other), WINSHM_E_NOT_FOUND, region_name,
         "has ended", "get a new token");
    CHECK_OK(winshm_create(region_name, BYTES, 0, &h));
    TOLD(winshm_import(token, 0, 0, &other), WINSHM_E_REPLACED, region_name,
         "removed or replaced: the one that the token is of has ended",
         "token of the new one");
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL);
    fclose(file);
    TOLD(winshm_link(h, path), WINSHM_E_EXISTS, "something else than a link");
    TOLD(winshm_open_link(path, 0, 0, &other), WINSHM_E_TOKEN,
         "does not begin like one");
    CHECK(remove(path) == 0);
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_create(region_name, BYTES, WINSHM_RAW, &h));
    TOLD(winshm_export(h, 0, text, sizeof text, &length), WINSHM_E_UNSUPPORTED,
         "raw region", "winshm_get_name()");
    CHECK_OK(winshm_close(h));
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("messages");
    test_arguments();
    test_mismatches();
    test_handles();
    test_owner(WINSHM_EXCLUSIVE);
    test_owner(WINSHM_SHARED);
    test_queue();
    test_neighbour();
    test_limits();
    test_hand();
    test_system();
    return 0;
}
