/* Windows: presence, parking and time. */
#include <string.h>

#include "platform_win32.h"
#include "status.h"

static const uint64_t SECOND = 1000 * 1000 * 1000;
static const uint64_t MILLISECOND = 1000 * 1000;

/** Longer than any store can stay in a store buffer. */
static const uint64_t STORE_HIDDEN = 20 * 1000;

/* Process-wide state, set once by wshm_win32_wait_init(). */
static uint64_t frequency;
static uint64_t spin_time;

/* Presence. */

/** True if this is what a presence says that exists: it denies everybody; and
 * an object of another type in its place would not let us make it either. */
static bool is_there(DWORD code)
{
    return code == ERROR_ACCESS_DENIED || code == ERROR_INVALID_HANDLE ||
           code == ERROR_ALREADY_EXISTS;
}

/** Looks for a presence. @return 0 if there is one, ERROR_FILE_NOT_FOUND, or
 * why it cannot be told. */
static DWORD look_for(const struct platform_region *p, uint32_t slot)
{
    wchar_t name[WIN32_NAME_CHARS];
    wshm_win32_slot_name(p, slot, "", name);
    HANDLE event = OpenEventW(EVENT_MODIFY_STATE, FALSE, name);
    DWORD code = event == NULL ? GetLastError() : ERROR_SUCCESS;
    if (event != NULL)
        CloseHandle(event);
    return is_there(code) ? ERROR_SUCCESS : code;
}

bool wshm_platform_present(struct platform_region *p, uint32_t slot)
{
    return look_for(p, slot) != ERROR_FILE_NOT_FOUND;
}

winshm_status wshm_platform_anybody(struct platform_region *p, uint32_t count,
                                    uint32_t except, bool *anybody)
{
    *anybody = false;
    if (p->id[0] == 0) /* no life, no presences */
        return WINSHM_OK;
    for (uint32_t slot = 0; slot < count && !*anybody; slot++) {
        DWORD code = slot != except ? look_for(p, slot) : ERROR_FILE_NOT_FOUND;
        if (code != ERROR_SUCCESS && code != ERROR_FILE_NOT_FOUND)
            return wshm_win32_error("OpenEventW", code);
        *anybody = code == ERROR_SUCCESS;
    }
    return WINSHM_OK;
}

winshm_status wshm_platform_take(struct platform_region *p, uint32_t slot,
                                 platform_object *taken)
{
    wchar_t name[WIN32_NAME_CHARS];
    wshm_win32_slot_name(p, slot, "", name);
    SetLastError(ERROR_SUCCESS);
    HANDLE event = CreateEventW(wshm_win32_deny_all(), TRUE, FALSE, name);
    DWORD code = GetLastError();
    if (event != NULL && code == ERROR_SUCCESS) {
        *taken = (platform_object)event;
        return WINSHM_OK;
    }
    if (event != NULL)
        CloseHandle(event);
    return is_there(code) ? WINSHM_E_BUSY
                          : wshm_win32_error("CreateEventW", code);
}

void wshm_platform_absent(struct platform_region *p, uint32_t slot,
                          platform_object taken)
{
    (void)p;
    (void)slot;
    CloseHandle(wshm_win32_handle(taken));
}

/* Parking.
 *
 * Several threads may park at one event, which wakes only one of them. So one
 * of them, the leader, waits in the kernel for all, the others at a condition
 * of this process. Whoever wakes has raised the word before it sets the event,
 * and each thread looks at the word before it waits: an event that another
 * thread has consumed is never missed. */

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

/** Rounded up: who waits to a deadline shall not come back before it. */
static DWORD milliseconds(uint64_t nanoseconds)
{
    uint64_t time =
        nanoseconds / MILLISECOND + (nanoseconds % MILLISECOND != 0 ? 1 : 0);
    return time < INFINITE ? (DWORD)time : INFINITE - 1;
}

/** Watch pid from now on; the leader's business. */
static void watch(struct station *station, uint32_t pid)
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

/** Waits in the kernel. The station is locked but for the wait itself. */
static void lead(struct station *station, HANDLE event, uint32_t pid,
                 uint64_t nanoseconds)
{
    HANDLE objects[2] = {event};
    DWORD count = 1;
    watch(station, pid);
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
                                       milliseconds(nanoseconds));
    if (got == WAIT_FAILED)
        Sleep(1);
    AcquireSRWLockExclusive(&station->lock);
    station->led = false;
    if (got == WAIT_OBJECT_0 + 1)
        ended(station);
    WakeAllConditionVariable(&station->left);
}

void wshm_platform_park(struct platform_region *p, uint32_t slot,
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
        return;
    }
    struct station *station =
        &((struct park *)fetch(&p->park))->stations[channel];
    AcquireSRWLockExclusive(&station->lock);
    for (;;) {
        uint64_t passed = wshm_platform_now() - began;
        if (atomic_load_explicit(word, memory_order_seq_cst) != seen ||
            passed >= nanoseconds)
            break;
        if (!station->led) {
            lead(station, event, pid, nanoseconds - passed);
            break;
        }
        SleepConditionVariableSRW(&station->left, &station->lock,
                                  milliseconds(nanoseconds - passed), 0);
    }
    ReleaseSRWLockExclusive(&station->lock);
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

/* Time. */

bool wshm_platform_barrier(void)
{
    return false;
}

void wshm_platform_barrier_process(void)
{
    FlushProcessWriteBuffers();
    /* Wine 8 does nothing there. */
    uint64_t end = wshm_platform_now() + STORE_HIDDEN;
    while (wshm_platform_now() < end)
        wshm_platform_pause();
}

uint64_t wshm_platform_now(void)
{
    LARGE_INTEGER count;
    QueryPerformanceCounter(&count);
    uint64_t ticks = (uint64_t)count.QuadPart;
    return ticks / frequency * SECOND + ticks % frequency * SECOND / frequency;
}

void wshm_platform_sleep(uint64_t nanoseconds)
{
    if (nanoseconds >= MILLISECOND / 10) {
        Sleep(milliseconds(nanoseconds));
        return;
    }
    uint64_t began = wshm_platform_now();
    do
        SwitchToThread();
    while (wshm_platform_now() - began < nanoseconds);
}

uint64_t wshm_platform_spin_time(void)
{
    return spin_time;
}

void wshm_win32_wait_init(void)
{
    LARGE_INTEGER ticks;
    SYSTEM_INFO system;
    QueryPerformanceFrequency(&ticks);
    frequency = (uint64_t)ticks.QuadPart;
    GetSystemInfo(&system);
    spin_time = system.dwNumberOfProcessors > 1 ? 20 * 1000 : 0;
}
