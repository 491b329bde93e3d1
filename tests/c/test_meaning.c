/* Layout texts of regions: who is refused for what, and who is told. */
#include <string.h>

#include "check.h"
#include "child.h"
#include "files.h"
#include "observer.h"
#include "plain.h"

enum { ROOM = WINSHM_LAYOUT_MAX + 1, CONTROL = 65536, LAYOUT = 53248 };

static const char GAME[] = "score:u32@0; lives:u8@4; size 8";
static const char DRIFTED[] = "score:u32@0; lives:u32@4; size 8";

static winshm_options options(const char *name, uint32_t disposition,
                              uint64_t size, const char *layout)
{
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = disposition,
                        .size = size,
                        .name = name,
                        .layout = layout};
    return o;
}

/** Opens, and closes again what was opened. */
static winshm_status try_open(winshm_options o)
{
    winshm_region *h = NULL;
    winshm_status status = winshm_open_with(&o, &h);
    CHECK((h != NULL) == (status == WINSHM_OK));
    if (status == WINSHM_OK)
        CHECK_OK(winshm_close(h));
    return status;
}

static winshm_status create(const char *name, uint64_t size, const char *layout)
{
    return try_open(options(name, WINSHM_CREATE_NEW, size, layout));
}

static winshm_status join(const char *name, const char *layout)
{
    return try_open(options(name, WINSHM_OPEN_EXISTING, 0, layout));
}

static winshm_region *created(const char *name, uint64_t size,
                              const char *layout)
{
    winshm_region *h;
    winshm_options o = options(name, WINSHM_CREATE_NEW, size, layout);
    CHECK_OK(winshm_open_with(&o, &h));
    return h;
}

static void has_layout(winshm_region *h, const char *expected)
{
    static char text[ROOM];
    uint32_t length = 99;
    memset(text, 0x5A, sizeof text);
    CHECK_OK(winshm_get_layout(h, text, sizeof text, &length));
    CHECK(strcmp(text, expected) == 0);
    CHECK_EQ(length, strlen(expected));
}

static bool told(const char *piece)
{
    return strstr(winshm_last_message(), piece) != NULL;
}

static void role_join(const char *name, uint32_t drifted)
{
    winshm_region *h;
    CHECK_OK(winshm_open(name, 0, &h));
    has_layout(h, GAME);
    CHECK_OK(winshm_close(h));
    CHECK_OK(join(name, "Lives:i8@4;Score:u32@0;size 8"));
    CHECK_STATUS(join(name, DRIFTED), WINSHM_E_TAG);
    CHECK(told("another layout: field 'lives' is u32 @4 here, u8 @4 in the "
               "region [WINSHM_E_TAG]"));
    /* With a size, too, the cause is told. */
    CHECK_STATUS(try_open(options(name, WINSHM_OPEN_OR_CREATE, 9, DRIFTED)),
                 WINSHM_E_TAG);
    CHECK_STATUS(try_open(options(name, WINSHM_OPEN_OR_CREATE, 9, GAME)),
                 WINSHM_E_SIZE);
    CHECK_OK(try_open(options(name, WINSHM_OPEN_OR_CREATE, 8, GAME)));
    CHECK_OK(try_open(
        options(name, WINSHM_OPEN_OR_CREATE, 8, drifted ? NULL : GAME)));
}

static void test_processes(void)
{
    const char *name = name_of("meaning");
    winshm_region *h = created(name, 8, " score : u32@0;lives:u8@4;size 8");
    has_layout(h, GAME);
    struct child other = child_start("join", name, 0);
    CHECK_EQ(child_wait(&other, PATIENCE_MS), 0);
    CHECK_OK(winshm_close(h));
    /* The next life has its own, or none. */
    h = created(name, 8, NULL);
    has_layout(h, "");
    CHECK_OK(join(name, DRIFTED));
    CHECK_OK(winshm_close(h));
    h = created(name, 8, DRIFTED);
    has_layout(h, DRIFTED);
    CHECK_STATUS(join(name, GAME), WINSHM_E_TAG);
    CHECK_OK(winshm_close(h));
}

