/* Growth of a region: src/growth.c, with data_grow of data.c of both backends.
 *
 * Sizes are small numbers, each stored in two halves, as a 64-bit number is.
 * The room is what the system has set aside: whoever touches a byte beyond it
 * is ended by a signal or an exception, so no published size may be more.
 *
 * GROWERS   each of which makes the region larger OPS times
 * SIBLINGS  the growers are threads of one handle, whose life lock does not
 *           keep them apart, and a thread that ends the process looks whether
 *           somebody else is in the region (region.c: wshm_region_exit())
 * LOOKS     how often one looks who has no lock; 0: nobody does
 * JOINS     1: another one joins
 * KILLS     how many processes die; with SIBLINGS that ends all the growers
 */
#ifndef GROWERS
#define GROWERS 2
#endif
#ifndef OPS
#define OPS 1
#endif
#ifndef LOOKS
#define LOOKS 2
#endif
#ifndef JOINS
#define JOINS 1
#endif
#ifndef KILLS
#define KILLS 1
#endif
#define FIRST 1 /* the size at creation, in the header */
#define CAPACITY 4
#ifdef SIBLINGS
#define HANDLE(i) 1
#else
#define HANDLE(i) ((i) + 1)
#endif
#define JOINER (GROWERS + 1)
#define LAST (GROWERS + 2)

byte turn, low[2], high[2]; /* growth */
byte room = FIRST;
byte life;         /* the handle that holds the life lock */
bit growing[LAST + 1]; /* region.growing */
bit dead[LAST + 1];
byte count;        /* change.count */
byte published = FIRST; /* ghosts: what turn says, */
byte finished;          /* and growers that have come to an end */
byte budget = KILLS;

/* The system drops the life lock of who dies. That of a reader, 0, changes
 * nothing that others see. */
#ifdef KEEPS_LIFE_LOCK
#define DROPS(h)
#else
#define DROPS(h) life = (life == h -> 0 : life);
#endif
#define DIE(h)                                                                 \
    atomic {                                                                   \
        h != 0 && budget > 0 && !dead[h] ->                                    \
            budget--; dead[h] = 1; DROPS(h) goto killed                        \
    }
#define STEP(h, ...)                                                           \
    if                                                                         \
    :: d_step { !dead[h] -> __VA_ARGS__; skip }                                \
    :: DIE(h)                                                                  \
    :: dead[h] -> goto killed                                                  \
    fi

/* wshm_growth_size(): into t and size, by h. Nothing that it reads is torn, has
 * no room, or was larger before. */
inline look(h)
{
    do
    :: true ->
        STEP(h, t = turn; least = published);
        if
        :: t == 0 -> size = FIRST; break
        :: t != 0 ->
            STEP(h, half = low[t % 2]);
            STEP(h, size = high[t % 2]);
#ifdef LOOKS_ONCE
            STEP(h, same = 1);
#else
            STEP(h, same = (turn == t));
#endif
            if
            :: same == 1 -> assert(half == size); break
            :: same == 0
            fi
        fi
    od;
    assert(size >= least && size <= published && size <= room);
    d_step { half = 0; same = 0; least = 0 }
}

/* wshm_platform_reenter(): a lock of the handle's, whichever thread takes it. */
inline reenter(h)
{
#ifdef NO_LIFE_LOCK
    skip
#else
    if
    :: d_step { !dead[h] && (life == 0 || life == h) -> life = h }
    :: DIE(h)
    :: dead[h] -> goto killed
    fi
#endif
}

inline entered(h)
{
    STEP(h, life = (life == h -> 0 : life))
}

/* wshm_growth_keep_out(), wshm_growth_let_in() */
inline keep_out(h)
{
#if defined(SIBLINGS) && !defined(NO_GUARD)
    if
    :: d_step { !dead[h] && growing[h] == 0 -> growing[h] = 1 }
    :: DIE(h)
    :: dead[h] -> goto killed
    fi
#else
    skip
#endif
}

inline let_in(h)
{
#if defined(SIBLINGS) && !defined(NO_GUARD)
    STEP(h, growing[h] = 0)
#else
    skip
#endif
}

/* What was set aside and not published is given back. */
inline give_back(h)
{
#ifdef GIVES_BACK_STALE
    STEP(h, room = (room > seen -> seen : room))
#else
    STEP(h, room = (room > size -> size : room))
#endif
}

