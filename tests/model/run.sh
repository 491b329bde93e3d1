#!/bin/sh
# Searches the models of the lock, of a handle's threads, of places for handles, of
# waiting, of growth and of a region's life.
#
#   sh tests/model/run.sh [--full] [DIRECTORY]
#
# Every search is exhaustive. A model must be searched to its end without an
# error; a mutant, which is the same model with one fault put in, must be
# caught by an assertion or by a state in which somebody waits for ever. One
# line a search; the exit status is 0 only if all came out as they have to.
# Builds in DIRECTORY, or in build/model. --full adds the bigger sizes, which
# take minutes and up to 4 GB.

here=$(cd "$(dirname "$0")" && pwd) || exit 1
root=$(cd "$here/../.." && pwd) || exit 1

# outcome OUTPUT: what the search came to, in one word and its reason.
outcome() {
    if grep -Eq 'max search depth too small|hash-compact|[Bb]it statespace|VECTORSZ|resource' "$1"; then
        echo 'incomplete'
    elif grep -q '^State-vector .*errors: 0$' "$1" &&
        grep -q '^Full statespace search for:' "$1" &&
        ! grep -q 'Search not completed' "$1"; then
        echo 'complete'
    elif grep -Eq '^pan:1: (assertion violated|invalid end state)' "$1" &&
        grep -q '^State-vector .*errors: 1$' "$1"; then
        sed -n 's/^pan:1: \(.*\) (at depth.*/caught: \1/p' "$1"
    else
        echo 'incomplete'
    fi
}

# one DIRECTORY EXPECTED MODEL DEFINE...: a search of its own, and its line.
one() {
    place=$1 expected=$2 model=$3
    shift 3
    name=$(printf '%s ' "$model" "$@" | sed 's/-D//g; s/ $//')
    work=$place/$(printf %s "$name" | tr -c 'A-Za-z0-9' _)
    mkdir -p "$work" && cd "$work" || exit 1
    # A short search ends before optimising would pay.
    level=-O0
    [ "$expected" != complete ] || level=-O1
    [ "$expected" != short ] || expected=complete
    {
        spin -a "$@" "$here/$model.pml" &&
            gcc $level -w -DSAFETY -DCOLLAPSE -DNOFAIR -DMEMLIM=4000 -o pan pan.c
    } >build.log 2>&1 </dev/null || {
        cat build.log >&2
        printf 'FAIL  %-58s does not build\n' "$name"
        exit 1
    }
    timeout 1800 ./pan -m100000 -w22 >pan.log 2>&1 </dev/null
    rm -f pan pan.?
    result=$(outcome pan.log)
    states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.log | tail -n 1)
    seconds=$(sed -n 's/^pan: elapsed time \([0-9.e+-]*\) seconds/\1/p' pan.log)
    word='FAIL' status=1
    case $expected/$result in
    complete/complete) word='ok' status=0 ;;
    caught/caught:*) word='ok' status=0 ;;
    caught/complete) result='mutant NOT caught' ;;
    complete/caught:*) result="error:${result#caught:}" ;;
    esac
    printf '%-4s  %-58s %11s states %6s s  %.48s\n' "$word" "$name" \
        "${states:--}" "${seconds:--}" "$result"
    [ $status -eq 0 ] || printf '      see pan.log, or the steps: cd %s && spin -p -k %s.pml.trail %s\n' \
        "$work" "$model" "$* $here/$model.pml"
    exit $status
}

if [ "${1-}" = --one ]; then
    shift
    one "$@"
fi

full=no
if [ "${1-}" = --full ]; then
    full=yes
    shift
fi
place=${1:-$root/build/model}
mkdir -p "$place" && place=$(cd "$place" && pwd) || exit 1

# Not as this shell: what env.sh keeps is named after the script.
if ! command -v spin >/dev/null || ! command -v gcc >/dev/null; then
    sh -c ". '$root/tests/env.sh' && need_packages spin gcc libc6-dev" \
        model-packages || exit 1
fi

