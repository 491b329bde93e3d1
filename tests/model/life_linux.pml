/* Linux: posix/life.c. Control block and data are files; the life lock
 * and the presences are locks on bytes of the control file, which go all at
 * once with the open file description. Descriptors: control[], data[]. */

/* wshm_platform_enter(): open_control(), life_lock(), check_control() */
inline platform_enter()
{
    do
    :: true ->
        STEP(control[i] = control_name);
        if
        :: control[i] == 0 && disposition == OPEN -> st = NOT_FOUND; break
        :: control[i] == 0 && disposition != OPEN ->
            /* O_TMPFILE and linkat(): a new file, all zeros. */
            STEP(if
                 :: control_name == 0 ->
                     k = 0;
                     do
                     :: control[0] != k + 1 && control[1] != k + 1
#if N > 2
                        && control[2] != k + 1
#endif
                        && control[READER] != k + 1 -> break
                     :: else -> k++
                     od;
                     control_name = k + 1; control[i] = k + 1;
                     id[k] = 0; magic[k] = 0; adopted[k] = 0; odd[k] = 0;
                     joins[k] = 0; recorded[k] = 0; word[k] = 0; words[k] = 0;
                     k = 0
                 :: else
                 fi)
        :: control[i] != 0
        fi;
        if
        :: control[i] != 0 ->
            if
            :: d_step {
                life[control[i] - 1] == 0 -> life[control[i] - 1] = i + 1 }
            :: DIE
            fi;
#ifdef NO_NAME_CHECK
            st = OK; break;
#endif
            STEP(known = (control_name == control[i]));
            if
            :: known == 1 -> st = OK; known = 0; break
            :: known == 0 ->
                STEP(life[control[i] - 1] = 0; control[i] = 0)
            fi
        :: control[i] == 0
        fi
    od
}

/* wshm_platform_entered() */
inline entered()
{
    STEP(life[c] = (life[c] == i + 1 -> 0 : life[c]))
}

/* wshm_platform_anybody(): one question about all bytes. */
inline anybody()
{
    STEP(k = 0; exists = 0;
         do
         :: k < SLOTS ->
             exists = exists || (presence[AT(c, k)] != 0 &&
                                 presence[AT(c, k)] != i + 1);
             k++
         :: k == SLOTS -> break
         od;
         k = 0)
}

/* A file does not go away while its name is there. */
inline wait_for_absence()
{
    assert(false)
}

/* wshm_platform_data_open() of what is recorded. */
inline data_open()
{
    STEP(st = (known != 0 && data_name == known -> OK : REPLACED);
         data[i] = (st == OK -> known : 0))
}

inline data_open_any()
{
    STEP(data[i] = data_name; st = (data_name != 0 -> OK : NOT_FOUND))
}

inline data_open_again()
{
    data_close();
#ifdef ADOPTS_BLINDLY
    data_open_any()
#else
    data_open()
#endif
}

inline data_close()
{
    STEP(data[i] = 0)
}

/* wshm_platform_data_make(): without a name. */
inline data_make()
{
    STEP(objects++; data[i] = 2 * objects; st = OK)
}

/* wshm_platform_data_publish() */
inline data_publish()
{
    STEP(st = (data_name == 0 -> OK : HELD);
         data_name = (st == OK -> data[i] : data_name))
}

/* wshm_platform_data_remove(): look_up(), then unlink(). The last one to leave
 * is no participant any more from its first removal on. */
inline data_remove()
{
#ifdef REMOVES_UNSEEN
    STEP(was = (data_name != 0));
#else
    STEP(was = (known != 0 && data_name == known));
#endif
    if
    :: was == 1 ->
        STEP(assert(data_name % 2 == 0 && members == member);
             count_members(0 - member); member = 0; data_name = 0)
    :: was == 0
    fi;
    was = 0; known = 0
}

/* wshm_platform_control_remove() */
inline control_remove()
{
    STEP(assert(members == member);
         count_members(0 - member); member = 0;
         control_name = (control_name == control[i] -> 0 : control_name))
}

/* region.c: leave(), or wshm_region_exit(), which gives the life lock back and
 * leaves the rest to the end of the process. When the life lock is not had,
 * the next opener cleans. */
inline leave()
{
    if
#ifndef LEAVES_UNLOCKED
    :: d_step { life[c] == 0 -> life[c] = i + 1; was = 1 }
#endif
    :: was = 0
    :: DIE
    fi;
#ifdef LEAVES_UNLOCKED
    was = 1;
#endif
    exists = 0;
    if
    :: was == 1 ->
        anybody();
        if
        :: exists == 0 -> clean_up()
        :: exists == 1
        fi;
        if
        :: entered()
        :: skip
        fi
    :: was == 0
    fi;
    platform_leave()
}

/* wshm_platform_leave(): all locks in one call, then the descriptors. */
inline release_all()
{
    count_members(0 - member);
    member = 0; k = 0;
    life[control[i] - 1] =
        (life[control[i] - 1] == i + 1 -> 0 : life[control[i] - 1]);
    do
    :: k < SLOTS ->
        presence[AT(control[i] - 1, k)] =
            (presence[AT(control[i] - 1, k)] == i + 1
                 -> 0 : presence[AT(control[i] - 1, k)]);
        k++
    :: k == SLOTS -> break
    od;
    control[i] = 0; data[i] = 0; c = 0; k = 0
}

inline platform_leave()
{
    STEP(release_all())
}

inline dying()
{
    atomic {
        true;
        d_step {
            if
            :: control[i] != 0 -> release_all()
            :: control[i] == 0 -> data[i] = 0
            fi
        }
    }
}

/* It makes a file where there is none, and removes what it made. */
inline outsider_begin()
{
    d_step {
        if
        :: data_name == 0 ->
            objects++; mine = 2 * objects + 1; data_name = mine
        :: data_name != 0
        fi
    }
}

inline outsider_end()
{
    if
    :: mine != 0 -> d_step { assert(data_name == mine); data_name = 0 }
    :: mine != 0 && rounds == 0 -> assert(data_name == mine)
    :: mine == 0
    fi
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
        st = (known != 0 && data_name == known && seen_id != 0
                  -> OK : REPLACED);
        data[READER] = (st == OK -> data_name : 0)
    }
}

inline passive_anybody()
{
    d_step {
        k = 0;
        do
        :: k < SLOTS -> exists = exists || presence[AT(c, k)] != 0; k++
        :: k == SLOTS -> break
        od;
        k = 0
    }
}

inline passive_data_close()
{
    data[READER] = 0
}

inline passive_close()
{
    d_step { data[READER] = 0; control[READER] = 0 }
}
