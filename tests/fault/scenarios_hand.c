/* Handing over: unnamed regions, tokens and link files. */
#include "fault.h"

static char token[WINSHM_TOKEN_MAX + 1], stale[WINSHM_TOKEN_MAX + 1];
static char path[64];

static void export_to(winshm_region *h, char *text)
{
    uint32_t length;
    EXPECT_OK(winshm_export(h, 0, text, sizeof token, &length));
}

static bool path_exists(void)
{
    FILE *file = fopen(path, "rb");
    if (file != NULL)
        fclose(file);
    return file != NULL;
}

static void put(const char *text)
{
    FILE *file = fopen(path, "wb");
    fault_expect(file != NULL && fputs(text, file) >= 0, "no file is written");
    fclose(file);
}

/** A region, a path, and the token of a region that has ended. */
static void set_up(struct stage *s)
{
    winshm_region *h;
    fault_set_up_region(s);
    export_to(s->other, token);
    EXPECT_OK(winshm_create(NULL, 1, 0, &h));
    export_to(h, stale);
    EXPECT_OK(winshm_close(h));
    snprintf(path, sizeof path, "%s.link", s->name);
    remove(path);
}

static void tear_down(struct stage *s)
{
    fault_tear_down(s);
    remove(path);
}

static void settle_opened(struct stage *s, winshm_status status)
{
    fault_expect((s->handle != NULL) == (status == WINSHM_OK),
                 "status and handle contradict each other");
    if (s->handle != NULL)
        EXPECT_OK(winshm_close(s->handle));
    s->handle = NULL;
}

static winshm_status create_unnamed(struct stage *s)
{
    return winshm_create(NULL, FAULT_SIZE, 0, &s->handle);
}

static winshm_status import(struct stage *s)
{
    return winshm_import(token, 0, 0, &s->handle);
}

static winshm_status import_ended(struct stage *s)
{
    return winshm_import(stale, 0, 0, &s->handle);
}

/* Links. */

static void prepare_handle(struct stage *s)
{
    if (s->handle == NULL)
        EXPECT_OK(winshm_create(NULL, 1, 0, &s->handle));
}

static void prepare_stale(struct stage *s)
{
    prepare_handle(s);
    put(stale);
}

static void prepare_living(struct stage *s)
{
    prepare_handle(s);
    put(token);
}

static winshm_status make_link(struct stage *s)
{
    return winshm_link(s->handle, path);
}

/** What was made leads to its region, and goes with it; if it could not be
 * removed, it is replaced the next time. */
static void settle_linked(struct stage *s, winshm_status status)
{
    winshm_region *found;
    if (status == WINSHM_OK) {
        EXPECT_OK(winshm_open_link(path, 0, 0, &found));
        EXPECT_OK(winshm_close(found));
    }
    EXPECT_OK(winshm_close(s->handle));
    s->handle = NULL;
    fault_expect(status != WINSHM_OK || !path_exists(), "the link is left");
}

static void settle_kept(struct stage *s, winshm_status status)
{
    (void)status;
    EXPECT_OK(winshm_close(s->handle));
    s->handle = NULL;
    fault_expect(path_exists(), "the living link is gone");
}

static winshm_status open_link(struct stage *s)
{
    return winshm_open_link(path, 0, 0, &s->handle);
}

static void set_up_linked(struct stage *s)
{
    set_up(s);
    EXPECT_OK(winshm_link(s->other, path));
}

static void prepare_linked(struct stage *s)
{
    prepare_handle(s);
    winshm_status status = winshm_link(s->handle, path);
    /* From a close that was refused the removing. */
    fault_expect(status == WINSHM_OK || status == WINSHM_E_EXISTS,
                 "winshm_link gave %s", winshm_status_name(status));
}

static winshm_status close_linked(struct stage *s)
{
    winshm_status status = winshm_close(s->handle);
    if (status == WINSHM_OK)
        s->handle = NULL;
    return status;
}

#define LINKS(text, before, expected_status, settling)                         \
    {                                                                          \
        .name = text, .function = "winshm_link", .call = make_link,            \
        .set_up = set_up, .tear_down = tear_down, .prepare = before,           \
        .settle = settling, .expected = expected_status                        \
    }

const struct scenario fault_hand[] = {
    {.name = "create unnamed",
     .function = "winshm_create",
     .call = create_unnamed,
     .settle = settle_opened},
    {.name = "import",
     .function = "winshm_import",
     .call = import,
     .set_up = set_up,
     .tear_down = tear_down,
     .settle = settle_opened},
    {.name = "import: ended",
     .function = "winshm_import",
     .call = import_ended,
     .set_up = set_up,
     .tear_down = tear_down,
     .settle = settle_opened,
     .expected = WINSHM_E_NOT_FOUND},
    LINKS("link", prepare_handle, WINSHM_OK, settle_linked),
    LINKS("link: over a stale one", prepare_stale, WINSHM_OK, settle_linked),
    LINKS("link: one that lives", prepare_living, WINSHM_E_EXISTS, settle_kept),
    {.name = "open_link",
     .function = "winshm_open_link",
     .call = open_link,
     .set_up = set_up_linked,
     .tear_down = tear_down,
     .settle = settle_opened},
    {.name = "close: with a link",
     .function = "winshm_close",
     .call = close_linked,
     .set_up = set_up,
     .tear_down = tear_down,
     .prepare = prepare_linked},
    {.name = NULL},
};
