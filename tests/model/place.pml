/* A place of the table of handles and the handles that it has one after another,
 * as src/handle.h, handle.c and region.c have it: who is inside a call.
 *
 * THREADS threads make CALLS calls each, with any handle that has ever been
 * given out, so that one may be as late as it likes with a handle that is
 * closed; one more thread opens and closes LIVES handles, some of them on behalf
 * of the thread that marks the place. Store buffers and closes that are refused
 * are in handle.pml. */
#ifndef THREADS
#define THREADS 2
#endif
#ifndef CALLS
#define CALLS 2
#endif
#ifndef LIVES
#define LIVES 3
#endif

byte handle;       /* 0: not open */
byte first;        /* the thread that first used it, 0: none yet */
byte marker;       /* the thread that marks the place, 0: none yet */
bit inside_first;
byte inside_other;
byte given;        /* handles so far */
byte mapped;       /* the handle that there is memory of */
byte inside;       /* calls that use it */

/* wshm_region_allocate(), _publish(), _close(), retire(), quiet() */
active proctype owner()
{
    do
    :: given < LIVES ->
        first = 0;
#ifdef MARKER_FORGOTTEN
        marker = 0;
#endif
        mapped = given + 1;
        atomic { given++; handle = given };
#ifdef MARKS_FIRST
        inside_first == 0 && inside_other == 0;
        handle = 0;
#else
        handle = 0;
        do
        :: atomic { inside_first == 0 -> skip };
            if
            :: atomic { inside_other == 0 -> break }
            :: atomic { inside_other != 0 -> skip }
            fi
        od;
#endif
        assert(inside == 0);
        mapped = 0
    :: else -> break
    od
}

/* wshm_region_begin_first(), handle_is_first(), wshm_region_begin() and _end() */
active [THREADS] proctype thread()
{
    byte me = _pid; /* the owner is 0 */
    byte value, calls;
    bit is_first;
again:
    if
    /* wshm_region_allocate(): it opens the next handle */
    :: atomic { handle == 0 && mapped == 0 && marker == me ->
#ifndef MARKER_FIRST
                first = 0;
#endif
                marker = 0 };
        goto again
    :: atomic { calls < CALLS && given > 0 ->
                select(value : 1 .. given); calls++ }
    :: calls == CALLS -> goto done
    fi;
    if
    :: first == me -> is_first = 1; goto mark
    :: first != me
    fi;
    if
    :: handle == value
    :: handle != value -> goto over
    fi;
    if
    :: atomic { first == me -> is_first = 1 }
    :: atomic { first == 0 -> is_first = 0 };
#ifndef ANY_MAY_MARK
        if
        :: marker == me
        :: atomic { marker == 0 -> marker = me }
        :: atomic { marker != me && marker != 0 -> goto mark }
        fi;
#endif
        if
        :: atomic { first == 0 -> first = me; is_first = 1 }
        :: atomic { first != 0 -> is_first = (first == me) }
        fi
    :: atomic { first != me && first != 0 -> is_first = 0 }
    fi;
mark:
    if
    :: is_first -> inside_first = 1
    :: !is_first -> inside_other++
    fi;
    if
    :: atomic { handle == value -> inside++ };
        assert(mapped == value);
        atomic { inside--; assert((first == me) == is_first) }
    :: handle != value
    fi;
    if
    :: is_first -> inside_first = 0
    :: !is_first -> inside_other--
    fi;
over:
    is_first = 0; value = 0;
    goto again;
done:
    skip
}