/* publish() */
inline publish(h)
{
#ifdef TURN_FIRST
    STEP(h, turn = t + 1; published = target);
#endif
#ifdef ONE_VALUE
    t = t + 1;
#endif
    STEP(h, low[(t + 1) % 2] = target);
    STEP(h, high[(t + 1) % 2] = target);
#ifdef ONE_VALUE
    t = t - 1;
#endif
#ifndef TURN_FIRST
    STEP(h, assert(target > published && room >= target);
            turn = t + 1; published = target);
#endif
}

/* wshm_growth_resize() */
inline resize(h)
{
    look(h);
    seen = size;
    if
    :: target <= size
    :: target > size ->
        keep_out(h);
        reenter(h);
#ifndef SIZE_BEFORE_LOCK
        look(h);
#endif
        if
        :: target <= size -> entered(h)
        :: target > size ->
#ifdef PUBLISHES_FIRST
            STEP(h, low[(t + 1) % 2] = target; high[(t + 1) % 2] = target);
            STEP(h, turn = t + 1; published = target);
#endif
            /* wshm_platform_data_grow(): in parts, so that one may be there
             * when the next one is refused. */
            if
            :: true ->
                STEP(h, room = (room > size + 1 -> room : size + 1));
                STEP(h, room = (room > target -> room : target));
#ifndef PUBLISHES_FIRST
                publish(h);
#endif
                entered(h);
                STEP(h, count++)
            :: refusals > 0 ->
                refusals--;
                STEP(h, room = (room > size + 1 -> room : size + 1));
#ifdef GIVES_BACK_LATE
                entered(h);
                give_back(h)
#else
                give_back(h);
                entered(h)
#endif
            fi
        fi;
        let_in(h)
    fi;
    seen = 0; size = 0; t = 0
}

proctype grower(byte i)
{
    byte ops = OPS, target, size, seen, t, half, least;
    byte refusals = 1;
    bit same;
    do
    :: ops > 0 ->
        ops--;
        if
        :: target = FIRST + 1
        :: target = FIRST + 2
        :: target = CAPACITY
        fi;
        resize(HANDLE(i));
        target = 0
    :: ops == 0 -> break
    od;
killed:
    finished++
}

/* enter.c: under the life lock there is one size. */
proctype joiner()
{
    byte size, t, half, least, first;
    bit same;
#ifndef JOINS_UNLOCKED
    reenter(JOINER);
#endif
    look(JOINER);
    first = size;
    STEP(JOINER, assert(published == first));
#ifndef JOINS_UNLOCKED
    entered(JOINER);
#endif
    look(JOINER);
    assert(size >= first);
killed:
    skip
}

/* Anybody who is inside, or observes: no lock, and nobody sees it. */
proctype reader()
{
    byte left = LOOKS, size, t, half, least, last, changes;
    bit same;
    do
    :: left > 0 ->
        left--;
        changes = count;
        look(0);
        assert(size >= last);
        /* Who was notified sees what it was notified of. */
        assert(size >= FIRST + (changes > 0 -> 1 : 0));
        last = size
    :: left == 0 -> break
    od;
killed:
    skip
}

#ifdef SIBLINGS
/* region.c: wshm_region_exit(), by a thread of the growers' handle. */
proctype leaver()
{
#ifndef LEAVES_UNGUARDED
    keep_out(1);
#endif
    reenter(1);
    entered(1);
#ifndef LEAVES_UNGUARDED
    let_in(1);
#endif
killed:
    skip
}
#endif

/* Whatever has become of the others, the next one makes it. */
proctype next()
{
    byte target = CAPACITY, size, seen, t, half, least, refusals;
    bit same;
    finished == GROWERS;
    budget = 0;
    resize(LAST);
    assert(published == CAPACITY);
killed:
    skip
}

init
{
    atomic {
        byte p;
        do
        :: p < GROWERS -> run grower(p); p++
        :: p == GROWERS -> break
        od;
        p = 0;
        if
        :: JOINS > 0 -> run joiner()
        :: else
        fi;
        if
        :: LOOKS > 0 -> run reader()
        :: else
        fi;
#ifdef SIBLINGS
        run leaver();
#endif
        run next()
    }
}
