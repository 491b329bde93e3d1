#!/usr/bin/python3
"""Holds what gcovr has counted against what is asked for.

Usage: coverage.py SHIPPED INSTRUMENTED EXCLUSIONS FILE...

The first two are gcovr's JSON: of the library, and of its copy with a hook before each
call to the system. Each FILE is a source that must be in the first. Every line must have
run in one of them, and 95 of 100 branches must have been taken. A line that calls the
system has more branches in the copy, and it cannot be told which are which; so the
copy's count for lines only that have as many as they ship with. What is missing must be
in EXCLUSIONS, whose lines say

    FILE: FUNCTION: TEXT -- REASON

where TEXT is what the line of code holds, without the space around it. Each of them
excuses one line. Where it is chance whether that runs, the FILE has a ~ before it. An
entry whose line is not there, or has run in full other than by chance, is a failure.
"""

import json
import pathlib
import sys

BRANCHES = 95


class Exclusion:
    def __init__(self, line):
        code, self.reason = line.rsplit(" -- ", 1)
        self.chance = code.startswith("~")
        self.place = tuple(code.lstrip("~").split(": ", 2))
        self.found = self.used = False


def read_exclusions(path):
    return [Exclusion(line) for line in path.read_text().splitlines()
            if line and not line.startswith("#")]


def read_report(path):
    """Of each file's lines, in which function they are, whether they have run, and which
    of their branches were taken."""
    report = {}
    for file in json.loads(pathlib.Path(path).read_text())["files"]:
        starts = sorted((f["lineno"], f["name"]) for f in file["functions"])
        report[file["file"]] = {
            line["line_number"]: (
                max(start for start in starts if start[0] <= line["line_number"])[1],
                line["count"] != 0,
                [branch["count"] != 0 for branch in line.get("branches", [])])
            for line in file["lines"] if not line["gcovr/noncode"]}
    return report


def merge(one, other):
    """What has run of a line in either of two builds."""
    function, run, branches = one
    if len(branches) == len(other[2]):
        branches = [a or b for a, b in zip(branches, other[2])]
    return function, run or other[1], branches


def measure(name, shipped, instrumented, exclusions):
    """Lines, lines run, branches, branches taken, and what is missing without excuse.
    Marks the exclusions that are needed, and those that could be."""
    texts = pathlib.Path(name).read_text().splitlines()
    total = [0, 0, 0, 0]
    missing = []
    for number, line in sorted(shipped.items()):
        text = texts[number - 1].strip()
        function, run, branches = merge(line, instrumented.get(number, line))
        total = [sum(pair) for pair in zip(total, (1, run, len(branches), sum(branches)))]
        excuses = [e for e in exclusions if e.place == (name, function, text)]
        for e in excuses:
            e.found = True
        if run and all(branches):
            continue
        for e in excuses:
            if not e.used:
                e.used = True
                break
        else:
            what = "never run"
            if run:
                what = f"{branches.count(False)} of {len(branches)} branches not taken"
            missing.append(f"{name}:{number}: {what}: {function}: {text}")
    return total, missing


def percent(part, whole):
    return f"{100 * part / whole:6.2f} %" if whole else "       -"


def main():
    shipped, instrumented = read_report(sys.argv[1]), read_report(sys.argv[2])
    exclusions = read_exclusions(pathlib.Path(sys.argv[3]))
    wanted = set(sys.argv[4:])
    problems = [f"{name}: not a line of it was compiled"
                for name in sorted(wanted - set(shipped)) if name.endswith(".c")]
    total = [0, 0, 0, 0]
    print(f"{'':32}{'lines':>7}{'run':>10}{'branches':>11}{'taken':>10}")
    for name in sorted(wanted & set(shipped)):
        count, missing = measure(name, shipped[name], instrumented.get(name, {}), exclusions)
        problems += missing
        total = [sum(pair) for pair in zip(total, count)]
        print(f"{name:32}{count[0]:7}{percent(count[1], count[0]):>10}"
              f"{count[2]:11}{percent(count[3], count[2]):>10}")
    print(f"{'all':32}{total[0]:7}{percent(total[1], total[0]):>10}"
          f"{total[2]:11}{percent(total[3], total[2]):>10}")
    if total[3] * 100 < total[2] * BRANCHES:
        problems.append(f"fewer than {BRANCHES} of 100 branches were taken")
    problems += [f"nothing to excuse: {': '.join(e.place)}" for e in exclusions
                 if not e.found or not e.used and not e.chance]
    for problem in problems:
        print(problem)
    used = sum(e.used for e in exclusions)
    print(f"{len(problems)} problems, {used} lines excused, see {sys.argv[3]}")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
