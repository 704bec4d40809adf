"""What to set in the objects of `deploy/kubernetes/` for a demand: whole numbers, rounded up.

Memory is in MiB, volumes in GiB, CPU in thousandths of a core, QUEUE_BYTES in bytes.
"""

from dataclasses import dataclass
from math import ceil

from stack.capacity.demand import Demand, Need
from stack.capacity.figures import QUEUES, TICK, Measured
from stack.capacity.model import (
    QUEUE_STEP,
    cpu_cores,
    disk_bytes,
    memory_limit,
    queue_limit,
    stepped,
)
from stack.capacity.shipped import MIB, Limits

GIB = 2**30
MEMORY_STEP, CPU_STEP = 64, 50  # MiB, and thousandths of a core
LEAST_CPU, LEAST_REQUEST = 100, 256  # of any collector
# As in the manifests: limits reserve nothing, and the figures have no bursts of many senders.
GATEWAY_LIMIT, AGENT_LIMIT = 3072, 512  # MiB
AGENT_SECONDS = 600.0  # that an agent holds its node's telemetry while no gateway accepts it
AGENT_QUEUE = 512 * MIB  # at least, as shipped
FILE_SYSTEM = 1.05  # what a volume's file system keeps for itself
# Of each span that window.py knows at a replay: 122 to 149 measured; those kept are there twice.
BYTES_PER_KEY = 200.0
PROGRAM_BASE, LEAST_PROGRAM = 128 * MIB, 512  # bytes: itself and a file; MiB: as shipped


@dataclass(frozen=True)
class Collector:
    """The container `collector` of a gateway or of an agent.

    Attributes:
        cpu: request, thousandths of a core.
        request, limit: memory, MiB.
        queue_bytes: QUEUE_BYTES, of each of the three queues.
        volume: GiB, for all three when they are full.
    """

    cpu: int
    request: int
    limit: int
    queue_bytes: int
    volume: int


@dataclass(frozen=True)
class Sizes:
    """What to set.

    Attributes:
        replicas: of the gateways.
        gateway, agent: their collectors.
        window_files: SAMPLING_WINDOW_FILES.
        window_volume: MiB, in memory.
        window_program: memory limit of the container `window`, MiB.
        queue_factor: bytes of a volume per byte of QUEUE_BYTES, for all three queues.
    """

    replicas: int
    gateway: Collector
    agent: Collector
    window_files: int
    window_volume: int
    window_program: int
    queue_factor: float


def sizes(demand: Demand, found: Need, measured: Measured, limits: Limits) -> Sizes:
    """Return what to set; `demand.nodes` is at least 1."""
    return Sizes(
        replicas=found.gateways,
        gateway=gateway(demand, found, measured),
        agent=agent(demand, found, measured, limits),
        window_files=found.window_files,
        window_volume=ceil(found.window_room / MIB),
        window_program=program(found, measured),
        queue_factor=len(QUEUES) * measured.file_factor * FILE_SYSTEM,
    )


def gateway(demand: Demand, found: Need, measured: Measured) -> Collector:
    busy = found.cores / min(found.gateways * demand.utilisation, found.gateways - 1)
    queue_bytes = queue_limit(found)
    return Collector(
        cpu=stepped(busy * 1000, CPU_STEP, LEAST_CPU),
        request=stepped((found.memory + found.window) / MIB, MEMORY_STEP, LEAST_REQUEST),
        limit=stepped(found.memory_limit / MIB, MEMORY_STEP, GATEWAY_LIMIT),
        queue_bytes=queue_bytes,
        volume=volume(queue_bytes, measured),
    )


def agent(demand: Demand, found: Need, measured: Measured, limits: Limits) -> Collector:
    """Return the collector of an agent, whose node sends an equal share.

    It has no sampler, which the figures were measured with: they are an upper bound.
    """
    spans = demand.spans_per_second / demand.nodes / demand.utilisation
    memory = measured.base_bytes + spans * TICK * measured.bytes_per_undecided_span
    per_second = {
        "traces": demand.spans_per_second,
        "logs": demand.requests_per_second * demand.logs_per_request,
        "metrics": found.series,
    }
    share = AGENT_SECONDS / demand.nodes / demand.utilisation
    queued = max(share * per_second[queue] * measured.queue_bytes[queue] for queue in QUEUES)
    queue_bytes = stepped(queued, QUEUE_STEP, AGENT_QUEUE)
    return Collector(
        cpu=stepped(cpu_cores(spans, measured) * 1000, CPU_STEP, LEAST_CPU),
        request=stepped(memory / MIB, MEMORY_STEP, LEAST_REQUEST),
        limit=stepped(memory_limit(memory, 0.0, limits) / MIB, MEMORY_STEP, AGENT_LIMIT),
        queue_bytes=queue_bytes,
        volume=volume(queue_bytes, measured),
    )


def volume(queue_bytes: int, measured: Measured) -> int:
    """Return the GiB that three full queues need on a file system."""
    files = disk_bytes(dict.fromkeys(QUEUES, float(queue_bytes)), measured)
    return ceil(files * FILE_SYSTEM / GIB)


def program(found: Need, measured: Measured) -> int:
    """Return the memory limit of `window.py` in MiB: at a replay it knows each span's key."""
    keys = found.window_room / measured.bytes_per_window_span
    return stepped((PROGRAM_BASE + keys * BYTES_PER_KEY) / MIB, MEMORY_STEP, LEAST_PROGRAM)
