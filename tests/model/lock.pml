/* The lock, as src/lock.h, lock.c, turn.c, participant.c, copy.c and observe.c
 * have it, with what the life of a region does to its words.
 *
 * A STEP is one access to shared memory, or one system call. A process can be
 * killed instead of every step; it comes back, takes the first free slot, and
 * does not repeat what it was killed in. Plain stores go through a store
 * buffer, first in, first out, which empties at any time, at an atomic
 * operation of the same process, and when the process dies. Waiting is a
 * guard that is true when there is something to do: what wakes a waiter is
 * the matter of wait.pml, and the seat, which only orders, is there, too.
 *
 * N         processes             OPS   requests of all lives of a process
 * KILLS     kills in all          HALVES  a shared lock by any of its threads
 * GIVEUP    waits may time out    OBSERVER  copies that it makes unlocked
 * BRIEF     copies that a thread of process 0 makes unlocked
 * BITS      how many the slots share that tell who has locked shared
 */
#ifndef N
#define N 2
#endif
#ifndef OPS
#define OPS 1
#endif
#ifndef KILLS
#define KILLS 1
#endif
#define SLOTS N
#if defined(OBSERVER) || defined(BRIEF)
#define DATA
#define VERSIONS 64
#else
/* Only the parity matters to those who lock. */
#define VERSIONS 2
#endif

#ifndef BITS
#define BITS SLOTS
#endif
#define BIT(s) (1 << ((s) % BITS))
#define INCONSISTENT 64
#define OWNER(w) ((w) & 15)
#define SUM(s) ((own[s] + other[s]) & 255)

#include "lock_steps.pml"

/* lock.h: lock_show(). Whose first thread has held it shared goes by the fast
 * path from then on, which does not look again. */
inline show_slot()
{
    if
    :: shows == 0 ->
        STEP(n = shown & BIT(slot));
        if
#ifdef SHOWS_BLINDLY
        :: n == 0 ->
            STEP(n = shown);
            STEP(fence(i); shown = n | BIT(slot))
#else
        :: n == 0 -> STEP(fence(i); shown = shown | BIT(slot))
#endif
        :: else
        fi;
        n = 0
    :: else
    fi
}

