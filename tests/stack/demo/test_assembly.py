import io
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from otelcol_runner.ports import free_port, parse_place, place
from otelcol_runner.process import Process, ProcessFailedError
from rich.console import Console

from stack.demo.assembly import pipeline_of, service
from stack.demo.command import Run, perform
from stack.demo.sampling import check_sampling
from stack.errors import UserError
from stack.pipeline.launch import Pipeline
from stack.pipeline.ports import Ports
from stack.pipeline.startup import brief, start_all
from stack.services import guard
from stack.services.collector import Collector
from stack.services.stand_in import StandIn
from stack.tools import page
from tests.stack.conftest import Agentical


def silent(line: str) -> None:
    pass


def test_the_demo_names_what_did_not_arrive() -> None:
    said = io.StringIO()
    console = Console(file=said, width=200)
    pipeline = Pipeline(variables={"LOGFIRE_TOKEN": "another"}, report=console.print)
    code = perform(pipeline, Run(duration=2, patience=5), console)
    assert code == 1
    assert "did not arrive: traces at Logfire, logs at Logfire\n" in said.getvalue()
    assert not pipeline.processes[0].running


def test_an_optional_process_that_fails_is_reported_and_left_out() -> None:
    said: list[str] = []
    broken = Process("grafana", ["/bin/sh", "-c", "echo no licence; exit 3"], ready=lambda: False)
    sound = Process("other", ["/bin/sleep", "60"])
    try:
        assert start_all([broken, sound], said.append, optional={"grafana"}) == [sound]
    finally:
        sound.close()
    assert "  grafana ended with code 3; it said: no licence; continuing without it" in said
    with pytest.raises(ProcessFailedError):
        start_all([broken, sound], said.append)
    assert not sound.running


def test_a_token_chooses_the_service_over_the_stand_in(stand_in: StandIn) -> None:
    found = service({"LOGFIRE_TOKEN": stand_in.write_token, "LOGFIRE_ENDPOINT": stand_in.url})
    assert found is not None
    assert (found.endpoint, found.query_endpoint, found.read_token) == (
        stand_in.url,
        stand_in.url,
        "",
    )
    assert service({}) is None
    assert service({"LOGFIRE_TOKEN": ""}) is None


def test_a_refused_token_is_reported_before_anything_starts(stand_in: StandIn) -> None:
    with pytest.raises(UserError, match=r"rejected LOGFIRE_TOKEN \(401\)") as raised:
        service({"LOGFIRE_TOKEN": "secret-value", "LOGFIRE_ENDPOINT": stand_in.url})
    assert "secret-value" not in str(raised.value)


def test_an_unreachable_service_gives_one_sentence() -> None:
    away = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(UserError, match=r"^cannot reach Logfire at .* unset LOGFIRE_TOKEN"):
        service({"LOGFIRE_TOKEN": "t", "LOGFIRE_ENDPOINT": away})


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("API_PORT", "http", "API_PORT=http is not a port"),
        ("PROMETHEUS_LISTEN", "127.0.0.1:70000", "PROMETHEUS_LISTEN=127.0.0.1:70000 is not a port"),
        ("GUARD_LISTEN", "::1:4319", "GUARD_LISTEN=::1:4319 is not a port: .* or \\[::1\\]:port"),
        (
            "OTLP_HTTP_LISTEN",
            "0.0.0.0:4318",
            "OTLP_HTTP_LISTEN=0.0.0.0:4318 names 0.0.0.0, but the demo listens on loopback only",
        ),
    ],
)
def test_a_bad_port_is_named_with_its_variable(variable: str, value: str, sentence: str) -> None:
    with pytest.raises(UserError, match=f"^{sentence}"):
        Ports.from_environment({variable: value})


def test_a_port_may_be_given_with_or_without_a_host() -> None:
    chosen = Ports.from_environment({"API_PORT": "9", "HEALTH_LISTEN": "localhost:10"})
    assert (chosen.api, chosen.health, chosen.prometheus) == (9, 10, 9090)


