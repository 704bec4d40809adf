"""What every dashboard has: uid, variables, links, alert annotations, and panels in rows."""

from collections.abc import Mapping, Sequence
from itertools import count

from grafana_foundation_sdk.builders.dashboard import (
    AnnotationQuery,
    Dashboard,
    QueryVariable,
    Row,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    VariableHide,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from grafana import links
from grafana.panels import Panel
from grafana.queries import PROMETHEUS

EVERY = "$__all"
FIRING = 'ALERTS{alertstate="firing", severity="critical"}'
LOGFIRE = 'label_values(target_info{job="collector"}, logfire_project_url)'


def board(
    uid: str,
    rows: Mapping[str, Sequence[Panel]],
    series: Sequence[str],
    empty: str,
    labels: Sequence[str] = (),
    since: str = "now-1h",
) -> Dashboard:
    """Return a dashboard.

    Args:
        uid: one of `links.TITLES`.
        rows: panels by row title.
        series: metric names whose jobs and instances the variables list.
        empty: what a panel without data says, unless it has a sentence of its own.
        labels: further labels of these series that become variables.
        since: start of the default time range.
    """
    built = Dashboard(links.TITLES[uid]).uid(uid).tags([links.TAG]).time(since, "now")
    built = built.refresh("30s").timezone("browser").tooltip(DashboardCursorSync.CROSSHAIR)
    built = built.link(links.neighbours()).link(links.chosen_in_logfire()).readonly()
    for variable in variables(series, labels):
        built = built.with_variable(variable)
    numbers = count(1)
    for title, panels in rows.items():
        built = built.with_row(Row(title).id(next(numbers)))
        for panel in panels:
            said = panel.build().field_config.defaults.no_value or empty
            built = built.with_panel(panel.id(next(numbers)).no_value(said))
    return built.annotation(marks())


def variables(series: Sequence[str], labels: Sequence[str]) -> list[QueryVariable]:
    """Return job, instance, labels, and a hidden variable with the URL of the Logfire project."""
    named = f'__name__=~"{"|".join(series)}"'
    job = chosen("job", f"label_values({{{named}}}, job)")
    of_job = f'{{{named}, job=~"$job"}}'
    others = [chosen(name, f"label_values({of_job}, {name})") for name in ("instance", *labels)]
    return [job, *others, variable("logfire", LOGFIRE).hide(VariableHide.HIDE_VARIABLE)]


def chosen(name: str, query: str) -> QueryVariable:
    """Return a multi-value variable, by default with all values selected."""
    built = variable(name, query).multi(multi=True).include_all(include_all=True).all_value(".*")
    return built.current(VariableOption(selected=True, text=["All"], value=[EVERY]))


def variable(name: str, query: str) -> QueryVariable:
    """Return a variable with values from Prometheus."""
    asked = {"qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"}
    built = QueryVariable(name).label(name).datasource(PROMETHEUS).definition(query).query(asked)
    refresh = VariableRefresh.ON_TIME_RANGE_CHANGED
    return built.refresh(refresh).sort(VariableSort.ALPHABETICAL_ASC)


def marks() -> AnnotationQuery:
    """Return annotations in every graph for the time in which a critical alert fires."""
    built = AnnotationQuery().name("Critical alerts").datasource(PROMETHEUS).enable(enable=True)
    return built.icon_color("red").expr(FIRING).title_format("{{alertname}}").step("60s")
