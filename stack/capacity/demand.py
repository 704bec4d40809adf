"""The load on the pipeline, and the resources that it needs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Demand:
    """The load that the pipeline has to handle.

    Attributes:
        requests_per_second: of all services together; each is one trace.
        outage_hours: how long both backends may be down.
        sample_percent: how many of the other traces (fast, without an error) are kept.
        always_percent: how many of all traces have an error or a slow request; they are all kept.
        log_sample_percent: how many of the other log records are kept.
        always_log_percent: how many of all log records are WARN or above, or without a trace; they
            are all kept.
        spans_per_request, logs_per_request: what one request produces.
        processes: service processes that export metrics.
        nodes: agents in front of the gateways, one for each node; 0 for none.
        series_per_process: series of each of them in Prometheus.
        decision_wait: seconds that the sampler waits before it decides.
        utilisation: target share of a gateway's core, of its limit of traces and of its window.
    """

    requests_per_second: float
    outage_hours: float
    sample_percent: float
    always_percent: float
    log_sample_percent: float
    always_log_percent: float
    spans_per_request: float
    logs_per_request: float
    processes: int
    series_per_process: float
    decision_wait: float
    utilisation: float
    nodes: int = 0

    @property
    def spans_per_second(self) -> float:
        return self.requests_per_second * self.spans_per_request  # before sampling

    @property
    def kept_share(self) -> float:
        return kept_share(self.sample_percent, self.always_percent)

    @property
    def kept_log_share(self) -> float:
        return kept_share(self.log_sample_percent, self.always_log_percent)


@dataclass(frozen=True)
class Need:
    """The resources for a demand. Values for a gateway hold while one gateway is down.

    Attributes:
        cores: busy cores of all gateways together.
        gateways: their number; `bound` is the limit that requires it.
        memory: resident bytes of a gateway.
        window: bytes in its sampling window, which is memory of its container too.
        window_files: SAMPLING_WINDOW_FILES.
        window_room: bytes of the window's volume.
        memory_limit: bytes to give it, so that its memory limiter never refuses data.
        queues: bytes in a gateway's queues at the end of the outage.
        disk: bytes of a gateway's volume.
        series: in Prometheus, of the services, the gateways themselves, the agents and their nodes.
        units: records that Logfire bills per month.
    """

    cores: float
    gateways: int
    bound: str
    memory: float
    window: float
    window_files: int
    window_room: float
    memory_limit: float
    queues: dict[str, float]
    disk: float
    series: int
    units: float


def kept_share(sample_percent: float, always_percent: float) -> float:
    """Return the share of traces or log records kept: some always, a percentage of the rest."""
    always = always_percent / 100
    return always + (1 - always) * sample_percent / 100
