#!/usr/bin/python3
"""Breaks the hints in one place at a time and demands that test_hints tells.

Usage: mutants.py SOURCE BUILD

A copy of the project is made below BUILD. The text that a mutant replaces must occur
exactly once, so that a change of the code cannot turn it into something that does nothing.
"""

import pathlib
import re
import shutil
import subprocess
import sys

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


def main():
    source = pathlib.Path(sys.argv[1])
    build = pathlib.Path(sys.argv[2]).resolve() / "hints"
    shutil.rmtree(build, ignore_errors=True)
    build.mkdir(parents=True)
    for part in ("CMakeLists.txt", "CMakePresets.json", "winshm.def"):
        shutil.copy(source / part, build)
    for part in ("include", "src", "tests"):
        shutil.copytree(source / part, build / part)

    def run(*command, **more):
        return subprocess.run(command, cwd=build, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", **more)

    def tells():
        """Whether the test fails, and what it says; None: it does not build."""
        made = run("cmake", "--build", "build/linux", "--target", "test_hints")
        if made.returncode != 0:
            return None, made.stdout
        try:
            ran = run("sh", "tests/harness/own_shm.sh", "build/linux/tests/hints/test_hints",
                      timeout=40)
        except subprocess.TimeoutExpired:
            return True, "no end"
        return ran.returncode != 0, ran.stdout

    run("cmake", "--preset", "linux", check=True)
    told, output = tells()
    if told is not False:
        print(output, "the test fails by itself", sep="\n")
        return True
    escaped = 0
    for name, file, old, new in MUTANTS:
        path = build / file
        text = path.read_text()
        # Long lines are wrapped: any white space is as good as another.
        pattern = r"\s+".join(re.escape(word) for word in old.split())
        mutated, found = re.subn(pattern, lambda _: new, text)
        told, output = None, f"{file} has it {found} times"
        if found == 1:
            path.write_text(mutated)
            told, output = tells()
            path.write_text(text)
        word = {True: "caught", False: "ESCAPED", None: "stale"}[told]
        print(f"{word:8} {name}: {output.strip().splitlines()[0] if output else ''}", flush=True)
        escaped += told is not True
    print(f"{len(MUTANTS) - escaped} of {len(MUTANTS)} mutants caught")
    return escaped != 0


if __name__ == "__main__":
    sys.exit(main())
