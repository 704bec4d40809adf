"""The unit tests of the rules, run by promtool on many changed copies of the rules at once."""

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from alerts.rules import UNITS
from stack.paths import PROMETHEUS
from tests.alerts.mutants.copies import Copies, Rules, numbered, upstream
from tests.support.promtool import promtool

KINDS = ("alert_rule_test", "promql_expr_test")
FAILED = re.compile(r"^    (?:alertname|expr): (.*)", re.MULTILINE)
BROKEN = re.compile(
    r"^    rule: (.*)", re.MULTILINE
)  # an error ends the test: nothing else is compared
Case = dict[str, Any]


@dataclass(frozen=True)
class UnitTest:
    """One test of a file: its series and its cases."""

    path: Path
    document: Mapping[str, Any]
    test: Mapping[str, Any]

    @property
    def rule_files(self) -> list[Path]:
        """The rule files that it loads."""
        return [(self.path.parent / name).resolve() for name in self.document["rule_files"]]

    @property
    def cases(self) -> Iterator[Case]:
        """Its cases."""
        yield from (case for kind in KINDS for case in self.test.get(kind, ()))

    @property
    def price(self) -> float:
        """How often it evaluates the rules for each of its cases."""
        times = [seconds(case["eval_time"]) for case in self.cases]
        return max(times) / seconds(self.document["evaluation_interval"]) / len(times)

    def killed(self, file: Path, shipped: Rules, every: Mapping[int, Copies]) -> set[int]:
        """Return the numbers of the copies of a file's rules that fail it."""
        asked = {number: self._of(copies) for number, copies in every.items()}
        alive = {number for number, cases in asked.items() if cases}
        dead: set[int] = set()
        broken = True
        while broken and alive:
            output = self._run(file, shipped, {n: (every[n], asked[n]) for n in sorted(alive)})
            broken = bool(BROKEN.search(output))
            found = numbered(" ".join(FAILED.findall(output) + BROKEN.findall(output)))
            if "FAILED" in output and not found & alive:
                raise RuntimeError(f"promtool cannot run {self.path}:\n{output}")
            dead |= found
            alive -= found
        return dead

    def _of(self, copies: Copies) -> dict[str, list[Case]]:
        """Return the cases that a change affects, by their kind."""
        found = {
            kind: [case for case in self.test.get(kind, ()) if copies.concerns(case)]
            for kind in KINDS
        }
        return {kind: cases for kind, cases in found.items() if cases}

    def _run(
        self, file: Path, shipped: Rules, every: Mapping[int, tuple[Copies, dict[str, list[Case]]]]
    ) -> str:
        """Run promtool with the cases of every copy; return what it prints."""
        made = [rule for copies, cases in every.values() for rule in copies.needed(cases)]
        made = [*(rule for rule in upstream(made, shipped) if "record" in rule), *made]
        test = {key: value for key, value in self.test.items() if key not in KINDS}
        for copies, cases in every.values():
            for kind, some in cases.items():
                test[kind] = [*test.get(kind, ()), *copies.renamed(some)]
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
            rules, asked = Path(folder, file.name), Path(folder, self.path.name)
            rules.write_text(json.dumps({"groups": [{"name": "mutants", "rules": made}]}))
            files = [str(rules if path == file else path) for path in self.rule_files]
            asked.write_text(json.dumps({**self.document, "rule_files": files, "tests": [test]}))
            done = promtool("test", "rules", asked, GOGC="800", GOMAXPROCS="1")
            return done.stdout + done.stderr


@cache
def unit_tests() -> tuple[UnitTest, ...]:
    """Return every unit test, those first that tell most for what they cost."""
    every = []
    for path in sorted((PROMETHEUS / "tests").glob("*.test.yml")):
        # As texts, since 0x20 is no number here.
        document = yaml.load(path.read_text(), yaml.CBaseLoader)
        every += [UnitTest(path, document, with_numbers(test)) for test in document["tests"]]
    return tuple(sorted(every, key=lambda test: test.price))


def with_numbers(test: Mapping[str, Any]) -> dict[str, Any]:
    """Return a test whose queries expect numeric values, which promtool requires."""
    cases = [
        case
        | {"exp_samples": [s | {"value": float(s["value"])} for s in case.get("exp_samples", ())]}
        for case in test.get("promql_expr_test", ())
    ]
    return {**test, **({"promql_expr_test": cases} if cases else {})}


def seconds(duration: str) -> float:
    """Return the length of a duration such as 2h50m."""
    return sum(int(n) * UNITS[unit] for n, unit in re.findall(r"(\d+)([smhd])", duration))
