/* What the calls of handle.pml do with the lock: src/lock.h, lock.c and copy.c.
 * Each is once in a thread, and goes to its labels. */

/* wshm_lock(), and the fast path in api_lock.c. A copy goes on with its
 * release. */
inline exclusively()
{
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
        /* wshm_lock_make_consistent(): by a swap, since somebody who was not
         * told may unlock a handle for tasks right before. */
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
    STORE(buffer[i] ! WORD, 0, taken)
}

/* The same for a shared lock, to the end of the copy that takes it. */
inline shared_lock()
{
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
    fi
}

/* wshm_unlock(): what is recorded is forgotten, and n tells whether it was. */
inline unlock_exclusively()
{
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
    fi
}

/* wshm_lock_release() of an exclusive lock, lock_end_section(). */
inline end_section()
{
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
}

/* The same for a shared lock. */
inline unlock_shared_lock()
{
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
    fi
}
