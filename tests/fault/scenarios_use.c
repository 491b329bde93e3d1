/* Using regions: parts and copies, the lock, changes, what can be told. */
#include "fault.h"

#include "handle.h"

/* Parts and copies. */

static void set_up_unmapped(struct stage *s)
{
    fault_set_up_region(s);
    EXPECT_OK(winshm_open(s->name, WINSHM_NO_MAP, &s->handle));
}

static winshm_status map(struct stage *s)
{
    return winshm_map(s->handle, 5000, 100, 0, &s->view);
}

static void settle_mapped(struct stage *s, winshm_status status)
{
    fault_expect((s->view != NULL) == (status == WINSHM_OK),
                 "status and view contradict each other");
    if (s->view != NULL) {
        memset(winshm_view_data(s->view), 1, 100);
        EXPECT_OK(winshm_unmap(s->view));
    }
    s->view = NULL;
}

static winshm_status read_text(struct stage *s)
{
    char text[16];
    winshm_status status = winshm_read(s->handle, FAULT_SIZE - sizeof text,
                                       text, sizeof text, FAULT_SHORT_MS);
    fault_expect(status != WINSHM_OK ||
                     memcmp(text, "0123456789abcdef", 16) == 0,
                 "other data were read");
    return status;
}

static winshm_status write_text(struct stage *s)
{
    return winshm_write(s->handle, FAULT_SIZE - 16, "0123456789abcdef", 16,
                        FAULT_SHORT_MS);
}

static void prepare_held(struct stage *s)
{
    EXPECT_OK(winshm_lock(s->handle, WINSHM_EXCLUSIVE, FAULT_SHORT_MS));
}

static void settle_held(struct stage *s, winshm_status status)
{
    (void)status;
    EXPECT_OK(winshm_unlock(s->handle, WINSHM_EXCLUSIVE));
}

static winshm_status copy_text_out(struct stage *s)
{
    char text[16];
    return winshm_copy_out(s->handle, FAULT_SIZE - sizeof text, text,
                           sizeof text);
}

static winshm_status copy_text_in(struct stage *s)
{
    return winshm_copy_in(s->handle, FAULT_SIZE - 16, "0123456789abcdef", 16);
}

#ifdef _WIN32
#include <windows.h>

static void take_pages(struct stage *s)
{
    DWORD before;
    VirtualProtect(winshm_data(s->handle), FAULT_SIZE, PAGE_NOACCESS, &before);
}

static void give_pages(struct stage *s, winshm_status status)
{
    DWORD before;
    (void)status;
    VirtualProtect(winshm_data(s->handle), FAULT_SIZE, PAGE_READWRITE, &before);
}
#endif

/* Growth. */

static void set_up_growing(struct stage *s)
{
    winshm_options o = {.struct_size = sizeof o,
                        .flags = WINSHM_TASK,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = FAULT_SIZE,
                        .capacity = 1 << 20,
                        .name = s->name};
    EXPECT_OK(winshm_open_with(&o, &s->other));
    fault_write_text(s->other);
    EXPECT_OK(winshm_open(s->name, 0, &s->handle));
}

static uint64_t size_before;

static void prepare_resize(struct stage *s)
{
    size_before = winshm_size(s->handle);
}

static winshm_status resize(struct stage *s)
{
    return winshm_resize(s->handle, size_before + 1, FAULT_SHORT_MS);
}

static void settle_resize(struct stage *s, winshm_status status)
{
    uint64_t size = size_before + (status == WINSHM_OK);
    fault_expect(winshm_size(s->handle) == size &&
                     winshm_size(s->other) == size,
                 "after %s there are %u bytes", winshm_status_name(status),
                 (unsigned)winshm_size(s->other));
}

/* What can be told. */

static winshm_status get_info(struct stage *s)
{
    winshm_info info = {.struct_size = sizeof info};
    winshm_status status = winshm_get_info(s->handle, &info);
    fault_expect(info.participants >= 1 && info.size == FAULT_SIZE,
                 "%u participants", (unsigned)info.participants);
    return status;
}

