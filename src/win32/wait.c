/* Windows: parking.
 *
 * Several threads may park at one event, which wakes only one of them. So one
 * of them, the leader, waits in the kernel for all, the others at a condition
 * of this process. Whoever wakes has raised the word before it sets the event,
 * and each thread looks at the word before it waits: an event that another
 * thread has consumed is never missed. */
#include "status.h"
#include "win32.h"

enum { EVENT_LOOP = PLATFORM_CHANNELS, EVENTS };

/** Looks after a watched process has ended, the first of them at once and the
 * others after short waits. */
enum { HASTE_AT_ONCE = 20, HASTE = 40 };

static const char *const suffixes[EVENTS] = {".l", ".c", ".e"};

struct station {
    SRWLOCK lock;
    CONDITION_VARIABLE left; /* the leader has left */
    bool led;
    DWORD pid;      /* the process that was watched last */
    HANDLE process; /* NULL: cannot be watched */
    int haste;      /* looks left, since it has ended */
};

struct park {
    HANDLE own[EVENTS];
    HANDLE others[EVENTS][WINSHM_PARTICIPANTS_MAX];
    struct station stations[PLATFORM_CHANNELS];
};

static void *fetch(void *volatile *from)
{
    return InterlockedCompareExchangePointer(from, NULL, NULL);
}

/** The block that p->park leads to, made when first needed; or NULL. */
static struct park *park_of(struct platform_region *p)
{
    struct park *park = fetch(&p->park);
    if (park != NULL)
        return park;
    park = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *park);
    if (park == NULL)
        return NULL;
    void *first = InterlockedCompareExchangePointer(&p->park, park, NULL);
    if (first == NULL)
        return park;
    HeapFree(GetProcessHeap(), 0, park);
    return first;
}

/** Publishes a handle, unless another thread was first. @return the one. */
static HANDLE publish(HANDLE *place, HANDLE event)
{
    HANDLE first = InterlockedCompareExchangePointer(place, event, NULL);
    if (first == NULL)
        return event;
    CloseHandle(event);
    return first;
}

/** The own event of a kind, made when first needed. */
static winshm_status own_event(struct platform_region *p, uint32_t slot,
                               int kind, HANDLE *event)
{
    struct win32_security security;
    wchar_t name[WIN32_NAME_CHARS];
    struct park *park = park_of(p);
    if (park == NULL)
        return wshm_win32_error("HeapAlloc", ERROR_NOT_ENOUGH_MEMORY);
    *event = fetch(&park->own[kind]);
    if (*event != NULL)
        return WINSHM_OK;
    winshm_status status = wshm_win32_security_derive(
        NULL, wshm_win32_handle(p->control), &security);
    if (status != WINSHM_OK)
        return status;
    wshm_win32_slot_name(p, slot, suffixes[kind], name);
    HANDLE made = CreateEventExW(&security.attributes, name, 0,
                                 EVENT_MODIFY_STATE | SYNCHRONIZE);
    DWORD code = GetLastError();
    wshm_win32_security_free(&security);
    if (made == NULL)
        return wshm_win32_error("CreateEventExW", code);
    *event = publish(&park->own[kind], made);
    return WINSHM_OK;
}

/** Sets an event of any slot. Its handle is kept: a slot's next user means the
 * same object for as long as anybody has it open. */
static void set_event(struct platform_region *p, uint32_t slot, int kind)
{
    wchar_t name[WIN32_NAME_CHARS];
    struct park *park = park_of(p);
    if (park == NULL)
        return;
    HANDLE event = fetch(&park->others[kind][slot]);
    if (event == NULL) {
        wshm_win32_slot_name(p, slot, suffixes[kind], name);
        event = OpenEventW(EVENT_MODIFY_STATE, FALSE, name);
        if (event == NULL)
            return;
        event = publish(&park->others[kind][slot], event);
    }
    SetEvent(event);
}

void wshm_win32_park_free(struct platform_region *p)
{
    struct park *park = p->park;
    if (park == NULL)
        return;
    for (int kind = 0; kind < EVENTS; kind++) {
        if (park->own[kind] != NULL)
            CloseHandle(park->own[kind]);
        for (int slot = 0; slot < (int)WINSHM_PARTICIPANTS_MAX; slot++)
            if (park->others[kind][slot] != NULL)
                CloseHandle(park->others[kind][slot]);
    }
    for (int channel = 0; channel < PLATFORM_CHANNELS; channel++)
        if (park->stations[channel].process != NULL)
            CloseHandle(park->stations[channel].process);
    /* The heap may be locked by a thread that was stopped. */
    if (!wshm_platform_ending())
        HeapFree(GetProcessHeap(), 0, park);
    p->park = NULL;
}

