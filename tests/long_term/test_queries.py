"""The dashboards' queries and the rules' expressions in long-term stores, against Prometheus."""

from pathlib import Path

import pytest

from tests.long_term.findings import Findings, compared, filled
from tests.long_term.page import recorded


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    with filled(Path(tmp_path_factory.mktemp("stores"))) as servers:
        return compared(servers)


def test_the_page_lists_each_query_that_a_store_answers_differently(findings: Findings) -> None:
    assert findings == recorded(), "run `make stores`, look at the difference, and commit it"
