"""Changes each number of the alerts in turn, and says which change no test notices: `make mutants`.

Each mutant is run against the unit tests that ask for its alert: promtool's of Prometheus' rules,
the cases of Logfire's queries.
"""

import os
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from alerts.generate import RULES
from stack.paths import PROMETHEUS
from tests.alerts.logfire_cases import survives
from tests.alerts.mutations import Mutant, mutants
from tests.alerts.promtool import promtool

UNIT_TESTS = {
    path: yaml.safe_load(path.read_text())
    for path in sorted((PROMETHEUS / "tests").glob("*.test.yml"))
}
AT_ONCE = 10  # mutants that one promtool looks at
PASSED = re.compile(r"Processing test file: (.+)\n  SUCCESS")


def survivors(every: Sequence[Mutant]) -> list[Mutant]:
    """Return the mutants that pass every test; one that nothing tests passes too."""
    evaluated = [mutant for mutant in every if mutant.groups]
    batches = [evaluated[at : at + AT_ONCE] for at in range(0, len(evaluated), AT_ONCE)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running = [pool.submit(passing, batch) for batch in batches]
        by_logfire = [mutant for mutant in every if mutant.alert and survives(mutant.alert)]
        return [mutant for batch in running for mutant in batch.result()] + by_logfire


def passing(batch: Sequence[Mutant]) -> list[Mutant]:
    """Return those of a few mutants that pass promtool's tests."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        places = [Path(folder, str(number)) for number in range(len(batch))]
        tests = [written(mutant, place) for mutant, place in zip(batch, places, strict=True)]
        done = promtool("test", "rules", *(path for paths in tests for path in paths))
    passed = set(PASSED.findall(done.stdout))
    return [
        mutant
        for mutant, paths in zip(batch, tests, strict=True)
        if passed.issuperset(map(str, paths))
    ]


def written(mutant: Mutant, folder: Path) -> list[Path]:
    """Write a mutant's rules and the unit tests that ask for them; return the tests."""
    folder.mkdir()
    rules = folder / f"{mutant.file}.yml"
    rules.write_text(yaml.safe_dump({"groups": list(mutant.groups)}))
    paths = []
    for path, document in UNIT_TESTS.items():
        files = [(path.parent / name).resolve() for name in document["rule_files"]]
        tests = [test for test in document["tests"] if asks(test, mutant)]
        if RULES / rules.name in files and tests:
            read = [str(rules if file == RULES / rules.name else file) for file in files]
            asked = {**document, "rule_files": read, "tests": tests}
            paths.append(folder / path.name)
            paths[-1].write_text(yaml.safe_dump(asked))
    return paths


def asks(test: dict[str, Any], mutant: Mutant) -> bool:
    """Tell whether a unit test asks for a mutant's alert, or for what it is marked with."""
    mark = mutant.mark if "=" in mutant.mark else ""
    names = {asked["alertname"] for asked in test.get("alert_rule_test", ())}
    return mutant.name in names or bool(mark and mark in str(test.get("promql_expr_test", "")))


def chosen(words: Iterable[str]) -> list[Mutant]:
    """Return the mutants of the alerts whose name holds one of the words; all without a word."""
    words = list(words) or [""]
    return [mutant for mutant in mutants() if any(word in mutant.name for word in words)]


def main() -> None:
    """Print the survivors and the score; ends with 1 if there is a survivor."""
    begun, every = time.monotonic(), chosen(sys.argv[1:])
    alive = survivors(every)
    unchanged = [mutant.name for mutant in every if not mutant.change]
    if broken := set(unchanged) - {mutant.name for mutant in alive if not mutant.change}:
        sys.exit(f"unit tests fail already for {', '.join(sorted(broken))}: run `make test`")
    found = [mutant for mutant in alive if mutant.change]
    for mutant in found:
        sys.stdout.write(f"no test notices {mutant.name} ({mutant.change})\n")
    count = len(every) - len(unchanged)
    share = 100 * (count - len(found)) / count if count else 0.0
    seconds = time.monotonic() - begun
    killed = f"{count - len(found)} of {count} changes are noticed"
    sys.stdout.write(f"{killed}: {share:.1f} %, in {seconds:.0f} s\n")
    sys.exit(1 if found or not count else 0)


if __name__ == "__main__":
    main()
