/* The lock: waiting, going on after deaths, waking. */
#include "fault.h"
#include "handle.h"

struct region *fault_inside(winshm_region *h)
{
    return &wshm_regions[(uintptr_t)h >> HANDLE_INDEX_SHIFT &
                         ((1u << HANDLE_INDEX_BITS) - 1)];
}

static winshm_status lock_exclusive(struct stage *s)
{
    return winshm_lock(s->handle, WINSHM_EXCLUSIVE, FAULT_SHORT_MS);
}

static winshm_status lock_shared(struct stage *s)
{
    return winshm_lock(s->handle, WINSHM_SHARED, FAULT_SHORT_MS);
}

void fault_other_locks(struct stage *s)
{
    EXPECT_OK(winshm_lock(s->other, WINSHM_EXCLUSIVE, 1000));
}

/** The owner seems to be another process, whose end is waited for, too. */
static void neighbour_locks(struct stage *s)
{
    atomic_store(&fault_inside(s->other)->slot->pid, fault_neighbour.pid);
    fault_other_locks(s);
}

static void other_locks_shared(struct stage *s)
{
    EXPECT_OK(winshm_lock(s->other, WINSHM_SHARED, 1000));
}

void fault_other_unlocks(struct stage *s, winshm_status status)
{
    (void)status;
    EXPECT_OK(winshm_unlock(s->other, WINSHM_EXCLUSIVE));
}

static void other_unlocks_shared(struct stage *s, winshm_status status)
{
    (void)status;
    EXPECT_OK(winshm_unlock(s->other, WINSHM_SHARED));
}

void fault_owner_dies(struct stage *s)
{
    struct layout_control *control = fault_inside(s->other)->control;
    atomic_store(&control->counts.slots_used, 50);
    atomic_fetch_or(&control->lock.version, 1);
    atomic_store(&control->lock.word, 50);
}

/** What the death of a reader leaves. */
static void reader_dies(struct stage *s)
{
    struct layout_control *control = fault_inside(s->other)->control;
    atomic_store(&control->counts.slots_used, 50);
    atomic_fetch_or(&control->lock.shown, 1u << 49 % 32);
    atomic_store(&control->slots[49].other, 1);
}

void fault_repair(struct stage *s, winshm_status status)
{
    bool told =
        status == WINSHM_E_OWNER_DEAD && strcmp(winshm_last_message(), "") != 0;
    winshm_region *h = s->handle;
    (void)told;
    if (winshm_make_consistent(h) != WINSHM_OK) {
        h = s->other;
        fault_expect_status("lock after a death",
                            winshm_lock(h, WINSHM_EXCLUSIVE, 1000),
                            WINSHM_E_OWNER_DEAD);
        EXPECT_OK(winshm_make_consistent(h));
    }
    EXPECT_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
}

static void unlock_if_locked(struct stage *s, winshm_status status)
{
    if (status == WINSHM_OK)
        EXPECT_OK(winshm_unlock(s->handle, WINSHM_EXCLUSIVE));
    else /* nobody else knows of the dead reader */
        atomic_store(&fault_inside(s->other)->control->slots[49].other, 0);
}

static winshm_status unlock_exclusive(struct stage *s)
{
    return winshm_unlock(s->handle, WINSHM_EXCLUSIVE);
}

static winshm_status unlock_shared(struct stage *s)
{
    return winshm_unlock(s->handle, WINSHM_SHARED);
}

void fault_until_parked(winshm_region *h, int channel)
{
    struct layout_slot *slot = fault_inside(h)->slot;
    for (int i = 0; i < 200 && atomic_load(&slot->parked[channel]) == 0; i++)
        sleep_ms(1);
    sleep_ms(1);
}

static void lock_in_thread(void *stage)
{
    struct stage *s = stage;
    s->heard = winshm_lock(s->other, WINSHM_EXCLUSIVE, 5000);
    if (s->heard == WINSHM_OK)
        s->heard = winshm_unlock(s->other, WINSHM_EXCLUSIVE);
}

