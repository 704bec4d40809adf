"""Prints a demand and its need: a table with remarks, or JSON."""

import json
import sys
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from stack.capacity import prices
from stack.capacity.demand import Demand, Need
from stack.capacity.figures import Measured
from stack.capacity.model import CORES_PER_GATEWAY, MIN_GATEWAYS, queue_limit
from stack.capacity.shipped import Limits

PIPED_WIDTH = 160
MIB, GIB = 2.0**20, 2.0**30


def show(demand: Demand, found: Need, limits: Limits, measured: Measured) -> None:
    """Print the table, then its assumptions."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
    console.print(as_table(demand, found))
    for line in remarks(found, limits, measured):
        console.print(line, soft_wrap=True)


def as_table(demand: Demand, found: Need) -> Table:
    table = Table("resource", "amount", "details")
    for line in rows(demand, found):
        table.add_row(*line)
    return table


def rows(demand: Demand, found: Need) -> list[tuple[str, str, str]]:
    least = f"at least {MIN_GATEWAYS}, so that one may be down"
    fed = f"{demand.spans_per_second:,.0f} spans/s; {_busy(found):.0%} of each gateway's core"
    queued = ", ".join(f"{name} {_bytes(size)}" for name, size in found.queues.items())
    room = f"a volume of {_bytes(found.window_room)}"
    excluded = f"above the first {prices.INCLUDED / 1e6:g} M, without the plan's fee"
    return [
        ("gateways", f"{found.gateways}", least if found.gateways == MIN_GATEWAYS else found.bound),
        ("CPU of all gateways", f"{found.cores:.2f} cores", fed),
        ("memory of a gateway", _bytes(found.memory), f"holds {demand.decision_wait:g} s of spans"),
        ("its sampling window", _bytes(found.window), "more memory, of files"),
        ("SAMPLING_WINDOW_FILES", f"{found.window_files}", room),
        ("its memory limit", _bytes(found.memory_limit), "for the memory limiter and the window"),
        ("disk of a gateway", _bytes(found.disk), f"{demand.outage_hours:g} h: {queued}"),
        ("QUEUE_BYTES", f"{queue_limit(found)}", "the largest queue, rounded up to 64 MiB"),
        ("series in Prometheus", f"{found.series:,}", f"{demand.processes} processes and gateways"),
        ("Logfire per month", f"{found.units / 1e6:,.1f} M units",
         f"{demand.kept_share:.1%} of the spans, {demand.kept_log_share:.1%} of the log records"),
        ("its price per month", f"{prices.month_usd(found.units):,.2f} USD", excluded),
    ]  # fmt: skip


def remarks(found: Need, limits: Limits, measured: Measured) -> list[str]:
    wanted, given = queue_limit(found), _bytes(limits.queue_bytes)
    full = f"Set QUEUE_BYTES={wanted} on the gateways: the default ({given}) is too small."
    files = f"Set SAMPLING_WINDOW_FILES={found.window_files}, and the size of the window's volume."
    share = f"Memory and disk are those of a gateway while one of the {found.gateways} is down."
    basis = f"Measured on traces of {measured.spans_per_trace:g} spans: docs/generated/capacity.md."
    listed = f"Prices: {prices.SOURCE}, read on {prices.READ_ON}."
    too_small = [
        *([full] if wanted > limits.queue_bytes else []),
        *([files] if found.window_files > limits.window_files else []),
    ]
    return [*too_small, share, basis, listed]


def as_json(demand: Demand, found: Need) -> str:
    """Return demand and need as JSON; units are bytes, cores and USD."""
    body = {
        "demand": asdict(demand),
        "need": {
            **asdict(found),
            "queue_bytes_limit": queue_limit(found),
            "usd": round(prices.month_usd(found.units), 2),
        },
    }
    return json.dumps(body, indent=2)


def _busy(found: Need) -> float:
    return found.cores / found.gateways / CORES_PER_GATEWAY


def _bytes(size: float) -> str:
    if size >= GIB:
        return f"{size / GIB:,.2f} GiB"
    return f"{size / MIB:,.0f} MiB"