static void role_leave(const char *name, uint32_t unused)
{
    (void)unused;
    created(name, 200, DRIFTED);
    child_die();
}

/** Nothing shows of the text that a crashed life has left in the block. */
static void test_left_over(void)
{
    const char *name = name_of("left-over");
    /* None, one that is shorter, and ones that just fill their words. */
    static const char *const texts[] = {NULL, "size 1", "size 12", "size 123",
                                        "size 0"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct child child = child_start("leave", name, 0);
        child_wait(&child, PATIENCE_MS);
        winshm_region *h = created(name, 200, texts[i]);
        has_layout(h, texts[i] != NULL ? texts[i] : "");
        CHECK_OK(winshm_close(h));
    }
}

static void test_arguments(void)
{
    const char *name = name_of("arguments");
    winshm_region *h;
    CHECK_STATUS(create(name, 8, ""), WINSHM_E_INVALID);
    CHECK(told("layout, byte 0: here should be a name or size"));
    CHECK_STATUS(create(name, 8, "score:u32@0; lives:u9@4; size 8"),
                 WINSHM_E_INVALID);
    CHECK(told("layout, byte 19: here should be a kind [WINSHM_E_INVALID]. See "
               "winshm_format_layout() in winshm.h."));
    CHECK_STATUS(create(name, 7, GAME), WINSHM_E_INVALID);
    CHECK(told("the layout has 8 bytes, size is 7"));
    CHECK_STATUS(join(name, "x"), WINSHM_E_INVALID);
    winshm_options o = options(name, WINSHM_CREATE_NEW, 8, GAME);
    o.flags = WINSHM_RAW;
    CHECK_STATUS(try_open(o), WINSHM_E_UNSUPPORTED);
    CHECK(told("a raw region has no layout"));
    /* Nothing was made. */
    CHECK_STATUS(join(name, GAME), WINSHM_E_NOT_FOUND);
    /* A region may be larger, and a joiner's layout not. */
    CHECK_OK(create(name, 9, GAME));
    h = created(name, 7, NULL);
    CHECK_STATUS(join(name, GAME), WINSHM_E_SIZE);
    CHECK(told("the region has 7 bytes, the layout 8"));
    CHECK_OK(winshm_close(h));
}

static void test_get(void)
{
    const char *name = name_of("get");
    winshm_region *h = created(name, 8, GAME);
    char text[64];
    uint32_t length = 99;
    for (uint32_t room = 0; room < sizeof text; room++) {
        memset(text, 0x5A, sizeof text);
        winshm_status status =
            winshm_get_layout(h, room == 0 ? NULL : text, room, &length);
        bool fits = room > strlen(GAME);
        CHECK_EQ(status, fits ? WINSHM_OK : WINSHM_E_RANGE);
        CHECK_EQ(length, strlen(GAME));
        if (room > 0)
            CHECK(strcmp(text, fits ? GAME : "") == 0);
        for (uint32_t i = room; i < sizeof text; i++)
            CHECK_EQ(text[i], 0x5A);
    }
    CHECK_STATUS(winshm_get_layout(h, text, sizeof text, NULL),
                 WINSHM_E_INVALID);
    CHECK_STATUS(winshm_get_layout(h, NULL, 1, &length), WINSHM_E_INVALID);
    CHECK_EQ(length, 0);
    CHECK_STATUS(winshm_get_layout(NULL, text, sizeof text, &length),
                 WINSHM_E_HANDLE);
    CHECK(text[0] == '\0');
    CHECK_OK(winshm_close(h));
    CHECK_STATUS(winshm_get_layout(h, text, sizeof text, &length),
                 WINSHM_E_CLOSED);
    /* None: not even a byte is needed. */
    h = created(name, 8, NULL);
    CHECK_OK(winshm_get_layout(h, NULL, 0, &length));
    CHECK_EQ(length, 0);
    CHECK_OK(winshm_get_layout(h, text, 1, &length));
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_create(name, 8, WINSHM_RAW, &h));
    CHECK_STATUS(winshm_get_layout(h, text, sizeof text, &length),
                 WINSHM_E_UNSUPPORTED);
    CHECK_OK(winshm_close(h));
}

