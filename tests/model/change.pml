/* Waiting for a change: src/change.c and park.c.
 *
 * The notifier's addition is atomic, so the one store that could hide in a
 * store buffer does not exist; what is searched is that nobody sleeps through
 * a change while no notifier dies. With KILLS, a sleep may also end for good
 * measure (the slice), and then everybody must still come to see the change.
 *
 * EVENTS     the parking of win32/wait.c, where a thread that waits in
 *            the kernel does so for all of its handle; else a futex, which is
 *            true as long as the wake counter is not what was seen
 * WAITERS    threads that wait until they have seen every change; with
 *            SIBLINGS the last two have one handle
 * NOTIFIERS  each of which notifies NOTES times
 */
#ifndef WAITERS
#define WAITERS 2
#endif
#ifndef NOTIFIERS
#define NOTIFIERS 2
#endif
#ifndef NOTES
#define NOTES 1
#endif
#ifndef KILLS
#define KILLS 0
#endif
#ifdef SIBLINGS
#define SLOTS (WAITERS - 1)
#define SLOT(t) ((t) < SLOTS -> (t) : SLOTS - 1)
#else
#define SLOTS WAITERS
#define SLOT(t) (t)
#endif

byte count;  /* change.count */
bit flag;    /* change.parked */
byte slots_used;
byte parked[SLOTS], wakes[SLOTS];

/* A station: its auto-reset event, whether somebody leads, and how often a
 * leader has left and told the others. */
bit event[SLOTS], led[SLOTS];
byte departures[SLOTS];
byte due = NOTIFIERS * NOTES; /* changes that will have come in the end */
byte budget;

#define DIE atomic { budget > 0 -> budget--; goto killed }
#define STEP(...) if :: d_step { __VA_ARGS__; skip } :: DIE fi

proctype notifier()
{
    byte notes = NOTES, k, limit, w;
    bit counted;
    do
    :: notes > 0 ->
        notes--;
        /* wshm_change_notify() */
#ifdef COUNTS_LATE
        STEP(w = flag);
        STEP(count++; counted = 1);
#else
        STEP(count++; counted = 1);
        STEP(w = flag);
#endif
        if
        :: w == 1 ->
#ifndef CLEARS_LATE
            STEP(flag = 0);
#endif
            /* park.c: wshm_park_wake_parked(), wshm_park_wake() */
            STEP(limit = slots_used);
            do
            :: k < limit ->
                STEP(w = parked[k]);
                if
                :: w != 0 ->
#ifdef EVENT_FIRST
                    STEP(event[k] = 1);
#endif
                    STEP(wakes[k]++);
#if defined(EVENTS) && !defined(EVENT_FIRST)
                    STEP(event[k] = 1)
#endif
                :: w == 0
                fi;
                k++
            :: k >= limit -> break
            od;
#ifdef CLEARS_LATE
            STEP(flag = 0);
#endif
        :: w == 0
        fi;
        k = 0; limit = 0; w = 0; counted = 0
    :: notes == 0 -> break
    od;
    goto done;
killed:
    due = due - notes - 1 + counted;
done:
    skip
}

proctype waiter(byte t)
{
    byte last, seen, seen_gone;
    bit same;
    /* Joining: the limit is raised before anything is announced. */
    d_step {
        slots_used = (slots_used < SLOT(t) + 1 -> SLOT(t) + 1 : slots_used)
    };
    do
    :: last < due ->
        /* wshm_change_wait(), with the count that it returned before; the
         * spin is one look. */
        do
        :: last >= due -> break
        :: count != last -> break
        :: count == last ->
            /* park(), wshm_park_announce() */
#ifdef FLAG_FIRST
            flag = 1;
#endif
#ifndef SNAPSHOT_LATE
            seen = wakes[SLOT(t)];
#endif
            parked[SLOT(t)]++;
#ifndef FLAG_FIRST
            flag = 1;
#endif
#ifdef NO_LOOK
            same = 1;
#else
            same = (count == last);
#endif
#ifdef SNAPSHOT_LATE
            seen = wakes[SLOT(t)];
#endif
#ifdef EVENTS
            /* wshm_platform_park(), lead() */
            do
            :: atomic { !same || wakes[SLOT(t)] != seen -> break }
            :: atomic { same && wakes[SLOT(t)] == seen && !led[SLOT(t)] ->
                        led[SLOT(t)] = 1 };
                atomic { event[SLOT(t)] == 1 -> event[SLOT(t)] = 0 };
                atomic {
                    led[SLOT(t)] = 0;
#ifndef LEAVES_SILENTLY
                    departures[SLOT(t)]++;
#endif
                    break
                }
            :: atomic { same && wakes[SLOT(t)] == seen && led[SLOT(t)] ->
                        seen_gone = departures[SLOT(t)] };
                departures[SLOT(t)] != seen_gone;
                seen_gone = 0
            od;
#else
            if
            :: same && wakes[SLOT(t)] != seen
#if KILLS > 0
            :: same && (count != last || last >= due)
#endif
            :: !same
            fi;
#endif
            atomic { seen_gone = 0; parked[SLOT(t)]--; seen = 0; same = 0 }
        od;
        last = count
    :: last >= due -> break
    od
}

init
{
    atomic {
        byte p;
        if
        :: budget = 0
#if KILLS > 0
        :: budget = 1
#endif
        fi;
        do
        :: p < WAITERS -> run waiter(p); p++
        :: p == WAITERS -> break
        od;
        p = 0;
        do
        :: p < NOTIFIERS -> run notifier(); p++
        :: p == NOTIFIERS -> break
        od;
        p = 0
    }
}
