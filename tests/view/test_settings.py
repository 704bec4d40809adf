"""Settings that cannot work end in one sentence."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from otelcol_runner.ports import free_port

from stack.errors import UserError
from stack.paths import ROOT
from stack.view.__main__ import main
from stack.view.settings import Settings

SECRET = "pylf_v1_topsecret"


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"VIEW_LISTEN": "3000"}, "VIEW_LISTEN=3000 is not an address: set it to host:port"),
        ({"VIEW_LISTEN": "192.0.2.1:1"}, "cannot listen on 192.0.2.1:1 (Cannot assign requested"),
        ({"VIEW_FILES": "/nowhere"}, "VIEW_FILES=/nowhere is not the folder of the built page"),
        ({"PROMETHEUS_URL": "127.0.0.1:9090"}, "PROMETHEUS_URL is not an http or https URL"),
        ({"PROMETHEUS_URL": "http://a:x"}, "PROMETHEUS_URL is not the URL of a server"),
        ({"PROMETHEUS_URL": f"http://a/?token={SECRET}"}, "PROMETHEUS_URL is not the URL of a"),
        ({"ALERTMANAGER_URL": f"http://me:{SECRET}@"}, "ALERTMANAGER_URL is not the URL of a"),
        ({"LOGFIRE_QUERY_ENDPOINT": "http://"}, "LOGFIRE_QUERY_ENDPOINT is not the URL of a"),
        (
            {"LOGFIRE_QUERY_ENDPOINT": "https://logfire-eu.pydantic.dev", "LOGFIRE_READ_TOKEN": ""},
            "set LOGFIRE_READ_TOKEN to a read token of the project at https://logfire-eu",
        ),
        ({"VIEW_ALLOWED_HOSTS": "http://a.example"}, "VIEW_ALLOWED_HOSTS has 'http://a.example', "),
        ({"VIEW_ALLOWED_HOSTS": "a.example/x"}, "VIEW_ALLOWED_HOSTS has 'a.example/x', which is n"),
        ({"VIEW_ALLOWED_HOSTS": "b, *.example"}, "VIEW_ALLOWED_HOSTS has '*.example', which is no"),
        ({"VIEW_ALLOWED_HOSTS": "a.example:x"}, "VIEW_ALLOWED_HOSTS has 'a.example:x', which is n"),
        ({"VIEW_ALLOWED_HOSTS": ":3000"}, "VIEW_ALLOWED_HOSTS has ':3000', which is not a host"),
        ({"LOGFIRE_READ_TOKEN": f"{SECRET}\n"}, "LOGFIRE_READ_TOKEN contains a space, a line"),
    ],
    ids=str,
)
def test_a_setting_that_cannot_work_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], sentence: str
) -> None:
    for name, value in {"VIEW_LISTEN": f"127.0.0.1:{free_port()}", **variables}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError) as refused:
        main()
    assert str(refused.value).startswith(sentence)
    assert SECRET not in str(refused.value)


def test_a_port_in_use_ends_the_server_with_one_sentence(files: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(
            [sys.executable, "-m", "stack.view"],
            env={**os.environ, "VIEW_LISTEN": place, "VIEW_FILES": str(files)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"view: cannot listen on {place} (it is in use): stop the program that listens there, or "
        "set VIEW_LISTEN to another host:port\n"
    )


def test_a_page_without_its_scripts_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "index.html").touch()
    monkeypatch.setenv("VIEW_LISTEN", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("VIEW_FILES", str(tmp_path))
    with pytest.raises(UserError, match=r"is not the folder of the built page: set it to the one"):
        main()


def test_names_of_the_server_are_compared_without_ports_and_brackets() -> None:
    named = "One.example:3000, two.example,[fd00::1]:3000, fd00::2,,"
    found = Settings.from_environment(
        {"VIEW_ALLOWED_HOSTS": named, "LOGFIRE_QUERY_ENDPOINT": "none"}
    )
    assert found.hosts == {"one.example", "two.example", "fd00::1", "fd00::2", "127.0.0.1"}


def test_a_side_can_be_left_out_and_the_token_is_not_shown() -> None:
    found = Settings.from_environment({"PROMETHEUS_URL": "none", "LOGFIRE_READ_TOKEN": SECRET})
    assert (found.prometheus, found.logfire) == ("", "http://127.0.0.1:4320")
    assert SECRET not in repr(found)
    neither = Settings.from_environment({"LOGFIRE_QUERY_ENDPOINT": "none"})
    assert (neither.prometheus, neither.logfire, neither.read_token) == (
        "http://127.0.0.1:9090",
        "",
        "",
    )
    with pytest.raises(UserError, match=r"^API_URL is not"):
        Settings.from_environment({"API_URL": "localhost:8000"})
