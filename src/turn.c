/* Waiting for one's turn at the lock.
 *
 * Waiters only load while the lock is held, which is why they cannot livelock.
 * The owner's presence is probed once a slice, so its death is seen without
 * anybody's help; whoever sees it cleans up and goes on. */
#include "turn.h"

#include "park.h"
#include "participant.h"
#include "status.h"
#include "word.h"

/** The shortest and the longest sleep: see slice(). */
static const uint64_t SLICE_LEAST = MILLISECOND / 2;
static const uint64_t SLICE_MOST = 200 * MILLISECOND;

/** The most pauses between two looks. */
enum { SPIN_PAUSES = 32 };

/** How long a writer waits before it takes the seat: while the lock changes
 * hands quickly, taking it in any order is faster. */
static const uint64_t PATIENCE = 500 * MICROSECOND;

/** Longer than a store stays hidden as a rule. One that does costs a sleep to
 * its end, and no more. */
static const uint64_t STORE_EXPECTED = 2 * MICROSECOND;

/** About what a sleep and its wake-up cost: to look on for so long costs at most
 * twice of what would have been best. */
static const uint64_t SLEEP_COST = 20 * MICROSECOND;

void wshm_turn_begin(struct turn *turn, struct region *r, bool exclusive,
                     uint64_t deadline)
{
    uint32_t ticket = atomic_fetch_add_explicit(&r->control->counts.tickets, 1,
                                                memory_order_relaxed);
    turn->region = r;
    turn->exclusive = exclusive ? SEAT_EXCLUSIVE : 0;
    turn->seat = (ticket & SEAT_TICKET_MASK) << SEAT_TICKET_SHIFT |
                 turn->exclusive | r->me;
    turn->began = wshm_platform_now();
    turn->deadline = deadline;
    turn->stale_seat = 0;
    turn->overslept = false;
}

/** True if seat belongs to a request that began after this one. */
static bool younger(uint32_t seat, const struct turn *turn)
{
    uint32_t age =
        ((seat >> SEAT_TICKET_SHIFT) - (turn->seat >> SEAT_TICKET_SHIFT)) &
        SEAT_TICKET_MASK;
    return age != 0 && age <= SEAT_TICKET_MASK / 2;
}

/** How long to sleep after having waited for so long. The death of an owner
 * that the system does not tell of, and a wake-up that was lost with its
 * sender, cost the least sleep or a thirty-second part of the time waited, and
 * never more than the most, while who waits for long does not spend it on
 * looking. */
static uint64_t slice(uint64_t waited)
{
    uint64_t time = waited / 32;
    if (time < SLICE_LEAST)
        return SLICE_LEAST;
    return time < SLICE_MOST ? time : SLICE_MOST;
}

static bool may_go(const struct turn *turn, uint32_t word, uint32_t seat)
{
    if ((word & WORD_OWNER) != 0)
        return false;
    return seat == 0 || seat == turn->seat ||
           ((seat | turn->exclusive) & SEAT_EXCLUSIVE) == 0;
}

static bool look(const void *request)
{
    const struct turn *turn = request;
    const struct layout_lock *lock = &turn->region->control->lock;
    uint32_t word = atomic_load_explicit(&lock->word, memory_order_seq_cst);
    uint32_t seat = atomic_load_explicit(&lock->seat, memory_order_seq_cst);
    return may_go(turn, word, seat);
}

/** Every look takes the words' cache line from whoever works with it, so they
 * become rarer. */
static bool spin(const struct turn *turn, uint64_t now)
{
    uint64_t end = now + wshm_platform_spin_time();
    int pauses = 1;
    do {
        for (int i = 0; i < 4; i++) {
            if (look(turn))
                return true;
            for (int pause = 0; pause < pauses; pause++)
                wshm_platform_pause();
            if (pauses < SPIN_PAUSES)
                pauses *= 2;
        }
    } while (wshm_platform_now() < end);
    return false;
}

/** The seat orders the waiters and no more: any of this may be late, lost or
 * undone without harm to exclusion. */
static uint64_t take_seat(struct turn *turn, uint32_t word, uint64_t now)
{
    struct layout_lock *lock = &turn->region->control->lock;
    uint32_t seat = atomic_load_explicit(&lock->seat, memory_order_relaxed);
    uint64_t waited = now - turn->began;
    if (seat == turn->seat)
        return slice(waited);
    if (turn->exclusive != 0 && waited < PATIENCE)
        return PATIENCE - waited;
    if (seat == 0 || younger(seat, turn)) {
        atomic_compare_exchange_strong(&lock->seat, &seat, turn->seat);
        return slice(waited);
    }
    if ((word & WORD_OWNER) != 0) {
        turn->stale_seat = 0;
        return slice(waited);
    }
    /* A free lock, and the one whose turn it is does not come: it died, or it
     * is slow and loses its turn, no more. */
    if (seat != turn->stale_seat) {
        turn->stale_seat = seat;
        turn->stale_since = now;
    } else if (now - turn->stale_since >= MILLISECOND) {
        atomic_compare_exchange_strong(&lock->seat, &seat, 0);
        turn->stale_seat = 0;
    }
    return MILLISECOND;
}

/** Looks on for so long that either we see a release, or the releaser has seen
 * us parked: its look may have come before its store. @return true if something
 * was seen and sleeping is not needed.
 * @param soon what is waited for may come sooner than a sleeper would wake. */
