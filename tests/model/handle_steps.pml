/* What the threads of handle.pml share: what a handle records, what is true,
 * the loads and stores of a thread, and its process's death. */
#define N (THREADS + 1)
#define SLOTS 2
#define VERSIONS 2
#define INCONSISTENT 64
#define OWNER(w) ((w) & 15)
#define SUM(s) ((own[s] + other[s]) & 255)

/* A thread's slot and handle, its name in the word, its number. */
#define H (i < THREADS -> 0 : 1)
#define ME (H + 1)
#define NUMBER (i + 1)
#define ANYBODYS 9
#define AS_OWNER (TASKS -> ANYBODYS : NUMBER)

mtype { SETS_OWNER, SETS_OWN, MARK, TOKEN };
mtype { LOCK_X, LOCK_S, UNLOCK_X, UNLOCK_S, READ, WRITE, CLOSE };
mtype { OK, NOT_OWNER, DEADLOCK, OWNER_DEAD, TIMEOUT, CLOSED, BUSY };
mtype { NONE, UNDECIDED, DONE };

/* What handles record: region.owner, own and other. */
byte owner_of[2], own_of[2], other_of[2];
/* Stores to owner that are in a thread's buffer, and the last of them. */
byte hidden_owners[N], hidden_owner[N];

bit handle = 1;
bit inside_first;
byte inside_other;
mtype closing = NONE;

/* What is true: sections and copies, cut off or not; calls inside; who is dead
 * and who has finished. */
byte writing[2], reading[2];
bit odd[2], dead[2];
byte calls_inside, finished;

byte calls = CALLS, theirs = THEIRS;

#ifdef TASK
/* Locks that the handle has, what unlocking them is told by, and how many were
 * released by somebody who was not told. */
byte locked_x, locked_s, token_x, token_s, stolen_x, stolen_s;
#define TASKS (i < THREADS)
#define GOT_X locked_x = locked_x + (TASKS && call == LOCK_X)
#define GOT_S locked_s = locked_s + (TASKS && call == LOCK_S)
#define PUT_TOKEN                                                              \
    :: to == TOKEN ->                                                          \
        token_x = token_x + (at == 1); token_s = token_s + (at == 0)
#else
#define TASKS false
#define GOT_X skip
#define GOT_S skip
#define PUT_TOKEN
#endif
#if defined(TASK) && !defined(HALF_SUMS)
#define FIRST (i == THREADS)
#define HAS_FIRST false
#else
#define FIRST (i == 0 || i == THREADS)
#define HAS_FIRST true
#endif

#define MORE_STORES                                                            \
    :: to == SETS_OWNER ->                                                     \
        owner_of[at] = value; hidden_owners[i]--;                              \
        hidden_owner[i] = (hidden_owners[i] == 0 -> 0 : hidden_owner[i])       \
    :: to == SETS_OWN -> own_of[at] = value                                    \
    :: to == MARK -> inside_first = value                                      \
    PUT_TOKEN

#if KILLS > 0
#define ALIVE !dead[H]
#define DIE dead[H] -> goto killed
#define STEP(...) if :: d_step { ALIVE -> __VA_ARGS__; skip } :: DIE fi
#define STORE(...)                                                             \
    if :: d_step { ALIVE && nfull(buffer[i]) -> __VA_ARGS__; skip } :: DIE fi
#else
#define ALIVE true
#define DIE false
#define STEP(...) if :: d_step { __VA_ARGS__; skip } fi
#define STORE(...) if :: d_step { nfull(buffer[i]) -> __VA_ARGS__; skip } fi
#endif

#include "lock_steps.pml"

#define WRITING (writing[0] + writing[1])
#define READING (reading[0] + reading[1])
#define MORE (i < THREADS -> calls > 0 : theirs > 0)

