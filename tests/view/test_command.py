"""`agentical view`, as `make view` calls it."""

import signal
import sys

import httpx
import pytest
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port
from otelcol_runner.process import Process

from stack.paths import ROOT
from stack.tools import page

COMMAND = [sys.executable, "-c", "from stack.cli import app; app()", "view"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_page_alone_is_served_until_it_is_stopped(number: signal.Signals) -> None:
    page.provide()
    place = f"127.0.0.1:{free_port()}"
    env = {
        "VIEW_LISTEN": place,
        "PROMETHEUS_URL": "https://me:password-of-a-user@prometheus.example/team",
        "LOGFIRE_QUERY_ENDPOINT": "none",
    }
    said = f"http://{place} shows Prometheus at https://***@prometheus.example/team; press Ctrl-C"
    with Process("view", COMMAND, env=env, cwd=ROOT, stop_signal=number) as view:
        poll_until(lambda: said in view.output(), said, seen=view.output)
        answer = poll_until(lambda: asked(f"http://{place}/d/agentical-overview"), "the page")
        assert '<script type="module"' in answer
        assert view.stop() == 0
        assert view.output().count("\n") == 1, view.output()


def asked(url: str) -> str:
    try:
        return httpx.get(url, trust_env=False).text
    except httpx.ConnectError as error:
        raise AssertionError(str(error)) from None


def test_a_missing_token_is_one_sentence_before_anything_is_built() -> None:
    env = {"LOGFIRE_QUERY_ENDPOINT": "https://logfire-eu.pydantic.dev", "LOGFIRE_READ_TOKEN": ""}
    view = Process("view", COMMAND, env=env, cwd=ROOT)
    with view:
        poll_until(lambda: not view.running, "its end")
        assert view.exit_code == 1
        sentence = (
            "agentical: set LOGFIRE_READ_TOKEN to a read token of the project at https://logf"
        )
        assert view.output().startswith(sentence)