/** The longest one there is. */
static void test_longest(void)
{
    const char *name = name_of("longest");
    static char text[ROOM];
    char *end = text;
    for (int i = 0; i < 628; i++)
        end += sprintf(end, "n%05d:u8@0; ", i);
    sprintf(end, "one_name_more_:u8@0; size 1");
    CHECK_EQ(strlen(text), WINSHM_LAYOUT_MAX);
    winshm_region *h = created(name, 1, text);
    has_layout(h, text);
    CHECK_OK(join(name, text));
    CHECK_OK(winshm_close(h));
}

/** A block of a program without winshm gets a layout, too. */
static void test_adopted(void)
{
    const char *name = name_of("adopted");
    struct plain plain;
    winshm_region *h;
    winshm_options o = options(name, WINSHM_OPEN_OR_CREATE, 8, GAME);
    CHECK(plain_create(&plain, name, 4096));
    CHECK_OK(winshm_open_with(&o, &h));
    has_layout(h, GAME);
    CHECK_STATUS(join(name, DRIFTED), WINSHM_E_TAG);
    CHECK_OK(winshm_close(h));
    plain_close(&plain);
    plain_remove(name);
}

/** A header of before there were layouts: what lies behind its struct is not
 * looked at. */
static void test_older(void)
{
    const char *name = name_of("older");
    winshm_options o =
        options(name, WINSHM_CREATE_NEW, 8, (const char *)(uintptr_t)1);
    for (o.struct_size = offsetof(winshm_options, layout);
         o.struct_size < offsetof(winshm_options, layout) + sizeof o.layout;
         o.struct_size++)
        CHECK_OK(try_open(o));
}

/* Observers. */

static winshm_region *shown_with(const char *name, const char *layout)
{
    winshm_region *h;
    winshm_options o = options(name, WINSHM_CREATE_NEW, SIZE, layout);
    o.security = "everyone-read";
    CHECK_OK(winshm_open_with(&o, &h));
    return h;
}

static void role_observe(const char *name, uint32_t unused)
{
    winshm_region *h = observed(name);
    char text[64] = "before";
    uint32_t length;
    (void)unused;
    has_layout(h, GAME);
    winshm_options o = options(name, WINSHM_OPEN_EXISTING, 0, GAME);
    o.flags = WINSHM_READ;
    o.security = "anyone";
    CHECK_OK(try_open(o));
    o.layout = DRIFTED;
    CHECK_STATUS(try_open(o), WINSHM_E_TAG);
    CHECK(told("field 'lives' is u32 @4 here, u8 @4 in the region"));
    parent_tell('o');
    CHECK_EQ(parent_hear(), 'e');
    sleep_ms(250);
    /* What is there by now, if anything, is another life's. */
    CHECK_STATUS(winshm_get_layout(h, text, sizeof text, &length),
                 WINSHM_E_NOT_FOUND);
    CHECK(text[0] == '\0' && length == 0);
}

static void test_observer(void)
{
    const char *name = name_of("observed");
    winshm_region *h = shown_with(name, GAME);
    struct child observer = child_start("observe", name, 0);
    int heard = child_hear(&observer, PATIENCE_MS);
    CHECK_OK(winshm_close(h));
    if (heard == -1) { /* no rights to give up */
        CHECK_EQ(child_wait(&observer, PATIENCE_MS), CHECK_SKIPPED);
        return;
    }
    CHECK_EQ(heard, 'o');
    h = shown_with(name, DRIFTED);
    child_tell(&observer, 'e');
    CHECK_EQ(child_wait(&observer, PATIENCE_MS), 0);
    CHECK_OK(winshm_close(h));
}

/* Hostile memory. */

struct hostile {
    const char *name;
    const char *path; /* a file that was saved before */
    winshm_region *h;
    struct plain control;
    volatile char *text;
    volatile uint32_t stop;
};

