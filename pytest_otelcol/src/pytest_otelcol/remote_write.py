"""A test backend that accepts Prometheus remote write, 1.0 and 2.0, and keeps the series."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cramjam
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from pytest_otelcol.matching import expected, fields_of, given
from pytest_otelcol.recorder import Response
from pytest_otelcol.server import RecordingServer
from pytest_otelcol.write_request import (
    V1,
    V2,
    Metadata,
    Sample,
    TimeSeries,
    decode,
    decode_v2,
)

SHOWN = 60  # series that an error message lists


@dataclass
class Series:
    """One series: its labels without `__name__`, and everything received for it."""

    name: str
    labels: dict[str, str]
    samples: list[Sample] = field(default_factory=list)
    exemplars: list[dict[str, str]] = field(default_factory=list)
    histograms: int = 0  # native histogram samples
    metadata: Metadata | None = None  # the newest; remote write 1.0 sends none with a series

    @property
    def newest(self) -> float | None:
        """The newest sample's value; None for a series of native histograms."""
        return self.samples[-1].value if self.samples else None

    @property
    def value(self) -> float:
        """The newest sample's value; raises `IndexError` for a series of native histograms."""
        return self.samples[-1].value

    def __str__(self) -> str:
        labels = ", ".join(f'{name}="{value}"' for name, value in sorted(self.labels.items()))
        value = f"{self.value:g}" if self.samples else f"{self.histograms} histograms"
        return f"{self.name}{{{labels}}} {value}"


class RemoteWriteSink(RecordingServer):
    """Accepts remote write at any path.

    ```python
    with RemoteWriteSink("prometheus") as sink:
        ...  # point prometheus_remote_write at sink.url
        requests = sink.wait_for_series("http_requests_total", {"method": "GET"})
        assert requests.value == 3
    ```
    """

    def __init__(self, name: str = "remote write sink", port: int | None = None) -> None:
        super().__init__(name, port)
        self._series: dict[tuple[tuple[str, str], ...], Series] = {}

    @property
    def names(self) -> set[str]:
        """The names of all series."""
        return {series.name for series in self.series()}

    def series(
        self, name: str | None = None, labels: Mapping[str, str] | None = None
    ) -> list[Series]:
        """Return the series with this name and at least these labels; all by default."""
        wanted = (labels or {}).items()
        with self._lock:
            series_list = list(self._series.values())
        named = (item for item in series_list if name in (None, item.name))
        return [item for item in named if wanted <= item.labels.items()]

    def expect_series(
        self,
        name: str | re.Pattern[str] | None = None,
        labels: Mapping[str, object] | None = None,
        *,
        value: float | None = None,
        timeout: float = 10.0,
        **fields: object,
    ) -> Series:
        """Wait for the series with at least these labels, and return it.

        A text may be a compiled pattern that has to match the whole of it.

        Args:
            name: its name.
            labels: labels that it has, among others.
            value: its newest value.
            timeout: seconds.
            fields: other attributes of `Series`, such as `metadata`.

        Raises:
            NotSeenError: it did not arrive in time; says in what the nearest series differ.
        """
        wanted = given(name=name, labels=labels, newest=value) | fields
        fields_of(Series, wanted.keys() - {"newest"})
        return expected(
            "series",
            self.series,
            wanted,
            source=self.name,
            describe=self.describe,
            timeout=timeout,
        )

    wait_for_series = expect_series  # the name before `expect_...`

    def describe(self) -> str:
        """Return the received series as text."""
        lines = sorted(f"  {item}" for item in self.series() if "le" not in item.labels)
        more = [f"  ... and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        head = f"{self.name} received, in {len(self.requests)} requests (buckets omitted):"
        return "\n".join([head, *(lines[:SHOWN] or ["  no series"]), *more])

    def _decode(self, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        message = message_of(headers.get("content-type", ""))
        if message not in DECODE:
            return 415, {}, b"expected application/x-protobuf of remote write 1.0 or 2.0"
        if headers.get("content-encoding") != "snappy":
            return 415, {}, b"expected content-encoding snappy"
        try:
            plain = self._keep_raw(bytes(cramjam.snappy.decompress_raw(body)))
            decoded = DECODE[message](plain)
        except (DecodeError, cramjam.DecompressionError, IndexError, ValueError) as error:
            return 400, {}, str(error).encode()
        with self._lock:
            for item in decoded:
                self._add(item)
        return 204, written(decoded) if message == V2 else {}, b""

    def _add(self, item: TimeSeries) -> None:
        labels = dict(item.labels)
        name = labels.pop("__name__", "")
        series = self._series.setdefault(tuple(sorted(item.labels)), Series(name, labels))
        series.samples += item.samples
        series.exemplars += item.exemplars
        series.histograms += item.histograms
        series.metadata = item.metadata or series.metadata

    def _forget(self) -> None:
        self._series.clear()


DECODE = {V1: decode, V2: decode_v2}


def message_of(content_type: str) -> str:
    """Return the protobuf message that a content type names: 1.0's where it names none."""
    kind, *parameters = (part.strip() for part in content_type.split(";"))
    if kind != "application/x-protobuf":
        return ""
    named = (part.removeprefix("proto=") for part in parameters if part.startswith("proto="))
    return next(named, V1)


def written(series: Sequence[TimeSeries]) -> dict[str, str]:
    """Return the headers by which a receiver of remote write 2.0 says what it stored."""
    counts = {
        "Samples": sum(len(item.samples) for item in series),
        "Histograms": sum(item.histograms for item in series),
        "Exemplars": sum(len(item.exemplars) for item in series),
    }
    return {f"X-Prometheus-Remote-Write-{kind}-Written": str(n) for kind, n in counts.items()}
