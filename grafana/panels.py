"""Functions that build a panel: a graph, a number or a table, with unit, thresholds and links."""

from collections.abc import Sequence
from typing import Required, TypedDict, TypeVar, Unpack

from grafana_foundation_sdk.builders import common, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
)

from grafana import limits, links
from grafana.queries import PROMETHEUS, Query

Panel = timeseries.Panel | stat.Panel | table.Panel
AnyPanel = TypeVar("AnyPanel", timeseries.Panel, stat.Panel, table.Panel)
NOT_SHOWN = ("Time", "Value", "__name__", "alertstate")


class Rest(TypedDict, total=False):
    """Further options of a panel.

    `to` is the dashboard that its data link opens. `alert` is the alert whose thresholds are drawn,
    only of one `severity` if the severities compare different values: the panel shows the value
    that the alert compares, in the unit of its threshold. `thresholds` replace the alert's, or are
    those of a panel without alert. `empty` says why there may be no data, instead of the
    dashboard's sentence.
    `width` is out of 24 columns. With `services`, each series belongs to a service in Logfire.
    """

    to: Required[str]
    alert: str
    severity: str
    thresholds: ThresholdsConfig
    empty: str
    width: int
    services: bool


def graph(
    title: str, unit: str, description: str, *queries: Query, **rest: Unpack[Rest]
) -> timeseries.Panel:
    """Return a graph; `unit` is one of Grafana's units, or any suffix.

    The axis starts at zero, and below it if a value is negative.
    """
    built = timeseries.Panel().fill_opacity(10).legend(legend()).height(8).axis_soft_min(0)
    built = built.tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    if rest.keys() & {"alert", "thresholds"}:
        style = common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
        built = built.thresholds_style(style)
    if any(query.build().exemplar for query in queries):
        hidden = {"legend": True, "tooltip": True, "viz": True}
        value = [DynamicConfigValue(id_val="custom.hideFrom", value=hidden)]
        built = built.override_by_query("Exemplars", value)
    return dressed(built, title, unit, description, queries, {"width": 8, **rest})


def number(
    title: str, unit: str, description: str, *queries: Query, **rest: Unpack[Rest]
) -> stat.Panel:
    """Return a stat panel with the last value and a sparkline."""
    built = stat.Panel().height(4).graph_mode(BigValueGraphMode.AREA)
    built = built.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    return dressed(built, title, unit, description, queries, {"width": 4, **rest})


def firing(title: str, description: str, query: Query, **rest: Unpack[Rest]) -> table.Panel:
    """Return a table of alerts, each with a link to its rule."""
    hide = {"excludeByName": dict.fromkeys(NOT_SHOWN, True)}
    rest.setdefault("empty", "No alert is firing.")
    built = table.Panel().height(5)
    built = built.with_transformation(DataTransformerConfig(id_val="organize", options=hide))
    built = dressed(built, title, "string", description, [query], {"width": 24, **rest})
    return built.data_links([links.to_rule(), links.to(rest["to"])])


def dressed(
    panel: AnyPanel, title: str, unit: str, description: str, queries: Sequence[Query], rest: Rest
) -> AnyPanel:
    """Set what every panel has."""
    letters = iter("ABCDEFGH")
    for target in queries:
        if not target.build().ref_id:
            target.ref_id(next(letters))
    alert, severity = rest.get("alert", ""), rest.get("severity", "")
    named = f"{description} Alert: {' '.join(filter(None, [alert, severity]))}."
    panel = panel.title(title).unit(unit).description(named if alert else description)
    lines = limits.lines(alert, severity) if alert and "thresholds" not in rest else limits.none()
    panel = panel.thresholds(rest.get("thresholds", lines)).no_value(rest.get("empty", ""))
    panel = panel.span(rest["width"]).datasource(PROMETHEUS).targets([*queries])
    return panel.data_links(links.ways(rest["to"], services=rest.get("services", False)))


def legend() -> common.VizLegendOptions:
    """Return the legend every graph has."""
    options = common.VizLegendOptions().show_legend(show_legend=True)
    return options.display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
