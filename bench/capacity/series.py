"""How many series each job has in Prometheus."""

from typing import Any

from stack.clients.prometheus import PromQL

OWN = '__name__!~".*:.*|ALERTS.*"'  # without recorded series


def series_by_job(prometheus_url: str) -> dict[str, dict[str, Any]]:
    """Return for each job how many series its processes sent, and how many are of kept traces."""
    with PromQL(prometheus_url) as prometheus:
        every = prometheus.by("job", f'count by (job) ({{job!="", {OWN}}})')
        sampled = prometheus.by(
            "job", 'count by (job) ({job!="", __name__=~"agentical_sampled_.*"})'
        )
        routed = prometheus.by("job", f'count by (job) ({{job!="", endpoint!="", {OWN}}})')
        routes = prometheus.by("job", 'count by (job) (count by (job, endpoint) ({endpoint!=""}))')
    return {
        job: {
            "series": int(count),
            "sampled": int(sampled.get(job, 0)),
            "of_routes": int(routed.get(job, 0)),
            "routes": int(routes.get(job, 0)),
        }
        for job, count in sorted(every.items())
    }
