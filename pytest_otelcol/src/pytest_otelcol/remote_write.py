"""A test backend that accepts Prometheus remote write 1.0 and keeps the series."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import cramjam
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from pytest_otelcol.server import RecordingServer
from pytest_otelcol.write_request import Sample, TimeSeries, decode

SHOWN = 60  # series that an error message lists


@dataclass
class Series:
    """One series: its labels without `__name__`, and everything received for it."""

    name: str
    labels: dict[str, str]
    samples: list[Sample] = field(default_factory=list)
    exemplars: list[dict[str, str]] = field(default_factory=list)
    histograms: int = 0  # native histogram samples

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

    def wait_for_series(
        self,
        name: str,
        labels: Mapping[str, str] | None = None,
        *,
        value: float | None = None,
        timeout: float = 10.0,
    ) -> Series:
        """Wait for the series and, if given, for `value` as its newest value; return the series.

        Raises:
            NotSeenError: it did not arrive within `timeout` seconds; lists what did.
        """

        def check(_: RemoteWriteSink) -> Series | None:
            found = self.series(name, labels)
            return next((item for item in found if value is None or item.value == value), None)

        what = f"series {name}{dict(labels or {})}" + ("" if value is None else f" = {value:g}")
        return self.wait_for(check, what, timeout=timeout)

    def describe(self) -> str:
        """Return the received series as text."""
        lines = sorted(f"  {item}" for item in self.series() if "le" not in item.labels)
        more = [f"  ... and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        head = f"{self.name} received, in {len(self.requests)} requests (buckets omitted):"
        return "\n".join([head, *(lines[:SHOWN] or ["  no series"]), *more])

    def _decode(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        if headers.get("content-encoding") != "snappy":
            return 415, b"expected content-encoding snappy"
        try:
            decoded = decode(self._keep_raw(bytes(cramjam.snappy.decompress_raw(body))))
        except (DecodeError, cramjam.DecompressionError) as error:
            return 400, str(error).encode()
        with self._lock:
            for item in decoded:
                self._add(item)
        return 204, b""

    def _add(self, item: TimeSeries) -> None:
        labels = dict(item.labels)
        name = labels.pop("__name__", "")
        series = self._series.setdefault(tuple(sorted(item.labels)), Series(name, labels))
        series.samples += item.samples
        series.exemplars += item.exemplars
        series.histograms += item.histograms

    def _forget(self) -> None:
        self._series.clear()