small() {
    cat <<'END'
complete wait -DTHREADS=3 -DEXCLUSIVE=3
complete lock -DN=2 -DOPS=1 -DKILLS=1 -DOBSERVER=1
complete life -DN=2 -DKILLS=0 -DPASSIVE=1
complete life -DLINUX -DN=2 -DKILLS=1 -DOUTSIDER=1
complete handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=1
complete handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=1 -DTASK
short life -DN=2 -DKILLS=1 -DOUTSIDER=1
short lock -DN=2 -DOPS=2 -DKILLS=2
short lock -DN=2 -DOPS=1 -DKILLS=2 -DHALVES -DGIVEUP
short lock -DN=2 -DOPS=2 -DKILLS=1 -DBITS=1
short lock -DN=3 -DOPS=1 -DKILLS=0
short lock -DN=2 -DOPS=1 -DKILLS=1 -DBRIEF=1
short place
short place -DCALLS=3 -DLIVES=4
short handle -DTHREADS=2 -DCALLS=4 -DTHEIRS=0
short handle -DTHREADS=3 -DCALLS=2 -DTHEIRS=0
short handle -DTHREADS=3 -DCALLS=2 -DTHEIRS=0 -DTASK
short handle -DTHREADS=2 -DCALLS=1 -DTHEIRS=1 -DKILLS=1
short handle -DTHREADS=2 -DCALLS=1 -DTHEIRS=1 -DKILLS=1 -DTASK
short wait -DTHREADS=2 -DEXCLUSIVE=1 -DOPS=2
short wait -DTHREADS=2 -DEXCLUSIVE=3 -DOPS=2 -DGIVEUP=1
short wait -DTHREADS=3 -DEXCLUSIVE=1 -DSIBLINGS
short wait -DTHREADS=2 -DEXCLUSIVE=1 -DBOUNDED -DKILLS=1
short change -DWAITERS=2 -DNOTIFIERS=2
short change -DWAITERS=2 -DNOTIFIERS=1 -DNOTES=2 -DSIBLINGS
short change -DWAITERS=2 -DNOTIFIERS=1 -DNOTES=2 -DSIBLINGS -DEVENTS
short change -DWAITERS=1 -DNOTIFIERS=2 -DNOTES=2 -DKILLS=1
short growth -DLOOKS=1 -DJOINS=0
short growth -DLOOKS=0
short growth -DSIBLINGS -DLOOKS=0 -DJOINS=0
END
}

