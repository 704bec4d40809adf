"""Every command of the README works, or CI runs it verbatim."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import accepts, free_port
from otelcol_runner.process import Process

from stack.paths import ROOT
from stack.pipeline.launch import Pipeline
from tests.support.service import inherited

README = (ROOT / "README.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.split("\n")
]
GATE = re.sub(r'make -C "\$\w+/clone"', "make", (ROOT / ".ci/run").read_text())
# These take minutes; `.ci/run` calls them, or the target that runs them.
RUN_BY_THE_GATE = {
    "make demo": "make demo DURATION=60",
    "make test": "make test",
    "docker compose up": "make test-containers",
}
WITHOUT_CODE = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/farewells/{name}")
async def farewell(name: str) -> str:
    return f"Farewell, {name}"
"""
HERE = [command for command in COMMANDS if command and command not in RUN_BY_THE_GATE]


def client_variables(pipeline: Pipeline) -> dict[str, str]:
    """The variables that lead the commands to a pipeline on free ports."""
    return {
        "LOGFIRE_QUERY_ENDPOINT": pipeline.logfire_url,
        "LOGFIRE_READ_TOKEN": pipeline.read_token,
        "OTEL_EXPORTER_OTLP_ENDPOINT": pipeline.otlp_url,
        "PROMETHEUS_URL": pipeline.prometheus_url,
        "SELF_METRICS_PORT": str(pipeline.ports.self_metrics),
    }


@pytest.mark.parametrize("command", HERE)
def test_a_command_of_the_readme_answers(command: str, pipeline: Pipeline) -> None:
    done = subprocess.run(
        command.replace("127.0.0.1:9090", pipeline.prometheus_url.removeprefix("http://")),
        shell=True,
        cwd=ROOT,
        env={**os.environ, **client_variables(pipeline)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("command", RUN_BY_THE_GATE)
def test_long_running_commands_are_run_by_ci(command: str) -> None:
    assert command in COMMANDS
    assert RUN_BY_THE_GATE[command] in GATE


def test_make_targets_named_in_the_text_are_run_by_ci() -> None:
    named = set(re.findall(r"`(make [^`]+)`", README))
    assert {command for command in named if command not in GATE} == set()


def test_every_file_the_readme_links_to_exists() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", README)
    named = re.findall(
        r"`((?:app|collector|grafana|stack|prometheus|pytest_otelcol)/[\w./-]*)`", README
    )
    assert [path for path in links + named if not (ROOT / path).exists()] == []


def test_the_readmes_variables_put_in_a_service_without_code(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    (block,) = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    (tmp_path / "mine.py").write_text(WITHOUT_CODE)
    set_as_shown = block.replace("http://127.0.0.1:4318", pipeline.otlp_url)
    assert set_as_shown != block
    arrives(pipeline, tmp_path, "/farewells/{name}", {}, shell=f"{set_as_shown}\nexec ")


def test_the_example_with_two_calls_reaches_both_backends(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "producers.md").read_text()
    (source,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "mine.py").write_text(source)
    arrives(pipeline, tmp_path, "/greetings/{name}", client_variables(pipeline))


def arrives(
    pipeline: Pipeline, folder: Path, route: str, env: dict[str, str], shell: str = "exec "
) -> None:
    """Serve `mine.py` of a folder, by a shell, and wait for one request's span and count."""
    port = free_port()
    server = [sys.executable, "-m", "uvicorn", "--app-dir", str(folder), "--port", str(port)]
    service = Process(
        "my-service",
        ["sh", "-c", shell + shlex.join([*server, "mine:app"])],
        env={**inherited(), **env, "OTEL_BSP_SCHEDULE_DELAY": "200"},
        clean_env=True,
        cwd=ROOT,
        ready=lambda: accepts(port),
    )
    with service:
        url = f"http://127.0.0.1:{port}{route.format(name='Ada')}"
        # Its caller does not sample, which must not matter.
        httpx.get(url, headers={"traceparent": f"00-{'a1' * 16}-{'b2' * 8}-00"}).raise_for_status()
        poll_until(lambda: spans_of_mine(pipeline, route), "the request's span at Logfire")
        poll_until(lambda: requests_of_mine(pipeline, route), "its count in Prometheus")


def spans_of_mine(pipeline: Pipeline, route: str) -> list[dict[str, object]]:
    assert pipeline.stand_in is not None
    return pipeline.stand_in.query(
        "SELECT span_name FROM records WHERE service_name = 'my-service' "
        f"AND span_name = 'GET {route}'"
    )


def requests_of_mine(pipeline: Pipeline, route: str) -> object:
    labels = f'job="my-service",method="GET",endpoint="{route}",status="200"'
    query = {"query": f"agentical_requests_total{{{labels}}} == 1"}
    answer = httpx.get(f"{pipeline.prometheus_url}/api/v1/query", params=query)
    return answer.raise_for_status().json()["data"]["result"]
