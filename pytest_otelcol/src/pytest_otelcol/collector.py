"""Runs a real collector on any list of configuration files, on free ports."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from otelcol_runner.ports import free_port
from otelcol_runner.process import Process, ProcessFailedError
from otelcol_runner.sender import RESOURCE, Sender, Telemetry

from pytest_otelcol import activity

READY = "Everything is ready"
ATTEMPTS = 3  # a port chosen free may be taken before the collector binds it


class InvalidConfigError(AssertionError):
    """`otelcol validate` refused the files; the message carries its words."""


class Collector(Process):
    """A running collector; `otelcol.run(...)` makes it.

    Attributes:
        env: its variables, free ports included.
        endpoint: the base URL of its OTLP/HTTP receiver.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], endpoint: str) -> None:
        super().__init__(
            "collector",
            argv,
            env=env,
            clean_env=True,  # a token or an OTEL_ variable of the developer's stays out of tests
            ready=lambda: self.output().count(READY) > self._starts,
            ready_timeout=30.0,
        )
        self.endpoint = endpoint
        self._starts = 0

    def start(self) -> None:
        """Start, wait until all its receivers listen, and be part of a failing test's report."""
        self._starts = self.output().count(READY)  # of the starts before
        super().start()
        activity.used(self)

    def send(
        self,
        *items: Telemetry,
        resource: Mapping[str, object] = RESOURCE,
        scope: str = "pytest_otelcol",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send spans, logs and metrics of one resource to the collector, as a service would.

        Raises:
            RefusedError: the collector did not take them.
        """
        activity.used(self)
        Sender(self.endpoint).send(*items, resource=resource, scope=scope, headers=headers)

    def warnings(self) -> list[str]:
        """Return what the collector logged as a warning or an error."""
        lines = (line.split("\t") for line in self.output().splitlines())
        return ["\t".join(part[1:]) for part in lines if part[1:2] in (["warn"], ["error"])]


class Otelcol:
    """The collector's binary: what a test asks to validate and to run.

    Args:
        binary: an OpenTelemetry Collector of any distribution.
        arguments: added to every command, such as `--feature-gates=...`.
    """

    def __init__(self, binary: Path, arguments: Sequence[str] = ()) -> None:
        self.binary = binary
        self.arguments = list(arguments)

    def validate(self, configs: Sequence[Path], env: Mapping[str, str] | None = None) -> str:
        """Run `otelcol validate` and return what it printed: warnings, or nothing.

        Raises:
            InvalidConfigError: the collector would not start with these files.
        """
        done = subprocess.run(
            [str(self.binary), "validate", *self.arguments, *_flags(configs)],
            env=dict(env or {}),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        said = (done.stdout + done.stderr).strip()
        if done.returncode:
            names = ", ".join(config.name for config in configs)
            raise InvalidConfigError(f"otelcol refuses {names}:\n{said}")
        return said

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
        """Run the collector on these files, in the order of the command line, until the end.

        Args:
            configs: configuration files.
            env: its whole environment, beside what follows.
            otlp: the variable from which the OTLP/HTTP receiver takes its address.
            listen: more variables that want a free address ("127.0.0.1:12345").
            ports: variables that want a free port alone.

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
