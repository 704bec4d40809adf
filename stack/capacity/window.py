"""The sampling window: files in memory, with a second copy of what waits for the sampler.

docs/sampling-window.md has the rules. Units are seconds, bytes and spans.
"""

from math import ceil

from stack.capacity.demand import Demand
from stack.capacity.figures import Measured
from stack.capacity.shipped import Limits

LEAST_FILES = 16  # as in compose; a collector's largest batches are two files long
SPARE_FILES = 2  # that the volume needs room for: `window.py check` refuses a smaller one


def window_bytes(demand: Demand, measured: Measured, limits: Limits, share: float) -> float:
    """Return what the window of a gateway with `share` of the load holds.

    Every span stays for the decision wait and a margin; those that are kept are written twice.
    Agents send each trace with a resource of its own, as it is in the queue.
    """
    written = share * demand.spans_per_second * (1 + demand.kept_share)
    stays = demand.decision_wait + limits.window_margin
    alone = measured.bytes_per_window_span
    size = max(alone, measured.queue_bytes["traces"]) if demand.nodes else alone
    return written * stays * size


def window_files(held: float, demand: Demand, limits: Limits) -> int:
    """Return SAMPLING_WINDOW_FILES, of which `held` bytes use the target share."""
    return max(LEAST_FILES, ceil(held / demand.utilisation / limits.window_file_bytes))


def window_room(files: int, limits: Limits) -> float:
    """Return the size of the window's volume."""
    return float((files + SPARE_FILES) * limits.window_file_bytes)
