#!/usr/bin/python3
"""Holds what gcovr has counted against what is asked for.

Usage: coverage.py SHIPPED INSTRUMENTED EXCLUSIONS FILE...

The first two are gcovr's JSON: of the library, and of its copy with a hook before each
call to the system. Each FILE is a source that must be in the first. Every line must have
run in one of them, and 95 of 100 branches must have been taken. A line that calls the
system has more branches in the copy, and it cannot be told which are which; so the
copy's count for lines only that have as many as they ship with. What is missing must be
in EXCLUSIONS, whose lines say

    FILE: TEXT -- REASON

where TEXT is what the line of code holds, without the space around it. Where it is
chance whether the line runs, the FILE has a ~ before it. An entry whose text is nowhere
in the file, or all of which has run, is stale and a failure, too.
"""

import json
import pathlib
import sys

BRANCHES = 95


class Exclusion:
    def __init__(self, line):
        self.name, rest = line.split(": ", 1)
        self.text, self.reason = rest.rsplit(" -- ", 1)
        self.chance = self.name.startswith("~")
        self.name = self.name.lstrip("~")
        self.found = self.used = False

    def covers(self, name, text):
        if name != self.name or text != self.text:
            return False
        self.found = True
        return True


def read_exclusions(path):
    return [Exclusion(line) for line in path.read_text().splitlines()
            if line and not line.startswith("#")]


def read_report(path):
    """Of each file, how often each line has run and which of its branches were taken."""
    return {file["file"]: {
        line["line_number"]: (line["count"] != 0,
                              [branch["count"] != 0 for branch in line.get("branches", [])])
        for line in file["lines"] if not line["gcovr/noncode"]
    } for file in json.loads(pathlib.Path(path).read_text())["files"]}


def merge(one, other):
    """What has run of a line in either of two builds."""
    if len(one[1]) != len(other[1]):
        return one[0] or other[0], one[1]
    return one[0] or other[0], [a or b for a, b in zip(one[1], other[1])]


def measure(name, shipped, instrumented, exclusions):
    """Lines, lines run, branches, branches taken, and what is missing without excuse."""
    texts = pathlib.Path(name).read_text().splitlines()
    total = [0, 0, 0, 0]
    missing = []
    for number, line in sorted(shipped.items()):
        text = texts[number - 1].strip()
        run, branches = merge(line, instrumented.get(number, line))
        total = [sum(pair) for pair in zip(total, (1, run, len(branches), sum(branches)))]
        excuses = [e for e in exclusions if e.covers(name, text)]
        if run and all(branches):
            continue
        for excuse in excuses:
            excuse.used = True
        if not excuses:
            what = "never run"
            if run:
                what = f"{branches.count(False)} of {len(branches)} branches not taken"
            missing.append(f"{name}:{number}: {what}: {text}")
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
    for e in exclusions:
        if e.name in wanted and not e.found:
            problems.append(f"stale: {e.name} has no line \"{e.text}\"")
        elif e.name in wanted and not e.used and not e.chance:
            problems.append(f"stale: all of it has run: {e.name}: {e.text}")
    for problem in problems:
        print(problem)
    used = sum(e.used for e in exclusions)
    print(f"{len(problems)} problems, {used} lines excused, see {sys.argv[3]}")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