def test_a_port_on_ipv6_keeps_its_address() -> None:
    chosen = Ports.from_environment({"HEALTH_LISTEN": "[::1]:10", "API_PORT": "[::1]:9"})
    assert [place(port) for port in (chosen.health, chosen.scrape)] == [
        "[::1]:10",
        "127.0.0.1:8001",
    ]
    assert Pipeline(chosen).api_url == "http://[::1]:9"
    assert guard.towards("GUARD", "http://[::1]:10")["GUARD_UPSTREAM"] == "[::1]:10"
    assert parse_place("[::1]:10") == ("::1", 10)
    for text in ("[::1]", "::1:10", "[127.0.0.1]:10", "host:port", "[::1:10"):
        with pytest.raises(ValueError, match=r"."):
            parse_place(text)


def test_a_second_demo_is_told_in_a_short_sentence() -> None:
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(4)]
        numbers = [server.getsockname()[1] for server in taken]
        ports = Ports(*numbers)
        with pytest.raises(UserError, match=r"^4 ports of the demo are in use") as refused:
            ports.check(["api", "otlp_grpc", "otlp_http", "health"])
    assert len(str(refused.value)) < 200


def test_the_cause_is_quoted_and_not_the_shutdown() -> None:
    said = (
        "collector ended with code 1\n2026 info starting\nError: cannot start: listen tcp: in use; "
        "failed to upload metrics: Post\nfailed to upload metrics: Post"
    )
    assert brief(ProcessFailedError(said)) == (
        "collector ended with code 1; it said: Error: cannot start: listen tcp: in use"
    )
    nested = "collector ended with code 1\nError: no config:\n'exporters' error:\n'size' is wrong"
    assert brief(ProcessFailedError(nested)).endswith("it said: 'size' is wrong")


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        (
            {"environment": "prod"},
            "there is no collector/environments/prod.yaml: choose one of agent, development, ",
        ),
        (
            {"route": "nowhere"},
            "there is no collector/routes/nowhere.yaml: choose one of hybrid, ",
        ),
        (
            {"overlays": ["also-scrape", "also-viewre"]},
            "there is no collector/overlays/also-viewre.yaml: choose one of also-scrape, ",
        ),
        (
            {"overlays": ["also-scrape", "/nowhere/mine.yaml"]},
            "there is no file /nowhere/mine.yaml: give an existing one, or a name without suffix$",
        ),
    ],
)
def test_an_unknown_file_is_refused_before_anything_starts(named: Any, sentence: str) -> None:
    with pytest.raises(UserError, match=f"^{sentence}"):
        Pipeline(**named)