static winshm_status get_participants(struct stage *s)
{
    winshm_participant list[4] = {{.struct_size = sizeof list[0]}};
    uint32_t count;
    winshm_status status = winshm_get_participants(s->handle, list, 4, &count);
    fault_expect(count == 2, "%u participants", (unsigned)count);
    return status;
}

static winshm_status get_layout(struct stage *s)
{
    char text[8];
    uint32_t length;
    winshm_status status =
        winshm_get_layout(s->handle, text, sizeof text, &length);
    fault_expect(length == 0, "%u bytes of layout", (unsigned)length);
    return status;
}

/* Changes. */

static winshm_status notify(struct stage *s)
{
    return winshm_notify(s->handle);
}

static winshm_status wait(struct stage *s)
{
    EXPECT_OK(winshm_change_count(s->handle, &s->seen));
    return winshm_wait(s->handle, s->seen, FAULT_SHORT_MS, NULL);
}

static void wait_in_thread(void *stage)
{
    struct stage *s = stage;
    s->heard = winshm_wait(s->other, s->seen, 2 * FAULT_SHORT_MS, NULL);
}

/** Long enough for a notifier that the machine keeps waiting. */
static void listen_in_thread(void *stage)
{
    struct stage *s = stage;
    s->heard = winshm_wait(s->other, s->seen, 30 * FAULT_SHORT_MS, NULL);
}

static void prepare_listener(struct stage *s)
{
    EXPECT_OK(winshm_change_count(s->other, &s->seen));
    s->thread = thread_start(listen_in_thread, s);
    fault_until_parked(s->other, PLATFORM_CHANGE);
}

/** The change is seen, if need be without having been woken. */
static void settle_listener(struct stage *s, winshm_status status)
{
    fault_settle_waiter(s, status);
}

/** The same handle's other thread waits in the kernel for both. */
static void prepare_leader(struct stage *s)
{
    EXPECT_OK(winshm_change_count(s->other, &s->seen));
    s->thread = thread_start(wait_in_thread, s);
    fault_until_parked(s->other, PLATFORM_CHANGE);
}

static winshm_status wait_as_well(struct stage *s)
{
    return winshm_wait(s->other, s->seen, FAULT_SHORT_MS, NULL);
}

static void settle_leader(struct stage *s, winshm_status status)
{
    (void)status;
    thread_join(s->thread);
    fault_expect(s->heard == WINSHM_E_TIMEOUT, "the leader got %s",
                 winshm_status_name(s->heard));
}

static void wait_on_handle_in_thread(void *stage)
{
    struct stage *s = stage;
    s->heard = winshm_wait(s->handle, s->seen, 20000, NULL);
}

static void prepare_inside(struct stage *s)
{
    if (s->handle == NULL)
        EXPECT_OK(winshm_open(s->name, 0, &s->handle));
    EXPECT_OK(winshm_change_count(s->handle, &s->seen));
    struct layout_slot *slot = fault_inside(s->handle)->slot;
    s->thread = thread_start(wait_on_handle_in_thread, s);
    for (int i = 0; i < 200 && atomic_load(&slot->parked[PLATFORM_CHANGE]) == 0;
         i++)
        sleep_ms(1);
}

static winshm_status close(struct stage *s)
{
    return winshm_close(s->handle);
}

static void settle_inside(struct stage *s, winshm_status status)
{
    if (status != WINSHM_OK)
        return;
    thread_join(s->thread);
    fault_expect(s->heard == WINSHM_E_CLOSED, "the waiter got %s",
                 winshm_status_name(s->heard));
    s->handle = NULL;
}

#ifndef _WIN32
static winshm_status wait_fd(struct stage *s)
{
    int32_t fd;
    return winshm_wait_fd(s->handle, &fd);
}
#endif

static winshm_status wait_handle(struct stage *s)
{
    void *handle;
    return winshm_wait_handle(s->handle, &handle);
}

#ifdef _WIN32
static void *event;

static void prepare_event(struct stage *s)
{
    EXPECT_OK(winshm_wait_handle(s->other, &event));
    handle_fires(event, 0);
}

static void settle_event(struct stage *s, winshm_status status)
{
    (void)s;
    fault_expect(status != WINSHM_OK || handle_fires(event, 0) ||
                     fault_refused("SetEvent") || fault_refused("OpenEventW") ||
                     fault_refused("HeapAlloc"),
                 "the event was not set");
}
#endif