static void prepare_waiter(struct stage *s, uint32_t mode)
{
    EXPECT_OK(winshm_lock(s->handle, mode, 1000));
    s->thread = thread_start(lock_in_thread, s);
    fault_until_parked(s->other, PLATFORM_LOCK);
}

static void prepare_waiter_for_writer(struct stage *s)
{
    prepare_waiter(s, WINSHM_EXCLUSIVE);
}

static void prepare_waiter_for_reader(struct stage *s)
{
    prepare_waiter(s, WINSHM_SHARED);
}

void fault_settle_waiter(struct stage *s, winshm_status status)
{
    (void)status;
    thread_join(s->thread);
    fault_expect(s->heard == WINSHM_OK, "the waiter got %s",
                 winshm_status_name(s->heard));
}

static void unlock_in_thread(void *stage)
{
    struct stage *s = stage;
    sleep_ms(FAULT_SHORT_MS / 3);
    s->heard = winshm_unlock(s->other, WINSHM_EXCLUSIVE);
}

static void prepare_short_owner(struct stage *s)
{
    fault_other_locks(s);
    s->thread = thread_start(unlock_in_thread, s);
}

static winshm_status lock_patiently(struct stage *s)
{
    return winshm_lock(s->handle, WINSHM_EXCLUSIVE, 5000);
}

/** What is put into words when somebody asks. */
static winshm_status lock_and_ask(struct stage *s)
{
    winshm_status status = winshm_lock(s->handle, WINSHM_EXCLUSIVE, 0);
    fault_expect(winshm_last_message()[0] != '\0', "nothing is said");
    return status;
}

static void settle_short_owner(struct stage *s, winshm_status status)
{
    fault_settle_waiter(s, status);
    if (status == WINSHM_OK)
        EXPECT_OK(winshm_unlock(s->handle, WINSHM_EXCLUSIVE));
}

const struct scenario fault_lock[] = {
    {FAULT_USES("lock: a writer stays", "winshm_lock", lock_exclusive),
     .prepare = fault_other_locks, .settle = fault_other_unlocks,
     .expected = WINSHM_E_TIMEOUT},
    {FAULT_USES("lock: and why not", "winshm_lock", lock_and_ask),
     .prepare = fault_other_locks, .settle = fault_other_unlocks,
     .expected = WINSHM_E_TIMEOUT},
    {FAULT_USES("lock: a neighbour stays", "winshm_lock", lock_exclusive),
     .prepare = neighbour_locks, .settle = fault_other_unlocks,
     .expected = WINSHM_E_TIMEOUT},
    {FAULT_USES("lock: a reader stays", "winshm_lock", lock_exclusive),
     .prepare = other_locks_shared, .settle = other_unlocks_shared,
     .expected = WINSHM_E_TIMEOUT},
    {FAULT_USES("lock shared: a writer stays", "winshm_lock", lock_shared),
     .prepare = fault_other_locks, .settle = fault_other_unlocks,
     .expected = WINSHM_E_TIMEOUT},
    {FAULT_USES("lock: a writer goes", "winshm_lock", lock_patiently),
     .prepare = prepare_short_owner, .settle = settle_short_owner},
    {FAULT_USES("lock: the owner is dead", "winshm_lock", lock_exclusive),
     .prepare = fault_owner_dies, .settle = fault_repair,
     .expected = WINSHM_E_OWNER_DEAD},
    {FAULT_USES("lock: a reader is dead", "winshm_lock", lock_exclusive),
     .prepare = reader_dies, .settle = unlock_if_locked},
    {FAULT_USES("unlock: a writer waits", "winshm_unlock", unlock_exclusive),
     .prepare = prepare_waiter_for_writer, .settle = fault_settle_waiter},
    {FAULT_USES("unlock shared: a writer waits", "winshm_unlock",
                unlock_shared),
     .prepare = prepare_waiter_for_reader, .settle = fault_settle_waiter},
    {.name = NULL},
};