/* Loads of region.owner and own: a thread sees its own stores. */
#define OWNER_SEEN (hidden_owners[i] > 0 -> hidden_owner[i] : owner_of[H])
#define OWN_SEEN (FIRST -> shares : own_of[H])
/* wshm_lock_held(): 2 exclusively, 1 shared. */
#define HELD_SEEN (OWNER_SEEN == NUMBER -> 2 : (shares != 0 -> 1 : 0))
#define SET_OWNER(v)                                                           \
    buffer[i] ! SETS_OWNER, H, v; hidden_owners[i]++; hidden_owner[i] = v
/* wshm_lock_held_by_handle() */
#define HELD_BY_HANDLE                                                         \
    (OWNER_SEEN != 0 || OWN_SEEN != 0 || other_of[H] != 0)

#ifdef SHARES_HALF
#define USES_OWN true
#else
#define USES_OWN FIRST
#endif

/* lock.h: lock_count_in(), lock_count_out(). */
inline slot_in()
{
    if
    :: USES_OWN -> STEP(fence(i); own[H] = (shares + 1) & 255)
    :: else -> STEP(fence(i); other[H] = (other[H] + 1) & 255)
    fi
}

inline slot_out(left)
{
    if
    :: USES_OWN -> STORE(reading[H] = reading[H] - left;
                         buffer[i] ! OWN, H, shares)
    :: else -> STEP(reading[H] = reading[H] - left;
                    fence(i); other[H] = (other[H] + 255) & 255)
    fi
}

/* lock.c: forget(), of an exclusive lock */
inline forget_owner()
{
    STEP(fence(i); n = (owner_of[H] == NUMBER);
         owner_of[H] = (owner_of[H] == NUMBER -> 0 : owner_of[H]))
}

/* handle.h: the end of a call. */
inline end_call(begun)
{
    if
    :: FIRST -> STORE(calls_inside = calls_inside - begun;
                      buffer[i] ! MARK, 0, 0)
    :: else -> STEP(calls_inside = calls_inside - begun;
                    fence(i); inside_other--)
    fi
}

/* What ends a wait but that for which one waits. With TASK the holder may be
 * the one that waits, which nobody can tell. */
#ifdef TASK
#define IN_THE_WAY (TASKS && locked_x + locked_s > 0)
#else
#define IN_THE_WAY false
#endif
#define UNTIL_CLOSED(label)                                                    \
    :: d_step { ALIVE && i < THREADS && closing != NONE -> res = CLOSED };     \
        goto label                                                             \
    :: d_step { ALIVE && IN_THE_WAY -> res = TIMEOUT }; goto label             \
    :: DIE

#if KILLS > 0
inline kill(h)
{
    d_step {
        /* What it had executed becomes visible, then its objects go. */
        t = h * THREADS;
        do
        :: t < THREADS + h -> fence(t); t++
        :: else -> break
        od;
        torn = torn || odd[h];
        odd[h] = 0; writing[h] = 0; reading[h] = 0; dead[h] = 1;
        presence[h] = 0;
        /* Of those that it was cleaning. */
        presence[1 - h] = (presence[1 - h] > h * THREADS &&
                           presence[1 - h] <= THREADS + h -> 0 :
                           presence[1 - h]);
        t = 0
    }
}

active proctype killer()
{
    byte t;
    if
    :: kill(0)
    :: kill(1)
    :: true
    fi
}
#endif

/* When all have finished nothing is held, counted or recorded. */
#define NOTHING_LEFT(h)                                                        \
    (dead[h] || OWNER(word) != h + 1 && SUM(h) == 0 && owner_of[h] == 0 &&     \
     ((own_of[h] + other_of[h]) & 255) == 0)

active proctype audit()
{
    finished == N && empty(buffer[0]) && empty(buffer[1]) &&
        empty(buffer[2]) && empty(buffer[N - 1]);
    assert(NOTHING_LEFT(0) && NOTHING_LEFT(1));
    assert((word == INCONSISTENT) <= torn)
}

init
{
    atomic {
        byte p;
        presence[0] = 100; presence[1] = 101;
        do
        :: p < N -> run thread(p); p++
        :: p == N -> break
        od
    }
}
