"""What only looks like a secret arrives unchanged, in every place."""

import dataclasses
import re
from pathlib import Path

from otelcol_runner.views import Point, Span
from pytest_otelcol.collector import Otelcol
from pytest_otelcol.sinks import OtlpSink

from tests.redaction.harmless import HARMLESS, TYPED
from tests.redaction.places import Load, requests_of, send
from tests.support.pipeline import run_pipeline

NAMES_A_SECRET = re.compile("passw|secret|token$", re.I)  # as a key, its value is masked


def loads() -> list[Load]:
    in_places = [Load(number, text) for number, text in enumerate(HARMLESS)]
    keys = {text: "v" for text in HARMLESS if not NAMES_A_SECRET.search(text)}
    in_keys = Load(1000, "keys", everywhere=False, attributes=keys)
    return [*in_places, in_keys, Load(1001, "typed", everywhere=False, attributes=TYPED)]


def sent(points: list[Point]) -> set[str]:
    """Return the points that were sent, without the metrics the collector makes from spans.

    Without the names that Prometheus would merge, too: filter/metric_names refuses them.
    """
    found = (point for point in points if re.fullmatch("[ -~]+", point.name))
    return {f"{point} {point.unit}" for point in found if not point.name.startswith("agentical.")}


def without_dashboard_link(span: Span) -> Span:
    """Return a span without the link to its service's dashboard, which every span gets."""
    resource = {key: value for key, value in span.resource.items() if key != "dashboard.url"}
    return dataclasses.replace(span, resource=resource)


def test_harmless_values_arrive_unchanged(otelcol: Otelcol, tmp_path: Path) -> None:
    bodies = requests_of(loads())
    configs = ("environments/development", "routes/logfire-only")
    with run_pipeline(otelcol, configs, tmp_path, {}) as pipeline, OtlpSink("direct") as direct:
        send(direct.url, bodies)
        send(pipeline.collector.endpoint, bodies)
        through = pipeline.logfire
        through.wait_for(lambda s: len(s.spans) == len(direct.spans), "every span")
        through.wait_for(lambda s: len(s.logs) == len(direct.logs), "every log")
        through.wait_for(lambda s: len(sent(s.points)) == len(sent(direct.points)), "the metrics")
    assert list(map(without_dashboard_link, through.spans)) == direct.spans
    assert through.logs == direct.logs
    assert sent(through.points) == sent(direct.points)
