#!/usr/bin/python3
"""Breaks the hints in one place at a time and demands that test_hints tells.

Usage: mutants.py SOURCE BUILD

A copy of the project is made below BUILD.
"""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from mutating import Copy  # noqa: E402

# What is broken, where, the text, and what takes its place.
MUTANTS = [
    ("the seat's test is turned round", "src/word.c",
     "(seat & SEAT_EXCLUSIVE) != 0 &&", "(seat & SEAT_EXCLUSIVE) == 0 &&"),
    ("a change never clears its flag", "src/change.c",
     "atomic_exchange_explicit(&change->parked, 0, memory_order_seq_cst);", ""),
    ("the joins mark is never odd", "src/participant.c",
     "atomic_store(&header->joins, joins);", ""),
    ("the lock never clears its flag", "src/word.c",
     "atomic_exchange_explicit(&lock->parked, 0, memory_order_seq_cst);", ""),
    ("the flag is not set", "src/park.c", "if (park->flag != NULL)", "if (false)"),
    ("the count is not raised", "src/park.c",
     "atomic_fetch_add_explicit(parked, 1, memory_order_seq_cst);", ""),
    ("the count is not lowered", "src/park.c",
     "atomic_fetch_sub_explicit(parked, 1, memory_order_relaxed);", ""),
    ("no last look before the sleep", "src/park.c", "!park->come(park->what) &&", ""),
    ("one look and no more", "src/turn.c", "} while (wshm_platform_now() < end); return watch",
     "} while (false); return watch"),
    ("no look when the time is up", "src/turn.c",
     "return watch->seen(watch->what);", "return false;"),
    ("wakes is not raised", "src/park.c",
     "atomic_fetch_add_explicit(wakes, 1, memory_order_seq_cst);", ""),
    ("a scan leaves out a slot", "src/park.c",
     "for (uint32_t slot = 0; slot < limit; slot++)",
     "for (uint32_t slot = 2; slot < limit; slot++)"),
    ("one thread of a slot is woken", "src/posix/wait.c",
     "FUTEX_WAKE, INT_MAX", "FUTEX_WAKE, 1"),
    ("readers leave silently", "src/lock.c",
     "memory_order_seq_cst) != 0) wshm_park_wake(r, slot, PLATFORM_LOCK);",
     "memory_order_seq_cst) != 0) (void)slot;"),
    ("the word is given back silently", "src/lock.c",
     "taken, memory_order_release); released(r, WINSHM_EXCLUSIVE);",
     "taken, memory_order_release);"),
    ("writers leave silently", "src/lock.h",
     "? atomic_load_explicit(&lock->parked, memory_order_relaxed) != 0", "? false"),
    ("the seat is kept", "src/turn.c",
     "memory_order_relaxed) == seat && atomic_compare_exchange_strong(&lock->seat, &seat, 0);",
     "memory_order_relaxed) == seat;"),
    ("a wake-up is not passed on", "src/turn.c",
     "if ((left || !granted) &&", "if (granted && left &&"),
    ("the youngest has the seat", "src/turn.c",
     "return age != 0 && age <= SEAT_TICKET_MASK / 2;", "return age > SEAT_TICKET_MASK / 2;"),
    ("nobody ever has the seat", "src/turn.c",
     "if (seat == 0 || younger(seat, turn)) {", "if (false) {"),
    ("cleaning wakes nobody", "src/participant.c", "if (freed) wshm_word_wake(r);", "(void)freed;"),
    ("a close wakes nobody", "src/region.c", "return false; wake_own(r);", "return false;"),
]


def tells(copy):
    """Whether the test fails, and what it says; None: it does not build."""
    made = copy.build("test_hints")
    if made.returncode != 0:
        return None, made.stdout
    try:
        ran = copy.run("sh", "tests/harness/own_shm.sh", "build/linux/tests/hints/test_hints",
                       timeout=40)
    except subprocess.TimeoutExpired:
        return True, "no end"
    return ran.returncode != 0, ran.stdout


def main():
    source, build = sys.argv[1:]
    copy = Copy(source, pathlib.Path(build, "hints"), "linux")
    told, output = tells(copy)
    if told is not False:
        print(output, "the test fails by itself", sep="\n")
        return True
    escaped = 0
    for name, file, old, new in MUTANTS:
        with copy.broken(file, old, new) as stale:
            told, output = (None, stale) if stale else tells(copy)
        word = {True: "caught", False: "ESCAPED", None: "stale"}[told]
        print(f"{word:8} {name}: {output.strip().splitlines()[0] if output else ''}", flush=True)
        escaped += told is not True
    print(f"{len(MUTANTS) - escaped} of {len(MUTANTS)} mutants caught")
    return escaped != 0


if __name__ == "__main__":
    sys.exit(main())