# The faults, each where it can be seen.
mutants() {
    cat <<'END'
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DFORGETS_DEATH
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DKEEPS_READERS
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DNO_FENCE
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DCLEANS_LATE
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DPARITY_EARLY
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DPROBE_AND_SWAP
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DCLAIMS_DIRTY
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DCLAIMS_AFTER_LIFE_LOCK
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DLIMIT_EARLY
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DSCANS_EARLY
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DSHOWN_EARLY
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DSHOWS_LATE
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DSHOWS_ONCE
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DSHOWS_BLINDLY
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DBITS=1 -DLOWERS
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DNO_SECOND_LOOK
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DWORD_FIRST
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DNO_ODD
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DODD_EARLY
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DFREES_UNREPAIRED
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DCONSISTENT_EVEN
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DKEEPS_COUNT
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DKEEPS_WORDS
caught lock -DN=2 -DOPS=2 -DKILLS=2 -DGIVEUP -DGIVES_BACK_CLEAN
caught lock -DN=2 -DOPS=1 -DKILLS=1 -DHALVES -DSKIPS_HALF
caught lock -DN=2 -DOPS=1 -DKILLS=1 -DHALVES -DKEEPS_OTHER_HALF
caught lock -DN=2 -DOPS=1 -DKILLS=1 -DOBSERVER=1 -DID_FIRST
caught lock -DN=2 -DOPS=1 -DKILLS=1 -DOBSERVER=1 -DID_IGNORED
caught lock -DN=2 -DOPS=1 -DKILLS=0 -DOBSERVER=1 -DVERDICT_AT_ONCE
caught lock -DN=2 -DOPS=1 -DKILLS=0 -DOBSERVER=1 -DVERDICT_WITHOUT_ID
caught lock -DN=2 -DOPS=1 -DKILLS=0 -DBRIEF=1 -DBRIEF_BLINDLY
caught handle -DTHREADS=3 -DCALLS=2 -DTHEIRS=0 -DTASK -DNO_STRAYS -DHALF_SUMS
caught handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=0 -DNESTS_BY_HANDLE
caught handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=2 -DNO_STRAYS -DLOOKS_AT_OWN_SLOT_LATE
caught handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=0 -DHALF_UNCHECKED
caught handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=0 -DSTRAY_RELEASES
caught handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=0 -DOWNER_LATE
caught handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=0 -DRECORDS_EARLY
caught handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=0 -DMARKS_FIRST
caught handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=0 -DNO_CLOSE_BARRIER
caught handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=0 -DBIT_UNASKED
caught handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=1 -DSHARES_HALF
caught handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=0 -DHELD_UNASKED
caught handle -DTHREADS=2 -DCALLS=3 -DTHEIRS=0 -DREFUSES_EARLY
caught handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=0 -DTASK -DUNSWAPPED
caught handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=0 -DTASK -DCOUNTS_BLINDLY
caught handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=0 -DTASK -DRECORDS_COPIES
caught handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=1 -DKILLS=1 -DTASK -DREPAIRS_BLINDLY
caught handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=0 -DCLOSES_TWICE
caught place -DANY_MAY_MARK
caught place -DMARKER_FORGOTTEN
caught place -DMARKER_FIRST
caught place -DMARKS_FIRST
caught wait -DTHREADS=3 -DEXCLUSIVE=3 -DNO_LOOK
caught wait -DTHREADS=3 -DEXCLUSIVE=3 -DNO_SLICES
caught wait -DTHREADS=2 -DEXCLUSIVE=1 -DNO_SLICES
caught wait -DTHREADS=3 -DEXCLUSIVE=3 -DCLEARS_LATE
caught wait -DTHREADS=3 -DEXCLUSIVE=3 -DCLEARS_FOR_SEAT
caught wait -DTHREADS=3 -DEXCLUSIVE=3 -DSEAT_LEFT_SILENTLY
caught wait -DTHREADS=3 -DEXCLUSIVE=3 -DBACKS_OFF_SILENTLY
caught wait -DTHREADS=3 -DEXCLUSIVE=3 -DDRAINS_BLINDLY
caught wait -DTHREADS=3 -DEXCLUSIVE=3 -DSNAPSHOT_LATE
caught wait -DTHREADS=3 -DEXCLUSIVE=3 -DGIVEUP=1 -DGIVES_UP_SILENTLY
caught change -DCOUNTS_LATE
caught change -DNO_LOOK
caught change -DSNAPSHOT_LATE
caught change -DNOTES=2 -DCLEARS_LATE
caught change -DNOTES=2 -DFLAG_FIRST
caught change -DSIBLINGS -DEVENTS -DEVENT_FIRST
caught change -DSIBLINGS -DEVENTS -DLEAVES_SILENTLY
caught growth -DLOOKS=1 -DJOINS=0 -DPUBLISHES_FIRST
caught growth -DLOOKS=1 -DJOINS=0 -DTURN_FIRST
caught growth -DLOOKS=1 -DJOINS=0 -DONE_VALUE
caught growth -DLOOKS=1 -DJOINS=0 -DLOOKS_ONCE
caught growth -DLOOKS=1 -DJOINS=0 -DNO_LIFE_LOCK
caught growth -DLOOKS=1 -DJOINS=0 -DSIZE_BEFORE_LOCK
caught growth -DLOOKS=1 -DJOINS=0 -DGIVES_BACK_STALE
caught growth -DLOOKS=1 -DJOINS=0 -DGIVES_BACK_LATE
caught growth -DLOOKS=1 -DJOINS=0 -DKEEPS_LIFE_LOCK
caught growth -DLOOKS=0 -DJOINS_UNLOCKED
caught growth -DSIBLINGS -DLOOKS=0 -DJOINS=0 -DNO_GUARD
caught growth -DSIBLINGS -DLOOKS=0 -DLEAVES_UNGUARDED
caught life -DN=2 -DKILLS=2 -DROUNDS=2 -DKEEPS_WORDS
caught life -DN=2 -DKILLS=1 -DCLAIMS_DIRTY
caught life -DN=2 -DKILLS=1 -DCLAIMS_AFTER_LIFE_LOCK
caught life -DN=2 -DKILLS=1 -DOUTSIDER=1 -DWITNESS_FIRST
caught life -DN=2 -DKILLS=1 -DOUTSIDER=1 -DCLOSES_DATA_FIRST
caught life -DN=2 -DKILLS=1 -DOUTSIDER=2 -DADOPTS_REOPENED
caught life -DN=2 -DKILLS=1 -DOUTSIDER=1 -DHOSTILE
caught life -DN=2 -DKILLS=0 -DPASSIVE=1 -DPASSIVE_TRUSTS_ID
caught life -DLINUX -DN=2 -DKILLS=2 -DROUNDS=2 -DKEEPS_WORDS
caught life -DLINUX -DN=2 -DKILLS=1 -DCLAIMS_AFTER_LIFE_LOCK
caught life -DLINUX -DN=2 -DKILLS=1 -DNO_NAME_CHECK
caught life -DLINUX -DN=2 -DKILLS=1 -DLEAVES_UNLOCKED
caught life -DLINUX -DN=2 -DKILLS=1 -DCONTROL_FIRST
caught life -DLINUX -DN=2 -DKILLS=1 -DRECORDS_LATE
caught life -DLINUX -DN=2 -DKILLS=1 -DOUTSIDER=1 -DUNMARKED_ADOPTION
caught life -DLINUX -DN=2 -DKILLS=1 -DOUTSIDER=1 -DFORGETS_MARK_FIRST
caught life -DLINUX -DN=2 -DKILLS=1 -DOUTSIDER=1 -DREMOVES_UNSEEN
caught life -DLINUX -DN=2 -DKILLS=1 -DOUTSIDER=2 -DADOPTS_BLINDLY
END
}

