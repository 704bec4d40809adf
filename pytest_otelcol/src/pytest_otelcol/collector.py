"""Runs a real collector with any list of configuration files, on free ports."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from otelcol_runner.ports import free_port
from otelcol_runner.process import Process, ProcessFailedError
from otelcol_runner.sender import RESOURCE, Sender, Telemetry

from pytest_otelcol import activity

READY = "Everything is ready"
ATTEMPTS = 3  # another process may take a free port before the collector binds it


class InvalidConfigError(AssertionError):
    """`otelcol validate` rejected the files; the message contains its output."""


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

    def validate(self, configs: Sequence[Path], env: Mapping[str, str] | None = None) -> str:
        """Run `otelcol validate` and return what it printed: warnings, or nothing.

        Raises:
            InvalidConfigError: the collector rejects these files.
        """
        done = subprocess.run(
            [str(self.binary), "validate", *self.arguments, *_flags(configs)],
            env=dict(env or {}),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        output = (done.stdout + done.stderr).strip()
        if done.returncode:
            names = ", ".join(config.name for config in configs)
            raise InvalidConfigError(f"`otelcol validate` rejects {names}:\n{output}")
        return output

    @contextmanager
    def run(
        self,
        configs: Sequence[Path],
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
        collector = self._start(configs, dict(env or {}), [otlp, *listen], ports)
        try:
            yield collector
        finally:
            collector.close()

    def _start(
        self,
        configs: Sequence[Path],
        env: dict[str, str],
        listen: Sequence[str],
        ports: Sequence[str],
    ) -> Collector:
        argv = [str(self.binary), *self.arguments, *_flags(configs)]
        for attempt in range(1, ATTEMPTS + 1):
            free = {name: f"127.0.0.1:{free_port()}" for name in listen if name not in env}
            free |= {name: str(free_port()) for name in ports if name not in env}
            variables = {**env, **free}
            collector = Collector(argv, variables, f"http://{variables[listen[0]]}")
            try:
                collector.start()
            except ProcessFailedError as error:
                if attempt == ATTEMPTS or "address already in use" not in str(error):
                    raise
            else:
                return collector
        raise AssertionError("unreachable")


def _flags(configs: Sequence[Path]) -> list[str]:
    return [f"--config=file:{config}" for config in configs]
