/* The threads of one handle, as src/lock.h, lock.c, api_use.c, copy.c, handle.h
 * and region.c have them: who holds what, copies, unlocking, closing.
 *
 * THREADS threads share the first handle, in a process of its own; one more
 * thread has a handle of its own in another process. Each thread has a store
 * buffer. A thread calls what it likes when it likes, right or wrong, as long
 * as the CALLS of its process last; then it unlocks what it holds. With KILLS
 * one of the processes may be killed at any time, all its threads at once.
 * Steps and waiting are as in lock.pml.
 *
 * CALLS     calls of the first process     THEIRS  of the other
 * TASK      the handle is one for tasks: what one thread has locked, another
 *           may unlock that was told of it. Only with this may a wait end
 *           without having got anything while such a lock is held. */
#ifndef THREADS
#define THREADS 2
#endif
#ifndef CALLS
#define CALLS 2
#endif
#ifndef THEIRS
#define THEIRS 1
#endif
#ifndef KILLS
#define KILLS 0
#endif
#ifndef DEPTH
#define DEPTH 4
#endif

#include "handle_steps.pml"

proctype thread(byte i)
{
    mtype call, res;
    byte n, w, k, taken;
    byte shares; /* own, or the thread's bit: this thread alone writes it */
    byte held;   /* what it knows that it holds, as HELD_SEEN */
    bit told;    /* unlocks what it knows to be locked */
    bit fast;

choose:
    if
    :: atomic {
        ALIVE && MORE ->
        if
        :: i < THREADS -> calls--
        :: else -> theirs--
        fi;
        if
        :: call = LOCK_X
        :: call = LOCK_S
        :: i < THREADS -> call = UNLOCK_X
        :: i < THREADS -> call = UNLOCK_S
        :: i < THREADS -> call = CLOSE
#ifndef HALF_SUMS
        :: call = WRITE
        :: call = READ
#endif
        fi
       }
#ifdef TASK
    :: atomic { ALIVE && TASKS && token_x > 0 ->
                token_x--; told = 1; call = UNLOCK_X }
    :: atomic { ALIVE && TASKS && token_s > 0 ->
                token_s--; told = 1; call = UNLOCK_S }
    :: TASKS && !MORE && token_x + token_s == 0 && empty(buffer[i]) ->
        goto done
#endif
    :: !TASKS && !MORE && held == 0 -> goto done
    :: atomic { ALIVE && !MORE && held == 2 -> call = UNLOCK_X }
    :: atomic { ALIVE && !MORE && held == 1 -> call = UNLOCK_S }
    :: DIE
    fi;
    res = OK;
    if
    :: i == THREADS -> goto entered
    :: else
    fi;

begin:
    /* wshm_region_use() */
    if
    :: FIRST -> STORE(buffer[i] ! MARK, 0, 1)
    :: else -> STEP(fence(i); inside_other++)
    fi;
    STEP(n = handle; calls_inside = calls_inside + n);
    if
    :: n == 1 -> n = 0; goto entered
    :: else
    fi;
    end_call(0);
    /* wshm_region_begin_again(), whose mutex is a fence */
    if
    :: d_step { ALIVE && closing != UNDECIDED -> fence(i); w = (closing == DONE) }
    :: DIE
    fi;
#ifdef REFUSES_EARLY
    STEP(w = !handle; assert(!w || closing == DONE));
#endif
    if
    :: w == 0 -> goto begin
    :: else -> res = CLOSED; goto judge
    fi;

entered:
    if
    :: call == CLOSE -> goto close
    :: call == UNLOCK_X -> goto unlock_exclusive
    :: call == UNLOCK_S -> goto unlock_shared
    :: else
    fi;
    fast = (FIRST && (call == LOCK_X || call == LOCK_S && shares == 0));
check:
    if
    :: !fast && !TASKS ->
#ifdef NESTS_BY_HANDLE
        STEP(n = HELD_SEEN;
             n = ((call == WRITE || call == READ) && OWNER_SEEN != 0 -> 2 : n));
#else
        STEP(n = HELD_SEEN);
#endif
        if
        :: n == 2 && call == WRITE || n != 0 && call == READ -> goto nested
#ifdef BIT_UNASKED
        :: n == 1 && call == LOCK_S && !FIRST
#endif
#ifdef LOOKS_AT_OWN_SLOT_LATE
        :: n == 1 && call == LOCK_X
#endif
        :: n == 0
        :: else -> res = DEADLOCK; goto out
        fi
    :: else
    fi;
    n = 0;
    if
    :: call == LOCK_S || call == READ -> goto shared
    :: else
    fi;

#ifdef RECORDS_EARLY
    if
    :: call == LOCK_X -> STORE(SET_OWNER(AS_OWNER))
    :: else
    fi;
#endif
    w = 0;
take:
    /* wshm_lock_try_exclusive(), and take_word() if w is 2 */
    STEP(fence(i);
         if
         :: OWNER(word) == 0 && (word == 0 || w == 2) ->
             taken = word; word = word | ME; w = 1
         :: else -> w = 0
         fi);
    if
    :: w == 1 -> goto drain
    :: w == 0 && fast -> fast = 0; goto check
    :: else
    fi;
    /* wshm_turn_wait() */
    if
    :: d_step { ALIVE && OWNER(word) == 0 -> w = 2 }
#if KILLS > 0
    :: d_step { ALIVE && OWNER(word) != 0 && OWNER(word) != ME &&
                presence[OWNER(word) - 1] == 0 -> k = OWNER(word) - 1 };
        reap(k);
        k = 0; w = 2
#endif
    UNTIL_CLOSED(out)
    fi;
    goto take;

drain:
    w = 0;
    do
    :: k < SLOTS ->
        STEP(n = own[k]);
        if
        :: k == 0 -> STEP(n = (n + other[k]) & 255)
        :: else
        fi;
        if
        :: n == 0 -> k++
        :: n != 0 && fast ->
            /* wshm_lock_finish() */
            fast = 0;
#ifdef HALF_UNCHECKED
            n = 0;
#else
            STEP(n = HELD_SEEN);
#endif
            if
            :: n != 0 -> res = DEADLOCK; goto give_back
            :: else -> k = 0
            fi
#ifdef LOOKS_AT_OWN_SLOT_LATE
        :: n != 0 && !fast && k == H && shares != 0 ->
            res = DEADLOCK; goto give_back
#endif
        :: else ->
            /* wshm_turn_drain() */
            n = 0;
            if
            :: d_step { ALIVE && SUM(k) == 0 -> skip }
#if KILLS > 0
            :: d_step { ALIVE && presence[k] == 0 && k != H -> skip };
                reap(k)
#endif
            UNTIL_CLOSED(give_back)
            fi
        fi
    :: k == SLOTS -> break
    od;
    k = 0;
    if
    :: taken == INCONSISTENT ->
        STEP(fence(i); assert(WRITING + READING == 0 && torn);
             GOT_X; writing[H]++; odd[H] = 1; version = 1; res = OWNER_DEAD)
    :: else ->
        /* lock_begin_section() */
        STORE(assert(WRITING + READING == 0 && !torn);
              GOT_X; writing[H]++; odd[H] = 1
#if KILLS > 0
              ; buffer[i] ! VERSION, 0, 1
#endif
             )
    fi;
#ifdef RECORDS_COPIES
    STORE(SET_OWNER(AS_OWNER));
#endif
    if
    :: call == WRITE -> goto release_exclusive
    :: else
    fi;
#ifndef RECORDS_EARLY
    /* wshm_lock_record(), or the fast path's end */
    STORE(SET_OWNER(AS_OWNER));
#endif
    if
    :: res == OWNER_DEAD ->
        /* wshm_lock_make_consistent() */
        STEP(n = (OWNER_SEEN == AS_OWNER));
        if
#ifdef REPAIRS_BLINDLY
        :: n != 0 -> STEP(n = (OWNER(word) == ME));
            if
            :: n != 0 -> STORE(buffer[i] ! WORD, 0, ME)
            :: else
            fi
#else
        :: n != 0 -> STEP(fence(i);
                          word = (word == (ME | INCONSISTENT) -> ME : word))
#endif
        :: else
        fi
    :: true
    fi;
    goto out;

give_back:
    STORE(buffer[i] ! WORD, 0, taken);
    goto out;

unlock_exclusive:
    if
#ifdef TASK
    :: TASKS ->
#ifdef UNSWAPPED
        STEP(n = (owner_of[0] == ANYBODYS));
#endif
        STEP(fence(i);
#ifndef UNSWAPPED
             n = (owner_of[0] == ANYBODYS);
#endif
             if
             :: n != 0 ->
                 assert(locked_x > 0);
                 owner_of[0] = 0; locked_x--; writing[0]--;
                 stolen_x = stolen_x + 1 - told
             :: else ->
                 assert(!told || stolen_x > 0);
                 stolen_x = stolen_x - told
             fi)
#endif
#ifdef STRAY_RELEASES
    :: !TASKS -> STEP(n = (OWNER(word) == ME && odd[H]));
        if
        :: n != 0 -> STORE(SET_OWNER(0))
        :: else
        fi
#endif
    :: !TASKS && FIRST ->
        /* wshm_lock_release_exclusive() */
        STEP(n = (OWNER_SEEN == NUMBER));
        if
        :: n != 0 -> STEP(n = (word == ME))
        :: else
        fi;
#ifndef OWNER_LATE
        if
        :: n != 0 -> STORE(SET_OWNER(0))
        :: else -> forget_owner()
        fi
#endif
    :: !TASKS && !FIRST -> forget_owner()
    fi;
    if
    :: n == 0 -> res = NOT_OWNER; goto out
    :: else
    fi;

release_exclusive:
    /* wshm_lock_release(), lock_end_section() */
    STEP(n = word; assert(OWNER(n) == ME));
    if
    :: n == ME ->
        STORE(writing[H] = writing[H] - (call == WRITE || !TASKS); odd[H] = 0
#if KILLS > 0
              ; buffer[i] ! VERSION, COMPLETE, 0
#endif
             );
        STORE(buffer[i] ! WORD, 0, 0)
    :: else ->
        STORE(writing[H] = writing[H] - (call == WRITE || !TASKS); odd[H] = 0;
              buffer[i] ! WORD, 0, INCONSISTENT)
    fi;
#ifdef OWNER_LATE
    if
    :: call == UNLOCK_X && FIRST && !TASKS -> STORE(SET_OWNER(0))
    :: else
    fi;
#endif
#ifdef RECORDS_COPIES
    if
    :: call == WRITE -> STORE(SET_OWNER(0))
    :: else
    fi;
#endif
    goto out;

shared:
    do
    :: true ->
        slot_in();
        STEP(w = word;
             if
             :: w == 0 -> assert(WRITING == 0 && !torn);
                 GOT_S; reading[H]++
             :: w == INCONSISTENT -> assert(torn)
             :: else
             fi);
        if
        :: w == 0 -> break
        :: w != 0 && fast ->
            /* wshm_lock_finish() */
            fast = 0;
#ifndef HALF_UNCHECKED
            STEP(n = HELD_SEEN)
#endif
        :: else
        fi;
        slot_out(0);
        if
        :: n != 0 -> res = DEADLOCK; goto out
        :: n == 0 && w == INCONSISTENT -> res = OWNER_DEAD; goto out
        :: else
        fi;
        w = 0;
        if
        :: d_step { ALIVE && OWNER(word) == 0 -> skip }
#if KILLS > 0
        :: d_step { ALIVE && OWNER(word) != 0 && OWNER(word) != ME &&
                    presence[OWNER(word) - 1] == 0 -> k = OWNER(word) - 1 };
            reap(k);
            k = 0
#endif
        UNTIL_CLOSED(out)
        fi
    od;
    if
    :: call == READ -> slot_out(1); goto out
    :: else
    fi;
    /* wshm_lock_record(), or the fast path's end */
    if
    :: FIRST ->
#ifdef HALF_SUMS
        STORE(shares = (shares + 1) & 255; buffer[i] ! SETS_OWN, H, shares)
#else
        STORE(shares = 1; buffer[i] ! SETS_OWN, H, 1)
#endif
    :: else ->
        shares = !TASKS;
        STEP(fence(i); other_of[H] = (other_of[H] + 1) & 255)
    fi;
    goto out;

unlock_shared:
    if
#ifdef TASK
    :: TASKS ->
#ifdef HALF_SUMS
        /* Before, the first thread's locks were counted apart here, too. */
        STEP(n = OWN_SEEN);
        STEP(n = (n + other_of[0]) & 255);
#endif
#if defined(UNSWAPPED) || defined(COUNTS_BLINDLY)
        STEP(n = other_of[0]);
#endif
        STEP(fence(i);
#if !defined(HALF_SUMS) && !defined(UNSWAPPED)
             n = other_of[0];
#endif
#ifdef COUNTS_BLINDLY
             n = 1;
#endif
             if
             :: n != 0 ->
                 assert(locked_s > 0);
#ifdef UNSWAPPED
                 other_of[0] = n - 1;
#endif
#if !defined(HALF_SUMS) && !defined(UNSWAPPED)
                 other_of[0] = (other_of[0] + 255) & 255;
#endif
                 locked_s--; reading[0]--;
                 stolen_s = stolen_s + 1 - told
             :: else ->
                 assert(!told || stolen_s > 0);
                 stolen_s = stolen_s - told
             fi);
#ifdef HALF_SUMS
        if
        :: n != 0 && FIRST ->
            STORE(shares = (shares + 255) & 255;
                  buffer[i] ! SETS_OWN, 0, shares)
        :: n != 0 && !FIRST ->
            STEP(fence(i); other_of[0] = (other_of[0] + 255) & 255)
        :: else
        fi
#endif
#endif
    :: !TASKS && shares == 0 -> n = 0
    :: !TASKS && shares != 0 && FIRST ->
        n = 1; STORE(shares = 0; buffer[i] ! SETS_OWN, H, 0)
    :: !TASKS && shares != 0 && !FIRST ->
        n = 1; shares = 0;
        STEP(fence(i); other_of[H] = (other_of[H] + 255) & 255)
    fi;
    if
    :: n == 0 -> res = NOT_OWNER; goto out
    :: else
    fi;
    slot_out(!TASKS);
    goto out;

nested:
    /* copy.c: within a section of this thread, and of nobody else */
    if
    :: call == WRITE ->
        STEP(assert(WRITING == (held == 2) && READING == 0); writing[H]++);
        STEP(writing[H]--)
    :: call == READ ->
        STEP(assert(WRITING == (held == 2)); reading[H]++);
        STEP(reading[H]--)
    fi;
    goto out;

close:
    /* wshm_region_close() */
    STEP(n = HELD_BY_HANDLE);
    if
    :: n != 0 -> res = BUSY; goto out
    :: else
    fi;
#ifndef UNDECIDED_LATE
    STEP(fence(i); n = (closing == NONE);
         closing = (closing == NONE -> UNDECIDED : closing));
    if
    :: n == 0 -> res = CLOSED; goto out
    :: else
    fi;
#endif
    end_call(1);
    do
    :: true ->
        /* retire(), quiet() */
#ifndef MARKS_FIRST
        STEP(fence(i); handle = 0);
#endif
#ifdef UNDECIDED_LATE
        STEP(closing = UNDECIDED);
#endif
#ifndef NO_CLOSE_BARRIER
        if
        :: !FIRST && !TASKS -> STEP(fence(0); fence(1)
#if THREADS > 2
                                    ; fence(2)
#endif
                                   )
        :: else
        fi;
#endif
        if
        :: d_step { ALIVE && inside_first == 0 -> n = 0 }
        :: d_step { ALIVE && inside_first != 0 -> n = 1 }
        :: DIE
        fi;
        if
        :: n != 0
        :: d_step { ALIVE && n == 0 && inside_other == 0 -> n = 0 }
        :: d_step { ALIVE && n == 0 && inside_other != 0 -> n = 1 }
        :: DIE
        fi;
#ifdef MARKS_FIRST
        STEP(fence(i); handle = 0);
#endif
#ifndef HELD_UNASKED
        if
        :: n == 0 -> STEP(n = HELD_BY_HANDLE)
        :: else
        fi;
#endif
        if
        :: n == 0 -> break
        :: else
        fi;
#ifdef DECIDED_FIRST
        STEP(fence(i); closing = NONE);
#endif
        STEP(fence(i); handle = 1);
        STEP(n = HELD_BY_HANDLE);
        if
        :: true -> STEP(fence(i); closing = NONE); res = BUSY; goto judge
        :: n == 0
        fi
    od;
    STEP(fence(i); assert(calls_inside == 0); closing = DONE);
    STEP(fence(i); assert(writing[0] == 0 && reading[0] == 0);
         assert(OWNER(word) != 1 && own[0] == 0 && other[0] == 0);
         presence[0] = 0);
    goto done;

out:
    if
    :: i < THREADS -> end_call(1)
    :: else
    fi;
judge:
    if
#ifdef TASK
    :: TASKS && (call == LOCK_X && (res == OK || res == OWNER_DEAD) ||
                 call == LOCK_S && res == OK) ->
        STORE(buffer[i] ! TOKEN, (call == LOCK_X), 0)
#endif
    :: else
    fi;
    d_step {
        if
        :: TASKS -> assert(res != DEADLOCK)
        :: !TASKS && (call == LOCK_X || call == LOCK_S) ->
            assert((res == DEADLOCK) == (held != 0));
            if
            :: call == LOCK_X && (res == OK || res == OWNER_DEAD) -> held = 2
            :: call == LOCK_S && res == OK -> held = 1
            :: else
            fi
        :: !TASKS && (call == UNLOCK_X || call == UNLOCK_S) ->
            assert(res == CLOSED && held == 0 ||
                   (res == OK) == (held == (call == UNLOCK_X -> 2 : 1)));
            held = (res == OK -> 0 : held)
        :: !TASKS && (call == READ || call == WRITE) ->
            assert((res == DEADLOCK) == (call == WRITE && held == 1))
        :: else
        fi;
        call = 0; res = 0; n = 0; w = 0; k = 0; taken = 0; told = 0; fast = 0
    };
    if
    :: i < THREADS && closing == DONE -> goto done
    :: else -> goto choose
    fi;

killed:
    if
    :: d_step { call = 0; res = 0; n = 0; w = 0; k = 0; taken = 0; shares = 0;
                held = 0; told = 0; fast = 0 }
    fi;
done:
    finished++
}
