"""PromQL as panels ask it: of the chosen jobs and instances, and of counters their rates."""

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.limits import expression, window

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="prometheus")
CHOSEN = 'job=~"$job", instance=~"$instance"'
Query = prometheus.Dataquery


def of(series: str, matchers: str = "") -> str:
    """Return the series of the chosen jobs; matchers narrow them, as `status=~"5.."` does."""
    return f"{series}{{{', '.join(filter(None, [CHOSEN, matchers]))}}}"


def rate(counter: str, matchers: str = "") -> str:
    """Return what a counter counted a second."""
    return f"rate({of(counter, matchers)}[$__rate_interval])"


def grown(counter: str, alert: str) -> str:
    """Return what a counter counted in the time that an alert looks back: exactly, as it does."""
    return f"{of(counter)} - min_over_time({of(counter)}[{window(alert)}])"


def per(labels: str, expr: str, operator: str = "sum") -> str:
    """Return the sum of an expression (or what else the operator makes) for each set of labels."""
    return f"{operator} by ({labels}) ({expr})"


def share(part: str, whole: str) -> str:
    """Return a part of a whole, 0 to 1; nothing where there is no whole."""
    return f"{part} / ({whole} > 0)"


def percentile(percent: int, histogram: str, labels: str) -> str:
    """Return the seconds that so many percent of a histogram's observations stay below."""
    buckets = per(f"{labels}, le", rate(f"{histogram}_bucket"))
    return f"histogram_quantile({percent / 100}, {buckets})"


def mean(histogram: str, labels: str) -> str:
    """Return the mean of a histogram's observations."""
    return share(per(labels, rate(f"{histogram}_sum")), per(labels, rate(f"{histogram}_count")))


def query(expr: str, legend: str) -> Query:
    """Return a query over the dashboard's time; `legend` may name labels in double braces."""
    return Query().datasource(PROMETHEUS).expr(expr).legend_format(legend).range()


def compared(alert: str, legend: str) -> Query:
    """Return a query for the very values that an alert compares, of all jobs."""
    return query(expression(alert), legend)


def latest(expr: str) -> Query:
    """Return a query for a table: one row a series, as it is now."""
    asked = Query().datasource(PROMETHEUS).expr(expr).instant()
    return asked.format(PromQueryFormat.TABLE)


def exemplars(histogram: str) -> Query:
    """Return a query for a histogram's exemplars; its own line stays hidden."""
    buckets = per("job, endpoint, le", rate(f"{histogram}_bucket"))
    return query(buckets, "exemplars").ref_id("Exemplars").exemplar(exemplar=True)