def test_overlays_are_loaded_last_by_name_or_path(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.touch()
    pipeline = Pipeline(overlays=["token", "also-scrape", str(mine)])
    assert pipeline.configs[-3:] == ["overlays/token", "overlays/also-scrape", str(mine)]


def test_a_renamed_variable_stops_the_demo(
    agentical: Agentical, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOORS", "token")
    ended = agentical("demo")
    assert ended.code == 1
    assert "DOORS is not read any more: unset it and name its file in" in ended.err


ORIGINS = "https://shop.example,https://b.example"
PATTERN = "a regular expression that Go has, without backslashes and double quotes: set one"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("TRACE_SAMPLE_PERCENT", "0", "a percentage: set a number above 0, at most 100"),
        ("TRACE_SAMPLE_PERCENT", "", "a percentage: set a number above 0, at most 100"),
        *(
            ("LOG_SAMPLE_PERCENT", value, "a percentage: set a number above 0, at most 100")
            for value in ("0", "101", "-1", "abc", "")
        ),
        ("SLOW_TRACE_MS", "2s", "a number of milliseconds: set one such as 2000"),
        ("TRACE_DECISION_WAIT", "30", 'a duration: set one such as "30s"'),
        ("STREAM_ROUTES", "", f"{PATTERN} such as ^/events/"),
        ("IGNORED_PATHS", "/a(?!b)", f"{PATTERN} such as /health[a-z]*"),
        ("BROWSER_ORIGINS", "https://a, https://b", f"origins with commas only: {ORIGINS}"),
        ("BROWSER_ORIGINS", "https://a/", f"origins with commas only: {ORIGINS}"),
    ],
)
def test_a_variable_that_cannot_work_is_refused_by_name(
    agentical: Agentical, monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    ended = agentical("demo")
    assert (ended.code, ended.err) == (1, f"agentical: {name}={value} is not {sentence}\n")


def test_a_sampling_variable_without_effect_is_reported() -> None:
    reports: list[str] = []
    variables = {
        "TRACE_SAMPLE_PERCENT": "12.5",
        "LOG_SAMPLE_PERCENT": "50",
        "TRACE_DECISION_WAIT": "1m30s",
    }
    check_sampling(variables, "production", reports.append)
    assert reports == []
    check_sampling(variables, "development", reports.append)
    assert [report.split()[0] for report in reports] == [*variables]


def test_a_component_that_the_collector_lacks_is_explained(tmp_path: Path) -> None:
    config = tmp_path / "nginx.yaml"
    config.write_text("receivers: {nginx: {}}\n")
    collector = Collector(["base", config], {"HEALTH_LISTEN": f"127.0.0.1:{free_port()}"})
    with pytest.raises(ProcessFailedError, match=r'unknown type: "nginx"(?s:.*)otelcol-contrib'):
        collector.start()


def test_a_route_without_prometheus_starts_none() -> None:
    pipeline = pipeline_of("development", "logfire-only", [], silent)
    assert not pipeline.uses_prometheus
    assert pipeline.configs[-1] == "routes/logfire-only"


def test_the_page_takes_the_place_of_a_grafana_that_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("AGENTICAL_CACHE", str(tmp_path / "cache"))
    assert pipeline_of("development", "hybrid", [], said.append).page is None
    assert said == ["the page is left out: `make tools` builds it, and says what is missing"]

    page.built().mkdir()
    assert pipeline_of("development", "hybrid", [], silent).page is None
    (page.built() / "index.html").touch()
    pipeline = pipeline_of("development", "hybrid", [], said.append)
    assert (pipeline.page, pipeline.extras) == (page.built(), {})
    assert "grafana" in pipeline._ports_used()

    installed = tmp_path / "grafana"
    installed.write_text("#!/bin/sh\necho grafana version 13.1.0\n")
    installed.chmod(0o755)
    pipeline = pipeline_of("development", "hybrid", [], said.append)
    assert (pipeline.page, [*pipeline.extras]) == (None, ["grafana"])
    assert len(said) == 1


def test_the_token_of_a_second_project_reaches_the_collector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOGFIRE_TOKEN_SECOND", "another")
    assert (
        pipeline_of("development", "hybrid", [], silent).variables["LOGFIRE_TOKEN_SECOND"]
        == "another"
    )


def test_the_guard_gets_the_proxy_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("NO_PROXY", "logfire.invalid")
    env = guard.Guard(1, 2, {}).env
    assert (env["HTTPS_PROXY"], env["NO_PROXY"]) == ("http://proxy.invalid:3128", "logfire.invalid")
    monkeypatch.setenv("all_proxy", "socks5://proxy.invalid:1080")
    env = guard.Guard(1, 2, {}).env
    assert (env["HTTPS_PROXY"], env["HTTP_PROXY"]) == (
        "http://proxy.invalid:3128",
        "socks5://proxy.invalid:1080",
    )


def test_the_guards_url_replaces_only_host_and_port() -> None:
    endpoint = "https://me:secret@mimir.invalid/api/v1/push"
    place = guard.through("http://127.0.0.1:4321", endpoint)
    assert place == "http://me:secret@127.0.0.1:4321/api/v1/push"
    assert guard.variables("http://127.0.0.1:4320", endpoint).items() >= {
        ("GUARD_UPSTREAM", "127.0.0.1:4320"),
        ("GUARD_TLS", "off"),
        ("GUARD_METRICS_UPSTREAM", "mimir.invalid:443"),
        ("GUARD_METRICS_TLS", "on"),
    }
