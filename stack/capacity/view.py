"""What a person sees of a demand and its need: a table, the remarks, or JSON."""

import json
import sys
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from stack.capacity import prices
from stack.capacity.demand import Demand, Need
from stack.capacity.figures import Measured
from stack.capacity.model import AT_LEAST, CORES
from stack.capacity.shipped import Limits

WIDTH = 160  # of a table that is piped
MIB, GIB = 2.0**20, 2.0**30


def show(demand: Demand, found: Need, limits: Limits, measured: Measured) -> None:
    """Print the table, and what it rests on."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    console.print(as_table(demand, found))
    for line in remarks(found, limits, measured):
        console.print(line, soft_wrap=True)


def as_table(demand: Demand, found: Need) -> Table:
    """Return what is needed, a line each."""
    table = Table("what", "how much", "of which")
    for line in rows(demand, found):
        table.add_row(*line)
    return table


def rows(demand: Demand, found: Need) -> list[tuple[str, str, str]]:
    """Return the lines of the table."""
    least = f"at least {AT_LEAST}, so that one may be missing"
    fed = f"{demand.spans_per_second:,.0f} spans/s; {_busy(found):.0%} of each gateway's core"
    waits = ", ".join(f"{name} {_bytes(size)}" for name, size in found.queues.items())
    left = f"beyond the first {prices.INCLUDED / 1e6:g} M, without the plan's own fee"
    return [
        ("gateways", f"{found.gateways}", least if found.gateways == AT_LEAST else found.bound),
        ("CPU, all together", f"{found.cores:.2f} cores", fed),
        ("memory of a gateway", _bytes(found.memory), f"spans of {demand.decision_wait:g} s"),
        ("its limit", _bytes(found.memory_limit), "the collector refuses before it is full"),
        ("disk of a gateway", _bytes(found.disk), f"{demand.outage_hours:g} h: {waits}"),
        ("QUEUE_BYTES", f"{largest(found):.0f}", "the largest queue, rounded up to 64 MiB"),
        ("series in Prometheus", f"{found.series:,}", f"{demand.processes} processes, gateways"),
        ("Logfire, a month", f"{found.units / 1e6:,.1f} M units",
         f"{demand.kept_share:.1%} of the spans, every log record"),
        ("its price, a month", f"{prices.month_usd(found.units):,.2f} USD", left),
    ]  # fmt: skip


def largest(found: Need) -> float:
    """Return what QUEUE_BYTES has to be: it limits each queue."""
    step = 64 * MIB
    return -(-max(found.queues.values()) // step) * step


def remarks(found: Need, limits: Limits, measured: Measured) -> list[str]:
    """Return what has to be set, and where the figures come from."""
    wanted, given = largest(found), _bytes(limits.queue_bytes)
    full = f"Set QUEUE_BYTES={wanted:.0f} at the gateways: the default ({given}) would overflow."
    share = f"Memory and disk are a gateway's while one of the {found.gateways} is missing."
    basis = f"Measured on traces of {measured.spans_per_trace:g} spans: docs/generated/capacity.md."
    listed = f"Prices: {prices.SOURCE}, read on {prices.READ_ON}."
    return [*([full] if wanted > limits.queue_bytes else []), share, basis, listed]


def as_json(demand: Demand, found: Need) -> str:
    """Return demand and need as JSON, in bytes, cores and USD."""
    body = {
        "demand": asdict(demand),
        "need": {
            **asdict(found),
            "queue_bytes_limit": int(largest(found)),
            "usd": round(prices.month_usd(found.units), 2),
        },
    }
    return json.dumps(body, indent=2)


def _busy(found: Need) -> float:
    return found.cores / found.gateways / CORES


def _bytes(size: float) -> str:
    if size >= GIB:
        return f"{size / GIB:,.2f} GiB"
    return f"{size / MIB:,.0f} MiB"
