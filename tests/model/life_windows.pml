/* Windows: a section has its name as long as anybody holds a handle to it, so
 * one name is one object; the life lock is a mutex, which its owner's death
 * gives up; a presence is an event that nobody else gets a handle to. When a
 * process dies its threads stop first, then its handles go, one by one and in
 * any order.
 *
 * HOSTILE is the one hole that is known: between the dying last participant's
 * data and its presence an outsider makes a block of that name. */

#if N > 2
#define NOBODY_PRESENT                                                        \
    (presence[0] == 0 && presence[1] == 0 && presence[2] == 0)
#else
#define NOBODY_PRESENT (presence[0] == 0 && presence[1] == 0)
#endif

inline close_data(p)
{
    data[p] = 0;
    if
    :: data[0] == 0 && data[1] == 0 && data[2] == 0 && data[3] == 0 &&
#if N > 2
       data[5] == 0 &&
#endif
       data[4] == 0 -> data_name = 0
    :: else
    fi
}

inline close_control(p)
{
    control[p] = 0;
    if
    :: control[0] == 0 && control[1] == 0 && control[2] == 0 &&
#if N > 2
       control[3] == 0 &&
#endif
       control[READER] == 0 ->
        /* The next one will be all zeros. */
        control_name = 0; id[0] = 0; magic[0] = 0; adopted[0] = 0;
        odd[0] = 0; joins[0] = 0; recorded[0] = 0; word[0] = 0; words[0] = 0;
        /* The dying may be present still, under names nobody knows. */
        presence[0] = 0; presence[1] = 0;
#if N > 2
        presence[2] = 0;
#endif
        count_present(0 - members)
    :: else
    fi
}

/* wshm_platform_enter(): open the control block, take the life lock, make the
 * control block where there was none. */
inline platform_enter()
{
    STEP(control[i] = control_name);
    if
    :: control[i] == 0 && disposition == OPEN -> st = NOT_FOUND
    :: control[i] != 0 || disposition != OPEN ->
        if
        :: d_step { life[0] == 0 -> life[0] = i + 1 }
        :: DIE
        fi;
        STEP(control_name = 1; control[i] = 1);
        st = OK
    fi
}

inline entered()
{
    STEP(life[0] = (life[0] == i + 1 -> 0 : life[0]))
}

/* wshm_platform_anybody(): without a life there are no presences. */
inline anybody()
{
    exists = 0;
    k = (id[c] == 0 -> SLOTS : 0);
    do
    :: k < SLOTS && exists == 0 -> STEP(exists = (presence[k] != 0)); k++
    :: k == SLOTS || exists == 1 -> break
    od;
    k = 0
}

inline wait_for_absence()
{
    if
    :: d_step { NOBODY_PRESENT || data_name != 0 -> skip }
    :: DIE
    fi
}

inline data_open()
{
    STEP(data[i] = data_name; st = (data_name != 0 -> OK : NOT_FOUND))
}

inline data_open_any()
{
    data_open()
}

/* What was looked at while adopting is what is kept. */
inline data_open_again()
{
#ifdef ADOPTS_REOPENED
    data_close();
    data_open();
#endif
    assert(st != OK || data[i] == known)
}

inline data_close()
{
    STEP(close_data(i))
}

inline data_make()
{
    STEP(if
         :: data_name == 0 ->
             objects++; data_name = 2 * objects; data[i] = data_name; st = OK
         :: else -> st = HELD
         fi)
}

inline data_publish()
{
    skip
}

inline data_remove()
{
    known = 0; was = 0
}

inline control_remove()
{
    skip
}

inline leave()
{
#ifdef CLOSES_DATA_FIRST
    data_close();
#endif
    STEP(presence[slot] = 0; member = 0; count_members(-1));
    platform_leave()
}

inline platform_leave()
{
    data_close();
    STEP(close_control(i));
    c = 0
}

inline dying()
{
    atomic {
        true;
        d_step { count_living(0 - member); k = 0 }
    };
    do
    :: d_step {
        member == 1 ->
        do
        :: k == SLOTS -> break
        :: k < SLOTS ->
            if
            :: presence[k] == i + 1 -> presence[k] = 0; count_present(-1)
            :: else
            fi;
            k++
        od;
        k = 0; member = 0
       }
    :: d_step { control[i] != 0 -> close_control(i) }
    :: d_step { life[0] == i + 1 -> life[0] = 0 }
#if OUTSIDER > 0 && !defined(HOSTILE)
    :: d_step { data[i] != 0 && member == 0 -> close_data(i) }
#else
    :: d_step { data[i] != 0 -> close_data(i) }
#endif
    :: member == 0 && data[i] == 0 && control[i] == 0 && life[0] != i + 1 ->
        break
    od
}

/* It opens the block or makes it, and closes it. */
inline outsider_begin()
{
    d_step {
        if
        :: data_name == 0 -> objects++; data_name = 2 * objects + 1
        :: else
        fi;
        data[OUT] = data_name
    }
}

inline outsider_end()
{
    d_step { mine == 0 -> close_data(OUT) }
}

inline passive_open()
{
    d_step {
        control[READER] = control_name;
        st = (control_name != 0 -> OK : NOT_FOUND)
    }
}

inline passive_data()
{
    d_step {
        st = (data_name != 0 && seen_id != 0 -> OK : NOT_FOUND);
        data[READER] = (st == OK -> data_name : 0)
    }
}

/* Presences have the life's id in their names. */
inline passive_anybody()
{
    k = 0;
    do
    :: d_step {
        k < SLOTS && exists == 0 ->
        exists = (presence[k] != 0 && seen_id == member_id); k++
       }
    :: k == SLOTS || exists == 1 -> break
    od;
    k = 0
}

inline passive_data_close()
{
    d_step { true; close_data(READER) }
}

inline passive_close()
{
    d_step { true; close_data(READER); close_control(READER) }
}
