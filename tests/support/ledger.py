"""The loss ledger in a Prometheus, and the assertion that it balances."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port

from stack.paths import PROMETHEUS
from stack.services.prometheus import Prometheus

RULES = PROMETHEUS / "rules" / "ledger.yml"
TERMS = ("received", "delivered", "waiting", "sampled_out", "unaccounted")
ITEMS = {"spans": "traces", "logs": "logs"}  # what is counted, and its signal
LOGFIRE = "otlp_http/logfire"
Hop = tuple[str, str]  # signal, and "stages" or an exporter


@dataclass
class Line:
    """One hop of one signal, in items."""

    received: float = 0
    delivered: float = 0
    waiting: float = 0
    sampled_out: float = 0
    unaccounted: float = 0
    dropped: dict[str, float] = field(default_factory=dict)  # by reason, those above zero

    @property
    def rest(self) -> float:
        """What the other terms leave, computed independently of `unaccounted`."""
        out = self.delivered + self.waiting + self.sampled_out + sum(self.dropped.values())
        return self.received - out


def quick_rules(folder: Path) -> Path:
    """Return the shipped prometheus.yml, but with rules evaluated four times a second."""
    text = (PROMETHEUS / "prometheus.yml").read_text()
    quick = text.replace("evaluation_interval: 15s", "evaluation_interval: 250ms")
    quick = quick.replace("  - rules/", f"  - {PROMETHEUS}/rules/")
    assert (text.count("evaluation_interval: 15s"), text.count("  - rules/")) == (1, 2)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "prometheus.yml"
    path.write_text(quick)
    return path


def ledger_prometheus(folder: Path) -> Prometheus:
    """Return a Prometheus with the shipped rules, evaluated often, its state in `folder`."""
    return Prometheus(free_port(), folder / "data", config=quick_rules(folder))


def read(url: str) -> dict[Hop, Line]:
    """Return the ledger that a Prometheus has; raises `AssertionError` when it does not answer."""
    query = '{__name__=~"signal_hop(_reason)?:ledger_.+"}'
    try:
        answer = httpx.get(f"{url}/api/v1/query", params={"query": query}, timeout=5)
    except httpx.HTTPError as error:
        raise AssertionError(f"Prometheus was not reached: {error}") from None
    lines: dict[Hop, Line] = {}
    for series in answer.raise_for_status().json()["data"]["result"]:
        labels, value = series["metric"], float(series["value"][1])
        line = lines.setdefault((labels["signal"], labels["hop"]), Line())
        term = labels["__name__"].split(":")[1].removeprefix("ledger_")
        if term in TERMS:
            setattr(line, term, value)
        elif value:
            line.dropped[labels["reason"]] = value
    return lines


def assert_balanced(
    url: str,
    accepted: Mapping[str, int],
    lost: Mapping[str, int] | None = None,
    *,
    unaccounted: float = 0,
    beside: Mapping[Hop, float] | None = None,
    timeout: float = 40.0,
    feed: Callable[[], None] = lambda: None,
) -> dict[Hop, Line]:
    """Wait until every hop of spans and logs balances with nothing waiting; returns the ledger.

    Args:
        url: a Prometheus with the ledger's rules, best with `quick_rules`.
        accepted: what the collector acknowledged: {"spans": 1200, "logs": 1200}.
        lost: of that, what did not reach Logfire: sampled out, or dropped with a reason.
        unaccounted: how much may be unaccounted for at a hop, either way (what a `kill -9` hides).
        beside: the expected remainder at a hop: below zero for what was sent twice.
        timeout: seconds; a killed process counts as gone 15 s after its last report.
        feed: called before each query, to send that Prometheus what it does not receive itself.

    Raises:
        NotSeenError: it did not balance; shows the ledger.
    """

    def balanced() -> dict[Hop, Line] | None:
        feed()
        lines = read(url)
        found = {hop: line for hop, line in lines.items() if hop[0] in ITEMS.values()}
        for what, count in accepted.items():
            stages = lines.get((ITEMS[what], "stages"), Line())
            assert abs(stages.received - count) <= unaccounted, f"{count} {what}: {stages}"
        for what, count in (lost or {}).items():
            ways = [lines.get((ITEMS[what], hop), Line()) for hop in ("stages", LOGFIRE)]
            counted = sum(line.sampled_out + sum(line.dropped.values()) for line in ways)
            assert abs(counted - count) <= unaccounted, f"{count} {what} lost: {ways}"
        for hop, line in found.items():
            assert not line.waiting, f"{hop}: {line}"
            over = (beside or {}).get(hop, 0)
            rests = (line.rest - over, line.unaccounted - over)
            assert max(map(abs, rests)) <= unaccounted, f"{hop}: {line}"
        return lines

    return poll_until(balanced, "a ledger that balances", timeout=timeout, interval=0.2)
