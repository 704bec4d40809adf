"""Logfire's list prices."""

SOURCE = "https://github.com/pydantic/logfire/blob/main/docs/logfire-costs.md"
READ_ON = "2026-11-23"
INCLUDED = 10_000_000  # units per month: spans, log records and metric points together
USD_PER_MILLION = 2.0  # above that, in the plans Team and Growth


def month_usd(units: float) -> float:
    """Return the price of a month's units above the included ones, without the plan's fee."""
    return million_usd(max(0.0, units - INCLUDED))


def million_usd(units: float) -> float:
    """Return the list price of units, with none included."""
    return units / 1e6 * USD_PER_MILLION
