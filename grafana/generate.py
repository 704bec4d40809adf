"""Writes the dashboards' JSON: `python -m grafana.generate`. One call here is one panel there."""

import json
from pathlib import Path

from grafana_foundation_sdk.builders import common, prometheus, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    DataSourceRef,
    LegendDisplayMode,
    LegendPlacement,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DynamicConfigValue

DASHBOARDS = Path(__file__).parent / "dashboards"
PROMETHEUS = DataSourceRef(type_val="prometheus", uid="prometheus")
CONTAINER = "{{namespace}}/{{pod}}/{{container}}"


def query(expr: str, legend: str) -> prometheus.Dataquery:
    """Return a query over the dashboard's time; `legend` may name labels in double braces."""
    return prometheus.Dataquery().datasource(PROMETHEUS).expr(expr).legend_format(legend).range()


def exemplars(histogram: str) -> prometheus.Dataquery:
    """Return a query for a histogram's exemplars; its own line stays hidden."""
    expr = f"sum by (endpoint, le) (rate({histogram}_bucket[$__rate_interval]))"
    return query(expr, "exemplars").ref_id("Exemplars").exemplar(exemplar=True)


def panel(
    title: str, unit: str, description: str, *queries: prometheus.Dataquery
) -> timeseries.Panel:
    """Return a time series over half of the width; `unit` is one of Grafana's or any word."""
    built = timeseries.Panel().title(title).description(description).unit(unit).min(0)
    built = built.datasource(PROMETHEUS).span(12).height(9).fill_opacity(10)
    built = built.legend(legend()).tooltip(
        common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI)
    )
    for letter, target in zip("ABCDEF", queries, strict=False):
        if not target.build().ref_id:
            target.ref_id(letter)
        built = built.with_target(target)
    hidden = {"legend": True, "tooltip": True, "viz": True}
    return built.override_by_query(
        "Exemplars", [DynamicConfigValue(id_val="custom.hideFrom", value=hidden)]
    )


def legend() -> common.VizLegendOptions:
    """Return the legend every panel has."""
    options = common.VizLegendOptions().show_legend(show_legend=True)
    return options.display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)


def requests() -> timeseries.Panel:
    """Return the request rate by route."""
    return panel(
        "Requests per second",
        "reqps",
        "Every request, counted before any sampling.",
        query(
            "sum by (endpoint) (rate(agentical_requests_total[$__rate_interval]))", "{{endpoint}}"
        ),
    )


def duration() -> timeseries.Panel:
    """Return the exact 95th percentile by route, with exemplars that lead to their traces."""
    buckets = "rate(agentical_request_duration_seconds_bucket[$__rate_interval])"
    return panel(
        "Request duration, 95th percentile",
        "s",
        "A dot is one request: click it to open its trace.",
        query(
            f"histogram_quantile(0.95, sum by (endpoint, le) ({buckets}))",
            "{{endpoint}}",
        ),
        exemplars("agentical_sampled_request_duration_seconds"),
    )


def cpu() -> timeseries.Panel:
    """Return the cores in use, by host and by container."""
    host = 'rate(system_cpu_time_seconds_total{state!="idle"}[$__rate_interval])'
    container = "rate(container_cpu_usage_seconds_total[$__rate_interval])"
    return panel(
        "CPU usage",
        "cores",
        "Cores in use: the host's, and in Kubernetes each container's.",
        query(f"sum by (host) ({host})", "{{host}}"),
        query(f"sum by (namespace, pod, container) ({container})", CONTAINER),
    )


def memory() -> timeseries.Panel:
    """Return the memory in use, in MB, by host and by container."""
    return panel(
        "Memory usage (MB)",
        "mbytes",
        "Memory in use: the host's, and in Kubernetes each container's.",
        query('sum by (host) (system_memory_usage_bytes{state="used"}) / 1024 / 1024', "{{host}}"),
        query("container_memory_usage_bytes / 1024 / 1024", CONTAINER),
    )


def overview() -> Dashboard:
    """Return the overview: requests, their duration, CPU and memory."""
    built = Dashboard("Agentical Infrastructure Overview").uid("agentical-overview")
    built = built.tags(["agentical"]).time("now-30m", "now").refresh("10s").timezone("browser")
    built = built.tooltip(DashboardCursorSync.CROSSHAIR)
    for each in (requests(), duration(), cpu(), memory()):
        built = built.with_panel(each)
    return built


def rendered(dashboard: Dashboard) -> str:
    """Return the Classic JSON that Grafana's file provider reads."""
    return json.dumps(dashboard.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def files() -> dict[Path, str]:
    """Return the content of every generated file."""
    return {DASHBOARDS / "overview.json": rendered(overview())}


if __name__ == "__main__":
    for path, content in files().items():
        path.write_text(content)