big() {
    cat <<'END'
complete lock -DN=2 -DOPS=2 -DKILLS=1 -DOBSERVER=1
complete lock -DN=2 -DOPS=1 -DKILLS=2 -DOBSERVER=2
complete lock -DN=2 -DOPS=2 -DKILLS=1 -DBRIEF=1
complete lock -DN=2 -DOPS=1 -DKILLS=2 -DHALVES -DBRIEF=1
complete lock -DN=2 -DOPS=3 -DKILLS=3
complete lock -DN=2 -DOPS=2 -DKILLS=2 -DHALVES -DGIVEUP
complete lock -DN=3 -DOPS=1 -DKILLS=1
complete lock -DN=3 -DOPS=1 -DKILLS=1 -DBITS=1
complete lock -DN=3 -DOPS=1 -DKILLS=2
complete place -DTHREADS=3
complete handle -DTHREADS=2 -DCALLS=4 -DTHEIRS=0 -DDEPTH=8
complete handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=2
complete handle -DTHREADS=2 -DCALLS=3 -DTHEIRS=1
complete handle -DTHREADS=2 -DCALLS=3 -DTHEIRS=1 -DTASK
complete handle -DTHREADS=3 -DCALLS=3 -DTHEIRS=0
complete handle -DTHREADS=3 -DCALLS=3 -DTHEIRS=0 -DTASK
complete handle -DTHREADS=3 -DCALLS=2 -DTHEIRS=1
complete handle -DTHREADS=3 -DCALLS=2 -DTHEIRS=1 -DTASK
complete handle -DTHREADS=3 -DCALLS=1 -DTHEIRS=1 -DKILLS=1
complete handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=1 -DKILLS=1
complete handle -DTHREADS=2 -DCALLS=2 -DTHEIRS=1 -DKILLS=1 -DTASK
complete wait -DTHREADS=3 -DEXCLUSIVE=7
complete wait -DTHREADS=3 -DEXCLUSIVE=1
complete wait -DTHREADS=3 -DEXCLUSIVE=3 -DSIBLINGS
complete wait -DTHREADS=3 -DEXCLUSIVE=5 -DSIBLINGS
complete wait -DTHREADS=3 -DEXCLUSIVE=3 -DGIVEUP=1
complete wait -DTHREADS=3 -DEXCLUSIVE=3 -DGIVEUP=4
complete wait -DTHREADS=3 -DEXCLUSIVE=3 -DBOUNDED -DKILLS=1
complete change -DWAITERS=2 -DNOTIFIERS=1 -DNOTES=3
complete change -DWAITERS=2 -DNOTIFIERS=2 -DKILLS=1
complete change -DWAITERS=3 -DNOTIFIERS=1 -DNOTES=2 -DSIBLINGS -DEVENTS
complete change -DWAITERS=2 -DNOTIFIERS=2 -DSIBLINGS -DEVENTS
complete growth -DLOOKS=2 -DJOINS=0 -DKILLS=2
complete growth -DLOOKS=1 -DKILLS=1
complete growth -DLOOKS=1 -DJOINS=0 -DOPS=2
complete growth -DLOOKS=0 -DGROWERS=3
complete growth -DSIBLINGS -DLOOKS=0
complete growth -DSIBLINGS -DLOOKS=1 -DJOINS=0
complete life -DN=2 -DKILLS=2 -DROUNDS=2
complete life -DN=2 -DKILLS=2 -DROUNDS=1 -DOUTSIDER=2
complete life -DN=2 -DKILLS=1 -DPASSIVE=1
complete life -DN=3 -DKILLS=1
complete life -DLINUX -DN=2 -DKILLS=2 -DROUNDS=2
complete life -DLINUX -DN=2 -DKILLS=1 -DOUTSIDER=2
complete life -DLINUX -DN=2 -DKILLS=0 -DPASSIVE=1
complete life -DLINUX -DN=2 -DKILLS=1 -DPASSIVE=1
complete life -DLINUX -DN=3 -DKILLS=1
END
}

# Two at a time in little memory; the big ones need it all.
small >"$place/list"
mutants >>"$place/list"
failed=0
xargs -P 2 -L 1 sh "$here/run.sh" --one "$place" <"$place/list" || failed=1
if [ $full = yes ]; then
    big >"$place/list"
    xargs -P 1 -L 1 sh "$here/run.sh" --one "$place" <"$place/list" || failed=1
fi
if [ $failed -ne 0 ]; then
    echo 'FAIL  not every search came out as it has to'
    exit 1
fi
echo "all searches complete, all $(mutants | wc -l) mutants caught"
