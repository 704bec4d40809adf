"""The collector does to every text of the corpus what its expressions say."""

import json
from pathlib import Path

from otelcol_runner.telemetry import log, span
from pytest_otelcol.collector import Otelcol

from generate import catalogue
from tests.redaction.drawn import drawn
from tests.redaction.intact import INTACT
from tests.redaction.masked import MASKED
from tests.redaction.masking import mask
from tests.support.pipeline import run_pipeline

TOKENS = [drawn(row.pattern, row.name) for row in catalogue.read().tokens]
TEXTS = [
    *(before for before, _ in MASKED),
    *INTACT,
    *(f"`{token}`" for token in TOKENS if json.dumps(token) == f'"{token}"'),
]


# What is masked otherwise within an array or a map, because its JSON begins elsewhere.
ALONE = "[4111111111111111]"


def test_texts_leave_the_collector_as_the_expressions_say(otelcol: Otelcol, tmp_path: Path) -> None:
    configs = ("environments/development", "routes/logfire-only")
    with run_pipeline(otelcol, configs, tmp_path, {}) as pipeline:
        for number, text in enumerate(TEXTS):
            values = {"number": number, "text": text, "ok": True, "list": [text, 1]}
            pipeline.collector.send(log(text, values), span(text, values))
            pipeline.collector.send(log({"number": number, "text": text, "in": [text]}))
        seen = pipeline.logfire
        seen.wait_for(lambda s: len(s.spans) == len(TEXTS), "every span", timeout=60)
        seen.wait_for(lambda s: len(s.logs) == 2 * len(TEXTS), "every log", timeout=60)
        assert [line for line in pipeline.collector.warnings() if "transform" in line] == []
    expected = {number: mask(text) for number, text in enumerate(TEXTS)}
    inside = {n: text for n, text in expected.items() if TEXTS[n] != ALONE}
    spans = {each.attributes["number"]: each for each in seen.spans}
    assert {n: each.name for n, each in spans.items()} == expected
    assert {n: each.attributes["text"] for n, each in spans.items()} == expected
    assert all(each.attributes["ok"] is True for each in spans.values())
    lists = {n: each.attributes["list"] for n, each in spans.items()}
    read = {n: json.loads(each) if isinstance(each, str) else each for n, each in lists.items()}
    assert {n: read[n] for n in inside} == {n: [text, 1] for n, text in inside.items()}
    texts = {n for n, each in lists.items() if isinstance(each, str)}
    assert texts == {n for n, text in expected.items() if text != TEXTS[n]}
    whole = {each.attributes["number"]: each.body for each in seen.logs if each.attributes}
    assert whole == expected
    maps = {each.body["number"]: each.body for each in seen.logs if isinstance(each.body, dict)}
    assert {n: (maps[n]["text"], maps[n]["in"]) for n in inside} == {
        n: (text, [text]) for n, text in inside.items()
    }
