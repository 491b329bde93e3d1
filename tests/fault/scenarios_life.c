/* Entering and leaving regions. */
#include "fault.h"
#include "plain.h"
#include "sweep.h"

#ifdef _WIN32
#include "global_win32.h"
#endif

void fault_write_text(winshm_region *h)
{
    EXPECT_OK(winshm_write(h, FAULT_SIZE - 16, "0123456789abcdef", 16, 1000));
}

/** For tasks, since another thread unlocks what this one has locked. */
void fault_set_up_region(struct stage *s)
{
    EXPECT_OK(winshm_create(s->name, FAULT_SIZE, WINSHM_TASK, &s->other));
    fault_write_text(s->other);
}

void fault_set_up_pair(struct stage *s)
{
    fault_set_up_region(s);
    EXPECT_OK(winshm_open(s->name, 0, &s->handle));
}

void fault_tear_down(struct stage *s)
{
    if (s->handle != NULL)
        EXPECT_OK(winshm_close(s->handle));
    if (s->other != NULL)
        EXPECT_OK(winshm_close(s->other));
}

static bool joined(const struct stage *s, const winshm_info *info)
{
    return s->other != NULL && !info->observer &&
           info->kind == WINSHM_KIND_MANAGED;
}

/** What a call that opens has opened is whole, and closed again. */
static void settle_opened(struct stage *s, winshm_status status)
{
    winshm_info info = {.struct_size = sizeof info};
    fault_expect((s->handle != NULL) == (status == WINSHM_OK),
                 "status and handle contradict each other");
    if (s->handle == NULL)
        return;
    EXPECT_OK(winshm_get_info(s->handle, &info));
    if (info.kind == WINSHM_KIND_MANAGED)
        fault_expect(info.participants == (joined(s, &info) ? 2 : 1),
                     "%u participants", (unsigned)info.participants);
    fault_expect(winshm_data(s->handle) != NULL, "no data");
    if (info.access != WINSHM_READ)
        fault_write_text(s->handle);
    EXPECT_OK(winshm_close(s->handle));
    s->handle = NULL;
}

static winshm_status create(struct stage *s)
{
    return winshm_create(s->name, FAULT_SIZE, 0, &s->handle);
}

/** The message has the name of the creator's program, if the system tells it. */
static winshm_status create_and_ask(struct stage *s)
{
    winshm_status status = create(s);
    if (status != WINSHM_OK)
        winshm_last_message();
    return status;
}

static winshm_status open(struct stage *s)
{
    return winshm_open(s->name, 0, &s->handle);
}

/** The message has what the system says, if that tells it. */
static winshm_status open_and_ask(struct stage *s)
{
    winshm_status status = open(s);
    if (status != WINSHM_OK)
        winshm_last_message();
    return status;
}

static winshm_status open_read(struct stage *s)
{
    return winshm_open(s->name, WINSHM_READ, &s->handle);
}

static winshm_status open_or_create(struct stage *s)
{
    return winshm_open_or_create(s->name, FAULT_SIZE, 0, &s->handle);
}

static winshm_status create_raw(struct stage *s)
{
    return winshm_create(s->name, FAULT_SIZE, WINSHM_RAW, &s->handle);
}

static winshm_status open_raw(struct stage *s)
{
    return winshm_open(s->name, WINSHM_RAW, &s->handle);
}

static winshm_status open_or_create_raw(struct stage *s)
{
    return winshm_open_or_create(s->name, FAULT_SIZE, WINSHM_RAW, &s->handle);
}

static winshm_status create_with(struct stage *s, const char *security)
{
    winshm_options options = {.struct_size = sizeof options,
                              .disposition = WINSHM_CREATE_NEW,
                              .name = s->name,
                              .size = FAULT_SIZE,
                              .security = security};
    return winshm_open_with(&options, &s->handle);
}

static winshm_status create_to_grow(struct stage *s)
{
    winshm_options options = {.struct_size = sizeof options,
                              .disposition = WINSHM_CREATE_NEW,
                              .name = s->name,
                              .size = FAULT_SIZE,
                              .capacity = 10 * FAULT_SIZE};
    return winshm_open_with(&options, &s->handle);
}

static void set_up_to_grow(struct stage *s)
{
    EXPECT_OK(create_to_grow(s));
    fault_write_text(s->handle);
    s->other = s->handle;
    s->handle = NULL;
}

static winshm_status create_session(struct stage *s)
{
    return create_with(s, "session");
}

static winshm_status create_interactive(struct stage *s)
{
    return create_with(s, "interactive-read");
}

static winshm_status create_everyone(struct stage *s)
{
    return create_with(s, "everyone-read");
}

