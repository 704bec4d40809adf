"""What telemetry costs a service: `python -m bench --only producers`.

CPU time of the service's process per request, beyond the same handler without telemetry: ours
(the library) and FastAPI's own telemetry (spans only) against the strategy that this project
replaces (`original.py`). The variants run in turns; each
figure is the median of several runs.
"""

import statistics
from collections.abc import Callable, Mapping

from bench.producers.runs import Figures, Receiver, in_process, servers, through_server
from bench.producers.service import FASTAPI

MAIN = ("bare", FASTAPI, "ours", "original")
PARTS = ("logfire SDK alone", "prometheus_client alone", "original over OTLP")
LADDER = {
    "no SDK": {"OTEL_SDK_DISABLED": "true"},
    "no export": {"OTEL_TRACES_EXPORTER": "none"},
    "all": {},
}
WAYS = {"in process": in_process, "through a server": through_server}
Measure = Callable[[str, str, int, Receiver, Mapping[str, str]], Figures]
Result = dict[str, dict[str, dict[str, float]]]


def medians(runs: int, cases: Mapping[str, Callable[[], Figures]]) -> dict[str, Figures]:
    """Run the cases in turns; returns the median of each."""
    found: dict[str, list[Figures]] = {case: [] for case in cases}
    for _ in range(runs):
        for case, run in cases.items():
            found[case].append(run())
    return {
        case: {part: round(statistics.median(f[part] for f in each), 1) for part in each[0]}
        for case, each in found.items()
    }


def compare(
    measure: Measure, name: str, variants: tuple[str, ...], runs: int, requests: int,
    env: Mapping[str, str],
) -> dict[str, float]:  # fmt: skip
    """Return each variant's microseconds of CPU a request, and `ratio`."""
    with Receiver("receiver") as receiver:

        def run(variant: str) -> Callable[[], Figures]:
            return lambda: measure(name, variant, requests, receiver, env)

        figures = medians(runs, {variant: run(variant) for variant in variants})
    spent = {variant: each["cpu"] for variant, each in figures.items()}
    over = {variant: spent[variant] - spent["bare"] for variant in variants}
    return {**spent, "ratio": round(over["ours"] / over["original"], 3)}


def rest(runs: int, requests: int) -> dict[str, float]:
    """Break down our microseconds by leaving out one part after the other."""
    with Receiver("receiver") as receiver:

        def run(variant: str, env: Mapping[str, str]) -> Callable[[], Figures]:
            return lambda: in_process("documents", variant, requests, receiver, env)

        cases = {"bare": run("bare", {}), **{k: run("ours", env) for k, env in LADDER.items()}}
        found = medians(runs, cases)
    bare, off, kept, sent = (found[case]["cpu"] for case in cases)
    encode, post = found["all"]["encode_spans"], found["all"]["export"]
    parts = {
        "library: context, attributes, route": off - bare,
        "SDK: the span and its attributes": kept - off,
        "export: encoding to protobuf": encode,
        "export: HTTP": post,
        "export: queue, two threads on one interpreter": sent - kept - encode - post,
    }
    return {part: round(spent, 1) for part, spent in parts.items()}


def measure(runs: int = 5, requests: int = 2000) -> Result:
    """Measure everything: microseconds of CPU per request, by application, way and variant."""
    result: Result = {"documents": {}, "tasks": {}, "rest": {"in process": rest(runs, requests)}}
    for way, run in WAYS.items():
        result["documents"][way] = compare(run, "documents", MAIN + PARTS, runs, requests, {})
    with servers() as env:
        for way, run in WAYS.items():
            result["tasks"][way] = compare(run, "tasks", MAIN, runs, requests // 2, env)
    return result
