"""Logfire's price list."""

SOURCE = "https://github.com/pydantic/logfire/blob/main/docs/logfire-costs.md"
READ_ON = "2026-11-23"
INCLUDED = 10_000_000  # units a month: spans, log records and metric points together
USD_PER_MILLION = 2.0  # above that, on the plans Team and Growth


def month_usd(units: float) -> float:
    """Return what a month's units cost above those included; a plan's own fee comes on top."""
    return million_usd(max(0.0, units - INCLUDED))


def million_usd(units: float) -> float:
    """Return what units cost at the list price, with nothing included."""
    return units / 1e6 * USD_PER_MILLION
