"""What is asked of the pipeline, and what that needs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Demand:
    """What the pipeline shall take.

    Attributes:
        requests_per_second: of all services together; each is one trace.
        outage_hours: how long both backends may be away.
        sample_percent: of the traces without an error and fast enough, how many are kept.
        always_percent: of all traces, those with an error or a slow request, which are all kept.
        spans_per_request, logs_per_request: what one request makes.
        processes: of services, which report metrics.
        series_per_process: what each of them makes in Prometheus.
        decision_wait: seconds that the sampler waits.
        utilisation: share of a gateway's core and of its limit of traces that shall be used.
    """

    requests_per_second: float
    outage_hours: float
    sample_percent: float
    always_percent: float
    spans_per_request: float
    logs_per_request: float
    processes: int
    series_per_process: float
    decision_wait: float
    utilisation: float

    @property
    def spans_per_second(self) -> float:
        """All spans, before sampling."""
        return self.requests_per_second * self.spans_per_request

    @property
    def kept_share(self) -> float:
        """The share of traces that is kept."""
        return kept_share(self.sample_percent, self.always_percent)


@dataclass(frozen=True)
class Need:
    """What a demand needs. Of a gateway: with one of them missing, when the others take its share.

    Attributes:
        cores: of all gateways together, busy.
        gateways: how many, and `bound`, what asks for so many.
        memory: bytes resident in a gateway.
        memory_limit: bytes it has to be given, so that its memory limiter never refuses.
        queues: bytes that wait in a gateway after the outage, by queue.
        disk: bytes of a gateway's volume.
        series: in Prometheus, of the services and the gateways themselves.
        units: records that Logfire bills in a month.
    """

    cores: float
    gateways: int
    bound: str
    memory: float
    memory_limit: float
    queues: dict[str, float]
    disk: float
    series: int
    units: float


def kept_share(sample_percent: float, always_percent: float) -> float:
    """Return the share of traces that the sampler keeps: some always, a percentage of the rest."""
    always = always_percent / 100
    return always + (1 - always) * sample_percent / 100
