"""The ledger's rules: every counter in them matters. tests/alerts/ runs all unit tests."""

import re
from pathlib import Path

import pytest
import yaml

from stack.paths import PROMETHEUS
from tests.support.ledger import RULES
from tests.support.promtool import promtool

UNIT_TESTS = PROMETHEUS / "tests" / "ledger.test.yml"
AT_ONCE = 20


@pytest.mark.timeout(600)
def test_every_counter_that_a_rule_reads_matters_to_a_unit_test(tmp_path: Path) -> None:
    rules = RULES.read_text()
    reads = [found.span() for found in re.finditer(r"\b(otelcol_\w+|\w+:ledger_\w+:\w+)", rules)]
    reads = [(start, end) for start, end in reads if "record: " not in rules[start - 8 : start]]
    tests = {mutant(rules, *read, tmp_path): rules[slice(*read)] for read in reads}
    assert len(tests) > 60
    passed = [path for part in parts(list(tests)) for path in passing(part)]
    assert [tests[path] for path in passed] == []


def parts(tests: list[Path]) -> list[list[Path]]:
    """Divide the unit tests, so that a busy machine ends each part in time."""
    return [tests[start : start + AT_ONCE] for start in range(0, len(tests), AT_ONCE)]


def passing(tests: list[Path]) -> list[Path]:
    """Return those that pass."""
    done = promtool("test", "rules", *tests)
    found = re.findall(r"Processing test file: (.+)\n  SUCCESS", done.stdout)
    assert done.stdout.count("Processing test file: ") == len(tests)
    return [Path(path) for path in found]


def mutant(rules: str, start: int, end: int, folder: Path) -> Path:
    """Write the rules with one counter unknown; return the unit tests of them."""
    (folder / f"{start}.yml").write_text(f"{rules[:start]}no_such_counter{rules[end:]}")
    tests = folder / f"{start}.test.yml"
    tests.write_text(UNIT_TESTS.read_text().replace("../rules/ledger.yml", f"{start}.yml"))
    return tests


def test_records_are_named_level_metric_operation() -> None:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    names = {rule["record"] for group in groups for rule in group["rules"]}
    assert [
        name for name in names if not re.fullmatch(r"[a-z_]+:ledger_[a-z_]+:[a-z]+", name)
    ] == []
