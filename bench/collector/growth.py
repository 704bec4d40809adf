"""How the cost grows with the load, and with the number of series made from spans."""

from bench.collector.compare import RATE, Rows, Say, side_by_side
from bench.collector.configs import shipped

LOADS = {"1x": 2_500.0, "2x": 5_000.0, "4x": 10_000.0, "8x": 20_000.0}  # spans a second
ROUTES = {"1x": 10, "10x": 100, "100x": 1_000}  # routes, each with a counter and a histogram


def load(*, windows: int, seconds: float, say: Say) -> Rows:
    """Feed production at each load, side by side."""
    options = {name: {"rate": rate} for name, rate in LOADS.items()}
    configs = dict.fromkeys(LOADS, shipped("production"))
    return side_by_side(configs, warm=6, windows=windows, seconds=seconds, say=say, options=options)


def series(*, windows: int, seconds: float, say: Say) -> Rows:
    """Feed production requests of so many routes, side by side.

    The windows should hold the same number of flushes of the span metrics (every 5 s).
    """
    options = {name: {"routes": routes, "rate": RATE} for name, routes in ROUTES.items()}
    configs = dict.fromkeys(ROUTES, shipped("production"))
    return side_by_side(configs, warm=8, windows=windows, seconds=seconds, say=say, options=options)
