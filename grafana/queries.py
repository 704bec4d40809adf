"""PromQL for panels: selected jobs and instances, counters as rates."""

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.limits import expression, window

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="prometheus")
CHOSEN = 'job=~"$job", instance=~"$instance"'
UUID = "(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3})"  # without its last group
Query = prometheus.Dataquery


def of(series: str, matchers: str = "") -> str:
    """Return a selector for the selected jobs, with further matchers such as `status=~"5.."`."""
    return f"{series}{{{', '.join(filter(None, [CHOSEN, matchers]))}}}"


def rate(counter: str, matchers: str = "") -> str:
    """Return the per-second rate of a counter."""
    return f"rate({of(counter, matchers)}[$__rate_interval])"


def grown(counter: str, alert: str, labels: str) -> str:
    """Return by how much a counter increased in an alert's window, by labels.

    `increase()` extrapolates to the edges of the window, so it is rounded to whole events.
    """
    return f"round({per(labels, f'increase({of(counter)}[{window(alert)}])')})"


def per(labels: str, expr: str, operator: str = "sum") -> str:
    """Return an aggregation of an expression by labels, by default the sum."""
    return f"{operator} by ({labels}) ({expr})"


def share(part: str, whole: str) -> str:
    """Return a ratio, 0 to 1; no series where the whole is zero."""
    return f"{part} / ({whole} > 0)"


def percentile(percent: int, histogram: str, labels: str) -> str:
    """Return a percentile of a histogram."""
    buckets = per(f"{labels}, le", rate(f"{histogram}_bucket"))
    return f"histogram_quantile({percent / 100}, {buckets})"


def mean(histogram: str, labels: str) -> str:
    """Return the mean of a histogram's observations."""
    return share(per(labels, rate(f"{histogram}_sum")), per(labels, rate(f"{histogram}_count")))


def reaching(days: int, series: str) -> str:
    """Return a condition: the history of a series reaches back so many days."""
    return f"present_over_time({of(series)}[6h] offset {days}d)"


def process(expr: str) -> str:
    """Return an expression with a label `process` for legends: of a UUID only its last group."""
    return f'label_replace({expr}, "process", "$1", "instance", "{UUID}?(.+)")'


def query(expr: str, legend: str) -> Query:
    """Return a range query; `legend` may contain labels in double braces."""
    return Query().datasource(PROMETHEUS).expr(expr).legend_format(legend).range()


def compared(alert: str, legend: str) -> Query:
    """Return a query for the values that an alert compares, of all jobs."""
    return query(expression(alert), legend)


def latest(expr: str) -> Query:
    """Return an instant query for a table: one row per series."""
    asked = Query().datasource(PROMETHEUS).expr(expr).instant()
    return asked.format(PromQueryFormat.TABLE)


def exemplars(histogram: str) -> Query:
    """Return a query for a histogram's exemplars; its line is hidden."""
    buckets = per("job, endpoint, le", rate(f"{histogram}_bucket"))
    return query(buckets, "exemplars").ref_id("Exemplars").exemplar(exemplar=True)
