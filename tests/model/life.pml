/* The life of a region, as src/enter.c, region.c and participant.c have it;
 * the steps below them are in life_linux.pml and life_windows.pml.
 *
 * A STEP is one store to the control block or one system call, and a process
 * can be killed instead of it. It is not modelled that stores may be hidden:
 * whoever acts on them has got the life lock or a presence after them, and
 * the kernel orders those. An outside program that knows nothing of winshm
 * may use the plain name, and somebody may open read-only, without rights to
 * the control block.
 *
 * N          processes              ROUNDS   calls of each in all its lives
 * KILLS      kills in all           OUTSIDER rounds of the outside program
 * PASSIVE    rounds of the passive opener, with TRIES in each
 * LINUX      the platform, else it is Windows
 */
#ifndef N
#define N 2
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef OUTSIDER
#define OUTSIDER 0
#endif
#ifndef PASSIVE
#define PASSIVE 0
#endif
#ifndef TRIES
#define TRIES 1
#endif

/* Process N comes last and looks whether anything is left. */
#define SLOTS N
#define OUT (N + 1)
#define READER (N + 2)
#define PROCESSES (N + 3)

#ifdef LINUX
#define CONTROLS (N + 2)
#else
#define CONTROLS 1
#endif

/* The control block, of which Linux may have several with one still named. */
byte control_name; /* which one has the name; 0: none */
byte id[CONTROLS];
bit magic[CONTROLS], adopted[CONTROLS], odd[CONTROLS];
byte joins[CONTROLS], recorded[CONTROLS];
byte word[CONTROLS];   /* the lock's word */
byte words[CONTROLS];  /* bit s: slot s is not clean */
byte life[CONTROLS];   /* who has the life lock: process + 1 */
byte presence[CONTROLS * SLOTS];
#define AT(c, s) ((c) * SLOTS + (s))

/* The data; even: made by winshm, odd: by the outside program. */
byte data_name;
byte control[PROCESSES], data[PROCESSES]; /* what a process has open */

/* What is true: how many are members, with which life and data; whether there
 * was somebody, or nobody, at some time in the call of process p. */
byte living, members, lives, objects, done;
byte member_id, member_data;
byte nobody_seen, somebody_seen;

byte budget;

#define OK 0
#define NOT_FOUND 1
#define HELD 2
#define EXISTS 3
#define REPLACED 4

#define OPEN 0
#define CREATE_NEW 1
#define OPEN_OR_CREATE 2

#define DIE atomic { budget > 0 -> budget--; goto killed }
#define STEP(...) if :: d_step { __VA_ARGS__; skip } :: DIE fi

/* A process that was killed lives no more, but may be present for a while. */
inline count_living(change)
{
    living = living + change;
    nobody_seen = (living == 0 -> 255 : nobody_seen)
}

inline count_present(change)
{
    members = members + change;
    somebody_seen = (members != 0 -> 255 : somebody_seen)
}

inline count_members(change)
{
    count_living(change);
    count_present(change)
}

inline begin_call(p)
{
    nobody_seen = (living == 0 -> nobody_seen | (1 << p)
                               : nobody_seen & (255 - (1 << p)));
    somebody_seen = (members != 0 -> somebody_seen | (1 << p)
                                  : somebody_seen & (255 - (1 << p)))
}

#ifdef LINUX
#include "life_linux.pml"
#else
#include "life_windows.pml"
#endif

/* enter.c: wshm_enter_clean_up() */
inline clean_up()
{
    known = recorded[c];
#ifdef CONTROL_FIRST
    control_remove();
#endif
    if
    :: magic[c] == 1 && adopted[c] == 0 -> data_remove()
    :: else
    fi;
#ifndef CONTROL_FIRST
    control_remove()
#endif
}

/* enter.c: adopt() */
inline adopt()
{
    data_open_any();
    if
    :: st == OK ->
        known = data[i];
#ifndef UNMARKED_ADOPTION
        STEP(adopted[c] = 1);
#endif
        STEP(recorded[c] = known);
        data_open_again()
    :: st != OK
    fi
}

