import dataclasses
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from otelcol_runner.polling import poll_until

from stack.pipeline.ports import Ports
from stack.tools import page
from tests.stack.conftest import Agentical


class Demo:
    """A demo in a process of its own, on free ports, with its own temporary folder."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder, self.output = folder, folder.parent / f"{folder.name}.log"
        env = {**os.environ, **free_ports(), **variables, "TMPDIR": str(folder)}
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from stack.cli import app; app()", "demo"],
                env=env,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, words: str) -> None:
        poll_until(lambda: words in self.said(), words, timeout=40, seen=self.said)

    def ended(self) -> int:
        """Wait for the exit code; a demo that does not end is stopped."""
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            self.process.wait(60)
            pytest.fail(f"the demo did not end by itself; it said: {self.said()}")

    def left(self) -> list[str]:
        """Running processes and remaining files in the demo's temporary folder."""
        return [*map(str, self.folder.rglob("*")), *living_in(str(self.folder))]


def living_in(folder: str) -> Iterator[str]:
    for process in psutil.process_iter():
        try:
            # Redis overwrites its environment with its title, but works in its data folder.
            if process.environ().get("TMPDIR") == folder or process.cwd().startswith(folder):
                yield " ".join(process.cmdline())
        except psutil.Error:
            continue


def free_ports() -> dict[str, str]:
    ports = Ports.free()
    return {
        part.metadata["variable"]: str(getattr(ports, part.name))
        for part in dataclasses.fields(ports)
        if part.metadata["variable"]
    }


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the embedded Postgres may enter as another user, unlike pytest's."""
    with tempfile.TemporaryDirectory(prefix="demo-") as path:
        Path(path).chmod(0o755)
        inner = Path(path) / "tmp"
        inner.mkdir()
        yield inner


def test_a_short_demo_reports_what_arrived_and_leaves_nothing(folder: Path) -> None:
    page.provide()
    demo = Demo(folder, DURATION="6", OVERLAYS="also-scrape")
    assert demo.ended() == 0, demo.said()
    said = demo.said()
    arrived = {
        signal: int(count.replace(",", ""))
        for signal, count in re.findall(r"(\w+) +([\d,]+) (?:traces|logs|counted|series)\b", said)
    }
    assert all(arrived[signal] > 0 for signal in ("traces", "logs", "service", "host"))
    assert all(arrived[signal] > 0 for signal in ("postgresql", "redis"))
    shown = re.search(r"^part +address\s+both sides +(http://127.0.0.1:\d+) ", said, re.MULTILINE)
    assert shown is not None, said
    assert f"\nopen {shown[1]} to see dashboards, traces, logs and alerts" in said
    assert re.search(r"^guard +127.0.0.1:\d+ ", said, re.MULTILINE)
    sent = re.search(r"^(\d+) requests sent \((\d+) ok, (\d+) 4xx, 0 5xx\)", said, re.MULTILINE)
    assert sent is not None, said
    # Also with the requests of the probes, three columns tell one number.
    assert arrived["requests"] == arrived["traces"] == int(sent[1]) > 20
    assert float(re.findall(r"counted +([\d.]+) s", said)[0]) < 10
    assert float(re.findall(r"traces +([\d.]+) s", said)[0]) < 3
    assert demo.left() == []


def test_ctrl_c_stops_a_demo_gracefully(folder: Path) -> None:
    demo = Demo(folder)
    demo.wait_for("press Ctrl-C to stop")
    demo.process.send_signal(signal.SIGINT)
    assert demo.ended() == 0, demo.said()
    assert demo.said().endswith("stopped all processes and removed their data\n")
    assert demo.left() == []


def test_a_demo_stopped_during_startup_leaves_nothing(folder: Path) -> None:
    demo = Demo(folder)
    demo.wait_for("redis ready")
    demo.process.terminate()
    assert demo.ended() == 130, demo.said()
    assert demo.left() == []


def test_a_port_in_use_is_named_with_its_role_and_its_variable(
    agentical: Agentical, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in free_ports().items():
        monkeypatch.setenv(variable, value)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("OTLP_HTTP_LISTEN", f"127.0.0.1:{port}")
        outcome = agentical("demo")
    sentence = (
        f"port {port} (collector, OTLP over HTTP) is in use: stop the program that listens there, "
        "or set OTLP_HTTP_LISTEN to a free one"
    )
    assert (outcome.code, outcome.err) == (1, f"agentical: {sentence}\n")
