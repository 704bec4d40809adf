"""The pytest side of `--otelcol-coverage`; also over the workers of pytest-xdist."""

from typing import Any

import pytest

from pytest_otelcol import coverage
from pytest_otelcol.counting import Row, combined, table
from pytest_otelcol.coverage import Coverage

OUTPUT = "otelcol_coverage"


class CoveragePlugin:
    """Collects in this process, and in the controlling one from all workers."""

    def __init__(self, config: pytest.Config) -> None:
        self._coverage = Coverage(config.rootpath)
        self._before: Coverage | None = None  # of a session around this one
        self._parts: list[dict[Row, int]] = []

    def pytest_sessionstart(self) -> None:
        """Start to collect."""
        self._coverage.start()
        self._before = coverage.activate(self._coverage)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Add up; a worker of pytest-xdist hands its part on."""
        coverage.activate(self._before)
        self._coverage.stop()
        items = self._coverage.items()
        output = getattr(session.config, "workeroutput", None)
        if output is None:
            self._parts.append(items)
        else:
            output[OUTPUT] = [[*row, count] for row, count in items.items()]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take the part of a worker that has ended; one that crashed has none."""
        rows = getattr(node, "workeroutput", {}).get(OUTPUT, [])
        self._parts.append({(file, kind, name): count for file, kind, name, count in rows})

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table."""
        terminalreporter.section("otelcol coverage")
        for line in table(combined(self._parts)):
            terminalreporter.line(line)