/* enter.c: make_data() */
inline make_data()
{
    do
    :: true ->
        data_make();
        if
        :: st == OK ->
#ifndef RECORDS_LATE
            STEP(recorded[c] = data[i]);
#endif
            data_publish();
#ifdef RECORDS_LATE
            STEP(recorded[c] = (st == OK -> data[i] : recorded[c]));
#endif
            if
            :: st == OK -> break
            :: st != OK -> data_close(); STEP(recorded[c] = 0)
            fi
        :: st != OK
        fi;
        if
        :: disposition == CREATE_NEW -> st = HELD; break
        :: disposition != CREATE_NEW
        fi;
        adopt();
        if
        :: st == OK -> break
        :: st != OK ->
            data_close();
#ifdef FORGETS_MARK_FIRST
            STEP(adopted[c] = 0);
            STEP(recorded[c] = 0)
#else
            STEP(recorded[c] = 0);
            STEP(adopted[c] = 0)
#endif
        fi
    od
}

/* enter.c: create(). Whoever finds the region without participants may. */
inline create()
{
    STEP(assert(members == 0); id[c] = 0);
    /* forget_data() */
    known = recorded[c];
    if
    :: magic[c] == 1 && adopted[c] == 0 -> data_remove()
    :: else
    fi;
#ifdef FORGETS_MARK_FIRST
    STEP(adopted[c] = 0);
    STEP(recorded[c] = 0);
#else
    STEP(recorded[c] = 0);
    STEP(adopted[c] = 0);
#endif
    STEP(magic[c] = 1);
#ifndef KEEPS_WORDS
    /* clear_words() */
    STEP(word[c] = 0);
    STEP(words[c] = 0);
#endif
    make_data();
    if
    :: st == OK -> STEP(lives++; id[c] = lives)
    :: st != OK
    fi
}

/* participant.c: wshm_participant_claim() */
inline claim()
{
    STEP(odd[c] = 1);
    k = 0;
    do
    :: k < SLOTS ->
        if
        :: d_step {
            presence[AT(c, k)] == 0 ->
            presence[AT(c, k)] = i + 1; member = 1; count_members(1)
           };
            break
        :: d_step { presence[AT(c, k)] != 0 -> k++ }
        :: DIE
        fi
    od;
    /* Whoever joins gets the data of the life that it joins. */
    atomic {
        slot = k;
        assert((!exists && members == 1) ||
               (exists && member_id == id[c] && member_data == data[i]));
        assert(id[c] != 0 && data[i] != 0 && control[i] == control_name);
#ifdef LINUX
        assert(data[i] == recorded[c]);
#endif
        member_id = id[c]; member_data = data[i]
    };
#ifndef CLAIMS_DIRTY
    STEP(word[c] = (word[c] == slot + 1 -> 0 : word[c]));
    STEP(words[c] = words[c] & (255 - (1 << slot)));
#endif
    STEP(odd[c] = 0; joins[c]++);
    assert(word[c] != slot + 1 && (words[c] & (1 << slot)) == 0);
    assert(exists || (word[c] == 0 && words[c] == 0))
}

