"""Reads the collector's own metrics, to find out what happened to a signal."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

import httpx
from prometheus_client.parser import text_string_to_metric_families

from stack.clients import http

# For each signal: its data type and the name of its items in the collector's metrics.
NAMES = {
    "trace": ("traces", "spans"),
    "log": ("logs", "log_records"),
    "metric": ("metrics", "metric_points"),
}
Labels = dict[str, str]


@dataclass(frozen=True)
class SelfMetrics:
    """One scrape; empty if the collector did not answer."""

    samples: list[tuple[str, Labels, float]] = field(default_factory=list)

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Self:
        """Scrape the collector on this machine that runs with these variables."""
        return cls.read(f"http://127.0.0.1:{variables['SELF_METRICS_PORT']}/metrics")

    @classmethod
    def read(cls, url: str) -> Self:
        try:
            answer = http.get(url, timeout=3)
        except (httpx.HTTPError, httpx.InvalidURL):
            return cls()
        families = text_string_to_metric_families(answer.text) if answer.is_success else ()
        return cls(
            [
                (sample.name.removesuffix("_total"), sample.labels, sample.value)
                for family in families
                for sample in family.samples
            ]
        )

    def __bool__(self) -> bool:
        return bool(self.samples)

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples that carry these labels."""
        return sum(value for _, value in self.matching(name, labels))

    def matching(self, name: str, labels: Labels) -> Iterator[tuple[Labels, float]]:
        """Yield labels and value of each sample of a metric that carries these labels."""
        for sample, own, value in self.samples:
            if sample == f"otelcol_{name}" and labels.items() <= own.items():
                yield own, value

    def exporters(self, signal: str) -> list[str]:
        """Return the exporters that the loaded route has for a signal.

        An exporter with a queue appears at once, any other with the first item that it sends.
        """
        kind = {"data_type": NAMES[signal][0]}
        found = [
            *self.matching("exporter_queue_capacity", kind),
            *self.matching("exporter_in_flight_requests", kind),
        ]
        if signal == "metric":
            found += self.matching("exporter_prometheusremotewrite_consumers", {})
        return sorted({labels["exporter"] for labels, _ in found})

    def addresses(self, exporter: str) -> list[str]:
        """Return the URLs that an exporter sends to, once it has sent."""
        found: set[str] = set()
        for name, labels, _ in self.samples:
            if not name.startswith("otelcol_exporter_") or labels.get("exporter") != exporter:
                continue
            if "endpoint" in labels:
                found.add(labels["endpoint"])
            elif "server_address" in labels:
                port = labels.get("server_port", "")
                scheme = "https" if port == "443" else "http"
                found.add(f"{scheme}://{labels['server_address']}:{port}")
        return sorted(found)

    def destinations(self, signal: str) -> list[str]:
        """Return the addresses that the signal went to, "host:port"."""
        found = self.matching(f"exporter_sent_{NAMES[signal][1]}", {})
        return sorted(
            f"{labels['server_address']}:{labels.get('server_port', '')}"
            for labels, value in found
            if value and "server_address" in labels
        )
