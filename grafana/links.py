"""Links to other dashboards, and to Logfire for the same time range."""

from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import DashboardLink as DataLink
from grafana_foundation_sdk.models.dashboard import DashboardLinkType

OVERVIEW = "agentical-overview"
APPLICATION = "agentical-application"
DATABASES = "agentical-databases"
KUBERNETES = "agentical-kubernetes"
SLOS = "agentical-slos"
COLLECTOR = "agentical-collector"
TRENDS = "agentical-trends"
TITLES = {
    OVERVIEW: "Agentical Infrastructure Overview",
    APPLICATION: "Application",
    DATABASES: "Databases",
    KUBERNETES: "Kubernetes",
    SLOS: "SLOs",
    COLLECTOR: "Collector",
    TRENDS: "Trends",
}
TAG = "agentical"
KEPT = "${job:queryparam}&${instance:queryparam}&${__url_time_range}"
# The form of Logfire's own links: a condition on `records` as q, and a time range.
WINDOW = "since=${__from:date:iso}&until=${__to:date:iso}"
OF_SERIES = "service_name%20%3D%20%27${__field.labels.job}%27"
OF_CHOSEN = "service_name%20~%20%27%5E(${job:regex})%24%27"


def ways(uid: str, *, services: bool) -> list[Builder[DataLink]]:
    """Return a panel's data links: to a dashboard and, for series of services, to Logfire."""
    return [to(uid), to_logfire()] if services else [to(uid)]


def to(uid: str) -> DashboardLink:
    """Return a data link to a dashboard that keeps jobs, instances and time range."""
    return DashboardLink(f"Open {TITLES[uid]}").url(f"/d/{uid}?{KEPT}")


def to_logfire() -> DashboardLink:
    """Return a data link to the series' service in Logfire, for the same time range."""
    link = DashboardLink("Open the service in Logfire").target_blank(target_blank=True)
    return link.url(f"${{logfire:raw}}?q={OF_SERIES}&{WINDOW}")


def to_rule() -> DashboardLink:
    """Return a data link to an alert rule, which links its runbook and dashboard."""
    return DashboardLink("Open the rule").url("/alerting/list?search=${__data.fields.alertname}")


def neighbours() -> DashboardLink:
    """Return the links at the top to all dashboards, which keep variables and time range."""
    link = DashboardLink("Agentical").type(DashboardLinkType.DASHBOARDS).tags([TAG])
    return link.include_vars(include_vars=True).keep_time(keep_time=True)


def chosen_in_logfire() -> DashboardLink:
    """Return the link at the top to the selected services in Logfire, for the same time range."""
    link = DashboardLink("Logfire").type(DashboardLinkType.LINK).icon("external link")
    link = link.target_blank(target_blank=True).tooltip("The same services and time in Logfire")
    return link.url(f"${{logfire:raw}}?q={OF_CHOSEN}&{WINDOW}")