proctype participant(byte i)
{
    byte rounds = ROUNDS;
    byte c, k, slot, known, st, disposition;
    bit exists, was, member;

again:
    c = 0; k = 0; slot = 0; known = 0; st = 0; exists = 0; was = 0;
    disposition = OPEN;
    if
    :: d_step { rounds == 0 -> done++ }; goto gone
    :: atomic { rounds > 0 -> rounds--;
        if
        :: true
        :: i < N -> disposition = CREATE_NEW
        :: i < N -> disposition = OPEN_OR_CREATE
        fi;
        begin_call(i)
       }
    fi;

    platform_enter();
    if
    :: st != OK -> assert(nobody_seen & (1 << i)); goto again
    :: st == OK
    fi;
    c = control[i] - 1;

    /* under_life_lock(), witness(): the data first. */
    do
    :: true ->
#ifdef WITNESS_FIRST
        anybody();
#endif
        known = recorded[c];
        if
        :: id[c] != 0 -> data_open()
        :: id[c] == 0 -> st = NOT_FOUND
        fi;
#ifndef WITNESS_FIRST
        anybody();
#endif
        /* Or somebody is present in a block that means nothing: CORRUPT. */
        assert(!exists || (magic[c] == 1 && id[c] != 0));
        if
        :: !exists -> data_close(); st = OK; break
        :: exists && st != NOT_FOUND -> break
        :: exists && st == NOT_FOUND ->
            /* A last participant is being torn down: its presence goes. */
            wait_for_absence()
        fi
    od;
    if
    :: exists && disposition == CREATE_NEW ->
        assert(somebody_seen & (1 << i)); st = EXISTS
    :: exists && disposition != CREATE_NEW -> assert(st == OK || adopted[c])
    :: !exists && disposition != OPEN -> create()
    :: !exists && disposition == OPEN ->
        assert(nobody_seen & (1 << i)); st = NOT_FOUND
    fi;
    if
    :: st == OK ->
#ifdef CLAIMS_AFTER_LIFE_LOCK
        entered();
#endif
        claim()
    :: st != OK && !exists -> clean_up()
    :: else
    fi;
    entered();
    if
    :: st != OK -> platform_leave(); goto again
    :: st == OK
    fi;

    /* A participant, who counts as a reader and may hold the lock. */
    STEP(words[c] = words[c] | (1 << slot));
    STEP(word[c] = (word[c] == 0 -> slot + 1 : word[c]));
    STEP(word[c] = (word[c] == slot + 1 -> 0 : word[c]));
    STEP(words[c] = words[c] & (255 - (1 << slot)));
    assert(data[i] == member_data && id[c] == member_id);

    leave();
    goto again;

killed:
    dying();
    goto again;

gone:
#ifdef LINUX
    assert(i < N || (control_name == 0 &&
                     (data_name == 0 || data_name % 2 == 1)))
#else
    skip
#endif
}

#if OUTSIDER > 0
active proctype outsider()
{
    byte rounds = OUTSIDER, mine;
    do
    :: rounds > 0 ->
        rounds--;
        outsider_begin();
        outsider_end();
        mine = 0
    :: rounds == 0 -> break
    od
}
#endif

#if PASSIVE > 0
/* enter.c: observe() */
active proctype passive()
{
    byte rounds = PASSIVE, tries, c, k, known, st, seen_id, seen_joins;
    bit seen_odd, exists, same;
    do
    :: rounds > 0 ->
        rounds--;
        d_step { begin_call(READER); tries = TRIES };
        passive_open();
        if
        :: st != OK -> assert(nobody_seen & (1 << READER)); tries = 0
        :: st == OK -> c = control[READER] - 1
        fi;
        do
        :: tries > 0 ->
            tries--;
            /* fetch(): what is between id and the end is stable with it. */
            d_step { seen_joins = joins[c]; seen_odd = odd[c] };
            seen_id = id[c];
            known = recorded[c];
            passive_data();
            exists = 0;
            passive_anybody();
            exists = exists && seen_id != 0;
#ifdef PASSIVE_TRUSTS_ID
            same = (id[c] == seen_id);
            seen_odd = 0;
#else
            same = (joins[c] == seen_joins && odd[c] == seen_odd);
            same = same && id[c] == seen_id;
#endif
            if
            :: exists && st == OK && same ->
                assert(somebody_seen & (1 << READER));
                assert(seen_id != member_id || data[READER] == member_data);
                break
            :: !(exists && st == OK && same) -> 
                passive_data_close();
                assert(exists || !same || seen_odd ||
                       nobody_seen & (1 << READER));
                if
                :: same && !seen_odd -> break
                :: else
                fi
            fi
        :: tries == 0 -> break
        od;
        passive_close();
        c = 0; k = 0; known = 0; st = 0; seen_id = 0; seen_joins = 0;
        seen_odd = 0; exists = 0; same = 0; tries = 0
    :: rounds == 0 -> break
    od
}
#endif

init
{
    atomic {
        byte p;
        nobody_seen = 255;
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
        :: p < N -> run participant(p); p++
        :: p == N -> break
        od
    };
    /* When all is over, one more call finds nothing and leaves nothing. */
    atomic { done == N -> budget = 0; run participant(N) }
}
