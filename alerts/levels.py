"""The service levels, for people: a section of `docs/generated/alerts.md`."""

from collections.abc import Iterator

from alerts.rules import number
from alerts.slos import Burn, Slos

HEAD = """## Service levels

From [`alerts/slos.yaml`](../../alerts/slos.yaml). Each alert comes as a warning and as critical,
told by Prometheus, when a job's budget burns this much faster than it would to last {period}, over
both windows, and {failures} or more have failed in the shorter one.
"""
LEVELS = ("alert", "objective", "action")
BURNS = ("severity", "times as fast", "over", "for")


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
    """Return what is said of a severity."""
    factors = "<br>".join(number(pair.factor) for pair in burn.pairs)
    windows = "<br>".join(f"{pair.long} and {pair.short}" for pair in burn.pairs)
    return [burn.severity, factors, windows, burn.for_]
