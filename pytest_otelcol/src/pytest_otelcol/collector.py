"""Runs a real collector with any list of configuration files, on free ports."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from otelcol_runner.ports import free_port
from otelcol_runner.process import Process, ProcessFailedError
from otelcol_runner.sender import RESOURCE, Sender, Telemetry

from pytest_otelcol import activity, coverage

READY = "Everything is ready"
ATTEMPTS = 3  # another process may take a free port before the collector binds it


class InvalidConfigError(AssertionError):
    """`otelcol validate` rejected the files; the message contains its output."""


@dataclass(frozen=True)
class Launch:
    """How a collector is started.

    Attributes:
        configs: its files; later ones override earlier ones.
        arguments: its other arguments.
        env: its whole environment.
        listen: the variables that hold an address to listen on; the first is of OTLP/HTTP.
        ports: the variables that hold a port to listen on.
    """

    configs: Sequence[Path]
    arguments: Sequence[str]
    env: Mapping[str, str]
    listen: Sequence[str] = ()
    ports: Sequence[str] = ()

    @property
    def endpoint(self) -> str:
        """The base URL of its OTLP/HTTP receiver."""
        return f"http://{self.env[self.listen[0]]}"


class Collector(Process):
    """A running collector, created by `otelcol.run(...)`.

    Attributes:
        env: its environment variables, including the free ports.
        endpoint: the base URL of its OTLP/HTTP receiver.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], endpoint: str) -> None:
        super().__init__(
            "collector",
            argv,
            env=env,
            clean_env=True,  # keeps a developer's tokens and OTEL_ variables out of tests
            ready=lambda: self.output().count(READY) > self._starts,
            ready_timeout=30.0,
        )
        self.endpoint = endpoint
        self._starts = 0

    def start(self) -> None:
        """Start, wait until all receivers listen, and add it to the report of a failing test."""
        self._starts = self.output().count(READY)  # from previous starts
        super().start()
        activity.use(self)

    def send(
        self,
        *items: Telemetry,
        resource: Mapping[str, object] = RESOURCE,
        scope: str = "pytest_otelcol",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send spans, logs and metrics of one resource to the collector, like a service.

        Raises:
            RefusedError: the collector rejected them.
        """
        activity.use(self)
        Sender(self.endpoint).send(*items, resource=resource, scope=scope, headers=headers)

    def warnings(self) -> list[str]:
        """Return the warnings and errors that the collector logged."""
        lines = (line.split("\t") for line in self.output().splitlines())
        return ["\t".join(part[1:]) for part in lines if part[1:2] in (["warn"], ["error"])]


class Otelcol:
    """A collector binary that validates and runs configurations.

    Args:
        binary: an OpenTelemetry Collector, any distribution.
        arguments: added to every command, for example `--feature-gates=...`.
    """

    def __init__(self, binary: Path, arguments: Sequence[str] = ()) -> None:
        self.binary = binary
        self.arguments = list(arguments)

    def with_arguments(self, *arguments: str) -> Self:
        """Return the same collector with further arguments."""
        other = copy(self)
        other.arguments = [*self.arguments, *arguments]
        return other

    def validate(self, configs: Sequence[Path | str], env: Mapping[str, str] | None = None) -> str:
        """Run `otelcol validate` and return what it printed: warnings, or nothing.

        Raises:
            InvalidConfigError: the collector rejects these files.
        """
        files = list(map(Path, configs))
        code, output = self._validate(Launch(files, ["validate", *self.arguments], env or {}))
        if code:
            names = ", ".join(file.name for file in files)
            raise InvalidConfigError(f"`otelcol validate` rejects {names}:\n{output}")
        return output

    @contextmanager
    def run(
        self,
        configs: Sequence[Path | str],
        env: Mapping[str, str] | None = None,
        *,
        otlp: str = "OTLP_HTTP_LISTEN",
        listen: Sequence[str] = (),
        ports: Sequence[str] = (),
    ) -> Iterator[Collector]:
        """Run the collector with these files while the context is open.

        Args:
            configs: configuration files; later ones override earlier ones.
            env: its whole environment, except for the addresses and ports below.
            otlp: the variable that holds the address of the OTLP/HTTP receiver.
            listen: further variables to set to a free address ("127.0.0.1:12345").
            ports: variables to set to a free port.

        Raises:
            ProcessFailedError: it did not start; the message ends with its log.
        """
        files = list(map(Path, configs))
        added = coverage.instrument(files)
        collector = self._start(
            [*files, *added.configs],
            [*self.arguments, *added.arguments],
            {**(env or {}), **added.env},
            [otlp, *listen],
            ports,
        )
        try:
            yield collector
        finally:
            collector.close()

    def _start(
        self,
        configs: Sequence[Path],
        arguments: Sequence[str],
        env: Mapping[str, str],
        listen: Sequence[str],
        ports: Sequence[str],
    ) -> Collector:
        for attempt in range(1, ATTEMPTS + 1):
            free = {name: f"127.0.0.1:{free_port()}" for name in listen if name not in env}
            free |= {name: str(free_port()) for name in ports if name not in env}
            collector = self._create(Launch(configs, arguments, {**env, **free}, listen, ports))
            try:
                collector.start()
            except ProcessFailedError as error:
                if attempt == ATTEMPTS or "address already in use" not in str(error):
                    raise
            else:
                return collector
        raise AssertionError("unreachable")

    def _create(self, launch: Launch) -> Collector:
        """Return a collector that is not started yet."""
        argv = [str(self.binary), *launch.arguments, *flags(launch.configs)]
        return Collector(argv, launch.env, launch.endpoint)

    def _validate(self, launch: Launch) -> tuple[int, str]:
        """Run to the end; return the exit code and what was printed."""
        done = subprocess.run(
            [str(self.binary), *launch.arguments, *flags(launch.configs)],
            env=dict(launch.env),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.returncode, (done.stdout + done.stderr).strip()


def flags(configs: Sequence[Path]) -> list[str]:
    """Return the arguments that load these files."""
    return [f"--config=file:{config}" for config in configs]
