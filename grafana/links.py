"""Where a click leads: to another dashboard, or to what Logfire has of the same time."""

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
# As Logfire's own links to a view are: a condition on `records` as q, and two times.
WINDOW = "since=${__from:date:iso}&until=${__to:date:iso}"
OF_SERIES = "service_name%20%3D%20%27${__field.labels.job}%27"
OF_CHOSEN = "service_name%20~%20%27%5E(${job:regex})%24%27"


def ways(uid: str, *, services: bool) -> list[Builder[DataLink]]:
    """Return a panel's data links: to a dashboard and, where series are of services, to Logfire."""
    return [to(uid), to_logfire()] if services else [to(uid)]


def to(uid: str) -> DashboardLink:
    """Return a data link to a dashboard, for the same jobs, instances and time."""
    return DashboardLink(f"Open {TITLES[uid]}").url(f"/d/{uid}?{KEPT}")


def to_logfire() -> DashboardLink:
    """Return a data link to what the series' service sent to Logfire in the same time."""
    link = DashboardLink("Open the service in Logfire").target_blank(target_blank=True)
    return link.url(f"${{logfire:raw}}?q={OF_SERIES}&{WINDOW}")


def to_rule() -> DashboardLink:
    """Return a data link to an alert's rule, which has its runbook and its dashboard."""
    return DashboardLink("Open the rule").url("/alerting/list?search=${__data.fields.alertname}")


def neighbours() -> DashboardLink:
    """Return the links at the top to every dashboard here, for the same variables and time."""
    link = DashboardLink("Agentical").type(DashboardLinkType.DASHBOARDS).tags([TAG])
    return link.include_vars(include_vars=True).keep_time(keep_time=True)


def chosen_in_logfire() -> DashboardLink:
    """Return the link at the top to what the chosen services sent to Logfire in the same time."""
    link = DashboardLink("Logfire").type(DashboardLinkType.LINK).icon("external link")
    link = link.target_blank(target_blank=True).tooltip("The same services and time in Logfire")
    return link.url(f"${{logfire:raw}}?q={OF_CHOSEN}&{WINDOW}")
