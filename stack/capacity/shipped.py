"""The limits that the shipped configuration files set."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from otelcol_runner.configs import merged

from stack.pipeline.configs import standalone
from stack.services.collector import config_file
from stack.services.window import PROGRAM

MIB = 2**20
DEFAULT = r"\$\{env:%s:-([^}]+)\}"


@dataclass(frozen=True)
class Limits:
    """The production settings.

    Attributes:
        decision_wait: seconds, the default of TRACE_DECISION_WAIT.
        sample_percent: the default of TRACE_SAMPLE_PERCENT.
        log_sample_percent: the default of LOG_SAMPLE_PERCENT.
        traces: how many undecided traces the sampler holds; above it, the sampler decides early.
        kept_decisions, dropped_decisions: sizes of its decision caches.
        memory_share: share of its memory above which the collector refuses data.
        memory_left: share of its memory that the memory limiter leaves to others.
        window_files: the default of SAMPLING_WINDOW_FILES.
        window_file_bytes: size of each.
        window_margin: seconds that spans stay in the window after the decision wait.
        queue_bytes: the default of QUEUE_BYTES, the size limit of each queue.
    """

    decision_wait: float
    sample_percent: float
    log_sample_percent: float
    traces: int
    kept_decisions: int
    dropped_decisions: int
    memory_share: float
    memory_left: float
    window_files: int
    window_file_bytes: int
    window_margin: float
    queue_bytes: int


def limits() -> Limits:
    config = merged([config_file(name) for name in standalone("production", "hybrid")])
    sampler, limiter = (config["processors"][name] for name in ("tail_sampling", "memory_limiter"))
    caches = sampler["decision_cache"]
    files = config["exporters"]["file/window"]["rotation"]
    return Limits(
        decision_wait=float(default(config, "TRACE_DECISION_WAIT").removesuffix("s")),
        sample_percent=float(default(config, "TRACE_SAMPLE_PERCENT")),
        log_sample_percent=float(default(config, "LOG_SAMPLE_PERCENT")),
        traces=sampler["num_traces"],
        kept_decisions=caches["sampled_cache_size"],
        dropped_decisions=caches["non_sampled_cache_size"],
        memory_share=(limiter["limit_percentage"] - limiter["spike_limit_percentage"]) / 100,
        memory_left=1 - limiter["limit_percentage"] / 100,
        window_files=int(default(config, "SAMPLING_WINDOW_FILES")),
        window_file_bytes=files["max_megabytes"] * MIB,
        window_margin=margin(),
        queue_bytes=int(default(config, "QUEUE_BYTES")),
    )


def default(config: Mapping[str, Any], name: str) -> str:
    """Return the default of a variable: "30s" of `${env:TRACE_DECISION_WAIT:-30s}`."""
    (found,) = set(re.findall(DEFAULT % name, json.dumps(config)))
    return str(found)


def margin() -> float:
    """Return how long the window's program keeps spans after the decision wait, in seconds."""
    (found,) = re.findall(r"^MARGIN = ([\d.]+)", PROGRAM.read_text(), re.MULTILINE)
    return float(found)
