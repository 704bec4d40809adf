"""Long-term stores as processes: VictoriaMetrics alone, behind vmauth, and Thanos.

Each has the flags that docs/long-term.md tells people to set, and keeps what is older than a year.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import yaml
from otelcol_runner.ports import free_port, place
from otelcol_runner.process import Process

from stack.services.health import answers
from stack.tools import toolchain

# As prometheus.yml: a shorter one refuses what the collector's queue delivers after an outage.
OUT_OF_ORDER = "24h"
EVER = "100y"


class VictoriaMetrics(Process):
    """A single-node VictoriaMetrics.

    Args:
        data: a folder for its state.
        flags: further ones, without the dash.
    """

    path = "/api/v1/write"
    tenant_labels: tuple[str, ...] = ()

    def __init__(self, data: Path, **flags: str) -> None:
        port = free_port()
        self.url = self.write_url = f"http://{place(port)}"
        given = {
            "storageDataPath": str(data),
            "httpListenAddr": place(port),
            "retentionPeriod": EVER,
            # Without it, queries do not see the last half minute.
            "search.latencyOffset": "0s",
            # As Prometheus: by default a series that ends is gone after some of its intervals.
            "search.minStalenessInterval": "5m",
            **flags,
        }
        super().__init__(
            "victoria-metrics",
            [toolchain.victoria_metrics(), *(f"-{name}={value}" for name, value in given.items())],
            ready=lambda: answers(f"{self.url}/health"),
        )

    def flush(self) -> None:
        """Make what was just written visible, which takes seconds by itself."""
        httpx.get(f"{self.url}/internal/force_flush").raise_for_status()


class VmAuth(Process):
    """The proxy that checks bearer tokens for VictoriaMetrics."""

    def __init__(self, folder: Path, token: str, store: VictoriaMetrics) -> None:
        port = free_port()
        self.write_url = f"http://{place(port)}"
        users = folder / "users.yaml"
        users.write_text(
            yaml.safe_dump({"users": [{"bearer_token": token, "url_prefix": store.url}]})
        )
        super().__init__(
            "vmauth",
            [toolchain.vmauth(), f"-auth.config={users}", f"-httpListenAddr={place(port)}"],
            ready=lambda: answers(f"{self.write_url}/health"),
        )


class Receive(Process):
    """Thanos receive alone, which takes and keeps what is written.

    Args:
        data: a folder for its state.
        out_of_order: how much older than the newest a sample may be.
    """

    path = "/api/v1/receive"

    def __init__(self, data: Path, out_of_order: str = OUT_OF_ORDER) -> None:
        http, write, grpc = free_port(), free_port(), free_port()
        self.write_url, self.grpc = f"http://{place(write)}", place(grpc)
        health = f"http://{place(http)}/-/ready"
        super().__init__(
            "thanos receive",
            [
                toolchain.thanos(),
                "receive",
                f"--tsdb.path={data}",
                "--tsdb.retention=0d",
                f"--tsdb.out-of-order.time-window={out_of_order}",
                "--tsdb.max-exemplars=100000",
                '--label=receive_replica="0"',
                f"--http-address={place(http)}",
                f"--grpc-address={self.grpc}",
                f"--remote-write.address={place(write)}",
                f"--receive.capnproto-address={place(free_port())}",
            ],
            ready=lambda: answers(health),
        )


class Query(Process):
    """Thanos query, which answers what Prometheus' API asks, from one receive."""

    def __init__(self, receive: Receive) -> None:
        port = free_port()
        self.url = f"http://{place(port)}"
        super().__init__(
            "thanos query",
            [
                toolchain.thanos(),
                "query",
                f"--http-address={place(port)}",
                f"--grpc-address={place(free_port())}",
                f"--endpoint={receive.grpc}",
                "--query.replica-label=receive_replica",
            ],
            ready=lambda: answers(f"{self.url}/-/ready"),
        )


class Thanos:
    """Thanos receive, and a query in front of it."""

    path = Receive.path
    tenant_labels = ("tenant_id",)

    def __init__(self, receive: Receive, query: Query) -> None:
        self.receive, self.query = receive, query
        self.url, self.write_url = query.url, receive.write_url

    def start(self) -> None:
        self.receive.start()

    def stop(self) -> None:
        self.receive.stop()

    def flush(self) -> None:
        """Do nothing: what was taken is visible."""


Store = VictoriaMetrics | Thanos


@contextmanager
def thanos(data: Path, out_of_order: str = OUT_OF_ORDER) -> Iterator[Thanos]:
    """Run both processes of Thanos."""
    with Receive(data, out_of_order) as receive, Query(receive) as query:
        yield Thanos(receive, query)
