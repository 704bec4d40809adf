"""All series of a query are found, and missing ones are reported."""

from collections.abc import Iterator

import pytest
from otelcol_runner.ports import free_port

from stack.services.prometheus import Prometheus
from tests.support.promql import QueryError, missing, series_of

READS = {
    "up": {"up": ""},
    'sum by (job) (rate(a{b=~"c|d", e!="f"}[5m] offset 1h)) > bool 3': {
        'a{b=~"c|d",e!="f"}': "job b"
    },
    "x / on (job) group_left (zone) y": {"x": "job", "y": "job"},
    "sum without (le) (x) and on (pod) max by (pod) (y)": {"x": "le pod", "y": "pod"},
    "sum by (job) (x or y) unless on () z": {"x": "job", "y": "job", "z": ""},
    'sum by (host) (label_replace(x, "host", "$1", "instance", "(.+):.+"))': {"x": "instance"},
    'sum by (all) (label_join(x, "all", "-", "a", "b"))': {"x": "a b"},
    "max by (a) (time() - max_over_time(timestamp(x)[1h:]))": {"x": "a"},
    '-({__name__=~"x.+"}) + 1': {'{__name__=~"x.+"}': ""},
    "histogram_quantile(0.95, sum by (le) (rate(x_bucket[1m])))": {"x_bucket": "le"},
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Prometheus(free_port(), tmp_path_factory.mktemp("prometheus")) as server:
        yield server.url


@pytest.mark.parametrize("expr", READS)
def test_the_series_of_a_query_have_its_selectors_labels(url: str, expr: str) -> None:
    found = {series.selector: set(series.labels) for series in series_of(expr, url)}
    assert found == {selector: set(labels.split()) for selector, labels in READS[expr].items()}


def test_an_invalid_query_is_refused_with_prometheus_message(url: str) -> None:
    with pytest.raises(QueryError, match=r"parse error: .* in sum\(\("):
        series_of("sum((", url)


def test_a_missing_series_or_label_is_named(url: str) -> None:
    assert missing('max by (zone) (nothing{a="b"})', url) == ['there is no nothing{a="b"}']