#ifdef _WIN32
/** With entries of every sort that the life lock's list is made from. */
static winshm_status create_sddl(struct stage *s)
{
    return create_with(
        s, "D:P(D;;GW;;;AN)(A;;GA;;;WD)(A;;GR;;;IU)S:(ML;;NW;;;LW)");
}

static winshm_status create_global(struct stage *s)
{
    char name[80];
    bool apart;
    snprintf(name, sizeof name, "%s%s", global_try(&apart) ? "Global\\" : "",
             s->name);
    return winshm_create(name, FAULT_SIZE, 0, &s->handle);
}
#endif

/* What an outside program holds. */

static struct plain plain;

static void set_up_plain(struct stage *s)
{
    fault_expect(plain_create(&plain, s->name, FAULT_SIZE), "no plain block");
}

static void tear_down_plain(struct stage *s)
{
    plain_close(&plain);
    plain_remove(s->name);
}

#ifdef _WIN32
/** The control section of an earlier life, of which anybody may have a handle,
 * with another list than ours. */
static void set_up_kept(struct stage *s)
{
    char control[80];
    snprintf(control, sizeof control, "%s.winshm", s->name);
    fault_expect(plain_create(&plain, control, 65536), "no control section");
}
#endif

/* What a death has left. */

static void prepare_leftovers(struct stage *s)
{
    EXPECT_OK(winshm_create(s->name, FAULT_SIZE, 0, &s->handle));
    if (!fault_leave_names(s->handle, s->name))
        EXPECT_OK(winshm_close(s->handle));
    s->handle = NULL;
}

/* What deaths have left of others. */

static const char *part_of(const struct stage *s, const char *suffix)
{
    static char parts[2][80];
    static unsigned next;
    char *part = parts[next++ % 2];
    snprintf(part, sizeof parts[0], "%s-other%s", s->name, suffix);
    return part;
}

static void remove_others(const struct stage *s)
{
    wshm_sweep_next = UINT64_MAX;
    plain_remove(part_of(s, ""));
    plain_remove(part_of(s, ".winshm"));
}

static void prepare_others(struct stage *s)
{
    winshm_region *h;
    remove_others(s);
    EXPECT_OK(winshm_create(part_of(s, ""), FAULT_SIZE, 0, &h));
    if (!fault_leave_names(h, part_of(s, "")))
        EXPECT_OK(winshm_close(h));
    wshm_sweep_next = 0;
}

static void tear_down_others(struct stage *s)
{
    fault_tear_down(s);
    remove_others(s);
}

/* Leaving. */

static void prepare_created(struct stage *s)
{
    if (s->handle == NULL)
        EXPECT_OK(winshm_create(s->name, FAULT_SIZE, 0, &s->handle));
}

static void look_at(void *stage)
{
    EXPECT_OK(winshm_size(((struct stage *)stage)->handle) == FAULT_SIZE
                  ? WINSHM_OK
                  : WINSHM_E_SIZE);
}

/** Another thread than that which closes is the first to use it. */
static void prepare_used(struct stage *s)
{
    if (s->handle != NULL)
        return;
    EXPECT_OK(winshm_create(s->name, FAULT_SIZE, 0, &s->handle));
    thread_join(thread_start(look_at, s));
}

static void prepare_joined(struct stage *s)
{
    if (s->handle == NULL)
        EXPECT_OK(winshm_open(s->name, 0, &s->handle));
}

static void prepare_raw(struct stage *s)
{
    if (s->handle == NULL)
        EXPECT_OK(create_raw(s));
}

static winshm_status close(struct stage *s)
{
    return winshm_close(s->handle);
}

static void settle_closed(struct stage *s, winshm_status status)
{
    if (status == WINSHM_OK)
        s->handle = NULL;
}

/** Without a control block nobody else will do what was refused. */
static void settle_closed_raw(struct stage *s, winshm_status status)
{
    settle_closed(s, status);
    if (fault_refused("unlink") || fault_refused("lstat") ||
        fault_refused("fstat"))
        plain_remove(s->name);
}

static void prepare_view(struct stage *s)
{
    if (s->view != NULL)
        return;
    EXPECT_OK(winshm_create(s->name, FAULT_SIZE, 0, &s->handle));
    EXPECT_OK(winshm_map(s->handle, 5000, 100, 0, &s->view));
    EXPECT_OK(winshm_close(s->handle));
    s->handle = NULL;
}

static winshm_status unmap(struct stage *s)
{
    return winshm_unmap(s->view);
}

static void settle_unmapped(struct stage *s, winshm_status status)
{
    if (status == WINSHM_OK)
        s->view = NULL;
}

