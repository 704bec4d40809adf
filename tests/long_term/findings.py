"""The comparison of both stores with Prometheus: the same bytes written, the same queries asked."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from otelcol_runner.ports import free_port

from stack.services.prometheus import Prometheus
from tests.long_term.asked import Query, queries
from tests.long_term.comparing import EMPTY, SAME, Asked, verdict
from tests.long_term.data import metrics_of, requests, waves
from tests.long_term.stores import Store, VictoriaMetrics, thanos
from tests.long_term.writing import post

PROMETHEUS, UNFLAGGED = "Prometheus", "VictoriaMetrics without the flag"
NAMES = ("VictoriaMetrics", "Thanos", UNFLAGGED)
NO_FLAG = {"search.minStalenessInterval": "0s"}
# Without rules: what they write now would make everything of the past too old.
NO_RULES = "storage: {tsdb: {out_of_order_time_window: 24h}}\n"
Verdicts = dict[str, str]


@dataclass(frozen=True)
class Findings:
    """What was compared.

    Attributes:
        panels: how many queries of panels.
        rules: how many expressions of rules.
        empty: the queries for which Prometheus and the stores have no data.
        differ: by store, in what its answer to each query differs, if it does.
    """

    panels: int
    rules: int
    empty: list[str]
    differ: dict[str, Verdicts]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@contextmanager
def filled(folder: Path) -> Iterator[dict[str, Asked]]:
    """Run Prometheus and the stores with the same data, by name."""
    config = folder / "prometheus.yml"
    config.write_text(NO_RULES)
    with ExitStack() as stack:
        prometheus = stack.enter_context(
            Prometheus(free_port(), folder / "prometheus", config=config)
        )
        stores: dict[str, Store] = {
            "VictoriaMetrics": stack.enter_context(VictoriaMetrics(folder / "victoria-metrics")),
            "Thanos": stack.enter_context(thanos(folder / "thanos")),
            UNFLAGGED: stack.enter_context(VictoriaMetrics(folder / "unflagged", **NO_FLAG)),
        }
        fill(prometheus, list(stores.values()))
        servers = {PROMETHEUS: prometheus, **stores}
        yield {
            name: Asked(
                stack.enter_context(httpx.Client(base_url=server.url, timeout=60)),
                getattr(server, "tenant_labels", ()),
            )
            for name, server in servers.items()
        }


def fill(prometheus: Prometheus, stores: list[Store]) -> None:
    """Write everything to all."""
    urls = [prometheus.remote_write_endpoint, *(store.write_url + store.path for store in stores)]
    series = waves(metrics_of(queries(), prometheus.url))
    with httpx.Client(timeout=60) as client, ExitStack() as stack:
        # A thread each: a store gets them in order, while the next are made.
        pools = {url: stack.enter_context(ThreadPoolExecutor(1)) for url in urls}
        written = [
            pool.submit(post, client, url, body)
            for body in requests(series)
            for url, pool in pools.items()
        ]
        for one in written:
            one.result()
    for store in stores:
        store.flush()


def compared(servers: dict[str, Asked]) -> Findings:
    """Ask every query of all."""
    asked = queries()
    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(lambda query: verdicts_on(query, servers), asked))
    found = dict(zip((query.key for query in asked), verdicts, strict=True))
    rules = sum(query.place.endswith(".yml") for query in asked)
    return Findings(
        panels=len(asked) - rules,
        rules=rules,
        empty=[key for key, each in found.items() if set(each.values()) == {EMPTY}],
        differ={
            name: {
                key: each[name] for key, each in found.items() if each[name] not in {SAME, EMPTY}
            }
            for name in NAMES
        },
    )


def verdicts_on(query: Query, servers: dict[str, Asked]) -> Verdicts:
    expected = servers[PROMETHEUS].answer(query)
    return {name: verdict(servers[name], query, expected) for name in NAMES}
