#!/usr/bin/python3
"""Breaks the library in one place at a time and demands that the stress tells.

Usage: mutants.py SOURCE BUILD SEED

A copy of the project is made below BUILD and built there with the preset "thread". A
mutant is told by a data race, or by a check of the stress itself.
"""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from mutating import Copy  # noqa: E402

# What is broken, where, the text, what takes its place, and how often it occurs.
MUTANTS = [
    ("unlock exclusive: word stored relaxed", "src/lock.h",
     "&lock->word, 0, memory_order_release", "&lock->word, 0, memory_order_relaxed", 1),
    ("unlock shared, first thread: relaxed", "src/lock.h",
     "&slot->own, 0, memory_order_release",
     "&slot->own, 0, memory_order_relaxed", 1),
    ("unlock shared, other threads: relaxed", "src/lock.h",
     "fetch_sub_explicit(&slot->other, 1, memory_order_release)",
     "fetch_sub_explicit(&slot->other, 1, memory_order_relaxed)", 1),
    ("lock exclusive: word taken relaxed, fast path", "src/lock.h",
     "atomic_compare_exchange_strong(&lock->word, &word, me)",
     "atomic_compare_exchange_strong_explicit(&lock->word, &word, me, "
     "memory_order_relaxed, memory_order_relaxed)", 1),
    ("lock exclusive: readers looked at relaxed", "src/word.h",
     "atomic_load_explicit(&slot->own, memory_order_seq_cst)",
     "atomic_load_explicit(&slot->own, memory_order_relaxed)", 1),
    ("lock exclusive: readers not waited for", "src/lock.h",
     "if (!PLATFORM_LIKELY(word_readers(&control->slots[slot]) == 0))",
     "if (slot > LAYOUT_SLOTS)", 1),
    ("lock shared: slot not shown", "src/lock.h",
     "if ((atomic_load_explicit(shown, memory_order_seq_cst) & bit) == 0)",
     "if (bit == 0)", 1),
    ("lock shared: word looked at relaxed", "src/lock.h",
     "*half = atomic_load_explicit(&lock->word, memory_order_seq_cst) != 0",
     "*half = atomic_load_explicit(&lock->word, memory_order_relaxed) != 0", 1),
    ("lock shared: no second look", "src/lock.h",
     "*half = atomic_load_explicit(&lock->word, memory_order_seq_cst) != 0",
     "*half = false", 1),
    ("unlock exclusive: not asked who holds", "src/lock.h",
     "if (atomic_load_explicit(&r->owner, memory_order_relaxed) != "
     "wshm_platform_thread())",
     "if (false)", 1),
    ("unlock shared, other threads: not asked who holds", "src/lock.c",
     "if (wshm_lock_held(r) != mode) return false;", "", 1),
    ("a copy nests in another thread's section", "src/copy.c",
     "if (wshm_lock_held(r) != 0) return wshm_part_read",
     "if (wshm_lock_held_by_handle(r, false)) return wshm_part_read", 1),
    ("unlock of tasks: whoever comes last", "src/lock.c",
     ": atomic_compare_exchange_strong(&r->owner, &anybodys, 0);",
     ": atomic_exchange(&r->owner, 0) != anybodys + 1;", 1),
    ("end of a call, first thread: relaxed", "src/handle.h",
     "atomic_store_explicit(&r->inside_first, 0, memory_order_release)",
     "atomic_store_explicit(&r->inside_first, 0, memory_order_relaxed)", 1),
    ("end of a call, other threads: relaxed", "src/handle.h",
     "atomic_fetch_sub_explicit(&r->inside_other, 1, memory_order_release)",
     "atomic_fetch_sub_explicit(&r->inside_other, 1, memory_order_relaxed)", 2),
    ("close: threads inside not waited for", "src/region.c",
     "while (atomic_load(&r->inside_first) != 0 ||", "while (false &&", 1),
    ("each thread has its own lock of the tables", "src/handle.c",
     "static struct platform_mutex mutex;",
     "static _Thread_local struct platform_mutex mutex;", 1),
    ("brief copy: version not compared", "src/copy.h",
     "return atomic_load_explicit(&lock->version, memory_order_relaxed) == version;",
     "return true;", 1),
]


def stress(build, seed):
    """Runs both stresses until one tells, up to three times: on a busy machine threads meet
    seldom."""
    output = ""
    for turn in range(3):
        for program in ("test_race_static", "test_sharing_static"):
            told, more = run_stress(build, program, str(int(seed) + turn))
            output += more
            if told:
                return True, output
    return False, output


def run_stress(build, program, seed):
    """Runs it, and removes what it has left behind: it ends with the first report."""
    options = os.environ["TSAN_OPTIONS"] + " halt_on_error=1"
    with subprocess.Popen([build / "build/thread/tests" / program, "6", seed],
                          env=dict(os.environ, TSAN_OPTIONS=options), text=True,
                          errors="replace", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        try:
            output = process.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return False, process.communicate()[0]
    for left in pathlib.Path("/dev/shm").glob(f"wt{process.pid}-*"):
        left.unlink()
    return process.returncode != 0, output


def main():
    source, build, seed = sys.argv[1:]
    copy = Copy(source, pathlib.Path(build, "mutants"), "thread")
    escaped = 0
    with open(copy.folder / "log", "w") as log:
        for name, file, old, new, count in MUTANTS:
            with copy.broken(file, old, new, count) as stale:
                made = copy.build("test_race_static", "test_sharing_static") if not stale else None
                if made is None or made.returncode != 0:
                    word, output = "stale", stale or made.stdout
                else:
                    told, output = stress(copy.folder, seed)
                    race = "WARNING: ThreadSanitizer: data race" in output
                    word = "race" if race else "check" if told else "ESCAPED"
            print(f"{word:8} {name}{f': {stale}' if stale else ''}", flush=True)
            log.write(f"==== {name}\n{output}\n")
            escaped += word in ("stale", "ESCAPED")
    print(f"{len(MUTANTS) - escaped} of {len(MUTANTS)} mutants caught; {copy.folder}/log")
    return escaped != 0


if __name__ == "__main__":
    sys.exit(main())