static void hostile_begin(struct hostile *x)
{
    static char control_name[80];
    x->name = name_of("hostile");
    x->h = created(x->name, 8, GAME);
    x->path = file_of("hostile");
    CHECK_OK(winshm_save(x->h, x->path, 0));
    snprintf(control_name, sizeof control_name, "%s.winshm", x->name);
    CHECK(plain_open(&x->control, control_name, CONTROL));
    x->text = (volatile char *)x->control.data + LAYOUT;
}

static void hostile_write(struct hostile *x, const char *text)
{
    for (size_t i = 0; i <= strlen(text); i++)
        x->text[i] = text[i];
}

static void damaged(struct hostile *x)
{
    static char text[ROOM];
    uint32_t length = 99;
    text[0] = 'x';
    CHECK_STATUS(winshm_get_layout(x->h, text, sizeof text, &length),
                 WINSHM_E_CORRUPT);
    CHECK(text[0] == '\0' && length == 0);
    CHECK_STATUS(winshm_save(x->h, x->path, 0), WINSHM_E_CORRUPT);
    CHECK_STATUS(winshm_load(x->h, x->path, 0), WINSHM_E_CORRUPT);
    CHECK_STATUS(join(x->name, GAME), WINSHM_E_CORRUPT);
    CHECK(told("the layout is none that winshm has stored"));
    /* Whoever does not ask is not kept out. */
    CHECK_OK(join(x->name, NULL));
}

/** Writes now this text, now that one, as fast as it can. */
static void scribble(void *hostile)
{
    struct hostile *x = hostile;
    for (uint32_t i = 0; x->stop == 0; i++) {
        hostile_write(x, i % 2 != 0 ? GAME : DRIFTED);
        if (i % 64 == 0)
            x->text[strlen(GAME)] = ';';
    }
}

static void test_hostile(void)
{
    struct hostile x = {.stop = 0};
    static char text[ROOM];
    uint32_t length, kinds[3] = {0};
    hostile_begin(&x);
    has_layout(x.h, GAME);
    static const char *const malformed[] = {
        "x", "size", "score:u32@0; score:u32@4; size 8", "size 8;",
        /* More than the region has. */
        "size 9", "score:u32@0; lives:u8@4; size 9223372036854775807"};
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        hostile_write(&x, malformed[i]);
        damaged(&x);
    }
    /* Without an end: up to the block's last byte. */
    for (uint32_t i = 0; i < CONTROL - LAYOUT; i++)
        x.text[i] = ' ';
    damaged(&x);
    for (uint32_t i = 0; i < CONTROL - LAYOUT; i++)
        x.text[i] = "s:{"[i % 3];
    damaged(&x);
    hostile_write(&x, GAME);
    x.text[ROOM] = 'x';
    has_layout(x.h, GAME);
    hostile_write(&x, "");
    has_layout(x.h, "");
    CHECK_OK(join(x.name, DRIFTED));
    /* Changed between looks. */
    struct thread writer = thread_start(scribble, &x);
    uint64_t end = clock_ms() + 300;
    while (clock_ms() < end) {
        winshm_status status =
            winshm_get_layout(x.h, text, sizeof text, &length);
        CHECK(status == WINSHM_OK || status == WINSHM_E_CORRUPT);
        CHECK_EQ(length, strlen(text));
        status = join(x.name, GAME);
        if (status != WINSHM_OK && status != WINSHM_E_CORRUPT)
            CHECK_STATUS(status, WINSHM_E_TAG);
        kinds[status == WINSHM_OK ? 0 : status == WINSHM_E_TAG ? 1 : 2]++;
    }
    x.stop = 1;
    thread_join(writer);
    CHECK(kinds[0] + kinds[1] > 0);
    CHECK_OK(winshm_close(x.h));
    CHECK_EQ(remove(x.path), 0);
    plain_close(&x.control);
}

static const struct role roles[] = {{"join", role_join},
                                    {"observe", role_observe},
                                    {"leave", role_leave},
                                    {NULL, NULL}};

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    test_processes();
    test_left_over();
    test_arguments();
    test_get();
    test_longest();
    test_adopted();
    test_older();
    test_observer();
    test_hostile();
    return 0;
}
