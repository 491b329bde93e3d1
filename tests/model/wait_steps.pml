/* What the threads of wait.pml share: words, store buffers, and the routines
 * of src/turn.c, park.c, word.c and lock.c that they call. Included by wait.pml. */

byte word;             /* the owner's slot + 1 */
byte seat;             /* a thread + 1 */
bit flag;              /* lock.parked */
byte tickets;
byte count[THREADS];   /* a slot's own, the last thread's other */
byte parked[SLOTS], wakes[SLOTS];

byte ticket[THREADS];  /* of the request, as the seat carries it */
bit dead[SLOTS];
byte writers, readers; /* inside */
byte budget;

mtype { WORD, COUNT };
chan buffer[THREADS] = [2] of { mtype, byte };

hidden mtype to;
hidden byte value;

inline drain_one(t)
{
    buffer[t] ? to, value;
    if
    :: to == WORD -> word = value
    :: to == COUNT -> count[t] = value
    fi
}

inline fence(t)
{
    do
    :: nempty(buffer[t]) -> drain_one(t)
    :: empty(buffer[t]) -> break
    od
}

active proctype memory()
{
end:
    do
    :: d_step { nempty(buffer[0]) -> drain_one(0) }
    :: d_step { nempty(buffer[1]) -> drain_one(1) }
#if THREADS > 2
    :: d_step { nempty(buffer[2]) -> drain_one(2) }
#endif
#if THREADS > 3
    :: d_step { nempty(buffer[3]) -> drain_one(3) }
#endif
    od
}

#define DIE atomic { budget > 0 -> budget--; goto killed }
#define STEP(...) if :: d_step { __VA_ARGS__; skip } :: DIE fi

/* A process that was killed, and its slot not yet cleaned. */
#define IS_DEAD(s) (dead[s] == 1)
#define SEAT_STALE (seat != 0 && IS_DEAD(SLOT(seat - 1)))

/* turn.c: may_go(), with the seat's kind. */
#define MAY_GO(w, s)                                                          \
    ((w) == 0 && ((s) == 0 || (s) == t + 1 ||                                 \
                  (!IS_EXCLUSIVE(t) && !IS_EXCLUSIVE((s) - 1))))
#define YOUNGER(s) (ticket[(s) - 1] > ticket[t])

/* turn.c: look() */
inline look()
{
    STEP(w = word);
    STEP(go = MAY_GO(w, seat))
}

/* word.c: wshm_word_wake(), park.c: wshm_park_wake() */
inline wake()
{
    STEP(fence(t); w = flag);
    if
    :: w == 0
    :: else ->
        STEP(w = seat);
        if
        :: w != 0 && IS_EXCLUSIVE(w - 1) ->
            STEP(wakes[SLOT(w - 1)]++);
#ifdef CLEARS_FOR_SEAT
            STEP(fence(t); flag = 0)
#endif
        :: else ->
#ifndef CLEARS_LATE
            STEP(fence(t); flag = 0);
#endif
            k = 0;
            do
            :: k < SLOTS ->
                STEP(w = parked[k]);
                if
                :: w != 0 -> STEP(wakes[k]++)
                :: w == 0
                fi;
                k++
            :: k == SLOTS -> break
            od;
#ifdef CLEARS_LATE
            STEP(fence(t); flag = 0);
#endif
            k = 0
        fi
    fi;
    w = 0
}

/* lock.h: lock_count_out(), lock.c: wake_writer() */
inline count_out()
{
    STEP(readers = readers - in; in = 0;
         if
         :: t == LAST -> fence(t); count[t]--
         :: t != LAST -> buffer[t] ! COUNT, count[t] - 1
         fi)
}

inline wake_writer()
{
    STEP(w = word);
    if
    :: w != 0 ->
        STEP(fence(t); k = parked[w - 1]);
        if
        :: k != 0 -> STEP(wakes[w - 1]++)
        :: k == 0
        fi
    :: w == 0
    fi;
    w = 0; k = 0
}

/* turn.c: settle(). The sleeper looks on for longer than a store stays hidden as
 * a rule; hid: one of somebody's still is when it looks for the last time. */
inline settle()
{
    STEP(k = 0;
         hid = 0;
         do
         :: k < THREADS -> hid = hid || (k != t && len(buffer[k]) > 0); k++
         :: k == THREADS -> break
         od;
         k = 0)
}

/* park.c: wshm_park_announce() */
inline announce()
{
#ifndef SNAPSHOT_LATE
    STEP(seen = wakes[SLOT(t)]);
#endif
    STEP(fence(t); parked[SLOT(t)]++)
}

inline withdraw()
{
    STEP(parked[SLOT(t)]--);
    seen = 0; hid = 0
}

/* turn.c: wshm_turn_end(); granted: not exclusively, or not at all. */
inline turn_end(granted)
{
    STEP(w = (seat == t + 1));
    if
    :: w == 1 ->
        STEP(fence(t); seat = (seat == t + 1 -> 0 : seat))
    :: w == 0
    fi;
    if
#ifdef SEAT_LEFT_SILENTLY
    :: !granted ->
#else
    :: !granted || (w == 1 && !IS_EXCLUSIVE(t)) ->
#endif
#ifndef GIVES_UP_SILENTLY
        STEP(w = (word == 0));
        if
        :: w == 1 -> wake()
        :: w == 0
        fi
#endif
    :: else
    fi;
    w = 0
}

/* turn.c: one round of wshm_turn_wait(). go: it may try. */
inline turn_wait()
{
    look();
    if
    :: go == 0 ->
#if KILLS > 0
        /* Owner or seat of a dead process: lock.pml has the cleaning. */
        STEP(if
             :: w != 0 && IS_DEAD(w - 1) && word == w -> word = 0
             :: else
             fi);
#endif
        /* take_seat(); a writer that is not patient yet does without. */
        STEP(k = seat);
        if
        :: IS_EXCLUSIVE(t) && k != t + 1 -> skip
        :: k != t + 1 && (k == 0 || YOUNGER(k)) ->
            STEP(fence(t); seat = (seat == k -> t + 1 : seat))
        :: k == t + 1 || (k != 0 && !YOUNGER(k) && !IS_EXCLUSIVE(t)) ->
#if KILLS > 0
            STEP(seat = (SEAT_STALE && seat == k -> 0 : seat))
#else
            skip
#endif
        fi;
        k = 0;
        /* park() */
        announce();
        STEP(fence(t); flag = 1);
        settle();
#ifndef NO_LOOK
        look();
#endif
#ifdef SNAPSHOT_LATE
        STEP(seen = wakes[SLOT(t)]);
#endif
        if
        :: go == 0 ->
            if
            :: d_step { wakes[SLOT(t)] != seen || (GIVEUP >> t) & 1 -> skip }
            :: d_step { SLICES && MAY_GO(word, seat) -> skip }
#ifdef BOUNDED
            :: d_step { word != 0 && IS_DEAD(word - 1) -> skip }
            :: d_step { word == 0 && SEAT_STALE -> seat = 0 }
#endif
            :: DIE
            fi
        :: go == 1
        fi;
        withdraw()
    :: go == 1
    fi;
    w = 0
}
