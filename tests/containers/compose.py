"""`docker compose` on the repository's file, under a project of its own, on free ports."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

from stack.errors import UserError
from stack.paths import ROOT
from tests.containers.docker import docker
from tests.containers.images import defaults, image

PORTS = (
    "ALERTMANAGER_PORT",
    "API_PORT",
    "GRAFANA_PORT",
    "HEALTH_PORT",
    "OTLP_GRPC_PORT",
    "OTLP_HTTP_PORT",
    "PAGE_PORT",
    "PROMETHEUS_PORT",
    "RECORDER_PORT",
    "SCRAPE_PORT",
    "SELF_METRICS_PORT",
    "STAND_IN_PORT",
    "VIEWER_PORT",
)


def variables(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings and what the client itself needs of the shell's variables."""
    needed = ("PATH", "HOME", "XDG_", "DOCKER_")
    kept = {name: value for name, value in os.environ.items() if name.startswith(needed)}
    return {**kept, **settings}


def configuration(*profiles: str, **settings: str) -> dict[str, Any]:
    """Return the merged and filled-in model of `docker-compose.yml`."""
    chosen = [f"--profile={profile}" for profile in profiles]
    text = compose(*chosen, "config", "--format=json", settings=settings)
    model: dict[str, Any] = json.loads(text)
    return model


def compose(*arguments: str, settings: Mapping[str, str]) -> str:
    """Run `docker compose`. Raises `UserError` with what it said."""
    base = ["compose", "--env-file=/dev/null", f"--project-directory={ROOT}"]
    return docker(*base, *arguments, env=variables(settings))


class Compose:
    """The running stack as a context manager; leaves no container, network or volume behind.

    Services whose image can be neither pulled nor built are left out: `left_out` names them.

    Args:
        only: services to start, with those that they depend on; by default all.
    """

    def __init__(self, name: str, *only: str, **settings: str) -> None:
        self.project = f"agentical-{name}-{os.getpid()}"
        self._addresses: dict[tuple[str, str], str] = {}
        self.images = {variable: image(variable) for variable in defaults()}
        here = {variable: name for variable, name in self.images.items() if name}
        ports = dict.fromkeys(PORTS, "0")  # any free one, chosen by the engine
        self.settings = {**settings, **ports, **here, "COMPOSE_PROJECT_NAME": self.project}
        missing = {defaults()[variable] for variable, name in self.images.items() if name is None}
        services = configuration(**self.settings)["services"]
        self.left_out = sorted(name for name in services if services[name]["image"] in missing)
        self.services = sorted(set(only or services) - set(self.left_out))

    def __enter__(self) -> Self:
        try:
            # An image built earlier today would hide a broken Dockerfile or pin.
            self.run("up", "--detach", "--wait", "--no-build", "--pull=never", *self.services)
        except UserError as error:
            logs = self.run("logs", "--tail=8", "--no-color", "--no-log-prefix", *self.unwell())
            self.close()
            raise UserError(f"{error}\n{logs}") from None
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove everything of this project, volumes too."""
        self.run("down", "--volumes", "--remove-orphans", "--timeout=20")

    def run(self, *arguments: str) -> str:
        """Run a compose command on this project."""
        return compose(*arguments, settings=self.settings)

    def unwell(self) -> list[str]:
        """Return the services whose container failed or is not healthy."""
        states = [json.loads(line) for line in self.run("ps", "-a", "--format=json").splitlines()]
        ends_well = {("running", "healthy"), ("running", ""), ("exited", "")}
        return [
            state["Service"]
            for state in states
            if (state["State"], state["Health"]) not in ends_well or state["ExitCode"]
        ]

    def url(self, service: str, port: int) -> str:
        """Return the URL of a published port."""
        key = (service, str(port))
        if key not in self._addresses:
            self._addresses[key] = f"http://{self.run('port', *key).strip()}"
        return self._addresses[key]

    def restart(self, service: str) -> None:
        """Restart a service; its published ports move."""
        self.run("restart", service)
        self._addresses.clear()

    def inspect(self, service: str) -> dict[str, Any]:
        """Return what the engine knows about the service's container."""
        identity = self.run("ps", "--all", "--quiet", service).strip()
        found: list[dict[str, Any]] = json.loads(docker("inspect", identity))
        return found[0]

    @contextmanager
    def faults(self, **faults: object) -> Iterator[None]:
        """Make the stand-in misbehave for a while; it accepts this only from its own machine."""
        self._control(faults)
        try:
            yield
        finally:
            self._control({})

    def _control(self, faults: Mapping[str, object]) -> None:
        program = (
            "import sys, urllib.request as u; u.urlopen(u.Request("
            "'http://127.0.0.1:4320/control', sys.argv[1].encode(), method='PUT'))"
        )
        self.run("exec", "-T", "logfire", "python", "-c", program, json.dumps(faults))
