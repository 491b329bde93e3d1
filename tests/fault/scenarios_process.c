/* What a process does once: its first use of the library, fork, and its end. */
#ifndef _WIN32
#define _XOPEN_SOURCE 700
#endif
#include "run.h"

#ifdef _WIN32
#include <windows.h>

#include <sddl.h>
#else
#include <signal.h>
#include <unistd.h>
#endif

#include "platform.h"
#include "region.h"

static const struct scenario first_use, first_create;
#ifdef _WIN32
static const struct scenario first_foreign;
#endif

static void look_after_fork(void *handle)
{
    uint32_t now;
    winshm_status status = winshm_change_count(handle, &now);
    _Exit(status == WINSHM_E_FORKED ? 0 : 1);
}

/** A region can be made, used and left, whatever was refused at first. */
static void live(const char *name)
{
    struct child child;
    winshm_region *h;
    char text[16];
    EXPECT_OK(winshm_create(name, FAULT_SIZE, 0, &h));
    if (h == NULL)
        return;
    fault_write_text(h);
    EXPECT_OK(winshm_read(h, FAULT_SIZE - 16, text, 16, 1000));
    EXPECT_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 1000));
    EXPECT_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    if (child_fork(&child, look_after_fork, h))
        fault_expect(child_wait(&child, PATIENCE_MS) == 0,
                     "a forked child was not told so");
    fault_expect_status("wait", winshm_wait(h, 1, 1, NULL), WINSHM_E_TIMEOUT);
    EXPECT_OK(winshm_close(h));
}

/** The first call of a process. */
static void begin(const struct scenario *scenario, uint32_t number,
                  const char *name)
{
    winshm_region *h = NULL;
    fault_begin_child(scenario, number);
    fault_here(true);
    winshm_status status = strcmp(scenario->function, "winshm_create") == 0
                               ? winshm_create(name, FAULT_SIZE, 0, &h)
                               : winshm_open(name, 0, &h);
    fault_here(false);
    fault_judge(status);
    if (h != NULL)
        EXPECT_OK(winshm_close(h));
}

static void role_first(const char *name, uint32_t number)
{
    begin(&first_use, number, name);
    live(name);
    fault_end_child();
}

static void role_first_create(const char *name, uint32_t number)
{
    begin(&first_create, number, name);
    live(name);
    fault_end_child();
}

#ifdef _WIN32
static void role_first_foreign(const char *name, uint32_t number)
{
    begin(&first_foreign, number, name);
    fault_end_child();
}
#endif

#ifndef _WIN32
static const struct scenario cut = {
    .name = "cut", .function = "winshm_lock", .expected = WINSHM_E_CORRUPT};

static char cut_files[2][100];

/** Nobody knows any more whose the data are. */
static void end_cut(void)
{
    for (int i = 0; i < 2; i++)
        unlink(cut_files[i]);
    fault_end_child();
}

/** Without memory for the pages that are to come in the place of those that are
 * gone, it is a fault as any other. */
static void on_fault(int signal)
{
    (void)signal;
    if (!fault_refused("mmap") && !fault_refused("mremap"))
        _Exit(1);
    end_cut();
}

/** Locks a region whose control file somebody has cut short. */
static void role_cut(const char *name, uint32_t number)
{
    winshm_region *h;
    const char *own = cut_files[0] + sizeof "/dev/shm";
    signal(SIGBUS, on_fault);
    for (int i = 0; i < 2; i++)
        snprintf(cut_files[i], sizeof cut_files[i], "/dev/shm/%s-own%s", name,
                 i == 0 ? "" : ".winshm");
    fault_begin_child(&cut, number);
    EXPECT_OK(winshm_create(own, FAULT_SIZE, 0, &h));
    fault_expect(truncate(cut_files[1], 0) == 0, "the file could not be cut");
    fault_here(true);
    winshm_status status = winshm_lock(h, WINSHM_EXCLUSIVE, 1000);
    fault_here(false);
    fault_judge(status);
    EXPECT_OK(winshm_close(h));
    end_cut();
}
#endif

static winshm_status hear(struct child *child)
{
    fault_expect(fault_hear_child(child), "the child complained");
    return WINSHM_OK;
}

static winshm_status use_first(struct stage *s)
{
    struct child child = child_start("first", s->name, fault_number());
    return hear(&child);
}

static const struct scenario first_use = {.name = "first use",
                                          .function = "winshm_open",
                                          .expected = WINSHM_E_NOT_FOUND};

static winshm_status create_first(struct stage *s)
{
    struct child child = child_start("create", s->name, fault_number());
    return hear(&child);
}

static const struct scenario first_create = {.name = "first use: create",
                                             .function = "winshm_create"};

