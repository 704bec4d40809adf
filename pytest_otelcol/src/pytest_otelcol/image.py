"""Runs the collector from an image, by testcontainers (the extra `pytest-otelcol[image]`)."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from docker.errors import DockerException  # type: ignore[import-untyped]
from otelcol_runner.polling import NotSeenError, poll_until
from otelcol_runner.process import ProcessFailedError
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from pytest_otelcol import activity
from pytest_otelcol.collector import READY, Collector, Launch, Otelcol, flags

FILES = "/etc/pytest-otelcol"
HOST = "host.docker.internal"
VALIDATION = 60  # seconds


class ImageOtelcol(Otelcol):
    """A collector image that validates and runs configurations.

    Args:
        image: its name; the entry point has to be the collector.
        arguments: added to every command, for example `--feature-gates=...`.

    Raises:
        NoDockerError: no Docker engine answers.
    """

    def __init__(self, image: str, arguments: Sequence[str] = ()) -> None:
        super().__init__(Path(image), arguments)
        self.image = image
        try:
            system = DockerClient().client.info()["OperatingSystem"]
        except DockerException as error:
            raise NoDockerError(error) from None
        self.shares_network = sys.platform == "linux" and system != "Docker Desktop"

    def _create(self, launch: Launch) -> Collector:
        return ContainerCollector(self._container(launch), launch)

    def _validate(self, launch: Launch) -> tuple[int, str]:
        container = self._container(launch)
        with container:
            done = container.get_wrapped_container()
            code: int = done.wait(timeout=VALIDATION)["StatusCode"]
            return code, done.logs().decode(errors="replace").strip()

    def _container(self, launch: Launch) -> DockerContainer:
        """Return the container, not yet created; paths keep their place, but for the files."""
        placed = [f"{FILES}/{number}-{file.name}" for number, file in enumerate(launch.configs)]
        container = DockerContainer(self.image)
        container.with_command([*launch.arguments, *flags(list(map(Path, placed)))])
        for file, place in zip(launch.configs, placed, strict=True):
            container.with_volume_mapping(str(file.resolve()), place, "ro")
        for value in set(launch.env.values()):
            if value.startswith("/") and Path(value).exists():
                mode = "rw" if Path(value).is_dir() else "ro"
                container.with_volume_mapping(value, value, mode)
        user = f"{os.getuid()}:{os.getgid()}"  # so that the test may remove what it wrote
        if self.shares_network:
            container.with_kwargs(user=user, network_mode="host")
            return container.with_envs(**launch.env)
        container.with_kwargs(user=user)
        for port in published(launch):
            container.with_bind_ports(port, port)
        return container.with_envs(**rewritten(launch))


class NoDockerError(Exception):
    """No Docker engine answers."""

    def __init__(self, error: Exception) -> None:
        super().__init__(
            f"no Docker engine answers, which --otelcol-image needs: start one, check DOCKER_HOST, "
            f"or pass a binary with --otelcol-bin ({str(error).splitlines()[0]})"
        )


def published(launch: Launch) -> list[int]:
    """Return the ports that a container outside the host's network has to publish."""
    listening = [launch.env[name].rpartition(":")[2] for name in launch.listen]
    return [int(port) for port in [*listening, *(launch.env[name] for name in launch.ports)]]


def rewritten(launch: Launch) -> dict[str, str]:
    """Return the environment for a container outside the host's network.

    It listens on all its addresses, and finds the host's loopback under another name.
    """
    changed = {}
    for name, value in launch.env.items():
        if name in launch.listen:
            changed[name] = f"0.0.0.0:{value.rpartition(':')[2]}"
        else:
            changed[name] = value.replace("127.0.0.1", HOST).replace("localhost", HOST)
    return changed


class ContainerCollector(Collector):
    """A collector in a container, with what `Collector` can do; it has no process id here."""

    def __init__(self, container: DockerContainer, launch: Launch) -> None:
        super().__init__([], launch.env, launch.endpoint)
        self._container: DockerContainer | None = container
        self._created = False

    @property
    def running(self) -> bool:
        """Whether the container was started and has not ended."""
        return self._created and self._state()["Running"] is True

    @property
    def exit_code(self) -> int | None:
        """The exit code, 137 when it was killed; None while it runs."""
        if not self._created:
            return None
        state = self._state()
        return None if state["Running"] else int(state["ExitCode"])

    def start(self) -> None:
        """Start, or start again, and wait until all receivers listen."""
        self._starts = self.output().count(READY)
        try:
            if self._created:
                self._inner().start()
            else:
                self._created = True
                self._needed().start()
            poll_until(self._is_ready, f"{self.name} ready", timeout=self.ready_timeout)
        except (DockerException, NotSeenError) as error:
            tail = self.tail()
            self.close()
            raise ProcessFailedError(f"{error}\n{tail}") from None
        except BaseException:
            self.close()
            raise
        activity.use(self)

    def stop(self) -> int:
        """Stop gracefully, kill after a timeout. Returns the exit code."""
        if not self._created:
            return 0
        self._inner().stop(timeout=int(self.stop_timeout))
        return self.exit_code or 0

    def kill(self) -> None:
        """Kill it at once, as `kill -9` does."""
        if self.running:
            self._inner().kill()
            self._inner().wait(timeout=self.stop_timeout)

    def close(self) -> None:
        """Stop and remove the container; `output()` keeps answering."""
        if self._created:
            self.stop()
            self._last_output = self.output()
            self._needed().stop()
        self._created, self._container = False, None

    def output(self) -> str:
        """Return everything the collector has printed so far."""
        if not self._created:
            return self._last_output
        logs: bytes = self._inner().logs()
        return logs.decode(errors="replace")

    def _needed(self) -> DockerContainer:
        if self._container is None:
            raise ProcessFailedError("the collector's container was removed: run another")
        return self._container

    def _inner(self) -> Any:
        return self._needed().get_wrapped_container()

    def _state(self) -> Mapping[str, Any]:
        inner = self._inner()
        inner.reload()
        state: Mapping[str, Any] = inner.attrs["State"]
        return state