/* Observers: whoever may not write the control block. */

#ifdef _WIN32
#define DENIED "OpenFileMappingW"
enum { DENIED_TIMES = 2, DENIED_CODE = 5 };
#else
#define DENIED "open"
enum { DENIED_TIMES = 1, DENIED_CODE = 13 };
#endif

static void set_up_observer(struct stage *s)
{
    fault_set_up_region(s);
    fault_deny(DENIED, DENIED_TIMES, DENIED_CODE);
    EXPECT_OK(winshm_open(s->name, WINSHM_READ, &s->handle));
    fault_deny(NULL, 0, 0);
}

/** Undone by hand, for an observer cannot. */
static void settle_dead_owner(struct stage *s, winshm_status status)
{
    struct layout_control *control = fault_inside(s->other)->control;
    (void)status;
    atomic_store(&control->lock.word, 0);
    atomic_fetch_add(&control->lock.version, 1);
}

static winshm_status call_in_thread(struct stage *s, void (*run)(void *stage))
{
    fault_here(false);
    s->thread = thread_start(run, s);
    thread_join(s->thread);
    return s->heard;
}

/* A thread that has not failed yet has nowhere to keep a failure. */

static void fail_in_thread(void *stage)
{
    struct stage *s = stage;
    fault_here(true);
    s->heard = winshm_notify(NULL);
    fault_here(false);
    fault_expect(strstr(winshm_last_message(), "winshm_notify") != NULL ||
                     fault_no_room_for_thread(),
                 "the message is: %s", winshm_last_message());
}

static winshm_status fail(struct stage *s)
{
    return call_in_thread(s, fail_in_thread);
}

/** Nor a word of its caller's that the failure speaks of. */
static void misspell_in_thread(void *stage)
{
    struct stage *s = stage;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_OPEN_EXISTING,
                        .name = s->name,
                        .security = "evrybody"};
    fault_here(true);
    s->heard = winshm_open_with(&o, &s->handle);
    fault_here(false);
    fault_expect(strstr(winshm_last_message(), "'evrybody'") != NULL ||
                     fault_no_room_for_thread(),
                 "the message is: %s", winshm_last_message());
}

static winshm_status misspell(struct stage *s)
{
    return call_in_thread(s, misspell_in_thread);
}

/* Nor has one that has not locked yet where to note what it holds. */

static void lock_in_thread(void *stage)
{
    struct stage *s = stage;
    fault_here(true);
    s->heard = winshm_lock(s->handle, WINSHM_SHARED, 0);
    fault_here(false);
    if (s->heard == WINSHM_OK) {
        EXPECT_OK(winshm_unlock(s->handle, WINSHM_SHARED));
    } else if (s->heard == WINSHM_E_NO_MEMORY) {
        /* What it says is this thread's, too, and cannot be judged elsewhere. */
        fault_expect(strstr(winshm_last_message(), "winshm_lock") != NULL ||
                         fault_no_room_for_thread(),
                     "the message is: %s", winshm_last_message());
        s->heard = WINSHM_OK;
    }
}

static winshm_status lock_first(struct stage *s)
{
    fault_here(false);
    EXPECT_OK(winshm_notify(s->handle)); /* another thread is the first */
    return call_in_thread(s, lock_in_thread);
}

/* A thread that uses a handle first has no number. */

static void notify_in_thread(void *stage)
{
    struct stage *s = stage;
    fault_here(true);
    s->heard = winshm_notify(s->handle);
    fault_here(false);
}

static winshm_status call_first(struct stage *s)
{
    return call_in_thread(s, notify_in_thread);
}

