"""The formulas: gateways, memory, disk, series and units for a demand, from measured constants.

Pure functions. Units are seconds, bytes and spans; a month has 30 days.
"""

from math import ceil

from stack.capacity.demand import Demand, Need
from stack.capacity.figures import QUEUES, TICK, Measured
from stack.capacity.shipped import Limits
from stack.capacity.window import window_bytes, window_files, window_room

HOUR, MONTH = 3600.0, 30 * 86_400.0
MIN_GATEWAYS = 2  # one can be updated, or fail, while the other takes over
CORES_PER_GATEWAY = 1.0
QUEUE_STEP = 64 * 2**20  # bytes; a batch has up to 40 MB
FILE_STEP = 16 * 2**20  # bytes; a queue's file (bbolt) grows in steps of this size


def need(demand: Demand, measured: Measured, limits: Limits) -> Need:
    cores = cpu_cores(demand.spans_per_second, measured)
    gateways, bound = gateway_count(demand, cores, limits)
    share = 1 / (gateways - 1)
    memory = memory_bytes(demand, measured, limits, share)
    series = series_count(demand, measured, gateways)
    queues = queue_bytes(demand, measured, series, share)
    window = window_bytes(demand, measured, limits, share)
    files = window_files(window, demand, limits)
    return Need(
        cores=cores,
        gateways=gateways,
        bound=bound,
        memory=memory,
        window=window,
        window_files=files,
        window_room=window_room(files, limits),
        memory_limit=memory_limit(memory, window_room(files, limits), limits),
        queues=queues,
        disk=disk_bytes(queues, measured),
        series=series,
        units=logfire_units(demand),
    )


def cpu_cores(spans_per_second: float, measured: Measured) -> float:
    return spans_per_second * measured.cpu_us_per_span / 1e6


def gateway_count(demand: Demand, cores: float, limits: Limits) -> tuple[int, str]:
    """Return the number of gateways and the limit that requires it."""
    undecided = demand.requests_per_second * demand.decision_wait
    required = {
        "one may be down": MIN_GATEWAYS,
        "CPU": ceil(cores / (CORES_PER_GATEWAY * demand.utilisation)),
        "undecided traces": ceil(undecided / (limits.traces * demand.utilisation)),
    }
    bound = max(required, key=lambda name: required[name])
    return required[bound], bound


def memory_bytes(
    demand: Demand, measured: Measured, limits: Limits, share: float, seconds: float = MONTH
) -> float:
    """Return the resident memory of a gateway with `share` of the load.

    That is its base, the spans that wait for a decision, and the decisions cached after `seconds`,
    up to the sizes of the two caches.
    """
    waiting = share * demand.spans_per_second * (demand.decision_wait + TICK)
    decided = share * demand.requests_per_second * seconds
    kept = min(limits.kept_decisions, decided * demand.kept_share)
    dropped = min(limits.dropped_decisions, decided * (1 - demand.kept_share))
    return (
        measured.base_bytes
        + waiting * measured.bytes_per_undecided_span
        + (kept + dropped) * measured.bytes_per_decision
    )


def memory_limit(memory: float, window_room: float, limits: Limits) -> float:
    """Return the limit of a collector's container in bytes.

    Its memory limiter must not refuse data at `memory`, and does not see the window's files.
    """
    return max(memory / limits.memory_share, window_room / limits.memory_left)


def series_count(demand: Demand, measured: Measured, gateways: int) -> int:
    """Return the series in Prometheus; those from kept traces exist once per gateway."""
    sampled = measured.series.process_sampled / measured.series.process
    copies = 1 + sampled * (gateways - 1)
    own = (gateways + demand.nodes) * measured.series.collector
    own += demand.nodes * measured.series.host
    return ceil(demand.processes * demand.series_per_process * copies + own)


def queue_bytes(
    demand: Demand, measured: Measured, series: float, share: float = 1.0
) -> dict[str, float]:
    """Return the size of each queue of a gateway with `share` of the load after the outage."""
    per_second = {
        "traces": demand.spans_per_second * demand.kept_share,
        "logs": demand.requests_per_second * demand.logs_per_request * demand.kept_log_share,
        "metrics": series,
    }
    lasts = demand.outage_hours * HOUR
    return {
        queue: share * lasts * per_second[queue] * measured.queue_bytes[queue] for queue in QUEUES
    }


def queue_limit(found: Need) -> int:
    """Return the value for QUEUE_BYTES, which limits each queue: the largest, rounded up."""
    return stepped(max(found.queues.values()), QUEUE_STEP, QUEUE_STEP)


def disk_bytes(queues: dict[str, float], measured: Measured) -> float:
    """Return the queues' size on disk, including one growth step for each file."""
    return sum(queues.values()) * measured.file_factor + len(queues) * FILE_STEP


def logfire_units(demand: Demand) -> float:
    """Return the records that reach Logfire per month: kept spans and kept log records."""
    spans = demand.kept_share * demand.spans_per_request
    logs = demand.kept_log_share * demand.logs_per_request
    return MONTH * demand.requests_per_second * (spans + logs)


def stepped(value: float, step: int, least: int) -> int:
    """Return a value rounded up to a multiple of `step`, and `least` if it is below that."""
    return max(least, ceil(value / step) * step)
