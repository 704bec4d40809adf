"""The compared configurations: the shipped files, parts of them, and the peers.

Each is a dictionary made from the current files, so that their changes are measured.
"""

from copy import deepcopy
from pathlib import Path
from typing import Any

from otelcol_runner.configs import merged, read

from stack.pipeline.configs import standalone
from stack.services.collector import config_file

PEERS = Path(__file__).parent / "peers"
QUEUE = "file_storage/queue"
Config = dict[str, Any]


def shipped(environment: str) -> Config:
    """Return the default route in an environment, as it is shipped."""
    names = standalone(environment, "hybrid", infrastructure=())
    return deepcopy(merged([config_file(name) for name in names]))


def in_memory(config: Config) -> Config:
    """Return the same configuration with its queues in memory."""
    found = deepcopy(config)
    for exporter in found["exporters"].values():
        exporter.get("sending_queue", {}).pop("storage", None)
    found["service"]["extensions"].remove(QUEUE)
    del found["extensions"][QUEUE]
    return found


def peer(name: str) -> Config:
    """Return a file of `bench/collector/peers/`."""
    return read(PEERS / f"{name}.yaml")


def same_jobs() -> Config:
    """Return Logfire's documented configuration with our functions added: one file, no seams.

    Metrics from all spans and their names, exemplars from kept ones, redaction, the memory limit
    and the queues on disk are ours to the letter; filter, sampling and batching are the peer's.
    """
    found, ours = peer("logfire-documented"), shipped("production")
    for section in ("receivers", "processors", "connectors", "exporters", "extensions"):
        found[section] = {**ours[section], **found.get(section, {})}
    measuring = read(config_file("measure"))
    kept = {"forward/spans", "forward/sampled", *measuring["connectors"]}
    for name in ours["connectors"].keys() - kept:
        del found["connectors"][name]
    del (
        found["exporters"]["file/window"],
        found["receivers"]["otlp/window"],
    )  # the peer has no window
    found["exporters"]["otlp_http"] = found["exporters"].pop("otlp_http/logfire")
    found["service"]["extensions"] = ours["service"]["extensions"]
    theirs = ours["service"]["pipelines"]
    scrub, metrics = (theirs[name]["processors"] for name in ("traces/scrub", "metrics/scrub"))
    sampled = measuring["service"]["pipelines"]["traces/measure_sampled"]
    found["service"]["pipelines"] = {
        "traces/receive": theirs["traces/receive"],
        **measuring["service"]["pipelines"],
        "traces/measure_sampled": sampled | {"receivers": ["forward/sampled"]},
        "traces": {
            "receivers": ["forward/spans"],
            "processors": ["filter/noise", "tail_sampling", *scrub, "batch"],
            "exporters": ["otlp_http", "forward/sampled"],
        },
        "metrics": {
            **theirs["metrics/receive"],
            "processors": [*theirs["metrics/receive"]["processors"], *metrics],
            "exporters": ["otlp_grpc/metrics_buffer"],
        },
        "metrics/prometheus": theirs["metrics/prometheus"],
    }
    return found


def ladder() -> dict[str, Config]:
    """Return production with one stage more each time, up to the shipped configuration."""
    steps: dict[str, Config] = {}
    full = shipped("production")
    steps["queues on disk"] = full
    steps["redaction"] = now = in_memory(full)
    steps["exemplars"] = now = _without_scrub(now)
    steps["metrics from spans"] = now = _without_exemplars(now)
    steps["weights"] = now = _without_metrics(now)
    steps["receive, sample, batch, send"] = _without_weights(now)
    return dict(reversed(steps.items()))


def _without_scrub(config: Config) -> Config:
    found = deepcopy(config)
    scrub = found["service"]["pipelines"]["traces/scrub"].pop("processors")
    scrub.append("transform/expose_shared")
    for pipeline in found["service"]["pipelines"].values():
        kept = [name for name in pipeline.get("processors", []) if name not in scrub]
        pipeline["processors"] = kept
    return found


def _without_exemplars(config: Config) -> Config:
    found = deepcopy(config)
    del found["service"]["pipelines"]["traces/measure_sampled"]
    found["service"]["pipelines"]["metrics/receive"]["receivers"].remove("span_metrics/sampled")
    return found


def _without_metrics(config: Config) -> Config:
    found = deepcopy(config)
    pipelines = found["service"]["pipelines"]
    for name in read(config_file("measure"))["service"]["pipelines"]:
        pipelines.pop(name, None)
    pipelines["traces/receive"]["exporters"].remove("forward/all")
    pipelines["metrics/receive"]["receivers"] = ["otlp"]
    return found


def _without_weights(config: Config) -> Config:
    found = deepcopy(config)
    found["service"]["pipelines"]["traces/keep"]["processors"].remove("transform/adjusted_count")
    return found