const struct scenario fault_use[] = {
    {FAULT_USES("map", "winshm_map", map), .settle = settle_mapped},
    {FAULT_USES("read", "winshm_read", read_text)},
    {FAULT_USES("write", "winshm_write", write_text)},
    {.name = "read, not mapped",
     .function = "winshm_read",
     .call = read_text,
     .set_up = set_up_unmapped,
     .tear_down = fault_tear_down},
    {.name = "write, not mapped",
     .function = "winshm_write",
     .call = write_text,
     .set_up = set_up_unmapped,
     .tear_down = fault_tear_down},
    {FAULT_USES("copy_in", "winshm_copy_in", copy_text_in),
     .prepare = prepare_held, .settle = settle_held},
    {.name = "copy_out, not mapped",
     .function = "winshm_copy_out",
     .call = copy_text_out,
     .set_up = set_up_unmapped,
     .tear_down = fault_tear_down,
     .prepare = prepare_held,
     .settle = settle_held},
    {FAULT_USES("read: locked", "winshm_read", read_text),
     .prepare = fault_other_locks, .settle = fault_other_unlocks,
     .expected = WINSHM_E_TIMEOUT},
    {.name = "resize",
     .function = "winshm_resize",
     .call = resize,
     .set_up = set_up_growing,
     .tear_down = fault_tear_down,
     .prepare = prepare_resize,
     .settle = settle_resize},
    {FAULT_USES("get_info", "winshm_get_info", get_info)},
    {FAULT_USES("get_participants", "winshm_get_participants",
                get_participants)},
    {FAULT_USES("get_layout", "winshm_get_layout", get_layout)},
    {FAULT_USES("read: the owner is dead", "winshm_read", read_text),
     .prepare = fault_owner_dies, .settle = fault_repair,
     .expected = WINSHM_E_OWNER_DEAD},
    {FAULT_USES("write: the owner is dead", "winshm_write", write_text),
     .prepare = fault_owner_dies, .settle = fault_repair,
     .expected = WINSHM_E_OWNER_DEAD},
    {FAULT_USES("notify", "winshm_notify", notify), .prepare = prepare_listener,
     .settle = settle_listener},
    {FAULT_USES("wait", "winshm_wait", wait), .expected = WINSHM_E_TIMEOUT},
    {FAULT_USES("wait: with another thread", "winshm_wait", wait_as_well),
     .prepare = prepare_leader, .settle = settle_leader,
     .expected = WINSHM_E_TIMEOUT},
    {FAULT_USES("close: a thread waits", "winshm_close", close),
     .prepare = prepare_inside, .settle = settle_inside},
#ifdef _WIN32
    {FAULT_USES("read: pages are gone", "winshm_read", read_text),
     .prepare = take_pages, .settle = give_pages, .expected = WINSHM_E_FAULT},
    {FAULT_USES("wait_handle", "winshm_wait_handle", wait_handle)},
    {FAULT_USES("notify: an event", "winshm_notify", notify),
     .prepare = prepare_event, .settle = settle_event},
#else
    {FAULT_USES("wait_handle", "winshm_wait_handle", wait_handle),
     .expected = WINSHM_E_UNSUPPORTED},
    {FAULT_USES("wait_fd", "winshm_wait_fd", wait_fd)},
#endif
    {.name = "observe: read",
     .function = "winshm_read",
     .call = read_text,
     .set_up = set_up_observer,
     .tear_down = fault_tear_down},
    {.name = "observe: read, locked",
     .function = "winshm_read",
     .call = read_text,
     .set_up = set_up_observer,
     .tear_down = fault_tear_down,
     .prepare = fault_other_locks,
     .settle = fault_other_unlocks,
     .expected = WINSHM_E_TIMEOUT},
    {.name = "observe: read, the owner is dead",
     .function = "winshm_read",
     .call = read_text,
     .set_up = set_up_observer,
     .tear_down = fault_tear_down,
     .prepare = fault_owner_dies,
     .settle = settle_dead_owner,
     .expected = WINSHM_E_OWNER_DEAD},
    {.name = "observe: wait",
     .function = "winshm_wait",
     .call = wait,
     .set_up = set_up_observer,
     .tear_down = fault_tear_down,
     .expected = WINSHM_E_TIMEOUT},
    {FAULT_USES("a thread's first call", "winshm_notify", call_first)},
    {FAULT_USES("a thread's first lock", "winshm_lock", lock_first)},
    {.name = "a thread's first failure",
     .function = "winshm_notify",
     .call = fail,
     .expected = WINSHM_E_HANDLE},
    {.name = "a thread's first words",
     .function = "winshm_open_with",
     .call = misspell,
     .expected = WINSHM_E_INVALID},
    {.name = NULL},
};
