"""Mutation tests of the alerts: changes each number in turn and lists the changes no test notices.

`make mutants` changes the rule files, then their sources, and runs the unit tests that load them:
promtool's for Prometheus, the cases for Logfire. Words are parts of alerts' names; `--changed`
takes only the rule files that the branch changed.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

from alerts.generate import BY_HAND
from tests.alerts.logfire.cases import survives
from tests.alerts.mutants import changed, generated, sources
from tests.alerts.mutants.copies import Copies
from tests.alerts.mutants.equivalent import reason
from tests.alerts.mutants.mutant import Mutant
from tests.alerts.mutants.unit_tests import unit_tests

AT_ONCE = 240  # mutants per run of promtool


def every() -> Iterator[Mutant]:
    """Yield the mutants of all alerts."""
    for path in sorted(BY_HAND.rglob("*.yml")):
        if any("alert" in rule for rule in generated.shipped(path).values()):
            yield from generated.of_file(path)
    yield from sources.mutants()


def concerned(mutants: Sequence[Mutant], files: Sequence[str]) -> list[Mutant]:
    """Return the mutants of what some changed files affect."""
    if any(name.startswith(changed.ITSELF) for name in files):
        return list(mutants)
    rule_files = changed.rule_files(files)
    logfire = any(name.startswith(changed.LOGFIRE) for name in files)
    return [it for it in mutants if it.file in rule_files or (it.alert and logfire)]


def survivors(mutants: Sequence[Mutant]) -> list[Mutant]:
    """Return the mutants that pass every test, untested ones included."""
    files = {it.file for it in mutants if it.file}
    of_file = {path: [it for it in mutants if it.file == path] for path in files}
    batches = [
        (path, those[at : at + AT_ONCE])
        for path, those in of_file.items()
        for at in range(0, len(those), AT_ONCE)
    ]
    batches.sort(key=lambda batch: len(batch[1]), reverse=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        alive = list(chain.from_iterable(pool.map(lambda batch: survivors_of(*batch), batches)))
    return alive + [it for it in mutants if it.alert and survives(it.alert)]


def survivors_of(path: Path, mutants: Sequence[Mutant]) -> list[Mutant]:
    """Return the mutants of a rule file that pass its unit tests; raises if the file does not."""
    shipped = generated.shipped(path)
    alive = {n: Copies(shipped, it.rules, n, it.whole) for n, it in enumerate(mutants)}
    unchanged = len(mutants)
    alive[unchanged] = Copies(shipped, shipped, unchanged)
    for test in unit_tests():
        if path in test.rule_files and len(alive) > 1:
            dead = test.killed(path, shipped, alive)
            if unchanged in dead:
                sys.exit(f"{test.path.name} fails without a change already: run `make test`")
            alive = {number: it for number, it in alive.items() if number not in dead}
    return [mutants[number] for number in alive if number != unchanged]


def main() -> None:
    """Print the survivors and the score; ends with 1 if there is a survivor."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="parts of alerts' names")
    parser.add_argument("--changed", action="store_true", help="only what the branch changed")
    asked = parser.parse_args()
    begun, words = time.monotonic(), asked.words or [""]
    mutants = [it for it in every() if any(word in it.name for word in words)]
    if not mutants:
        sys.exit(f"no alert has {' or '.join(words)} in its name")
    if asked.changed:
        files = changed.files()
        if files is None:
            sys.stdout.write("no branch main to compare with, so every alert is changed\n")
        else:
            mutants = concerned(mutants, files)
    if not mutants:
        sys.stdout.write("the branch changed no alert and no test of one\n")
        sys.exit(0)
    alive = survivors(mutants)
    excused = [it for it in mutants if reason(it)]
    found = [it for it in alive if not reason(it)]
    for it in found:
        sys.stdout.write(f"no test notices {it}\n")
    for it in [it for it in excused if it not in alive]:
        found.append(it)
        sys.stdout.write(
            f"a test notices {it}: remove it from tests/alerts/mutants/equivalent.py\n"
        )
    count = len(mutants) - len(excused)
    score = f"{count - len(found)} of {count} changes are noticed"
    seconds = time.monotonic() - begun
    sys.stdout.write(f"{score}, {len(excused)} make no difference, in {seconds:.0f} s\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
