/* What the processes of lock.pml and the threads of handle.pml share: words,
 * store buffers, death, and the routines that several operations call. N is the
 * number of store buffers. */

byte word, version, shown, slots_used, id;
byte own[SLOTS], other[SLOTS];

/* Who has a slot's presence, or the life lock: process + 1. */
byte presence[SLOTS], life;

/* The user's data: complete when both halves are equal. */
bit data0, data1;

/* What is true, whatever the words say: a section was cut off and not
 * repaired since; who is inside; how many lives there were. */
bool torn;
byte writers, readers, lives;

#ifdef OBSERVER
bool cut_seen; /* data were torn at some time since the observer looked */
#endif
#ifdef BRIEF
byte handle, handles; /* that of process 0: which one is open, how many were */
#endif

byte budget; /* kills that may still come */

#ifndef DEPTH
#define DEPTH 5
#endif
mtype { WORD, VERSION, DATA0, DATA1, OWN, OTHER };
chan buffer[N] = [DEPTH] of { mtype, byte, byte };

/* Beside an even version: the data are complete, so nothing is torn. */
#define COMPLETE 1

hidden mtype to;
hidden byte at, value;

inline drain_one(i)
{
    buffer[i] ? to, at, value;
    if
    :: to == WORD -> word = value
    :: to == VERSION ->
        version = value; torn = (at == COMPLETE -> false : torn)
    :: to == DATA0 -> data0 = value
    :: to == DATA1 -> data1 = value
    :: to == OWN -> own[at] = value
    :: to == OTHER -> other[at] = value
#ifdef MORE_STORES
    MORE_STORES
#endif
    fi
}

inline fence(i)
{
    do
    :: nempty(buffer[i]) -> drain_one(i)
    :: empty(buffer[i]) -> break
    od
}

active proctype memory()
{
end:
    do
    :: d_step { nempty(buffer[0]) -> drain_one(0) }
#if N > 1
    :: d_step { nempty(buffer[1]) -> drain_one(1) }
#endif
#if N > 2
    :: d_step { nempty(buffer[2]) -> drain_one(2) }
#endif
#if N > 3
    :: d_step { nempty(buffer[3]) -> drain_one(3) }
#endif
    od
}

#ifndef STEP
#define DIE atomic { budget > 0 -> budget--; goto killed }
#define STEP(...) if :: d_step { __VA_ARGS__; skip } :: DIE fi
/* A store waits while the buffer is full, as it is with a mutant only. */
#define STORE(...)                                                            \
    if :: d_step { nfull(buffer[i]) -> __VA_ARGS__; skip } :: DIE fi
#endif
#define NEXT(v) (((v) + 1) % VERSIONS)

/* participant.c: clean(), of a slot whose presence we have. */
inline clean(s)
{
#ifndef PARITY_EARLY
    STEP(n = (OWNER(word) == s + 1));
    if
    :: n != 0 -> STEP(n = 1 + version % 2)
    :: else
    fi;
#endif
    if
    :: n != 0 ->
        STEP(fence(i);
             if
#ifdef FORGETS_DEATH
             :: true -> word = 0
#else
             :: n == 2 -> word = INCONSISTENT
             :: n != 2 -> word = 0
#endif
             fi)
    :: else
    fi;
#ifdef LOWERS
    STEP(fence(i); shown = shown & (255 - BIT(s)));
#endif
#ifndef KEEPS_READERS
    STORE(buffer[i] ! OWN, s, 0);
#ifndef KEEPS_OTHER_HALF
    STORE(buffer[i] ! OTHER, s, 0);
#endif
#endif
#ifndef NO_FENCE
    STEP(fence(i));
#endif
    n = 0
}

/* participant.c: wshm_participant_reap() */
inline reap(s)
{
#ifdef PARITY_EARLY
    STEP(n = (OWNER(word) == s + 1 -> 1 + version % 2 : 0));
#endif
#ifdef PROBE_AND_SWAP
    clean(s);
#else
    STEP(w = (presence[s] == 0); presence[s] = (w -> i + 1 : presence[s]));
    if
    :: w == 1 ->
#ifdef CLEANS_LATE
        STEP(presence[s] = 0);
        clean(s);
#else
        clean(s);
        STEP(presence[s] = 0)
#endif
    :: else
    fi;
#endif
    n = 0; w = 0
}

#ifndef THREADS
/* lock.h: lock_count_in(), lock_count_out(). Only the handle's first thread
 * uses own; which thread does it is free to the caller, but who has counted in
 * counts out. That nobody else can is the matter of handle.pml. */
inline count_in()
{
    if
    :: d_step { fence(i); own[slot] = 1 }
#ifdef HALVES
    :: d_step { fence(i); other[slot] = (other[slot] + 1) & 255; half = 1 }
#endif
    :: DIE
    fi
}

inline count_out()
{
    if
    :: d_step {
        half == 0 && nfull(buffer[i]) ->
        readers = (in == 2 -> readers - 1 : readers); in = 0;
        buffer[i] ! OWN, slot, 0
    }
#ifdef HALVES
    :: d_step {
        half == 1 ->
        readers = (in == 2 -> readers - 1 : readers); in = 0;
        fence(i); other[slot] = (other[slot] + 255) & 255; half = 0
    }
#endif
    :: DIE
    fi
}
#endif
