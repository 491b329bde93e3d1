/* Waiting for the lock: src/turn.c, park.c, and the wakers in lock.h, lock.c
 * and word.c. Seat, flag, counts and wake counters are hints, so what is searched
 * here is whether anybody waits for ever; that they cannot break the lock is
 * for lock.pml, which has none of them.
 *
 * A lost wake-up shows as a search that ends with a thread asleep. For sleeps
 * have no end, but where a store was hidden from the sleeper when it looked for
 * the last time: then the slice ends that one, once what it waits for can be
 * seen. So a search without an error says that nothing but a store that stays
 * hidden for that long loses a wake-up, and that it costs a slice. With BOUNDED,
 * where processes may be killed, slices end every sleep when there is something
 * to do. Spinning is one look: looks that see nothing change nothing, and when
 * the last one comes is open.
 *
 * THREADS    one handle each, but the last two have one with SIBLINGS
 * EXCLUSIVE  bit t: thread t locks exclusively, else shared
 * OPS        requests of a thread
 * GIVEUP     bit t: thread t's requests may time out wherever they wait
 * KILLS      with BOUNDED; the rest must come to an end
 */
#ifndef THREADS
#define THREADS 3
#endif
#ifndef EXCLUSIVE
#define EXCLUSIVE 3
#endif
#ifndef OPS
#define OPS 1
#endif
#ifndef KILLS
#define KILLS 0
#endif
#ifndef GIVEUP
#define GIVEUP 0
#endif
#if defined(BOUNDED)
#define SLICES true
#elif defined(NO_SLICES)
#define SLICES false
#else
#define SLICES hid
#endif
#define NOBODY 15
#define IS_EXCLUSIVE(t) ((EXCLUSIVE >> (t)) & 1)
#ifdef SIBLINGS
#define LAST (THREADS - 1)
#define SLOTS LAST
#define SLOT(t) ((t) < SLOTS -> (t) : SLOTS - 1)
#define READERS(s) (count[s] + ((s) == SLOTS - 1 -> count[LAST] : 0))
#else
#define LAST NOBODY
#define SLOTS THREADS
#define SLOT(t) (t)
#define READERS(s) count[s]
#endif

#include "wait_steps.pml"

proctype thread(byte t)
{
    byte ops = OPS;
    byte w, k, s, seen, in;
    byte go; /* 1: may try, 2: time is up, may try once */
    bit waits;
    bit hid; /* a store of somebody's was hidden when it last looked */

again:
    w = 0; k = 0; s = 0; seen = 0; go = 0; waits = 0;
    if
    :: atomic { ops > 0 -> ops-- };
    :: ops == 0 -> goto done
    fi;
    STEP(w = seat);
    if
    :: !IS_EXCLUSIVE(t) -> goto shared
    :: IS_EXCLUSIVE(t)
    fi;

    /* lock.h: wshm_lock_try_exclusive() */
    if
    :: w == 0 ->
        STEP(fence(t); w = (word == 0); word = (w -> SLOT(t) + 1 : word));
        if
        :: w == 1 -> goto drain
        :: w == 0
        fi
    :: w != 0
    fi;
    /* lock.c: take_word() */
    STEP(fence(t); ticket[t] = tickets; tickets++);
    do
    :: true ->
        go = 0;
        turn_wait();
        if
        :: go == 0 && (GIVEUP >> t) & 1 -> go = 2
        :: skip
        fi;
        if
        :: go != 0 ->
            STEP(fence(t); w = (word == 0); word = (w -> SLOT(t) + 1 : word));
            if
            :: w == 1 -> turn_end(true); goto drain
            :: w == 0 && go == 2 -> turn_end(false); goto again
            :: else
            fi
        :: go == 0
        fi
    od;

drain:
    /* lock.c: drain(), turn.c: wshm_turn_drain() */
    w = 0; go = 0; s = 0;
    do
    :: s < SLOTS ->
        STEP(w = READERS(s));
        if
        :: w == 0 -> s++
        :: w != 0 ->
            if
            :: (GIVEUP >> t) & 1 ->
                STEP(buffer[t] ! WORD, 0);
                goto after_store
            :: skip
            fi;
            announce();
            settle();
#ifndef DRAINS_BLINDLY
            STEP(w = READERS(s));
#endif
            if
            :: w == 0
            :: w != 0 ->
                if
                :: d_step { wakes[SLOT(t)] != seen || (GIVEUP >> t) & 1 -> skip }
                :: d_step { SLICES && READERS(s) == 0 -> skip }
#ifdef BOUNDED
                :: d_step { IS_DEAD(s) -> count[s] = 0 }
#endif
                :: DIE
                fi
            fi;
            withdraw()
        fi
    :: s == SLOTS -> break
    od;
    s = 0;
    STEP(assert(writers == 0 && readers == 0); writers++; in = 1);
    /* lock.h: wshm_lock_release_exclusive() */
    STEP(writers--; in = 0; buffer[t] ! WORD, 0);
after_store:
    /* lock_awaited(): the load may overtake the store. */
    STEP(w = flag);
    if
    :: w == 1 -> wake()
    :: w == 0
    fi;
    goto again;

shared:
    /* lock.h: wshm_lock_try_shared(), lock.c: lock_shared() */
    if
    :: w != 0 && IS_EXCLUSIVE(w - 1) -> goto wait_shared
    :: else
    fi;
count_in:
    STEP(fence(t); count[t]++);
    STEP(w = word;
         if
         :: w == 0 -> assert(writers == 0); readers++; in = 1
         :: else
         fi);
    if
    :: w == 0 ->
        if
        :: waits -> turn_end(true)
        :: !waits
        fi;
        count_out();
        wake_writer();
        goto again
    :: w != 0
    fi;
    count_out();
#ifdef BACKS_OFF_SILENTLY
    w = 0;
#else
    wake_writer();
#endif
    if
    :: go == 2 -> turn_end(false); goto again
    :: go != 2
    fi;
wait_shared:
    if
    :: !waits -> STEP(fence(t); ticket[t] = tickets; tickets++; waits = 1)
    :: waits
    fi;
    go = 0;
    do
    :: go == 0 ->
        turn_wait();
        if
        :: go == 0 && (GIVEUP >> t) & 1 -> go = 2
        :: skip
        fi
    :: go != 0 -> break
    od;
    goto count_in;

killed:
    atomic {
        true;
        d_step {
            fence(t);
            writers = writers - (IS_EXCLUSIVE(t) -> in : 0);
            readers = readers - (IS_EXCLUSIVE(t) -> 0 : in);
            dead[SLOT(t)] = 1
        }
    }

done:
    skip
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
#if KILLS > 1
        :: budget = 2
#endif
        fi;
        do
        :: p < THREADS -> run thread(p); p++
        :: p == THREADS -> break
        od
    }
}
