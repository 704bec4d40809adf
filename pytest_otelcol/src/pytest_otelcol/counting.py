"""Counts what went through pipelines and components, from collectors' own metrics."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from otelcol_runner.configs import read

from pytest_otelcol.decoding import mapping_of

KINDS = ("pipeline", "receiver", "processor", "connector", "exporter")

Row = tuple[str, str, str]  # file, kind, name


@dataclass(frozen=True, order=True)
class Flow:
    """Where items were counted; `pipeline` is empty where a component has no single one."""

    kind: str
    name: str
    direction: str  # "produced" or "consumed"
    signal: str
    pipeline: str


def flows_of(message: ExportMetricsServiceRequest) -> dict[tuple[str, Flow, str], int]:
    """Return the counts of a collector's own metrics: by instance, flow and what else differs."""
    found = {}
    for group in message.resource_metrics:
        instance = str(mapping_of(group.resource.attributes).get("service.instance.id"))
        for scope in group.scope_metrics:
            component = mapping_of(scope.scope.attributes)
            for metric in scope.metrics:
                match metric.name.split("."):
                    case ["otelcol", kind, "consumed" | "produced" as direction, "items"]:
                        for point in metric.sum.data_points:
                            attributes = {**component, **mapping_of(point.attributes)}
                            flow, rest = _flow(kind, direction, attributes)
                            found[instance, flow, rest] = point.as_int
    return found


def _flow(kind: str, direction: str, attributes: Mapping[str, object]) -> tuple[Flow, str]:
    known = ("component.id", "signal", "pipeline.id")
    name, signal, pipeline = (str(attributes.get(f"otelcol.{key}", "")) for key in known)
    rest = [attributes.get(f"otelcol.{key}") for key in ("component.outcome", "signal.output")]
    return Flow(kind, name, direction, signal, pipeline), str(rest)


def components(flows: Mapping[Flow, int]) -> dict[tuple[str, str], int]:
    """Return the items of each component: those a receiver produced, or another consumed."""
    total: Counter[tuple[str, str]] = Counter()
    for flow, items in flows.items():
        if flow.direction == ("produced" if flow.kind == "receiver" else "consumed"):
            total[flow.kind, flow.name] += items
    return dict(total)


def pipelines(config: Mapping[str, Any], flows: Mapping[Flow, int]) -> dict[tuple[str, str], int]:
    """Return the items that entered each pipeline, from its receivers and connectors.

    A receiver hands each item to all its pipelines of the signal, a connector may choose.
    """
    connectors = at(config, "connectors")
    total: dict[tuple[str, str], int] = {}
    for name, pipeline in at(config, "service", "pipelines").items():
        signal = name.split("/")[0]
        entered = 0
        for source in (pipeline or {}).get("receivers") or ():
            kind = "connector" if source in connectors else "receiver"
            for flow, items in flows.items():
                if (flow.kind, flow.name, flow.direction) == (kind, source, "produced"):
                    here = flow.pipeline == name if kind == "connector" else flow.signal == signal
                    entered += items if here else 0
        total["pipeline", name] = entered
    return total


def declared(configs: Sequence[Path]) -> dict[tuple[str, str], Path]:
    """Return, for each pipeline and component, the last of the files that sets it."""
    found: dict[tuple[str, str], Path] = {}
    for path in configs:
        document = read(path)
        sections = {kind: at(document, f"{kind}s") for kind in KINDS[1:]}
        sections["pipeline"] = at(document, "service", "pipelines")
        for kind, section in sections.items():
            found |= {(kind, name): path.resolve() for name in section}
    return found


def table(items: Mapping[Row, int]) -> list[str]:
    """Return the lines of the table: file, kind, name, and how many items or "none"."""
    if not items:
        return ["no collector was run with a file of this project"]
    ordered = sorted(items, key=lambda row: (row[0], KINDS.index(row[1]), row[2]))
    cells = [("file", "kind", "name", "items")]
    cells += [(*row, str(items[row] or "none")) for row in ordered]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line[:3], widths[:3], strict=True))
        + "  "
        + line[3].rjust(widths[3])
        for line in cells
    ]
    missed = sum(not count for count in items.values())
    return [*lines, "", f"nothing was sent through {missed} of {len(items)}"]


def combined(parts: Iterable[Mapping[Row, int]]) -> dict[Row, int]:
    """Return the sum of what several processes collected."""
    total: Counter[Row] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)


def at(config: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """Return the mapping at these keys; an empty one where it is missing or null."""
    found: dict[str, Any] = dict(config)
    for key in keys:
        found = found.get(key) or {}
    return found
