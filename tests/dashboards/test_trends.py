"""The Trends dashboard over two weeks of recorded data in a real Prometheus."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from otelcol_runner.ports import free_port

from stack.clients.prometheus import PromQL
from stack.paths import PROMETHEUS
from stack.services.prometheus import Prometheus
from tests.dashboards.reading import BOARDS, asked, panels
from tests.support.promtool import promtool

A_DAY = 86_400
LABELS = 'job="one",instance="a",database="shop",mountpoint="/"'
YOUNG = LABELS.replace("one", "young")
# Each series as a function of a sample's age in days: a step a week ago, or a slope.
SERIES: dict[str, Callable[[float], float]] = {
    "job:agentical_requests:rate1h": lambda days: 11 if days < 7 else 10,
    "job:agentical_agent_tasks:rate1h": lambda days: 2,
    "job:otelcol_accepted_spans:rate1h": lambda days: 300,
    "job:otelcol_cpu_seconds:rate1h": lambda days: 0.01,
    "job_instance_database:postgresql_size_bytes:max1h": lambda days: 5e9 - 2e6 * days,
    "job_instance:redis_memory_bytes:max1h": lambda days: 1e6,
    "job_instance_mountpoint:system_filesystem_free_bytes:min1h": lambda days: 1e12 + 1e10 * days,
    "job_instance:postgresql_connections_used:ratio_max1h": lambda days: 0.5,
}


def well_done(*arguments: str | Path) -> None:
    done = promtool(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def two_weeks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus with two weeks of recorded data, a sample every eight hours.

    Of a young job it has a week of rates, and 16 hours of sizes.
    """
    folder, now = tmp_path_factory.mktemp("trends"), time.time()
    lines = [
        f"{name}{{{labels}}} {value(third / 3)} {now - 60 - third * A_DAY / 3:.0f}"
        for name, value in SERIES.items()
        for labels, thirds in ((LABELS, 43), (YOUNG, 25 if "rate1h" in name else 3))
        for third in reversed(range(thirds))
    ]
    (folder / "weeks").write_text("\n".join([*lines, "# EOF\n"]))
    well_done("tsdb", "create-blocks-from", "openmetrics", folder / "weeks", folder / "data")
    with Prometheus(free_port(), folder / "data") as running:
        yield running


def values(running: Prometheus, expr: str) -> list[float]:
    with PromQL(running.url) as prometheus:
        return [value for _, value in prometheus.series(asked(expr))]


def drawn(title: str) -> str:
    (panel,) = (p for p in panels(BOARDS["agentical-trends"]) if p["title"] == title)
    expr: str = panel["targets"][0]["expr"]
    return expr


def test_the_recording_rules_unit_tests_pass() -> None:
    well_done("test", "rules", PROMETHEUS / "tests" / "trends.test.yml")


def test_every_query_returns_two_weeks_of_data(two_weeks: Prometheus) -> None:
    for panel in panels(BOARDS["agentical-trends"]):
        for target in panel["targets"]:
            assert values(two_weeks, target["expr"]), panel["title"]


def test_growth_and_time_left_match_the_slopes_of_jobs_with_enough_history(
    two_weeks: Prometheus,
) -> None:
    assert values(two_weeks, drawn("Request growth per week (%)")) == [pytest.approx(0.1)]
    assert values(two_weeks, drawn("Database growth per day (bytes)")) == [
        pytest.approx(2e6, rel=0.01)
    ]
    assert values(two_weeks, drawn("Time until disk full")) == [pytest.approx(100, rel=0.01)]
