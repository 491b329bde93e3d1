/* Copies without the lock, or under one that may be going: src/copy.c,
 * observe.c. Included by lock.pml. */

#ifdef OBSERVER
/* observe.c: wshm_observe(), by one who opened in the first life. */
active proctype observer()
{
    byte left = OBSERVER, v, w;
    bit copy0, copy1;
    if
    :: id == 1
    :: id > 1 -> left = 0
    fi;
    do
    :: left > 0 ->
        left--;
        d_step { v = version; cut_seen = torn };
        if
        :: v % 2 == 0 ->
            copy0 = data0;
            copy1 = data1;
#ifdef ID_FIRST
            w = (id != 1);
            if
            :: w == 1 -> break
            :: else
            fi;
#endif
            w = (version == v);
#if !defined(ID_FIRST) && !defined(ID_IGNORED)
            /* Last: a region that began anew has an even version, too. */
            if
            :: w == 1 && id != 1 -> break
            :: w == 0 || id == 1
            fi;
#endif
            assert(w == 0 || copy0 == copy1)
        :: else ->
            w = word;
            /* On Windows the presences of another life have other names. */
            if
            :: w == INCONSISTENT
            :: w != INCONSISTENT && OWNER(w) != 0 ->
                if
                :: presence[OWNER(w) - 1] != 0 -> w = 0
                :: presence[OWNER(w) - 1] == 0 || lives > 1
                fi
            :: else -> w = 0
            fi;
#ifndef VERDICT_AT_ONCE
            /* OWNER_DEAD; but an absent owner may have left in peace after
             * its unlock, so it must still be the section that was seen, and
             * last, as ever, the same life. */
            if
            :: d_step { w != 0 && version != v -> w = 0 }
            :: w == 0 || version == v
            fi;
#ifndef VERDICT_WITHOUT_ID
            if
            :: id != 1 -> w = 0
            :: id == 1
            fi;
#endif
#endif
            assert(w == 0 || cut_seen)
        fi;
        v = 0; w = 0; copy0 = 0; copy1 = 0
    :: left == 0 -> break
    od
}
#endif

#ifdef BRIEF
/* copy.h: wshm_copy_undisturbed(), by a thread of a handle whose other threads may hold
 * the lock, be on their way in or out, or back off. Copies that take the lock
 * or go on in a section of their thread are in handle.pml. */
active proctype sibling()
{
    byte left = BRIEF, v, which;
    bit copy0, copy1;
    do
    :: d_step { left > 0 && handle != 0 -> left--; which = handle }
        v = version;
        copy0 = data0;
        copy1 = data1;
        d_step {
#ifndef BRIEF_BLINDLY
            assert(v % 2 == 1 || version != v || handle != which ||
                   copy0 == copy1);
#else
            assert(handle != which || copy0 == copy1);
#endif
            v = 0; which = 0; copy0 = 0; copy1 = 0
        }
    :: handle == 0 && left > 0 -> left--
    :: left == 0 -> break
    od
}
#endif
