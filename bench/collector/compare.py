"""The collector compared with others: saturated in turns, and side by side at a steady rate."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from otelcol_runner.polling import poll_until

from bench.collector.configs import Config, in_memory, ladder, peer, same_jobs, shipped
from bench.collector.measure import Bed, Figures, Mark, bed, saturated

Say = Callable[[str], None]
Rows = dict[str, list[dict[str, float]]]
RATE = 10_000.0  # spans a second
OURS, PEER = "production", "documented by Logfire"
BUSY, SMALL, LAZY = HOWS = ("512 spans a request", "32 spans a request", "GOGC=400")
SMALL_TRACES = 8  # four spans of each
DECISION_WAIT = 30.0  # seconds; production's default


def contestants() -> dict[str, Config]:
    """Return the configurations that are compared when saturated."""
    production, development = shipped("production"), shipped("development")
    return {
        OURS: production,
        "production, queues in memory": in_memory(production),
        "development": development,
        "development, queues in memory": in_memory(development),
        PEER: peer("logfire-documented"),
        f"{PEER}, the same jobs": same_jobs(),
        "OpenTelemetry demo": peer("opentelemetry-demo"),
    }


def in_turns(configs: Mapping[str, Config], *, rounds: int, spans: int, say: Say) -> Rows:
    """Saturate one after another in rounds, every second round in reverse order."""
    found: Rows = {name: [] for name in configs}
    for number in range(rounds):
        for name in list(configs)[:: -1 if number % 2 else 1]:
            figures = saturated(configs[name], spans)
            found[name].append(figures.as_row())
            say(f"saturated {number + 1}/{rounds}  {name}: {figures}")
    return found


def side_by_side(
    configs: Mapping[str, Config],
    *,
    warm: float,
    windows: int,
    seconds: float,
    say: Say,
    rate: float = RATE,
    wait: float = 1.0,
    options: Mapping[str, Mapping[str, float]] | None = None,
    envs: Mapping[str, Mapping[str, str]] | None = None,
) -> Rows:
    """Feed all concurrently at a rate; after `warm` seconds measure some windows of `seconds`.

    `options` are the feeder's and `envs` the collector's own variables, by name.
    """
    lasts = 3 * (warm + windows * seconds) + 60  # at most; a busy machine takes longer
    with ExitStack() as stack:
        beds: dict[str, Bed] = {}
        for name, config in configs.items():
            env = {"TRACE_DECISION_WAIT": f"{wait:g}s", **(envs or {}).get(name, {})}
            beds[name] = stack.enter_context(bed(config, env))
        for name, under in beds.items():
            own = {"rate": rate, **(options or {}).get(name, {})}
            stack.enter_context(under.feeder(int(own["rate"] * lasts), **own))
        for name, under in beds.items():
            poll_until(under.accepted, f"{name} fed", timeout=60)
        time.sleep(warm)
        return _windows(beds, windows, seconds, say)


def _windows(beds: Mapping[str, Bed], windows: int, seconds: float, say: Say) -> Rows:
    found: Rows = {name: [] for name in beds}
    for number in range(windows):
        marks = {name: Mark.take(under) for name, under in beds.items()}
        peaks = _watch(beds, seconds)
        for name, under in beds.items():
            figures: Figures = Mark.take(under).since(marks[name], peaks[name], under.files())
            found[name].append(figures.as_row())
            say(f"steady {number + 1}/{windows}  {name}: {figures}")
    return found


def _watch(beds: Mapping[str, Bed], seconds: float) -> dict[str, float]:
    """Wait; returns the mean resident memory, which varies with garbage collection."""
    samples: dict[str, list[float]] = {name: [] for name in beds}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(min(0.5, max(0.0, end - time.monotonic())))
        for name, under in beds.items():
            samples[name].append(under.rss())
    return {name: sum(seen) / len(seen) for name, seen in samples.items()}


def held(*, windows: int, seconds: float, say: Say) -> Rows:
    """Run at the rate with production's decision wait; memory is stable after two waits."""
    names = (OURS, PEER, f"{PEER}, the same jobs")
    configs = {name: config for name, config in contestants().items() if name in names}
    warm = DECISION_WAIT + 10.0
    return side_by_side(
        configs, warm=warm, windows=windows, seconds=seconds, say=say, wait=DECISION_WAIT
    )


def stages(*, rounds: int, spans: int, windows: int, seconds: float, say: Say) -> dict[str, Rows]:
    """Measure production stage after stage, saturated and at the rate."""
    steps = ladder()
    return {
        "saturated": in_turns(steps, rounds=rounds, spans=spans, say=say),
        "steady": side_by_side(steps, warm=5.0, windows=windows, seconds=seconds, say=say),
    }


def steady(*, windows: int, seconds: float, say: Say) -> Rows:
    """Measure at the rate what `held` leaves out."""
    configs = contestants()
    names = [name for name in configs if "memory" in name or name == "development"]
    chosen = {name: configs[name] for name in [*names, "production", "OpenTelemetry demo"]}
    return side_by_side(chosen, warm=5.0, windows=windows, seconds=seconds, say=say)


def conditions(*, windows: int, seconds: float, say: Say) -> Rows:
    """Feed ours and the peer in full batches, in small requests, and with fewer collections."""
    both = {OURS: shipped("production"), PEER: peer("logfire-documented")}
    configs = {f"{name}, {how}": config for name, config in both.items() for how in HOWS}
    small = {f"{name}, {SMALL}": {"traces": SMALL_TRACES} for name in both}
    lazy = {f"{name}, {LAZY}": {"GOGC": "400"} for name in both}
    return side_by_side(
        configs, warm=6, windows=windows, seconds=seconds, say=say, options=small, envs=lazy
    )