#define OPENS(text, what, act)                                                 \
    .name = text, .function = what, .call = act, .settle = settle_opened,      \
    .tear_down = fault_tear_down

#ifdef _WIN32
#define DENIED "OpenFileMappingW", .always_times = 2, .always_code = 5
#else
#define DENIED "open", .always_times = 1, .always_code = 13
#endif

const struct scenario fault_life[] = {
    {OPENS("create", "winshm_create", create)},
    {OPENS("create: exists", "winshm_create", create_and_ask),
     .set_up = fault_set_up_region, .expected = WINSHM_E_EXISTS},
    {OPENS("create: over leftovers", "winshm_create", create),
     .prepare = prepare_leftovers},
    {.name = "create: held",
     .function = "winshm_create",
     .call = create,
     .settle = settle_opened,
     .set_up = set_up_plain,
     .tear_down = tear_down_plain,
     .expected = WINSHM_E_HELD},
    {.name = "create: tidies",
     .function = "winshm_create",
     .call = create,
     .prepare = prepare_others,
     .settle = settle_opened,
     .tear_down = tear_down_others},
#ifndef _WIN32
    {OPENS("create without /proc", "winshm_create", create), .always = "linkat",
     .always_times = 1, .always_code = 2},
#endif
    {OPENS("create to grow", "winshm_open_with", create_to_grow)},
    {OPENS("create for the session", "winshm_open_with", create_session)},
    {OPENS("create, interactive to read", "winshm_open_with",
           create_interactive)},
    {OPENS("create, everyone to read", "winshm_open_with", create_everyone)},
#ifdef _WIN32
    {OPENS("create by SDDL", "winshm_open_with", create_sddl)},
    {OPENS("create globally", "winshm_create", create_global)},
    {.name = "create: control section kept",
     .function = "winshm_create",
     .call = create,
     .settle = settle_opened,
     .set_up = set_up_kept,
     .tear_down = tear_down_plain},
#endif
    {OPENS("open_or_create: creates", "winshm_open_or_create", open_or_create)},
    {OPENS("open_or_create: joins", "winshm_open_or_create", open_or_create),
     .set_up = fault_set_up_region},
    {.name = "open_or_create: adopts",
     .function = "winshm_open_or_create",
     .call = open_or_create,
     .settle = settle_opened,
     .set_up = set_up_plain,
     .tear_down = tear_down_plain},
    {OPENS("open", "winshm_open", open), .set_up = fault_set_up_region},
    {OPENS("open: nothing", "winshm_open", open_and_ask),
     .expected = WINSHM_E_NOT_FOUND},
    {OPENS("open: leftovers", "winshm_open", open),
     .prepare = prepare_leftovers, .expected = WINSHM_E_NOT_FOUND},
    {.name = "open: not managed",
     .function = "winshm_open",
     .call = open,
     .settle = settle_opened,
     .set_up = set_up_plain,
     .tear_down = tear_down_plain,
     .expected = WINSHM_E_NOT_MANAGED},
    {OPENS("open to read", "winshm_open", open_read),
     .set_up = fault_set_up_region},
    {OPENS("open to observe", "winshm_open", open_read),
     .set_up = fault_set_up_region, .always = DENIED},
#ifdef _WIN32
    {OPENS("open: sizes not told", "winshm_open", open),
     .set_up = fault_set_up_region, .always = "NtQuerySection",
     .always_times = 100, .always_code = 5},
#endif
    {OPENS("create raw", "winshm_create", create_raw)},
    {OPENS("open raw", "winshm_open", open_raw), .set_up = fault_set_up_region},
    {OPENS("open raw: it can grow", "winshm_open", open_raw),
     .set_up = set_up_to_grow},
    {OPENS("open_or_create raw", "winshm_open_or_create", open_or_create_raw)},
    {.name = "close: last",
     .function = "winshm_close",
     .call = close,
     .prepare = prepare_created,
     .settle = settle_closed},
    {.name = "close: another thread's",
     .function = "winshm_close",
     .call = close,
     .prepare = prepare_used,
     .settle = settle_closed},
    {.name = "close: others stay",
     .function = "winshm_close",
     .call = close,
     .set_up = fault_set_up_region,
     .prepare = prepare_joined,
     .settle = settle_closed,
     .tear_down = fault_tear_down},
    {.name = "close raw",
     .function = "winshm_close",
     .call = close,
     .prepare = prepare_raw,
     .settle = settle_closed_raw},
    {.name = "unmap: last",
     .function = "winshm_unmap",
     .call = unmap,
     .prepare = prepare_view,
     .settle = settle_unmapped},
    {.name = NULL},
};
