"""The Trends dashboard draws a year that VictoriaMetrics keeps."""

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.dashboards.reading import BOARDS, asked, panels
from tests.long_term.stores import VictoriaMetrics
from tests.long_term.year import A_DAY, DAYS, fill

STEP = 240  # seconds; the rules record each minute, and four times as much takes as much longer
END = int(time.time()) // A_DAY * A_DAY
# The first days have no growth yet: docs/generated/... states the windows.
LATER = {"Request growth per week (%)": 14, "Database growth per day (bytes)": 1}
LATER |= {"Time until disk full": 1}


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        VictoriaMetrics(tmp_path_factory.mktemp("year")) as store,
        httpx.Client(base_url=store.url, timeout=60) as client,
    ):
        fill(store, END, STEP)
        yield client


def test_every_panel_of_trends_is_drawn_over_the_whole_year(year: httpx.Client) -> None:
    for panel in panels(BOARDS["agentical-trends"]):
        query = {"query": asked(panel["targets"][0]["expr"]), "step": str(A_DAY)}
        times = {"start": str(END - (DAYS - 1) * A_DAY), "end": str(END - A_DAY)}
        series = year.get("/api/v1/query_range", params=query | times).json()["data"]["result"]
        assert series, panel["title"]
        for one in series:
            missing = DAYS - 1 - len(one["values"])
            assert 0 <= missing <= LATER.get(panel["title"], 0) + 1, (panel["title"], missing)
