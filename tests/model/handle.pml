/* The threads of one handle, as src/lock.h, lock.c, api_lock.c, copy.c, handle.h
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
 *           without having got anything while such a lock is held.
 * NO_STRAYS nobody unlocks what it was not told of.
 * DEPTH     stores that a buffer holds: one more waits.
 *
 * Left out: who becomes the first thread and places of the table that are taken
 * again (place.pml), short copies (lock_copy.pml), winshm_copy_out() and _in(), whose check
 * is a hint, waiting and its words (wait.pml), slots that are claimed again
 * and which of them are shown as having locked shared (lock.pml). */
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
#include "handle_lock.pml"

/* region.c: wshm_region_close(), begin_close(), retire(), quiet(), leave(). */
inline close_handle()
{
    /* begin_close() */
    STEP(n = HELD_BY_HANDLE);
    if
    :: n != 0 -> res = BUSY; goto out
    :: else
    fi;
#ifdef CLOSES_TWICE
    STEP(n = (closing == NONE));
    STEP(closing = UNDECIDED);
#else
    STEP(fence(i); n = (closing == NONE);
         closing = (closing == NONE -> UNDECIDED : closing));
#endif
    if
    :: n == 0 -> res = CLOSED; goto out
    :: else
    fi;
    end_call(1);
    do
    :: true ->
        /* retire(), quiet() */
#ifndef MARKS_FIRST
        STEP(fence(i); handle = 0);
#endif
#ifndef NO_CLOSE_BARRIER
        if
        :: !FIRST && HAS_FIRST -> STEP(fence(0); fence(1)
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
        STEP(fence(i); handle = 1);
        STEP(n = HELD_BY_HANDLE);
        if
        :: true -> STEP(fence(i); closing = NONE); res = BUSY; goto judge
        :: n == 0
        fi
    od;
    STEP(fence(i); assert(calls_inside == 0); closing = DONE);
    STEP(fence(i); assert(writing[0] == 0 && reading[0] == 0);
         assert(OWNER(word) != 1 && SUM(0) == 0 && presence[0] == 100);
         presence[0] = 0)
}

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
#ifndef NO_STRAYS
        :: i < THREADS -> call = UNLOCK_X
        :: i < THREADS -> call = UNLOCK_S
#endif
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
    /* wshm_region_begin_again(), whose mutex is a fence. Nothing but a close
     * that was decided may refuse: a second one may follow one that was not. */
    if
    :: d_step { ALIVE && closing != UNDECIDED ->
                fence(i); w = (closing == DONE) }
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

    exclusively();
    goto out;

shared:
    shared_lock();
    goto out;

unlock_exclusive:
    unlock_exclusively();
    if
    :: n == 0 -> res = NOT_OWNER; goto out
    :: else
    fi;
release_exclusive:
    end_section();
    goto out;

unlock_shared:
    unlock_shared_lock();
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
    close_handle();
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