proctype participant(byte i)
{
    byte ops = OPS;
    byte slot, k, n, w, taken, limit, look;
    byte in; /* 1: in an exclusive section, 2: in a shared one */
    bit bits;
    bit half;  /* counted in: 0: own, 1: other */
    bit shows; /* has held it shared, so its slot is shown */

born:
    /* enter.c: wshm_enter(), with the life lock. */
    if
    :: d_step { life == 0 -> life = i + 1 }
    :: DIE
    fi;
    /* witness() */
    STEP(w = 0; k = 0;
         do
         :: k < SLOTS -> w = (presence[k] != 0 -> 1 : w); k++
         :: k == SLOTS -> break
         od;
         k = 0);
    if
    :: w == 0 ->
        /* create(): in place, whoever may still be looking at the words. */
        STEP(id = 0);
#ifndef KEEPS_WORDS
        /* clear_words() */
        STEP(word = 0);
        STEP(version = 0; torn = false);
        STEP(shown = 0);
        STEP(slots_used = 0;
             do
             :: k < SLOTS -> own[k] = 0; other[k] = 0; k++
             :: k == SLOTS -> break
             od;
             k = 0);
#endif
        /* Whoever adopts data is told, and sees to it that they are whole. */
        STEP(torn = false; data0 = 0; data1 = 0; lives++; id = lives)
    :: else
    fi;
    w = 0;
    /* participant.c: wshm_participant_claim(). With another process's reaper
     * on the last slot it tries again. */
#ifdef CLAIMS_AFTER_LIFE_LOCK
    STEP(life = 0);
#endif
    do
    :: w == 0 ->
        if
        :: d_step { presence[k] == 0 -> presence[k] = i + 1; w = 1; slot = k }
        :: d_step { presence[k] != 0 -> k = (k + 1) % SLOTS }
        :: DIE
        fi
    :: w == 1 -> break
    od;
    STEP(w = (slots_used < slot + 1));
    if
    :: w == 1 -> STEP(slots_used = slot + 1)
    :: else
    fi;
    w = 0; k = 0;
#ifdef PARITY_EARLY
    STEP(n = (OWNER(word) == slot + 1 -> 1 + version % 2 : 0));
#endif
#ifndef CLAIMS_DIRTY
    clean(slot);
#endif
#ifndef CLAIMS_AFTER_LIFE_LOCK
    STEP(life = 0);
#endif

#ifdef BRIEF
    if
    :: d_step { i == 0 -> handles++; handle = handles }
    :: i != 0
    fi;
#endif
again:
    w = 0; n = 0; k = 0; taken = 0; limit = 0; look = 0; bits = 0;
    if
    :: atomic { ops > 0 -> ops--; goto exclusive }
    :: atomic { ops > 0 -> ops--; goto shared }
    :: ops == 0 -> goto leave
    fi;

exclusive:
#ifdef SHOWN_EARLY
    STEP(look = shown);
#endif
#ifdef LIMIT_EARLY
    STEP(limit = slots_used);
#endif
#ifdef SCANS_EARLY
    goto scan;
#endif
take:
    /* wshm_lock_try_exclusive(). The load that take_word() does before the
     * same compare-and-swap adds nothing: if it is stale, the swap fails. */
    STEP(fence(i);
         if
         :: OWNER(word) == 0 && (word == 0 || w == 2) ->
             taken = word; word = word | (slot + 1); w = 1
         :: else -> w = 0
         fi);
    if
    :: w == 1 -> goto drain
    :: else
    fi;
    /* wshm_turn_wait(): the owner is gone, or there is none. */
    if
    :: d_step { OWNER(word) == 0 -> w = 2 }
    :: d_step {
        OWNER(word) != 0 && OWNER(word) != slot + 1 &&
            presence[OWNER(word) - 1] == 0 -> k = OWNER(word) - 1
       };
        reap(k);
        k = 0; w = 2
#ifdef GIVEUP
    :: goto again
#endif
    :: DIE
    fi;
    goto take;

drain:
    w = 0;
#ifdef ODD_EARLY
    STORE(buffer[i] ! VERSION, 0, NEXT(version) | 1; in = 1);
#endif
    /* lock_shown(), lock_readers_out(), drain() */
#ifndef SHOWN_EARLY
    STEP(look = shown);
#endif
#ifndef LIMIT_EARLY
    STEP(limit = slots_used);
#endif
#ifdef SCANS_EARLY
    goto begin;
scan:
    STEP(look = shown);
    STEP(limit = slots_used);
#endif
    do
    :: k < limit && (look & BIT(k)) == 0 -> k++
    :: k < limit && (look & BIT(k)) != 0 ->
        /* word_readers() */
        STEP(n = own[k]);
#ifndef SKIPS_HALF
        STEP(n = (n + other[k]) & 255);
#endif
        if
        :: n == 0 -> k++
        :: else ->
            /* wshm_turn_drain() */
            n = 0;
            if
            :: d_step { SUM(k) == 0 -> skip }
            :: d_step { presence[k] == 0 && k != slot -> skip };
                reap(k)
#ifdef GIVEUP
            :: d_step {
#ifdef GIVES_BACK_CLEAN
                buffer[i] ! WORD, 0, 0
#else
                buffer[i] ! WORD, 0, taken
#endif
               };
                goto again
#endif
            :: DIE
            fi
        fi
    :: k >= limit -> break
    od;
    k = 0;
#ifdef SCANS_EARLY
    if
    :: OWNER(word) != slot + 1 -> goto take
    :: else
    fi;
#endif
begin:
    if
    :: taken == INCONSISTENT -> goto told
    :: else
    fi;
    /* lock_begin_section() */
    STORE(assert(writers == 0 && readers == 0 && !torn);
          writers++; in = 1; w = version;
#ifndef NO_ODD
          buffer[i] ! VERSION, 0, NEXT(version) | 1;
#endif
          bits = 1 - data0);
#ifdef DATA
    STORE(buffer[i] ! DATA0, 0, bits);
    STORE(buffer[i] ! DATA1, 0, bits);
#endif
    goto release;

told:
    /* lock_exclusive(), with OWNER_DEAD and the lock. */
    STEP(fence(i); assert(writers == 0 && readers == 0 && torn);
         writers++; in = 1; version = version | 1; w = version - 1);
    if
    :: skip
    :: goto unrepaired
    fi;
#ifdef CONSISTENT_EVEN
    STORE(buffer[i] ! VERSION, 0, NEXT(w + 1));
#endif
#ifdef DATA
    STORE(buffer[i] ! DATA0, 0, 0);
    STORE(buffer[i] ! DATA1, 0, 0);
#endif
    /* wshm_lock_make_consistent() */
    STORE(buffer[i] ! WORD, 0, slot + 1);

release:
    /* wshm_lock_release_exclusive() */
#ifdef WORD_FIRST
    STORE(buffer[i] ! WORD, 0, 0);
#endif
    STORE(writers--; in = 0;
          buffer[i] ! VERSION, COMPLETE, NEXT(w + 1));
#ifndef WORD_FIRST
    STORE(buffer[i] ! WORD, 0, 0);
#endif
    goto again;

unrepaired:
    /* wshm_unlock() */
    STORE(writers--; in = 0;
#ifdef FREES_UNREPAIRED
          buffer[i] ! VERSION, 0, NEXT(w + 1); buffer[i] ! WORD, 0, 0
#else
          buffer[i] ! WORD, 0, INCONSISTENT
#endif
         );
    goto again;

shared:
#ifndef SHOWS_LATE
    show_slot();
#endif
    /* wshm_lock_try_shared(), and the rounds of lock_shared() */
    do
    :: true ->
#ifdef NO_SECOND_LOOK
        STEP(w = word);
        count_in();
        STEP(readers = (w == 0 -> readers + 1 : readers);
             in = (w == 0 -> 2 : 0);
             assert(w != 0 || (writers == 0 && !torn)));
#else
        count_in();
        STEP(w = word;
             if
             :: w == 0 ->
                 assert(writers == 0 && !torn); readers++; in = 2
             :: w == INCONSISTENT -> assert(torn)
             :: else
             fi);
#endif
        if
        :: w == 0 -> break
        :: else
        fi;
#ifndef KEEPS_COUNT
        count_out();
#endif
        if
        :: w == INCONSISTENT -> goto again
        :: else
        fi;
        w = 0;
        if
        :: d_step { OWNER(word) == 0 -> skip }
        :: d_step {
            OWNER(word) != 0 && OWNER(word) != slot + 1 &&
                presence[OWNER(word) - 1] == 0 -> k = OWNER(word) - 1
           };
            reap(k);
            k = 0
#ifdef GIVEUP
        :: goto again
#endif
        :: DIE
        fi
    od;
#ifdef SHOWS_LATE
    show_slot();
#endif
    shows = 1;
#ifdef DATA
    STEP(bits = data0);
    STEP(assert(bits == data1); bits = 0);
#endif
    /* wshm_lock_release_shared() */
    count_out();
    goto again;

leave:
    /* region.c: wshm_region_close() and leave(): nothing is stored. */
    STEP(fence(i); presence[slot] = 0;
#ifdef BRIEF
         handle = (i == 0 -> 0 : handle)
#endif
        );
    goto gone;

killed:
    atomic {
    true;
    d_step {
        /* What it had executed becomes visible, then its objects go. */
        fence(i);
        torn = (in == 1 -> true : torn);
#ifdef OBSERVER
        cut_seen = cut_seen || torn;
#endif
        writers = (in == 1 -> writers - 1 : writers);
        readers = (in == 2 -> readers - 1 : readers);
        life = (life == i + 1 -> 0 : life);
        k = 0;
        do
        :: k < SLOTS ->
            presence[k] = (presence[k] == i + 1 -> 0 : presence[k]); k++
        :: k == SLOTS -> break
        od;
#ifdef BRIEF
        handle = (i == 0 -> 0 : handle);
#endif
        in = 0; slot = 0; k = 0; n = 0; w = 0; taken = 0; limit = 0; look = 0; bits = 0;
#ifndef SHOWS_ONCE
        shows = 0;
#endif
        half = 0
    }
    }
    goto born;

gone:
    skip
}

#include "lock_copy.pml"

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
#if KILLS > 2
        :: budget = 3
#endif
        fi;
        do
        :: p < N -> run participant(p); p++
        :: p == N -> break
        od
    }
}
