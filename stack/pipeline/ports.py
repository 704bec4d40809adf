"""The ports of the pipeline on one machine: default, role, and the variable to change it."""

import errno
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Self

from otelcol_runner.ports import Port, accepts, free_port, host_of, parse_place

from stack.errors import UserError

LOOPBACK = {"": "127.0.0.1", "127.0.0.1": "127.0.0.1", "localhost": "127.0.0.1", "::1": "::1"}
MANY = 3  # from so many ports in use, another demo is the likely cause


def port(default: int, role: str, variable: str = "") -> int:
    """Declare a port of `Ports`; `variable` may hold a port, or `host:port` on loopback."""
    value: int = field(default=default, metadata={"role": role, "variable": variable})
    return value


@dataclass(frozen=True)
class Ports:
    """The port of each part of the pipeline, on loopback; zero means any free port."""

    api: int = port(8000, "API", "API_PORT")
    otlp_grpc: int = port(4317, "collector, OTLP over gRPC", "OTLP_GRPC_LISTEN")
    otlp_http: int = port(4318, "collector, OTLP over HTTP", "OTLP_HTTP_LISTEN")
    health: int = port(13133, "collector, health check", "HEALTH_LISTEN")
    self_metrics: int = port(8888, "collector, its own metrics", "SELF_METRICS_PORT")
    scrape: int = port(8001, "collector, scrape endpoint", "SCRAPE_LISTEN")
    metrics_buffer: int = port(14317, "collector, metrics buffer", "METRICS_BUFFER_LISTEN")
    guard: int = port(4319, "guard", "GUARD_LISTEN")
    guard_metrics: int = port(4321, "guard, remote write", "GUARD_METRICS_LISTEN")
    self_otlp: int = port(14318, "collector, its own metrics as OTLP", "SELF_OTLP_LISTEN")
    logfire: int = port(4320, "Logfire stand-in", "STAND_IN_LISTEN")
    prometheus: int = port(9090, "Prometheus", "PROMETHEUS_LISTEN")
    alertmanager: int = port(9093, "Alertmanager", "ALERTMANAGER_LISTEN")
    recorder: int = port(9095, "notification recorder", "RECORDER_LISTEN")
    grafana: int = port(3000, "Grafana, or the page", "GRAFANA_LISTEN")
    # No default and no variable: POSTGRES_PORT and REDIS_PORT may point to the user's own servers.
    postgres: int = port(0, "Postgres")
    redis: int = port(0, "Redis")

    @classmethod
    def free(cls) -> Self:
        """Return free ports, for parallel runs."""
        return cls(**{part.name: free_port() for part in fields(cls)})

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] = os.environ) -> Self:
        """Return the ports that variables set, or defaults; raises `UserError` for a bad value."""
        chosen: dict[str, int] = {}
        for part in fields(cls):
            variable = part.metadata["variable"]
            value = variables.get(variable, "") if variable else ""
            default: int = part.default  # type: ignore[assignment]
            chosen[part.name] = parse(variable, value) if value else default or free_port()
        return cls(**chosen)

    def check(self, used: Iterable[str]) -> None:
        """Raise `UserError` naming every port of `used` (names of fields) that is taken."""
        names = set(used)
        taken = [p for p in fields(self) if p.name in names and in_use(getattr(self, p.name))]
        if not taken:
            return
        if len(taken) >= MANY:
            first = f"{getattr(self, taken[0].name)} ({taken[0].metadata['role']})"
            raise UserError(
                f"{len(taken)} ports of the demo are in use, such as {first}: stop the other demo "
                "or docker compose, or set the variables of docs/variables.md, Ports"
            )
        what = [f"{getattr(self, part.name)} ({part.metadata['role']})" for part in taken]
        variables = ", ".join(part.metadata["variable"] for part in taken)
        if len(taken) == 1:
            raise UserError(
                f"port {what[0]} is in use: stop the program that listens there, or set "
                f"{variables} to a free one"
            )
        raise UserError(
            f"ports {', '.join(what)} are in use: stop the programs that listen there, or set "
            f"{variables} to free ones"
        )


def parse(variable: str, value: str) -> Port:
    """Return the port in `value`; raises `UserError` if it is invalid or not on loopback."""
    try:
        host, number = parse_place(value)
    except ValueError:
        number = 0
    if not number:
        raise UserError(
            f"{variable}={value} is not a port: set it to a number from 1 to 65535, or to "
            "127.0.0.1:port or [::1]:port"
        )
    if host not in LOOPBACK:
        raise UserError(
            f"{variable}={value} names {host}, but the demo listens on loopback only: set a port"
        )
    return Port(number, LOOPBACK[host])


def in_use(number: int) -> bool:
    """Return whether the port is in use, on loopback or on all addresses."""
    if accepts(number):
        return True
    host = host_of(number)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # Ignore connections of a previous run that are still closing (TIME_WAIT).
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise UserError(
                    f"this machine has no {host}: set the variables with [{host}] to a port"
                ) from None
            return True
    return False


# The variables that hold the address of a collector listener.
LISTEN = tuple(
    variable
    for part in fields(Ports)
    if part.metadata["role"].startswith("collector")
    if (variable := part.metadata["variable"]).endswith("_LISTEN")
)