static bool settle(bool (*seen)(const void *), const void *what, bool soon)
{
    bool spins = soon && wshm_platform_spin_time() != 0;
    uint64_t end = wshm_platform_now() + (spins ? SLEEP_COST : STORE_EXPECTED);
    do {
        if (seen(what))
            return true;
        wshm_platform_pause();
    } while (wshm_platform_now() < end);
    return seen(what);
}

static bool turn_has_come(void *request)
{
    const struct turn *turn = request;
    return settle(look, turn, !turn->overslept);
}

static bool are_out(const void *slot)
{
    return word_readers(slot) == 0;
}

static bool readers_are_out(void *slot)
{
    return settle(are_out, slot, true);
}

/** Sleep as wshm_park() does, and until owner's process ends. */
static bool park(const struct park *park, uint32_t owner, uint64_t time)
{
    const struct region *r = park->region;
    uint32_t pid = 0;
    if (owner < LAYOUT_SLOTS && owner + 1 != r->me)
        pid = atomic_load_explicit(&r->control->slots[owner].pid,
                                   memory_order_relaxed);
    return wshm_park(park, pid, time);
}

/** A reader that an owner of the word waits for, or else that owner. */
static uint32_t in_the_way(struct region *r, uint32_t owner)
{
    const struct layout_control *control = r->control;
    uint32_t slots = wshm_park_limit(control);
    /* In a section readers are counted for the moment of a vain try only. */
    if ((atomic_load(&control->lock.version) & 1) != 0)
        return owner;
    for (uint32_t slot = 0; slot < slots; slot++)
        if (slot != owner && word_readers(&control->slots[slot]) != 0)
            return slot;
    return owner;
}

/** Note who is in the way, when the time is up. */
static winshm_status late(struct region *r, uint32_t owner)
{
    uint32_t slot = in_the_way(r, owner);
    uint32_t pid = atomic_load(&r->control->slots[slot].pid);
    return pid == r->pid
               ? wshm_error_because(WINSHM_E_TIMEOUT,
                                    "this process holds the lock itself",
                                    "It does so through another thread, task "
                                    "or handle, which has to unlock first.")
               : wshm_error_detail(WINSHM_E_TIMEOUT, "{process} holds the lock",
                                   "It is alive, and slow or stopped.", pid, 0,
                                   0);
}

winshm_status wshm_turn_wait(struct turn *turn)
{
    struct region *r = turn->region;
    struct layout_lock *lock = &r->control->lock;
    struct park place = {r, PLATFORM_LOCK, &lock->parked, turn_has_come, turn};
    uint64_t now = wshm_platform_now();
    for (;;) {
        if (atomic_load_explicit(&r->closing, memory_order_relaxed) != 0)
            return WINSHM_E_CLOSED;
        if (wshm_region_lost(r))
            return WINSHM_E_CORRUPT;
        if (now < turn->deadline &&
            (turn->overslept ? look(turn) : spin(turn, now)))
            return WINSHM_OK;
        uint32_t word = atomic_load_explicit(&lock->word, memory_order_seq_cst);
        if (!word_legal(word))
            return WINSHM_E_CORRUPT;
        uint32_t owner = (word & WORD_OWNER) - 1;
        if ((word & WORD_OWNER) != 0 && !wshm_participant_alive(r, owner))
            wshm_participant_reap(r, owner);
        now = wshm_platform_now();
        if (now >= turn->deadline)
            return owner < LAYOUT_SLOTS ? late(r, owner) : WINSHM_E_TIMEOUT;
        uint64_t time = take_seat(turn, word, now);
        if (time > turn->deadline - now)
            time = turn->deadline - now;
        turn->overslept = park(&place, owner, time);
        now = wshm_platform_now();
    }
}

winshm_status wshm_turn_drain(struct region *r, uint32_t slot,
                              uint64_t deadline)
{
    struct layout_slot *reader = &r->control->slots[slot];
    /* Readers wake the owner that they see in the word: no flag. */
    struct park place = {r, PLATFORM_LOCK, NULL, readers_are_out, reader};
    uint64_t began = wshm_platform_now();
    for (;;) {
        uint64_t now = wshm_platform_now();
        uint64_t end = now + wshm_platform_spin_time();
        do {
            if (word_readers(reader) == 0)
                return WINSHM_OK;
            wshm_platform_pause();
        } while (now < deadline && wshm_platform_now() < end);
        if (atomic_load_explicit(&r->closing, memory_order_relaxed) != 0)
            return WINSHM_E_CLOSED;
        if (wshm_region_lost(r))
            return WINSHM_E_CORRUPT;
        if (!wshm_participant_alive(r, slot)) {
            wshm_participant_reap(r, slot);
            if (word_readers(reader) == 0)
                return WINSHM_OK;
        }
        now = wshm_platform_now();
        if (now >= deadline)
            return late(r, slot);
        uint64_t time = slice(now - began);
        if (time > deadline - now)
            time = deadline - now;
        park(&place, slot, time);
    }
}

void wshm_turn_end(struct turn *turn, bool granted)
{
    struct region *r = turn->region;
    struct layout_lock *lock = &r->control->lock;
    uint32_t seat = turn->seat;
    bool left =
        atomic_load_explicit(&lock->seat, memory_order_relaxed) == seat &&
        atomic_compare_exchange_strong(&lock->seat, &seat, 0);
    if ((left || !granted) && (atomic_load(&lock->word) & WORD_OWNER) == 0)
        wshm_word_wake(r);
    if (granted)
        wshm_error_clear(); /* who was in the way is not any more */
}
