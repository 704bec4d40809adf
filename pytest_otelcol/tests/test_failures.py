"""What a failed expectation says: the README shows it."""

import re
from pathlib import Path

import pytest
from otelcol_runner.polling import NotSeenError
from otelcol_runner.sender import Sender
from otelcol_runner.telemetry import log, span
from pytest_otelcol.remote_write import RemoteWriteSink
from pytest_otelcol.sinks import OtlpSink

pytest_plugins = ["pytester"]

README = Path(__file__).parent.parent / "README.md"
A_TEST = """
from otelcol_runner.telemetry import span

def test_route(otelcol, otlp_sink):
    with otelcol.run(["collector.yaml"], {"BACKEND": otlp_sink.url}) as collector:
        collector.send(
            span("GET /users", {"http.route": "/user"}, kind="SERVER"),
            span("SELECT users", {"http.route": "/users"}),
            span("GET /users"),
            resource={"service.name": "shop"},
        )
        otlp_sink.expect_span(
            name="GET /users", attributes={"http.route": "/users"}, kind="SERVER", timeout=0.5
        )
"""


def test_a_failure_shows_the_nearest_items_as_the_readme_has_it(
    pytester: pytest.Pytester, otelcol_bin: Path
) -> None:
    readme = README.read_text()
    config = re.search(r"```yaml\n(.*?)```", readme, re.DOTALL)
    shown = next(
        text for text in re.findall(r"```text\n(.*?)```", readme, re.S) if "nearest" in text
    )
    assert config is not None
    (pytester.path / "collector.yaml").write_text(config[1])
    pytester.makepyfile(A_TEST)
    result = pytester.runpytest_inprocess(f"--otelcol-bin={otelcol_bin}")
    result.assert_outcomes(failed=1)
    said = "\n".join(line.removeprefix("E ").strip() for line in result.outlines)
    assert "\n".join(line.strip() for line in shown[1].splitlines()) in said


def test_the_nearest_come_first_and_a_pattern_has_to_match_the_whole_text(
    otlp_sink: OtlpSink,
) -> None:
    send = Sender(otlp_sink.url).send
    send(log("other"), log("order 7 refused", {"order": 8}), log("order refused", {"order": 7}))
    whole = re.compile("order .* refused")
    assert otlp_sink.expect_log(whole).attributes == {"order": 8}
    with pytest.raises(NotSeenError) as missed:
        otlp_sink.expect_log(whole, {"order": 7, "code": 1}, severity="INFO", timeout=0)
    assert str(missed.value).splitlines()[2:] == [
        f"  {otlp_sink.logs[2]}",
        "      body is 'order refused', expected text matching 'order .* refused'",
        "      attributes['code'] is missing, expected 1",
        f"  {otlp_sink.logs[1]}",
        "      attributes['order'] is 8, expected 7",
        "      attributes['code'] is missing, expected 1",
        f"  {otlp_sink.logs[0]}",
        "      body is 'other', expected text matching 'order .* refused'",
        "      attributes['order'] is missing, expected 7",
        "      attributes['code'] is missing, expected 1",
    ]


def test_without_any_such_item_everything_else_is_listed(otlp_sink: OtlpSink) -> None:
    Sender(otlp_sink.url).send(span("GET /"))
    with pytest.raises(NotSeenError, match=r"any log: not seen(?s:.*)span 'GET /'"):
        otlp_sink.expect_log(timeout=0)


def test_a_field_that_does_not_exist_is_an_error_at_once(
    otlp_sink: OtlpSink, remote_write_sink: RemoteWriteSink
) -> None:
    with pytest.raises(TypeError, match=r"a span has no statos: it has .*status"):
        otlp_sink.expect_span(statos="ERROR")
    with pytest.raises(TypeError, match=r"a series has no unit: it has .*metadata"):
        remote_write_sink.expect_series(unit="s")
