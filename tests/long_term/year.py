"""A year of what the Trends dashboard reads, made up in the shape in which the demo records it.

`python -m tests.long_term.year` imports it into VictoriaMetrics, a sample a minute as the rules
record it, and prints what it takes on disk there, and as blocks of Prometheus, as Thanos has too.
"""

import json
import math
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from otelcol_runner.polling import poll_until

from stack.tools import toolchain
from tests.long_term.stores import VictoriaMetrics
from tests.long_term.writing import NAME
from tests.support.promtool import promtool

A_MINUTE, A_DAY, DAYS = 60, 86_400, 365
A_MONTH = 30 * A_DAY
Labels = dict[str, str]


def daily(mean: float) -> Callable[[float], float]:
    """Return a rate that follows the day, grows by a half in a year, and is never quite steady."""
    drawn = random.Random(mean)

    def at(day: float) -> float:
        growth = mean * (1 + day / DAYS / 2)
        return growth * (1 + 0.6 * math.sin(2 * math.pi * day)) * drawn.uniform(0.97, 1.03)

    return at


def growing(start: float, a_day: float) -> Callable[[float], float]:
    """Return a size in bytes, of whole pages."""
    return lambda day: float(int((start + a_day * day) / 8192) * 8192)


# As recorded at the demo: a job each of the service, its worker and the collector.
SERIES: list[tuple[Labels, Callable[[float], float]]] = [
    ({NAME: "job:agentical_requests:rate1h", "job": "agentical-api"}, daily(20)),
    ({NAME: "job:agentical_agent_tasks:rate1h", "job": "agentical-worker"}, daily(5)),
    ({NAME: "job:otelcol_accepted_spans:rate1h", "job": "collector"}, daily(300)),
    ({NAME: "job:otelcol_cpu_seconds:rate1h", "job": "collector"}, daily(0.01)),
    *(
        (
            {
                NAME: "job_instance_database:postgresql_size_bytes:max1h",
                "job": "postgresql",
                "instance": "localhost:5432",
                "database": database,
            },
            growing(8e6, 1e8 if database == "agentical" else 0),
        )
        for database in ("agentical", "postgres")
    ),
    (
        {
            NAME: "job_instance:redis_memory_bytes:max1h",
            "job": "redis",
            "instance": "localhost:6379",
        },
        daily(5e6),
    ),
    (
        {
            NAME: "job_instance_mountpoint:system_filesystem_free_bytes:min1h",
            "job": "host",
            "instance": "host",
            "mountpoint": "/",
        },
        growing(1e12, -1.5e8),
    ),
    (
        {
            NAME: "job_instance:postgresql_connections_used:ratio_max1h",
            "job": "postgresql",
            "instance": "localhost:5432",
        },
        lambda day: (5 + int(3 * math.sin(2 * math.pi * day))) / 100,
    ),
]


@dataclass(frozen=True)
class Month:
    """Some weeks of a series."""

    labels: Labels
    times: list[int]  # seconds since 1970
    values: list[float]


def months(end: int, step: int) -> Iterator[Month]:
    """Yield a year that ends at a time, in parts."""
    begin = end - DAYS * A_DAY
    for labels, value in SERIES:
        for start in range(begin, end, A_MONTH):
            times = list(range(start, min(start + A_MONTH, end), step))
            yield Month(labels, times, [value((at - begin) / A_DAY) for at in times])


def fill(store: VictoriaMetrics, end: int, step: int) -> int:
    """Import a year; returns how many samples it has."""
    count = 0
    with httpx.Client(base_url=store.url, timeout=120) as client:
        for month in months(end, step):
            line = {
                "metric": month.labels,
                "timestamps": [at * 1000 for at in month.times],
                "values": month.values,
            }
            client.post("/api/v1/import", content=json.dumps(line)).raise_for_status()
            count += len(month.times)
        client.get("/internal/force_flush").raise_for_status()
    return count


def size_in(store: VictoriaMetrics, samples: int) -> dict[str, float]:
    """Return the bytes on disk, of data and index, once all is merged."""
    with httpx.Client(base_url=store.url, timeout=120) as client:
        client.get("/internal/force_merge").raise_for_status()

        def merged() -> dict[str, float] | None:
            read = dict(line.rsplit(" ", 1) for line in metrics_of(client))
            rows = sum(float(read[f'vm_rows{{type="storage/{kind}"}}']) for kind in KINDS)
            busy = float(read["vm_active_force_merges"])
            sizes = {kind: float(read[f'vm_data_size_bytes{{type="{kind}"}}']) for kind in PARTS}
            return sizes if rows == samples and not busy else None

        return poll_until(merged, "all of them merged", timeout=120)


KINDS = ("inmemory", "small", "big")
PARTS = ("storage/inmemory", "storage/small", "storage/big", "indexdb/file")


def metrics_of(client: httpx.Client) -> Iterator[str]:
    lines = client.get("/metrics").text.splitlines()
    return (line for line in lines if " " in line and not line.startswith("#"))


def size_as_blocks(folder: Path, end: int, step: int) -> int:
    """Return the bytes of the blocks that promtool makes of the same samples."""
    text, blocks = folder / "year.txt", folder / "blocks"
    with text.open("w") as lines:
        for month in months(end, step):
            name = month.labels[NAME]
            inner = ",".join(f'{k}="{v}"' for k, v in month.labels.items() if k != NAME)
            lines.writelines(
                f"{name}{{{inner}}} {value!r} {at}\n"
                for at, value in zip(month.times, month.values, strict=True)
            )
        lines.write("# EOF\n")
    longest = "--max-block-duration=744h"  # as Prometheus compacts them by itself, with time
    made = promtool("tsdb", "create-blocks-from", longest, "openmetrics", text, blocks)
    assert made.returncode == 0, made.stderr
    return sum(path.stat().st_size for path in blocks.rglob("*") if path.is_file())


def main() -> None:
    """Measure both, and print it."""
    toolchain.promtool()
    end = int(time.time()) // A_DAY * A_DAY
    with tempfile.TemporaryDirectory(prefix="year-") as folder:
        with VictoriaMetrics(Path(folder, "data")) as store:
            begun = time.monotonic()
            samples = fill(store, end, A_MINUTE)
            took = time.monotonic() - begun
            sizes = size_in(store, samples)
        say(f"{samples:,} samples of {len(SERIES)} series, imported in {took:.0f} s")
        per_series = len(SERIES)
        for name, size in [*sizes.items(), ("blocks", size_as_blocks(Path(folder), end, A_MINUTE))]:
            say(
                f"{name}: {size:,.0f} bytes, {size / per_series:,.0f} a series and year, "
                f"{size / samples:.3f} a sample"
            )


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
