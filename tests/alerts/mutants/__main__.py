"""Mutation tests of the alerts: changes each number in turn and lists the changes no test notices.

`make mutants` runs each mutant against the unit tests of its alert: promtool's for Prometheus,
the cases for Logfire.
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
from tests.alerts.logfire.cases import survives
from tests.alerts.mutants.mutations import Mutant, mutants
from tests.support.promtool import promtool

# As texts, since 0x20 is no number here; an alert's main file before the slower ones.
UNIT_TESTS = {
    path: yaml.load(path.read_text(), yaml.BaseLoader)
    for path in sorted((PROMETHEUS / "tests").glob("*.test.yml"), key=lambda path: len(path.name))
}
SETTING = {"name", "interval", "input_series", "external_labels", "start_timestamp"}
AT_ONCE = 5  # mutants per run of promtool
PASSED = re.compile(r"Processing test file: (.+)\n  SUCCESS")


def survivors(every: Sequence[Mutant]) -> list[Mutant]:
    """Return the mutants that pass every test, untested ones included."""
    alive = [mutant for mutant in every if mutant.groups]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path in UNIT_TESTS:
            asked = [mutant for mutant in alive if tests(path, mutant)]
            batches = [asked[at : at + AT_ONCE] for at in range(0, len(asked), AT_ONCE)]
            running = [pool.submit(killed, path, batch) for batch in batches]
            dead = {id(mutant) for batch in running for mutant in batch.result()}
            alive = [mutant for mutant in alive if id(mutant) not in dead]
    return alive + [mutant for mutant in every if mutant.alert and survives(mutant.alert)]


def killed(path: Path, batch: Sequence[Mutant]) -> list[Mutant]:
    """Return the mutants of a batch that fail a file of promtool's tests."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        places = [Path(folder, str(number)) for number in range(len(batch))]
        written = [write(path, *each) for each in zip(batch, places, strict=True)]
        passed = set(PASSED.findall(promtool("test", "rules", *written).stdout))
    return [mutant for mutant, one in zip(batch, written, strict=True) if str(one) not in passed]


def write(path: Path, mutant: Mutant, folder: Path) -> Path:
    """Write a mutant's rules and a file of unit tests for them; return the tests' path."""
    folder.mkdir()
    document, shipped = UNIT_TESTS[path], RULES / f"{mutant.file}.yml"
    rules, asked = folder / shipped.name, folder / path.name
    rules.write_text(yaml.safe_dump({"groups": list(mutant.groups)}))
    files = [str(rules if file == shipped else file) for file in rule_files(path)]
    asked.write_text(yaml.safe_dump(document | {"rule_files": files, "tests": tests(path, mutant)}))
    return asked


def rule_files(path: Path) -> list[Path]:
    """Return the rule files that a file of unit tests loads."""
    return [(path.parent / name).resolve() for name in UNIT_TESTS[path]["rule_files"]]


def tests(path: Path, mutant: Mutant) -> list[dict[str, Any]]:
    """Return the unit tests of a file that concern a mutant."""
    if RULES / f"{mutant.file}.yml" not in rule_files(path):
        return []
    parts = (part(test, mutant) for test in UNIT_TESTS[path]["tests"])
    return [test for test in parts if len(test) > len(SETTING & test.keys())]


def part(test: dict[str, Any], mutant: Mutant) -> dict[str, Any]:
    """Return the part of a unit test that concerns a mutant, with the test's setup."""
    alerts = [a for a in test.get("alert_rule_test", ()) if a["alertname"] == mutant.name]
    values = [number(v) for v in test.get("promql_expr_test", ()) if mutant.mark in str(v)]
    asked = {"alert_rule_test": alerts, "promql_expr_test": values if mutant.mark else []}
    setting = {key: value for key, value in test.items() if key in SETTING}
    return setting | {key: value for key, value in asked.items() if value}


def number(asked: dict[str, Any]) -> dict[str, Any]:
    """Return a query's expectation with numeric values, which promtool requires."""
    samples = asked.get("exp_samples", ())
    return asked | {"exp_samples": [s | {"value": float(s["value"])} for s in samples]}


def chosen(words: Iterable[str]) -> list[Mutant]:
    """Return the mutants of alerts whose name contains one of the words; all without words."""
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
