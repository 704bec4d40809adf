"""The guard in front of both backends: a stock HAProxy on the repository's few lines."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
from otelcol_runner.process import Process

from stack.errors import UserError
from stack.paths import COLLECTOR
from stack.tools.finding import version_of

CONFIG = COLLECTOR / "guard" / "haproxy.cfg"
AT_LEAST = (2, 6)
INSTALL = "install HAProxy 2.6 or newer (apt-get install haproxy, brew install haproxy)"
SAID_BY_GUARD = (
    "Service ready."  # HAProxy's words at its monitor-uri; a web page may answer 200 too
)


class Guard(Process):
    """HAProxy on the shipped configuration, listening on loopback.

    Args:
        port: where traces and logs come in; `url` is its address.
        metrics_port: where remote write comes in; `metrics_url` is its address.
        variables: the others of the configuration's head, `GUARD_UPSTREAM` and so on.

    Raises:
        UserError: there is no HAProxy that fits; the sentence says what to install.
    """

    def __init__(self, port: int, metrics_port: int, variables: Mapping[str, str]) -> None:
        binary = find()
        if binary is None:
            raise UserError(f"the guard is missing: {INSTALL}")
        self.url = f"http://127.0.0.1:{port}"
        self.metrics_url = f"http://127.0.0.1:{metrics_port}"
        super().__init__(
            "guard",
            [binary, "-db", "-f", CONFIG],
            env={
                "GUARD_LISTEN": f"127.0.0.1:{port}",
                "GUARD_METRICS_LISTEN": f"127.0.0.1:{metrics_port}",
                **variables,
            },
            clean_env=True,
            ready=lambda: stands_at(self.url) and stands_at(self.metrics_url),
        )


def find() -> Path | None:
    """Return the HAProxy on PATH, if its version fits."""
    path = shutil.which("haproxy")
    fits = path is not None and (version_of([path, "-v"]) or ()) >= AT_LEAST
    return Path(path) if path and fits else None


def variables(logfire: str, metrics: str) -> dict[str, str]:
    """Return the guard's variables for two backends, given as the collector's endpoints."""
    trusted = os.environ.get("SSL_CERT_FILE")  # the collector heeds it too
    return {
        **towards("GUARD", logfire),
        **towards("GUARD_METRICS", metrics),
        **({"GUARD_CA_FILE": trusted} if trusted else {}),
    }


def towards(prefix: str, endpoint: str) -> dict[str, str]:
    """Return the variables for one backend."""
    parts = urlsplit(endpoint)
    tls = parts.scheme == "https"
    upstream = f"{parts.hostname}:{parts.port or (443 if tls else 80)}"
    return {f"{prefix}_UPSTREAM": upstream, f"{prefix}_TLS": "on" if tls else "off"}


def through(guard_url: str, endpoint: str) -> str:
    """Return the endpoint with the guard in the backend's place: its path and user stay."""
    guard, parts = urlsplit(guard_url), urlsplit(endpoint)
    user, at, _ = parts.netloc.rpartition("@")
    return parts._replace(scheme=guard.scheme, netloc=user + at + guard.netloc).geturl()


def hindrance(endpoint: str) -> str:
    """Say why no guard can stand in front of this backend, and what to do; empty if it can."""
    parts = urlsplit(endpoint)
    if find() is None:
        return INSTALL
    if parts.scheme in getproxies() and not proxy_bypass(parts.hostname or ""):
        return f"HAProxy cannot use {parts.scheme.upper()}_PROXY: give it a direct way"
    return ""


def stands_at(url: str) -> bool | None:
    """Tell whether a guard answers at host and port of the URL; None: nobody does."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    try:
        answer = httpx.get(f"{urlsplit(url).scheme}://{host}/guard/health", timeout=3)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    return answer.is_success and SAID_BY_GUARD in answer.text
