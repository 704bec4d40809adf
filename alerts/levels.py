"""The SLO section of `docs/generated/alerts.md`."""

from collections.abc import Iterator

from alerts.rules import number
from alerts.slos import Burn, Slos

HEAD = """## SLOs

From [`alerts/slos.yaml`](../../alerts/slos.yaml), evaluated by Prometheus. An alert fires when a
job's burn rate exceeds the one below over both windows, and the short window has at least
{failures} failures. At a burn rate of 1 the error budget lasts exactly {period}.
"""
LEVELS = ("alert", "objective", "action")
BURNS = ("severity", "burn rate", "windows", "for")


def section(slos: Slos) -> str:
    """Return the section as Markdown."""
    return "\n".join([*lines(slos), ""])


def lines(slos: Slos) -> Iterator[str]:
    """Yield the section's lines."""
    yield HEAD.format(period=slos.period, failures=slos.failures)
    yield from (row(LEVELS), row(["---"] * len(LEVELS)))
    for slo in slos.slos:
        name = f"[{slo.name}](../runbooks.md#{slo.name.lower()})<br>{slo.means}"
        yield row([name, f"{number(round(slo.objective * 100, 8))} %", slo.action])
    yield from ("", row(BURNS), row(["---"] * len(BURNS)))
    for burn in slos.burns:
        yield row(cells(burn))


def row(values: tuple[str, ...] | list[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(values)} |"


def cells(burn: Burn) -> list[str]:
    """Return the table row of a severity."""
    factors = "<br>".join(number(pair.factor) for pair in burn.pairs)
    windows = "<br>".join(f"{pair.long} and {pair.short}" for pair in burn.pairs)
    return [burn.severity, factors, windows, burn.for_]
