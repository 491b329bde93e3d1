#!/usr/bin/python3
"""Holds what gcovr has counted against what is asked for.

Usage: coverage.py REPORT EXCLUSIONS FILE...

REPORT is gcovr's JSON, each FILE a source that must be in it. Every line must have run,
and 95 of 100 branches must have been taken. What has not must be in EXCLUSIONS, whose
lines say

    FILE: TEXT: REASON

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
        self.name, self.text, self.reason = (part.strip() for part in line.split(": ", 2))
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


def measure(file, exclusions):
    """Lines, lines run, branches, branches taken, and what is missing without excuse."""
    name = file["file"]
    texts = pathlib.Path(name).read_text().splitlines()
    count = [0, 0, 0, 0]
    missing = []
    for line in file["lines"]:
        if line["gcovr/noncode"]:
            continue
        text = texts[line["line_number"] - 1].strip()
        branches = line.get("branches", [])
        taken = sum(branch["count"] != 0 for branch in branches)
        count[0] += 1
        count[1] += line["count"] != 0
        count[2] += len(branches)
        count[3] += taken
        excuses = [e for e in exclusions if e.covers(name, text)]
        if line["count"] != 0 and taken == len(branches):
            continue
        for excuse in excuses:
            excuse.used = True
        if not excuses:
            what = "never run"
            if line["count"] != 0:
                what = f"{len(branches) - taken} of {len(branches)} branches not taken"
            missing.append(f"{name}:{line['line_number']}: {what}: {text}")
    return count, missing


def percent(part, whole):
    return f"{100 * part / whole:6.2f} %" if whole else "       -"


def main():
    report = json.loads(pathlib.Path(sys.argv[1]).read_text())
    exclusions = read_exclusions(pathlib.Path(sys.argv[2]))
    wanted = set(sys.argv[3:])
    files = {file["file"]: file for file in report["files"] if file["file"] in wanted}
    problems = [f"{name}: not a line of it was compiled"
                for name in sorted(wanted - set(files)) if name.endswith(".c")]
    total = [0, 0, 0, 0]
    print(f"{'':32}{'lines':>7}{'run':>10}{'branches':>11}{'taken':>10}")
    for name in sorted(files):
        count, missing = measure(files[name], exclusions)
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
    print(f"{len(problems)} problems, {used} lines excused, see {sys.argv[2]}")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
