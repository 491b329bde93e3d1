#!/bin/sh
# The campaigns: what the tests show in seconds, for as long as is asked.
#
# Usage: sh tests/campaign.sh [--windows] [--long] [--only PART] [--kills N] [--seed N]
#
#   kill   random kills of workers in every state, with a ledger of what must survive
#   slow   stopped owners, readers and participants, of whom nobody may be robbed
#   leak   opening, using and closing: no handle, mapping or name may be left
#   many   as many regions at once as there is room for, and many lives after each other
#   load   loading and unloading the library
#   exit   processes that end while their threads hold the lock, wait or call
#   points deaths at every store to shared memory and every call of the system
#   fault  every call of the system refused, with each of its codes
#   sharing  threads of one handle, and of one for tasks, that do everything at once
#   order  two processes that do one step each at the same moment, over and over
#   save   savers and loaders killed at random: the file is always whole
#   sweep  creators that crash under names that nobody uses again; Linux only
#
# kill mixes programs of 64 and 32 bits in one region, on Linux if the package
# gcc-i686-linux-gnu is there. --windows: under Wine, where half of its kills are Linux's
# own. --long: 100000 kills (Wine: 2000), 200 stops of 30 seconds, 100000 cycles, 1024
# regions and 10000 lives in each of four processes, 10000 loads, each point 50 times in
# each role (Wine: in roles that the seed chooses), 60 seconds of sharing and of order,
# 10000 crashed creators and 10000 savers and loaders (Wine: 1000). --only: one of these.
# --kills: for kill and save. --seed: for kill, points, sharing, order and save; each run
# prints them, so that they can be given again.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/env.sh
. "$root/tests/env.sh"
cd "$root" || exit

usage() {
    sed -n 's/^# Usage: /usage: /p' "$0" >&2
    exit 2
}

platform=linux long='' only='' kills='' seed=''
while [ $# -gt 0 ]; do
    case $1 in
    --windows) platform=win64 ;;
    --long) long=yes ;;
    --only | --kills | --seed)
        case $1/${2-} in
        --only/kill | --only/slow | --only/leak | --only/many | --only/load | --only/exit) only=$2 ;;
        --only/points | --only/fault | --only/sharing | --only/sweep | --only/save | --only/order) only=$2 ;;
        */ | */*[!0-9]* | --only/*) usage ;;
        --kills/*) kills=$2 ;;
        *) seed=$2 ;;
        esac
        shift
        ;;
    *) usage ;;
    esac
    shift
done

# build PRESET
build() {
    sweep=''
    [ "$1" != linux ] || sweep=test_sweep_posix
    cmake --preset "$1" &&
        cmake --build "build/$1" --target test_kill test_save_kill test_slow test_leak test_many \
            test_load test_exit test_order \
            test_points test_fault test_sharing $sweep
}

# part NAME TEXT COMMAND...: a step, with what the program has counted.
part() {
    [ -z "$only" ] || [ "$only" = "$1" ] || return 0
    text=$2
    shift 2
    step "$text" nice -n 5 "$@"
    sed -e 's/\r$//' -e 's/^/        /' "$log"
}

# size SHORT LONG
size() { if [ -n "$long" ]; then echo "$2"; else echo "$1"; fi; }

[ -n "$seed" ] || seed=$(($(date +%s) % 1000000 + 1))
need native
other=''
case $platform in
linux)
    step "build the tests" build linux || exit
    if command -v i686-linux-gnu-gcc >/dev/null; then
        step "build the tests, 32-bit" build linux32 || exit
        other=$root/build/linux32/tests/test_kill
    else
        skip "32-bit Linux programs" "there is no gcc-i686-linux-gnu"
    fi
    set --
    test=$root/build/linux/tests/test_ suffix='' roles=each library=$root/build/linux/libwinshm.so.0
    most=$(size 1000 100000) saves=$(size 1000 10000)
    ;;
*)
    need windows
    wine_ready
    step "build the tests, win64" build win64 || exit
    if [ "$WINE32" = yes ]; then
        step "build the tests, win32" build win32 || exit
        other=Z:$(printf %s "$root/build/win32/test_kill.exe" | sed 's,/,\\,g')
    else
        skip "32-bit Windows programs" "this Wine does not run them"
    fi
    set -- "$WINE"
    test=$root/build/win64/test_ suffix=.exe roles=one library=$root/build/win64/winshm.dll
    most=$(size 60 2000) saves=$(size 40 1000)
    ;;
esac

part kill "random kills" "$@" "${test}kill$suffix" "${kills:-$most}" "$seed" ${other:+"$other"}
# shellcheck disable=SC2046  # This is a list of words.
part slow "stopped participants" "$@" "${test}slow$suffix" $(size "2 6 1" "30 50 4")
part leak "leaks" "$@" "${test}leak$suffix" "$(size 2000 100000)"
# shellcheck disable=SC2046
part many "many regions" "$@" "${test}many$suffix" $(size "1024 500" "1024 10000")
part load "loading and unloading" "$@" "${test}load$suffix" "$library" "$(size 200 10000)"
inner=$root/build/$platform/tests
part points "deaths at every point" "$@" "$inner/points/test_points$suffix" \
    --seed "$seed" --roles "$roles" --runs "$(size 1 50)"
part fault "refusals of the system" "$@" "$inner/fault/test_fault$suffix"
part sharing "threads of one handle" "$@" "${test}sharing$suffix" "$(size 2 60)" "$seed"
part order "steps at the same moment" "$@" "${test}order$suffix" "$(size 2 60)" "$seed"
part save "kills while saving and loading" "$@" "${test}save_kill$suffix" \
    "${kills:-$saves}" "$seed"
[ "$platform" != linux ] ||
    part sweep "crashed creators" "${test}sweep_posix" "$(size 300 10000)"
part exit "ends in the middle of calls" "$@" "${test}exit$suffix" "$(size 2 50)"
summary