#ifdef _WIN32
static HANDLE control;

/** Somebody has taken the control section's name who is neither this user nor
 * the system. */
static void set_up_foreign(struct stage *s)
{
    char name[80];
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, NULL, FALSE};
    snprintf(name, sizeof name, "%s.winshm", s->name);
    ConvertStringSecurityDescriptorToSecurityDescriptorA(
        "O:WDD:P(A;;GA;;;WD)", SDDL_REVISION_1,
        &attributes.lpSecurityDescriptor, NULL);
    control = CreateFileMappingA(INVALID_HANDLE_VALUE, &attributes,
                                 PAGE_READWRITE, 0, 65536, name);
    LocalFree(attributes.lpSecurityDescriptor);
    fault_expect(control != NULL, "no control section");
}

static void tear_down_foreign(struct stage *s)
{
    (void)s;
    CloseHandle(control);
}

static winshm_status meet_foreign(struct stage *s)
{
    struct child child = child_start("foreign", s->name, fault_number());
    return hear(&child);
}

static const struct scenario first_foreign = {.name = "first use: foreign",
                                              .function = "winshm_open",
                                              .expected = WINSHM_E_FOREIGN};
#endif

/** Ends with regions open: one is its own, in the other somebody stays. */
static void role_exit(const char *name, uint32_t number)
{
    winshm_region *h;
    char own[80];
    snprintf(own, sizeof own, "%s-own", name);
    fault_begin_child(&first_use, number);
    EXPECT_OK(winshm_create(own, FAULT_SIZE, 0, &h));
    EXPECT_OK(winshm_open(name, 0, &h));
    fault_here(true);
    /* As exit() does, of which nobody could tell what it came to. */
    wshm_region_exit();
    fault_here(false);
    fault_end_child();
}

#ifndef _WIN32
static winshm_status lock_cut(struct stage *s)
{
    struct child child = child_start("cut", s->name, fault_number());
    return hear(&child);
}
#endif

static winshm_status exit_open(struct stage *s)
{
    struct child child = child_start("exit", s->name, fault_number());
    return hear(&child);
}

/** Whoever comes next finds nothing that is in the way. */
static void settle_exit(struct stage *s, winshm_status status)
{
    winshm_region *h;
    char own[80];
    (void)status;
    snprintf(own, sizeof own, "%s-own", s->name);
    EXPECT_OK(winshm_create(own, FAULT_SIZE, 0, &h));
    EXPECT_OK(winshm_close(h));
}

static void live_after_fork(void *stage)
{
    struct stage *s = stage;
    fault_here(false);
    fault_complaints = 0; /* those until here are the parent's */
    fault_expect_status("lock", winshm_lock(s->handle, WINSHM_EXCLUSIVE, 0),
                        WINSHM_E_FORKED);
    EXPECT_OK(winshm_open(s->name, 0, &s->handle));
    EXPECT_OK(winshm_lock(s->handle, WINSHM_EXCLUSIVE, 1000));
    EXPECT_OK(winshm_unlock(s->handle, WINSHM_EXCLUSIVE));
    EXPECT_OK(winshm_close(s->handle));
    fault_end_child();
}

static winshm_status fork_off(struct stage *s)
{
    struct child child;
    return child_fork(&child, live_after_fork, s) ? hear(&child) : WINSHM_OK;
}

const struct scenario fault_process[] = {
    {.name = "first use", .function = "winshm_open", .call = use_first},
    {.name = "first use: create",
     .function = "winshm_create",
     .call = create_first},
#ifdef _WIN32
    {.name = "first use: foreign",
     .function = "winshm_open",
     .call = meet_foreign,
     .set_up = set_up_foreign,
     .tear_down = tear_down_foreign},
#endif
    {.name = "exit",
     .function = "exit",
     .call = exit_open,
     .set_up = fault_set_up_region,
     .tear_down = fault_tear_down,
     .settle = settle_exit},
#ifndef _WIN32
    {.name = "cut", .function = "winshm_lock", .call = lock_cut},
#endif
    {.name = "fork",
     .function = "fork",
     .call = fork_off,
     .set_up = fault_set_up_pair,
     .tear_down = fault_tear_down},
    {.name = NULL},
};

static void role_stay(const char *unused, uint32_t unused2)
{
    (void)unused;
    (void)unused2;
    parent_hear();
}

const struct role fault_roles[] = {{"stay", role_stay},
                                   {"first", role_first},
                                   {"create", role_first_create},
                                   {"exit", role_exit},
#ifdef _WIN32
                                   {"foreign", role_first_foreign},
#else
                                   {"cut", role_cut},
#endif
                                   {NULL, NULL}};