/** Watch pid from now on; the leader's business. */
static void look_after(struct station *station, uint32_t pid)
{
    if (pid == 0 || pid == station->pid)
        return;
    if (station->process != NULL)
        CloseHandle(station->process);
    station->process = NULL;
    station->pid = pid;
    station->haste = 0;
    if (pid == GetCurrentProcessId())
        return;
    station->process = OpenProcess(SYNCHRONIZE, FALSE, pid);
    if (station->process == NULL && GetLastError() == ERROR_INVALID_PARAMETER)
        station->haste = HASTE; /* there is no such process any more */
}

/**
 * The process has ended, but what it held may be there for a moment longer: so
 * its handle, which would not let anybody sleep again, is dropped, and the
 * next looks follow soon.
 */
static void ended(struct station *station)
{
    CloseHandle(station->process);
    station->process = NULL;
    station->haste = HASTE;
}

/** Waits in the kernel. The station is locked but for the wait itself. @return
 * true if the time was over. */
static bool lead(struct station *station, HANDLE event, uint32_t pid,
                 uint64_t nanoseconds)
{
    HANDLE objects[2] = {event};
    DWORD count = 1;
    look_after(station, pid);
    if (pid != 0 && station->process != NULL)
        objects[count++] = station->process;
    if (pid != 0 && station->haste > 0) {
        station->haste--;
        uint64_t most =
            station->haste >= HASTE - HASTE_AT_ONCE ? 0 : MILLISECOND;
        nanoseconds = nanoseconds < most ? nanoseconds : most;
    }
    station->led = true;
    ReleaseSRWLockExclusive(&station->lock);
    DWORD got = WaitForMultipleObjects(count, objects, FALSE,
                                       wshm_win32_milliseconds(nanoseconds));
    if (got == WAIT_FAILED)
        Sleep(1);
    AcquireSRWLockExclusive(&station->lock);
    station->led = false;
    if (got == WAIT_OBJECT_0 + 1)
        ended(station);
    WakeAllConditionVariable(&station->left);
    return got == WAIT_TIMEOUT;
}

bool wshm_platform_park(struct platform_region *p, uint32_t slot,
                        enum platform_channel channel, _Atomic uint32_t *word,
                        uint32_t seen, uint32_t pid, uint64_t nanoseconds)
{
    HANDLE event;
    uint64_t began = wshm_platform_now();
    /* At the end of the process the station's lock and its leadership may be
     * those of a thread that was stopped. */
    if (wshm_platform_ending() ||
        own_event(p, slot, channel, &event) != WINSHM_OK) {
        wshm_platform_sleep(nanoseconds < MILLISECOND ? nanoseconds
                                                      : MILLISECOND);
        return false;
    }
    struct station *station =
        &((struct park *)fetch(&p->park))->stations[channel];
    bool over = false;
    AcquireSRWLockExclusive(&station->lock);
    while (atomic_load_explicit(word, memory_order_seq_cst) == seen) {
        uint64_t passed = wshm_platform_now() - began;
        over = passed >= nanoseconds;
        if (over)
            break;
        if (!station->led) {
            over = lead(station, event, pid, nanoseconds - passed);
            break;
        }
        SleepConditionVariableSRW(&station->left, &station->lock,
                                  wshm_win32_milliseconds(nanoseconds - passed),
                                  0);
    }
    ReleaseSRWLockExclusive(&station->lock);
    return over;
}

winshm_status wshm_platform_park_prepare(struct platform_region *p,
                                         uint32_t slot,
                                         enum platform_channel channel)
{
    HANDLE event;
    return own_event(p, slot, channel, &event);
}

void wshm_platform_wake(struct platform_region *p, uint32_t slot,
                        enum platform_channel channel, _Atomic uint32_t *word)
{
    (void)word;
    set_event(p, slot, channel);
}

winshm_status wshm_platform_event(struct platform_region *p, uint32_t slot,
                                  void **handle)
{
    HANDLE event;
    winshm_status status = own_event(p, slot, EVENT_LOOP, &event);
    if (status == WINSHM_OK)
        *handle = event;
    return status;
}

void wshm_platform_event_set(struct platform_region *p, uint32_t slot)
{
    set_event(p, slot, EVENT_LOOP);
}

winshm_status wshm_platform_descriptor(struct platform_region *p,
                                       platform_watch *watch, void *subject,
                                       uint32_t seen, int32_t *fd)
{
    (void)p;
    (void)watch;
    (void)subject;
    (void)seen;
    (void)fd;
    return wshm_error_because(
        WINSHM_E_UNSUPPORTED, "this system has no descriptors to wait for",
        "Use winshm_wait_handle() in loops with WaitForMultipleObjects().");
}

void wshm_platform_descriptor_close(struct platform_region *p)
{
    (void)p;
}
